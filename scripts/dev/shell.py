"""`make shell DB=name`: Odoo's shell, on a database that is made with demo data when it does not exist."""

import subprocess

from . import database, odoo, setup
from .paths import ODOO_CONF


def run(name: str) -> int:
    """Interactive on a terminal; otherwise runs the script on standard input (which commits what it wants to keep)."""
    with setup.ready() as source:
        with database.reserved(name):
            if not database.exists(name):
                database.create_with_addon(name, source, demo=True)
        return subprocess.call(command(name), env=odoo.environment_for_child())


def command(name: str) -> list[str]:
    return odoo.command("shell", f"--config={ODOO_CONF}", f"--database={name}", "--no-http", "--log-level=warn")
