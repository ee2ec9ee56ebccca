"""Where things live. All state of a checkout is under its `.dev/`; what checkouts can share is in the user's cache."""

import hashlib
import os
import tempfile
from pathlib import Path

ADDON = "credit_insurance"
ODOO_SERIES = "19.0"

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
MANIFEST = ROOT / "__manifest__.py"

DEV = ROOT / ".dev"
VENV = DEV / "venv"
VENV_PYTHON = VENV / "bin" / "python"
ADDONS = DEV / "addons"
ADDON_LINK = ADDONS / ADDON
ODOO_CONF = DEV / "odoo.conf"
DATA_DIR = DEV / "data"
FILESTORE = DATA_DIR / "filestore"
LOGS = DEV / "logs"
LOCKS = DEV / "locks"
PGDATA = DEV / "pgdata"
REPORTS = DEV / "reports"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / ADDON / ODOO_SERIES

CHECKOUT_ID = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]


def runtime_dir() -> Path:
    """A short folder for the socket of this checkout's PostgreSQL.

    A unix socket's path may not exceed 107 bytes, so it cannot stand in a checkout that may lie deep.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    parent = Path(base) if base and os.geteuid() and os.access(base, os.W_OK) else Path(tempfile.gettempdir())
    return parent / f"{ADDON}-{CHECKOUT_ID}"
