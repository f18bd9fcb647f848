"""An order that says what an older worker does not know goes to no such worker, and what waits says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.accounts.models import User
from apps.common.errors import Refused
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders.models import Job
from apps.renders.recommendation_words import obstacles_in_words
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.obstacles import Farm
from apps.renders.services.proving import prove
from apps.renders.services.submit import Step, submit
from apps.renders.waiting import told_by_nodes, wait_sentence
from apps.workflows.models import WorkflowTemplate
from farm.contracts import COMFY_ORG, FRAMES, IN_ORDERS, NUMBERED, UNSIZED, NodeReport
from farm.contracts import OrderInput as Input
from farm.contracts import OrderOutput as Output
from tests.broker_fixture import Broker
from tests.factories import ShotFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, next_order

pytestmark = pytest.mark.django_db


class Older(Hand):
    """A node whose worker is of an earlier version; it holds a key."""

    def writes(self, **changes: object) -> NodeReport:
        return super().writes(**({"hears": ("canary", "unstage", "probe"), "keys": (COMFY_ORG,)} | changes))


@pytest.fixture
def older(bus: Broker, templates: None) -> Hand:
    return Older("old", tier_gb=24, broker=bus).arrives()


@pytest.fixture
def unsized(film: Project, coordinator: User, older: Hand) -> Job:
    """A clip whose size a service decides; its keyframe is rendered, by the older worker."""
    shot = ShotFactory.create(sequence=film.sequences.get())
    steps = [Step(template="sd15_t2i"), Step(template="kling_i2v")]
    batch = submit(user=coordinator, project=film, shots=[shot], steps=steps, idempotency_key="k").batch
    older.finishes(next_order(older))
    made: Job = batch.jobs.get(kind="clip")
    return made


def test_what_only_newer_workers_know_waits_while_there_are_older_ones_and_says_why(
    unsized: Job, older: Hand
) -> None:
    assert dispatch() == 0
    explain_waiting()
    assert wait_sentence(again(unsized)) == (
        "The workers of all nodes that could take it are too old: they do not know outputs whose size only "
        "the render shows. Update them."
    )
    assert [row.code for row in told_by_nodes(again(unsized))] == ["older_worker"]


def test_a_recommendation_says_that_the_workers_are_too_old(unsized: Job, older: Hand) -> None:
    told = Farm().obstacles("kling_i2v", unsized.shot)
    assert [one["code"] for one in told] == ["older_worker"]
    assert obstacles_in_words({"obstacles": told}) == [
        "The workers of the nodes that have all it takes are too old; update them."
    ]
    older.reports(hears=IN_ORDERS)
    assert Farm().obstacles("kling_i2v", unsized.shot) == []


def test_it_goes_to_the_worker_that_was_brought_up_to_date(unsized: Job, older: Hand) -> None:
    older.reports(hears=IN_ORDERS)
    assert dispatch() == 1
    order = older.claimed()
    assert order.says == {UNSIZED}


def test_a_worker_that_went_back_to_an_earlier_version_is_not_granted_it(unsized: Job, older: Hand) -> None:
    older.reports(hears=IN_ORDERS)
    dispatch()
    order = older.order()
    assert order is not None
    older.reports()
    reply = older.claims(order)
    assert (reply.granted, "does not know unsized" in reply.reason) == (False, True)


def test_an_older_worker_is_asked_for_no_golden_render_it_would_misread(older: Hand) -> None:
    node = Node.objects.get(name="old")
    for slug in ("frames_split", "frames_join"):
        with pytest.raises(Refused, match="the worker of old is too old"):
            prove(WorkflowTemplate.objects.get(slug=slug), node, user=None)
    prove(WorkflowTemplate.objects.get(slug="wan22_i2v"), node, user=None)


def test_an_order_tells_by_itself_what_it_takes_to_know_it(job: Job, node24: Hand) -> None:
    plain = next_order(node24)
    assert plain.says == frozenset()
    picture = Input(node="1", input="image", key="k", sha256="0" * 64, bytes=1, number=1)
    pictures = Output(node="9", kind="frames", width=64, height=64, frames=9)
    assert replace(plain, inputs=(picture,)).says == {NUMBERED}
    assert replace(plain, outputs=(pictures,)).says == {FRAMES}
