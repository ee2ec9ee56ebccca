"""Secrets that the server's administrator keeps outside the database: environment variables and files.

Files lie below one directory, which only ``odoo.conf`` can name, so that no user of Odoo can have another file read::

    [credit_insurance]
    secrets_directory = /etc/odoo/insurers
"""

import os
import re
import stat
from configparser import ConfigParser
from configparser import Error as ConfigParserError

from odoo.tools import config

# Only variables made for this purpose may be named, so that no other secret of the server can be sent anywhere.
VARIABLE = re.compile(r"CREDIT_INSURANCE_[A-Z0-9_]{1,100}")
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"
FILE_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT}){{0,3}}")
SECTION, OPTION = "credit_insurance", "secrets_directory"
MAX_BYTES = 64 * 1024


class SecretUnavailable(Exception):
    """``reason`` is a code: no_directory, bad_name, missing, not_regular, too_large or not_text."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def read_variable(name):
    """The value of an environment variable made for this purpose, or an empty text."""
    return os.environ.get(name, "").strip() if VARIABLE.fullmatch(name or "") else ""


def get_directory():
    """The directory named by ``odoo.conf``, or an empty text."""
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(config["config"] or [])
        return parser.get(SECTION, OPTION, fallback="").strip()
    except (ConfigParserError, UnicodeDecodeError):
        return ""


def get_path(name):
    """The path of a file below the directory, links resolved.

    :raise SecretUnavailable: it lies elsewhere, or there is no directory
    """
    directory = get_directory()
    if not directory:
        raise SecretUnavailable("no_directory")
    if not FILE_NAME.fullmatch(name or ""):
        raise SecretUnavailable("bad_name")
    root = os.path.realpath(directory)
    path = os.path.realpath(os.path.join(root, name))
    if os.path.commonpath([root, path]) != root or path == root:
        raise SecretUnavailable("bad_name")
    return path


def read_file(name):
    """The text of a file below the directory.

    :raise SecretUnavailable: there is none that may be read
    """
    try:
        # A named pipe must not block the worker.
        handle = os.open(get_path(name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        raise SecretUnavailable("missing") from exc
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise SecretUnavailable("not_regular")
        content = os.read(handle, MAX_BYTES + 1)
    finally:
        os.close(handle)
    if len(content) > MAX_BYTES:
        raise SecretUnavailable("too_large")
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        # Not "from": the exception's text would show the content.
        raise SecretUnavailable("not_text") from None
    if not text or "\0" in text:
        raise SecretUnavailable("not_text")
    return text
