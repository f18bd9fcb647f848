"""A take rendered again exactly, whatever is current now."""

from __future__ import annotations

import json

import pytest
from django.core.files.storage import default_storage

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.common.models import StateEvent
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.renders.services.again import render_again
from apps.renders.services.dispatch import dispatch
from apps.renders.services.orders import order_for
from apps.renders.services.submit import Step, submit
from apps.review.models import Artifact, Take
from apps.workflows.models import WorkflowTemplate
from apps.workflows.services import sync_templates
from apps.workflows.services.versions import deprecate
from farm.contracts import RenderOrder
from tests.broker_fixture import Broker
from tests.factories import ShotFactory, UserFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.test_loras import GERDA, node, press, shot_with, someone
from workflows.load import load, template_from

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]


def newer(slug: str) -> None:
    """A later release of a template, with other steps and another title."""
    packaged = load(slug)
    document = json.loads(json.dumps(packaged.document))
    document["title"]["en"] = "Another"
    document["defaults"]["steps"] = 3
    sync_templates([template_from(packaged.graph, document)])


def sent(order: RenderOrder) -> bytes:
    """The graph as it goes to ComfyUI, without the name its files get."""
    text = json.dumps(order.graph, sort_keys=False)
    return text.replace(order.attempt_id, "ATTEMPT").encode()


def rendered(hand: Hand) -> tuple[Take, RenderOrder]:
    dispatch()
    order = hand.claimed()
    hand.finishes(order)
    return Take.objects.get(job_id=order.job_id), order


def again(take: Take, user: User, key: str = "once more") -> Job:
    made: Job = render_again(take, user=user, idempotency_key=key).batch.jobs.get()
    return made


def test_the_graph_is_the_same_byte_for_byte_but_for_the_name_of_its_files(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = node("gpu24", bus, GERDA)
    gerda = someone(film, "Gerda", GERDA)
    shot = shot_with(film, gerda, lora_weight=0.65)
    press(coordinator, film, shot)
    take, first = rendered(hand)
    newer("sd15_t2i")
    gerda.loras.update(weight=0.1)
    shot.description, shot.seed = "Something else altogether", 99
    shot.save()
    job = again(take, coordinator)
    twin, second = rendered(hand)
    assert second.job_id == str(job.pk)
    assert sent(second) == sent(first)
    assert second.attempt_id != first.attempt_id
    assert (twin.template, twin.seed, twin.shot) == (take.template, take.seed, take.shot)
    assert twin.number > take.number


def test_a_clip_starts_from_the_very_file_the_first_one_started_from(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = Hand("gpu80", tier_gb=80, broker=bus).arrives()
    shot = ShotFactory.create(sequence=film.sequences.get())
    press(coordinator, film, shot)
    keyframe, _order = rendered(hand)
    clip = [Step(template="wan22_i2v", width=640, height=352, frames=17)]
    submit(user=coordinator, project=film, shots=[shot], steps=clip, idempotency_key="clip")
    take, first = rendered(hand)
    start = Artifact.objects.get(take=keyframe, role="primary")
    # as an earlier release named the role
    old = Job.objects.get(pk=take.job_id)
    old.values = {{"first_frame": "start_image"}.get(role, role): value for role, value in old.values.items()}
    old.save()
    assert order_for(Attempt.objects.get(pk=first.attempt_id)).inputs[0].key == start.key
    again(take, coordinator)
    twin, second = rendered(hand)
    assert twin.length == take.length != {}
    assert [one.key for one in second.inputs] == [start.key] == [one.key for one in first.inputs]
    assert sent(second) == sent(first)


def test_a_deprecated_and_withdrawn_version_renders_again(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = node("gpu24", bus)
    press(coordinator, film, ShotFactory.create(sequence=film.sequences.get()))
    take, first = rendered(hand)
    root = UserFactory.create(is_superuser=True)
    template = WorkflowTemplate.objects.get(slug="sd15_t2i")
    assert template.current is not None
    deprecate(template.current, reason="ugly", user=root)
    WorkflowTemplate.objects.update(active=False)
    again(take, coordinator)
    assert sent(rendered(hand)[1]) == sent(first)


def test_a_repeated_press_makes_one_job_and_another_take_under_its_key_is_a_conflict(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = node("gpu24", bus)
    takes = []
    for _ in range(2):
        press(coordinator, film, ShotFactory.create(sequence=film.sequences.get()))
        takes.append(rendered(hand)[0])
    before = Job.objects.count()
    first = render_again(takes[0], user=coordinator, idempotency_key="k")
    second = render_again(takes[0], user=coordinator, idempotency_key="k")
    assert (first.created, second.created, first.batch) == (True, False, second.batch)
    assert Job.objects.count() == before + 1
    with pytest.raises(Conflict):
        render_again(takes[1], user=coordinator, idempotency_key="k")
    story = StateEvent.objects.filter(story=first.batch.jobs.get().pk).first()
    assert story is not None
    assert story.data["again"] == Job.objects.get(pk=takes[0].job_id).code


def test_it_is_refused_by_role_and_where_the_input_or_the_job_is_gone(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = Hand("gpu80", tier_gb=80, broker=bus).arrives()
    shot = ShotFactory.create(sequence=film.sequences.get())
    press(coordinator, film, shot)
    take, _order = rendered(hand)
    with pytest.raises(NotAllowed):
        render_again(take, user=UserFactory.create(), idempotency_key="k")
    take.job_id = take.pk
    with pytest.raises(Refused, match="not in the farm's books"):
        render_again(take, user=coordinator, idempotency_key="k")


def test_it_is_refused_by_role_where_a_file_or_model_it_was_made_with_is_gone(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = Hand("gpu80", tier_gb=80, broker=bus).arrives()
    shot = ShotFactory.create(sequence=film.sequences.get())
    press(coordinator, film, shot)
    keyframe, _order = rendered(hand)
    start = Artifact.objects.get(take=keyframe, role="primary")
    clip = [Step(template="wan22_i2v", width=640, height=352, frames=17, files={"first_frame": start.pk})]
    submit(user=coordinator, project=film, shots=[shot], steps=clip, idempotency_key="clip")
    take, _order = rendered(hand)
    default_storage.delete(start.key)
    with pytest.raises(Refused, match="not in the artifact store") as refused:
        again(take, coordinator)
    assert refused.value.problems[0].field == "first_frame"
    Artifact.objects.filter(pk=start.pk).delete()
    Node.objects.update(models_by_folder={}, capabilities_of="another")
    with pytest.raises(Refused) as refused:
        again(take, coordinator)
    assert {problem.code for problem in refused.value.problems} == {"input_gone", "missing_model"}
