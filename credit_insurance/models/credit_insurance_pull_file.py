"""What an insurer tells by file: a pull whose pages came from a person.

    file ──read──> covers of each policy ──┐
                   grades                  ├──> the same history, marks and events as a page that was asked for
                   states of requests    ──┘
                   receipts and states  ─────> what was handed in by a person

A file that lists all covers makes those that did not change as fresh as the file, and says who is missing. From one
that lists some, nothing is concluded about the others.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.credit_insurance.connectors.files import AnyReceipt, AnyStatus

from .credit_insurance_submission_file import get_number
from .marked_words import tell_problems
from .pull_lists import REQUESTS, CoversEnd

PROBLEMS_TOLD = 50


class CreditInsurancePull(models.Model):
    _inherit = "credit.insurance.pull"

    file_id = fields.Many2one("ir.attachment", readonly=True, ondelete="restrict", help="What the insurer sent.")
    answer_count = fields.Integer(string="Answers Received", help="To what was handed in by a person.")

    @api.model
    def _take_file(self, account, answers, file, as_of, complete):
        """Take over what a file says, as ``connectors.files.FileAnswers``, and return the pull that records it.

        :param file: ``(name, content)``
        :param as_of: when the insurer made it
        :param complete: it lists every cover of every policy of the connection
        :raise UserError: a pull is under way, or the file is older than what is known
        """
        pulls = self.sudo()
        running = pulls._get_running(account)
        if running and running._has_job():
            raise UserError(self.env._("“%s” is being pulled: read the file when that is done.", account.name))
        known = [account.covers_pulled_at] if answers.covers or complete else []
        known += [account.grades_pulled_at] if answers.grades else []
        if any(moment and as_of < moment for moment in known):
            raise UserError(self.env._("The file is older than what is known of “%s” already.", account.name))
        running._end_interrupted()
        pull = pulls.create({"account_id": account.id, "place": account._get_place(), "started_at": as_of, "plan": []})
        pull.file_id = self.env["ir.attachment"]._keep_evidence(pull, *file)
        pull.incomplete = bool(answers.problems) or not complete
        pull._note_problems(tell_problems(self.env, answers.problems[:PROBLEMS_TOLD]))
        links = self.env["credit.insurance.buyer.link"].sudo()
        pull._note_problems(links._take_candidates(account, answers.candidates))
        pull._take_covers(answers.covers)
        pull._take_grades(answers.grades)
        pull.request_count = len(answers.request_states)
        requests = self.env["credit.insurance.cover.request"].sudo()
        requests._take_over_states(account, answers.request_states, by_file=True)
        pull._take_answers(answers)
        pull._forget_marks()
        pull.write({"state": "done", "finished_at": fields.Datetime.now()})
        if not (pull.incomplete and account.can_pull):  # what the interface still fails to tell is not told by a part
            account.sudo()._record_success()
        return pull

    def _get_told_at(self):
        return self.started_at if self.file_id else super()._get_told_at()

    def _take_covers(self, covers):
        """The covers by policy; after a complete list, who is missing from it."""
        policies = {policy.number: policy for policy in self.account_id.policy_ids}
        by_policy = {}
        for cover in covers:
            by_policy.setdefault(cover.policy_number, []).append(cover)
        for number, told in by_policy.items():
            policy = policies.get(number)
            if not policy:
                self._note_problems(
                    [self.env._("Policy %s is none of this connection's: its covers were left out.", number)]
                )
                self.incomplete = True
                continue
            told = self._leave_out_older(policy, told)
            before = self.problem
            self._take_over_covers(policy, told)
            if self.problem != before:
                self.incomplete = True
        lacking = self.account_id._get_pulled_policies().filtered(lambda policy: policy.number not in by_policy)
        if lacking and not self.incomplete:
            numbers = ", ".join(lacking.mapped("number"))
            self._note_problems([self.env._("The file lists no cover of %s: nothing is concluded from that.", numbers)])
            self.incomplete = True
        if by_policy and not self.incomplete:
            CoversEnd(self, None, lacking).take_over(None)

    def _leave_out_older(self, policy, covers):
        """Those of these covers of which nothing later is known; the others came nevertheless."""
        domain = [("policy_id", "=", policy.id), ("external_id", "in", [cover.cover_id for cover in covers])]
        later = self.env["credit.insurance.cover"].search([*domain, ("fetched_at", ">", self.started_at)])
        references = set(later.mapped("external_id"))
        if references:
            self._mark_seen(policy, references)
            shown = _list_some(references)
            self._note_problems([self.env._("Of these covers something later than the file is known: %s.", shown)])
        return [cover for cover in covers if cover.cover_id not in references]

    def _take_grades(self, grades):
        grades = self._leave_out_older_grades(grades)
        if not grades:
            return
        if missing := self._take_over_grades(grades):
            shown = _list_some(missing)
            self._note_problems([self.env._("No buyer has these numbers, which the file grades: %s.", shown)])

    def _leave_out_older_grades(self, grades):
        domain = [("account_id", "=", self.account_id.id), ("external_id", "in", [grade.buyer_id for grade in grades])]
        later = [("insurer_id", "=", self.account_id.insurer_id.id), ("fetched_at", ">", self.started_at)]
        links = self.env["credit.insurance.buyer.link"].search([*domain, ("buyer_id.grade_ids", "any", later)])
        numbers = set(links.mapped("external_id"))
        if numbers:
            shown = _list_some(numbers)
            self._note_problems([self.env._("Of these buyers a later grade than the file's is known: %s.", shown)])
        return [grade for grade in grades if grade.buyer_id not in numbers]

    def _take_answers(self, answers):
        """The rest of the file, to what was handed in over this connection; requests have a list of their own."""
        told = [one for one in answers.all() if isinstance(one, AnyReceipt | AnyStatus)]
        references = {one.reference or get_number(one) for one in told}
        for model in self.env["credit.insurance.submission"]._get_submission_models() if references else ():
            if model == REQUESTS:
                continue
            records = self.env[model].search(self._get_answered_domain(told))
            references -= {*records.mapped("name"), *records.mapped("insurer_reference")}
            for record in records.filtered(_waits):
                self._take_answer(record, answers)
        if references:
            shown = _list_some(references)
            self._note_problems(
                [self.env._("Nothing was sent to this insurer under what the file answers: %s.", shown)]
            )

    def _get_answered_domain(self, told):
        names = {one.reference for one in told if one.reference}
        numbers = {get_number(one) for one in told if not one.reference}
        named = Domain("name", "in", sorted(names)) | Domain("insurer_reference", "in", sorted(numbers))
        return named & Domain("policy_id.account_id", "=", self.account_id.id)

    def _take_answer(self, record, answers):
        try:
            with self.env.cr.savepoint():
                record._lock_for_user()
                self.answer_count += record._take_over_answers(answers)
        except UserError as exc:
            self._note_problems([f"{record.name}: {exc}"])


def _list_some(names):
    return ", ".join(sorted(names)[:PROBLEMS_TOLD])


def _waits(record):
    """Whether it waits for an answer, and this may be from where it went."""
    return record.state in record._waiting_states and (record.by_hand or not record._is_elsewhere())
