from odoo import SUPERUSER_ID, http
from odoo.http import request

MAX_BODY = 64 * 1024


class InsurerWebhook(http.Controller):
    @http.route(
        "/credit_insurance/webhook/<string:secret>",
        type="http",
        auth="none",
        methods=["GET", "POST"],  # some insurers only ping
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=MAX_BODY,
    )
    def wake_up(self, secret, **_form):
        """Answer at once, and the same to everything: what the call is worth is nobody's business but ours."""
        request.update_env(user=SUPERUSER_ID)
        account = request.env["credit.insurance.account"]._find_by_secret(secret)
        if not account:
            return request.make_response("", status=404)
        call = request.httprequest
        if (call.content_length or 0) <= MAX_BODY:
            headers = {name.lower(): value for name, value in call.headers.items()}
            account._take_call(headers, call.get_data(cache=False))
        return request.make_response("", status=204)
