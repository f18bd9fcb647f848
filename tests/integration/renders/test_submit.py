"""A press of Render."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.productions.models import Shot
from apps.productions.states import IN_PROGRESS
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.renders.models import Job, JobDependency, RenderBatch
from apps.renders.services.planning import plan
from apps.renders.services.seeds import seed_of
from apps.renders.services.submit import Step, Submission, submit
from apps.renders.states import JobState
from tests.factories import (
    CharacterFactory,
    CharacterLoraFactory,
    MembershipFactory,
    ShotCharacterFactory,
    ShotFactory,
)
from tests.integration.renders.hand import Hand, everything

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


def press(user: User, project: Project, shots: list[Any], *steps: Step, key: str = "k1") -> Submission:
    return submit(user=user, project=project, shots=shots, steps=steps, idempotency_key=key)


def shots_of(project: Project, count: int) -> list[Any]:
    return ShotFactory.create_batch(count, sequence=project.sequences.get())


def test_every_shot_becomes_a_ready_job_with_its_need_and_tier(film: Project, coordinator: User) -> None:
    batch = press(coordinator, film, shots_of(film, 3), Step(template="flux_t2i", takes=2)).batch
    jobs = list(batch.jobs.order_by("code"))
    assert len(jobs) == 6
    assert {job.state for job in jobs} == {JobState.READY}
    assert {(job.need_gb, job.tier_gb) for job in jobs} == {(16, 16)}
    assert [job.take_number for job in jobs[:2]] == [1, 2]
    assert jobs[0].prompt_build is not None
    assert "quay" in jobs[0].prompt_build.positive


def test_pressing_twice_makes_one_batch(film: Project, coordinator: User) -> None:
    shots = shots_of(film, 2)
    first = press(coordinator, film, shots, Step(template="sd15_t2i"))
    second = press(coordinator, film, shots, Step(template="sd15_t2i"))
    assert (first.created, second.created) == (True, False)
    assert first.batch == second.batch
    assert Job.objects.count() == 2


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_pressing_twice_at_the_same_moment_makes_one_batch(film: Project, coordinator: User) -> None:
    shots = shots_of(film, 2)
    barrier = threading.Barrier(4)
    answers: list[Submission] = []

    def press_once() -> None:
        barrier.wait()
        answers.append(press(coordinator, film, shots, Step(template="sd15_t2i")))
        connection.close()

    threads = [threading.Thread(target=press_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.batch.pk for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1
    assert RenderBatch.objects.count() == 1
    assert Job.objects.count() == 2


def test_another_request_under_the_same_key_is_refused(film: Project, coordinator: User) -> None:
    shots = shots_of(film, 2)
    press(coordinator, film, shots, Step(template="sd15_t2i"))
    with pytest.raises(Refused, match="Idempotency-Key “k1”") as refused:
        press(coordinator, film, shots[:1], Step(template="sd15_t2i"))
    assert refused.value.problems[0].code == "idempotency_conflict"


def test_a_clip_waits_for_the_keyframe_of_the_same_request(film: Project, coordinator: User) -> None:
    batch = press(
        coordinator,
        film,
        shots_of(film, 1),
        Step(template="sd15_t2i", takes=2),
        Step(template="wan22_i2v", takes=2),
    ).batch
    clips = batch.jobs.filter(kind="clip").order_by("take_number")
    assert {clip.state for clip in clips} == {JobState.BLOCKED}
    waits = [JobDependency.objects.get(job=clip).depends_on.take_number for clip in clips]
    assert waits == [1, 2]
    assert {(clip.frames - 1) % 4 for clip in clips} == {0}


def test_a_clip_waits_for_an_open_keyframe_job_of_its_shot(film: Project, coordinator: User) -> None:
    shots = shots_of(film, 1)
    keyframe = press(coordinator, film, shots, Step(template="sd15_t2i"), key="a").batch.jobs.get()
    clip = press(coordinator, film, shots, Step(template="wan22_i2v"), key="b").batch.jobs.get()
    assert clip.dependencies.get().depends_on == keyframe


def test_a_clip_without_any_keyframe_is_refused_and_nothing_is_written(
    film: Project, coordinator: User
) -> None:
    shots = shots_of(film, 2)
    with pytest.raises(Refused) as refused:
        press(coordinator, film, shots, Step(template="wan22_i2v"))
    assert [problem.field for problem in refused.value.problems] == [
        f"{shot.full_code}.first_frame" for shot in shots
    ]
    assert RenderBatch.objects.count() == Job.objects.count() == 0


@pytest.mark.parametrize(
    ("step", "field", "remedy"),
    [
        (Step(template="nonesuch"), "steps[0].template", "flux_t2i"),
        (Step(template="sd15_t2i", takes=0), "steps[0].takes", "from 1 to"),
        (Step(template="wan22_i2v", frames=0), "steps[0].frames", "at least 1 frame"),
        (Step(template="sd15_t2i", seed=-1), "steps[0].seed", "whole number"),
    ],
)
def test_a_wrong_step_is_refused_naming_field_value_and_remedy(
    film: Project, coordinator: User, step: Step, field: str, remedy: str
) -> None:
    with pytest.raises(Refused) as refused:
        press(coordinator, film, shots_of(film, 1), step)
    problem = refused.value.problems[0]
    assert problem.field == field
    assert problem.value
    assert remedy in str(problem.message)
    assert not RenderBatch.objects.exists()


def test_a_size_off_the_grid_is_refused_for_the_shot_it_concerns(film: Project, coordinator: User) -> None:
    shots = shots_of(film, 1)
    with pytest.raises(Refused) as refused:
        press(coordinator, film, shots, Step(template="sd15_t2i", width=513))
    problem = refused.value.problems[0]
    assert (problem.field, problem.value) == (f"{shots[0].full_code}.width", "513")
    assert "multiple of" in str(problem.message)


def test_a_model_no_node_has_is_named_at_submit(film: Project, coordinator: User, bus: Any) -> None:
    able = everything()
    poor = {folder: names for folder, names in able.models.items() if folder != "checkpoints"}
    Hand("poor", tier_gb=24, broker=bus, able=type(able)(classes=able.classes, models=poor)).arrives()
    with pytest.raises(Refused) as refused:
        press(coordinator, film, shots_of(film, 1), Step(template="sd15_t2i"))
    problem = refused.value.problems[0]
    assert problem.field == "steps[0].models"
    assert problem.value.endswith(".safetensors")
    assert "models/checkpoints" in str(problem.message)


def test_a_lora_no_node_has_is_named_at_submit(film: Project, coordinator: User, node24: Hand) -> None:
    [shot] = shots_of(film, 1)
    character = CharacterFactory.create(project=film, use_lora=True)
    ShotCharacterFactory.create(shot=shot, character=character)
    CharacterLoraFactory.create(character=character, base_model="flux", file="gerda.safetensors")
    with pytest.raises(Refused) as refused:
        press(coordinator, film, [shot], Step(template="flux_t2i"))
    [problem] = refused.value.problems
    assert (problem.field, problem.value) == (f"{character.code}.lora", "gerda.safetensors")
    assert "models/loras" in str(problem.message)
    assert press(coordinator, film, [shot], Step(template="sd15_t2i")).created, "another base model"


def test_takes_go_on_counting_over_requests(film: Project, coordinator: User) -> None:
    shots = shots_of(film, 1)
    press(coordinator, film, shots, Step(template="sd15_t2i", takes=2), key="a")
    later = press(coordinator, film, shots, Step(template="flux_t2i"), key="b").batch.jobs.get()
    assert later.take_number == 3


def test_an_explicit_seed_counts_upward_over_takes(film: Project, coordinator: User) -> None:
    batch = press(coordinator, film, shots_of(film, 1), Step(template="sd15_t2i", takes=3, seed=7)).batch
    assert sorted(batch.jobs.values_list("seed", flat=True)) == [7, 8, 9]


def test_a_viewer_may_not_render(film: Project) -> None:
    viewer = MembershipFactory.create(project=film, role=Role.CLIENT).user
    with pytest.raises(NotAllowed, match="coordinator"):
        press(viewer, film, shots_of(film, 1), Step(template="sd15_t2i"))


def test_a_shot_of_another_project_is_refused(film: Project, coordinator: User) -> None:
    with pytest.raises(Refused, match="another project"):
        press(coordinator, film, [ShotFactory.create()], Step(template="sd15_t2i"))


def statements_of(work: Callable[[], object]) -> list[str]:
    """The statements of this work, but for inserts of whole batches: SQLite limits the rows of each."""
    with CaptureQueriesContext(connection) as captured:
        work()
    batches = ("renders_job", "renders_jobdependency", "common_stateevent", "prompts_promptbuild")
    inserts = re.compile(rf'INSERT (OR IGNORE )?INTO "({"|".join(batches)})" ')
    return [query["sql"] for query in captured if not inserts.match(query["sql"])]


def test_submitting_costs_the_same_statements_however_many_shots(
    film: Project, coordinator: User, node24: Hand
) -> None:
    few, many = shots_of(film, 10), shots_of(film, 80)  # of more, SQLite writes the history in two statements
    steps = (Step(template="sd15_t2i", takes=2), Step(template="wan22_i2v"))
    press(coordinator, film, few[:1], *steps, key="first")  # which makes the lanes
    of_few = statements_of(lambda: press(coordinator, film, few, *steps, key="few"))
    of_many = statements_of(lambda: press(coordinator, film, many, *steps, key="many"))
    assert len(of_few) > 10
    assert len(of_many) == len(of_few)


def test_submitting_a_hundred_shots_costs_few_queries(
    film: Project, coordinator: User, node24: Hand, django_assert_max_num_queries: Any
) -> None:
    shots = shots_of(film, 100)
    with django_assert_max_num_queries(60):
        press(coordinator, film, shots, Step(template="sd15_t2i"))
    assert set(Shot.objects.values_list("status", flat=True)) == {IN_PROGRESS}
    assert set(Job.objects.values_list("take_number", flat=True)) == {1}


def seeds_of(batch: RenderBatch) -> list[int]:
    return list(batch.jobs.order_by("code").values_list("seed", flat=True))


def test_pressing_again_with_nothing_changed_begins_from_other_noise(
    film: Project, coordinator: User
) -> None:
    shots = shots_of(film, 2)
    first = press(coordinator, film, shots, Step(template="sd15_t2i", takes=2), key="a").batch
    second = press(coordinator, film, shots, Step(template="sd15_t2i", takes=2), key="b").batch
    seeds = seeds_of(first) + seeds_of(second)
    assert len(set(seeds)) == 8
    assert all(job.values["seed"] == job.seed for job in first.jobs.all())


def test_a_takes_seed_follows_from_shot_template_and_take_number_alone(
    film: Project, coordinator: User
) -> None:
    [shot] = shots_of(film, 1)
    press(coordinator, film, [shot], Step(template="flux_t2i"), key="a")
    job = press(coordinator, film, [shot], Step(template="sd15_t2i"), key="b").batch.jobs.get()
    assert job.take_number == 2
    assert job.seed == seed_of(shot.pk, "sd15_t2i", 2)


def test_a_plan_foresees_the_seeds(film: Project, coordinator: User) -> None:
    shots = shots_of(film, 2)
    steps = [Step(template="sd15_t2i", takes=2), Step(template="flux_t2i")]
    press(coordinator, film, shots, *steps, key="a")
    foreseen = [job.seed for job in plan(project=film, shots=shots, steps=steps).jobs]
    assert seeds_of(press(coordinator, film, shots, *steps, key="b").batch) == foreseen


def test_a_persons_seed_stays_when_render_is_pressed_again(film: Project, coordinator: User) -> None:
    [shot] = shots_of(film, 1)
    Shot.objects.filter(pk=shot.pk).update(seed=70)
    shot.refresh_from_db()
    for key in ("a", "b"):
        assert seeds_of(
            press(coordinator, film, [shot], Step(template="sd15_t2i", takes=2), key=key).batch
        ) == [
            70,
            71,
        ]
