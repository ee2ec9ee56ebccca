"""Addresses an insurer may be reached at."""

import urllib.parse
from ipaddress import ip_address

from .errors import ConfigurationError


def checked_base_url(insurer: str, base_url: str, *, allow_http: bool) -> str:
    """``base_url`` without a slash at its end.

    :raises ConfigurationError: it is no https address, or holds what an address of ours must not hold.
    """
    shown = repr(base_url) if "@" not in base_url else "the address"  # before an @ stand credentials
    try:
        parts = urllib.parse.urlsplit(base_url.strip())
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(f"{shown} is not an address", insurer=insurer) from None
    if parts.scheme not in ("https", "http") or not host:
        raise ConfigurationError(f"{shown} is not an https address", insurer=insurer)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError("the address must not hold credentials, a query or a fragment", insurer=insurer)
    if parts.scheme == "http" and not (allow_http or _is_this_machine(host)):
        raise ConfigurationError(f"{host} must be reached by https", insurer=insurer)
    return parts.geturl().rstrip("/")


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    try:
        parts = urllib.parse.urlsplit(url.strip())
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return url
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    userinfo = f"{parts.username}@" if parts.username is not None else ""
    return f"{parts.scheme}://{userinfo}{host or ''}:{port}"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
