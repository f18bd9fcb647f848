"""Writing requests say which version of a row they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from apps.common.errors import Problem, Refused
from apps.common.strict import Strict

IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description='The ETag you read, such as "3"; or send row_version',
)


class Versioned(Strict):
    """A body that says which version of the row it changes (If-Match says the same)."""

    row_version = serializers.IntegerField(
        required=False, min_value=0, help_text="As you read it; or send If-Match"
    )


def version_said(request: Request, body: dict[str, Any]) -> int:
    """Take out which version the caller read: by If-Match, else in the body. Raises Refused for none."""
    version = version_given(request, body)
    if version is not None:
        return version
    told = _("send the row_version you read, in the body or as If-Match, so that nobody's change is lost")
    raise Refused(Problem("row_version", request.headers.get("If-Match", ""), told, code="required"))


def version_given(request: Request, body: dict[str, Any]) -> int | None:
    """Take out which version the caller read, by If-Match, else in the body; None if they do not say."""
    in_body: int | None = body.pop("row_version", None)
    in_header = _header_of(request)
    return in_header if in_header is not None else in_body


def version_of(request: Request) -> int:
    """Which version the caller read, of a request that says nothing else. Raises Refused for none."""
    body = Versioned(data=request.data)
    body.is_valid(raise_exception=True)
    return version_said(request, dict(body.validated_data))


def version_if_said(request: Request) -> int | None:
    """Which version the caller read, if the request, which says nothing else, tells."""
    body = Versioned(data=request.data)
    body.is_valid(raise_exception=True)
    return version_given(request, dict(body.validated_data))


def _header_of(request: Request) -> int | None:
    header = request.headers.get("If-Match", "").removeprefix("W/").strip('"')
    return int(header) if header.isascii() and header.isdecimal() and len(header) < 10 else None


class TellsVersion(JSONRenderer):
    """Writes JSON. Of one row, its version stands in the header as well, for If-Match."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Write the body, and the header of an answer that has none yet."""
        version = data.get("row_version") if isinstance(data, Mapping) else None
        if version is not None and renderer_context is not None:
            renderer_context["response"].headers.setdefault("ETag", f'"{version}"')
        return super().render(data, accepted_media_type, renderer_context)


def etag(row: Any) -> dict[str, str]:
    """The header that tells a row's version."""
    return {"ETag": f'"{row.row_version}"'}
