"""A transport-level server for the faults that a whole ComfyUI does not show on demand."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request: counted, then answered by the script of its method and path."""

    protocol_version = "HTTP/1.1"
    server: ScriptedServer

    def do_GET(self) -> None:
        self._play()

    def do_POST(self) -> None:
        self._play()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def json(self, body: object, status: int = 200) -> None:
        self.bytes(json.dumps(body).encode(), status, "application/json")

    def bytes(self, content: bytes, status: int = 200, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def cut(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _play(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        is_json = self.headers.get("Content-Type") == "application/json"
        self.body: Any = json.loads(content) if is_json else content
        request = f"{self.command} {self.path.partition('?')[0]}"
        self.server.requests.append(request)
        answers = self.server.script.get(request, [lambda handler: handler.bytes(b"404: Not Found", 404)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer(self)


class ScriptedServer(ThreadingHTTPServer):
    """``script``: answers by "METHOD /path", played in order, the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: dict[str, list[Answer]] = {}
        self.requests: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, request: str) -> int:
        return self.requests.count(request)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


def says(body: object, status: int = 200) -> Answer:
    """Answer with JSON."""
    return lambda handler: handler.json(body, status)


def cuts(handler: Handler) -> None:
    """Close the connection."""
    handler.cut()


def stalls(release: threading.Event) -> Answer:
    """Say nothing until released, at most 10 s, then close the connection."""

    def answer(handler: Handler) -> None:
        release.wait(10)
        handler.cut()

    return answer
