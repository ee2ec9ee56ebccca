"""A database with its data, opened in this process."""

# ruff: noqa: TID251 (runs inside Odoo)
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.messages import step
from portfolio import Bench, Generator, find, has_data, settle
from sizes import Sizes

from odoo.api import SUPERUSER_ID, Environment
from odoo.orm.registry import Registry
from odoo.tools import config


@dataclass(frozen=True)
class World:
    """One database: its registry, and the records to measure with."""

    registry: Registry
    bench: Bench

    @contextmanager
    def environment(self, uid: int = SUPERUSER_ID) -> Iterator[Environment]:
        """A fresh transaction with empty caches, rolled back at the end."""
        with self.registry.cursor() as cr:
            yield Environment(cr, uid, {"lang": "en_US", "tz": "UTC"})
            cr.rollback()


def opened(conf: Path, name: str, sizes: Sizes, generator: type[Generator] = Generator) -> World:
    """The database with data in it, generated when there are none."""
    config.parse_config([f"--config={conf}", "--no-http", "--max-cron-threads=0"], setup_logging=False)
    registry = Registry(name)
    with registry.cursor() as cr:
        env = Environment(cr, SUPERUSER_ID, {})
        if not has_data(env):
            with step(f"Generating data in {name}"):
                generator(env, sizes).run()
                cr.commit()
                settle(env)
        return World(registry, find(env, sizes))
