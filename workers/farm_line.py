"""The line to the farm's web side: signed requests, repeated after the errors that time may heal."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import requests

from farm import transfer
from farm.transfer import Call, Credentials
from workers.comfy.text import beginning
from workers.errors import StoreFull, StoreUnavailable

logger = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE_S: Final = 60.0
"""How long one request is repeated. An upload of many pieces has this for each of them."""

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 8.0
TIMEOUT_S: Final = (10.0, 60.0)
"""To connect, and between bytes of an answer."""

MARKER_TIMEOUT_S: Final = (5.0, 10.0)

HASHED_PER_S: Final = 50 * 1024**2
"""Bytes the farm checks per second, at the least, before it answers that a file is finished."""

PIECE: Final = 1024**2
MOST_CUTS: Final = 5
"""Cuts of one download without a byte between them."""

_CUT: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)
"""What a network does. Everything else requests raises is a fault of address or settings."""

_QUERY: Final = re.compile(r"\?[\w.~%+-]+=[^\s'\")]*")

_PASSING: Final = frozenset({429, 500, 502, 503, 504})


class Moved(Exception):
    """The farm stands elsewhere than we thought (409); ``code`` says in what."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Again(Exception):
    """Something that may pass: ``str`` says what."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How far an upload is."""

    offset: int
    complete: bool


class FarmLine:
    """Requests to one farm, for one thread; with ``attempt_id`` and ``key`` those of an order."""

    def __init__(self, url: str, *, attempt_id: str = "", key: str = "") -> None:
        self._url = f"{url.rstrip('/')}{transfer.PREFIX}"
        self._attempt_id = attempt_id
        self._key = key
        self._session = requests.Session()
        self._clock_ahead_s = 0

    def marker(self, *, patience_s: float = 0.0) -> None:
        """Ask for the farm's marker. Raises StoreUnavailable, StoreFull."""
        self._until_answered(self._marker, f"GET {transfer.MARKER}", patience_s=patience_s)

    def _marker(self) -> None:
        address = f"{self._url}/{transfer.MARKER}"
        try:
            answer = self._session.get(address, timeout=MARKER_TIMEOUT_S, allow_redirects=False)
        except _CUT as exc:
            raise _Again(f"it cannot be reached: {_words(exc)}") from exc
        except requests.RequestException as exc:
            raise StoreUnavailable(
                f"the artifact store behind {self._url} cannot be used: {_words(exc)}"
            ) from exc
        if answer.status_code in _PASSING:
            raise _Again(f"{answer.status_code} {_detail(answer)}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise StoreUnavailable(
                f"{self._url} shows no marker of a farm's artifact store; "
                "does SHOTFARM_ARTIFACTS name the farm's web address, and has a ticker run?"
            )
        if answer.status_code != HTTPStatus.OK:
            raise self._refusal(answer)

    def call(
        self,
        method: str,
        resource: str,
        query: Mapping[str, str],
        *,
        body: bytes = b"",
        patience_bytes: int = 0,
    ) -> Answer:
        """Send a signed request until it is answered. Raises Moved, StoreUnavailable, StoreFull.

        ``patience_bytes``: the farm reads so much before it answers.
        """
        connect, read = TIMEOUT_S
        timeout = (connect, read + patience_bytes / HASHED_PER_S)

        def once() -> Answer:
            return _read(self._send(method, resource, query, body=body, timeout=timeout))

        return self._until_answered(once, f"{method} {resource}")

    def download(self, resource: str, query: Mapping[str, str], *, size: int) -> Iterator[bytes]:
        """Fetch ``size`` bytes, or as many as there are; after a cut go on from there.

        Raises FileNotFoundError, StoreUnavailable.
        """
        came = cuts = 0
        while True:
            asked = {**query, "offset": str(came)}
            answer = self._until_answered(
                lambda asked=asked: self._send("GET", resource, asked, stream=True),  # type: ignore[misc]
                f"GET {resource}",
            )
            try:
                with answer:
                    for piece in answer.iter_content(PIECE):
                        came += len(piece)
                        cuts = 0
                        yield piece
                return
            except _CUT as exc:
                cuts += 1
                if came >= size:
                    return
                if cuts > MOST_CUTS:
                    raise StoreUnavailable(
                        f"{self._url} cuts the download after {came} of {size} bytes, again and again: "
                        f"{_words(exc)}"
                    ) from exc
                logger.info("download cut, going on", extra={"came": came, "error": _words(exc)})

    def _until_answered(self, once: Callable[[], T], doing: str, *, patience_s: float = PATIENCE_S) -> T:
        deadline = time.monotonic() + patience_s
        pause = FIRST_PAUSE_S
        while True:
            try:
                return once()
            except _Again as error:
                why, cause = str(error), error.__cause__
            if time.monotonic() + pause > deadline:
                waited = f" for {patience_s:g} s" if patience_s else ""
                raise StoreUnavailable(
                    f"the artifact store behind {self._url} failed{waited} ({doing}): {why}"
                ) from cause
            logger.info("artifact store failed, trying again", extra={"doing": doing, "error": why})
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _send(
        self,
        method: str,
        resource: str,
        query: Mapping[str, str],
        *,
        body: bytes = b"",
        stream: bool = False,
        timeout: tuple[float, float] = TIMEOUT_S,
    ) -> requests.Response:
        """Send a request once. Raises _Again, Moved, FileNotFoundError, StoreUnavailable, StoreFull."""
        answer = self._signed(method, resource, query, body, stream, timeout)
        if answer.status_code == HTTPStatus.UNAUTHORIZED and self._follow_clock(answer):
            answer.close()
            answer = self._signed(method, resource, query, body, stream, timeout)
        if answer.status_code == HTTPStatus.OK:
            return answer
        with answer:
            if answer.status_code == HTTPStatus.NOT_FOUND and resource == transfer.INPUT:
                raise FileNotFoundError(_detail(answer))
            if answer.status_code == HTTPStatus.CONFLICT:
                code = _code(answer)
                if code == "busy":
                    raise _Again(_detail(answer))
                if code in ("offset", "checksum"):
                    raise Moved(code, _detail(answer))
            if answer.status_code in _PASSING:
                raise _Again(f"{answer.status_code} {_detail(answer)}")
            raise self._refusal(answer)

    def _signed(
        self,
        method: str,
        resource: str,
        query: Mapping[str, str],
        body: bytes,
        stream: bool,
        timeout: tuple[float, float],
    ) -> requests.Response:
        text = urlencode(query)
        call = Call(
            method=method,
            attempt_id=self._attempt_id,
            resource=resource,
            query=text,
            time=int(time.time()) + self._clock_ahead_s,
            body=transfer.digest(body),
        )
        try:
            return self._session.request(
                method,
                f"{self._url}/{self._attempt_id}/{resource}?{text}",
                data=body or None,
                headers={"Authorization": str(Credentials.of(call, self._key))},
                stream=stream,
                timeout=timeout,
                allow_redirects=False,  # a signature is for one place
            )
        except _CUT as exc:
            raise _Again(_words(exc)) from exc
        except requests.RequestException as exc:
            raise StoreUnavailable(
                f"the artifact store behind {self._url} cannot be used: {_words(exc)}"
            ) from exc

    def _follow_clock(self, answer: requests.Response) -> bool:
        """Take over the farm's time if ours is what it refused; True if that may help."""
        told = answer.headers.get(transfer.TIME_HEADER, "")
        if not told.isdigit():
            return False
        ahead = int(told) - int(time.time())
        if abs(ahead - self._clock_ahead_s) < transfer.CLOCK_TOLERANCE_S / 2:
            return False
        logger.warning("this node's clock is wrong; following the farm's", extra={"seconds": ahead})
        self._clock_ahead_s = ahead
        return True

    def _refusal(self, answer: requests.Response) -> StoreUnavailable:
        detail = _detail(answer)
        if answer.status_code == HTTPStatus.INSUFFICIENT_STORAGE:
            return StoreFull(f"{detail} (said by {self._url})")
        if answer.is_redirect:
            return StoreUnavailable(
                f"{self._url} sends elsewhere ({answer.headers.get('Location', '')[:200]}); "
                "set SHOTFARM_ARTIFACTS to the farm's final address"
            )
        return StoreUnavailable(
            f"the artifact store behind {self._url} answers {answer.status_code}: {detail}"
        )


def _words(exc: requests.RequestException) -> str:
    """Say what the network did, without the address: its query holds an input's grant."""
    cause = exc.args[0] if exc.args else exc
    reason = getattr(cause, "reason", None) or cause
    return beginning(f"{type(exc).__name__}: {_QUERY.sub('?…', str(reason))}")


def _read(answer: requests.Response) -> Answer:
    try:
        content = answer.json()
        return Answer(offset=int(content["offset"]), complete=bool(content["complete"]))
    except (ValueError, KeyError, TypeError) as exc:
        raise _Again(f"the answer is not understood: {answer.text[:200]!r}") from exc


def _problem(answer: requests.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _detail(answer: requests.Response) -> str:
    return beginning(str(_problem(answer).get("detail") or answer.reason))


def _code(answer: requests.Response) -> str:
    errors = _problem(answer).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    return str(first.get("code", "")) if isinstance(first, dict) else ""
