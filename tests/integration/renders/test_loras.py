"""LoRAs of a shot's cast, from the press of Render to the order and the node it goes to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.accounts.models import User
from apps.characters.models import Character
from apps.common.models import StateEvent
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.renders.selectors import wait_sentence
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.orders import order_for
from apps.renders.services.planning import plan
from apps.renders.services.submit import Step, submit
from apps.renders.warnings import batch_warnings, warning_sentences
from farm.contracts import Capabilities, NodeState, RenderOrder
from tests.broker_fixture import Broker
from tests.factories import CharacterFactory, CharacterLoraFactory, ShotCharacterFactory, ShotFactory
from tests.integration.renders.hand import Hand, everything
from tests.integration.renders.scene import again

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]

GERDA, KAY = "film/gerda.safetensors", "film/kay.safetensors"


def able_to_load(*files: str) -> Capabilities:
    able = everything()
    classes = (*able.classes, "LoraLoader", "LoraLoaderModelOnly")
    return replace(able, classes=tuple(sorted(classes)), models={**able.models, "loras": files})


def node(name: str, bus: Broker, *files: str) -> Hand:
    return Hand(name, tier_gb=24, broker=bus, able=able_to_load(*files)).arrives()


def shot_with(film: Project, *cast: Character, **casting: Any) -> Shot:
    shot: Shot = ShotFactory.create(sequence=film.sequences.get())
    for order, character in enumerate(cast):
        ShotCharacterFactory.create(shot=shot, character=character, order=order, **casting)
    return shot


def someone(film: Project, name: str, file: str, base: str = "sd15", **lora: Any) -> Character:
    character: Character = CharacterFactory.create(project=film, name=name, use_lora=True)
    words = lora.pop("trigger_words", [f"{name.lower()}_v1"])
    CharacterLoraFactory.create(character=character, base_model=base, file=file, trigger_words=words, **lora)
    return character


def press(user: User, film: Project, shot: Shot, template: str = "sd15_t2i", **more: Any) -> Job:
    steps = [Step(template=template, **more)]
    batch = submit(user=user, project=film, shots=[shot], steps=steps, idempotency_key=f"{shot.pk}").batch
    job: Job = batch.jobs.order_by("code")[0]
    return job


def loaded_by(order: RenderOrder) -> list[tuple[str, float]]:
    graph = order.graph
    return [
        (one["inputs"]["lora_name"], one["inputs"]["strength_model"])
        for one in graph.values()
        if "lora_name" in one["inputs"]
    ]


def test_the_order_loads_the_casts_lora_at_its_weight_and_says_its_trigger_once(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = node("gpu24", bus, GERDA)
    job = press(coordinator, film, shot_with(film, someone(film, "Gerda", GERDA), lora_weight=0.65))
    dispatch()
    order = hand.claimed()
    assert order.job_id == str(job.pk)
    assert loaded_by(order) == [(GERDA, 0.65)]
    graph = order.graph
    texts = [one["inputs"]["text"] for one in graph.values() if one["class_type"] == "CLIPTextEncode"]
    assert "".join(texts).count("gerda_v1") == 1
    assert job.prompt_build is not None
    (said,) = [one for one in job.prompt_build.segments if one["source"] == "lora"]
    assert (said["text"], said["label"]) == ("gerda_v1", "Gerda")
    assert job.warnings == []


def test_the_same_attempt_gives_the_same_order_even_if_the_character_changed_meanwhile(
    film: Project, coordinator: User, bus: Broker
) -> None:
    node("gpu24", bus, GERDA)
    gerda = someone(film, "Gerda", GERDA)
    press(coordinator, film, shot_with(film, gerda))
    dispatch()
    attempt = Attempt.objects.get()
    first = order_for(attempt)
    gerda.loras.update(weight=0.1, file="other.safetensors", trigger_words=[])
    assert order_for(Attempt.objects.get(pk=attempt.pk)) == first
    assert loaded_by(first) == [(GERDA, 0.8)]


def test_two_people_with_loras_are_warned_about_and_the_coordinator_may_go_on(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = node("gpu24", bus, GERDA, KAY)
    gerda, kay = someone(film, "Gerda", GERDA), someone(film, "Kay", KAY)
    shot = shot_with(film, gerda, kay)
    planned = plan(project=film, shots=[shot], steps=[Step(template="sd15_t2i", takes=3)])
    (warning,) = planned.warnings
    assert (warning.field, warning.code) == (f"{shot.full_code}.loras", "loras_bleed")
    assert warning.value == f"{gerda.code} Gerda, {kay.code} Kay"
    job = press(coordinator, film, shot)
    assert "bleed into each other" in warning_sentences(job.warnings)[0]
    assert StateEvent.objects.get(story=job.pk, to_state="ready").data["warnings"] == job.warnings
    dispatch()
    assert loaded_by(hand.claimed()) == [(GERDA, 0.8), (KAY, 0.8)]


def test_three_people_are_named_in_one_warning_and_one_person_with_two_files_in_none(
    film: Project,
) -> None:
    trio = [someone(film, name, f"{name}.safetensors") for name in ("Gerda", "Kay", "Queen")]
    (warning,) = plan(
        project=film, shots=[shot_with(film, *trio)], steps=[Step(template="sd15_t2i")]
    ).warnings
    assert warning.value.count(",") == 2
    CharacterLoraFactory.create(character=trio[0], base_model="sd15", file="coat.safetensors")
    alone = plan(project=film, shots=[shot_with(film, trio[0])], steps=[Step(template="sd15_t2i")])
    assert alone.warnings == []
    assert len(alone.jobs[0].cast.loras) == 2


def test_a_lora_for_another_base_model_is_left_out_with_its_trigger_and_this_is_said(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = node("gpu24", bus, GERDA)
    gerda = someone(film, "Gerda", GERDA, base="flux")
    job = press(coordinator, film, shot_with(film, gerda))
    assert job.warnings == [
        {
            "code": "lora_other_base",
            "params": {
                "character": f"{gerda.code} Gerda",
                "character_ko": f"{gerda.code} {gerda.name_ko or 'Gerda'}",
                "template": "sd15_t2i",
                "base": "sd15",
                "has": "flux",
            },
        }
    ]
    assert "takes LoRAs for sd15, and this character's are for flux" in warning_sentences(job.warnings)[0]
    dispatch()
    order = hand.claimed()
    assert loaded_by(order) == []
    assert "gerda_v1" not in str(order.graph)


def test_a_character_who_should_have_a_lora_and_has_none_is_warned_about(
    film: Project, coordinator: User
) -> None:
    gerda = CharacterFactory.create(project=film, use_lora=True)
    job = press(coordinator, film, shot_with(film, gerda))
    assert [row["code"] for row in job.warnings] == ["lora_none"]


def test_a_warning_of_a_code_nobody_knows_any_more_is_shown_as_it_is(
    film: Project, coordinator: User
) -> None:
    job = press(coordinator, film, shot_with(film, CharacterFactory.create(project=film)))
    Job.objects.filter(pk=job.pk).update(warnings=[{"code": "of_an_older_farm", "params": {}}])
    (told,) = batch_warnings(job.batch)
    assert (told.code, str(told.message)) == ("of_an_older_farm", "of_an_older_farm")


def test_a_file_for_an_expert_the_template_lacks_is_left_out_and_this_is_said(
    film: Project, coordinator: User
) -> None:
    gerda = someone(film, "Gerda", GERDA, expert="high")
    job = press(coordinator, film, shot_with(film, gerda))
    assert [row["code"] for row in job.warnings] == ["lora_no_expert"]
    assert job.loras == []
    assert job.prompt_build is not None
    assert job.prompt_build.loras == []
    assert "gerda_v1" not in job.prompt_build.positive


def test_a_weight_of_zero_in_this_shot_switches_the_lora_off_without_a_warning(
    film: Project, coordinator: User
) -> None:
    job = press(coordinator, film, shot_with(film, someone(film, "Gerda", GERDA), lora_weight=0.0))
    assert (job.loras, job.lora_files, job.warnings) == ([], "", [])


def test_only_a_node_that_has_the_file_is_given_the_job(
    film: Project, coordinator: User, bus: Broker
) -> None:
    without, having = node("gpu-without", bus), node("gpu-having", bus, GERDA)
    press(coordinator, film, shot_with(film, someone(film, "Gerda", GERDA)))
    dispatch()
    assert without.order() is None
    assert loaded_by(having.claimed()) == [(GERDA, 0.8)]


def test_a_job_without_loras_is_not_held_up_by_one_whose_file_is_missing(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = node("gpu24", bus)
    Hand("elsewhere", tier_gb=24, broker=bus, able=able_to_load(GERDA)).arrives().reports(
        state=NodeState.DEAF
    )
    waits = press(coordinator, film, shot_with(film, someone(film, "Gerda", GERDA)))
    plain = press(coordinator, film, shot_with(film))
    dispatch()
    assert hand.claimed().job_id == str(plain.pk)
    explain_waiting()
    assert wait_sentence(again(waits)) == (
        f"No node of 8 GB or more has loras/{GERDA}. gpu24 lacks loras/{GERDA}."
    )


def test_files_split_over_two_nodes_are_told_node_by_node(
    film: Project, coordinator: User, bus: Broker
) -> None:
    node("gpu-a", bus, GERDA)
    node("gpu-b", bus, KAY)
    job = press(coordinator, film, shot_with(film, someone(film, "G", GERDA), someone(film, "K", KAY)))
    dispatch()
    explain_waiting()
    said = wait_sentence(again(job))
    assert f"gpu-a lacks loras/{KAY}; gpu-b lacks loras/{GERDA}." in said


def test_a_clip_loads_a_pair_of_files_each_into_its_expert(
    film: Project, coordinator: User, bus: Broker
) -> None:
    gerda = someone(film, "Gerda", "gerda_high.safetensors", base="wan22", expert="high")
    CharacterLoraFactory.create(
        character=gerda,
        base_model="wan22",
        file="gerda_low.safetensors",
        expert="low",
        trigger_words=["gerda_v1"],
    )
    steps = [Step(template="sd15_t2i"), Step(template="wan22_i2v")]
    planned = plan(project=film, shots=[shot_with(film, gerda)], steps=steps)
    assert planned.problems == []
    keyframe, clip = planned.jobs
    assert [warning.code for warning in keyframe.cast.warnings] == ["lora_other_base"]
    assert [(use.file, use.expert) for use in clip.cast.loras] == [
        ("gerda_high.safetensors", "high"),
        ("gerda_low.safetensors", "low"),
    ]


def test_a_slate_warns_of_nobody(film: Project) -> None:
    shot = shot_with(film, someone(film, "G", GERDA), someone(film, "K", KAY))
    planned = plan(project=film, shots=[shot], steps=[Step(template="plain_slate")])
    assert (planned.warnings, planned.jobs[0].cast.loras) == ([], ())


def test_a_node_that_has_lost_the_file_meanwhile_is_refused_at_its_claim(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = node("gpu24", bus, GERDA)
    job = press(coordinator, film, shot_with(film, someone(film, "Gerda", GERDA)))
    dispatch()
    order = hand.order()
    assert order is not None
    hand.able = able_to_load()
    hand.arrives()
    reply = hand.claims(order)
    assert (reply.granted, reply.reason) == (False, f"gpu24 lacks loras/{GERDA}")
    assert again(job).state == "ready"


def test_an_order_of_separate_loaders_loads_into_the_model_only(
    film: Project, coordinator: User, bus: Broker
) -> None:
    hand = node("gpu24", bus, GERDA, KAY)
    cast = (someone(film, "Gerda", GERDA, base="flux"), someone(film, "Kay", KAY, base="FLUX"))
    press(coordinator, film, shot_with(film, *cast), template="flux_t2i")
    dispatch()
    order = hand.claimed()
    assert loaded_by(order) == [(GERDA, 0.8), (KAY, 0.8)]
    assert {one["class_type"] for one in order.graph.values() if "lora_name" in one["inputs"]} == {
        "LoraLoaderModelOnly"
    }


def test_a_clips_order_loads_each_file_into_its_expert(film: Project, coordinator: User, bus: Broker) -> None:
    files = ("gerda_high.safetensors", "gerda_low.safetensors")
    hand = node("gpu24", bus, *files)
    gerda = someone(film, "Gerda", files[0], base="wan22", expert="high")
    CharacterLoraFactory.create(
        character=gerda, base_model="wan22", file=files[1], expert="low", weight=0.5, trigger_words=[]
    )
    steps = [Step(template="sd15_t2i"), Step(template="wan22_i2v")]
    submit(user=coordinator, project=film, shots=[shot_with(film, gerda)], steps=steps, idempotency_key="k")
    dispatch()
    hand.finishes(hand.claimed())
    dispatch()
    order = hand.claimed()
    by_source = {
        one["inputs"]["model"][0]: one["inputs"]["lora_name"]
        for one in order.graph.values()
        if "lora_name" in one["inputs"]
    }
    assert by_source == {"1": files[0], "2": files[1]}
