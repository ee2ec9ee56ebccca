"""Calling another system: signed, from a job, repeated when it may go well later, never from a copy of the database."""

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from unittest.mock import Mock, patch

import requests

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from odoo.addons.credit_insurance.connectors.deadline import Deadline
from odoo.addons.credit_insurance.credit_insurance.models import credit_insurance_action_webhook
from odoo.addons.credit_insurance.credit_insurance.models.webhook_address import (
    AllowedInside,
    InternalAddress,
    PublicAddresses,
)
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from .test_credit_alert_states import FindingsCommon


@tagged("post_install", "-at_install")
class TestAlertWebhook(FindingsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hook = cls.env["credit.insurance.webhook"].create(
            {"name": "Data warehouse", "url": "https://example.com/hook", "secret": "s3cret"}
        )
        cls.rule.webhook_id = cls.hook

    def _queue(self):
        with trap_jobs() as trap:
            alert = self._record(self._found(actions=["webhook"], values={"amount_overdue_30": "12"}))
            task = alert.task_ids.sudo().sorted("id")[-1:]
            trap.assert_jobs_count(1 if task.state == "queued" else 0)
        return task

    def _call(self, task, answer):
        kind = {"side_effect": answer} if isinstance(answer, Exception) else {"return_value": Mock(status_code=answer)}
        with patch.object(requests.Session, "post", **kind) as post:
            task._job_call()
        return post

    def test_alert_is_sent_signed_and_once(self):
        task = self._queue()
        post = self._call(task, 202)
        self.assertEqual(task.state, "done")
        [url], options = post.call_args
        headers, body = options["headers"], options["data"]
        signed = headers["X-Credit-Timestamp"].encode() + b"." + body
        expected = hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
        self.assertEqual((url, headers["X-Credit-Signature"]), ("https://example.com/hook", f"sha256={expected}"))
        self.assertTrue(options["timeout"])
        self.assertIs(options["allow_redirects"], False)
        sent = json.loads(body)
        self.assertEqual((sent["rule"], sent["buyer"]["name"]), ("late", self.partner.name))
        self.assertEqual(sent["values"], {"amount_overdue_30": "12"})
        self.assertFalse(self._call(task, 200).called, "a job that runs again sends nothing")

    def test_what_may_go_well_later_is_tried_again(self):
        for answer in (requests.ConnectionError(), requests.Timeout(), 503, 429):
            task = self._queue()
            with self.assertRaises(RetryableJobError):
                self._call(task, answer)
            self.assertEqual(task.state, "queued")
            self._record()

    def test_refusal_of_the_receiver_is_a_failed_task(self):
        for answer in (404, 302, requests.exceptions.InvalidURL()):
            task = self._queue()
            self._call(task, answer)
            self.assertEqual(task.state, "failed")
            self._record()

    def test_receiver_that_trickles_does_not_keep_the_worker(self):
        sent, pieces = [], [b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 120, b"\r\n"]

        def serve():
            with contextlib.suppress(OSError), server.accept()[0] as connection:
                for piece in pieces:
                    connection.sendall(piece)
                    sent.append(piece)
                    time.sleep(0.05)

        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            patch.object(credit_insurance_action_webhook, "TOTAL_SECONDS", 0.5),
            requests.Session() as session,
        ):
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            # What people enter begins with https; what is tried here lies below it.
            session.mount("http://", self.hook._make_adapter(AllowedInside("127.0.0.1")))
            with self.assertRaises(requests.RequestException):
                session.post(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=15)
            thread.join()
        self.assertLess(len(sent), len(pieces))

    def test_job_that_gave_up_leaves_a_failed_task(self):
        task = self._queue()
        task._on_call_failed(None, "RetryableJobError", "No answer")
        self.assertEqual((task.state, task.note), ("failed", "No answer"))

    def test_copy_of_the_database_calls_nobody(self):
        task = self._queue()
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "true")
        self.assertFalse(self._call(task, 200).called)
        self.assertEqual(task.state, "failed")

    def test_hook_of_another_company_or_switched_off_is_not_called(self):
        self.hook.company_id = self.env["res.company"].create({"name": "Other"})
        self.assertEqual(self._queue().state, "failed")
        self._record()
        self.hook.write({"company_id": False, "active": False})
        self.assertEqual(self._queue().state, "failed")

    def test_context_of_a_client_does_not_call_at_once(self):
        alerts = self.Alert.with_context(queue_job__no_delay=True).sudo()
        with trap_jobs() as trap, patch.object(requests.Session, "post") as post:
            shared = alerts._prepare_shared_vals(self.company, self.rule)
            alerts._record(self.buyer, self.rule, [self._found(actions=["webhook"])], set(), self.today, shared)
            trap.assert_jobs_count(1)
        self.assertFalse(post.called)

    def _allow(self, text):
        self.env["ir.config_parameter"].set_param("credit_insurance.webhook_hosts_inside", text)

    def test_malformed_address_is_refused_in_plain_words(self):
        for url in ("https://[::1", "https://example.com:port", "https://example.com:99999", "https://[x]/"):
            with self.assertRaisesRegex(ValidationError, "not an address"), self.cr.savepoint():
                self.hook.url = url

    def test_address_inside_is_refused_when_it_is_saved(self):
        inside = "127.0.0.1 10.0.0.8 192.168.1.1 172.16.0.1 169.254.169.254 0.0.0.0 [::1] [fe80::1] [::ffff:10.0.0.8]"
        for host in (*inside.split(), "localhost"):
            with self.subTest(host=host), self.assertRaisesRegex(ValidationError, "leads inside"):
                with self.cr.savepoint():
                    self.hook.url = f"https://{host}/hook"

    def test_address_inside_is_refused_in_the_clothes_of_version_6(self):
        carried = "[::ffff:0:127.0.0.1] [::127.0.0.1] [64:ff9b::169.254.169.254] [2002:7f00:1::] [2002:a00:8::1]"
        for host in (*carried.split(), "[64:ff9b:1::1]", "[fec0::1]"):
            with self.subTest(host=host), self.assertRaisesRegex(ValidationError, "leads inside"):
                with self.cr.savepoint():
                    self.hook.url = f"https://{host}/hook"
        self.hook.url = "https://[64:ff9b::808:808]/hook"

    def test_address_inside_is_allowed_by_either_of_its_names(self):
        for allowed, host in (("::1", "[::1]"), ("10.0.0.8", "[::ffff:10.0.0.8]"), ("fd00::/8", "[fd00::1]")):
            self._allow(allowed)
            self.hook.url = f"https://{host}/hook"

    def test_refused_address_is_told_without_its_keys(self):
        """What is raised here is written into the server's log."""
        for url in (
            "https://user:s3cr3t@example.com/hook",
            "https://s3cr3t@example.com",
            "http://example.com/services/s3cr3t",
            "http://example.com?key=s3cr3t",
            "https://user:s3/cr3t@example.com",
            "https://example.com:port#s3cr3t",
        ):
            with self.subTest(url=url), self.assertRaises(ValidationError) as caught, self.cr.savepoint():
                self.hook.url = url
            self.assertIn("example.com", str(caught.exception))
            self.assertNotRegex(str(caught.exception), "s3|cr3t")

    def test_administrator_allows_a_host_or_a_network_inside(self):
        self._allow("localhost, 10.1.0.0/16")
        self.hook.url = "https://localhost:8443/hook"
        self.hook.url = "https://10.1.2.3/hook"
        with self.assertRaises(ValidationError):
            self.hook.url = "https://10.2.0.1/hook"

    def test_name_that_leads_inside_by_now_is_not_called(self):
        self._allow("localhost")
        self.hook.url = "https://localhost/hook"
        task = self._queue()
        self._allow("")
        self.assertFalse(self._call(task, 200).called)
        self.assertEqual(task.state, "failed")
        self.assertIn("leads inside", task.note)

    def test_nothing_is_sent_where_a_name_leads_inside_between_look_up_and_call(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            for text, reached in (("", False), ("localhost", True)):
                adapter = PublicAddresses(AllowedInside(text), 5, Deadline(time.monotonic))
                pool = adapter.poolmanager.connection_from_url(f"https://localhost:{port}/")
                connection = pool.ConnectionCls("localhost", port)
                if reached:
                    connection._new_conn().close()
                else:
                    with self.assertRaises(InternalAddress):
                        connection._new_conn()
                adapter.close()

    def test_only_encrypted_addresses_and_only_the_system_sees_them(self):
        for url in ("http://example.com", "ftp://x", "https://", "https://me:pw@example.com", "nonsense"):
            with self.assertRaises(ValidationError):
                self.hook.url = url
        hook = self.hook.with_user(self.administrator)
        hook.read(["name"])
        for call in (lambda: hook.read(["secret"]), lambda: hook.read(["url"]), lambda: hook.write({"name": "x"})):
            with self.assertRaises(AccessError):
                call()
        with self.assertRaises(AccessError):
            self.hook.with_user(self.officer).read(["name"])
