"""The simulator's memory: one SQLite database, in a file or in memory.

All access goes through one connection under one lock. What a request changes is committed before it is answered, so
that a killed simulator has forgotten nothing it has confirmed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

Row = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS policy (number TEXT PRIMARY KEY, details TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS buyer (
    buyer_id TEXT PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL, vat_number TEXT NOT NULL DEFAULT '',
    registration_number TEXT NOT NULL DEFAULT '', street TEXT NOT NULL DEFAULT '',
    postal_code TEXT NOT NULL DEFAULT '', city TEXT NOT NULL DEFAULT '', own_reference TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS grade (
    id INTEGER PRIMARY KEY, buyer_id TEXT NOT NULL, value TEXT NOT NULL, graded_on TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS grade_buyer ON grade (buyer_id, id);
CREATE TABLE IF NOT EXISTS cover (
    id INTEGER PRIMARY KEY, buyer_id TEXT NOT NULL, policy_number TEXT NOT NULL, status TEXT NOT NULL, amount TEXT,
    requested_amount TEXT, previous_amount TEXT, currency TEXT NOT NULL, insured_percentage TEXT,
    effective_from TEXT, effective_to TEXT, decided_on TEXT,
    announcements TEXT NOT NULL DEFAULT '[]', conditions TEXT NOT NULL DEFAULT '[]',
    UNIQUE (policy_number, buyer_id));
CREATE INDEX IF NOT EXISTS cover_page ON cover (policy_number, id);
CREATE INDEX IF NOT EXISTS cover_buyer ON cover (buyer_id);
CREATE INDEX IF NOT EXISTS cover_announced ON cover (id) WHERE announcements != '[]';
-- What policyholders sent; the kinds are in submissions.py. The reference makes sending twice harmless.
CREATE TABLE IF NOT EXISTS submission (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, reference TEXT NOT NULL, fingerprint TEXT NOT NULL,
    body TEXT NOT NULL, status TEXT NOT NULL, received_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT '{}', UNIQUE (kind, reference));
CREATE INDEX IF NOT EXISTS submission_status ON submission (kind, status);
CREATE INDEX IF NOT EXISTS buyer_country ON buyer (country);
-- What the insurer reports about watched buyers.
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, buyer_id TEXT NOT NULL, kind TEXT NOT NULL, happened_on TEXT NOT NULL,
    words TEXT NOT NULL DEFAULT '');
-- Addresses to wake up, and what came of it.
CREATE TABLE IF NOT EXISTS webhook (
    id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, secret TEXT NOT NULL DEFAULT '',
    interface TEXT NOT NULL DEFAULT 'sandbox', headers TEXT NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, url TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, sent_at TEXT NOT NULL,
    attempt INTEGER NOT NULL, status INTEGER, error TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS token (value TEXT PRIMARY KEY, expires_at REAL NOT NULL);
"""
TABLES = ("policy", "buyer", "grade", "cover", "submission", "token", "event", "webhook", "delivery")


class Store:
    """:param path: a file, made when missing, or ``:memory:``."""

    def __init__(self, path: str) -> None:
        self._lock = RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(SCHEMA)
        self._add_missing_columns()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _add_missing_columns(self) -> None:
        """To a file that an earlier version of the simulator made."""
        if "own_reference" not in {row["name"] for row in self.rows("PRAGMA table_info(buyer)")}:
            self.run("ALTER TABLE buyer ADD COLUMN own_reference TEXT NOT NULL DEFAULT ''")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and alone: other threads wait."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[Row]:
        with self._lock:
            return [dict(row) for row in self._connection.execute(sql, values)]

    def row(self, sql: str, *values: object) -> Row | None:
        return next(iter(self.rows(sql, *values)), None)

    def run(self, sql: str, *values: object) -> int:
        """Execute a statement; gives the id of the inserted row."""
        with self._lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def insert(self, table: str, rows: list[Row], *, replace: bool = False) -> None:
        """Insert rows that all have the columns of the first."""
        if not rows:
            return
        columns = list(rows[0])
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        marks = ", ".join("?" for _column in columns)
        with self._lock:
            self._connection.executemany(
                f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({marks})",
                ([row[column] for column in columns] for row in rows),
            )

    def clear(self) -> None:
        with self.transaction():
            for table in TABLES:
                self.run(f"DELETE FROM {table}")
