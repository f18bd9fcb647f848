"""What is recommended for a shot: by its words in both languages, its facts, and the farm as it is."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.nodes.models import Node
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.renders.models import Decision, Recommendation
from apps.renders.recommendation_words import obstacles_in_words, reasons_in_words
from apps.renders.services.obstacles import Farm
from apps.renders.services.recommending import Advice, advice_for, decide, recommend
from apps.workflows.models import RecommendationRule, WorkflowTemplate
from apps.workflows.services import template_of
from apps.workflows.services.versions import deprecate
from apps.workflows.shipped_recommendations import ship
from tests.factories import (
    CinematicPresetFactory,
    MembershipFactory,
    NodeFactory,
    ShotCharacterFactory,
    ShotFactory,
    ShotPresetFactory,
    TakeFactory,
    UserFactory,
)
from tests.integration.renders.test_material import driving
from workflows.bind import classes_needed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]

MOTION = (
    "large-movement",
    "large-movement-performed",
    "force-of-nature",
    "small-movement",
    "small-movement-long",
)


@pytest.fixture
def shot(film: Project) -> Shot:
    """A shot whose text asks for nothing."""
    made: Shot = ShotFactory.create(
        sequence=film.sequences.get(), description="A house at the sea", description_ko="바닷가의 집"
    )
    return made


def advised(shot: Shot) -> Advice:
    fresh = Shot.objects.select_related("project", "sequence").get(pk=shot.pk)
    return advice_for([fresh])[shot.pk]


def described(shot: Shot, text: str = "", korean: str = "") -> Advice:
    Shot.objects.filter(pk=shot.pk).update(description=text, description_ko=korean)
    return advised(shot)


def spoke(advice: Advice) -> set[str]:
    """The rules that spoke."""
    return {held["rule"] for choice in advice.choices for held in choice["reasons"]}


def node_for(*slugs: str, tier_gb: int, **facts: Any) -> Node:
    """A node that serves, with everything these templates need."""
    classes: set[str] = set()
    models: dict[str, list[str]] = {}
    for slug in slugs:
        current = WorkflowTemplate.objects.get(slug=slug).current
        assert current is not None
        template = template_of(current)
        classes |= set(classes_needed(template))
        for file in template.manifest.models:
            models.setdefault(file.folder, []).append(file.name)
    made: Node = NodeFactory.create(
        tier_gb=tier_gb,
        classes=sorted(classes),
        models_by_folder=models,
        capabilities_of=hashlib.sha256(f"{slugs}{tier_gb}".encode()).hexdigest()[:16],
        **facts,
    )
    return made


@pytest.mark.parametrize(
    "text",
    [
        "A drunk man looks out of the window",
        "A brunette by a waterfall",
        "a pair of pants",
        "drunk brunette waterfall window pants",
        "뛰어난 풍경, 평소와 달리 조용한 집",
    ],
)
def test_words_that_only_hold_a_keyword_trigger_nothing(shot: Shot, text: str) -> None:
    advice = described(shot, text)
    assert not spoke(advice) & set(MOTION)
    assert advice.template == "flux_t2i", "a still to begin with"


@pytest.mark.parametrize(
    ("korean", "rule"),
    [
        ("소년이 들판을 달린다", "large-movement"),
        ("소녀가 계단을 뛰어 내려갔다", "large-movement"),
        ("달리며 소리치는 사람들", "large-movement"),
        ("공장이 폭발했다", "force-of-nature"),
        ("멀리서 폭발이 일어난다", "force-of-nature"),
    ],
)
def test_korean_in_its_inflected_forms_triggers_movement(shot: Shot, korean: str, rule: str) -> None:
    advice = described(shot, korean=korean)
    assert rule in spoke(advice)
    assert advice.template == "wan22_i2v"


def test_casting_actions_are_read_and_the_reason_names_word_and_character(shot: Shot) -> None:
    ShotCharacterFactory.create(
        shot=shot, character__name="Gerda", action="runs across the ice", action_ko="얼음 위를 달린다"
    )
    choice = next(one for one in advised(shot).choices if one["template"] == "wan22_i2v")
    (reason,) = (told for told in reasons_in_words(choice) if "runs" in told)
    assert reason.startswith("Large movement needs a model")
    assert "“runs” in the action of Gerda; “달린다” in the action of Gerda" in reason
    with translation.override("ko"):
        assert "큰 동작" in " ".join(reasons_in_words(choice))


def test_what_the_text_denies_is_left_out_and_said(shot: Shot) -> None:
    advice = described(shot, "She does not run.", "그는 달리지 않는다")
    assert not spoke(advice) & set(MOTION)
    assert [word["text"] for word in advice.denied] == ["run", "달리지"]


def test_facts_of_the_shot_count_too(shot: Shot, film: Project) -> None:
    before = ShotFactory.create(
        sequence=shot.sequence, order=shot.order - 1 if shot.order else 0, code="SH0001"
    )
    Shot.objects.filter(pk=shot.pk).update(order=before.order + 1, frames=200, dialogue="Kay!")
    TakeFactory.create(shot=shot, kind="keyframe", media_state="ready")
    TakeFactory.create(shot=before, kind="clip", media_state="ready")
    preset = CinematicPresetFactory.create(slug="test-orbit", category__slug="camera_movement")
    ShotPresetFactory.create(shot=shot, preset=preset)
    RecommendationRule.objects.filter(slug="camera-moves").update(camera_moves="test-orbit")
    rules = spoke(advised(shot))
    assert {"dialogue", "between-two-pictures", "long-shot", "camera-moves", "has-keyframe"} <= rules
    assert "keyframe-first" not in rules


def test_a_rejected_keyframe_is_none(shot: Shot) -> None:
    TakeFactory.create(shot=shot, kind="keyframe", media_state="ready", review_state="rejected")
    assert "keyframe-first" in spoke(advised(shot))


def test_a_template_too_large_for_every_node_online_is_not_the_first_choice(shot: Shot) -> None:
    node_for("sd15_t2i", "wan22_i2v", tier_gb=8)
    big = node_for("wan22_i2v", tier_gb=96, desired="paused")
    advice = described(shot, "She runs")
    assert advice.template == "sd15_t2i"
    wan = next(one for one in advice.choices if one["template"] == "wan22_i2v")
    assert obstacles_in_words(wan)[0].endswith("the largest that serves now has 8 GB.")
    Node.objects.filter(pk=big.pk).update(desired="active")
    assert advised(shot).template == "wan22_i2v", "it serves again"


def test_a_template_whose_models_no_node_has_says_which(shot: Shot) -> None:
    node_for("sd15_t2i", tier_gb=96)
    advice = described(shot, "She runs")
    assert advice.template == "sd15_t2i"
    wan = next(one for one in advice.choices if one["template"] == "wan22_i2v")
    assert "No node has " in obstacles_in_words(wan)[0]


def test_a_rule_whose_template_is_not_there_is_inert_and_says_so(shot: Shot) -> None:
    RecommendationRule.objects.all().update(active=False)
    RecommendationRule.objects.create(
        slug="own", name="Own", keywords="house", template="not_here", reason="Houses", weight=500
    )
    advice = advised(shot)
    assert (advice.template, advice.first) == ("", None)
    assert obstacles_in_words(advice.choices[0]) == ["There is no template not_here here."]


def test_a_shot_a_template_refuses_says_why(shot: Shot) -> None:
    Shot.objects.filter(pk=shot.pk).update(frames=2_000)
    wan = next(one for one in described(shot, "She runs").choices if one["template"] == "wan22_i2v")
    assert "longer than one clip can be; split the shot into" in obstacles_in_words(wan)[0]


def test_a_recommendation_is_kept_and_made_again_when_the_text_changes(shot: Shot, coordinator: User) -> None:
    recommend([shot], user=coordinator)
    kept = Recommendation.objects.get(shot=shot)
    assert (kept.template, kept.decision) == ("flux_t2i", Decision.NONE)
    recommend([shot], user=coordinator)
    again = Recommendation.objects.get(shot=shot)
    assert again.row_version == kept.row_version, "nothing changed, nothing written"
    described(shot, "Wolves chase the sleigh")
    recommend([Shot.objects.select_related("project").get(pk=shot.pk)], user=coordinator)
    changed = Recommendation.objects.select_related("rule").get(shot=shot)
    assert (changed.template, changed.rule.slug if changed.rule else "") == ("wan22_i2v", "large-movement")
    assert changed.inputs_hash != kept.inputs_hash


def test_a_person_accepts_overrides_and_takes_it_back(shot: Shot, coordinator: User) -> None:
    assert decide(shot, user=coordinator).decision == Decision.ACCEPTED
    row = decide(shot, user=coordinator, template="sd15_t2i")
    assert (row.decision, row.chosen, row.decided_by) == (Decision.OVERRIDDEN, "sd15_t2i", coordinator)
    assert row.decided_at is not None
    assert (advised(shot).chosen, advised(shot).outdated) == ("sd15_t2i", False)
    assert described(shot, "She runs").outdated, "the text has changed since"
    assert advised(shot).chosen == "sd15_t2i", "a person's word stays"
    assert decide(shot, user=coordinator, withdraw=True).decision == Decision.NONE
    assert advised(shot).chosen == "wan22_i2v"


def test_what_is_not_offered_cannot_be_chosen(shot: Shot, coordinator: User) -> None:
    with pytest.raises(Refused, match="offered are"):
        decide(shot, user=coordinator, template="not_here")


def test_a_template_whose_version_is_deprecated_is_recommended_no_more(shot: Shot, coordinator: User) -> None:
    node_for("wan22_i2v", "flux_t2i", tier_gb=96)
    first = described(shot, "She runs")
    assert first.template == "wan22_i2v"
    current = WorkflowTemplate.objects.get(slug=first.template).current
    assert current is not None
    deprecate(current, reason="flickers", user=UserFactory.create(is_superuser=True))
    after = advised(shot)
    assert after.template == "flux_t2i"
    [left] = [one for one in after.choices if one["template"] == "wan22_i2v"]
    assert [one["code"] for one in left["obstacles"]] == ["not_offered"]
    assert decide(shot, user=coordinator).chosen == "flux_t2i"


def test_who_may_only_look_decides_nothing(shot: Shot) -> None:
    viewer = MembershipFactory.create(project=shot.project, role=Role.CLIENT).user
    for deed in (lambda: decide(shot, user=viewer), lambda: recommend([shot], user=viewer)):
        with pytest.raises(NotAllowed):
            deed()
    assert not Recommendation.objects.exists()


def test_many_shots_take_no_more_queries_than_few(film: Project) -> None:
    shots = ShotFactory.create_batch(12, sequence=film.sequences.get(), description="A girl runs")
    for one in shots:
        ShotCharacterFactory.create(shot=one)
    advice_for(shots[:1])  # reads templates that are remembered from here on
    counts = []
    for some in (shots[:2], shots):
        with CaptureQueriesContext(connection) as queries:
            advice_for(some)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_rules_that_people_edited_stay_when_a_release_brings_its_own(shot: Shot) -> None:
    mine = RecommendationRule.objects.get(slug="large-movement")
    mine.weight, mine.row_version = 99, 1
    mine.save()
    RecommendationRule.objects.filter(slug="dialogue").update(weight=1)
    RecommendationRule.objects.filter(slug="stylised").delete()
    RecommendationRule.objects.create(slug="stylised", name="Ours", template="own", reason="Ours", weight=7)
    ship(apps=apps)
    assert RecommendationRule.objects.get(slug="stylised").weight == 7, "a rule of our own has that key"
    assert RecommendationRule.objects.get(slug="large-movement").weight == 99
    assert RecommendationRule.objects.get(slug="dialogue").weight == 18


def test_the_api_tells_and_takes_decisions(shot: Shot, coordinator: User) -> None:
    client = APIClient()
    client.force_authenticate(coordinator)
    address = f"/api/v1/shots/{shot.pk}/recommendation"
    described(shot, "She runs")
    told = client.get(address).json()
    assert (told["template"], told["chosen"], told["decision"]) == ("wan22_i2v", "wan22_i2v", "")
    assert {"keyword": "run", "text": "runs", "where": "description", "who": ""} in told["choices"][0][
        "words"
    ]
    assert not Recommendation.objects.exists(), "asking changes nothing"
    assert client.post(address, {"decision": "accept"}).json()["decision"] == "accepted"
    over = client.post(address, {"decision": "override", "template": "sd15_t2i"}).json()
    assert (over["decision"], over["chosen"], over["decided_by"]) == (
        "overridden",
        "sd15_t2i",
        coordinator.username,
    )
    wrong = client.post(address, {"decision": "override"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "template")
    assert client.post(address, {"decision": "withdraw"}).json()["decision"] == ""


def test_a_file_that_will_be_asked_for_is_told_and_stands_in_no_way(shot: Shot) -> None:
    ShotCharacterFactory.create(shot=shot, action="", action_ko="")
    node_for("wan_animate", "wan22_i2v", tier_gb=48)
    advice = described(shot, "She runs over the ice")
    assert advice.template == "wan_animate"
    assert [one["params"] for one in advice.choices[0]["obstacles"]] == [{"input": "video"}]
    assert obstacles_in_words(advice.choices[0]) == [
        "It asks for a file for its input “video”: put one on the shot, name one, or render it first."
    ]
    walk = driving(shot)
    assert advised(shot).choices[0]["obstacles"] == [], "a driving video on the shot is not asked for"
    walk.delete()
    TakeFactory.create(shot=shot, kind="clip", media_state="ready")
    assert advised(shot).choices[0]["obstacles"] == []


def test_many_nodes_take_no_more_queries_than_few(shot: Shot) -> None:
    counts = []
    for _more in range(2):
        for _node in range(3):
            node_for("rife_interpolate", tier_gb=24)
        farm = Farm()
        farm.obstacles("rife_interpolate", shot)  # what each node lacks is remembered from here on
        with CaptureQueriesContext(connection) as queries:
            Farm().obstacles("rife_interpolate", shot)
        counts.append(len(queries))
    assert counts[0] == counts[1]
