"""Choosing a buyer's number at an insurer among those the insurer thinks may be meant."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.credit_insurance.connectors import BuyerQuery, ConnectorError, Operation
from odoo.addons.credit_insurance.connectors.matching import rank

FIELDS = ("name", "country", "registration_number", "vat_number", "street", "postal_code", "city", "own_reference")


class CreditInsuranceBuyerMatch(models.TransientModel):
    _name = "credit.insurance.buyer.match"
    _description = "Find a Buyer at an Insurer"
    _rec_name = "buyer_id"

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True)
    company_id = fields.Many2one(related="buyer_id.company_id")
    account_id = fields.Many2one(
        "credit.insurance.account",
        string="Connection",
        required=True,
        domain="[('company_id', '=', company_id), ('state', '!=', 'disabled')]",
    )
    partner_id = fields.Many2one(related="buyer_id.partner_id")
    registration_number = fields.Char(related="buyer_id.partner_id.company_registry", string="Our Registration Number")
    vat_number = fields.Char(related="buyer_id.partner_id.vat", string="Our VAT Number")
    own_reference = fields.Char(related="buyer_id.partner_id.ref", string="Our Reference")
    address = fields.Char(compute="_compute_address", string="Our Address")
    search_name = fields.Char(
        string="Look For",
        compute="_compute_search_name",
        store=True,
        readonly=False,
        help="The name as the insurer may know it, when it is another than ours.",
    )
    line_ids = fields.One2many("credit.insurance.buyer.match.line", "match_id", string="Candidates")
    message = fields.Char(readonly=True)
    can_number = fields.Boolean(compute="_compute_can_number")

    @api.depends("buyer_id")
    def _compute_address(self):
        for match in self:
            partner = match.buyer_id.partner_id
            parts = [partner.street, partner.street2, partner.zip, partner.city, partner.country_id.name]
            match.address = ", ".join(filter(None, parts))

    @api.depends("buyer_id")
    def _compute_search_name(self):
        for match in self:
            match.search_name = match.buyer_id.partner_id.name

    @api.depends("account_id")
    def _compute_can_number(self):
        for match in self:
            account = match.account_id
            match.can_number = bool(account) and Operation.REQUEST_BUYER_NUMBER in account._get_capabilities()

    # === ACTIONS === #

    def action_search(self):
        """Ask the insurer who may be meant, and show the answers beside ours, the most likely first."""
        query = self._prepare_query()
        candidates = self._ask(lambda insurer: insurer.find_buyer(query))
        return self._show(query, candidates, self.env._("The insurer knows nobody like this."))

    def action_request_number(self):
        """Have the insurer give the buyer a number; asking again tells how it stands."""
        query = self._prepare_query()
        policy = self.account_id.policy_ids[:1]
        if not policy:
            raise UserError(self.env._("Enter a policy on the connection first."))
        reference = self.env["credit.insurance.buyer.link"]._get_lookup_reference(self.buyer_id)
        candidates = self._ask(lambda insurer: insurer.request_buyer_number(reference, policy.number, query))
        self.buyer_id._message_log(
            body=self.env._(
                "Number asked for at %(name)s, reference %(code)s.", name=self.account_id.name, code=reference
            )
        )
        return self._show(query, candidates, self.env._("The insurer is working on it. Ask again later."))

    def _prepare_query(self):
        self.ensure_one()
        self.buyer_id.check_access("write")
        query = self.env["credit.insurance.buyer.link"]._prepare_queries(self.buyer_id).get(self.buyer_id)
        if not query:
            raise UserError(self.env._("Enter the contact's country first: numbers and names mean nothing without it."))
        values = {name: getattr(query, name) for name in query.__slots__}
        return BuyerQuery(**{**values, "name": (self.search_name or "").strip() or query.name})

    def _ask(self, call):
        try:
            with self.account_id._connect(about=self.buyer_id) as insurer:
                return call(insurer)
        except ConnectorError as exc:
            raise UserError(self.account_id._explain(exc)) from exc

    def _show(self, query, candidates, nobody):
        self.line_ids.unlink()
        lines = self.env["credit.insurance.buyer.match.line"]
        self.line_ids = lines.create([lines._prepare_vals(self, scored) for scored in rank(query, candidates)])
        self.message = False if self.line_ids else nobody
        return self._reopen()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Find a Buyer at an Insurer"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }


class CreditInsuranceBuyerMatchLine(models.TransientModel):
    _name = "credit.insurance.buyer.match.line"
    _description = "Candidate for a Buyer"
    _order = "match_id, score desc, id"

    match_id = fields.Many2one("credit.insurance.buyer.match", required=True, ondelete="cascade")
    account_id = fields.Many2one("credit.insurance.account", string="Connection", readonly=True, ondelete="cascade")
    external_id = fields.Char(string="Insurer's Number", required=True, readonly=True)
    name = fields.Char(readonly=True)
    country = fields.Char(readonly=True)
    registration_number = fields.Char(readonly=True)
    vat_number = fields.Char(string="VAT Number", readonly=True)
    street = fields.Char(readonly=True)
    postal_code = fields.Char(readonly=True)
    city = fields.Char(readonly=True)
    own_reference = fields.Char(
        string="Our Reference", readonly=True, help="Our number of the customer, as the insurer keeps it."
    )
    score = fields.Integer(string="Likeness", readonly=True, help="0 to 100, by numbers, name and address.")
    insurer_score = fields.Integer(string="Insurer's Score", readonly=True)
    identity = fields.Selection(
        [("same", "Equal"), ("different", "Another entity"), ("unknown", "Not known")], string="Numbers", readonly=True
    )
    differing = fields.Json(readonly=True, help="Names of the columns that differ from ours.")
    name_differs = fields.Boolean(compute="_compute_differs")
    country_differs = fields.Boolean(compute="_compute_differs")
    registration_number_differs = fields.Boolean(compute="_compute_differs")
    vat_number_differs = fields.Boolean(compute="_compute_differs")
    street_differs = fields.Boolean(compute="_compute_differs")
    postal_code_differs = fields.Boolean(compute="_compute_differs")
    city_differs = fields.Boolean(compute="_compute_differs")
    own_reference_differs = fields.Boolean(compute="_compute_differs")
    taken_by_id = fields.Many2one("credit.insurance.buyer", string="Linked To", compute="_compute_taken_by_id")

    @api.depends("differing")
    def _compute_differs(self):
        for line in self:
            for name in FIELDS:
                line[f"{name}_differs"] = name in (line.differing or ())

    @api.depends("external_id", "match_id.account_id")
    def _compute_taken_by_id(self):
        links = self.env["credit.insurance.buyer.link"].search(
            [
                ("account_id", "in", self.match_id.account_id.ids),
                ("external_id", "in", self.mapped("external_id")),
            ]
        )
        taken = {(link.account_id, link.external_id): link.buyer_id for link in links}
        for line in self:
            line.taken_by_id = taken.get((line.match_id.account_id, line.external_id), False)

    @api.model
    def _prepare_vals(self, match, scored):
        candidate = scored.candidate
        return {
            **{name: getattr(candidate, name) for name in FIELDS},
            "match_id": match.id,
            "account_id": match.account_id.id,
            "external_id": candidate.buyer_id,
            "score": scored.score,
            "insurer_score": candidate.score,
            "identity": scored.identity.value,
            "differing": sorted(scored.differences),
        }

    def action_choose(self):
        """Link the buyer to this entity, unless its number says that it is another one."""
        self.ensure_one()
        links = self.env["credit.insurance.buyer.link"]
        links.check_access("create")
        self.match_id.buyer_id.check_access("write")
        self._check_choice()
        links.sudo().create(self._prepare_link_vals())
        return {"type": "ir.actions.act_window_close"}

    def _check_choice(self):
        match = self.match_id
        if self.account_id != match.account_id:
            raise UserError(self.env._("This is a number of another insurer: search again."))
        if self.identity == "different":
            raise UserError(
                self.env._(
                    "%(name)s carries another number than the contact: it is another legal entity. "
                    "Correct the contact's number if it is wrong, and search again.",
                    name=self.name,
                )
            )
        if self.taken_by_id:
            raise UserError(self.env._("%s carries this number already.", self.taken_by_id.display_name))
        if match.buyer_id.sudo().link_ids.filtered(lambda link: link.account_id == match.account_id):
            raise UserError(self.env._("The buyer has a number at this insurer already."))

    def _prepare_link_vals(self):
        country = self.env["res.country"].search([("code", "=", self.country or "")], limit=1)
        return {
            "buyer_id": self.match_id.buyer_id.id,
            "account_id": self.match_id.account_id.id,
            "external_id": self.external_id,
            "registration_number": self.registration_number,
            "vat_number": self.vat_number,
            "entity_name": self.name,
            "entity_country_id": country.id,
            "entity_address": " ".join(filter(None, [self.street, self.postal_code, self.city])),
            "matched_by": "person",
        }


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    def action_choose_at_insurer(self):
        """Open the search for this buyer at the insurer it has no number at yet."""
        self.ensure_one()
        self.check_access("write")
        accounts = self.env["credit.insurance.account"].search(
            [("company_id", "=", self.company_id.id), ("state", "!=", "disabled")]
        )
        free = accounts - self.sudo().link_ids.account_id
        if not free:
            raise UserError(self.env._("The buyer has a number at every insurer that is connected."))
        match = self.env["credit.insurance.buyer.match"].create({"buyer_id": self.id, "account_id": free[0].id})
        # With several, the person says first which one is to be asked.
        asks = len(free) == 1 and Operation.FIND_BUYER in free._get_capabilities()
        return match.action_search() if asks else match._reopen()
