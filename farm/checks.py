"""Settings that start but are dangerous, told by ``manage.py check`` with what to set instead."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlparse

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1", ""})
SHORTEST_KEY: Final = 32
FEWEST_CHARACTERS: Final = 5


@register("security")
def secret_key(**_kwargs: Any) -> list[CheckMessage]:
    """The key signs sessions, media addresses and the keys of every attempt's reports."""
    key = settings.SECRET_KEY
    if settings.DEBUG or (len(key) >= SHORTEST_KEY and len(set(key)) >= FEWEST_CHARACTERS):
        return []
    return [
        Error(
            f"DJANGO_SECRET_KEY is too weak: {len(key)} characters, {len(set(key))} different ones.",
            hint="Set 50 random ones: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="farm.E001",
        )
    ]


@register("security")
def debug_in_public(**_kwargs: Any) -> list[CheckMessage]:
    """A debug page shows settings, source and the values of variables."""
    strangers = [host for host in settings.ALLOWED_HOSTS if host.strip("[]") not in LOOPBACK]
    if not settings.DEBUG or not (settings.HTTPS or strangers):
        return []
    where = f"for {', '.join(strangers)}" if strangers else "behind HTTPS"
    return [
        Error(
            f"DJANGO_DEBUG is on {where}: error pages show the farm's inside to whoever causes one.",
            hint="Set DJANGO_DEBUG=0, or serve on localhost only (SHOTFARM_HOSTS, SHOTFARM_HTTPS=0).",
            id="farm.E002",
        )
    ]


@register("security")
def any_host(**_kwargs: Any) -> list[CheckMessage]:
    """Addresses in answers are built from the Host header."""
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Caution(
            "SHOTFARM_HOSTS is '*': whoever sends a request chooses which host the farm's links name.",
            hint="Set SHOTFARM_HOSTS to the names people use, such as farm.studio.example.",
            id="farm.W003",
        )
    ]


@register("security")
def broker_password(**_kwargs: Any) -> list[CheckMessage]:
    """Whoever reaches the broker can send orders to every GPU node and reports to the coordinator."""
    url = urlparse(settings.REDIS_URL)
    if url.scheme == "unix" or url.password or (url.hostname or "") in LOOPBACK:
        return []
    return [
        Error(
            f"The broker at {url.hostname} has no password (REDIS_URL).",
            hint="Set requirepass or ACL users there, and REDIS_URL=rediss://user:password@host:6379/0.",
            id="farm.E004",
        )
    ]


@register("security", deploy=True)
def broker_encryption(**_kwargs: Any) -> list[CheckMessage]:
    """Passwords and report keys travel to the broker."""
    url = urlparse(settings.REDIS_URL)
    if url.scheme != "redis" or (url.hostname or "") in LOOPBACK:
        return []
    return [
        Caution(
            f"The way to the broker at {url.hostname} is not encrypted (REDIS_URL begins with redis:).",
            hint="Use rediss://, or a private network; silence farm.W005 if it is one.",
            id="farm.W005",
        )
    ]
