"""`make clean` and `make distclean`."""

import shutil

from . import lock, postgres
from .messages import DevError, say
from .paths import CACHE, DEV, LOCKS


def run(*, cache: bool = False) -> None:
    """Remove this checkout's state; with `cache` also the unpacked Odoo that other checkouts share."""
    if DEV.is_dir():
        with lock.shared(LOCKS / "postgres.use") as users:
            if not lock.upgrade(users):
                raise DevError("another command is using .dev: stop it first")
            postgres.stop()
            shutil.rmtree(DEV)
    if cache and CACHE.is_dir():
        with lock.exclusive(CACHE / "odoo.lock", "download of Odoo"):
            shutil.rmtree(CACHE)
    say(f"removed .dev{f' and {CACHE}' if cache else ''}")
