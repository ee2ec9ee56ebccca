"""The derived signals that a pack brings, whether it is shipped or comes from a file."""

from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.credit_insurance.rules.risk import Problem, check_derived, dump_derived
from odoo.addons.credit_insurance.rules.risk.problems import in_order

from .credit_insurance_signal import read_signal


def _owner(problem):
    """The key of the signal that a problem is about."""
    return problem.path.removeprefix("signals.").partition(".")[0]


class CreditInsuranceSignal(models.Model):
    _inherit = "credit.insurance.signal"

    @api.model
    def _compare_with_pack(self, pack):
        """What a pack's signals would change: ``(those to be created, in their order; what is wrong, a line each)``."""
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        fresh = [signal for signal in pack.signals if signal not in catalogue.derived]
        conflicts = self._describe_conflicts(fresh)
        told = {problem.path for problem in conflicts}
        problems = [problem for problem in check_derived(pack.signals, catalogue) if _owner(problem) not in told]
        if found := in_order([*conflicts, *problems]):
            describe = self.env["credit.insurance.rule"]._describe
            return fresh, [f"{_owner(problem)}: {describe([problem])}" for problem in found]
        order = {signal.key: number for number, signal in enumerate(catalogue.with_derived(fresh).derived)}
        return sorted(fresh, key=lambda signal: order[signal.key]), []

    def _describe_conflicts(self, signals):
        """A problem for each of those whose key means something else here."""
        known = self.env["credit.insurance.signals"]._get_base_catalogue()
        records = {record.key: record for record in self.sudo().search([])}
        found = []
        for signal in signals:
            record = records.get(signal.key)
            if record or signal.key in known:
                told = self._describe_conflict(signal, record, signal.key in known)
                found.append(Problem("conflict", told, signal.key, signal.at("key")))
        return found

    def _describe_conflict(self, signal, record, is_known):
        if is_known:
            return self.env._("“%s” is a signal of the addon: the pack has to call its own otherwise.", signal.key)
        names = {"key": signal.key, "name": record.name}
        if record.state != "active" and read_signal(record.document)[0] == signal:
            return self.env._("“%(key)s” is here as “%(name)s” and not in force: put it into force first.", **names)
        return self.env._(
            "“%(key)s” is computed otherwise here, as “%(name)s”: rename one of the two, or change it to what the pack "
            "says.",
            **names,
        )

    @api.model
    def _create_from_pack(self, pack):
        """Create what is not here yet and put it into force; shipped signals, as shipped rules, need no review.

        :raise ValidationError: a key means something else here, or a signal is not acceptable
        """
        fresh, problems = self._compare_with_pack(pack)
        if problems:
            raise ValidationError("\n".join(problems))
        for signal in fresh:
            # One by one: the next may be computed from it.
            created = self.create({"document": dump_derived(signal)})
            created._write_guarded({"state": "active"})
