"""Databases: templates with Odoo's own addons installed once, and quick copies of them for every run."""

import ast
import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager

from . import environment, odoo, postgres
from .lock import exclusive
from .messages import DevError, step
from .odoo_source import OdooSource
from .paths import ADDON, CHECKOUT_ID, FILESTORE, LOCKS, MANIFEST
from .process import output

# Besides what the manifest depends on: quotations with templates and their portal, as most installations have.
EXTRA_MODULES = ["sale_management"]


def psql(sql: str, database: str = "postgres") -> str:
    """Run one statement and give its rows, one a line."""
    command = [str(postgres.bin_dir() / "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-At", "-d", database, "-c", sql]
    return output(command, env={"PGOPTIONS": "-c client_min_messages=error"}).strip()


def exists(name: str) -> bool:
    return psql(f"SELECT 1 FROM pg_database WHERE datname = {_literal(name)}") == "1"


def drop(name: str) -> None:
    psql(f"DROP DATABASE IF EXISTS {_identifier(name)} WITH (FORCE)")
    shutil.rmtree(FILESTORE / name, ignore_errors=True)


def create_from_template(name: str, source: OdooSource, *, demo: bool = False) -> None:
    """A fresh database with Odoo's addons installed; one of the same name is replaced."""
    template = ensure_template(source, demo=demo)
    drop(name)
    psql(f"CREATE DATABASE {_identifier(name)} TEMPLATE {_identifier(template)} STRATEGY FILE_COPY")
    _copy_filestore(template, name)


def reserved(name: str) -> AbstractContextManager[None]:
    """The database to oneself for the time of the block; another command that wants it waits."""
    return exclusive(LOCKS / f"database-{name}", f"database {name}")


def create_with_addon(name: str, source: OdooSource, *, demo: bool = False, beside: Sequence[str] = ()) -> None:
    """A fresh database with this addon and those `beside` it installed, all or nothing: named when it is complete."""
    partial = f"{name}_partial"
    create_from_template(partial, source, demo=demo)
    with step(f"Installing {ADDON} in {name}" + (" with demo data" if demo else "")):
        odoo.install(partial, [ADDON, *beside], demo=demo)
        if demo:
            _check_demo_data(partial)
    drop(name)
    _rename(partial, name)


def ensure_template(source: OdooSource, *, demo: bool) -> str:
    """The name of the template database; built when there is none for this Odoo, these modules and these packages."""
    modules = template_modules()
    key = hashlib.sha256("\n".join([source.version, *modules, environment.fingerprint()]).encode()).hexdigest()[:10]
    prefix = f"template_{'demo' if demo else 'test'}_{CHECKOUT_ID}_"
    name = prefix + key
    with exclusive(LOCKS / prefix, "template database"):
        if not exists(name):
            _drop_all(prefix)
            with step(f"Installing Odoo's addons once, in a template database{' with demo data' if demo else ''}"):
                _build_template(name, modules, demo=demo)
    return name


def template_modules() -> list[str]:
    manifest = ast.literal_eval(MANIFEST.read_text())
    return sorted({*manifest["depends"], *EXTRA_MODULES})


def _build_template(name: str, modules: list[str], *, demo: bool) -> None:
    partial = f"{name}_partial"
    drop(partial)
    odoo.install(partial, modules, demo=demo)
    if demo:
        _check_demo_data(partial)
    psql("VACUUM ANALYZE", partial)
    _rename(partial, name)


def _check_demo_data(database: str) -> None:
    """Odoo only logs it when demo data fail to load, and goes on without them."""
    without = psql("SELECT name FROM ir_module_module WHERE state = 'installed' AND NOT demo ORDER BY name", database)
    if without:
        names = ", ".join(without.splitlines())
        raise DevError(f"demo data did not load for {names}: see .dev/logs/odoo-{database}.log")


def _rename(old: str, new: str) -> None:
    """Filestore first: a database that bears the final name is complete."""
    if (FILESTORE / old).is_dir():
        shutil.rmtree(FILESTORE / new, ignore_errors=True)
        (FILESTORE / old).rename(FILESTORE / new)
    psql(f"ALTER DATABASE {_identifier(old)} RENAME TO {_identifier(new)}")


def _drop_all(prefix: str) -> None:
    for name in psql(f"SELECT datname FROM pg_database WHERE starts_with(datname, {_literal(prefix)})").splitlines():
        drop(name)


def _copy_filestore(old: str, new: str) -> None:
    """Hard links are enough: Odoo names a stored file after its content and never changes one."""
    if (FILESTORE / old).is_dir():
        shutil.copytree(FILESTORE / old, FILESTORE / new, copy_function=_link)


def _link(source: str, target: str) -> None:
    os.link(source, target)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
