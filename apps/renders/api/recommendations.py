"""What is recommended for a shot, with its reasons; and a person's word on it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.errors import Problem, Refused
from apps.common.strict import OneOf, Strict
from apps.productions.models import Shot
from apps.projects.api_scope import ScopedViewSet
from apps.projects.roles import Act
from apps.renders.models import Decision
from apps.renders.recommendation_words import denied_in_words, obstacles_in_words, reasons_in_words
from apps.renders.services.recommending import Advice, advice_for, decide

ACCEPT, OVERRIDE, WITHDRAW = "accept", "override", "withdraw"


class RecommendedWord(serializers.Serializer[Any]):
    """A keyword that stands in the shot's text. ``who``: the character whose action it is in."""

    keyword = serializers.CharField()
    text = serializers.CharField()
    where = serializers.CharField()
    who = serializers.CharField(allow_blank=True)


class RecommendedTemplate(serializers.Serializer[Any]):
    """A template that rules speak for. ``score``: their weights, added. ``obstacles``: why not now."""

    template = serializers.CharField()
    recipe = serializers.CharField(allow_blank=True)
    score = serializers.IntegerField()
    rules = serializers.ListField(child=serializers.CharField())
    words = RecommendedWord(many=True)
    reasons = serializers.ListField(child=serializers.CharField())
    obstacles = serializers.ListField(child=serializers.CharField())


class RecommendationSerializer(serializers.Serializer[Any]):
    """What the rules recommend now, the best first, and what a person decided.

    ``chosen`` is what the Render page begins with: a person's choice, else the first. ``outdated``: what the
    decision rested on has changed since. ``denied``: words left out because the text denies them.
    """

    shot = serializers.CharField()
    template = serializers.CharField(allow_blank=True)
    recipe = serializers.CharField(allow_blank=True)
    choices = RecommendedTemplate(many=True)
    denied = serializers.CharField(allow_blank=True)
    inputs_hash = serializers.CharField()
    decision = serializers.CharField(allow_blank=True)
    chosen = serializers.CharField(allow_blank=True)
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    outdated = serializers.BooleanField()


class DecisionRequest(Strict):
    """``accept`` what is recommended, ``override`` it with ``template``, or ``withdraw`` a decision."""

    decision = OneOf(choices=[(word, word) for word in (ACCEPT, OVERRIDE, WITHDRAW)])
    template = serializers.CharField(required=False, allow_blank=True, default="", max_length=50)


class RecommendationViewSet(ScopedViewSet[Shot]):
    """The recommendation of a shot of your projects."""

    queryset = Shot.objects.select_related("project", "sequence").order_by("pk")
    serializer_class = RecommendationSerializer
    shot_path = "pk"

    @extend_schema(operation_id="shots_recommendation", responses=RecommendationSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Work out what is recommended for the shot now; this changes nothing."""
        return self._answer(self.get_object())

    @extend_schema(
        operation_id="shots_recommendation_decide",
        request=DecisionRequest,
        responses=RecommendationSerializer,
    )
    def decide(self, request: Request, pk: str) -> Response:
        """Accept the recommendation, choose another template, or take that back."""
        shot = self.get_object()
        asked = self.asked(DecisionRequest, of=shot, act=Act.PLAN)
        if (asked["decision"] == OVERRIDE) != bool(asked["template"]):
            told = _("name a template to override with; leave it out to accept or withdraw")
            raise Refused(Problem("template", asked["template"], told))
        decide(
            shot,
            user=person_of(request),
            template=asked["template"],
            withdraw=asked["decision"] == WITHDRAW,
        )
        return self._answer(shot)

    def _answer(self, shot: Shot) -> Response:
        return Response(RecommendationSerializer(_told(advice_for([shot])[shot.pk], shot)).data)


def _told(advice: Advice, shot: Shot) -> dict[str, Any]:
    """An advice with its reasons in the reader's language."""
    kept = advice.kept if advice.kept and advice.kept.decision else None
    return {
        "shot": shot.full_code,
        "template": advice.template,
        "recipe": advice.recipe,
        "choices": [_choice(one) for one in advice.choices],
        "denied": denied_in_words(advice.denied),
        "inputs_hash": advice.inputs_hash,
        "decision": kept.decision if kept else Decision.NONE,
        "chosen": advice.chosen,
        "decided_by": kept.decided_by.username if kept and kept.decided_by else None,
        "decided_at": kept.decided_at if kept else None,
        "outdated": advice.outdated,
    }


def _choice(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "template": one["template"],
        "recipe": one["recipe"],
        "score": one["score"],
        "rules": [held["rule"] for held in one["reasons"]],
        "words": [word for held in one["reasons"] for word in held["words"]],
        "reasons": reasons_in_words(one),
        "obstacles": obstacles_in_words(one),
    }
