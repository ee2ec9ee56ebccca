from dataclasses import dataclass
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.credit_insurance.rules.policy import ExchangeRates, Layer, Money, OwnLimit, limit_in_force


@dataclass(frozen=True)
class SharedGroup:
    """A credit group as the gate reads it: its limit in its own currency (None: none was ever granted), its members.

    ``members`` are ``(partner_id, root_company_id)`` pairs of any company; ``codes`` the currencies in which what makes
    up the limit was granted.
    """

    group_id: int
    name: str
    currency_id: int
    amount: Decimal | None
    members: tuple[tuple[int, int], ...]
    codes: frozenset[str] = frozenset()


class CreditInsuranceGroup(models.Model):
    """Buyers of any company that share one limit beside their own: a document has to fit both."""

    _name = "credit.insurance.group"
    _description = "Credit Group"
    _inherit = ["mail.thread"]
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id, tracking=True
    )
    # An archived buyer still takes part in the limit: it has to be seen to be taken out.
    buyer_ids = fields.One2many(
        "credit.insurance.buyer",
        "group_id",
        string="Buyers",
        domain=[("merged_into_id", "=", False)],
        context={"active_test": False},
    )
    own_limit_ids = fields.One2many("credit.insurance.own.limit", "group_id", string="Limits")
    buyer_count = fields.Integer(compute="_compute_buyer_count", compute_sudo=True)
    active = fields.Boolean(default=True)
    limit_known = fields.Boolean(compute="_compute_credit", compute_sudo=True)
    limit_amount = fields.Monetary(string="Shared Limit", compute="_compute_credit", compute_sudo=True)
    exposure = fields.Monetary(
        compute="_compute_credit", compute_sudo=True, help="Of all members, in every company, at today's rates."
    )
    headroom = fields.Monetary(compute="_compute_credit", compute_sudo=True, help="Below zero it is a shortfall.")
    unrated_currencies = fields.Char(
        compute="_compute_unrated_currencies",
        compute_sudo=True,
        help="Currencies of the limit or of open orders without an exchange rate: the figures count them one to one.",
    )

    # === COMPUTE METHODS === #

    @api.depends("buyer_ids", "own_limit_ids.amount", "own_limit_ids.date_from", "own_limit_ids.date_to", "currency_id")
    def _compute_credit(self):
        shared = self._get_own_shared()
        exposures = self._get_exposures(shared.values())
        for group in self:
            amount = shared[group.id].amount if group.id in shared else None
            group.limit_known = amount is not None
            group.limit_amount = float(amount or 0)
            group.exposure = float(exposures.get(group.id, 0))
            group.headroom = group.limit_amount - group.exposure if group.limit_known else 0.0

    @api.depends("buyer_ids", "own_limit_ids.currency_id", "currency_id")
    def _compute_unrated_currencies(self):
        exposure, shared = self.env["credit.insurance.exposure"], self._get_own_shared()
        rows = self._read_rows(shared.values())
        for group in self:
            found = shared.get(group.id)
            codes = exposure._get_currencies(found.codes if found else ())
            unrated = exposure._get_unrated(codes, group._get_lender())
            for partner_id, company_id in found.members if found else ():
                company = self.env["res.company"].browse(company_id)
                owed = {row.currency_id for row in rows.get((partner_id, company_id), ()) if row.amount_company is None}
                currencies = self.env["res.currency"].browse(owed - {group.currency_id.id}) | group.currency_id
                unrated |= exposure._get_unrated(currencies, company)
            group.unrated_currencies = ", ".join(unrated.sorted("name").mapped("name"))

    def _compute_buyer_count(self):
        for group in self:
            group.buyer_count = len(group.buyer_ids)

    # === CRUD METHODS === #

    def write(self, vals):
        self.check_access("write")
        if vals.get("active") is False and (members := self._find_members()):
            raise UserError(self.env._("%s still has buyers. Take them out first.", members[0].group_id.name))
        return super().write(vals)

    def _find_members(self):
        return self.sudo().buyer_ids

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_use(self):
        limits = self.env["credit.insurance.own.limit"].sudo().search_count([("group_id", "in", self.ids)], limit=1)
        if limits or self._find_members():
            raise UserError(self.env._("A credit group with buyers or limits is archived, not deleted."))

    # === BUSINESS METHODS === #

    def _get_lender(self):
        """Any company of the members' may lend its rates; the reader's choice of companies changes nothing."""
        return self.buyer_ids.company_id.sorted("id")[:1] or self.env.company

    def _get_own_shared(self):
        """These groups as the gate reads them, each at the rates of its own lender whatever stands beside it."""
        shared = {}
        for lender, groups in self.grouped(lambda group: group._get_lender()).items():
            shared |= self._get_shared(groups.ids, lender)
        return shared

    @api.model
    def _get_shared(self, group_ids, company):
        """Groups as the gate reads them: ``{group_id: SharedGroup}``, two statements for any number, none for none.

        :param company: whose day and rates count for limits in other currencies than the group's own
        """
        group_ids = [group_id for group_id in group_ids if group_id]
        if not group_ids:
            return {}
        company = company.root_id.sudo()
        self.env.flush_all()
        members = self.env.execute_query(
            SQL(
                """
                SELECT g.id, g.name, g.currency_id, c.name,
                       (SELECT json_agg(json_build_array(b.partner_id, b.company_id))
                          FROM credit_insurance_buyer b WHERE b.group_id = g.id AND b.merged_into_id IS NULL)
                  FROM credit_insurance_group g
                  JOIN res_currency c ON c.id = g.currency_id
                 WHERE g.id = ANY(%s) AND g.active
                """,
                list(group_ids),
            )
        )
        limits, shared = self._read_limits(group_ids), {}
        for group_id, name, currency_id, currency, pairs in members:
            limit = self._get_limit(limits.get(group_id, ()), currency, company)
            shared[group_id] = SharedGroup(
                group_id,
                name,
                currency_id,
                limit.amount.amount if limit.amount is not None else None,
                tuple(tuple(pair) for pair in pairs or ()),
                frozenset(line.row.amount.currency for line in limit.lines if line.counted),
            )
        return shared

    @api.model
    def _read_limits(self, group_ids):
        """The rows of the groups' limits as ``rules.policy`` takes them: ``{group_id: [OwnLimit]}``."""
        rows = {}
        limits = self.env["credit.insurance.own.limit"].sudo()
        for limit in limits.search_fetch([("group_id", "in", list(group_ids))], order="id"):
            rows.setdefault(limit.group_id.id, []).append(
                OwnLimit(
                    amount=Money(Decimal(f"{limit.amount:.4f}"), limit.currency_id.name),
                    kind=Layer(limit.kind),
                    valid_from=limit.date_from,
                    valid_to=limit.date_to or None,
                    reference=f"own.limit,{limit.id}",
                    cancelled=bool(limit.cancelled),
                )
            )
        return rows

    @api.model
    def _get_limit(self, rows, currency, company, today=None):
        """The limit in force of these rows in ``currency`` (its code); without an amount nothing was ever granted."""
        today = today or company._credit_today()
        names = {row.amount.currency for row in rows} | {currency}
        currencies = self.env["res.currency"].with_context(active_test=False)
        if names - {company.currency_id.name}:
            currencies = currencies.search([("name", "in", list(names))])
        rates: ExchangeRates = self.env["credit.insurance.limit"]._get_rates(company, currencies, today)
        return limit_in_force(today, rows, currency=currency, rates=rates)

    @api.model
    def _read_rows(self, shared):
        """Exposure rows of the members of these groups, by (partner_id, root_company_id)."""
        keys, rows = {key for group in shared for key in group.members}, {}
        for company in self.env["res.company"].browse({company_id for _partner, company_id in keys}).sudo():
            partner_ids = [partner_id for partner_id, company_id in keys if company_id == company.id]
            found = self.env["credit.insurance.exposure"]._get_rows(partner_ids, company.ids, company._credit_today())
            rows |= found
        return rows

    @api.model
    def _get_exposures(self, shared):
        """What the members of groups owe together, in the groups' currencies: ``{group_id: Decimal}``."""
        model, totals, rows = self.env["credit.insurance.exposure"], {}, self._read_rows(shared)
        for group in shared:
            currency = self.env["res.currency"].browse(group.currency_id)
            totals[group.group_id] = Decimal(0)
            for key in group.members:
                company = self.env["res.company"].browse(key[1]).sudo()
                amounts = model._convert_rows(rows.get(key, ()), company, currency, company._credit_today())
                totals[group.group_id] += sum(amounts.values())
        return totals


class CreditInsuranceBuyer(models.Model):
    _inherit = "credit.insurance.buyer"

    group_id = fields.Many2one(
        "credit.insurance.group",
        string="Credit Group",
        ondelete="restrict",
        index="btree_not_null",
        tracking=True,
        help="Shares its limit with the other buyers of the group, beside the limit of its own.",
    )

    @api.constrains("group_id")
    def _check_group_active(self):
        """The gate passes over archived groups: their limit would bind nobody."""
        for buyer in self:
            if buyer.group_id and not buyer.group_id.sudo().active:
                raise ValidationError(self.env._("The credit group %s is archived.", buyer.group_id.sudo().name))
