"""`make demo`: the insurer simulator and Odoo with demo data, until Ctrl-C."""

import hashlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import database, odoo, setup, simulator
from .children import free_port, is_port_free, stopping
from .messages import DevError, say, step
from .odoo_source import OdooSource
from .paths import ADDON, DEV, LOGS, ODOO_CONF, ROOT
from .process import explained

DATABASE = "demo"
ODOO_PORT = 8069
SIMULATOR_PORT = 8070
START_SECONDS = 180
CODE = ("__manifest__.py", "credit_insurance", "rules", "connectors", "data", "static", "i18n", "migrations")

TRY_THIS = """\
Try this:
  1. Log in as the sales rep, open Sales, and confirm the quotation for Officina Bianchi: it is held.
  2. Press "Ask for Release" on the order.
  3. Log in as the credit manager: an activity and the list of holds await you. Release the order with a reason.
  4. Log in as the accountant, invoice the order and look at its covered amount and deadlines.
  5. Open Casa Verde under Credit Insurance: grade, cover and its age; make a claim from what is overdue."""


def run() -> int:
    """Start everything, tell where it is, and stay until stopped or until one of the two ends by itself."""
    port = _port()
    signal.signal(signal.SIGTERM, _interrupt)
    with setup.ready() as source:
        with database.reserved(DATABASE):
            _prepare_database(source)
        with simulator.running(SIMULATOR_PORT, str(DEV / "simulator.sqlite")) as insurer, _odoo(port) as server:
            say(_welcome(port))
            try:
                while insurer.poll() is None and server.poll() is None:
                    time.sleep(0.5)
            except KeyboardInterrupt:
                return 0
            name, log = (
                ("Odoo", "demo.log")
                if server.poll() is not None
                else ("the insurer simulator", simulator.log_of(SIMULATOR_PORT).name)
            )
            raise DevError(f"{name} stopped by itself: see .dev/logs/{log}")


def _port() -> int:
    port = int(os.environ.get("PORT") or ODOO_PORT)
    if not is_port_free(port):
        other = free_port(max(port, SIMULATOR_PORT) + 1)
        raise DevError(f"port {port} is in use: run 'make demo PORT={other}', or stop what uses it")
    if not is_port_free(SIMULATOR_PORT):
        raise DevError(f"port {SIMULATOR_PORT} is in use, and the insurer simulator needs it: stop what uses it")
    return port


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _prepare_database(source: OdooSource) -> None:
    """Make the demo database, or bring it up to date when the addon's files changed since."""
    stamp = DEV / "demo.stamp"
    code = _fingerprint()
    if not database.exists(DATABASE):
        database.create_with_addon(DATABASE, source, demo=True)
    elif not stamp.is_file() or stamp.read_text() != code:
        with step(f"Updating {ADDON} in {DATABASE}"):
            odoo.install(DATABASE, [ADDON], update=True)
    stamp.write_text(code)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for top in CODE:
        for path in sorted(_files(ROOT / top)):
            digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _files(top: Path) -> list[Path]:
    return [path for path in [top, *top.rglob("*")] if path.is_file() and path.suffix != ".pyc"]


@contextmanager
def _odoo(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Odoo with queue_job's runner, answering on the port, for the time of the block."""
    log = LOGS / "demo.log"
    arguments = [f"--config={ODOO_CONF}", f"--database={DATABASE}", f"--db-filter=^{DATABASE}$", f"--http-port={port}"]
    with log.open("wb") as out:
        server = subprocess.Popen(
            odoo.command(*arguments, "--load=base,web,queue_job", "--workers=0"),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=odoo.environment_for_child(**{simulator.URL_VARIABLE: simulator.url(SIMULATOR_PORT)}),
            start_new_session=True,
        )
    with stopping(server):
        with step("Starting Odoo"):
            _wait(server, f"http://127.0.0.1:{port}/web/login", log)
        yield server


def _wait(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise DevError(f"Odoo did not start: {explained(log, server.returncode, ())}")
        try:
            urllib.request.urlopen(address, timeout=START_SECONDS).close()
        except urllib.error.HTTPError as exc:
            raise DevError(f"{address} answers {exc.code}: see .dev/logs/demo.log") from exc
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise DevError(f"Odoo did not answer within {START_SECONDS} s: see .dev/logs/demo.log")


def _welcome(port: int) -> str:
    logins = "\n".join(f"  {login:<22} {role}" for login, role in _logins())
    address = f"http://127.0.0.1:{port}"
    heading = f"Odoo answers at {address}\n\nLogins (the password is the login):"
    return f"\n{heading}\n{logins}\n\n{TRY_THIS}\n\nCtrl-C stops it.\n"


def _logins() -> list[tuple[str, str]]:
    """The users of the addon's demo data, with the job they have there, and the administrator."""
    rows = database.psql(
        f"""
        SELECT u.login, COALESCE(p.function, p.name)
          FROM ir_model_data d JOIN res_users u ON u.id = d.res_id JOIN res_partner p ON p.id = u.partner_id
         WHERE d.model = 'res.users' AND d.module = '{ADDON}' AND u.active
         ORDER BY u.id
        """,
        DATABASE,
    )
    users = [tuple(row.split("|", 1)) for row in rows.splitlines()]
    return [(login, role) for login, role in users] + [("admin", "Administrator")]
