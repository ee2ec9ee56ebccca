from odoo import http
from odoo.exceptions import AccessError, MissingError

from odoo.addons.sale.controllers.portal import CustomerPortal as SaleCustomerPortal


class CustomerPortal(SaleCustomerPortal):
    @http.route()
    def portal_order_page(self, order_id, report_type=None, access_token=None, payment_amount=None, **kw):
        """An order that waits for a decision can be paid on its page, as if its customer had a payment link."""
        if not payment_amount and not report_type:
            try:
                order = self._document_check_access("sale.order", order_id, access_token=access_token)
            except (AccessError, MissingError):
                order = None
            payment_amount = order and order._credit_get_portal_amount() or None
        return super().portal_order_page(
            order_id, report_type=report_type, access_token=access_token, payment_amount=payment_amount, **kw
        )
