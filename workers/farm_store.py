"""The artifact store behind the farm's web side, for a node that shares no disk with it.

Files travel in pieces. After a cut the farm is asked how far it is, and the upload goes on from there; it
is done once the farm has found the declared size and SHA-256. Requests are signed with the order's key
(farm/transfer.py), so nothing can be read or written without an order.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

from farm import transfer
from farm.contracts import OrderInput, RenderOrder
from workers.errors import OrderUnreadable, StoreUnavailable
from workers.farm_line import Answer, FarmLine, Moved

RESTARTS: Final = 2
"""How often a file is sent anew because other bytes came than were declared."""


RESTART_S: Final = 8.0
"""How long the web side may take to restart before an order is given back for it."""

MOST_MOVES: Final = 50
"""How often one file's upload may turn out to end elsewhere than was thought."""


class FarmStore:
    """The store as a node without an order sees it: only whether it is there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._line = FarmLine(url)

    def check(self) -> str:
        """Say why nothing can be stored now, or "" if the farm shows its marker."""
        try:
            self._line.marker()
        except StoreUnavailable as error:
            return str(error)
        return ""

    def of(self, order: RenderOrder) -> FarmOrderStore:
        """Return the store as this order may use it."""
        return FarmOrderStore(self._url, order)


class FarmOrderStore:
    """The store as one order may use it: read its inputs, write its attempt's folder. For one thread."""

    def __init__(self, url: str, order: RenderOrder) -> None:
        self._line = FarmLine(url, attempt_id=order.attempt_id, key=order.report_key)
        self._folder = order.artifact_folder
        self._inputs = {item.key: item for item in order.inputs}

    def require(self) -> None:
        """Raise StoreUnavailable if the farm does not show its marker, StoreFull if it says it is full."""
        self._line.marker(patience_s=RESTART_S)

    @contextmanager
    def reading(self, key: str) -> Iterator[BinaryIO]:
        """Open one of the order's inputs. Raises FileNotFoundError, StoreUnavailable."""
        item = self._inputs.get(key)
        if item is None:
            raise FileNotFoundError(f"{key} is no input of this order")
        with cast(BinaryIO, io.BufferedReader(_Input(self._line, item))) as file:
            yield file

    def put(self, source: Path, key: str) -> None:
        """Store a file so that it appears whole or not at all. Raises StoreUnavailable, StoreFull."""
        with source.open("rb") as file:
            self._send(file, self._name(key))

    def write(self, content: bytes, key: str) -> None:
        """Store bytes so that they appear whole or not at all. Raises StoreUnavailable, StoreFull."""
        self._send(io.BytesIO(content), self._name(key))

    def _name(self, key: str) -> str:
        folder, _, name = key.rpartition("/")
        if folder != self._folder or not transfer.NAME.fullmatch(name):
            raise OrderUnreadable(f"key {key!r} is no file of this attempt's folder {self._folder}")
        return name

    def _send(self, file: BinaryIO, name: str) -> None:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        digest = hashlib.sha256()
        while piece := file.read(transfer.CHUNK_BYTES):
            digest.update(piece)
        upload = _Upload(
            self._line, file, resource=f"{transfer.FILES}/{name}", size=size, sha256=digest.hexdigest()
        )
        for _ in range(1 + RESTARTS):
            if upload.done():
                return
        raise StoreUnavailable(
            f"{name} arrives changed at the farm, {1 + RESTARTS} times; is the network sound?"
        )


class _Upload:
    """One file on its way."""

    def __init__(self, line: FarmLine, file: BinaryIO, *, resource: str, size: int, sha256: str) -> None:
        self._line = line
        self._file = file
        self._resource = resource
        self._size = size
        self._declared = {"size": str(size), "sha256": sha256}
        self._moved = 0

    def done(self) -> bool:
        """Send what is missing; False if it has to begin anew."""
        answer = self._ask()
        while not answer.complete and answer.offset < self._size:
            answer = self._append(answer.offset)
        if answer.complete:
            return True
        try:
            self._line.call("POST", self._resource, self._declared, patience_bytes=self._size)
        except Moved as moved:
            if moved.code in ("checksum", "offset"):
                return False
            raise
        return True

    def _ask(self) -> Answer:
        return self._line.call("GET", self._resource, self._declared)

    def _append(self, offset: int) -> Answer:
        self._file.seek(offset)
        piece = self._file.read(transfer.CHUNK_BYTES)
        try:
            return self._line.call(
                "PUT", self._resource, {**self._declared, "offset": str(offset)}, body=piece
            )
        except Moved as moved:
            self._moved += 1
            if moved.code == "offset" and self._moved <= MOST_MOVES:
                return self._ask()  # the piece had come after all: its answer was lost
            raise StoreUnavailable(
                f"the upload does not hold still at the farm ({moved}); do its web processes share one disk?"
            ) from moved


class _Input(io.RawIOBase):
    """An input on its way here; after a cut it goes on where it was."""

    def __init__(self, line: FarmLine, item: OrderInput) -> None:
        self._line = line
        self._query = {"key": item.key, "grant": item.grant}
        self._pieces: Iterator[bytes] = line.download(transfer.INPUT, self._query, size=item.bytes)
        self._left = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read some bytes. Raises FileNotFoundError, StoreUnavailable."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
