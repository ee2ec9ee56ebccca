"""Who is a private person was read from the contact: as a fact of the buyer it begins with that."""


def migrate(cr, version):
    cr.execute("ALTER TABLE credit_insurance_buyer ADD COLUMN IF NOT EXISTS is_private_person boolean")
    cr.execute(
        """
        UPDATE credit_insurance_buyer b SET is_private_person = p.is_company IS NOT TRUE
          FROM res_partner p
         WHERE p.id = b.partner_id AND b.is_private_person IS NULL
        """
    )
