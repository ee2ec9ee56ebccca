"""Where a webhook may lead: to public addresses, and to those inside that an administrator has named.

Names are looked up before a call, and the address that was reached in the end is looked at before anything is sent, so
that a name which changes its address in between leads nowhere either.
"""

import socket
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from odoo.addons.credit_insurance.connectors.deadline import LimitedAdapter

LOOKUP_PORT = 443


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
        found = ip_address(address.partition("%")[0])
        found = getattr(found, "ipv4_mapped", None) or found
        if found.is_global and not found.is_multicast:
            return False
        return host.lower().rstrip(".") not in self.names and not any(found in network for network in self.networks)

    def check_name(self, host, port):
        """:raise InternalAddress: one of the addresses of ``host`` is refused; a name without any is not"""
        try:
            found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        except (OSError, UnicodeError):
            return
        for address in sorted(found):
            if self.refuses(host, address):
                raise InternalAddress(address)


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
