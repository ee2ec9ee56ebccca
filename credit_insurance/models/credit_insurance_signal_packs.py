"""The derived signals that a pack brings, whether it is shipped or comes from a file."""

from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.credit_insurance.rules.risk import check_derived, dump_derived

from .credit_insurance_signal import read_signal
from .marked_words import tell


class CreditInsuranceSignal(models.Model):
    _inherit = "credit.insurance.signal"

    @api.model
    def _compare_with_pack(self, pack):
        """What a pack's signals would change: ``(those to be created, in their order; conflicts as sentences)``."""
        catalogue = self.env["credit.insurance.signals"]._get_catalogue()
        fresh = [signal for signal in pack.signals if signal not in catalogue.derived]
        conflicts = self._describe_conflicts(fresh)
        told = {signal.key for signal, _text in conflicts}
        problems = [
            f"{problem.path}: {tell(self.env, problem.message)}"
            for problem in check_derived(pack.signals, catalogue)
            if problem.path.split(".")[1] not in told
        ]
        if conflicts or problems:
            return fresh, [*(text for _signal, text in conflicts), *problems]
        order = {signal.key: number for number, signal in enumerate(catalogue.with_derived(fresh).derived)}
        return sorted(fresh, key=lambda signal: order[signal.key]), []

    def _describe_conflicts(self, signals):
        """``[(signal, sentence)]`` of those whose key means something else here."""
        known = self.env["credit.insurance.signals"]._get_base_catalogue()
        records = {record.key: record for record in self.sudo().search([])}
        found = []
        for signal in signals:
            record = records.get(signal.key)
            if record or signal.key in known:
                found.append((signal, self._describe_conflict(signal, record, signal.key in known)))
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
