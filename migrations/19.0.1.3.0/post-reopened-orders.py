"""A quotation that was an order keeps what was delivered of it among what is owed: those that were reopened before."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE sale_order o SET credit_insurance_reopened = TRUE
         WHERE o.state IN ('draft', 'sent') AND o.credit_insurance_reopened IS NOT TRUE
           AND EXISTS (SELECT FROM sale_order_line l WHERE l.order_id = o.id AND l.qty_delivered > l.qty_invoiced)
        """
    )
