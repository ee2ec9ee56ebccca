"""Bearer tokens, shared by all workers so that each does not take its own.

Tokens are secrets with a life of minutes. They are in the database because the workers share nothing else, and
encrypted under a key that is derived from the connection's own credentials: whoever may use a connection can read its
tokens, and could as well take new ones; whoever has only the database can do so only where the credentials are in the
database too. A connection's row cannot be told from its content, nor can credentials be tried out against it quickly.

No group may read the table, it is unlogged, and a copy of the database is neutralized without its rows.
"""

import base64
import hashlib
import hmac
import logging
import time
from functools import lru_cache

import psycopg2
from cryptography.fernet import Fernet, InvalidToken
from psycopg2.pool import PoolError

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.credit_insurance.connectors import Token

from .side_cursor import side_cursor

_logger = logging.getLogger(__name__)


class SharedTokenStore:
    """``connectors.TokenStore`` over the database. When the database cannot be asked, a token is simply taken anew."""

    def __init__(self, dbname, account_id, credentials, salt):
        self._dbname = dbname
        self._account_id = account_id
        secret = "\0".join(f"{name}={credentials[name]}" for name in sorted(credentials))
        self._secret = _derive(secret, salt)
        self._fernet = Fernet(base64.urlsafe_b64encode(self._secret))

    def get(self, key):
        try:
            with side_cursor(self._dbname) as cr:
                cr.execute(
                    "SELECT content, expires_at FROM credit_insurance_token WHERE account_id = %s AND slot = %s",
                    [self._account_id, self._slot(key)],
                    log_exceptions=False,
                )
                row = cr.fetchone()
            return Token(self._fernet.decrypt(row[0].encode()).decode(), row[1]) if row else None
        except InvalidToken:
            return None
        except (PoolError, psycopg2.Error) as exc:
            _logger.warning("Tokens cannot be read: %s", type(exc).__name__)
            return None

    def put(self, key, token):
        content = self._fernet.encrypt(token.value.encode()).decode()
        query = SQL(
            """
            INSERT INTO credit_insurance_token (account_id, slot, content, expires_at) VALUES (%s, %s, %s, %s)
            ON CONFLICT (account_id, slot)
            DO UPDATE SET content = EXCLUDED.content, expires_at = EXCLUDED.expires_at
            """,
            self._account_id, self._slot(key), content, token.expires_at,
        )  # fmt: skip
        try:
            with side_cursor(self._dbname) as cr:
                cr.execute(query, log_exceptions=False)
        except (PoolError, psycopg2.Error) as exc:
            _logger.warning("A token cannot be shared: %s", type(exc).__name__)

    def _slot(self, key):
        return hmac.new(self._secret, key.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=64)
def _derive(secret, salt):
    """A key from the credentials; slow on purpose, and therefore kept for the life of the worker."""
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=32)


class CreditInsuranceToken(models.Model):
    _name = "credit.insurance.token"
    _description = "Token of an Insurer Connection"
    _auto = False
    _log_access = False

    account_id = fields.Integer(readonly=True, groups=fields.NO_ACCESS)
    slot = fields.Char(readonly=True, groups=fields.NO_ACCESS, exportable=False)
    content = fields.Text(readonly=True, groups=fields.NO_ACCESS, exportable=False)
    expires_at = fields.Float(readonly=True, groups=fields.NO_ACCESS)

    def init(self):
        """Unlogged, so that tokens reach neither the write-ahead log nor a standby server."""
        self.env.cr.execute(
            """
            CREATE UNLOGGED TABLE IF NOT EXISTS credit_insurance_token (
                id bigserial PRIMARY KEY,
                account_id integer NOT NULL,
                slot varchar NOT NULL,
                content text NOT NULL,
                expires_at double precision NOT NULL,
                UNIQUE (account_id, slot)
            )
            """
        )

    @api.autovacuum
    def _gc_tokens(self):
        self.env.cr.execute("DELETE FROM credit_insurance_token WHERE expires_at < %s", [time.time()])
