"""Where a webhook may go: to the public internet, unless the studio says otherwise.

Whoever may set an address could else have the farm knock at its own inside (its broker, a cloud's metadata
service). So names are resolved here, every address is judged, and the one that was judged is connected to.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_UNKNOWN: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_PORTS: Final = {"http": 80, "https": 443}


class AddressRefused(Exception):
    """A webhook may not go to this address. The message says why and what would do."""


@dataclass(frozen=True)
class Target:
    """Where to connect (``ips``, ``port``) and what to ask for there (``host``, ``path`` with its query)."""

    secure: bool
    host: str
    port: int
    path: str
    ips: tuple[str, ...] = ()

    @property
    def host_header(self) -> str:
        """The host as HTTP names it."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _PORTS["https" if self.secure else "http"] else f"{name}:{self.port}"


def parse(url: str) -> Target:
    """Read a webhook's address. Raises AddressRefused if it is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise AddressRefused(_("this cannot be read as an address: %s") % exc) from exc
    if parts.scheme not in _PORTS or not host:
        raise AddressRefused(_("write an address that begins with https:// (or http://) and names a host"))
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(_("leave name and password out: what is sent is signed with the secret"))
    if not url.isascii() or any(sign <= " " for sign in url):
        raise AddressRefused(_("write it in plain letters, without spaces: percent-encoded, hosts as xn--…"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port or _PORTS[parts.scheme], path)


def check_url(url: str) -> None:
    """Refuse what can be seen to be wrong before any name is resolved. Raises AddressRefused."""
    target = parse(url)
    try:
        literal = ipaddress.ip_address(target.host)
    except ValueError:
        if target.host == "localhost" or target.host.endswith(".localhost"):
            _judge(target.host, ipaddress.ip_address("127.0.0.1"))
        return
    _judge(target.host, literal)


def resolve(url: str) -> Target:
    """Find the addresses to connect to. Raises AddressRefused, or OSError if the name cannot be looked up.

    One address that is refused refuses the name: it might be the one that is used next time. A name that is
    known inside only is refused as one that nobody knows: else who sets webhooks could ask for inner names.
    """
    target = parse(url)
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except socket.gaierror as exc:
        if exc.errno not in _UNKNOWN or settings.WEBHOOK_PRIVATE:
            raise
        raise _refused(target.host) from exc
    ips = [str(entry[4][0]).partition("%")[0] for entry in found]
    for ip in ips:
        _judge(target.host, ipaddress.ip_address(ip))
    return Target(target.secure, target.host, target.port, target.path, tuple(dict.fromkeys(ips)))


def is_public(ip: Ip) -> bool:
    """Tell whether an address is one of the public internet, also where it is wrapped into another."""
    inner = _inner(ip)
    if inner is not None:
        return is_public(inner)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _inner(ip: Ip) -> Ip | None:
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _judge(host: str, ip: Ip) -> None:
    if not settings.WEBHOOK_PRIVATE and not is_public(ip):
        logger.info("webhook leads inside", extra={"host": host, "ip": str(ip)})
        raise _refused(host)


def _refused(host: str) -> AddressRefused:
    """Say no more of a name than its writer wrote: neither where it leads nor whether it exists."""
    told = _(
        "%(host)s is not found on the public internet; check the name, or, if webhooks may go inside your "
        "own network, set SHOTFARM_WEBHOOK_PRIVATE=1"
    )
    return AddressRefused(told % {"host": host})
