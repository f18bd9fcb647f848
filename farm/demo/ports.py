"""Ports on the loopback: the usual one when it is free, else any."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def choose(usual: int, *, taken: set[int]) -> int:
    """Return ``usual`` if nobody listens there and it is not in ``taken``, else a free port.

    The choice is added to ``taken``.
    """
    if usual in taken or not _is_free(usual):
        return any_free(taken=taken)
    taken.add(usual)
    return usual


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def any_free(*, taken: set[int]) -> int:
    """Return a port that nobody uses and that is not in ``taken``, to which it is added."""
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            taken.add(port)
            return port
