"""Derived signals that administrators define: a text each, computed from other signals.

    catalogue = what the addon knows + the signals in force here

A signal in force may be used by rules and by other signals, and so it changes what they mean: it is reviewed like a
rule where a company asks for reviews, and cannot be taken away while something in force uses it.
"""

from dataclasses import replace
from functools import lru_cache

from odoo import api, fields, models, tools
from odoo.exceptions import UserError, ValidationError

from odoo.addons.credit_insurance.rules.risk import (
    DocumentError,
    Place,
    Problem,
    check_derived,
    dump_derived,
    load_derived,
)

from . import cached_records  # noqa: F401 (has to be loaded first)
from .guarded_fields import without_fields
from .rule_document import copy_key, rule_keys

SIGNAL_FIELDS = ("key", "name", "type", "unit", "scope", "help")
GUARDED_FIELDS = (*SIGNAL_FIELDS, "state", "author_id", "reviewer_id")
NEW_SIGNAL = """\
key: my_signal
label: Share of the exposure that is overdue
type: percent
value: 100 * amount_overdue / exposure
help: Missing while nothing is owed.
"""
TYPES = [
    ("number", "Plain number"),
    ("money", "Money"),
    ("days", "Days"),
    ("percent", "Percent"),
    ("text", "Text"),
    ("choice", "Choice"),
    ("flag", "Yes or No"),
]


@lru_cache(maxsize=1024)
def read_signal(text):
    """Return ``(derived, ())``, or ``(None, problems)`` when the text is not one derived signal."""
    try:
        return load_derived(text or ""), ()
    except DocumentError as error:
        return None, error.problems


@lru_cache(maxsize=8)
def extend_catalogue(catalogue, texts):
    """The catalogue with those of the signals that are right, the others left out."""
    waiting = [derived for derived, _problems in map(read_signal, texts) if derived]
    usable = []
    # In rounds, since a signal may be computed from one that stands behind it.
    while ready := next((one for one in waiting if not check_derived([*usable, one], catalogue)), None):
        usable.append(ready)
        waiting.remove(ready)
    return catalogue.with_derived(usable)


class CreditInsuranceSignal(models.Model):
    _name = "credit.insurance.signal"
    _description = "Derived Signal"
    _inherit = ["mail.thread", "credit.insurance.cached"]
    _order = "name, key"

    document = fields.Text(string="Signal", required=True, default=NEW_SIGNAL)
    key = fields.Char(readonly=True, copy=False)
    name = fields.Char(readonly=True)
    type = fields.Selection(TYPES, readonly=True)
    unit = fields.Char(readonly=True)
    scope = fields.Selection(
        [("buyer", "Buyer"), ("invoice", "Invoice"), ("order", "Order"), ("event", "Event")], readonly=True
    )
    help = fields.Text(readonly=True)
    state = fields.Selection(
        [("draft", "Draft"), ("review", "In Review"), ("active", "In Force"), ("archived", "Archived")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    author_id = fields.Many2one("res.users", readonly=True, copy=False, help="Who wrote the text as it stands.")
    reviewer_id = fields.Many2one("res.users", readonly=True, copy=False, tracking=True)
    problems = fields.Text(compute="_compute_problems")
    rule_ids = fields.Many2many("credit.insurance.rule", string="Used By", compute="_compute_rule_ids")
    review_needed = fields.Boolean(compute="_compute_review_needed")

    _key_uniq = models.UniqueIndex("(key)", "Another signal has this key already.")

    # === COMPUTE METHODS === #

    @api.depends("document")
    def _compute_problems(self):
        for signal in self:
            _derived, problems = signal._check_text(signal.document)
            signal.problems = self.env["credit.insurance.rule"]._describe(problems)

    @api.depends("key")
    def _compute_rule_ids(self):
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        used = {}
        for record in self.env["credit.insurance.rule"].search([("state", "!=", "archived")]):
            rule, problems = record._check_stored()
            for key in () if problems else catalogue.reading(rule_keys(rule, catalogue)).keys:
                used.setdefault(key, []).append(record.id)
        for signal in self:
            signal.rule_ids = [fields.Command.set(used.get(signal.key, []))]

    def _compute_review_needed(self):
        roots = self.env["res.company"].sudo().search([("parent_id", "=", False)])
        self.review_needed = any(roots.mapped("credit_rule_review"))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self, vals_list = without_fields(self, vals_list, ("state", "reviewer_id"))
        for vals in vals_list:
            vals.setdefault("document", NEW_SIGNAL)
            vals |= self.browse()._prepare_document_vals(vals["document"])
        return super().create(vals_list)

    def write(self, vals):
        """Save; what is in force must go on to work, and is not changed past a review."""
        vals = {name: value for name, value in vals.items() if name not in GUARDED_FIELDS}
        if "document" in vals:
            for signal in self.filtered(lambda signal: signal.document != vals["document"]):
                if signal.state == "active" and signal.review_needed:
                    raise UserError(self.env._("“%s” is in force: take it back to draft to change it.", signal.name))
                signal._write_guarded(signal._prepare_document_vals(vals["document"]))
                if signal.state == "review":
                    signal._write_guarded({"state": "draft"})
            vals.pop("document")
        return super().write(vals) if vals else True

    def _write_guarded(self, vals):
        """Write what ``write`` protects, and see that everything in force still works."""
        was_active = self.filtered(lambda signal: signal.state == "active")
        matters = was_active or vals.get("state") == "active"
        before = matters and self.env["credit.insurance.rule.override"]._get_unusable()
        result = super().write(vals)  # pylint: disable=super-method-mismatch
        self.env.registry.clear_cache()
        if matters:
            try:
                self._check_in_force()
                self._check_overrides(before)
            except ValidationError:
                # What was refused must not stay in the memory of this process.
                self.env.registry.clear_cache()
                raise
        return result

    def copy_data(self, default=None):
        """A copy is a signal of its own and needs a key of its own."""
        vals_list = super().copy_data(default)
        for signal, vals in zip(self, vals_list, strict=True):
            derived, _problems = read_signal(signal.document)
            if derived:
                vals["document"] = dump_derived(
                    replace(derived, key=copy_key(signal), label=self.env._("%s (copy)", derived.label))
                )
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if active := self.filtered(lambda signal: signal.state == "active"):
            raise UserError(self.env._("“%s” is in force: archive it first.", active[0].name))

    # === ACTIONS === #

    def action_submit(self):
        self.check_access("write")
        self._in_state("draft")._write_guarded({"state": "review", "reviewer_id": False})
        return True

    def action_approve(self):
        """Put into force what somebody else wrote."""
        self.check_access("write")
        for signal in self._in_state("review"):
            if self.env.user == signal.author_id:
                raise UserError(self.env._("Somebody else than the author approves a signal."))
            signal._write_guarded({"state": "active", "reviewer_id": self.env.uid})
        return True

    def action_activate(self):
        """Put into force where no review is needed."""
        self.check_access("write")
        for signal in self:
            if signal.review_needed:
                raise UserError(self.env._("Another administrator has to approve “%s” first.", signal.name))
            signal._write_guarded({"state": "active"})
        return True

    def action_set_draft(self):
        self.check_access("write")
        self._write_guarded({"state": "draft"})
        return True

    def action_archive_signal(self):
        self.check_access("write")
        self._write_guarded({"state": "archived"})
        return True

    def _in_state(self, state):
        """:raise UserError: one of them is in another state"""
        if others := self.filtered(lambda signal: signal.state != state):
            raise UserError(self.env._("“%s” is in another state.", others[0].name))
        return self

    # === CHECKING METHODS === #

    def _check_text(self, text):
        """Read and check a text beside the signals in force: ``(Derived | None, problems)``."""
        derived, problems = read_signal(text)
        if not derived:
            return None, problems
        others = self.search([("state", "=", "active"), ("id", "not in", self.ids)])
        beside = [other for other, _problems in map(read_signal, others.mapped("document")) if other]
        base = self.env["credit.insurance.signals"]._get_base_catalogue()
        path = f"signals.{derived.key[:63]}"
        problems = [problem for problem in check_derived([*beside, derived], base) if problem.path.startswith(path)]
        # A cycle is told at the first signal along it, which may be another one.
        problems += [
            problem
            for problem in check_derived([*beside, derived], base)
            if problem.code == "cycle" and problem not in problems
        ]
        if self.key and derived.key != self.key:
            message = self.env._("a signal keeps its key, this one is “%s”", self.key)
            problems.append(Problem("key_changed", message, "key", derived.at("key") or Place(1, 1)))
        return derived, tuple(problems)

    def _prepare_document_vals(self, text):
        """What the record repeats of a text.

        :raise ValidationError: the text is not an acceptable signal
        """
        derived, problems = self._check_text(text)
        if problems:
            raise ValidationError(self.env["credit.insurance.rule"]._describe(problems))
        return {
            "document": text,
            "key": derived.key,
            "name": derived.label,
            "type": derived.type.value,
            "unit": derived.signal.unit,
            "scope": derived.scope.value,
            "help": derived.help,
            "author_id": self.env.uid,
        }

    @api.model
    def _check_in_force(self):
        """:raise ValidationError: a signal, a rule or a scorecard in force would no longer work"""
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        for signal in self.search([("state", "=", "active")]):
            if signal.key not in catalogue:
                raise ValidationError(self.env._("“%s” needs a signal that would be missing.", signal.name))
        _pack, unusable = self.env["credit.insurance.rule"]._get_active_pack()
        if broken := unusable.filtered(lambda rule: not rule.is_broken):
            names = ", ".join(broken.mapped("name"))
            raise ValidationError(self.env._("Active rules would no longer work: %s.", names))
        if broken := self.env["credit.insurance.scorecard"]._get_unusable():
            names = ", ".join(broken.mapped("name"))
            raise ValidationError(self.env._("Scorecards would no longer work: %s.", names))

    @api.model
    def _check_overrides(self, before):
        """:raise ValidationError: an override in force would no longer fit its rule, besides those of ``before``"""
        if broken := self.env["credit.insurance.rule.override"]._get_unusable() - before:
            names = ", ".join(f"{override.display_name} ({override.company_id.name})" for override in broken)
            raise ValidationError(self.env._("Overrides of rules would no longer work: %s.", names))

    # === FOR THE CATALOGUE === #

    @api.model
    @tools.ormcache()
    def _get_active_texts(self):
        return tuple(self.sudo().search([("state", "=", "active")], order="key").mapped("document"))
