"""A TCP proxy that cuts connections when it is told to, and counts what it did."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Final

BLOCK: Final = 64 * 1024


class CuttingProxy:
    """Forwards to one server. ``sent`` counts bytes from clients, ``answered`` those to them.

    ``cut_after_sent`` and ``cut_after_answered`` arm one cut: of every connection, after so many further
    bytes in that direction. ``swallow_answer_after_sent``: the answer to what was sent then goes nowhere.
    """

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.sent = self.answered = self.cuts = 0
        self._cut_sent: int | None = None
        self._cut_answered: int | None = None
        self._swallow_after: int | None = None
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut_after_sent(self, count: int) -> None:
        self._cut_sent = self.sent + count

    def cut_after_answered(self, count: int) -> None:
        self._cut_answered = self.answered + count

    def swallow_answer_after_sent(self, count: int) -> None:
        self._swallow_after = self.sent + count

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for a client
        self._listener.close()
        self._drop_all()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._target)
                except OSError:
                    client.close()
                    continue
                with self._lock:
                    self._open += [client, server]
                for source, target, up in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pump, args=(source, target, up), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(BLOCK):
                if self._is_cut(len(piece), up=up):
                    self._drop_all()
                    return
                target.sendall(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _is_cut(self, count: int, *, up: bool) -> bool:
        with self._lock:
            if up:
                self.sent += count
                cut = self._cut_sent is not None and self.sent > self._cut_sent
            else:
                self.answered += count
                swallow = self._swallow_after is not None and self.sent > self._swallow_after
                cut = swallow or (self._cut_answered is not None and self.answered > self._cut_answered)
            if cut:
                self._cut_sent = self._cut_answered = self._swallow_after = None
                self.cuts += 1
            return cut

    def _drop_all(self) -> None:
        with self._lock:
            ends, self._open = self._open, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
