"""The API's own description, made once and kept: making and writing it takes a second of a core."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class Description(SpectacularAPIView):
    """The OpenAPI document: the same for everybody, in each language and form, while the process lives."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer with what was written before; a question with parameters is answered anew."""
        form = (get_language(), request.accepted_renderer.media_type)
        if not request.GET and form in _WRITTEN:
            content, headers = _WRITTEN[form]
            return HttpResponse(content, headers=headers)
        spectacular: Any = super()  # its methods have no types
        answer: Response = spectacular.get(request, *args, **kwargs)
        if not request.GET:
            answer.add_post_render_callback(lambda made: _WRITTEN.update({form: _taken_from(made)}))
        return answer


_WRITTEN: Final[dict[tuple[str, str], tuple[bytes, dict[str, str]]]] = {}
"""Two languages, four forms: a few megabytes."""


def _taken_from(made: Any) -> tuple[bytes, dict[str, str]]:
    return made.content, {name: made.headers[name] for name in ("Content-Type", "Content-Disposition")}
