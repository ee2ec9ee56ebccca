"""What a failure of the network means: whether the call left, whether the set-up is at fault, in plain words."""

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import urllib3

LONGEST_WAIT = 86400.0  # what asks for more would put a call off for years, or past the last date there is
# OpenSSL's reasons that show a set-up that cannot work. Others, above all a connection cut without a farewell, come in
# the middle of a call that may have been carried out.
_HOPELESS = ("ALERT", "CERTIFICATE", "HANDSHAKE", "HTTP_REQUEST", "PEM", "PROTOCOL", "VERSION")


def is_set_up_wrong(exc: Exception) -> bool:
    """Whether a person has to correct the address, the certificates before any call can work."""
    if isinstance(exc, requests.exceptions.InvalidURL):
        return True
    if type(exc) is OSError and exc.errno is None:  # how requests says that there is no such bundle of certificates
        return True
    return isinstance(exc, requests.exceptions.SSLError) and _is_hopeless(exc)


def _is_hopeless(error: requests.exceptions.SSLError) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        if isinstance(cause, ssl.SSLError):
            return any(word in (getattr(cause, "reason", None) or "") for word in _HOPELESS)
        inner = cause.args[0] if cause.args else None
        reason = getattr(inner, "reason", None)
        found = reason if isinstance(reason, BaseException) else inner
        cause = found if isinstance(found, BaseException) else None
    return False


def never_left(exc: Exception) -> bool:
    """Whether the connection failed before any byte of the request could be sent."""
    if isinstance(exc, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    reason = getattr(exc.args[0], "reason", None) if exc.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def plain_reason(exc: Exception) -> str:
    if never_left(exc):
        return "no connection to the insurer's server"
    if isinstance(exc, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(exc, requests.exceptions.SSLError):
        return f"TLS failed: {exc}"
    return "the connection broke before the answer was complete"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait from a ``Retry-After`` header, which holds seconds or a date; no more than ``LONGEST_WAIT``."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(LONGEST_WAIT, float(value.strip()))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return min(LONGEST_WAIT, max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()))
