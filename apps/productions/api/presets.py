"""Presets of shots over HTTP: rules held against what is chosen, presets and looks given to many shots."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.person import person_of
from apps.common.errors import Problem, Refused
from apps.common.strict import OneOf, Strict
from apps.presets.api.serializers import BrokenRule, LookSerializer
from apps.presets.models import CinematicPreset, Look
from apps.presets.rules import KINDS, LookFacts, broken
from apps.presets.selectors import chosen, looks_for, rules_in
from apps.presets.services.choosing import exclusive_problems, found_presets
from apps.presets.words import told
from apps.productions.api.serializers import location_of
from apps.productions.models import Setting, Shot, TimeOfDay, Weather
from apps.productions.preset_apply import (
    MOST_SHOTS,
    ApplyPlan,
    Mode,
    apply_presets,
    in_order,
    plan_presets,
    presets_of_look,
)
from apps.projects.api_scope import MemberOrStaff, ProjectCode
from apps.projects.models import Project

SHOWN: Final = 500
"""Shots told one by one in an answer."""


class CheckBody(Strict):
    """Presets (category/slug) and what is known of the shot. ``year`` left out: the project's."""

    project = ProjectCode(required=False, allow_null=True, default=None)
    presets = serializers.ListField(child=serializers.CharField(max_length=140))
    weather = OneOf(choices=Weather.choices, required=False, allow_blank=True, default="")
    time_of_day = OneOf(choices=TimeOfDay.choices, required=False, allow_blank=True, default="")
    location = serializers.CharField(required=False, allow_null=True, help_text="The location's code")
    setting = OneOf(choices=Setting.choices, required=False, allow_blank=True, default="")
    year = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=9999)
    kind = OneOf(choices=[(kind, kind) for kind in KINDS], required=False, allow_blank=True, default="")


class CheckAnswer(serializers.Serializer[Any]):
    """``ok``: no hard rule is broken."""

    ok = serializers.BooleanField()
    problems = BrokenRule(many=True)


class PresetCheckView(APIView):
    """Rules held against presets that nobody has saved."""

    permission_classes = (IsAuthenticated, MemberOrStaff)

    @extend_schema(request=CheckBody, responses=CheckAnswer)
    def post(self, request: Request) -> Response:
        """Say which rules these presets break together; nothing is saved."""
        body = CheckBody(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        project: Project | None = asked["project"]
        key = project.pk if project else None
        presets = found_presets(asked["presets"], key)
        if problems := exclusive_problems(presets):
            raise Refused(*problems)
        place = location_of(asked.get("location"), key) if project else None
        year = asked.get("year", project.period_year if project else None)
        facts = LookFacts(
            presets=chosen(presets),
            weather=asked["weather"],
            time_of_day=asked["time_of_day"],
            setting=asked["setting"] or (place.setting if place else ""),
            year=year,
            kind=asked["kind"],
        )
        found = broken(rules_in([key])[key], facts)
        ok = not any(one.hard for one in found)
        return Response(CheckAnswer({"ok": ok, "problems": told(found)}).data)


class ApplyBody(Strict):
    """Which shots (SQ010_SH0040) get which presets, or which look, and what becomes of theirs."""

    project = ProjectCode()
    shots = serializers.ListField(
        child=serializers.CharField(max_length=41), allow_empty=False, max_length=MOST_SHOTS
    )
    presets = serializers.ListField(child=serializers.CharField(max_length=140), required=False, default=list)
    look = serializers.CharField(required=False, allow_blank=True, default="", help_text="The look's slug")
    mode = OneOf(choices=Mode.choices, required=False, default=Mode.ADD)
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=300, default="", help_text="Why hard rules may be broken"
    )
    preview = serializers.BooleanField(required=False, default=False, help_text="Show it; change nothing")
    token = serializers.CharField(
        required=False, default="", help_text="Of the preview: refused if the shots have changed since"
    )


class GivenShot(serializers.Serializer[Any]):
    """What becomes of one shot."""

    shot = serializers.CharField()
    before = serializers.ListField(child=serializers.CharField())
    after = serializers.ListField(child=serializers.CharField())
    problems = BrokenRule(many=True)


class ApplyAnswer(serializers.Serializer[Any]):
    """``shots``: those that change, the first 500. ``batch``: in activity; null for a preview, and
    where nothing changed.
    """

    changed = serializers.IntegerField()
    batch = serializers.UUIDField(allow_null=True)
    token = serializers.CharField()
    shots = GivenShot(many=True)


class ApplyPresetsView(APIView):
    """Presets for many shots."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(request=ApplyBody, responses=ApplyAnswer)
    def post(self, request: Request) -> Response:
        """Give presets or a look to shots of one project: all of them or none, in one batch."""
        body = ApplyBody(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        person, project = person_of(request), asked["project"]
        shots = _shots_named(asked["shots"], project)
        given = {"mode": asked["mode"], "user": person, "reason": asked["reason"]}
        presets = _presets_named(asked, project)
        plan = plan_presets(shots, presets, **given)
        if asked["preview"]:
            if plan.problems:
                raise Refused(*plan.problems)
            return Response(_told(plan, None))
        done = apply_presets(shots, presets, token=asked["token"], **given)
        return Response(_told(plan, done.batch))


def _told(plan: ApplyPlan, batch: Any) -> dict[str, Any]:
    rows = [
        {
            "shot": row.shot.full_code,
            "before": [preset.ref for preset in row.before],
            "after": [preset.ref for preset in row.after],
            "problems": told(row.broken),
        }
        for row in plan.changing[:SHOWN]
    ]
    answer = {"changed": len(plan.changing), "batch": batch, "token": plan.token, "shots": rows}
    return dict(ApplyAnswer(answer).data)


def _shots_named(codes: list[str], project: Project) -> list[Shot]:
    wanted = [code.rpartition("_")[2] for code in codes]
    rows = Shot.objects.filter(project=project, code__in=wanted).select_related("sequence")
    found = {shot.full_code: shot.pk for shot in rows}
    unknown = [code for code in codes if code not in found]
    if unknown:
        told_of = _("There is no such shot in %s.") % project.code
        raise Refused(*(Problem("shots", code, told_of, code="does_not_exist") for code in unknown))
    return in_order(found[code] for code in codes)


def _presets_named(asked: dict[str, Any], project: Project) -> list[CinematicPreset]:
    given: list[CinematicPreset] = []
    if asked["look"]:
        given = presets_of_look(look_named(asked["look"], project))
    return given + [one for one in found_presets(asked["presets"], project.pk) if one not in given]


def look_named(slug: str, project: Project) -> Look:
    """A look of a project by its slug, its own before the studio's. Raises Refused for an unknown one."""
    looks = {look.slug: look for look in looks_for(project.pk).order_by("project_id")}
    own = {look.slug: look for look in looks_for(project.pk) if look.project_id is not None}
    found = (looks | own).get(slug)
    if found is None:
        said = _("no such look; known are %s") % ", ".join(sorted(looks))
        raise Refused(Problem("look", slug, said, code="does_not_exist"))
    return found


class KeepLookBody(Strict):
    """How the look is called."""

    name = serializers.CharField(max_length=120)
    name_ko = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    slug = serializers.SlugField(max_length=80, required=False, default="")


def look_answer(look: Look, **context: Any) -> Response:
    """A look that was made."""
    fresh = looks_for(look.project_id).get(pk=look.pk)
    return Response(LookSerializer(fresh, context=context).data, status=status.HTTP_201_CREATED)
