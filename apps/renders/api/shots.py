"""Shots over HTTP with what is made of them: staleness, the chain they stand in, rendering it again."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.errors import Problem, Refused
from apps.productions.api import ShotViewSet
from apps.productions.api.serializers import ShotSerializer
from apps.productions.api.views import ShotFilter
from apps.productions.continuity import shots_before, shots_behind
from apps.productions.models import Shot
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.renders.api.batches import KEY
from apps.renders.chain import MOST_SHOWN, links_of
from apps.renders.services.stale import render_stale, stale_behind
from apps.renders.services.submit import KEY_FIELD
from apps.review.models import Take
from apps.review.stale import stale_shots, standing_stale, why_stale


class StaleTake(serializers.Serializer[Any]):
    """A take that stands for the shot, and is made of what does not go on any more."""

    take = serializers.UUIDField(source="pk")
    stage = serializers.CharField()
    since = serializers.DateTimeField(source="stale_since")
    why = serializers.SerializerMethodField()

    def get_why(self, take: Take) -> str:
        """In words."""
        return why_stale(take)


class RenderedShotSerializer(ShotSerializer):
    """A shot. ``stale``: takes that stand for it and are made of what does not go on any more.

    ``frames`` and ``handles`` count at the project's fps; presets are category/slug. Send ``row_version``
    back with a change.
    """

    stale = serializers.SerializerMethodField()

    class Meta(ShotSerializer.Meta):
        fields = (*ShotSerializer.Meta.fields, "stale")
        read_only_fields = fields

    @extend_schema_field(StaleTake(many=True))
    def get_stale(self, shot: Any) -> Any:
        """Empty: it is as it should be."""
        return StaleTake(shot.standing_stale, many=True).data


class ChainLink(serializers.Serializer[Any]):
    """A shot of a chain. ``step``: how far it is from the shot asked about, negative before it."""

    shot = serializers.CharField(source="shot.full_code")
    id = serializers.UUIDField(source="shot.pk")
    step = serializers.IntegerField()
    selected = serializers.UUIDField(source="selected.pk", default=None, allow_null=True)
    stale = serializers.CharField()
    waits = serializers.CharField()
    keeps = serializers.CharField(help_text="Of the shot it continues: frames, latents; empty: none")
    has_latents = serializers.BooleanField(help_text="Its selected clip keeps latents for those behind it")


class StaleBatches(serializers.Serializer[Any]):
    """What was submitted: the codes of the batches."""

    batches = serializers.ListField(child=serializers.CharField())


class RenderedShotFilter(ShotFilter):
    """By the codes of project and sequence, by status, by staleness."""

    stale = filters.BooleanFilter(method="by_staleness")

    def by_staleness(self, shots: QuerySet[Shot], name: str, value: bool) -> QuerySet[Shot]:
        """Those that are stale, or those that are not."""
        stale = stale_shots(Shot.objects.all()).values("pk")
        return shots.filter(pk__in=stale) if value else shots.exclude(pk__in=stale)

    class Meta(ShotFilter.Meta):
        pass


class RenderedShotViewSet(ShotViewSet):
    """The shots of your projects, in the film's order."""

    queryset = ShotViewSet.queryset.prefetch_related(
        Prefetch("takes", queryset=standing_stale(), to_attr="standing_stale")
    )
    serializer_class = RenderedShotSerializer
    filterset_class = RenderedShotFilter

    @extend_schema(responses=ChainLink(many=True))
    @action(detail=True, methods=["get"], url_path="chain", pagination_class=None, filterset_class=None)
    def chain(self, request: Request, pk: str) -> Response:
        """What this shot continues and what continues it, the first one first; the nearest 300 each way."""
        shot = self.get_object()
        before = [(one, -step) for step, one in enumerate(shots_before(shot.pk)[: MOST_SHOWN + 1])]
        behind = [(one, one.step) for one in shots_behind(shot.pk)[1 : MOST_SHOWN + 1]]  # type: ignore[attr-defined]
        steps = {one.pk: step for one, step in (*reversed(before), *behind)}
        rows = Shot.objects.filter(pk__in=steps).select_related("sequence")
        ordered = sorted(rows, key=lambda one: (steps[one.pk], one.code))
        links = links_of([(one, steps[one.pk]) for one in ordered])
        return Response(ChainLink(links, many=True).data)

    @extend_schema(request=None, responses={201: StaleBatches}, parameters=[KEY])
    @action(detail=True, methods=["post"], url_path="render-stale")
    def render_stale(self, request: Request, pk: str) -> Response:
        """Render this shot and those that continue it again where they are stale, in the chain's order."""
        shot, user = self.get_object(), person_of(request)
        require(user, Act.RENDER, shot.project, shot=shot.pk)
        key = request.headers.get(KEY_FIELD, "").strip()
        if not key:
            told = _("send this header: your own name for this request, so that repeating it does no harm")
            raise Refused(Problem(KEY_FIELD, "", told, code="required"))
        made = render_stale(shot.project, stale_behind(shot), user=user, idempotency_key=key)
        return Response({"batches": [batch.code for batch in made]}, status=status.HTTP_201_CREATED)
