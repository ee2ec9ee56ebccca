"""Amounts by grade that policies' tables have to come are changes of cover on their first day."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE credit_insurance_cover SET begins_later = TRUE
         WHERE derived AND active AND begins_later IS NULL AND effective_from > CURRENT_DATE
        """
    )
