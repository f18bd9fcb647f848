"""One POST to a webhook: signed, to the address that was checked, in bounded time, without redirects."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from apps.notices.services.addresses import AddressRefused, Target, resolve
from apps.notices.services.answers import Answer
from farm.logs import hidden

CONNECT_S: Final = 5.0
MOST_ADDRESSES: Final = 3
WHOLE_S: Final = 10.0
"""From the first packet to the end of what is read of the answer."""
ANSWER_BYTES: Final = 200
"""So much of an answer is kept for whoever looks for the fault."""
VERSION: Final = 1


def signature(secret: str, body: bytes, at: int) -> str:
    """Return the header's value: HMAC-SHA256 of ``{at}.{body}``, with the time in it (seconds since 1970)."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def body_of(message: Mapping[str, Any]) -> bytes:
    """Write a message as JSON, always in the same bytes."""
    return json.dumps(message, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def post(url: str, *, body: bytes, headers: Mapping[str, str], secret: str, at: int) -> Answer:
    """Send it. Any 2xx is delivered; everything else is an answer that says what was wrong."""
    with hidden(secret):
        started = time.monotonic()
        try:
            target = resolve(url)
            sent = {**headers, "X-Shotfarm-Signature": signature(secret, body, at)}
            status, said = _exchange(target, body, sent)
        except AddressRefused as refused:
            return Answer(ok=False, error=str(refused), milliseconds=_since(started))
        except (OSError, http.client.HTTPException) as exc:
            return Answer(ok=False, error=_named(exc, url, started), milliseconds=_since(started))
        ok = 200 <= status < 300
        error = "" if ok else _fault_of(status)
        return Answer(ok=ok, status=status, said=said, error=error, milliseconds=_since(started))


def _exchange(target: Target, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    plain = _connected(target)
    # A server that sends a byte now and then would hold a thread for ever: a timeout is per byte.
    late = threading.Event()
    hang_up = threading.Timer(WHOLE_S, _hang_up, [plain, late])
    hang_up.daemon = True
    hang_up.start()
    try:
        wire = _secured(plain, target.host) if target.secure else plain
        with wire:
            line = http.client.HTTPConnection(target.host, target.port)
            line.sock = wire
            line.request("POST", target.path, body=body, headers={"Host": target.host_header, **headers})
            answer = line.getresponse()
            if late.is_set():  # what was cut off reads as if it had ended there
                raise TimeoutError
            return answer.status, _first_of(answer)
    finally:
        hang_up.cancel()
        plain.close()


def _connected(target: Target) -> socket.socket:
    """Connect to the first address that answers, of the first few: one family may have no road from here."""
    fault: OSError | None = None
    for ip in target.ips[:MOST_ADDRESSES]:
        try:
            plain = socket.create_connection((ip, target.port), timeout=CONNECT_S)
        except OSError as exc:
            fault = exc
        else:
            plain.settimeout(WHOLE_S)
            return plain
    raise fault or OSError("the name has no address")


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _first_of(answer: http.client.HTTPResponse) -> str:
    """The status has said it already: what is wrong with the rest changes nothing."""
    try:
        return _printable(answer.read(ANSWER_BYTES))
    except (OSError, http.client.HTTPException):
        return ""


def _hang_up(plain: socket.socket, late: threading.Event) -> None:
    late.set()
    try:
        plain.shutdown(socket.SHUT_RDWR)
    except OSError:
        plain.close()  # it was gone already


def _printable(raw: bytes) -> str:
    text = raw.decode(errors="replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def _fault_of(status: int) -> str:
    if 300 <= status < 400:
        return f"HTTP {status}: it sends elsewhere, and redirects are not followed"
    return f"HTTP {status}"


def _named(exc: Exception, url: str, started: float) -> str:
    if isinstance(exc, socket.gaierror):
        return f"the name {urlsplit(url).hostname} is not found ({exc.strerror})"
    if isinstance(exc, TimeoutError) or time.monotonic() - started >= WHOLE_S:
        return f"no whole answer within {WHOLE_S:g} s"
    return f"{type(exc).__name__}: {exc}"


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
