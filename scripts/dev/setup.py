"""Everything a command needs before it can do its work. Idempotent: what is there is left alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from . import environment, odoo_source, postgres
from .lock import exclusive
from .odoo_source import OdooSource
from .paths import ADDON_LINK, ADDONS, DATA_DIR, LOCKS, ODOO_CONF, ROOT


def ensure() -> OdooSource:
    """Odoo, the Python environment, the link to this checkout and odoo.conf."""
    with exclusive(LOCKS / "setup", "set-up"):
        with ThreadPoolExecutor() as pool:  # both mostly wait for the network
            source_found = pool.submit(odoo_source.ensure)
            packages_installed = pool.submit(environment.ensure)
            source = source_found.result()
            packages_installed.result()
        environment.link_odoo(source)
        _link_checkout()
        _write_conf(source)
    return source


@contextmanager
def ready() -> Iterator[OdooSource]:
    """The environment complete and PostgreSQL running, for the time of the block."""
    source = ensure()
    with postgres.running():
        yield source


def _link_checkout() -> None:
    """The checkout under the addon's name, whatever folder it was cloned into: Odoo and pytest-odoo go by that name."""
    ADDONS.mkdir(parents=True, exist_ok=True)
    if not ADDON_LINK.is_symlink() or ADDON_LINK.readlink() != ROOT:
        ADDON_LINK.unlink(missing_ok=True)
        ADDON_LINK.symlink_to(ROOT)


def _write_conf(source: OdooSource) -> None:
    """odoo.conf. The database server is not in it: Odoo reads the PG… variables as every other client does."""
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    addons_path = [*source.addons, environment.site_packages() / "odoo" / "addons", ADDONS]
    settings = {
        "addons_path": ",".join(map(str, addons_path)),
        "data_dir": DATA_DIR,
        "db_maxconn": 64,
        "http_interface": "127.0.0.1",
        "admin_passwd": "admin",
        "list_db": True,
    }
    lines = [f"{key} = {value}" for key, value in settings.items()]
    text = "\n".join(["[options]", *lines, "", "[queue_job]", "channels = root:2", ""])
    if not ODOO_CONF.is_file() or ODOO_CONF.read_text() != text:
        partial = ODOO_CONF.with_suffix(".partial")
        partial.write_text(text)
        partial.rename(ODOO_CONF)
