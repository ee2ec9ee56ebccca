"""A release covers the payment term the order had: what was held or released before had the order's own."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE credit_insurance_hold h SET payment_term_id = o.payment_term_id
          FROM sale_order o
         WHERE o.id = h.order_id AND h.state IN ('open', 'released') AND h.payment_term_id IS NULL
        """
    )
