"""Where a webhook may lead: to public addresses, and to those inside that an administrator has named.

Names are looked up before a call, and the address that was reached in the end is looked at before anything is sent, so
that a name which changes its address in between leads nowhere either.
"""

import re
import socket
from ipaddress import IPv4Address, ip_address, ip_network
from urllib.parse import urlsplit

from odoo.addons.credit_insurance.connectors.deadline import LimitedAdapter

LOOKUP_PORT = 443
# Networks whose addresses end in one of version 4, which a gateway may call instead.
TRANSLATED = tuple(ip_network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
# Counted as global, and yet only of use inside.
LOCAL = tuple(ip_network(text) for text in ("64:ff9b:1::/48", "fec0::/10"))


class InternalAddress(ValueError):
    """The address lies inside: on this machine, in a private network or at the host's metadata service."""


def split_address(url):
    """``(host, port)`` of an https address without credentials; None when it is not one."""
    try:
        parts = urlsplit((url or "").strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        return None
    return parts.hostname, port or LOOKUP_PORT


def shorten_address(url):
    """What may be told of an address that is refused: errors end in logs, and keys stand before and after hosts."""
    rest = (url or "").rpartition("@")[2].rpartition("://")[2]
    return re.split(r"[/?#\\]", rest.strip())[0]


class AllowedInside:
    """Hosts and networks inside that may be called, as an administrator wrote them: ``erp.lan, 10.1.0.0/16``."""

    def __init__(self, text):
        self.names, self.networks = set(), []
        for word in (text or "").replace(",", " ").split():
            try:
                self.networks.append(ip_network(word, strict=False))
            except ValueError:
                self.names.add(word.lower().rstrip("."))

    def refuses(self, host, address):
        """Whether ``address``, which belongs to ``host``, is inside and not allowed."""
        given = ip_address(address.partition("%")[0])
        meant = _meant(given)
        if meant.is_global and not meant.is_multicast and not any(meant in network for network in LOCAL):
            return False
        is_named = any(found in network for found in (given, meant) for network in self.networks)
        return host.lower().rstrip(".") not in self.names and not is_named

    def check_name(self, host, port):
        """:raise InternalAddress: one of the addresses of ``host`` is refused; a name without any is not"""
        try:
            found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        except (OSError, UnicodeError):
            return
        for address in sorted(found):
            if self.refuses(host, address):
                raise InternalAddress(address)


def _meant(address):
    """The address of version 4 that one of version 6 carries, else the address itself."""
    if address.version == 4:
        return address
    if any(address in network for network in TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


class PublicAddresses(LimitedAdapter):
    """Sends nothing to an address that is refused, whatever its name says. A proxy decides for itself."""

    def __init__(self, allowed, connect_seconds, deadline):
        self.allowed = allowed
        super().__init__(connect_seconds, deadline)

    def init_poolmanager(self, *args, **kwargs):
        result = super().init_poolmanager(*args, **kwargs)
        pools = self.poolmanager.pool_classes_by_scheme
        self.poolmanager.pool_classes_by_scheme = {
            scheme: _looked_at(pool, self.allowed) for scheme, pool in pools.items()
        }
        return result


def _looked_at(pool, allowed):
    """A pool whose connections look at the address that they reached."""

    class Connection(pool.ConnectionCls):
        def _new_conn(self):
            connected = super()._new_conn()
            address = connected.getpeername()[0]
            if allowed.refuses(self.host, address):
                connected.close()
                raise InternalAddress(address)
            return connected

    class Pool(pool):
        ConnectionCls = Connection

    return Pool
