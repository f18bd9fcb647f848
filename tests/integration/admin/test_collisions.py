"""Two people change the same at once: the page does it again, or says so and keeps what was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.db import OperationalError
from django.urls import reverse

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Problem, Refused
from apps.nodes import services as nodes
from apps.nodes.models import Node, Pool
from apps.productions.models import Shot
from apps.renders.models import Job
from apps.renders.services import control
from apps.renders.states import JobState
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.html_forms import sent_by
from tests.integration.admin.rows import page
from tests.integration.admin.test_forms import form_of

pytestmark = pytest.mark.django_db(transaction=True)

Met = list[str]
"""Each collision that happened."""


def colliding(real: Callable[..., Any], met: Met, *, times: int) -> Callable[..., Any]:
    """What meets another transaction so often, and then does what it should."""

    def work(*args: Any, **kwargs: Any) -> Any:
        if len(met) < times:
            met.append("collided")
            raise OperationalError("database is locked")
        return real(*args, **kwargs)

    return work


def save_collides(monkeypatch: pytest.MonkeyPatch, *, times: int) -> Met:
    return page_collides(monkeypatch, "save_model", times=times)


def page_collides(monkeypatch: pytest.MonkeyPatch, what: str, *, times: int) -> Met:
    """Let a step of the shots' page meet another transaction."""
    reverse("admin:index")  # the pages are loaded
    shots, met = type(admin.site.get_model_admin(Shot)), Met()
    monkeypatch.setattr(shots, what, colliding(getattr(shots, what), met, times=times))
    return met


def test_a_save_that_meets_another_one_is_done_all_the_same(
    film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, met = as_("artist"), save_collides(monkeypatch, times=2)
    answer = browser.post(page(film.shot), form_of(browser, page(film.shot)) | {"frames": "72"}, follow=True)
    assert met == ["collided"] * 2
    assert Shot.objects.get(pk=film.shot.pk).frames == 72
    assert len(list(answer.context["messages"])) == 1


def test_a_save_that_goes_on_meeting_others_is_told_and_sent_once_more_from_there(
    film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, met = as_("artist"), save_collides(monkeypatch, times=3)
    typed = {"frames": "72", "description": 'She says: "wait"\r\nand <runs>'}
    answer = browser.post(page(film.shot), form_of(browser, page(film.shot)) | typed)
    assert (answer.status_code, answer["Retry-After"], len(met)) == (503, "1", 3)
    assert "no-store" in answer["Cache-Control"], "what was typed stands in it"
    told = answer.content.decode()
    assert "Somebody changed the same thing at the same moment." in told
    assert Shot.objects.get(pk=film.shot.pk).frames != 72
    assert browser.post(page(film.shot), sent_by(told, page(film.shot))).status_code == 302
    shot = Shot.objects.get(pk=film.shot.pk)
    assert (shot.frames, shot.description) == (72, 'She says: "wait"\nand <runs>')


def test_a_password_is_not_written_into_the_page(
    film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def collides(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    root, add = as_("root"), reverse("admin:accounts_user_add")
    monkeypatch.setattr(User, "save", collides)
    secret = "lantern-in-the-snow"
    sent = {"username": "gerda", "password1": secret, "password2": secret, "usable_password": "true"}
    answer = root.post(add, form_of(root, add) | sent)
    assert answer.status_code == 503
    assert secret not in answer.content.decode()
    assert "Go back, and send it once more" in answer.content.decode()
    assert not User.objects.filter(username="gerda").exists()


def test_a_button_that_meets_another_change_is_pressed_once_more_by_the_farm(
    film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: Met = []
    monkeypatch.setattr(control, "cancel", colliding(control.cancel, met, times=1))
    as_("coordinator").post(reverse("admin:renders_job_cancel", args=[film.job.pk]))
    assert met == ["collided"]
    assert Job.objects.get(pk=film.job.pk).state == JobState.CANCELLED


def test_a_nodes_button_that_meets_another_change_is_pressed_once_more_by_the_farm(
    film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: Met = []
    node: Node = film.rows["node"]
    monkeypatch.setattr(nodes, "set_desired", colliding(nodes.set_desired, met, times=1))
    as_("root").post(reverse("admin:nodes_node_desired", args=[node.pk]), {"desired": "draining"})
    assert met == ["collided"]
    assert Node.objects.get(pk=node.pk).desired == "draining"


def test_a_page_that_could_not_be_read_offers_to_load_it_once_more(
    film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, met = as_("artist"), page_collides(monkeypatch, "get_queryset", times=9)
    answer = browser.get(page(film.shot))
    assert (answer.status_code, len(met)) == (503, 3)
    assert f'href="{page(film.shot)}"' in answer.content.decode()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (Refused(Problem("name", "stage-a", "somebody else took this name")), "somebody else took this name"),
        (Refused(Problem("weight", "7", "is no weight")), "weight “7”: is no weight"),
        (NotAllowed("kim may not do this any more"), "kim may not do this any more"),
    ],
)
def test_what_a_service_refuses_is_told_in_the_form_and_what_was_typed_stands_there(
    film: Film, as_: Browser, monkeypatch: pytest.MonkeyPatch, wrong: Exception, told: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise wrong

    browser, add = as_("root"), reverse("admin:nodes_pool_add")
    monkeypatch.setattr("apps.nodes.admin.places.save_pool", refuse)
    answer = browser.post(add, {"name": "stage-a", "note": "by the door", "dedicated": "on"})
    assert answer.status_code == 200
    shown = answer.content.decode()
    assert told in shown
    typed = {bound.name: bound.value() for bound in answer.context["adminform"].form}
    assert typed == {"name": "stage-a", "note": "by the door", "dedicated": True}
    assert "by the door" in shown
    assert not Pool.objects.exists()
    monkeypatch.undo()
    assert browser.post(add, {"name": "stage-a", "note": "by the door"}).status_code == 302
    assert Pool.objects.get().note == "by the door"


def test_a_button_followed_like_a_link_is_answered_in_words(film: Film, as_: Browser) -> None:
    answer = as_("coordinator").get(reverse("admin:renders_job_cancel", args=[film.job.pk]))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "This address belongs to a button." in answer.content.decode()
    assert Job.objects.get(pk=film.job.pk).state == film.job.state
