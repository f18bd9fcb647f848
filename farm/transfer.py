"""How a node that shares no disk with the farm reads and writes the artifact store: over HTTP, request by
request signed with the key its order gave it (docs/protocol.md, ADR 18).

Plain on purpose: the node signs with it, the web side checks with it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, Self

PREFIX: Final = "/store/v1"
MARKER: Final = "marker"
INPUT: Final = "input"
FILES: Final = "files"

CHUNK_BYTES: Final = 8 * 1024**2
"""The most bytes one request appends."""

MAX_FILE_BYTES: Final = 16 * 1024**3
MAX_ATTEMPT_BYTES: Final = 64 * 1024**3
MAX_ATTEMPT_FILES: Final = 4096

NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}")
"""A file in an attempt's folder: one plain name, whatever file system it ends on."""

SHA256: Final = re.compile(r"[0-9a-f]{64}")

SCHEME: Final = "Shotfarm-Attempt"
TIME_HEADER: Final = "Shotfarm-Time"
"""On every answer: the farm's clock in Unix seconds, so that a node with a wrong one can follow it."""

CLOCK_TOLERANCE_S: Final = 300
"""How old, or how far ahead, a signature may be. All requests may be repeated, so this bounds no harm but
how long somebody who read one may fetch the same input again.
"""

NO_BODY: Final = hashlib.sha256(b"").hexdigest()

_CREDENTIALS: Final = re.compile(
    rf"{SCHEME} time=(?P<time>[0-9]{{1,12}}), body=(?P<body>[0-9a-f]{{64}}), "
    r"signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a signature is about. ``resource`` is the path behind the attempt, ``query`` as sent.

    ``time`` in Unix seconds; ``body`` is the content's SHA-256. The farm's address is not part of it: a
    proxy may give it another one.
    """

    method: str
    attempt_id: str
    resource: str
    query: str
    time: int
    body: str = NO_BODY

    def signature(self, key: str) -> str:
        """Sign this call, and no other, with an attempt's key."""
        said = (self.method, self.attempt_id, self.resource, self.query, str(self.time), self.body)
        return hmac.new(
            key.encode(), "\n".join(("shotfarm-transfer-1", *said)).encode(), "sha256"
        ).hexdigest()

    def is_signed(self, credentials: Credentials, key: str) -> bool:
        """Tell whether the holder of ``key`` signed exactly this."""
        return hmac.compare_digest(credentials.signature, self.signature(key))


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The Authorization header of a call."""

    time: int
    body: str
    signature: str

    @classmethod
    def of(cls, call: Call, key: str) -> Self:
        """Make the credentials of a call."""
        return cls(time=call.time, body=call.body, signature=call.signature(key))

    @classmethod
    def read(cls, header: str) -> Self | None:
        """Read a header; None if it is not one of ours."""
        found = _CREDENTIALS.fullmatch(header)
        if found is None:
            return None
        return cls(time=int(found["time"]), body=found["body"], signature=found["signature"])

    def __str__(self) -> str:
        return f"{SCHEME} time={self.time}, body={self.body}, signature={self.signature}"


def digest(body: bytes) -> str:
    """Return a body's SHA-256 as it is signed."""
    return hashlib.sha256(body).hexdigest()
