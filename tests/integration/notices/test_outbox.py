"""Every event is told once: however transactions overlap, whoever reads, wherever a reader is stopped."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.models import StateEvent
from apps.notices.kinds import Kind
from apps.notices.models import BatchEnd, Cursor, Notice, Subscription
from apps.notices.services import announcing, reading
from apps.notices.services.reading import read_turn
from apps.renders.models import Job
from apps.renders.states import JobState
from tests.integration.notices.scene import batch_of, closes, ends, inbox, jobs_of, subscribes
from tests.integration.renders.elsewhere import Elsewhere, from_elsewhere

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def read_everything(*, page: int = reading.PAGE) -> int:
    """Read until nothing is left; return how many events were read."""
    total = 0
    while count := read_turn(page=page):
        total += count
    return total


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def failures(people: dict[str, User]) -> Subscription:
    """The coordinator wants to hear of every failed job."""
    return subscribes(people["coordinator"], Kind.JOB_FAILED)


def test_what_happened_is_told_once(people: dict[str, User], shot: Any) -> None:
    ends(batch_of(people["coordinator"], shot, jobs=3))
    assert read_everything() == 3
    assert [kind for kind, _code, _count in inbox(people["coordinator"])] == ["batch.done"]
    assert read_everything() == 0
    assert Notice.objects.count() == 1


def test_an_event_that_commits_late_with_an_earlier_key_is_told(
    people: dict[str, User], shot: Any, failures: Subscription
) -> None:
    """Two transactions: the first draws the earlier key and commits last."""
    if connection.vendor == "sqlite":
        pytest.skip("one writer at a time: keys are drawn in the order of commits")
    first, second = jobs_of(batch_of(people["coordinator"], shot, jobs=2))
    with transaction.atomic():
        closes(first, JobState.FAILED)
        early = StateEvent.objects.get(subject=first.pk)
        from_elsewhere(lambda: closes(second, JobState.FAILED))
        late = from_elsewhere(lambda: StateEvent.objects.get(subject=second.pk))
        assert early.pk < late.pk, "the injected order: the earlier key is not committed yet"
        from_elsewhere(read_everything)
        assert from_elsewhere(lambda: not StateEvent.objects.filter(pk=early.pk).exists())
    read_everything()
    (notice,) = Notice.objects.filter(kind=Kind.JOB_FAILED)
    assert sorted(item["code"] for item in notice.items) == [first.code, second.code]
    assert notice.count == 2


def test_a_transaction_that_wrote_before_all_others_and_its_event_last_is_told(
    people: dict[str, User], shot: Any, failures: Subscription
) -> None:
    """Its number is the lowest, its key the highest: neither order alone would find it."""
    if connection.vendor == "sqlite":
        pytest.skip("one writer at a time")
    first, second, third = jobs_of(batch_of(people["coordinator"], shot, jobs=3))
    with transaction.atomic():
        Job.objects.filter(pk=first.pk).update(doing="has a transaction number now")
        from_elsewhere(lambda: closes(second, JobState.FAILED))
        from_elsewhere(read_everything)
        closes(first, JobState.FAILED)
        from_elsewhere(lambda: closes(third, JobState.FAILED))
        from_elsewhere(read_everything)
    read_everything()
    events = {event.subject: event for event in StateEvent.objects.filter(to_state="failed")}
    assert events[first.pk].xact < events[second.pk].xact
    assert events[first.pk].pk > events[second.pk].pk
    assert sum(notice.count for notice in Notice.objects.filter(kind=Kind.JOB_FAILED)) == 3


def test_many_writers_and_many_readers_at_once_tell_each_event_once(
    people: dict[str, User], shot: Any, failures: Subscription
) -> None:
    batch = batch_of(people["coordinator"], shot, jobs=48)
    jobs = jobs_of(batch)
    writing = threading.Event()
    overlapped: list[int] = []

    def write(part: list[Job]) -> None:
        for job in part:
            with transaction.atomic():
                closes(job, JobState.FAILED)

    def read() -> int:
        total = 0
        while not writing.is_set():
            total += read_turn(page=3)
            overlapped.append(total)
        return total

    readers = [Elsewhere(read) for _ in range(3)]
    writers = [Elsewhere(partial(write, jobs[n::4])) for n in range(4)]
    for writer in writers:
        writer.answer()
    writing.set()
    by_readers = [reader.answer() for reader in readers]
    read_everything(page=3)
    told = [item["code"] for notice in Notice.objects.filter(kind="job.failed") for item in notice.items]
    assert sum(notice.count for notice in Notice.objects.filter(kind="job.failed")) == 48
    assert len(told) == len(set(told))
    assert Notice.objects.filter(kind="batch.failed").count() == 1
    assert sum(by_readers) > 0, "nothing was read while others wrote"


def test_a_transaction_that_stays_open_holds_notices_up_and_the_log_says_so(
    people: dict[str, User], shot: Any, failures: Subscription, caplog: pytest.LogCaptureFixture
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("one writer at a time")
    first, second = jobs_of(batch_of(people["coordinator"], shot, jobs=2))
    with transaction.atomic():
        Job.objects.filter(pk=second.pk).update(doing="an import that takes all night")
        from_elsewhere(lambda: closes(first, JobState.FAILED))
        assert from_elsewhere(read_everything) == 0
        assert not from_elsewhere(reading.held_up), "not yet for long"
        long_ago = database_now() - 2 * reading.PATIENCE
        from_elsewhere(lambda: StateEvent.objects.filter(subject=first.pk).update(at=long_ago))
        assert from_elsewhere(reading.held_up)
        assert "notices are held up" in caplog.text
    assert read_everything() == 1
    assert not reading.held_up()


STEPS = (
    (announcing, "occurrences_in"),
    (announcing, "Audience"),
    (announcing, "_add"),
    (reading, "announce"),
    (reading, "_move_on"),
)


@pytest.mark.parametrize("after", (False, True), ids=("before", "after"))
@pytest.mark.parametrize(("module", "step"), STEPS, ids=[step for _module, step in STEPS])
def test_a_reader_killed_between_its_steps_tells_nothing_twice_and_leaves_nothing_out(
    people: dict[str, User],
    shot: Any,
    failures: Subscription,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    step: str,
    after: bool,
) -> None:
    jobs = jobs_of(batch_of(people["coordinator"], shot, jobs=3))
    closes(jobs[0], JobState.FAILED)
    read_everything()
    closes(jobs[1], JobState.FAILED)
    closes(jobs[2])
    real = getattr(module, step)
    deaths = []

    def dies(*args: Any, **kwargs: Any) -> Any:
        deaths.append(step)
        if after:
            real(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(module, step, dies)
    with pytest.raises(Killed):
        read_turn()
    monkeypatch.undo()
    assert deaths == [step]
    assert inbox(people["coordinator"]) == [("job.failed", jobs[0].batch.code, 1)], "nothing of it happened"
    assert not BatchEnd.objects.exists()
    read_everything()
    assert inbox(people["coordinator"]) == [
        ("job.failed", jobs[0].batch.code, 2),
        ("batch.failed", jobs[0].batch.code, 1),
    ]


def test_while_one_process_reads_another_leaves_the_events_to_it(people: dict[str, User], shot: Any) -> None:
    ends(batch_of(people["coordinator"], shot, jobs=1))
    if connection.vendor == "sqlite":
        pytest.skip("a second writer waits for the first: see the test with many readers")
    with transaction.atomic():
        assert reading._locked_place() is not None
        assert from_elsewhere(read_turn) == 0, "and does not wait"
    assert read_everything() == 1


def test_a_turn_is_bounded_and_the_rest_is_read_in_the_next(people: dict[str, User], shot: Any) -> None:
    ends(batch_of(people["coordinator"], shot, jobs=7))
    assert [read_turn(page=3) for _ in range(4)] == [3, 3, 1, 0]
    assert [kind for kind, _code, _count in inbox(people["coordinator"])] == ["batch.done"]


def test_a_turn_with_nothing_new_takes_no_lock(people: dict[str, User], shot: Any) -> None:
    with transaction.atomic():
        Cursor.objects.select_for_update().get(pk=1)
        other = Elsewhere(read_turn)
        assert other.answer() == 0


def test_a_database_restored_into_a_younger_server_is_read_from_where_it_stands(
    people: dict[str, User], shot: Any
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("its events carry no transaction numbers")
    coordinator = people["coordinator"]
    ends(batch_of(coordinator, shot, jobs=1))
    read_everything()
    told_before = len(inbox(coordinator))
    # The backup came from a server that had given far higher numbers.
    StateEvent.objects.update(xact=2**40)
    Cursor.objects.update(xact=2**40)
    ends(batch_of(coordinator, shot, jobs=1))
    read_everything()
    read_everything()
    assert len(inbox(coordinator)) == told_before + 1
    ends(batch_of(coordinator, shot, jobs=1))
    read_everything()
    assert len(inbox(coordinator)) == told_before + 2
