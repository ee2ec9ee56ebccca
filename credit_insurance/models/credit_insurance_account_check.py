"""Does the connection work, and what can it do? Answers for an administrator."""

from markupsafe import Markup

from odoo import api, fields, models

from odoo.addons.credit_insurance.connectors import (
    CONNECTORS,
    FINDERS,
    BuyerQuery,
    ConnectorError,
    Operation,
    RejectedByInsurer,
)

from .connector_words import FILE_ROUTES, OPERATION_LABELS, label_of

MADE_UP_NUMBER = "CONNECTION-TEST"
# Calls that only read, the cheapest first: the first one a connector has is its test. A search may cost: it is last.
CHECKS = {
    Operation.POLICY_DETAILS: lambda insurer, facts: insurer.policy_details(facts["policy"]),
    Operation.NOTIFICATIONS: lambda insurer, facts: insurer.notifications(facts["today"]).whole(),
    Operation.COVER_REQUEST_PAGE: lambda insurer, facts: insurer.cover_request_page(facts["policy"]).whole(),
    Operation.GRADES: lambda insurer, facts: insurer.grades([facts["buyer"]]),
    Operation.GRADE_CHANGES: lambda insurer, facts: insurer.grade_changes(facts["policy"], facts["today"]).whole(),
    Operation.COVER_PAGE: lambda insurer, facts: insurer.cover_page(facts["policy"]).whole(),
    Operation.FIND_BUYER: lambda insurer, facts: insurer.find_buyer(facts["ourselves"]),
}
NEEDS_POLICY = {
    Operation.POLICY_DETAILS,
    Operation.COVER_REQUEST_PAGE,
    Operation.GRADE_CHANGES,
    Operation.COVER_PAGE,
}


class CreditInsuranceAccount(models.Model):
    _inherit = "credit.insurance.account"

    capability_table = fields.Html(compute="_compute_capability_table", sanitize=False, string="What It Can Do")
    unverified_notes = fields.Text(
        compute="_compute_capability_table",
        string="Not Verified",
        help="What no public source shows of this insurer's interface.",
    )

    # === COMPUTE METHODS === #

    @api.depends("connector")
    @api.depends_context("lang")
    def _compute_capability_table(self):
        for account in self:
            connector = CONNECTORS.get(account.connector)
            account.capability_table = account._render_capabilities(connector) if connector else False
            account.unverified_notes = "\n".join(connector.unverified) if connector else False

    def _render_capabilities(self, connector):
        """A table: operation, interface or file. What only asks for what was sent before is left out."""
        offered, asking = connector.capabilities(), set(FINDERS.values())
        rows = Markup()
        for operation in OPERATION_LABELS:
            if operation in asking:
                continue
            finder = FINDERS.get(operation)
            rows += Markup("<tr><td>{}</td><td>{}</td><td class='text-muted'>{}</td></tr>").format(
                label_of(self.env, operation),
                self._describe_route(operation, offered),
                self._describe_repetition(operation, connector) if finder and operation in offered else "",
            )
        heads = [self.env._("Operation"), self.env._("How"), self.env._("After a Lost Answer")]
        head = Markup("").join(Markup("<th>{}</th>").format(text) for text in heads)
        return Markup("<table class='table table-sm'><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
            head, rows
        )

    def _describe_route(self, operation, offered):
        if operation in offered:
            return self.env._("Interface")
        return self.env._("By file") if operation in FILE_ROUTES else self.env._("Not offered")

    def _describe_repetition(self, operation, connector):
        if FINDERS[operation] in connector.capabilities():
            return self.env._("The insurer is asked whether it has it.")
        if operation in connector.recognises:
            return self.env._("It is sent again: the insurer knows our reference.")
        return self.env._("A person looks in the insurer's portal.")

    # === TEST === #

    def action_test_connection(self):
        """Ask the insurer for something cheap and say in plain words how it went."""
        self.ensure_one()
        self._check_role("credit_insurance.credit_insurance_group_admin")
        self.check_access("read")
        if not self._get_capabilities():
            message = self.env._(
                "Nothing to test: this connector exchanges files only, which people carry to the insurer."
            )
            return self._notify("info", message)
        facts = self._get_check_facts()
        operation = None
        try:
            with self._connect() as insurer:
                operation = next((each for each in CHECKS if each in insurer.capabilities()), None)
                answer = CHECKS[operation](insurer, facts) if operation else None
        except RejectedByInsurer as exc:
            if facts["known"] or operation not in NEEDS_POLICY:
                return self._notify("warning", self._explain(exc))
            message = self.env._("The insurer accepts our key. Enter your policy to see whether it knows that, too.")
            return self._notify("success", message)
        except ConnectorError as exc:
            return self._notify("danger", self._explain(exc))
        return self._describe_check(operation, answer)

    def _get_check_facts(self):
        number, link = self.policy_ids[:1].number, self.link_ids[:1]
        company = self.company_id.sudo()
        return {
            "known": bool(number),
            "policy": number or MADE_UP_NUMBER,
            "buyer": link.external_id or MADE_UP_NUMBER,
            "today": fields.Date.context_today(self),
            "ourselves": BuyerQuery(
                country=company.country_id.code or "FR", name=company.name, vat_number=company.vat or ""
            ),
        }

    def _describe_check(self, operation, answer):
        if operation is None:
            message = self.env._(
                "The settings are complete. This insurer offers no call that tests them without doing something."
            )
            return self._notify("info", message)
        if operation is Operation.POLICY_DETAILS:
            return self._notify("success", self._describe_policy(answer))
        message = self.env._("The connection works: the insurer answered to “%s”.", label_of(self.env, operation))
        return self._notify("success", message)

    def _describe_policy(self, policy):
        return self.env._(
            "The connection works. Policy %(number)s of %(holder)s, in %(currency)s, in force since %(date)s.",
            number=policy.number,
            holder=policy.holder,
            currency=policy.currency,
            date=fields.Date.to_string(policy.starts_on),
        )
