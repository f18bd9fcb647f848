"""How long a job would wait that joined the line of a tier now: counted of all films, told of none."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.nodes.models import Node, Pool
from apps.nodes.states import Desired
from apps.projects.models import Project
from apps.renders.models import Hold, Job, Priority
from apps.renders.outlook import Outlook
from apps.renders.tierwaits import TierWait, length_text, tier_waits
from tests.factories import MembershipFactory, ProjectFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import MEAN_S, again, dispatched, renders, seen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


def wait(tier_gb: int | None = 8, *paused: str) -> TierWait:
    return tier_waits([tier_gb], paused)[tier_gb]


def middle(told: TierWait) -> float:
    assert told.seconds is not None, told.untold
    return (told.seconds.earliest + told.seconds.latest) / 2


def test_whoever_joins_the_line_waits_one_render_longer_than_the_last_in_it(node24: Hand, press: Any) -> None:
    jobs = press(6)
    seen(*jobs)
    renders(node24)
    last = Outlook().of(again(jobs[5]))
    assert last is not None
    assert last.end is not None
    assert last.end.latest is not None
    ends = [at.timestamp() for at in (last.end.earliest, last.end.latest)]
    told = wait()
    assert told.start is not None
    assert told.start.earliest.timestamp() == pytest.approx(ends[0], abs=0.1 * MEAN_S)
    assert middle(told) == pytest.approx(6 * MEAN_S, rel=0.15)
    assert wait(24).seconds is not None, "the same node serves it"


def test_a_free_node_takes_it_at_once_and_one_that_renders_when_it_is_done(node24: Hand, press: Any) -> None:
    assert wait().words == wait(24).words == "at once", "nothing needs to be known"
    [job] = press()
    assert wait(24).untold == "few", "what is ahead was never seen"
    seen(job, spread=10.0)
    renders(node24, since_s=400)
    assert middle(wait(24)) == pytest.approx(200, abs=60)
    assert " to 4 min" in wait(24).words


def test_why_no_wait_is_told(node24: Hand, press: Any, film: Project) -> None:
    assert wait(48).words == "no node of this tier may be given work"
    assert wait(None).untold == "no_node"
    assert wait(24, Hold.FARM).words == wait(24, "24").words == "paused"
    assert wait(12, "24").words == "at once"
    press()
    Job.objects.update(tier_gb=8)
    Node.objects.update(classes=[], capabilities_of="nothing")
    assert wait(8).words == "no node can take what waits"
    Node.objects.update(desired=Desired.DRAINING)
    assert wait(8).untold == "no_node"


def test_a_node_that_only_one_pool_may_use_is_open_to_nobody_else(node24: Hand) -> None:
    Node.objects.update(pool=Pool.objects.create(name="stage-a", dedicated=True))
    assert wait(24).untold == "no_node"


def test_low_priority_is_passed_and_more_than_is_counted_has_no_end(
    node24: Hand, press: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = press(5)
    seen(*jobs)
    before = middle(wait())
    Job.objects.filter(pk__in=[job.pk for job in jobs[1:]]).update(rank=Priority.LOW)
    assert middle(wait()) < before / 3
    monkeypatch.setattr("apps.renders.tierwaits.MOST_AHEAD", 1)
    assert wait().words.startswith("more than ")
    assert wait().as_json()["most_s"] is None


def test_orders_on_their_way_count(node24: Hand, press: Any) -> None:
    jobs = press(2)
    seen(*jobs)
    dispatched(node24)
    assert middle(wait()) == pytest.approx(2 * MEAN_S, rel=0.15)


def test_lengths_are_said_roughly() -> None:
    said = [length_text(seconds) for seconds in (40.0, 725.0, 7_200.0, 7_500.0, 273_600.0)]
    assert said == ["40 s", "12 min", "2 h", "2 h 5 min", "3 d 4 h"]


def test_the_api_tells_every_tier_in_as_many_queries_for_many_and_no_films_name(
    node24: Hand, node8: Hand, press: Any, film: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.renders.tierwaits.WAITS_S", 0)  # nothing is kept
    seen(*press(2))
    reader: User = MembershipFactory.create(project=ProjectFactory.create(code="OTHER"), role="artist").user
    client = APIClient()
    client.force_authenticate(reader)

    def asked() -> tuple[int, list[dict[str, Any]]]:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get("/api/v1/farm/tiers")
        assert "FROST" not in answer.content.decode()
        return len(queries), answer.json()

    asked()  # templates are read once in a process
    few, tiers = asked()
    told = {row["tier_gb"]: row for row in tiers}
    assert (told[24]["nodes"], told[8]["nodes"], told[8]["waiting"], told[24]["paused"]) == (1, 2, 2, False)
    assert told[8]["wait"]["least_s"] <= told[8]["wait"]["most_s"]
    assert told[8]["wait"]["start"]["earliest"] <= told[8]["wait"]["start"]["latest"]
    seen(*press(30), *press(3, template="flux_t2i"))
    Hold.objects.create(scope="16", by="kim")
    asked()
    many, tiers = asked()
    told = {row["tier_gb"]: row for row in tiers}
    assert (told[16]["paused"], told[16]["wait"]["unknown"], told[8]["waiting"]) == (True, "paused", 32)
    assert many == few <= 28
