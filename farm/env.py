"""Environment variables, read once, typed; a wrong one stops the start with a sentence that helps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final
from urllib.parse import ParseResult, parse_qsl, unquote, urlparse

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str) -> str:
    """Read a text; an empty variable counts as unset."""
    return os.environ.get(name, "") or default


def flag(name: str, *, default: bool) -> bool:
    """Read 1/0, true/false, yes/no, on/off."""
    raw = os.environ.get(name, "").strip().lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {raw!r}; set it to 1 or 0.")


def number(name: str, default: int, *, low: int, high: int) -> int:
    """Read a whole number between ``low`` and ``high``."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
        raise ImproperlyConfigured(f"{name} is {raw!r}; set it to a whole number from {low} to {high}.")
    return int(raw)


def file(name: str) -> Path | None:
    """Read the path of a file that must exist; unset means None."""
    raw = os.environ.get(name, "")
    if raw and not Path(raw).is_file():
        raise ImproperlyConfigured(f"{name} is {raw!r}, which is not a file; set it to the path of one.")
    return Path(raw) if raw else None


def store(name: str, folder: Path) -> dict[str, object]:
    """Read where artifacts are kept, as Django's storage: a folder (file://… or a path), or s3://BUCKET/PREFIX."""
    raw = os.environ.get(name, "").strip()
    scheme = raw.partition("://")[0] if "://" in raw else "file"
    if scheme == "s3" and "@" in urlparse(raw).netloc:
        # They would stand in every message about the store.
        raise ImproperlyConfigured(
            f"{name} holds keys; leave them out: S3 takes AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if scheme == "s3":
        return {"BACKEND": "apps.common.object_storage.ObjectStorage", "OPTIONS": {"url": raw}}
    if scheme == "file":
        location = raw.removeprefix("file://") or str(folder)
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": location},
        }
    raise ImproperlyConfigured(
        f"{name} begins with {scheme!r}; here, where the farm itself keeps its files, use a folder or "
        "s3://BUCKET/PREFIX. (A farm's http address is for GPU nodes that share no disk with it.)"
    )


def store_beside(name: str, other: str, folder: Path) -> dict[str, object]:
    """Read where published files lie; unset: beside the other store, be that a folder or in a bucket."""
    told = os.environ.get(other, "").strip().rstrip("/")
    if os.environ.get(name, "").strip() or not told:
        return store(name, folder)
    if told.startswith("s3://"):
        bucket, _slash, prefix = told.removeprefix("s3://").partition("/")
        above = prefix.rpartition("/")[0]
        url = "/".join(part for part in (f"s3://{bucket}", above, "published") if part)
        return {"BACKEND": "apps.common.object_storage.ObjectStorage", "OPTIONS": {"url": url}}
    return store(name, Path(told.removeprefix("file://")).parent / "published")


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Read a comma-separated list."""
    raw = os.environ.get(name, "")
    return [word.strip() for word in raw.split(",") if word.strip()] or list(default)


def address(name: str, raw: str) -> ParseResult:
    """Parse a URL that may hold a password; if it cannot be, say so without a piece of it."""
    try:
        url = urlparse(raw)
        _ = url.port, url.hostname
    except ValueError:  # its words quote what was taken for a port: often a piece of the password
        raise ImproperlyConfigured(
            f"{name} cannot be read: after the host comes a port from 0 to 65535, and in a password "
            "/ ? # [ ] @ : and % are written %2F %3F %23 %5B %5D %40 %3A %25."
        ) from None
    return url


_MAIL_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def mail_server(name: str) -> dict[str, Any]:
    """Read smtps://user:password@host:465 (smtp+starttls://, smtp://) as Django's e-mail settings.

    Unset: no mail is sent anywhere.
    """
    raw = os.environ.get(name, "").strip()
    if not raw:
        return {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    url = address(name, raw)
    if url.scheme not in _MAIL_PORTS or not url.hostname:
        raise ImproperlyConfigured(
            f"{name} begins with {url.scheme!r}; use smtps://user:password@host:465, "
            "smtp+starttls://user:password@host:587, or smtp://host:25 inside your own network."
        )
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or _MAIL_PORTS[url.scheme],
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_SSL": url.scheme == "smtps",
        "EMAIL_USE_TLS": url.scheme == "smtp+starttls",
        "EMAIL_TIMEOUT": 10,
    }


def sender(name: str, *, needed_by: str) -> str:
    """Read whom mails come from; needed where ``needed_by`` is set."""
    raw = os.environ.get(name, "").strip()
    if os.environ.get(needed_by, "").strip() and "@" not in raw:
        raise ImproperlyConfigured(
            f"{name} is {raw!r}; {needed_by} is set, so set it to the address that mails come from, "
            "such as shotfarm@studio.example."
        )
    return raw


def site(name: str, fallback: str) -> str:
    """Read the address people open in a browser, without a path."""
    raw = os.environ.get(name, "").strip().rstrip("/") or fallback
    url = address(name, raw)
    if url.scheme not in {"http", "https"} or not url.hostname or url.path or url.query:
        raise ImproperlyConfigured(
            f"{name} is {raw!r}; set it to an address such as https://farm.studio.example"
        )
    return raw


_NOTICING: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""A database's machine that vanishes is noticed within half a minute; else a quarter of an hour would pass.
What the address itself says goes before."""


def database(name: str, fallback: Path) -> dict[str, object]:
    """Read DATABASE_URL (postgresql://user:password@host:5432/name); unset means SQLite at ``fallback``."""
    raw = os.environ.get(name, "")
    if not raw:
        return _sqlite(fallback)
    url = address(name, raw)
    if url.scheme == "sqlite":
        return _sqlite(Path(unquote(url.path)))
    if url.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"{name} begins with {url.scheme!r}; use postgresql://user:password@host:5432/name or sqlite:///path."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        "OPTIONS": {**_NOTICING, **dict(parse_qsl(url.query))},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _sqlite(path: Path) -> dict[str, object]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # Without these, 16 % of concurrent read-modify-writes fail with "database is locked".
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
        },
    }
