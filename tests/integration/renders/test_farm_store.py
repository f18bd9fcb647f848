"""A node that shares no disk stores through the web side: its own client against the real views."""

from __future__ import annotations

import hashlib
import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.renders.services import sweep, uploads
from apps.renders.services.keys import attempt_key, input_grant
from apps.renders.services.orders import order_for
from apps.renders.states import AttemptState
from apps.renders.views import MOST_REFUSALS
from apps.review.services.store_marker import ensure_store_marker
from farm import transfer
from farm.contracts import OrderInput, RenderOrder
from farm.transfer import Call, Credentials
from tests.cutting_proxy import CuttingProxy
from tests.integration.renders.scene import press
from tests.small_disk_fixture import SmallDisk, fill
from workers import farm_line
from workers.errors import OrderUnreadable, StoreFull, StoreUnavailable
from workers.farm_store import FarmOrderStore, FarmStore

MIB = 1024**2

pytestmark = [
    # A test server is no ASGI server: it reads the asynchronous stream in one go and says so.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]


@pytest.fixture(autouse=True)
def store(artifact_root: Path, settings: Settings) -> Path:
    settings.MIN_FREE_BYTES = 0
    cache.clear()
    ensure_store_marker()
    return artifact_root


@pytest.fixture
def attempt(job: Job) -> Attempt:
    return new_attempt(job)


def new_attempt(job: Job) -> Attempt:
    return Attempt.objects.create(
        job=job,
        number=1,
        state=AttemptState.EXECUTING,
        token=str(uuid4()),
        queue="vram.8",
        tier_gb=8,
        accept_by=database_now(),
    )


@pytest.fixture
def order(attempt: Attempt) -> RenderOrder:
    return order_for(attempt)


# Signed by hand


def ask(
    attempt_id: UUID,
    method: str,
    resource: str,
    query: str = "",
    *,
    body: bytes = b"",
    key: str = "",
    at: int | None = None,
    sent: dict[str, Any] | None = None,
) -> Any:
    """Send a signed request; ``sent`` replaces what travels after it was signed."""
    call = Call(
        method=method,
        attempt_id=str(attempt_id),
        resource=resource,
        query=query,
        time=int(time.time()) if at is None else at,
        body=hashlib.sha256(body).hexdigest(),
    )
    travels = {"resource": resource, "query": query, "body": body, "attempt": attempt_id, **(sent or {})}
    return Client().generic(
        method,
        f"{transfer.PREFIX}/{travels['attempt']}/{travels['resource']}?{travels['query']}",
        travels["body"],
        headers={"Authorization": str(Credentials.of(call, key or attempt_key(attempt_id)))},
    )


def declared(content: bytes, **more: object) -> str:
    sizes = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **more}
    return "&".join(f"{name}={value}" for name, value in sizes.items())


def put(attempt: Attempt, name: str, content: bytes) -> None:
    """Upload a small file in one piece."""
    appended = ask(attempt.pk, "PUT", f"files/{name}", declared(content, offset=0), body=content)
    assert appended.status_code == 200, appended.content
    finished = ask(attempt.pk, "POST", f"files/{name}", declared(content))
    assert finished.status_code == 200, finished.content


def parts(root: Path) -> list[str]:
    return sorted(path.name for path in (root / uploads.FOLDER).rglob("*.part"))


def test_a_file_appears_under_its_key_when_it_is_finished_and_not_before(
    db: None, attempt: Attempt, order: RenderOrder, store: Path
) -> None:
    final = store / order.artifact_folder / "take.png"
    ask(attempt.pk, "PUT", "files/take.png", declared(b"whole", offset=0), body=b"whole")
    assert not final.exists()
    finished = ask(attempt.pk, "POST", "files/take.png", declared(b"whole"))
    assert finished.json() == {"offset": 5, "complete": True}
    assert final.read_bytes() == b"whole"
    assert parts(store) == []


def test_finishing_and_asking_again_changes_nothing(db: None, attempt: Attempt) -> None:
    put(attempt, "take.png", b"whole")
    assert ask(attempt.pk, "POST", "files/take.png", declared(b"whole")).json()["complete"]
    assert ask(attempt.pk, "GET", "files/take.png", declared(b"whole")).json() == {
        "offset": 5,
        "complete": True,
    }
    assert ask(attempt.pk, "PUT", "files/take.png", declared(b"whole", offset=0), body=b"whole").json() == {
        "offset": 5,
        "complete": False,
    }


def test_a_repeated_piece_is_refused_where_the_file_ends_elsewhere(
    db: None, attempt: Attempt, order: RenderOrder, store: Path
) -> None:
    content = b"first second"
    for expected in (200, 409):
        answer = ask(attempt.pk, "PUT", "files/a.png", declared(content, offset=0), body=b"first ")
        assert answer.status_code == expected
    assert answer.json()["errors"][0] == {
        "field": "offset",
        "value": "0",
        "message": "this upload ends at 6",
        "code": "offset",
    }
    ask(attempt.pk, "PUT", "files/a.png", declared(content, offset=6), body=b"second")
    ask(attempt.pk, "POST", "files/a.png", declared(content))
    assert (store / order.artifact_folder / "a.png").read_bytes() == content


def test_other_bytes_than_were_declared_never_appear(
    db: None, attempt: Attempt, order: RenderOrder, store: Path
) -> None:
    answer = ask(attempt.pk, "PUT", "files/a.png", declared(b"whole", offset=0), body=b"other")
    assert answer.status_code == 200
    refused = ask(attempt.pk, "POST", "files/a.png", declared(b"whole"))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "checksum")
    assert not (store / order.artifact_folder).exists()
    assert parts(store) == []
    put(attempt, "a.png", b"whole")


def test_a_file_that_is_not_whole_cannot_be_finished(db: None, attempt: Attempt) -> None:
    ask(attempt.pk, "PUT", "files/a.png", declared(b"whole", offset=0), body=b"who")
    refused = ask(attempt.pk, "POST", "files/a.png", declared(b"whole"))
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (409, "3 bytes have come")


def test_other_content_under_the_same_name_is_another_upload(
    db: None, attempt: Attempt, order: RenderOrder, store: Path
) -> None:
    ask(attempt.pk, "PUT", "files/manifest.json", declared(b"before", offset=0), body=b"bef")
    put(attempt, "manifest.json", b"after it")
    assert (store / order.artifact_folder / "manifest.json").read_bytes() == b"after it"


# Who may


@pytest.mark.parametrize(
    "sent",
    [
        {"resource": "files/b.png"},
        {"query": declared(b"whole", offset=1)},
        {"query": declared(b"whole", offset=0) + "&more=1"},
        {"attempt": uuid4()},
    ],
    ids=["another name", "another offset", "more in the query", "another attempt"],
)
def test_a_signature_serves_for_nothing_else(db: None, attempt: Attempt, sent: dict[str, Any]) -> None:
    query = declared(b"whole", offset=0)
    answer = ask(attempt.pk, "PUT", "files/a.png", query, body=b"whole", sent=sent)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == transfer.SCHEME
    assert answer["Content-Type"] == "application/problem+json"


def test_another_body_than_the_signed_one_is_not_stored(db: None, attempt: Attempt, store: Path) -> None:
    query = declared(b"whole", offset=0)
    answer = ask(attempt.pk, "PUT", "files/a.png", query, body=b"whole", sent={"body": b"WHOLE"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "body_changed")
    assert parts(store) == []


@pytest.mark.parametrize("age", [-transfer.CLOCK_TOLERANCE_S - 5, transfer.CLOCK_TOLERANCE_S + 5])
def test_an_old_signature_is_refused_and_told_the_time(db: None, attempt: Attempt, age: int) -> None:
    answer = ask(attempt.pk, "GET", "files/a.png", declared(b""), at=int(time.time()) - age)
    assert answer.status_code == 401
    assert abs(int(answer[transfer.TIME_HEADER]) - time.time()) < 60
    assert "clock" in answer.json()["detail"]


def test_nobody_else_gets_in(db: None, attempt: Attempt) -> None:
    path = f"{transfer.PREFIX}/{attempt.pk}/files/a.png"
    assert Client().get(path).status_code == 401
    assert Client().get(path, headers={"Authorization": "Token abc"}).status_code == 401
    other = attempt_key(uuid4())
    assert ask(attempt.pk, "GET", "files/a.png", declared(b""), key=other).status_code == 401
    unknown = uuid4()
    assert ask(unknown, "GET", "files/a.png", declared(b"")).status_code == 401


def test_who_is_refused_too_often_has_to_wait(db: None, attempt: Attempt) -> None:
    path = f"{transfer.PREFIX}/{attempt.pk}/files/a.png"
    client = Client()
    assert {client.get(path).status_code for _ in range(MOST_REFUSALS)} == {401}
    assert client.get(path).status_code == 429
    for at, status in ((None, 200), (int(time.time()) - 3600, 401)):
        signed = ask(attempt.pk, "GET", "files/a.png", declared(b""), at=at)
        assert signed.status_code == status, "a node pays for what a stranger at its address did"


def test_an_attempt_reads_the_inputs_of_its_order_and_nothing_else(db: None, attempt: Attempt) -> None:
    default_storage.save("inputs/mine.png", ContentFile(b"mine"))
    default_storage.save("inputs/other.png", ContentFile(b"other"))

    def read(key: str, grant: str) -> Any:
        return ask(attempt.pk, "GET", "input", f"key={key}&grant={grant}&offset=0")

    mine = read("inputs/mine.png", input_grant(attempt.pk, "inputs/mine.png"))
    assert (mine.status_code, b"".join(mine)) == (200, b"mine")
    assert read("inputs/other.png", input_grant(attempt.pk, "inputs/mine.png")).status_code == 403
    assert read("inputs/other.png", input_grant(uuid4(), "inputs/other.png")).status_code == 403
    assert read("../db.sqlite3", "").status_code == 403
    assert read("inputs/mine.png", "%C3%A9").status_code == 403
    gone = read("inputs/gone.png", input_grant(attempt.pk, "inputs/gone.png"))
    assert gone.status_code == 404


def test_an_order_lets_its_attempt_read_its_inputs(film: Project, coordinator: User, templates: None) -> None:
    order = order_for(new_attempt(press(film, coordinator, "plain_slate")))
    (slate,) = order.inputs
    query = f"key={slate.key}&grant={slate.grant}&offset=0"
    answer = ask(UUID(order.attempt_id), "GET", "input", query)
    assert (answer.status_code, len(b"".join(answer))) == (200, slate.bytes)


@pytest.mark.parametrize("state", [AttemptState.LOST, AttemptState.SUPERSEDED, AttemptState.CANCELLED])
def test_late_work_is_stored_whatever_became_of_the_attempt(
    db: None, attempt: Attempt, state: AttemptState
) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(state=state)
    put(attempt, "take.png", b"late")


def test_an_attempt_whose_report_is_written_stores_nothing_more(db: None, attempt: Attempt) -> None:
    put(attempt, "take.png", b"whole")
    Attempt.objects.filter(pk=attempt.pk).update(
        state=AttemptState.SUCCEEDED, report={"outcome": "succeeded"}
    )
    refused = ask(attempt.pk, "PUT", "files/take.png", declared(b"other", offset=0), body=b"other")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "ended")
    # but an answer that was lost is given again
    assert ask(attempt.pk, "POST", "files/take.png", declared(b"whole")).status_code == 200


# Within bounds


@pytest.mark.parametrize(
    "name", ["..", ".hidden", "a%2Fb.png", "a%5Cb.png", "%00", "x" * 121, "ж.png", "a b"]
)
def test_names_that_are_no_plain_names_are_refused(
    db: None, attempt: Attempt, store: Path, name: str
) -> None:
    answer = ask(attempt.pk, "PUT", f"files/{name}", declared(b"x", offset=0), body=b"x")
    assert answer.status_code in (400, 401, 404)
    assert not (store / uploads.FOLDER).exists()
    assert not (store / "attempts").exists()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (f"size={transfer.MAX_FILE_BYTES + 1}&sha256={'0' * 64}&offset=0", "size"),
        (f"size=-1&sha256={'0' * 64}&offset=0", "size"),
        (f"size=1&sha256={'Z' * 64}&offset=0", "sha256"),
        (f"size=1&sha256={'0' * 64}", "offset"),
        (f"size=1&sha256={'0' * 64}&offset=1", "offset"),
        (f"sha256={'0' * 64}&offset=0", "size"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    db: None, attempt: Attempt, query: str, field: str
) -> None:
    answer = ask(attempt.pk, "PUT", "files/a.png", query, body=b"x")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_a_piece_above_the_bound_is_refused(db: None, attempt: Attempt) -> None:
    piece = bytes(transfer.CHUNK_BYTES + 1)
    answer = ask(attempt.pk, "PUT", "files/a.png", declared(piece, offset=0), body=piece)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "too_large")


def test_an_attempt_stores_no_more_than_its_bound(
    db: None, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "MAX_ATTEMPT_BYTES", 8)
    put(attempt, "a.png", b"12345")
    refused = ask(attempt.pk, "PUT", "files/b.png", declared(b"6789", offset=0), body=b"6789")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "too_large")
    put(attempt, "a.png", b"123")  # in place of what it stored before
    monkeypatch.setattr(transfer, "MAX_ATTEMPT_FILES", 1)
    refused = ask(attempt.pk, "PUT", "files/b.png", declared(b"6", offset=0), body=b"6")
    assert refused.json()["errors"][0]["field"] == "name"


def test_an_upload_nobody_continues_is_removed_after_a_day(db: None, attempt: Attempt, store: Path) -> None:
    ask(attempt.pk, "PUT", "files/a.png", declared(b"whole", offset=0), body=b"who")
    cache.clear()
    sweep.sweep()
    assert parts(store)
    folder = store / uploads.FOLDER / str(attempt.pk)
    before = time.time() - uploads.ABANDONED_S - 60
    for path in (*folder.iterdir(), folder):
        os.utime(path, (before, before))
    cache.clear()  # as ten minutes later
    sweep.sweep()
    assert not folder.exists()


def test_a_store_that_is_not_mounted_takes_nothing(db: None, attempt: Attempt, store: Path) -> None:
    (store / ".shotfarm-store").unlink()
    answer = ask(attempt.pk, "PUT", "files/a.png", declared(b"whole", offset=0), body=b"whole")
    assert answer.status_code == 503
    assert list(store.iterdir()) == []


# A store that is really full


@pytest.fixture
def small_store(small_disk: SmallDisk, settings: Settings) -> Path:
    disk = small_disk(8)
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(disk)}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    ensure_store_marker()
    return disk


def test_a_full_store_answers_507_and_takes_the_upload_up_again_when_there_is_room(
    small_store: Path, db: None, attempt: Attempt, order: RenderOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(6 * MIB)
    first, second = content[: 3 * MIB], content[3 * MIB :]
    sent = ask(attempt.pk, "PUT", "files/a.bin", declared(content, offset=0), body=first)
    assert sent.status_code == 200
    ballast = fill(small_store, leave=MIB)
    monkeypatch.setattr(uploads, "_need_room", lambda *_: None)  # else it is refused before it is written
    full = ask(attempt.pk, "PUT", "files/a.bin", declared(content, offset=3 * MIB), body=second)
    assert full.status_code == 507
    assert full.json()["errors"][0]["field"] == "store"
    assert "full" in full.json()["detail"]
    standing = ask(attempt.pk, "GET", "files/a.bin", declared(content)).json()
    assert standing == {"offset": 3 * MIB, "complete": False}, "half a piece stayed behind"
    ballast.unlink()
    sent = ask(attempt.pk, "PUT", "files/a.bin", declared(content, offset=3 * MIB), body=second)
    assert sent.status_code == 200
    assert ask(attempt.pk, "POST", "files/a.bin", declared(content)).status_code == 200
    assert (small_store / order.artifact_folder / "a.bin").read_bytes() == content


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file grows beyond this size: a disk that is full to the byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("lacking", [1, 1_000, 20_000])
def test_a_piece_that_does_not_fit_by_a_few_bytes_leaves_nothing(
    db: None, attempt: Attempt, store: Path, lacking: int
) -> None:
    content = os.urandom(60_000)
    file = uploads.Declared(name="a.bin", size=len(content), sha256=hashlib.sha256(content).hexdigest())
    uploads.append(attempt, file, offset=0, piece=content[:20_000])
    with room_for(len(content) - lacking), pytest.raises(OSError, match="too large"):
        uploads.append(attempt, file, offset=20_000, piece=content[20_000:])
    assert uploads.standing(attempt, file).offset == 20_000
    uploads.append(attempt, file, offset=20_000, piece=content[20_000:])
    uploads.finish(attempt, file)


def test_a_file_that_will_not_fit_is_refused_at_its_first_piece(
    small_store: Path, db: None, attempt: Attempt
) -> None:
    query = f"size={20 * MIB}&sha256={'0' * 64}&offset=0"
    assert ask(attempt.pk, "PUT", "files/a.bin", query, body=b"x").status_code == 507
    assert parts(small_store) == []


def test_a_full_store_shows_it_to_nodes_before_they_render(
    small_store: Path, db: None, settings: Settings
) -> None:
    path = f"{transfer.PREFIX}/{transfer.MARKER}"
    settings.MIN_FREE_BYTES = 2 * MIB
    assert Client().get(path).status_code == 200
    ballast = fill(small_store, leave=MIB)
    assert Client().get(path).status_code == 507
    ballast.unlink()
    assert Client().get(path).content == (small_store / ".shotfarm-store").read_bytes()


# The node's own client, over a real connection


@pytest.fixture
def line(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[CuttingProxy]:
    monkeypatch.setattr(farm_line, "FIRST_PAUSE_S", 0.01)
    proxy = CuttingProxy(int(live_server.url.rpartition(":")[2]))
    yield proxy
    proxy.close()


@pytest.fixture
def node(line: CuttingProxy, transactional_db: None, order: RenderOrder) -> FarmOrderStore:
    return FarmStore(line.url).of(order)


@pytest.mark.django_db(transaction=True)
def test_a_cut_upload_goes_on_where_it_was(
    node: FarmOrderStore, line: CuttingProxy, order: RenderOrder, store: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(os.urandom(5 * transfer.CHUNK_BYTES + 77))
    line.cut_after_sent(4 * transfer.CHUNK_BYTES + transfer.CHUNK_BYTES // 2)
    node.put(clip, f"{order.artifact_folder}/clip.mp4")
    assert line.cuts == 1
    assert line.sent < clip.stat().st_size + transfer.CHUNK_BYTES, "it was sent from the beginning again"
    assert (store / order.artifact_folder / "clip.mp4").read_bytes() == clip.read_bytes()


@pytest.mark.django_db(transaction=True)
def test_a_piece_whose_answer_was_lost_is_not_stored_twice(
    node: FarmOrderStore, line: CuttingProxy, order: RenderOrder, store: Path
) -> None:
    content = os.urandom(2 * transfer.CHUNK_BYTES)

    line.swallow_answer_after_sent(transfer.CHUNK_BYTES)
    node.write(content, f"{order.artifact_folder}/clip.mp4")
    assert line.cuts == 1
    assert (store / order.artifact_folder / "clip.mp4").read_bytes() == content


@pytest.mark.django_db(transaction=True)
def test_a_cut_download_goes_on_where_it_was(
    line: CuttingProxy, transactional_db: None, attempt: Attempt, order: RenderOrder
) -> None:
    content = os.urandom(6 * MIB)
    default_storage.save("inputs/plate.png", ContentFile(content))
    item = OrderInput(
        node="5",
        input="image",
        key="inputs/plate.png",
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        grant=input_grant(attempt.pk, "inputs/plate.png"),
    )
    node = FarmStore(line.url).of(RenderOrder(**{**_fields(order), "inputs": (item,)}))
    line.cut_after_answered(3 * MIB)
    with node.reading("inputs/plate.png") as file:
        found = file.read()
    assert line.cuts == 1
    assert found == content
    assert line.answered < len(content) + 2 * MIB


def _fields(order: RenderOrder) -> dict[str, Any]:
    return {name: getattr(order, name) for name in order.__dataclass_fields__}


@pytest.mark.django_db(transaction=True)
def test_a_node_whose_clock_is_wrong_follows_the_farms(
    node: FarmOrderStore, order: RenderOrder, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    monkeypatch.setattr("workers.farm_line.time.time", lambda: real() - 86_400 if _is_node() else real())
    node.write(b"report", f"{order.artifact_folder}/manifest.json")
    assert (store / order.artifact_folder / "manifest.json").read_bytes() == b"report"


def _is_node() -> bool:
    return threading.current_thread() is threading.main_thread()


@pytest.mark.django_db(transaction=True)
def test_a_node_says_what_a_refusing_farm_said(
    node: FarmOrderStore, attempt: Attempt, order: RenderOrder, small_store: Path
) -> None:
    fill(small_store, leave=MIB)
    with pytest.raises(StoreFull, match=r"artifact store is full; make room there.*said by http"):
        node.write(bytes(2 * MIB), f"{order.artifact_folder}/a.png")
    Attempt.objects.filter(pk=attempt.pk).update(report={"outcome": "failed"})
    with pytest.raises(StoreUnavailable, match=r"409.*its files stay"):
        node.write(b"x", f"{order.artifact_folder}/a.png")
    with pytest.raises(OrderUnreadable, match="no file of this attempt's folder"):
        node.write(b"x", "attempts/OTHER/a.png")
    with pytest.raises(FileNotFoundError), node.reading("inputs/other.png"):
        pass


@pytest.mark.django_db(transaction=True)
def test_a_node_without_an_order_sees_whether_the_store_is_there(
    line: CuttingProxy, live_server: LiveServer, store: Path
) -> None:
    farm = FarmStore(live_server.url)
    assert farm.check() == ""
    (store / ".shotfarm-store").unlink()
    assert "shows no marker" in farm.check()
    line.close()
    assert "cannot be reached" in FarmStore(line.url).check()


@pytest.mark.django_db(transaction=True)
def test_appends_at_the_same_moment_take_turns(
    live_server: LiveServer, attempt: Attempt, order: RenderOrder, store: Path
) -> None:
    content = os.urandom(transfer.CHUNK_BYTES * 3)
    failures: list[Exception] = []

    def write() -> None:
        try:
            FarmStore(live_server.url).of(order).write(content, f"{order.artifact_folder}/clip.mp4")
        except StoreUnavailable as exc:
            failures.append(exc)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (store / order.artifact_folder / "clip.mp4").read_bytes() == content


def test_nothing_is_replaced_once_the_report_was_written_while_a_file_was_checked(
    db: None, attempt: Attempt, order: RenderOrder, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(attempt, "take.png", b"first")
    ask(attempt.pk, "PUT", "files/take.png", declared(b"second", offset=0), body=b"second")
    check = uploads._verify

    def the_report_comes_meanwhile(part: Path, file: uploads.Declared) -> None:
        check(part, file)
        Attempt.objects.filter(pk=attempt.pk).update(report={"outcome": "succeeded"})

    monkeypatch.setattr(uploads, "_verify", the_report_comes_meanwhile)
    refused = ask(attempt.pk, "POST", "files/take.png", declared(b"second"))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "ended")
    assert (store / order.artifact_folder / "take.png").read_bytes() == b"first"
