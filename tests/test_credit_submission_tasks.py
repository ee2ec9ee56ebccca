from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_credit_alert_states import FindingsCommon


@tagged("post_install", "-at_install")
class TestSubmissionTasks(FindingsCommon):
    """What a rule prepared leads to a record that is sent, and ends when that is at the insurer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls._make_policy()
        cls.env["credit.insurance.cover"].create(
            {
                "buyer_id": cls.buyer.id,
                "policy_id": cls.policy.id,
                "status": "approved",
                "amount": 5000.0,
                "currency_id": cls.policy.currency_id.id,
                "effective_from": cls.today - timedelta(days=400),
            }
        )
        cls.invoice = cls._make_invoice(700, due_in=-40)

    def _act(self, key):
        alert = self._record(self._found(actions=[key]))
        return alert.task_ids.filtered(lambda task: task.key == key).with_user(self.officer)

    def _open(self, task):
        action = task.action_open_submission()
        return self.env[action["res_model"]].with_user(self.officer).browse(action["res_id"])

    def test_more_cover_is_asked_for_once_and_ends_the_task(self):
        task = self._act("request_cover")
        request = self._open(task)
        self.assertEqual((request.kind, request.buyer_id, request.policy_id), ("increase", self.buyer, self.policy))
        self.assertEqual((request.exposure, request.cover_before), (700.0, 5000.0))
        self.assertEqual(self._open(task), request)
        request.amount = 9000.0
        request.action_mark_sent()
        self.assertEqual((request.state, task.state), ("sent", "done"))
        with self.assertRaises(UserError):
            task.action_open_submission()

    def test_cover_is_given_back(self):
        request = self._open(self._act("reduce_cover"))
        self.assertEqual((request.kind, request.amount), ("reduce", 700.0))

    def test_a_notice_lists_what_is_overdue_and_ends_task_and_duty(self):
        self._make_invoice(300, due_in=10)
        task = self._act("prepare_notification")
        notice = self._open(task)
        self.assertEqual(notice.line_ids.move_id, self.invoice)
        self.assertEqual(self._open(task), notice)
        notice.action_mark_sent()
        self.assertEqual(task.state, "done")
        duty = self.invoice.credit_insurance_deadline_ids.filtered(lambda row: row.kind == "notification")
        self.assertEqual(duty.state, "done")

    def test_what_is_reported_already_is_shown(self):
        notices = self.env["credit.insurance.overdue.notice"].with_user(self.officer)
        notice = notices._create_from_invoices(self.invoice.with_user(self.officer))
        self.assertEqual(self._open(self._act("prepare_notification")), notice)

    def test_only_credit_officers_and_only_what_goes_to_insurers(self):
        task = self._act("request_cover")
        with self.assertRaises(AccessError):
            task.with_user(self.rep).action_open_submission()
        with self.assertRaises(UserError):
            self._act("start_dunning").action_open_submission()
