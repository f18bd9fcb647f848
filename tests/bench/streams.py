"""What many open streams of events cost one web process, and when the last reader hears of a change."""

from __future__ import annotations

import os
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from apps.common.news import MOST_ENTRIES, STREAM, News, to_fields
from tests.acceptance.farm_fixture import Farm
from tests.bench import rig
from tests.bench.figures import Figure, say, spread

STREAMS, PEOPLE, ROUNDS = 200, 20, 30
AIM_MS = 500.0
"""For the last reader to hear: what a person takes for "at once"."""
AIM_MB = 1.0
AIM_THREADS = 8.0
"""Django's own for the last requests may not have ended yet; 200 would say that each stream keeps one."""
QUIET_S: Final = 0.5

TOKENS = """
from knox.models import AuthToken
from apps.accounts.models import User
people = [User.objects.create_user(f"listener{{n}}", is_superuser=True) for n in range({people})]
answer([AuthToken.objects.create(user=person)[1] for person in people])
"""


def streams() -> Iterator[Figure]:
    """200 readers of one web process."""
    with rig.farm(nodes=1, render_s=0) as farm, ExitStack() as open_ones:
        farm.start("web")
        farm.wait_until(lambda: _answers(farm), "the web side answers")
        farm.rest(*rig.node_processes(farm), "ticker")  # nothing else is told meanwhile
        tokens = farm.coordinate(TOKENS.format(people=PEOPLE))
        first = open_ones.enter_context(_listen(farm, tokens[0]))
        _read_until(first, b"event: hello")
        process = farm.supervisor.children["web"].process
        assert process is not None
        memory, threads = _held(process.pid)
        readers = [
            open_ones.enter_context(_listen(farm, tokens[number % PEOPLE])) for number in range(STREAMS)
        ]
        for reader in readers:
            _read_until(reader, b"event: hello")
        time.sleep(QUIET_S)
        more_memory, more_threads = _held(process.pid)
        busy = _cpu_s(process.pid)
        delays = [_last_hears(farm, readers, number) for number in range(ROUNDS)]
        busy = (_cpu_s(process.pid) - busy) / ROUNDS
    say(f"streams: the last of {STREAMS} hears after {spread(delays)}; {busy * 1000:.0f} ms of CPU each time")
    yield Figure(
        figure=f"change told to the last of {STREAMS} streams",
        value=statistics.median(delays),
        unit="ms",
        against=AIM_MS,
        goal=1.0,
    )
    each = (more_memory - memory) / STREAMS
    yield Figure(figure="memory of an open stream", value=each, unit="MB", against=AIM_MB, goal=1.0)
    yield Figure(
        figure=f"threads that {STREAMS} streams keep",
        value=float(max(0, more_threads - threads)),
        unit="threads",
        against=AIM_THREADS,
        goal=1.0,
    )


def _answers(farm: Farm) -> bool:
    try:
        return bool(farm.get(f"{farm.plan.web_url}/readyz"))
    except OSError:  # nobody listens yet
        return False


def _listen(farm: Farm, token: str) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", farm.plan.web_port), timeout=60)
    made.sendall(f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {token}\r\n\r\n".encode())
    return made


def _read_until(reader: socket.socket, mark: bytes) -> None:
    seen = b""
    while mark not in seen:
        piece = reader.recv(65536)
        if not piece:
            raise ConnectionError(f"the stream ended: {seen[-200:]!r}")
        seen = (seen + piece)[-4096:]


def _last_hears(farm: Farm, readers: list[socket.socket], number: int) -> float:
    """Tell of something; return after how many milliseconds all have heard of it."""
    key = f"change-{number:06}-of-the-bench"
    waiting = [threading.Thread(target=_read_until, args=(one, key.encode())) for one in readers]
    for thread in waiting:
        thread.start()
    begun = time.perf_counter()
    farm.redis.xadd(STREAM, to_fields([News("shot", "film", (key,))]), maxlen=MOST_ENTRIES)
    for thread in waiting:
        thread.join()
    took = (time.perf_counter() - begun) * 1000
    time.sleep(QUIET_S)
    return took


def _held(pid: int) -> tuple[float, int]:
    """Resident memory in MB, and threads."""
    told = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return int(told["VmRSS"].split()[0]) / 1024, int(told["Threads"])


def _cpu_s(pid: int) -> float:
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")
