"""A list of twelve takes as many queries as a list of three."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.characters.models import Character
from apps.common.models import StateEvent
from apps.nodes.models import Node, Pool, Schedule
from apps.notices.kinds import FARM, Kind
from apps.notices.models import Delivery, Notice, Road, Subscription
from apps.productions.models import Sequence, Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.renders.models import FailureRule, Hold, Job, Limit, Need, NeedTier, NodeBlock, RenderBatch
from apps.renders.states import BlockState
from apps.review.models import Take
from apps.workflows.selectors import offered
from apps.workflows.services import remember
from tests.factories import (
    CharacterFactory,
    MembershipFactory,
    ProjectFactory,
    SequenceFactory,
    ShotFactory,
    WorkflowTemplateVersionFactory,
)
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import everything_of, fill, listing, make_job, make_node, make_take, page

pytestmark = pytest.mark.django_db


def queries(browser: Client, address: str) -> int:
    """Count a page's queries on a second visit: content types are remembered from the first."""
    browser.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(address).status_code == 200
    return len(seen)


def more_of(film: Film, people: dict[str, object]) -> None:
    """Nine more of everything."""
    for number in range(9):
        shot = ShotFactory.create(sequence=film.shot.sequence)
        everything_of(shot)
        make_job(shot, make_node(f"more{number}"))
        SequenceFactory.create(project=film.project)
        CharacterFactory.create(project=film.project)
        MembershipFactory.create(
            project=ProjectFactory.create(), user=people["coordinator"], role=Role.CLIENT
        )


@pytest.mark.parametrize(
    "model", (Project, Sequence, Shot, Character, RenderBatch, Job, Take, Node, StateEvent)
)
def test_a_longer_list_takes_no_more_queries(
    film: Film, as_: Browser, people: dict[str, object], model: type[Shot]
) -> None:
    browser = as_("coordinator")
    few = queries(browser, listing(model))
    more_of(film, people)
    assert queries(browser, listing(model)) == few


def more_of_the_farm(film: Film, user: User) -> None:
    """Three more of everything that belongs to no film, and of what a person is told."""
    for number in range(3):
        name, now = uuid4().hex[:8], timezone.now()
        version = WorkflowTemplateVersionFactory.create()
        pool = Pool.objects.create(name=f"pool-{name}")
        week = {"days": [number], "from": "19:00", "to": "08:00"}
        schedule = Schedule.objects.create(name=f"nights-{name}", timezone="Asia/Seoul", windows=[week])
        node = make_node(f"node-{name}", pool=pool, schedule=schedule, tags="fast\nseoul")
        NodeBlock.objects.create(
            node=node, template=version.template, state=BlockState.BLOCKED, failures=3, until=now
        )
        FailureRule.objects.create(name=name, action="fail", template=version.template)
        need = Need.objects.create(
            template_version=version, width=512, height=512, declared_gb=8, declared_tier_gb=8, tier_gb=8
        )
        NeedTier.objects.create(need=need, tier_gb=8, successes=2)
        Limit.objects.create(name=f"limit-{name}", most=2).templates.add(version.template)
        Hold.objects.create(scope=str(Hold.objects.count()), by="somebody")
        hook = Subscription.objects.create(
            owner=user,
            project=film.project,
            road=Road.WEBHOOK,
            url="https://hooks.example/",
            kinds=["job.done"],
        )
        for recipient in (None, user):
            told = Notice.objects.create(
                subscription=hook,
                recipient=recipient,
                project=film.project,
                kind=Kind.PING,
                about=FARM,
                open=False,
                first_at=now,
                last_at=now,
            )
        Delivery.objects.create(subscription=hook, notice=told)


@pytest.mark.parametrize(
    "model",
    (
        Node,
        Pool,
        Schedule,
        NodeBlock,
        FailureRule,
        Need,
        Limit,
        Hold,
        Subscription,
        Notice,
        Delivery,
    ),
)
def test_a_longer_list_of_the_farm_takes_no_more_queries(
    film: Film, as_: Browser, people: dict[str, User], model: type[Shot]
) -> None:
    browser = as_("coordinator")
    more_of_the_farm(film, people["coordinator"])
    few = queries(browser, listing(model))
    more_of_the_farm(film, people["coordinator"])
    assert queries(browser, listing(model)) == few


@pytest.mark.parametrize(
    "rows",
    ("nodes", "pools", "schedules", "blocks", "limits", "holds", "notices", "subscriptions", "deliveries"),
)
def test_a_longer_answer_about_the_farm_takes_no_more_queries(
    film: Film, as_: Browser, people: dict[str, User], rows: str
) -> None:
    browser, address = as_("coordinator"), f"/api/v1/{rows}"
    more_of_the_farm(film, people["coordinator"])
    few = queries(browser, address)
    more_of_the_farm(film, people["coordinator"])
    assert queries(browser, address) == few


@pytest.mark.parametrize("name", ("admin:index", "desk:home-live", "desk:farm", "desk:farm-live"))
def test_home_and_farm_take_no_more_queries_with_more_to_show(
    film: Film, as_: Browser, people: dict[str, object], name: str
) -> None:
    browser = as_("coordinator")
    coordinator = User.objects.get(username="coordinator")
    more_of_the_farm(film, coordinator)
    few = queries(browser, reverse(name))
    more_of(film, people)
    more_of_the_farm(film, coordinator)
    assert queries(browser, reverse(name)) == few


def _more_cast(film: Film) -> None:
    for _ in range(6):
        fill(film.shot)


def _more_jobs(film: Film) -> None:
    for _ in range(6):
        job, _attempt = make_job(film.shot, film.rows["node"])
        make_take(film.shot, job)


@pytest.mark.parametrize("grow", (_more_cast, _more_jobs))
def test_a_shot_page_takes_no_more_queries_with_more_in_it(
    film: Film, as_: Browser, grow: Callable[[Film], None]
) -> None:
    browser = as_("coordinator")
    few = queries(browser, page(film.shot))
    grow(film)
    assert queries(browser, page(film.shot)) == few


def test_the_render_form_for_many_shots_takes_no_more_queries(
    film: Film, as_: Browser, templates: None
) -> None:
    browser = as_("coordinator")
    remember(template.current for template in offered() if template.current)  # a process reads them once
    counts = []
    for _ in range(2):
        ShotFactory.create_batch(20, sequence=film.shot.sequence)
        ids = ",".join(str(key) for key in Shot.objects.values_list("pk", flat=True))
        form = {"shots": ids, "key": uuid4().hex, "picture": "sd15_t2i", "takes": "1", "priority": "10"}
        with CaptureQueriesContext(connection) as seen:
            answer = browser.post(reverse("admin:productions_shot_render"), form)
        assert "This makes" in answer.content.decode()
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_live_cells_of_many_jobs_take_no_more_queries(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")

    def live() -> int:
        ids = ",".join(str(key) for key in Job.objects.values_list("pk", flat=True))
        return queries(browser, f"{reverse('desk:live-jobs')}?cells=state,node,take&ids={ids}")

    few = live()
    _more_jobs(film)
    assert live() == few
