"""The sealed decision log: whatever is done to it afterwards is found and named."""

import json

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, format_date, mute_logger

from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_seal as sealing

from .common import CreditCommon


@tagged("post_install", "-at_install")
class TestSeal(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_buyer(limit=1000)
        cls.env["credit.insurance.seal"]._seal_up_to(2**31 - 1, 10_000)
        cls.orders = cls.env["sale.order"].browse()
        for amount in (100, 200, 5000):
            cls.orders |= cls._make_confirmed_order(amount)
        cls.decisions = cls.env["credit.insurance.decision"].search([("order_id", "in", cls.orders.ids)], order="id")
        cls._seal()

    @classmethod
    def _seal(cls):
        return cls.env["credit.insurance.seal"]._seal_up_to(2**31 - 1)

    def _verify(self):
        self.env.invalidate_all()
        return self.env["credit.insurance.seal.check"]._verify(self.company)

    def _sql(self, query, *args):
        self.env.flush_all()
        self.env.cr.execute(SQL(query, *args))

    def _free_entries(self):
        """Take away what the database itself refuses, as somebody with a connection to it would."""
        self._sql("ALTER TABLE credit_insurance_seal DROP CONSTRAINT credit_insurance_seal_decision_id_fkey")
        self._sql("ALTER TABLE credit_insurance_hold DROP CONSTRAINT credit_insurance_hold_decision_id_fkey")
        self._sql("ALTER TABLE credit_insurance_pass DROP CONSTRAINT credit_insurance_pass_decision_id_fkey")

    def _insert_copy(self, new_id, **columns):
        """A forged entry: a copy of the first one under ``new_id``."""
        table, names = "credit_insurance_decision", ["id", *columns]
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> ALL(%s)",
            (table, names),
        )
        others = SQL(", ").join(SQL.identifier(name) for (name,) in self.env.cr.fetchall())
        forged = SQL(", ").join(SQL.identifier(name) for name in names)
        values = SQL(", ").join(SQL("%s", value) for value in [new_id, *columns.values()])
        self._sql(
            "INSERT INTO credit_insurance_decision (%s, %s) SELECT %s, %s FROM credit_insurance_decision WHERE id = %s",
            forged, others, values, others, self.decisions[0].id,
        )  # fmt: skip

    def test_every_entry_is_sealed_once_and_the_log_is_intact(self):
        seals = self.env["credit.insurance.seal"].search([("company_id", "=", self.company.id)])
        self.assertEqual(seals.decision_id, self.decisions)
        self.assertEqual(seals.mapped("sequence"), [1, 2, 3])
        self.assertFalse(self._seal(), "there is nothing left to seal")
        check = self._verify()
        self.assertEqual((check.state, check.entry_count, check.finding_count), ("intact", 3, 0))
        self.assertEqual(check.head_hash, seals[-1].chain_hash)

    def test_every_stored_figure_is_sealed(self):
        model = self.env["credit.insurance.decision"]
        stored = {name for name, field in model._fields.items() if field.store and field.column_type}
        sealed = {*sealing.NAMES, *sealing.REFERENCES}
        self.assertEqual(stored - {"write_uid", "write_date"}, sealed)

    def test_changed_figure_is_named(self):
        self._sql("UPDATE credit_insurance_decision SET shortfall = 1 WHERE id = %s", self.decisions[1].id)
        check = self._verify()
        self.assertEqual((check.state, check.finding_count), ("broken", 1))
        self.assertIn(f"Entry 2 (id {self.decisions[1].id}) was changed", check.findings)

    def test_each_column_counts(self):
        for name in sealing.NAMES:
            field = self.env["credit.insurance.decision"]._fields.get(name)
            if name in ("id", "company_id", "currency_id", "order_currency_id"):
                continue
            value = {"boolean": SQL("NOT COALESCE(%s, FALSE)", SQL.identifier(name))}.get(field.type, SQL("NULL"))
            if field.required:
                value = SQL("'x'")
            with self.env.cr.savepoint() as savepoint:
                self._sql(
                    "UPDATE credit_insurance_decision SET %s = %s WHERE id = %s AND %s IS NOT NULL",
                    SQL.identifier(name), value, self.decisions[2].id, SQL.identifier(name),
                )  # fmt: skip
                if self.env.cr.rowcount:
                    self.assertEqual(self._verify().state, "broken", name)
                savepoint.rollback()

    def test_number_format_and_key_order_do_not_count(self):
        entry = self.decisions[2].id
        self._sql("UPDATE credit_insurance_decision SET shortfall = shortfall::numeric(20, 7) WHERE id = %s", entry)
        self.assertEqual(self._verify().state, "intact")

    def test_deleted_entry_is_named(self):
        self._free_entries()
        self._sql("DELETE FROM credit_insurance_decision WHERE id = %s", self.decisions[0].id)
        check = self._verify()
        self.assertIn(f"Entry 1 (id {self.decisions[0].id}) is missing", check.findings)
        self.assertEqual(check.finding_count, 1)

    def test_deleted_entry_is_named_when_its_seal_went_as_well(self):
        self._free_entries()
        for table, column in (("credit_insurance_seal", "decision_id"), ("credit_insurance_decision", "id")):
            self._sql("DELETE FROM %s WHERE %s = %s", SQL(table), SQL(column), self.decisions[1].id)
        findings = self._verify().findings
        self.assertIn("Seals 2 to 2 are missing", findings)
        self.assertIn("Entry 3", findings, "the next seal does not follow any more")

    def test_database_itself_refuses_to_delete_a_sealed_entry(self):
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self._sql("DELETE FROM credit_insurance_decision WHERE id = %s", self.decisions[0].id)

    def test_entry_inserted_below_sealed_ones_is_named(self):
        forged = self.decisions[0].id - 1_000_000
        self._insert_copy(forged)
        check = self._verify()
        self.assertIn(f"Id {forged}", check.findings)
        self.assertFalse(self._seal(), "it is not sealed afterwards either")
        self.assertEqual(self._verify().state, "broken")

    def test_entry_that_claims_to_be_older_is_named(self):
        self._insert_copy(self.decisions[-1].id + 1_000_000, create_date="2020-01-01 00:00:00")
        self._seal()
        self.assertIn("claims to be older", self._verify().findings)

    def test_tampered_seal_is_named(self):
        self._sql(
            "UPDATE credit_insurance_seal SET content_hash = repeat('a', 64) WHERE decision_id = %s",
            self.decisions[1].id,
        )
        findings = self._verify().findings
        self.assertIn("was changed", findings)
        self.assertIn("does not follow", findings)

    def test_tail_cut_off_is_found_by_what_an_earlier_verification_saw(self):
        self._verify()
        self._free_entries()
        for table, column in (("credit_insurance_seal", "decision_id"), ("credit_insurance_decision", "id")):
            self._sql("DELETE FROM %s WHERE %s = %s", SQL(table), SQL(column), self.decisions[2].id)
        check = self._verify()
        self.assertIn("cut off or rewritten", check.findings)
        self.assertIn(format_date(self.env, self.company._credit_today()), check.findings)

    def test_chain_computed_anew_is_found_by_what_an_earlier_verification_saw(self):
        noted = self._verify().head_hash
        seals = self.env["credit.insurance.seal"]
        self._sql("UPDATE credit_insurance_decision SET shortfall = 1 WHERE id = %s", self.decisions[1].id)
        self._sql("DELETE FROM credit_insurance_seal")
        self.env.invalidate_all()
        self._seal()
        self.assertIn("cut off or rewritten", self._verify().findings)
        self.assertFalse(self.env["credit.insurance.seal.check"]._knows_hash(self.company, noted))
        self.assertTrue(seals.search_count([]))

    def test_deleted_quotation_and_merged_contact_are_no_tampering(self):
        held = self.orders[2]
        held.unlink()
        self.assertEqual(self._verify().state, "intact")
        other = self.env["res.partner"].create({"name": "Beta"})
        self._sql("UPDATE credit_insurance_decision SET partner_id = %s WHERE id = %s", other.id, self.decisions[0].id)
        self.assertIn("partner_id", self._verify().findings, "the first buyer still exists: that was no merge")

    def test_nobody_writes_seals_or_verifications(self):
        seal = self.env["credit.insurance.seal"].search([], limit=1)
        check = self._verify()
        for record, vals in ((seal, {"chain_hash": "x"}), (check, {"state": "intact"})):
            with self.assertRaises(UserError):
                record.sudo().write(vals)
            with self.assertRaises(UserError):
                record.sudo().unlink()
            for user in (self.rep, self.officer, self.manager, self.administrator):
                with self.assertRaises(AccessError):
                    record.with_user(user).write(vals)
                with self.assertRaises(AccessError):
                    record.with_user(user).create(vals)

    def test_verification_is_for_credit_managers_of_that_company(self):
        checks = self.env["credit.insurance.seal.check"]
        for user in (self.rep, self.officer):
            with self.assertRaises(AccessError):
                checks.with_user(user).action_verify()
        found = checks.search(checks.with_user(self.manager).action_verify()["domain"])
        self.assertEqual((found.company_id, found.user_id, found.state), (self.company, self.manager, "intact"))

    def test_each_company_has_a_chain_of_its_own(self):
        other = self.setup_other_company()["company"]
        self._sql("UPDATE credit_insurance_decision SET company_id = %s WHERE id = %s", other.id, self.decisions[1].id)
        self.assertEqual(self._verify().state, "broken", "an entry moved to another company was changed")
        self.assertEqual(self.env["credit.insurance.seal.check"]._verify(other).entry_count, 0)

    def test_transaction_that_ran_at_the_horizon_keeps_it_unused(self):
        seals, long_ago = self.env["credit.insurance.seal"], "2020-01-01 00:00:00+00"
        self.assertFalse(seals._is_safe("20", long_ago, "12:30:12,25"), "12 still runs and may commit a lower id")
        self.assertTrue(seals._is_safe("20", long_ago, "25:30:25"))
        self.env.cr.execute("SELECT clock_timestamp()::text")
        [now] = self.env.cr.fetchone()
        self.assertFalse(seals._is_safe("20", now, "25:30:25"), "a minute for who had an id and no number yet")

    def test_cron_notes_a_horizon_first_and_seals_below_it_only(self):
        seals = self.env["credit.insurance.seal"]
        late = self._make_confirmed_order(50)
        self.env.flush_all()
        self.env["ir.config_parameter"].set_param(sealing.HORIZON, False)
        seals._cron_seal()
        self.assertFalse(seals.search([("decision_id.order_id", "=", late.id)]))
        self.assertTrue(seals._read_horizon()["xmax"])
        seals._cron_seal()
        self.assertFalse(seals.search([("decision_id.order_id", "=", late.id)]), "this transaction still runs")
        self.patch(type(seals), "_is_safe", lambda *args: True)
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 1)
        seals._cron_seal()
        self.assertTrue(seals.search([("decision_id.order_id", "=", late.id)]))

    def test_sealing_in_batches_gives_the_same_chain(self):
        head = self._verify().head_hash
        self._sql("DELETE FROM credit_insurance_seal_check")
        self._sql("DELETE FROM credit_insurance_seal WHERE company_id = %s", self.company.id)
        self._sql("DELETE FROM credit_insurance_seal WHERE decision_id >= %s", self.decisions[0].id)
        self.env.invalidate_all()
        while self.env["credit.insurance.seal"]._seal_up_to(2**31 - 1, 1):
            pass
        self.assertEqual(self._verify().head_hash, head)

    def test_head_is_sent_to_the_administrators(self):
        check = self._verify()
        check._publish()
        message = check.message_ids.filtered(lambda message: check.head_hash in (message.body or ""))
        self.assertIn(self.administrator.partner_id, message.notified_partner_ids)

    def test_emptied_reference_to_what_still_exists_is_named(self):
        for field in ("order_id", "user_id"):
            self._sql(f"UPDATE credit_insurance_decision SET {field} = NULL WHERE id = %s", self.decisions[1].id)
        check = self._verify()
        self.assertEqual((check.state, check.finding_count), ("broken", 2))
        self.assertIn(f"(id {self.decisions[1].id}) points to another order_id", check.findings)

    def test_horizon_of_another_server_does_not_stop_the_sealing(self):
        seals, parameters = self.env["credit.insurance.seal"], self.env["ir.config_parameter"]
        foreign = {"up_to": 1, "xmax": str(10**12), "noted": "2020-01-01 00:00:00+00"}
        parameters.set_param(sealing.HORIZON, json.dumps(foreign))
        seals._cron_seal()
        self.assertLess(int(seals._read_horizon()["xmax"]), 10**12, "a restored database notes a horizon of its own")

    def test_chain_of_which_nothing_is_left_is_found_by_the_job(self):
        checks = self._verify()
        self._sql("DELETE FROM credit_insurance_seal WHERE company_id = %s", self.company.id)
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 1)
        self.env.invalidate_all()
        checks._cron_publish()
        latest = checks.search([("company_id", "=", self.company.id)], limit=1)
        self.assertEqual(latest.state, "broken")
        self.assertIn("cut off or rewritten", latest.findings)
