"""The demo's folder: everything a run writes, and the secrets made for it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Final, Self

from farm.demo.errors import DemoError

MARK: Final = "secrets.json"
"""A folder that holds this file is a demo's, and may be emptied."""


def _password() -> str:
    return secrets.token_urlsafe(12)


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Made once per folder; kept readable by their owner only."""

    django_key: str = field(default_factory=lambda: secrets.token_urlsafe(50), repr=False)
    broker: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    flower: str = field(default_factory=_password, repr=False)
    admin: str = field(default_factory=_password, repr=False)
    coordinator: str = field(default_factory=_password, repr=False)
    viewer: str = field(default_factory=_password, repr=False)


@dataclass(frozen=True, kw_only=True)
class Home:
    """A demo's folder, held by one run at a time."""

    folder: Path
    secrets: Secrets
    lock: IO[str] = field(repr=False)

    @classmethod
    def open(cls, folder: Path, *, fresh: bool) -> Self:
        """Take the folder; if ``fresh``, put what it held aside as ``NAME.before``, in place of an older one.

        Raises DemoError if it cannot be made, another run holds it, or no demo wrote what it holds.
        """
        folder = folder.absolute()
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = (folder.parent / f".{folder.name}.lock").open("a+")
        except OSError as exc:
            raise DemoError(f"{folder} cannot be made: {exc}. Set DEMO_VAR to another folder.") from exc
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise DemoError(
                f"Another demo runs in {folder}. Stop it first, or set DEMO_VAR to another folder."
            ) from exc
        if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
            raise DemoError(
                f"{folder} is not empty and was not made by a demo. Set DEMO_VAR to another folder."
            )
        if fresh and folder.exists():
            before = folder.with_name(f"{folder.name}.before")
            shutil.rmtree(before, ignore_errors=True)
            folder.rename(before)
        folder.mkdir(mode=0o700, exist_ok=True)
        return cls(folder=folder, secrets=_secrets(folder / MARK), lock=lock)

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.folder / "logs"

    @property
    def artifacts(self) -> Path:
        """The artifact store."""
        return self.folder / "artifacts"

    @property
    def summary(self) -> Path:
        """What DEMO_EXIT=1 leaves behind."""
        return self.folder / "summary.json"


def _secrets(path: Path) -> Secrets:
    if path.exists():
        return Secrets(**json.loads(path.read_text()))
    made = Secrets()
    write_private(path, json.dumps(asdict(made), indent=2))
    return made


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)  # it may have existed with another mode
        file.write(text + "\n")
