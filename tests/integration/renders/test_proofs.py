"""A golden render shows that a node can do a template: asked for, sent when the node is idle, judged once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import translation
from pytest_django import Settings

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.nodes.models import Node
from apps.nodes.services import bound_golden_renders
from apps.projects.models import Project
from apps.renders.models import Attempt, Job, Proof
from apps.renders.proofs import NOTHING, Word, standings, verdicts
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.golden import ball_clip, ball_picture, tone
from apps.renders.services.proof_bounds import give_up_late, make_way
from apps.renders.services.proofs import expire, send_waiting
from apps.renders.services.proving import cancel_proof, prove, prove_what_changed
from apps.renders.services.record import Recorded, record
from apps.renders.states import ProofState
from apps.renders.waiting import told_by_nodes
from apps.renders.words import REASONS, reason_in_words
from apps.review.models import Take
from apps.workflows.models import WorkflowTemplate
from farm.contracts import Capabilities, ComfyFact, FailureClass, FileFact, Outcome, RenderOrder, Stage
from tests.factories import UserFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import press
from workers.inventory import Told

pytestmark = pytest.mark.django_db

OTHER_COMFY = ComfyFact(reachable=True, version="0.28.0", device_type="cuda")


def template(slug: str = "sd15_t2i") -> WorkflowTemplate:
    return WorkflowTemplate.objects.get(slug=slug)


def node_of(hand: Hand) -> Node:
    return Node.objects.get(name=hand.name)


def ask(hand: Hand, slug: str = "sd15_t2i") -> Proof:
    return prove(template(slug), node_of(hand), user=None)


def idle_for_a_while(hand: Hand) -> None:
    hand.reports()
    Node.objects.filter(name=hand.name).update(observed_since=database_now() - timedelta(minutes=1))


def sent(hand: Hand, slug: str = "sd15_t2i") -> tuple[Proof, RenderOrder]:
    """A golden render that has been asked for and lies in the node's own queue; it is taken from there."""
    proof = ask(hand, slug)
    idle_for_a_while(hand)
    assert send_waiting(database_now()) == 1
    order = hand.order_on()
    assert order is not None, "no order in the node's own queue"
    return proof, order


def proven(hand: Hand, slug: str = "sd15_t2i") -> Proof:
    proof, order = sent(hand, slug)
    assert hand.claims(order).granted
    hand.finishes(order)
    return again(proof)


def again(proof: Proof) -> Proof:
    return Proof.objects.get(pk=proof.pk)


def word(hand: Hand, slug: str = "sd15_t2i") -> Word:
    node, version = node_of(hand), template(slug).current
    assert version is not None
    return standings([node], [version]).get((version.pk, node.pk), NOTHING).word


def test_a_node_that_renders_it_is_proven(node24: Hand) -> None:
    assert word(node24) == Word.UNPROVEN
    proof = proven(node24)
    assert (proof.state, proof.execute_s, proof.simulated) == (ProofState.PROVEN, 1.5, True)
    assert proof.outputs[0]["sha256"]
    assert word(node24) == Word.PROVEN


def test_it_is_no_job_and_makes_no_take(node24: Hand) -> None:
    proven(node24)
    assert not (Job.objects.exists() or Attempt.objects.exists() or Take.objects.exists())


def test_it_is_the_smallest_render_there_is(node24: Hand) -> None:
    _proof, order = sent(node24)
    values = {key: value for node in order.graph.values() for key, value in node["inputs"].items()}
    assert (values["width"], values["height"], values["steps"]) == (256, 256, 2)


@pytest.mark.parametrize("slug", ["plain_slate", "flux_t2i", "wan22_i2v"])
def test_files_it_starts_from_are_the_farms_own(node24: Hand, slug: str) -> None:
    _proof, order = sent(node24, slug)
    for file in order.inputs:
        assert default_storage.size(file.key) == file.bytes
    assert bool(order.inputs) == (slug != "flux_t2i")


def test_test_files_are_pictures_clips_and_sounds_and_always_the_same() -> None:
    assert ball_picture(64, 48) == ball_picture(64, 48)
    assert ball_picture(64, 48).startswith(b"\x89PNG")
    assert ball_clip(64, 48)[4:8] == b"ftyp"
    assert tone().startswith(b"RIFF")


def test_a_failure_is_told_in_comfyuis_words(node24: Hand) -> None:
    proof, order = sent(node24)
    node24.claims(order)
    node24.finishes(order, node24.failure(order, FailureClass.OUT_OF_MEMORY))
    ended = again(proof)
    assert (ended.state, ended.failure_class) == (ProofState.FAILED, "out_of_memory")
    assert ended.message == "in ComfyUI's own words"
    assert word(node24) == Word.FAILED


def test_a_failure_is_held_against_nobody(node24: Hand) -> None:
    _proof, order = sent(node24)
    node24.claims(order)
    node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
    assert node_of(node24).failures_in_a_row == 0


def test_it_waits_while_the_node_has_anything_in_hand(node24: Hand, job: Job) -> None:
    dispatch()
    order = node24.claimed()
    ask(node24)
    idle_for_a_while(node24)
    assert send_waiting(database_now()) == 0
    node24.finishes(order)
    idle_for_a_while(node24)
    assert send_waiting(database_now()) == 1


def test_what_waits_says_why_until_it_goes_out(node24: Hand) -> None:
    proof, second = ask(node24), ask(node24, "sdxl_t2i")
    idle_for_a_while(node24)
    rows = Node.objects.filter(name=node24.name)
    rows.update(observed="busy")
    send_waiting(database_now())
    assert again(proof).message == "waits until its node has nothing else to do"
    rows.update(observed="idle", desired="paused")
    send_waiting(database_now())
    assert again(proof).message == f"{node24.name} may not be given work (paused)"
    rows.update(desired="active")
    assert send_waiting(database_now()) == 1
    assert (again(proof).state, again(proof).message) == (ProofState.SENT, "")
    assert again(second).message == "waits until another golden render there is done"
    assert again(second).message in REASONS, "it is said in the reader's language"
    cancel_proof(second, user=None)
    assert again(second).message == ""


def test_a_node_that_became_idle_this_moment_is_left_to_the_dispatcher(node24: Hand) -> None:
    ask(node24)
    Node.objects.update(observed_since=database_now())
    assert send_waiting(database_now()) == 0


def test_what_is_proven_takes_one_seat_so_that_work_is_staged_behind_it(node24: Hand, job: Job) -> None:
    _proof, order = sent(node24)
    node24.claims(order)
    dispatch()
    assert Attempt.objects.get().queue.endswith(".next")


def test_one_at_a_time_goes_to_a_node(node24: Hand) -> None:
    sent(node24)
    ask(node24, "flux_t2i")
    assert send_waiting(database_now()) == 0


def test_asking_twice_is_asking_once(node24: Hand) -> None:
    assert ask(node24) == ask(node24)


def test_a_node_that_reports_it_keeps_it(node24: Hand) -> None:
    proof, order = sent(node24)
    node24.claims(order)
    node24.works_on(order, Stage.EXECUTING)
    assert node24.reports().cancelled == ()
    until = again(proof).until
    assert until is not None
    assert expire(until - timedelta(seconds=1)) == 0


def test_one_that_is_called_off_is_stopped_on_its_node(node24: Hand) -> None:
    proof, order = sent(node24)
    node24.claims(order)
    assert cancel_proof(again(proof), user=None)
    assert node24.reports().cancelled == (order.attempt_id,)
    node24.finishes(order, node24.ended(order, Outcome.CANCELLED))
    assert again(proof).state == ProofState.CANCELLED
    assert word(node24) == Word.UNPROVEN


def test_an_order_that_nobody_takes_is_sent_again_and_then_given_up(node24: Hand) -> None:
    proof = ask(node24)
    idle_for_a_while(node24)
    for _try in range(3):
        now = database_now()
        assert send_waiting(now) == 1
        assert expire(now + timedelta(seconds=60)) == 1
    assert again(proof).state == ProofState.FAILED


def test_an_order_of_an_earlier_try_is_refused(node24: Hand) -> None:
    _proof, order = sent(node24)
    expire(database_now() + timedelta(seconds=60))
    send_waiting(database_now())
    assert not node24.claims(order).granted


def test_another_node_cannot_claim_it(node24: Hand, node8: Hand) -> None:
    _proof, order = sent(node24)
    assert not node8.claims(order).granted


def test_a_forged_report_proves_nothing(node24: Hand) -> None:
    proof, order = sent(node24)
    node24.claims(order)
    forged = replace(node24.success(order), signature="0" * 64)
    assert record(forged) == Recorded.FORGED
    assert again(proof).state == ProofState.RUNNING


def test_other_software_makes_a_proof_old(node24: Hand) -> None:
    proven(node24)
    node24.reports(comfy=OTHER_COMFY)
    assert word(node24) == Word.STALE


def test_a_model_that_is_another_file_now_makes_a_proof_old_and_a_hash_first_learnt_does_not(
    node24: Hand,
) -> None:
    proven(node24)
    version = template().current
    assert version is not None
    model = version.models_needed[0]
    tells(node24, FileFact(folder=model["folder"], name=model["name"], size=7, sha256="1" * 64))
    assert word(node24) == Word.PROVEN
    proven(node24)
    tells(node24, FileFact(folder=model["folder"], name=model["name"], size=7, sha256="2" * 64))
    assert word(node24) == Word.STALE


def test_a_model_the_template_does_not_need_changes_nothing(node24: Hand) -> None:
    proven(node24)
    models = {**node24.able.models, "loras": (*node24.able.models.get("loras", ()), "new.safetensors")}
    node24.able = Capabilities(classes=node24.able.classes, models=models)
    node24.reports(capabilities=node24.able)
    assert word(node24) == Word.PROVEN


def test_a_node_that_lacks_something_is_not_asked_and_what_is_named(bus: Any, templates: Any) -> None:
    bare = Hand("bare", tier_gb=24, broker=bus, able=Capabilities(classes=(), models={})).arrives()
    with pytest.raises(Refused, match="bare lacks"):
        ask(bare)


def test_who_may_not_steer_nodes_may_not_ask(node24: Hand) -> None:
    with pytest.raises(NotAllowed):
        prove(template(), node_of(node24), user=UserFactory.create())


def test_the_farm_asks_again_after_a_change_only_where_the_studio_says_so(
    node24: Hand, settings: Settings
) -> None:
    proven(node24)
    node24.reports(comfy=OTHER_COMFY)
    assert prove_what_changed(database_now()) == 0
    settings.PROVE_AFTER_CHANGE = True
    assert prove_what_changed(database_now()) == 1
    assert prove_what_changed(database_now()) == 0
    assert Proof.objects.filter(asked_by="coordinator", state=ProofState.WAITING).count() == 1


def test_every_step_is_told_in_the_nodes_story(node24: Hand) -> None:
    proof = proven(node24)
    told = StateEvent.objects.filter(subject=proof.pk).order_by("pk").values_list("to_state", flat=True)
    assert list(told) == ["waiting", "sent", "running", "proven"]
    assert StateEvent.objects.filter(subject=proof.pk).first().story == proof.node_id  # type: ignore[union-attr]


def test_the_last_twenty_of_a_pair_are_kept(node24: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.renders.services.proofs.KEPT", 2)
    for _time in range(3):
        proven(node24)
    assert Proof.objects.count() == 2


def tells(hand: Hand, *files: FileFact) -> None:
    told, wanted = Told.of(files), None
    for _report in range(10):
        wanted = hand.reports(inventory=told.report(wanted)).inventory
        if wanted is None:
            return
    raise AssertionError("it is asked again and again")


def running(hand: Hand, slug: str = "sd15_t2i") -> tuple[Proof, RenderOrder]:
    proof, order = sent(hand, slug)
    assert hand.claims(order).granted
    return again(proof), order


def after(minutes: int) -> datetime:
    return database_now() + timedelta(minutes=minutes)


def test_one_that_waits_too_long_is_given_up_and_says_what_it_waited_for(
    node24: Hand, settings: Settings
) -> None:
    settings.PROVE_MINUTES = 30
    proof = ask(node24)
    Node.objects.update(desired="paused")
    send_waiting(database_now())
    assert give_up_late(after(29)) == 0
    assert give_up_late(after(31)) == 1
    ended = again(proof)
    assert (ended.state, ended.failure_class) == (ProofState.FAILED, FailureClass.TIMED_OUT)
    assert ended.message == f"not proven in 30 minutes: {node24.name} may not be given work (paused)"
    assert word(node24) == Word.LATE, "nothing was found out about the node"


def test_one_that_was_given_up_untried_does_not_hide_what_is_known(node24: Hand) -> None:
    proven(node24)
    ask(node24)
    assert give_up_late(after(61)) == 1
    assert word(node24) == Word.PROVEN


def test_one_that_renders_too_long_is_stopped_by_its_node_and_by_the_farm(
    node24: Hand, settings: Settings
) -> None:
    settings.PROVE_MINUTES = 3
    proof, order = running(node24)
    assert order.execution_timeout_s == 3 * 60
    assert give_up_late(after(4)) == 1
    assert again(proof).message == "not proven in 3 minutes: it was still rendering"
    assert node24.reports().cancelled == (order.attempt_id,)
    assert word(node24) == Word.FAILED


def test_a_node_may_have_its_own_bound(node24: Hand, settings: Settings) -> None:
    settings.PROVE_MINUTES = 30
    proof = ask(node24)
    bound_golden_renders(node_of(node24), 90, user=None)
    assert give_up_late(after(31)) == 0
    bound_golden_renders(node_of(node24), None, user=None)
    assert give_up_late(after(31)) == 1
    assert again(proof).state == ProofState.FAILED
    with pytest.raises(Refused, match="minutes from 2 to 10080"):
        bound_golden_renders(node_of(node24), 1, user=None)


def test_what_renders_makes_way_for_work_and_is_sent_again_when_that_is_done(node24: Hand, job: Job) -> None:
    proof, order = running(node24)
    assert make_way() == 0
    dispatch()
    work = node24.claimed()
    assert make_way() == 1
    assert node24.reports().cancelled == (order.attempt_id,)
    node24.finishes(order, node24.ended(order, Outcome.CANCELLED))
    assert (again(proof).state, again(proof).message) == (ProofState.WAITING, "made way for work")
    node24.finishes(work)
    idle_for_a_while(node24)
    assert send_waiting(database_now()) == 1
    second = node24.order_on()
    assert second is not None
    node24.claims(second)
    node24.finishes(second)
    assert again(proof).state == ProofState.PROVEN


def test_one_that_was_done_when_it_was_to_make_way_is_proven(node24: Hand, job: Job) -> None:
    proof, order = running(node24)
    dispatch()
    node24.claimed()
    make_way()
    node24.finishes(order)
    assert again(proof).state == ProofState.PROVEN


def test_the_word_of_an_earlier_try_is_taken_off_its_nodes_hands_and_changes_nothing(node24: Hand) -> None:
    proof, order = sent(node24)
    expire(database_now() + timedelta(seconds=60))
    assert not node24.claims(order).granted
    assert node24.finishes(order, node24.ended(order, Outcome.DROPPED)).confirmed
    assert again(proof).state == ProofState.WAITING


def test_why_one_was_given_up_is_said_in_the_readers_language() -> None:
    told = "not proven in 30 minutes: waits until its node has nothing else to do"
    with translation.override("ko"):
        said = reason_in_words(told)
        assert str(REASONS["waits until its node has nothing else to do"]) in said
        assert said != told


def test_the_dispatcher_prefers_the_node_that_has_proven_the_version(
    node24: Hand, bus: Any, film: Project, coordinator: User
) -> None:
    other = Hand("a24", tier_gb=24, broker=bus).arrives()  # first by name
    proven(node24)
    other.reports()
    press(film, coordinator, "sd15_t2i")
    assert dispatch() == 1
    assert Attempt.objects.get().node == node_of(node24)


def test_one_whose_golden_render_failed_is_passed_over_until_its_software_changes(
    node24: Hand, bus: Any, film: Project, coordinator: User
) -> None:
    other = Hand("z24", tier_gb=24, broker=bus).arrives()
    _proof, order = sent(node24)
    node24.claims(order)
    node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
    node24.reports()
    jobs = [press(film, coordinator, "sd15_t2i", key=key) for key in "abc"]
    assert dispatch() == 2, "both seats of the other one"
    explain_waiting()
    assert set(Attempt.objects.values_list("node__name", flat=True)) == {other.name}
    waits = Job.objects.get(pk=jobs[-1].pk)
    assert [(row.node, row.code) for row in told_by_nodes(waits)] == [(node24.name, "unproven")]
    node24.reports(comfy=OTHER_COMFY)
    version = template().current
    assert version is not None
    assert verdicts([node_of(node24)], [version]) == []
