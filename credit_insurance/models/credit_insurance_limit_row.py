"""What the rows of a limit have in common: a dated amount that is replaced by another row, never overwritten."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date

from .amounts import is_amount
from .guarded_fields import without_fields

# Set by the flows that grant, never by whoever fills in a form. The company is always the buyer's.
GRANT_FIELDS = ("granted_by_id", "authority", "cancelled", "request_id", "reviewed_on", "company_id", "rule_id")


class CreditInsuranceLimitRow(models.AbstractModel):
    """A dated amount in a buyer's limit. What it granted on a past day stays provable.

    Other terms are a new row: writing them ends this row the day before and creates the one that follows it. Only the
    last day may be moved, and never into the past.
    """

    _name = "credit.insurance.limit.row"
    _description = "Row of a Limit"
    _inherit = ["mail.thread", "mail.activity.mixin", "credit.insurance.amounts"]
    _mail_post_access = "read"
    # What cannot be changed at all, and what is changed by a new row.
    _fixed = ("buyer_id",)
    _terms = ("amount", "currency_id", "date_from")
    # Whose limit it is.
    _holders = ("buyer_id",)

    buyer_id = fields.Many2one("credit.insurance.buyer", required=True, ondelete="restrict", index=True)
    company_id = fields.Many2one(related="buyer_id.company_id", store=True)
    amount = fields.Monetary(required=True, tracking=True)
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id, tracking=True
    )
    date_from = fields.Date(required=True, default=lambda self: self.env.company.root_id._credit_today(), tracking=True)
    date_to = fields.Date(string="Until", tracking=True, help="Last day of validity. Empty: until it is ended.")
    note = fields.Char()
    granted_by_id = fields.Many2one("res.users", readonly=True, default=lambda self: self.env.user, copy=False)
    authority = fields.Char(readonly=True, copy=False, help="The authority under which it was granted.")
    cancelled = fields.Boolean(readonly=True, copy=False, help="Taken back before it began to count.")
    attachment_ids = fields.Many2many("ir.attachment", string="Documents", copy=False)

    @api.depends("amount", "currency_id", "date_from", "date_to")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for row in self:
            amount = row.currency_id.format(row.amount) if row.currency_id else ""
            days = " – ".join(format_date(self.env, day) for day in (row.date_from, row.date_to) if day)
            row.display_name = f"{amount}, {days}"

    @api.constrains("amount")
    def _check_amount(self):
        if not all(is_amount(row.amount) for row in self):
            raise ValidationError(self.env._("This is no amount."))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self, vals_list = without_fields(self, vals_list, GRANT_FIELDS)
        rows = super().create(vals_list)
        rows._grant_in_turn()
        places = rows.grouped("replaces_id")
        # One row takes the place of another one; two that do are more than it granted.
        lesser = rows.filtered(lambda row: row._is_lesser() and len(places[row.replaces_id]) == 1)
        rows._take_places()
        if not self.env.su:
            for row in rows - lesser:
                authority = row._check_authority()
                if authority:
                    row.sudo().authority = authority.display_name
        rows._own_attachments()
        return rows

    def write(self, vals):
        if not self.env.su:
            # What a row takes the place of is said once, when it is created.
            self, [vals] = without_fields(self, [vals], (*GRANT_FIELDS, "replaces_id"))
        replaced = self.filtered(lambda row: row._has_other_terms(vals))
        for row in replaced:
            row._follow_up(vals)
        rows = self - replaced
        if "date_to" in vals:
            rows._check_last_day(fields.Date.to_date(vals["date_to"]))
        result = super(CreditInsuranceLimitRow, rows).write(vals)
        rows._own_attachments()
        return result

    def _load_records_write(self, values):
        """Loading a data file again leaves what was granted as it is."""

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        raise UserError(self.env._("What was granted stays on record. End it instead."))

    # === ACTIONS === #

    def action_end(self):
        """End these rows: from now on they count no more."""
        self.check_access("write")
        for row in self:
            row._end_before(row._today())
        return True

    def action_change(self):
        """A new row that takes the place of this one, to be filled in."""
        self.ensure_one()
        names = ("buyer_id", "currency_id", "amount", "date_to", "note", *self._terms)
        defaults = self.copy_data()[0] | {"date_from": self._today(), "replaces_id": self.id}
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Amount"),
            "res_model": self._name,
            "view_mode": "form",
            "views": [(False, "form")],
            "context": {
                f"default_{name}": defaults[name] for name in {*names, *self._fixed, "replaces_id"} if name in defaults
            },
        }

    # === BUSINESS METHODS === #

    def _today(self):
        return (self.company_id or self.env.company.root_id)._credit_today()

    def _has_other_terms(self, vals):
        """Whether ``vals`` would change what this row grants.

        :raise UserError: it would give the row to somebody else
        """
        self.ensure_one()
        new = self.new(vals, origin=self)
        if any(name in vals and new[name]._origin != self[name] for name in self._fixed):
            raise UserError(self.env._("What was granted to one buyer is not given to another. Add a new row."))
        return any(name in vals and self._plain(new[name]) != self._plain(self[name]) for name in self._terms)

    @api.model
    def _plain(self, value):
        return value._origin if isinstance(value, models.BaseModel) else value

    def _follow_up(self, vals):
        """Create the row that takes the place of this one, from today or its own later first day on."""
        self.ensure_one()
        start = max(self._today(), fields.Date.to_date(vals.get("date_from")) or self.date_from)
        names = {name for name in self._fields if name in vals and not self._fields[name].readonly}
        merged = {**self.copy_data()[0], **{name: vals[name] for name in names}, "date_from": start}
        # Currency before amount: an amount set before its currency is known is rounded by another one.
        currency = {"currency_id": merged.pop("currency_id", self.currency_id.id)}
        return self.create([currency | merged | {"replaces_id": self.id}])

    def _check_last_day(self, last):
        """Only a last day that is not past can be set, and only on a row that has not ended.

        :raise UserError: a past day would get another limit
        :raise AccessError: the row would count longer, and that is beyond the user's authority
        """
        for row in self.filtered(lambda row: row.date_to != last):
            yesterday = row._today() - timedelta(days=1)
            if (row.date_to and row.date_to < yesterday) or row.cancelled:
                raise UserError(self.env._("%s has ended. Add a new row.", row.display_name))
            if last and last < yesterday:
                raise UserError(self.env._("The last day cannot be in the past: what counted then, counted."))
            if not self.env.su and (not last or (row.date_to and last > row.date_to)):
                row._grant_in_turn()
                row._check_authority()

    def _end_before(self, day):
        """The last day on which the row counts is the one before ``day``; a row that has not begun is cancelled."""
        self.ensure_one()
        last = day - timedelta(days=1)
        if last < self.date_from:
            self.sudo().write({"cancelled": True})
            self.sudo().message_post(body=self.env._("Taken back before it began to count."))
        elif not self.date_to or self.date_to > last:
            self.sudo().write({"date_to": last})

    def _is_lesser(self):
        """Whether this new row grants no more, and for no longer, than the running one whose place it takes."""
        self.ensure_one()
        before, today = self.replaces_id, self._today()
        running = before and not before.cancelled and (not before.date_to or before.date_to >= today)
        return bool(
            running
            and before.currency_id == self.currency_id
            and self.amount <= before.amount
            and before.date_from <= self.date_from
            and (not before.date_to or (self.date_to and self.date_to <= before.date_to))
        )

    def _take_places(self):
        """End the rows that these new ones take the place of."""
        for row in self.filtered("replaces_id"):
            if any(row[name] != row.replaces_id[name] for name in self._fixed):
                raise ValidationError(self.env._("A row takes the place of one of the same buyer."))
            if row.date_from < row._today():
                raise ValidationError(self.env._("A row takes the place of another from today on, not in the past."))
            row.replaces_id._end_before(row.date_from)

    def _grant_in_turn(self):
        """Let nobody else grant to the same buyers or groups until this transaction ends.

        Whoever waited for it cannot see what was granted meanwhile: changing the same row makes PostgreSQL refuse that
        transaction, and Odoo runs it again, which does see it.
        """
        for name in self._holders:
            holders, table = self[name], SQL.identifier(self[name]._table)
            locked = SQL("SELECT id FROM %s WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", table, holders.ids)
            self.env.cr.execute(SQL("UPDATE %s SET write_uid = write_uid WHERE id IN (%s)", table, locked))

    def _check_authority(self, askers=None):
        """The authority under which the user may grant this row, or let it count longer.

        :raise AccessError: it is beyond the user's authority, or asked for by the user
        """
        self.ensure_one()
        buyer = self.buyer_id
        if askers is None:
            askers = self.env["credit.insurance.limit.request"]._get_askers(buyer)
        authority, amount = self.env["credit.insurance.authority"], self._get_granted_amount()
        used = [
            authority._check(
                "limit",
                company,
                amount,
                self.currency_id,
                buyer,
                askers=askers | self._get_typist(company),
                record=self,
                note=self.note,
            )
            for company in self._get_companies()
        ]
        return used[0]

    @api.model
    def _get_typist(self, company):
        """Whoever types such a row, where typing it is asking for it."""
        return self.env["res.users"]

    def _get_companies(self):
        """The companies whose credit this row grants."""
        return self.company_id

    def _get_granted_amount(self):
        """What the authority has to reach, in the row's currency: many small rows are one large one."""
        self.ensure_one()
        return self.amount + sum(
            row.currency_id._convert(row.amount, self.currency_id, self._get_companies()[:1], self._today())
            for row in self._get_beside()
        )

    def _get_beside(self):
        """The rows that stand on any of this one's days from today on."""
        last = self.date_to or fields.Date.to_date("9999-12-31")
        return self.search(
            [
                *((name, "=", self[name].id) for name in self._fixed if self._fields[name].type == "many2one"),
                ("cancelled", "=", False),
                ("id", "!=", self.id),
                ("date_from", "<=", last),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", max(self.date_from, self._today())),
            ]
        )

    def _own_attachments(self):
        """Documents uploaded before the row was saved become the row's: who sees the row sees them."""
        for row in self:
            loose = row.sudo().attachment_ids.filtered(
                lambda document, row=row: document.res_model == row._name and not document.res_id
            )
            loose.write({"res_id": row.id})
