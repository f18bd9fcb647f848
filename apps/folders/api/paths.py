"""The field ``paths``, and views whose rows have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, cast

from django.db.models import Model
from rest_framework import serializers

from apps.folders.located import Located
from apps.projects.api_scope import ScopedRead
from apps.projects.models import Project

M = TypeVar("M", bound=Model)


class PathsSerializer(serializers.Serializer[Any]):
    """A path as each system writes it; null where nobody told where that system finds the files."""

    linux = serializers.CharField(allow_null=True)
    windows = serializers.CharField(allow_null=True)
    mac = serializers.CharField(allow_null=True)


def located(serializer: serializers.BaseSerializer[Any]) -> Located:
    """Return what knows where things lie, one for all rows of an answer."""
    known = serializer.context.get("located")
    return known if isinstance(known, Located) else Located()


class WithPaths(ScopedRead[M]):
    """Rows with paths: a list reads the layouts of all its projects together."""

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "located": self._located}

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        self._located.prime(self.projects_of(page or ()))
        return page

    def projects_of(self, rows: Iterable[Any]) -> Iterable[Project]:
        """The projects whose layouts say where these rows have their folders."""
        return [row.project for row in rows]

    @property
    def _located(self) -> Located:
        kept: dict[str, Any] = self.__dict__
        return cast(Located, kept.setdefault("_kept_located", Located()))
