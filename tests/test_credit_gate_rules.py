"""Risk rules about orders decide at the confirmation, not a minute later."""

from time import monotonic
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tests import Form, tagged

from odoo.addons.credit_insurance.rules.risk import EngineBusy

from .common_alert import AlertCommon

RULE = """\
key: odd_order
name: Odd order
scope: order
severity: warning
when:
  all:
    - order_amount > 500
message: "{buyer}: {order_amount}"
actions: [hold_order]
reason: test
"""

TABLE = """\
key: odd_order
name: Odd order
scope: order
severity: warning
table:
  inputs: [order_amount >]
  rows:
    - {cells: [800], severity: high, actions: [hold_order]}
    - {cells: [500], actions: [notify]}
reason: test
"""


@tagged("post_install", "-at_install")
class TestGateRules(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=10000)

    def _activate(self, document=RULE, **values):
        return self.Rule.create({"document": document, "state": "active", **values})

    def _confirm(self, amount):
        order = self._make_order(amount)
        order.with_user(self.rep).action_confirm()
        return order

    def test_order_that_a_rule_about_orders_holds_is_held_at_confirmation(self):
        self._activate()
        order = self._confirm(501)
        self.assertEqual((order.state, order.credit_state), ("draft", "held"))
        self.assertIn("Odd order", order.credit_hold_id.reasons_text)
        alert = self._alerts()
        self.assertEqual((alert.res_model, alert.res_id, alert.holds), ("sale.order", order.id, "order"))

    def test_message_names_the_order_where_it_says_so(self):
        self._activate(RULE.replace('"{buyer}: {order_amount}"', '"{document} of {buyer}"'))
        order = self._confirm(501)
        self.assertEqual(self._alerts().message, f"{order.display_name} of {self.partner.name}")

    def test_other_orders_of_the_buyer_pass(self):
        self._activate()
        self._confirm(501)
        self.assertEqual(self._confirm(500).state, "sale")

    def test_order_of_a_customer_without_a_credit_record_is_decided_too(self):
        self._activate(RULE.replace("order_amount > 500", "order_amount > 500\n    - order_is_first = yes"))
        new = self.env["res.partner"].create({"name": "Never Seen Ltd", "is_company": True})
        buyers = self.env["credit.insurance.buyer"].with_context(active_test=False)
        small, large = self._make_order(500, partner=new), self._make_order(501, partner=new)
        large.with_user(self.rep).action_confirm()
        self.assertEqual((large.state, large.credit_state), ("draft", "held"))
        self.assertEqual(self._alerts(buyers.search([("partner_id", "=", new.id)])).res_id, large.id)
        other = self.env["res.partner"].create({"name": "Not Seen Either Ltd", "is_company": True})
        small.partner_id = small.partner_invoice_id = small.partner_shipping_id = other
        small.with_user(self.rep).action_confirm()
        self.assertEqual(small.state, "sale")
        self.assertFalse(buyers.search([("partner_id", "=", other.id)]), "nothing to record")

    def test_rule_that_holds_by_its_setting_counts_too(self):
        self._activate(RULE.replace("actions: [hold_order]\n", ""), holds_orders=True)
        self.assertEqual(self._confirm(501).state, "draft")

    def test_rule_that_only_observes_or_warns_lets_orders_pass(self):
        rule = self._activate(RULE.replace("[hold_order]", "[hold_order]\nobserve: yes"))
        self.assertEqual(self._confirm(501).state, "sale")
        rule.document = RULE.replace("[hold_order]", "[activity]")
        self.assertEqual(self._confirm(501).state, "sale")

    def test_switching_a_rule_counts_for_the_next_order(self):
        rule = self._activate()
        rule.action_set_draft()
        self.assertEqual(self._confirm(501).state, "sale")
        rule.action_activate()
        self.assertEqual(self._confirm(501).state, "draft")
        self.env["credit.insurance.rule.override"].create(
            {"rule_id": rule.id, "company_id": self.company.id, "switched_off": True, "reason": "not here"}
        )
        self.assertEqual(self._confirm(501).state, "sale")

    def test_released_order_passes(self):
        self._activate()
        order = self._confirm(501)
        reason = self.env.ref("credit_insurance.release_reason_payment_announced")
        wizard = self.env["credit.insurance.hold.release"].with_user(self.manager)
        wizard.create({"hold_id": order.credit_hold_id.id, "reason_id": reason.id, "note": "known"}).action_decide()
        self.assertEqual(order.state, "sale", "what a person has decided is not decided by the rule again")

    def test_gate_that_is_off_asks_no_rule(self):
        self._activate()
        self.company._switch_credit_gate("off", "portal is down")
        self.assertEqual(self._confirm(501).state, "sale")
        self.assertFalse(self._alerts())

    def test_engine_that_is_not_ready_has_half_a_second_and_the_reference_evaluator_answers(self):
        self._activate()
        granted = []

        def hang(_host, _child, _version, _load, deadline):
            granted.append(deadline - monotonic())
            raise EngineBusy("it is starting")

        with self._host() as host, patch.object(type(host), "_make_loaded", hang):
            self.assertEqual(self._confirm(501).state, "draft")
        self.assertTrue(granted)
        self.assertLessEqual(max(granted), 0.5)

    def test_alert_that_a_screening_raises_at_the_same_instant_repeats_the_confirmation(self):
        self._activate()
        order = self._make_order(501)
        with (
            patch.object(type(self.Alert), "_record", side_effect=UniqueViolation()),
            self.assertRaises(ConcurrencyError),
        ):
            order.with_user(self.rep).action_confirm()

    def test_what_rules_read_is_kept_without_a_further_statement(self):
        self._activate()
        orders = [self._make_order(500) for _number in range(4)]
        gate = self.env["credit.insurance.gate"]

        def count(order):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            order.action_confirm()
            self.env.cr.flush()
            return self.cr.sql_log_count - before

        count(orders[0])
        count(orders[1])
        with patch.object(type(gate), "_prepare_evaluated", lambda _gate, _evaluated: []):
            without = count(orders[2])
        self.assertEqual(count(orders[3]), without)
        decisions = self.env["credit.insurance.decision"].search([("order_id", "=", orders[3].id)])
        self.assertTrue(decisions.rule_evidence)

    def test_companies_without_such_rules_send_no_further_statement(self):
        self._confirm(100)
        order = self._make_order(501)
        screening = type(self.env["credit.insurance.screening"])
        with patch.object(screening, "_screen_documents", side_effect=AssertionError("asked for nothing")):
            order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "sale")


@tagged("post_install", "-at_install")
class TestCardForesees(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=10000)
        cls.rule = cls.Rule.create({"document": RULE, "state": "active"})

    def _card(self, order):
        order.invalidate_recordset(["credit_decision"])
        return order.with_user(self.manager).credit_decision

    def _told(self, card):
        return [reason["text"] for reason in card["reasons"] if reason["kind"] == "hold"]

    def test_card_tells_a_rules_hold_in_the_words_of_the_confirmation(self):
        order = self._make_order(501)
        card = self._card(order)
        self.assertEqual(card["tone"], "hold")
        self.assertFalse(self._alerts(), "looking raises no alert")
        order.with_user(self.rep).action_confirm()
        self.assertEqual("\n".join(self._told(card)), order.credit_hold_id.reasons_text)
        self.assertEqual(self._card(self._make_order(500))["tone"], "pass")

    def test_card_follows_what_is_typed(self):
        order = self._make_order(100)
        with Form(order.with_user(self.manager)) as form:
            self.assertEqual(form.credit_decision["tone"], "pass")
            with form.order_line.edit(0) as line:
                line.price_unit = 50.1
            self.assertEqual(form.credit_decision["tone"], "hold")
            with form.order_line.edit(0) as line:
                line.price_unit = 10
            self.assertEqual(form.credit_decision["tone"], "pass")

    def test_quotation_that_was_never_saved_is_foreseen(self):
        with Form(self.env["sale.order"].with_user(self.manager)) as form:
            form.partner_id = self.partner
            with form.order_line.new() as line:
                line.product_id = self.goods
                line.price_unit = 501
            card = form.credit_decision
            self.assertEqual(card["tone"], "hold")
            self.assertIn("Odd order", self._told(card)[0])

    def test_card_of_a_held_order_tells_when_the_rule_would_let_it_go(self):
        order = self._make_order(501)
        order.with_user(self.rep).action_confirm()
        order.order_line.price_unit = 10
        card = self._card(order)
        self.assertEqual((card["state"] != "", card["tone"]), (True, "pass"))

    def test_card_of_another_order_foresees_that_its_buyer_is_held(self):
        self.Rule.search([("key", "=", "odd_order")]).document = RULE.replace("hold_order", "hold_buyer")
        self._make_order(501).with_user(self.rep).action_confirm()
        other = self._make_order(100)
        self.assertEqual(self._card(other)["tone"], "hold")
        other.with_user(self.rep).action_confirm()
        self.assertEqual(other.credit_state, "held")

    def test_order_passes_where_another_row_of_the_table_fires_that_holds_nothing(self):
        self.Rule.search([("key", "=", "odd_order")]).document = TABLE
        order = self._make_order(801)
        order.with_user(self.rep).action_confirm()
        self.assertEqual((self._card(order)["tone"], order.credit_state), ("hold", "held"))
        order.order_line.price_unit = 60
        self.assertEqual(self._card(order)["tone"], "pass")
        order.with_user(self.rep).action_confirm()
        self.assertEqual((order.state, self._alerts().state), ("sale", "open"))

    def test_dismissed_alert_holds_nothing_any_more(self):
        order = self._make_order(501)
        order.with_user(self.rep).action_confirm()
        self._alerts().with_user(self.manager)._dismiss("accepted", "known")
        self.assertEqual(self._card(order)["tone"], "pass")

    def test_any_row_that_fires_may_hold_the_order(self):
        table = TABLE.replace("table:\n", "table:\n  hit: all\n")
        table = table.replace("[hold_order]", "[activity]").replace("[notify]", "[hold_order]")
        self.Rule.search([("key", "=", "odd_order")]).document = table
        order = self._make_order(801)
        self.assertEqual(self._card(order)["tone"], "hold")
        order.with_user(self.rep).action_confirm()
        self.assertEqual((order.state, self._alerts().severity), ("draft", "high"))

    def test_rep_learns_that_a_rule_holds_and_not_which(self):
        order = self._make_order(501)
        [told] = self._told(order.with_user(self.rep).credit_decision)
        self.assertNotIn("Odd order", told)

    def test_buyer_nobody_configured_is_foreseen_as_it_is_decided(self):
        self._make_buyer(partner=self.partner_a)
        order = self._make_order(501, partner=self.partner_a)
        card = self._card(order)
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.credit_state, "held")
        self.assertEqual(card["tone"], "hold")

    def test_customer_without_a_credit_record_is_foreseen_as_it_is_decided(self):
        new = self.env["res.partner"].create({"name": "Never Seen Ltd", "is_company": True})
        order = self._make_order(501, partner=new)
        self.assertEqual(self._card(order)["tone"], "hold")
        with Form(self.env["sale.order"].with_user(self.manager)) as form:
            form.partner_id = new
            form.client_order_ref = "typed"
            with form.order_line.new() as line:
                line.product_id = self.goods
                line.price_unit = 501
            self.assertEqual(form.credit_decision["tone"], "hold")
            with form.order_line.edit(0) as line:
                line.price_unit = 100
            self.assertFalse(form.credit_decision, "nothing is checked")
        self.assertEqual((form.record.client_order_ref, form.record.amount_untaxed), ("typed", 100))
        buyers = self.env["credit.insurance.buyer"].with_context(active_test=False)
        self.assertFalse(buyers.search([("partner_id", "=", new.id)]), "looking leaves nothing behind")

    def test_many_quotations_are_foreseen_with_the_queries_of_one(self):
        orders = [self._make_order(501) for _number in range(6)]
        gate = self.env["credit.insurance.gate"]

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            pairs = gate._preview(self.env["sale.order"].union(*some))
            self.assertEqual({decision.would_be.value for _case, decision in pairs}, {"hold"})
            return self.cr.sql_log_count - before

        count(orders)
        self.assertEqual(count(orders), count(orders[:1]))

    def test_companies_without_such_rules_pay_no_query_for_it(self):
        self.rule.action_set_draft()
        order = self._make_order(501)
        self._card(order)

        def count():
            self.env.invalidate_all()
            self.env.flush_all()
            order.with_user(self.manager).read(["state", "amount_total"])
            before = self.cr.sql_log_count
            self.assertTrue(order.with_user(self.manager).credit_decision)
            return self.cr.sql_log_count - before

        with patch.object(type(self.env["credit.insurance.gate"]), "_foresee_rules", lambda _gate, cases: cases):
            without = count()
        self.assertEqual(count(), without)


@tagged("post_install", "-at_install")
class TestDecisionReplay(AlertCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls._make_buyer(limit=10000)
        cls.rule = cls.Rule.create({"document": RULE, "state": "active"})

    def _replays(self, decision, user=None):
        action = decision.with_user(user or self.officer).action_replay()
        return (
            self.env[action["res_model"]]
            .with_user(self.officer)
            .search([("id", "in", action["domain"][0][2])], order="place")
        )

    def test_decision_points_to_the_text_and_values_it_rests_on_and_is_replayed(self):
        order = self._make_order(501)
        order.with_user(self.rep).action_confirm()
        decision = order.credit_hold_id.decision_id
        self.assertTrue(decision.rests_on_rules)
        # The alert goes on living: another text and another amount fire.
        self.rule.document = RULE.replace("> 500", "> 400")
        order.order_line.price_unit = 45
        self.Rule._screen(self.buyer)
        self.assertEqual(self._alerts().rule_version_id.version, 2)
        replay = self._replays(decision)
        self.assertEqual((replay.result, replay.rule_version_id.version), ("same", 1))
        self.assertIn("> 500", replay.document)
        self.assertIn("501", replay.trace_html)

    def test_override_of_that_moment_is_part_of_it(self):
        override = self.env["credit.insurance.rule.override"].create(
            {
                "rule_id": self.rule.id,
                "company_id": self.company.id,
                "document": "when: order_amount > 300\n",
                "reason": "small firm",
            }
        )
        then = override.version_id
        order = self._make_order(301)
        order.with_user(self.rep).action_confirm()
        override.document = "when: order_amount > 900\n"
        replay = self._replays(order.credit_hold_id.decision_id)
        self.assertEqual((replay.result, replay.override_version_id), ("same", then))
        self.assertIn("order_amount > 300", replay.document)

    def test_decision_that_rests_on_several_rules_replays_each(self):
        other = RULE.replace("key: odd_order", "key: second").replace("Odd order", "Second")
        other = other.replace("warning", "info").replace("> 500", "> 450")
        self.Rule.create({"document": other, "state": "active"})
        order = self._make_order(501)
        order.with_user(self.rep).action_confirm()
        replays = self._replays(order.credit_hold_id.decision_id)
        self.assertEqual(set(replays.mapped("rule_name")), {"Odd order", "Second"})
        self.assertEqual(set(replays.mapped("result")), {"same"})

    def _pass(self, amount=500, **values):
        order = self._make_order(amount, **values)
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "sale")
        return self.env["credit.insurance.decision"].search([("order_id", "=", order.id)])

    def test_passed_decision_keeps_what_the_rules_that_might_have_held_it_read(self):
        other = RULE.replace("key: odd_order", "key: second").replace("Odd order", "Second")
        self.Rule.create({"document": other.replace("[hold_order]", "[activity]"), "state": "active"})
        decision = self._pass()
        [kept] = decision.rule_evidence
        self.assertEqual((kept["rule"], kept["fired"], kept["values"]), ("Odd order", False, {"order_amount": "500"}))
        self.rule.document = RULE.replace("> 500", "> 400")
        replay = self._replays(decision)
        self.assertEqual((replay.result, replay.fired, replay.rule_version_id.version), ("same", False, 1))
        self.assertIn("> 500", replay.document)
        self.assertIn("500", replay.trace_html)

    def test_passed_decision_of_a_buyer_nobody_configured_is_replayed_too(self):
        self._make_buyer(partner=self.partner_a)
        decision = self._pass(partner=self.partner_a)
        self.assertEqual(self._replays(decision).result, "same")

    def test_passed_decision_names_the_override_of_that_moment(self):
        override = self.env["credit.insurance.rule.override"].create(
            {
                "rule_id": self.rule.id,
                "company_id": self.company.id,
                "document": "when: order_amount > 600\n",
                "reason": "large firm",
            }
        )
        then = override.version_id
        decision = self._pass(501)
        override.document = "when: order_amount > 300\n"
        replay = self._replays(decision)
        self.assertEqual((replay.result, replay.fired, replay.override_version_id), ("same", False, then))

    def test_held_decision_keeps_the_rules_that_did_not_fire_as_well(self):
        other = RULE.replace("key: odd_order", "key: second").replace("Odd order", "Second")
        self.Rule.create({"document": other.replace("> 500", "< 100"), "state": "active"})
        order = self._make_order(501)
        order.with_user(self.rep).action_confirm()
        replays = self._replays(order.credit_hold_id.decision_id)
        self.assertEqual(
            {(replay.rule_name, replay.fired, replay.result) for replay in replays},
            {("Odd order", True, "same"), ("Second", False, "same")},
        )

    def test_rule_whose_alert_was_dismissed_is_kept_as_one_that_fired(self):
        order = self._make_order(501)
        order.with_user(self.rep).action_confirm()
        self._alerts().with_user(self.manager)._dismiss("accepted", "known")
        order.with_user(self.rep).action_confirm()
        self.assertEqual(order.state, "sale")
        decision = self.env["credit.insurance.decision"].search([("order_id", "=", order.id)], order="id", limit=2)[1]
        replay = self._replays(decision)
        self.assertEqual((replay.fired, replay.result), (True, "same"))

    def test_rule_that_orders_were_decided_by_is_archived_and_not_deleted(self):
        self._pass()
        with self.assertRaises(UserError):
            self.rule.unlink()
        other = RULE.replace("key: odd_order", "key: second")
        self.Rule.create({"document": other}).unlink()

    def test_sealed_decision_covers_what_the_rules_read(self):
        decision = self._pass()
        while self.env["credit.insurance.seal"]._seal_up_to(decision.id):
            pass
        check = self.env["credit.insurance.seal.check"]
        self.assertEqual(check._verify(self.company).state, "intact")
        self.cr.execute(
            "UPDATE credit_insurance_decision SET rule_evidence = jsonb_set(rule_evidence, '{0,fired}', 'true')"
            " WHERE id = %s",
            [decision.id],
        )
        self.env.invalidate_all()
        self.assertEqual(check._verify(self.company).state, "broken")

    def test_decision_without_rules_has_nothing_to_replay_and_is_read_by_credit_officers_only(self):
        self.rule.action_set_draft()
        order = self._make_order(500)
        order.with_user(self.rep).action_confirm()
        decision = self.env["credit.insurance.decision"].search([("order_id", "=", order.id)])
        self.assertEqual((decision.rests_on_rules, bool(decision.rule_evidence)), (False, False))
        with self.assertRaises(AccessError):
            decision.with_user(self.rep).action_replay()

    def test_kept_evidence_cannot_be_written(self):
        order = self._make_order(501)
        order.with_user(self.rep).action_confirm()
        with self.assertRaises(UserError):
            order.credit_hold_id.decision_id.write({"rule_evidence": []})
