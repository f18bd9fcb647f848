"""Rows of a project that can be changed and deleted over HTTP, by whoever read their newest version."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.api_versions import IF_MATCH, Versioned, etag, version_said
from apps.projects.api_history import Historied
from apps.projects.api_scope import ScopedRead
from apps.projects.roles import Act


class Revisable(Historied, ScopedRead[Any]):
    """Rows to read and change. A subclass says what a change may say and which service does it."""

    change_form: type[Versioned] = Versioned
    change_act = Act.PLAN

    def change(self, row: Any, *, row_version: int, said: dict[str, Any]) -> None:
        """Change what was said, by a service."""
        raise NotImplementedError

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.answer(self.get_object())

    def answer(self, row: Any, http_status: int = status.HTTP_200_OK) -> Response:
        """Answer with a row, and its version as ETag."""
        return Response(self.get_serializer(row).data, status=http_status, headers=etag(row))

    def change_asked(self, request: Request) -> Response:
        """Answer a PATCH."""
        row = self.get_object()
        said = self.asked(self.change_form, of=row, act=self.change_act)
        version = version_said(request, said)
        self.change(row, row_version=version, said=said)
        return self.answer(self.get_object())


class Removable(Revisable):
    """Rows to delete as well."""

    delete_act = Act.MANAGE

    def take_away(self, row: Any, *, row_version: int) -> bool:
        """Delete a row, by a service; return False if it was put in the archive instead."""
        raise NotImplementedError

    @extend_schema(
        request=Versioned,
        parameters=[IF_MATCH],
        responses={204: None},
    )
    def destroy(self, request: Request, **_key: Any) -> Response:
        row = self.get_object()
        said = self.asked(Versioned, of=row, act=self.delete_act)
        if self.take_away(row, row_version=version_said(request, said)):
            return Response(status=status.HTTP_204_NO_CONTENT)
        return self.answer(self.get_object())
