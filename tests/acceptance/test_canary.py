"""Secrets stay where they belong: a farm that works, fails and breaks tells none of them to anybody.

Every secret of a test farm is a random text, hence its own canary. They are looked for, plain and inside
base64 (how messages travel), in everything the farm writes, sends and shows.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from farm.demo.processes import ROOT, coordinator_environment, plain_environment
from tests.acceptance.farm_fixture import Farm

pytestmark = [pytest.mark.timeout(400), pytest.mark.production]

MakeFarm = Callable[..., Farm]
SMALL: Final = "template='sd15_t2i', width=512, height=288"
KNOBS: Final = ("--seconds-per-step", "0.2", "--model-load-seconds", "0")
TYPED: Final = "typed-by-mistake-7Qw"
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")

KEYS: Final = """
from apps.renders.models import Attempt
from apps.renders.services.keys import attempt_key
answer([attempt_key(pk) for pk in Attempt.objects.values_list("pk", flat=True)])
"""
TOKEN: Final = """
from apps.accounts.models import User
from knox.models import AuthToken
answer(AuthToken.objects.create(user=User.objects.get(username="admin"))[1])
"""
CANCEL: Final = """
from apps.accounts.models import User
from apps.renders.models import Job
from apps.renders.services.control import cancel
job = Job.objects.order_by("-created_at").first()
answer(cancel(job, user=User.objects.get(username="admin")))
"""
SUMMARY: Final = """
from apps.renders.models import RenderBatch
from farm.demo import summary
batches = list(RenderBatch.objects.all())
answer(summary.content(batches, seconds=1, peak_rss_mb={}, simulated=True))
"""


def unfolded(text: bytes) -> bytes:
    """A text, and behind it whatever it holds in base64."""
    inner = []
    for run in _BASE64.findall(text):
        try:
            inner.append(base64.b64decode(run, validate=True))
        except ValueError:
            continue
    return b"\n".join((text, *inner))


class Search:
    """What was found where. ``seen`` names every place that was looked at."""

    def __init__(self) -> None:
        self.places: dict[str, bytes] = {}

    def look(self, place: str, text: bytes | str) -> None:
        raw = text.encode() if isinstance(text, str) else text
        self.places[place] = self.places.get(place, b"") + unfolded(raw)

    def of(self, secret: str) -> list[str]:
        return [place for place, text in self.places.items() if secret.encode() in text]


def broker_contents(studio: Farm) -> Iterator[tuple[str, bytes]]:
    """Every key of the broker with its value, whatever its type. One may expire meanwhile."""
    client = redis.Redis.from_url(studio.plan.broker_url)
    read: dict[str, Callable[[bytes], object]] = {
        "string": client.get,
        "list": lambda key: client.lrange(key, 0, -1),
        "hash": client.hgetall,
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "stream": client.xrange,
    }
    with client:
        for key in client.scan_iter():
            kind: Any = client.type(key)
            if kind != b"none":
                yield key.decode(), key + b" " + repr(read[kind.decode()](key)).encode()


def look_into_broker(search: Search, studio: Farm, when: str) -> None:
    for key, value in broker_contents(studio):
        search.look(f"broker, {when}: {key}", value)


def look_at_processes(search: Search, studio: Farm) -> None:
    groups = {child.process.pid for child in studio.supervisor.children.values() if child.process}
    assert len(groups) >= 7, "each leads a group of its own, its children included"
    seen = set()
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            pid = int(line.parent.name)
            group = os.getpgid(pid)
            search.look(f"arguments of process {pid}", line.read_bytes() if group in groups else b"")
        except OSError:
            continue  # it has just ended
        seen |= {group} & groups
    assert seen == groups


def look_at_flower(search: Search, studio: Farm, login: str) -> None:
    workers = studio.get(f"{studio.plan.flower_url}/api/workers?refresh=1", login=login)
    assert len(workers) >= 3
    tasks = studio.get(f"{studio.plan.flower_url}/api/tasks?limit=1000", login=login)
    pages = ["/", "/workers", "/tasks", "/broker", "/metrics", "/healthcheck", "/api/queues/length"]
    pages += ["/api/workers?refresh=1", "/api/tasks?limit=1000"]
    pages += [f"/worker/{name}" for name in workers]
    renders = [uuid for uuid, task in tasks.items() if task["name"] in ("shotfarm.render", "shotfarm.claim")]
    assert len(renders) >= 4
    pages += [f"/{kind}/{task}" for task in renders for kind in ("task", "api/task/info")]
    for page in pages:
        search.look(f"Flower {page}", fetched(f"{studio.plan.flower_url}{page}", login=login))


def fetched(
    url: str, *, login: str = "", method: str = "GET", headers: dict[str, str] | None = None
) -> bytes:
    """An answer with its headers, whatever its status."""
    request = urllib.request.Request(url, method=method, headers=headers or {})
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.headers).encode() + bytes(answer.read())
    except urllib.error.HTTPError as refused:
        return str(refused.headers).encode() + refused.read()


def logs_say(studio: Farm, *words: str) -> bool:
    told = "".join(log.read_text(errors="replace") for log in studio.home.logs.glob("*.log"))
    return any(word in told for word in words)


def until(studio: Farm, condition: Callable[[], object], what: str) -> None:
    """Wait while processes die and start again, as they do without a broker."""
    deadline = time.monotonic() + 60
    while not condition():
        studio.supervisor.tend()
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.1)


@pytest.mark.long
def test_no_secret_is_told_by_a_farm_that_works_fails_and_breaks(farm: MakeFarm) -> None:
    studio = farm(vram=[8], knobs=(*KNOBS, "--faults"))
    secrets, search = studio.home.secrets, Search()
    login = f"admin:{secrets.flower}"
    studio.start()
    studio.wait_until(lambda: b"ok" in _quiet(f"{studio.plan.web_url}/healthz"), "the web side answers")
    token = str(studio.coordinate(TOKEN))
    authorized = {"Authorization": f"Token {token}"}
    login_url = f"{studio.plan.web_url}/api/v1/auth/login"
    search.look("a login", fetched(login_url, login=f"admin:{TYPED}", method="POST"))
    search.look("the API", fetched(f"{studio.plan.web_url}/api/v1/nodes", headers=authorized))
    search.look("/readyz", fetched(f"{studio.plan.web_url}/readyz"))

    # a render, and one whose ComfyUI is killed under it
    studio.submit(shots=1, step=SMALL, key="good")
    studio.wait_until(lambda: studio.states() == ["succeeded"], "the first job has succeeded")
    studio.arm(0, "hang:node=SaveImage")  # it executes until it is killed
    studio.submit(shots=1, step=f"{SMALL}, seed=77", key="bad")  # the same once more would be a cache hit
    studio.wait_until(lambda: studio.comfyui(0, "/queue")["queue_running"], "ComfyUI executes")
    for started in (studio.home.folder / "spool").rglob("started/*.json"):
        search.look("spool, a render goes on", started.read_bytes())
    studio.kill("comfyui-gpu8-sim")
    studio.wait_until(lambda: "failed" in studio.states("renders_attempt"), "an attempt has failed")
    studio.wait_until(lambda: studio.states() == ["succeeded"] * 2, "the second job has succeeded")

    # an order that waits in the broker while its node is down, and whose claim is refused
    studio.kill("gpu8-sim")
    studio.rest("gpu8-sim")
    studio.submit(shots=1, step=f"{SMALL}, seed=78", key="refused")
    studio.wait_until(lambda: studio.redis.llen("vram.8"), "the order waits in its queue")
    look_into_broker(search, studio, "an order waits")
    assert studio.coordinate(CANCEL)
    studio.start("gpu8-sim")
    studio.wait_until(lambda: not studio.redis.llen("vram.8"), "the node takes the order")
    studio.wait_until(
        lambda: studio.rows("SELECT 1 FROM renders_attempt WHERE holds_slot") == [], "the node drops it"
    )

    tasks_url = f"{studio.plan.flower_url}/api/tasks"
    studio.wait_until(lambda: b"shotfarm.render" in _quiet(tasks_url, login), "Flower knows the renders")
    look_at_flower(search, studio, login)
    look_into_broker(search, studio, "all is done")
    look_at_processes(search, studio)
    search.look("the demo's summary", str(studio.coordinate(SUMMARY)))

    # the broker comes back with another password, and not at all
    studio.rest("broker")
    config = studio.home.folder / "broker" / "valkey.conf"
    right = config.read_text()
    config.write_text(right.replace(secrets.broker, "another"))
    studio.supervisor.start("broker")
    until(studio, lambda: logs_say(studio, "WRONGPASS", "invalid username-password"), "a password is refused")
    search.look("/readyz without its broker", fetched(f"{studio.plan.web_url}/readyz"))
    studio.rest("broker")
    until(studio, lambda: logs_say(studio, "Connection refused"), "nobody listens")
    search.look("/readyz without a broker", fetched(f"{studio.plan.web_url}/readyz"))

    keys = studio.coordinate(KEYS)
    studio.rest()
    for log in studio.home.logs.iterdir():
        search.look(f"log {log.name}", log.read_bytes())
    search.look("the database", studio.database.content())
    for part in (*studio.home.artifacts.rglob("*"), *(studio.home.folder / "spool").rglob("*")):
        if part.is_file():
            search.look(f"file {part.relative_to(studio.home.folder)}", part.read_bytes())

    # the search finds what is there: in logs, in the broker, in arguments, in Flower, in the database
    assert any(place.startswith("log gpu8-sim") for place in search.of("gpu8-sim"))
    assert any("all is done" in place for place in search.of("celery-task-meta-"))
    assert any(place.startswith("arguments") for place in search.of("farm.asgi:application"))
    assert any(place.startswith("Flower /api/tasks") for place in search.of("shotfarm.render"))
    assert "the database" in search.of("admin")
    assert search.of("pbkdf2_sha256") == ["the database"]

    told = {
        name: search.of(secret)
        for name, secret in {
            "broker password": secrets.broker,
            "Django key": secrets.django_key,
            "Flower password": secrets.flower,
            "admin's password": secrets.admin,
            "coordinator's password": secrets.coordinator,
            "viewer's password": secrets.viewer,
            "API token": token,
            "a password typed wrongly": TYPED,
        }.items()
    }
    assert not any(told.values()), told

    # An order carries its attempt's report key: in the body of its message and, until it is reported, in
    # the node's spool; nowhere else.
    assert len(keys) >= 4
    places = [place for key in keys for place in search.of(key)]
    assert sorted(places) == ["broker, an order waits: vram.8", "spool, a render goes on"]
    (waiting,) = [key for key in keys if "broker, an order waits: vram.8" in search.of(key)]
    message = search.places["broker, an order waits: vram.8"]
    headers = message.split(b'"headers"', 1)[1]
    assert b"argsrepr" in headers
    assert waiting.encode() not in headers.split(b'"properties"', 1)[0]


def _quiet(url: str, login: str = "") -> bytes:
    try:
        return fetched(url, login=login)
    except OSError:
        return b""


def test_an_unreachable_or_refusing_database_is_named_without_its_password(farm: MakeFarm) -> None:
    studio = farm(vram=[], knobs=())
    secret = "pg-canary-8Kd2"
    for url in (
        f"postgresql://farm:{secret}@127.0.0.1:1/farm",
        f"postgresql://farm:{secret}@host.invalid:5432/farm",
        f"mysql://farm:{secret}@127.0.0.1/farm",
        f"postgresql://farm:{secret}@127.0.0.1:port/farm",
        f"postgresql://farm:{secret}/rest@127.0.0.1/farm",
        f"postgresql://farm:{secret}[rest@127.0.0.1/farm",
    ):
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "migrate", "--check"],
            env=coordinator_environment(studio.plan) | {"DATABASE_URL": url},
            cwd=ROOT,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode != 0, url
        assert done.stderr
        assert secret.encode() not in done.stdout + done.stderr, url


def test_a_wrong_broker_address_is_refused_without_its_password(farm: MakeFarm) -> None:
    studio = farm(vram=[], knobs=())
    secret = "broker-canary-3Xp9"
    ours = coordinator_environment(studio.plan)
    theirs = plain_environment() | {"SHOTFARM_ARTIFACTS": str(studio.home.artifacts)}
    celery = (sys.executable, "-m", "celery", "-A")
    for url in (f"http://:{secret}@127.0.0.1:1/0", f":{secret}@host", f"redis://:{secret}#rest@127.0.0.1/0"):
        for env, command in (
            (ours, (sys.executable, str(ROOT / "manage.py"), "check")),
            (ours, (*celery, "farm", "inspect", "ping", "--timeout", "1")),
            (theirs, (*celery, "workers", "inspect", "ping", "--timeout", "1")),
        ):
            done = subprocess.run(
                command, env=env | {"REDIS_URL": url}, cwd=ROOT, capture_output=True, check=False, timeout=60
            )
            assert secret.encode() not in done.stdout + done.stderr, (url, command)
