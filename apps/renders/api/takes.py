"""Takes over HTTP, with what makes a job: rendering one again exactly."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.person import person_of
from apps.common.errors import Problem, Refused
from apps.projects.roles import Act
from apps.renders.api.batches import KEY
from apps.renders.api.serializers import JobSerializer
from apps.renders.models import Job
from apps.renders.services.again import render_again
from apps.renders.services.submit import KEY_FIELD
from apps.review.api import TakeViewSet


class RenderedTakeViewSet(TakeViewSet):
    """The takes of your projects, the newest first."""

    @extend_schema(request=None, responses={201: JobSerializer, 200: JobSerializer}, parameters=[KEY])
    @action(detail=True, methods=["post"], url_path="render-again")
    def render_again(self, request: Request, pk: str) -> Response:
        """Render the take again: the same version, values, seed, LoRAs and inputs, whatever is current.

        201: a new job; 200: this very request was made before; 409: the key names another.
        """
        take, user = self.get_object(), person_of(request)
        self.require(Act.RENDER, take)
        key = request.headers.get(KEY_FIELD, "").strip()
        if not key:
            told = _("send this header: your own name for this request, so that repeating it does no harm")
            raise Refused(Problem(KEY_FIELD, "", told, code="required"))
        made = render_again(take, user=user, idempotency_key=key)
        job = Job.objects.select_related(
            "project", "batch", "lane", "shot__sequence", "template_version__template", "pool", "pinned_to"
        ).get(batch=made.batch)
        code = status.HTTP_201_CREATED if made.created else status.HTTP_200_OK
        return Response(JobSerializer(job, context=self.get_serializer_context()).data, status=code)
