"""What a connection is told and by whom, where its secrets are, and when it may be used in earnest."""

import importlib.util
import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import config, mute_logger

from odoo.addons.credit_insurance.connectors import CONNECTORS, Endpoint, Operation, Setting
from odoo.addons.credit_insurance.connectors.sandbox import Sandbox
from odoo.addons.credit_insurance.credit_insurance.models.connector_words import OPERATION_LABELS
from odoo.addons.credit_insurance.credit_insurance.models.secret_sources import SecretUnavailable, read_file

from .common import CreditCommon
from .simulator_case import SimulatorCase

ROOT = Path(__file__).parents[1]
SECRET = "S3cret-of-a-connection"
ROW = "credit.insurance.account.setting"


class Talkative(Sandbox):
    """A connector with everything that can be set, over the simulator."""

    code = "talkative"
    label = "Talkative insurer"
    settings = (
        Setting("api_key", "API key", secret=True),
        Setting("client_secret", "Client secret", "As in the portal", secret=True, required=False),
        Setting("business_unit", "Business unit", "Of the policy", default="EHDE"),
    )
    endpoints = {
        "covers": Endpoint("/v1/covers", test="https://test.example/covers", production="https://live.example/covers"),
        "claims": Endpoint("/v1/claims", verified=False),
    }
    unverified = ("The path of claims is not public.",)


class FilesOnly(Sandbox):
    """A connector without any call."""

    code = "files_only"
    label = "Files"
    settings = ()

    @classmethod
    def capabilities(cls):
        return frozenset()


class Searching(Sandbox):
    code = "searching"
    label = "Search only"

    @classmethod
    def capabilities(cls):
        return frozenset({Operation.FIND_BUYER})


@tagged("post_install", "-at_install")
class TestConnection(SimulatorCase, CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        more = {each.code: each for each in (Talkative, FilesOnly, Searching)}
        cls.enterClassContext(patch.dict(CONNECTORS, more))
        cls.system = cls._user("system_and_credit", "base.group_system,credit_insurance.credit_insurance_group_admin")
        cls.roles = {"sales": cls.rep, "officer": cls.officer, "manager": cls.manager, "admin": cls.administrator}

    @classmethod
    def _user(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env,
            login=login,
            groups=f"base.group_user,{groups}",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    def _rpc(self, user, records, method, *args, **kwargs):
        """Call as a client does: public methods only, with the user's rights."""
        model = self.env[records._name].with_user(user)
        return call_kw(model, method, [records.ids, *args], kwargs)

    def _row(self, kind, name, environment="test", account=None):
        rows = (account or self.account).sudo().setting_ids
        return rows.filtered(lambda row: (row.kind, row.name, row.environment) == (kind, name, environment))

    def _set_talkative(self):
        self.account.connector = "talkative"
        self._row("secret", "api_key").secret = self.simulator.api_key
        return self.account

    # === ROWS === #

    def test_rows_follow_the_connector(self):
        self._set_talkative()
        rows = {(row.kind, row.environment, row.name) for row in self.account.setting_ids}
        places = ("test", "production")
        self.assertEqual(
            rows,
            {("secret", place, name) for place in places for name in ("api_key", "client_secret")}
            | {("address", place, name) for place in places for name in ("covers", "claims")}
            | {("setting", "both", "business_unit")},
        )
        covers = self._row("address", "covers", "production")
        self.assertEqual((covers.default, covers.help), ("https://live.example/covers", False))
        self.assertIn("Not shown", self._row("address", "claims").help)
        self.assertEqual(self._row("setting", "business_unit", "both").default, "EHDE")
        self.assertEqual(self._row("secret", "client_secret").label, "Client secret")

    def test_what_one_insurer_was_told_is_never_told_to_another(self):
        self._set_talkative()
        self._row("secret", "api_key").secret = SECRET
        self.account.connector = "sandbox"
        self.assertFalse(self._row("secret", "api_key").sudo()._read_secret())
        self.assertFalse(self.account.has_secrets)

    def test_update_adds_rows_and_keeps_what_is_entered(self):
        self._set_talkative()
        value = self._row("setting", "business_unit", "both")
        value.value = "EHSE"
        more = (*Talkative.settings, Setting("added", "Added"))
        with patch.object(Talkative, "settings", more):
            self.env["credit.insurance.account"]._sync_all_settings()
            self.assertTrue(self._row("setting", "added", "both"))
        self.assertEqual((value.exists(), value.value), (value, "EHSE"))

    def test_connector_gets_what_belongs_to_its_environment_and_nothing_else(self):
        self._set_talkative()
        self.account.sudo().write({"base_url": "https://test.example", "production_base_url": "https://live.example"})
        self._row("secret", "api_key", "production").secret = "live"
        self._row("secret", "api_key").secret = "test"
        self._row("address", "covers").value = "/testing"
        self._row("setting", "business_unit", "both").value = "EHSE"
        values = {
            each.value: self.account._get_connection_values(each) for each in type(self.account._get_environment())
        }
        for name, url, addresses in (
            ("test", "https://test.example", {"covers": "/testing"}),
            ("production", "https://live.example", {}),
        ):
            given = values[name]
            self.assertEqual((given["base_url"], given["addresses"]), (url, addresses))
            self.assertEqual(given["settings"], {"business_unit": "EHSE"})
            self.assertEqual(dict(given["credentials"]), {"api_key": "live" if name == "production" else "test"})

    def test_production_never_falls_back_on_what_is_for_tests(self):
        self._row("secret", "api_key").secret = SECRET
        self.account.sudo().state = "enabled"
        with self.assertRaisesRegex(Exception, "API key is missing"):
            self.account._connect()
        self._row("secret", "api_key", "production").secret = SECRET
        with self.assertRaisesRegex(Exception, "not an https address"):
            self.account._connect()

    def test_value_with_control_characters_or_without_end_is_refused(self):
        self._set_talkative()
        row = self._row("setting", "business_unit", "both")
        for value in ("a\x07b", "x" * 20_000):
            with self.assertRaises(ValidationError):
                row.value = value
        with self.assertRaises(ValidationError):
            self._row("secret", "api_key").value = "in the wrong column"

    # === SECRETS === #

    def test_nobody_reads_a_secret_by_any_way_of_reading(self):
        row = self._row("secret", "api_key")
        row.secret = SECRET
        self.env.flush_all()
        self.env.invalidate_all()
        for user in (*self.roles.values(), self.system):
            for name in ("stored_secret", "secret"):
                for method, arguments in (
                    ("read", [[name]]),
                    ("web_read", [{name: {}}]),
                    ("export_data", [[name]]),
                ):
                    self._assert_hidden(user, row, method, *arguments)
                for method, arguments in (
                    ("search_read", [[("id", "=", row.id)], [name]]),
                    ("formatted_read_group", [[], [name], ["__count"]]),
                    ("search", [[(name, "=like", "S3%")]]),
                    ("search_count", [[(name, "=", SECRET)]]),
                ):
                    self._assert_model_hidden(user, method, *arguments)
            self._assert_hidden(user, row, "read", [])
            self._assert_hidden(user, self.account, "read", [])
            self._assert_hidden(user, self.account, "export_data", ["name", "secret_ids/stored_secret"])
            self._assert_hidden(user, self.account, "copy_data")

    def _assert_hidden(self, user, records, method, *arguments):
        with mute_logger("odoo.models", "odoo.addons.base.models.ir_rule"):
            try:
                answer = self._rpc(user, records, method, *arguments)
            except (AccessError, UserError, ValueError) as exc:
                answer = exc
        self.assertNotIn(SECRET, str(answer), (user.login, method))

    def _assert_model_hidden(self, user, method, *arguments):
        """Neither the secret itself nor whether a guess is right."""
        model = self.env[ROW].with_user(user)
        with mute_logger("odoo.models", "odoo.addons.base.models.ir_rule"):
            try:
                answer = call_kw(model, method, list(arguments), {})
            except (AccessError, UserError, ValueError) as exc:
                self.assertNotIn(SECRET, str(exc))
                return
        self.assertNotIn(SECRET, str(answer))
        if method in ("search", "search_count"):
            self.assertFalse(answer, (user.login, method))

    def test_secret_is_in_no_chatter_tracking_log_or_copy(self):
        with self.assertLogs("odoo.addons", level=logging.DEBUG) as logs:
            logging.getLogger("odoo.addons").debug("begin")
            row = self._row("secret", "api_key").with_user(self.system)
            row.secret = SECRET
            self.account.with_user(self.administrator).action_test_connection()
            self.env.flush_all()
        self.assertNotIn(SECRET, str(logs.output))
        messages = self.account.sudo().message_ids
        self.assertIn("Changed: API key (Test)", str(messages.mapped("body")))
        self.assertNotIn(SECRET, str(messages.mapped("body")))
        self.assertNotIn(
            SECRET, str(messages.tracking_value_ids.mapped(lambda value: (value.old_value_char, value.new_value_char)))
        )
        copied = self.account.copy()
        self.assertFalse(any(copied.sudo().setting_ids.mapped("stored_secret")))

    def test_connection_test_that_fails_does_not_tell_the_secret(self):
        self._row("secret", "api_key").secret = SECRET
        answer = self._rpc(self.administrator, self.account, "action_test_connection")["params"]
        self.assertEqual(answer["type"], "danger")
        self.assertNotIn(SECRET, answer["message"])

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_only_system_administrators_change_settings(self):
        row = self._row("secret", "api_key")
        for user in self.roles.values():
            for values in ({"secret": "mine"}, {"value": "x"}, {"source": "file"}, {"variable": "CREDIT_INSURANCE_X"}):
                with self.assertRaises(AccessError):
                    self._rpc(user, row, "write", values)
            for values in ({"base_url": "https://evil.example"}, {"api_key": "mine"}, {"allow_http": True}):
                with self.assertRaises(AccessError):
                    self._rpc(user, self.account, "write", values)
        self._rpc(self.system, row, "write", {"secret": "mine"})
        self.assertEqual(row._read_secret(), "mine")

    @mute_logger("odoo.models")
    def test_nobody_adds_removes_or_moves_rows(self):
        row = self._row("secret", "api_key")
        other = self.account.copy({"name": "Elsewhere"})
        for user in (self.administrator, self.system):
            for values in ({"kind": "setting"}, {"account_id": other.id}, {"stored_secret": "x"}, {"name": "x"}):
                with self.assertRaises(UserError):
                    self._rpc(user, row, "write", values)
            with self.assertRaises(AccessError):
                self._rpc(user, row, "unlink")
            values = {"account_id": self.account.id, "kind": "secret", "environment": "test", "name": "x"}
            with self.assertRaises(AccessError):
                call_kw(self.env[ROW].with_user(user), "create", [values], {})
        self.assertEqual(row._read_secret(), self.simulator.api_key)

    def test_settings_of_another_company_are_invisible(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        user = self._user(
            "system_elsewhere", "base.group_system,credit_insurance.credit_insurance_group_admin", company
        )
        rows = self.account.sudo().setting_ids
        self.assertFalse(self.env[ROW].with_user(user).search([("id", "in", rows.ids)]))
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            self._rpc(user, rows[:1], "write", {"secret": "mine"})

    # === OTHER PLACES === #

    def test_secret_from_the_environment(self):
        row = self._row("secret", "api_key")
        for name in ("PGPASSWORD", "credit_insurance_x", "CREDIT_INSURANCE_", "CREDIT_INSURANCE_A-B", "HOME"):
            with self.assertRaises(ValidationError):
                row.variable = name
        row.write({"source": "variable", "variable": "CREDIT_INSURANCE_TEST_KEY"})
        with patch.dict(os.environ, CREDIT_INSURANCE_TEST_KEY=" from outside\n"):
            self.assertEqual(row._read_secret(), "from outside")
            row.invalidate_recordset()
            self.assertTrue(row.present)
        self.assertEqual(row._read_secret(), "")

    def test_secret_from_a_file_below_the_directory(self):
        row = self._row("secret", "api_key")
        with self._secrets_directory() as directory:
            (directory / "insurers").mkdir()
            (directory / "insurers" / "key").write_text(f"{self.simulator.api_key}\n")
            row.write({"source": "file", "file_name": "insurers/key"})
            self.assertEqual(row._read_secret(), self.simulator.api_key)
            self.assertEqual(self.account.action_test_connection()["params"]["type"], "success")
        with self.assertRaisesRegex(UserError, "names no directory"):
            row._read_secret()

    def test_no_other_file_can_be_read(self):
        row = self._row("secret", "api_key")
        names = (
            "../outside",
            "/etc/passwd",
            "a/../../outside",
            ".hidden",
            "a//b",
            "a\0b",
            "~/x",
            "a/b/c/d/e",
            "..",
            "",
        )
        with self._secrets_directory() as directory:
            (directory.parent / "outside").write_text("not yours")
            (directory / "link").symlink_to(directory.parent / "outside")
            (directory / "folder").mkdir()
            os.mkfifo(directory / "pipe")
            (directory / "large").write_bytes(b"x" * 100_000)
            (directory / "binary").write_bytes(b"\xff\xfe\x00")
            (directory / "empty").write_text(" \n")
            for name in names:
                with self.assertRaises(SecretUnavailable):
                    read_file(name)
            for name in filter(None, names):
                with self.assertRaises(ValidationError):
                    row.file_name = name
            for name, reason in (
                ("link", "bad_name"),
                ("folder", "not_regular"),
                ("pipe", "not_regular"),
                ("large", "too_large"),
                ("binary", "not_text"),
                ("empty", "not_text"),
                ("missing", "missing"),
            ):
                with self.assertRaises(SecretUnavailable) as caught:
                    read_file(name)
                self.assertEqual(caught.exception.reason, reason, name)
                row.write({"source": "file", "file_name": name})
                with self.assertRaises(UserError) as refused:
                    row._read_secret()
                self.assertNotIn("not yours", str(refused.exception))

    def _secrets_directory(self):
        """A directory for secrets, named by an ``odoo.conf`` of its own for the time of a ``with`` block."""

        class Directory:
            def __enter__(this):
                this.base = TemporaryDirectory()
                path = Path(this.base.name) / "secrets"
                path.mkdir()
                conf = Path(this.base.name) / "odoo.conf"
                conf.write_text(f"[options]\n[credit_insurance]\nsecrets_directory = {path}\n")
                this.patch = patch.dict(config.options, config=str(conf))
                this.patch.start()
                return path

            def __exit__(this, *exception):
                this.patch.stop()
                this.base.cleanup()

        return Directory()

    # === PRODUCTION === #

    def _wizard(self, user, **values):
        wizard = self.env["credit.insurance.account.enable"].with_user(user)
        return wizard.create({"account_id": self.account.id, **values})

    def _make_ready(self):
        self.account.sudo().production_base_url = self.simulator.url
        self._row("secret", "api_key", "production").secret = self.simulator.api_key

    def test_system_administrator_switches_to_production_by_name(self):
        self._make_ready()
        with self.assertRaisesRegex(UserError, "Type the name"):
            self._wizard(self.system, confirmation="yes").action_enable()
        self._wizard(self.system, confirmation="Simulator").action_enable()
        self.assertEqual(self.account.state, "enabled")
        self.assertIn("Switched to production by", str(self.account.message_ids.mapped("body")))
        self.env.flush_all()
        self.assertEqual(self.account.message_ids[0].author_id, self.system.partner_id)
        self.account._connect().close()

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_nobody_else_gets_to_production(self):
        self._make_ready()
        for user in self.roles.values():
            with self.assertRaises(AccessError):
                self._wizard(user, confirmation="Simulator")
        for user in (self.administrator, self.system):
            with self.assertRaises(UserError):
                self._rpc(user, self.account, "write", {"state": "enabled"})
            with self.assertRaises(UserError):
                self._rpc(user, self.account, "copy", {"state": "enabled"})
            with self.assertRaises(UserError):
                values = {"name": "N", "insurer_id": self.insurer.id, "state": "enabled"}
                call_kw(self.env["credit.insurance.account"].with_user(user), "create", [values], {})
            with self.assertRaises(UserError):
                values = {"name": "N", "insurer_id": self.insurer.id, "company_id": self.company.id}
                context = {"default_state": "enabled"}
                call_kw(self.env["credit.insurance.account"].with_user(user), "create", [values], {"context": context})
        self.assertEqual(self.account.state, "test")

    def test_production_needs_its_own_address_and_secrets(self):
        wizard = self._wizard(self.system, confirmation="Simulator")
        self.assertIn("API key is missing", wizard.problem)
        with self.assertRaisesRegex(UserError, "API key is missing"):
            wizard.action_enable()

    def test_production_is_refused_on_a_neutralized_copy(self):
        self._make_ready()
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        with self.assertRaisesRegex(UserError, "neutralized"):
            self._wizard(self.system, confirmation="Simulator").action_enable()

    def test_in_production_the_connector_stays(self):
        self._make_ready()
        self.account.sudo().state = "enabled"
        with self.assertRaisesRegex(UserError, "the connector stays"):
            self.account.sudo().connector = "talkative"
        self.account.with_user(self.administrator).action_use_for_tests()
        self.account.connector = "talkative"

    def test_neutralizing_leaves_no_secret_and_no_production(self):
        self._make_ready()
        self._row("secret", "api_key", "production").write({"source": "variable", "variable": "CREDIT_INSURANCE_LIVE"})
        self.account.sudo().state = "enabled"
        tested = self.account.copy({"name": "Tested", "state": "test"})
        self._row("secret", "api_key", account=tested).secret = SECRET
        self.account.sudo().webhook_secret = SECRET
        self.env.flush_all()
        self.env.cr.execute((ROOT / "data" / "neutralize.sql").read_text())
        self.env.invalidate_all()
        self.assertEqual((self.account.state, tested.state), ("disabled", "test"))
        rows = (self.account | tested).sudo().setting_ids
        self.assertFalse(any(rows.mapped("stored_secret")) or any(rows.mapped("variable")))
        self.assertFalse(self.account.sudo().webhook_secret)
        self.env.cr.execute("SELECT count(*) FROM credit_insurance_token")
        self.assertEqual(self.env.cr.fetchone()[0], 0)

    @mute_logger("odoo.models")
    def test_what_flows_write_is_written_by_no_client(self):
        before = self.account.covers_pulled_at
        self._rpc(self.system, self.account, "write", {"covers_pulled_at": "2020-01-01", "last_error": "x"})
        self.assertEqual((self.account.covers_pulled_at, self.account.last_error), (before, False))

    # === TEST AND WHAT IT CAN DO === #

    def test_policy_and_connection_are_of_one_insurer(self):
        other = self.env["credit.insurance.insurer"].search([("id", "!=", self.insurer.id)], limit=1)
        for record in (self.policy, self.account):
            with self.subTest(record), self.assertRaises(ValidationError), self.cr.savepoint():
                record.insurer_id = other
        self.assertEqual(self.policy.insurer_id | self.account.insurer_id, self.insurer)

    def test_insurers_words_are_text_in_the_warning(self):
        self.account.responsible_id = self.env.user
        self.account._record_failure("Refused: “<a href='//evil.example'>pay here</a>”")
        self.assertIn("&lt;a href", self.account.activity_ids.note)
        self.assertNotIn("<a", self.account.activity_ids.note)

    def test_connection_without_policy_details_is_tested_by_what_it_has(self):
        self.account.connector = "searching"
        self._row("secret", "api_key").secret = self.simulator.api_key
        answer = self.account.action_test_connection()["params"]
        self.assertEqual(answer["type"], "success")
        self.assertIn("Find a buyer", answer["message"])

    def test_connection_for_files_says_so(self):
        self.account.connector = "files_only"
        answer = self.account.action_test_connection()["params"]
        self.assertEqual(answer["type"], "info")
        self.assertIn("files only", answer["message"])

    @mute_logger("odoo.models")
    def test_only_credit_administrators_test(self):
        for user in (self.rep, self.officer, self.manager):
            with self.assertRaises(AccessError):
                self._rpc(user, self.account, "action_test_connection")

    def test_every_operation_has_a_name(self):
        self.assertEqual(set(OPERATION_LABELS), set(Operation))

    def test_administrator_sees_what_the_connector_can_do(self):
        self._set_talkative()
        table = self.account.capability_table
        self.assertIn("<td>Submit a claim</td><td>Interface</td>", table)
        self.assertEqual(self.account.unverified_notes, "The path of claims is not public.")
        self.account.connector = "searching"
        self.assertIn("<td>Submit a claim</td><td>By file</td>", self.account.capability_table)
        self.assertIn("<td>Have a buyer watched</td><td>Not offered</td>", self.account.capability_table)

    def test_every_connector_can_be_set_up(self):
        for code in CONNECTORS:
            account = self.account.copy({"name": code, "connector": code})
            self.assertEqual(
                {(row.kind, row.name) for row in account.sudo().setting_ids if row.kind != "address"},
                {("secret" if each.secret else "setting", each.name) for each in CONNECTORS[code].settings},
            )
            self.assertTrue(account.capability_table)

    # === UPDATE FROM AN EARLIER VERSION === #

    def test_key_of_an_earlier_version_becomes_a_secret(self):
        script = ROOT / "migrations" / "19.0.1.1.0" / "post-migration.py"
        spec = importlib.util.spec_from_file_location("migration", script)
        migration = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(migration)
        kept = self.account.copy({"name": "By variable", "state": "test"})
        live = self.account.copy({"name": "Live"})
        (kept | live).sudo().setting_ids.unlink()
        live.sudo().write({"state": "enabled", "base_url": "https://live.example"})
        self.env.flush_all()
        self.env.cr.execute(
            """
            ALTER TABLE credit_insurance_account ADD COLUMN stored_api_key varchar, ADD COLUMN api_key_variable varchar;
            UPDATE credit_insurance_account SET api_key_variable = 'CREDIT_INSURANCE_OLD' WHERE id = %s;
            UPDATE credit_insurance_account SET stored_api_key = %s WHERE id = %s;
            """,
            [kept.id, SECRET, live.id],
        )
        migration.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        row = self._row("secret", "api_key", account=kept)
        self.assertEqual((row.source, row.variable), ("variable", "CREDIT_INSURANCE_OLD"))
        self.assertEqual(self._row("secret", "api_key", "production", live)._read_secret(), SECRET)
        self.assertEqual((live.production_base_url, live.base_url), ("https://live.example", False))
        self.env.cr.execute("SELECT count(stored_api_key) FROM credit_insurance_account")
        self.assertEqual(self.env.cr.fetchone()[0], 0)
