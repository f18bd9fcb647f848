"""Which artifact store an address means."""

from __future__ import annotations

from urllib.parse import urlsplit

from workers.farm_store import FarmStore
from workers.settings import SettingsError
from workers.store import ArtifactStore, Store


def open_store(url: str, *, min_free: int) -> Store:
    """Open the store at a folder, ``s3://BUCKET/PREFIX``, the farm's ``https://…``, or another fsspec URL.

    ``min_free``: bytes below which a folder's disk counts as full. Raises SettingsError.
    """
    address = urlsplit(url)
    scheme = address.scheme
    if address.password is not None:
        # It would stand in every message about the store.
        raise SettingsError(
            "SHOTFARM_ARTIFACTS holds a password; leave it out: the farm's own address needs none, "
            "S3 takes AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if scheme in ("http", "https"):
        return FarmStore(url)
    if scheme == "s3":
        return _s3(url)
    try:
        return ArtifactStore(url, min_free=min_free)
    except (ImportError, ValueError) as exc:
        raise SettingsError(f"SHOTFARM_ARTIFACTS begins with {scheme!r}: {exc}") from exc


def _s3(url: str) -> Store:
    try:
        from workers.s3_store import S3Store  # noqa: PLC0415 - a plain node has no driver for it
    except ImportError as exc:
        raise SettingsError(
            "SHOTFARM_ARTIFACTS is an s3:// address, and its driver is not installed; "
            "run pip install -r workers/requirements-s3.txt"
        ) from exc
    return S3Store(url)
