"""Takes with their files, and verdicts on them."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.errors import Conflict, Problem, Refused
from apps.projects.api_scope import ScopedRead
from apps.projects.roles import Act
from apps.projects.selectors import require_some
from apps.projects.stages import Stage
from apps.review.api.take_bodies import (
    ConformSerializer,
    Selection,
    TakeSerializer,
    Verdict,
    Verdicts,
    VerdictsGiven,
)
from apps.review.conforming import lengths_of
from apps.review.models import Take
from apps.review.services import look_again, review_take, review_takes, select_take, unselect_take
from apps.review.states import Media, Review
from apps.workflows.models import Kind


class TakeFilter(filters.ByProject):
    """By project code, shot (id), kind, stage, media and review state, and whether it is selected."""

    shot = filters.UUIDFilter(field_name="shot")
    kind = filters.ChoiceFilter(choices=Kind.choices)
    stage = filters.ChoiceFilter(choices=Stage.choices)
    selected = filters.BooleanFilter()
    media_state = filters.ChoiceFilter(choices=Media.choices)
    review_state = filters.ChoiceFilter(choices=Review.choices)
    job_id = filters.UUIDFilter()

    class Meta:
        model = Take
        fields = ("simulated",)


class TakeViewSet(ScopedRead[Take]):
    """The takes of your projects, the newest first."""

    queryset = (
        Take.objects.select_related("project", "shot__sequence", "prompt_build")
        .prefetch_related("artifacts")
        .order_by("-created_at", "-pk")
    )
    serializer_class = TakeSerializer
    filterset_class = TakeFilter
    shot_path = "shot"
    stage_path = "stage"

    @extend_schema(request=Verdict, responses=TakeSerializer)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Approve the take, ask for another, reject it, or take a verdict back."""
        take = self.get_object()
        asked = self.asked(Verdict, of=take, act=Act.REVIEW)
        decided = review_take(take, user=person_of(request), **asked)
        now = self.get_object()
        if not decided and now.review_state != asked["to"]:
            told = _("somebody else decided just now: %s") % now.get_review_state_display()
            raise Conflict(Problem("to", asked["to"], told, code="stale"))
        return Response(self.get_serializer(now).data)

    @extend_schema(request=Selection, responses=TakeSerializer)
    @action(detail=True, methods=["post"])
    def select(self, request: Request, pk: str) -> Response:
        """Make this the selected take of its shot and stage, or take that back.

        409: somebody selected another in the same moment.
        """
        take = self.get_object()
        asked = self.asked(Selection, of=take, act=Act.REVIEW)
        change = select_take if asked["selected"] else unselect_take
        change(take, person_of(request), asked["reason"])
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=Verdicts, responses=VerdictsGiven, filters=False)
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def verdicts(self, request: Request) -> Response:
        """Give many takes one verdict, each by itself; what one is refused for, the others do not suffer."""
        body = Verdicts(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        keys = asked.pop("takes")
        takes = self.get_queryset().filter(pk__in=keys)
        found = {take.pk for take in takes}
        lost = [key for key in keys if key not in found]
        if lost:
            raise Refused(
                Problem("takes", str(lost[0]), _("no such take in your projects"), code="does_not_exist")
            )
        for project in {take.project for take in takes}:
            require_some(person_of(request), Act.REVIEW, project)
        told = review_takes(takes, user=person_of(request), **asked)
        return Response(VerdictsGiven({"done": told.done, "refused": told.refused}).data)

    @extend_schema(responses=ConformSerializer)
    @action(detail=True, methods=["get"], filterset_class=None)
    def conform(self, request: Request, pk: str) -> Response:
        """How the clip becomes exactly the shot's frames; the file with the role "conformed" is made so."""
        take = self.get_object()
        told = lengths_of(take)
        if told is None:
            why = _("this take is no clip of a known length; only clips are conformed")
            raise Refused(Problem("kind", take.kind, why, code="no_clip"))
        return Response({**told.as_json(), "mapping": told.mapping})

    @extend_schema(request=None, responses=TakeSerializer)
    @action(detail=True, methods=["post"], url_path="look-again")
    def look_again(self, request: Request, pk: str) -> Response:
        """Have the media worker look at the files again."""
        look_again(self.get_object(), user=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)
