"""HTTP to one ComfyUI server. The only place where requests' errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError

from workers.comfy.errors import BadAnswer, ConnectionCut, SlowAnswer, Unreachable
from workers.comfy.text import clean_json

GATEWAY_STATUSES = frozenset({502, 503, 504})
"""What a proxy in front of ComfyUI says when ComfyUI is away. The request may have got through."""

LEAST_READ_TIMEOUT_S = 5.0
"""ComfyUI stalls for 500–730 ms every ten seconds or so (recording ``gc_stall``); 5 s is no stall."""

EXCERPT = 300


class Wire:
    """A connection to one server, for one thread.

    ``timeout_s`` bounds connecting and every wait for the next bytes, in seconds, and is at least 5.
    Proxies of the environment are not used: a node reaches its ComfyUI directly.
    """

    def __init__(self, base_url: str, *, timeout_s: float) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"base_url {base_url!r}: expected an address such as http://127.0.0.1:8188")
        if timeout_s < LEAST_READ_TIMEOUT_S:
            raise ValueError(f"timeout_s {timeout_s!r}: expected at least {LEAST_READ_TIMEOUT_S} seconds")
        self.base_url = base_url.rstrip("/")
        self.timeout_s = timeout_s
        self.place = parts.netloc.rpartition("@")[2]
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def get(self, path: str) -> requests.Response:
        """GET ``path``. Raises Unreachable, ConnectionCut or SlowAnswer."""
        return self._send("GET", path)

    def post(self, path: str, body: object) -> requests.Response:
        """POST ``body`` as JSON. Raises Unreachable, ConnectionCut or SlowAnswer."""
        return self._send("POST", path, json=body)

    def post_file(self, path: str, name: str, data: IO[bytes], fields: dict[str, str]) -> requests.Response:
        """POST a file as form field ``image``. Raises Unreachable, ConnectionCut or SlowAnswer."""
        return self._send("POST", path, files={"image": (name, data)}, data=fields)

    @contextmanager
    def stream(self, path: str, params: dict[str, str]) -> Iterator[requests.Response]:
        """GET ``path`` without reading its body. What breaks while the caller reads is translated too."""
        with self._translated(path):
            response = self._session.get(
                self.base_url + path,
                params=params,
                stream=True,
                timeout=self.timeout_s,
                allow_redirects=False,
            )
            with response:
                self._refuse_gateway(path, response)
                yield response

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        with self._translated(path):
            response = self._session.request(
                method, self.base_url + path, timeout=self.timeout_s, allow_redirects=False, **options
            )
        self._refuse_gateway(path, response)
        return response

    def _refuse_gateway(self, path: str, response: requests.Response) -> None:
        if response.status_code in GATEWAY_STATUSES:
            raise ConnectionCut(
                f"A gateway answered {response.status_code} for ComfyUI at {self.place}{path}"
            )

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        where = f"ComfyUI at {self.place}{path}"
        try:
            yield
        except requests.ReadTimeout as exc:
            raise SlowAnswer(f"{where} gave no answer within {self.timeout_s:g} s") from exc
        except (requests.ConnectTimeout, requests.exceptions.SSLError) as exc:
            raise Unreachable(f"{where} cannot be reached: {exc}") from exc
        except requests.ConnectionError as exc:
            reason = exc.args[0] if exc.args else None
            if isinstance(reason, ReadTimeoutError):
                raise SlowAnswer(f"{where} stopped answering for {self.timeout_s:g} s") from exc
            if isinstance(reason, MaxRetryError):
                raise Unreachable(f"{where} cannot be reached: {reason.reason}") from exc
            raise ConnectionCut(f"{where} broke the connection: {exc}") from exc
        except (requests.RequestException, HTTPError) as exc:  # cut short, or coded as it does not say
            raise ConnectionCut(f"{where} broke off its answer: {exc}") from exc


def json_object(response: requests.Response) -> dict[str, Any]:
    """Return the answer's JSON object. Raises BadAnswer for any other status than 200 or another body."""
    body = _json(response)
    if not isinstance(body, dict):
        raise BadAnswer(f"{_called(response)} answered no JSON object", detail=response.text[:EXCERPT])
    return body


def json_list(response: requests.Response) -> list[Any]:
    """Return the answer's JSON list. Raises BadAnswer as :func:`json_object` does."""
    body = _json(response)
    if not isinstance(body, list):
        raise BadAnswer(f"{_called(response)} answered no JSON list", detail=response.text[:EXCERPT])
    return body


def expect_ok(response: requests.Response) -> None:
    """Raise BadAnswer, with the beginning of the body, for any status but 200."""
    if response.status_code != requests.codes.ok:
        raise BadAnswer(
            f"{_called(response)} answered {response.status_code}", detail=response.text[:EXCERPT]
        )


def decoded(response: requests.Response) -> object:
    """Return the body's JSON, its texts cleaned, whatever the status. Raises BadAnswer if it is none."""
    try:
        return clean_json(response.json())
    except (ValueError, RecursionError) as exc:  # no JSON, an endless number, lists in lists in lists
        raise BadAnswer(f"{_called(response)} answered no JSON", detail=response.text[:EXCERPT]) from exc


def _json(response: requests.Response) -> object:
    expect_ok(response)
    return decoded(response)


def _called(response: requests.Response) -> str:
    parts = urlsplit(response.url)
    return f"ComfyUI at {parts.netloc.rpartition('@')[2]}{parts.path}"
