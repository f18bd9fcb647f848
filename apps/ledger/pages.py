"""Admin pages that remember: what somebody changes there, deletes there, or changes for many rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts.models import User
from apps.common.admin import Page
from apps.ledger.documents import is_tracked
from apps.ledger.services.recording import changing


class Remembered(Page):
    """A model's pages; if the model is tracked, each save and deletion writes activity."""

    def remembering(self, request: HttpRequest, keys: Iterable[Any]) -> AbstractContextManager[Any]:
        """Remember what a POST changes of these rows, their inlines included."""
        if request.method != "POST" or not is_tracked(self.model) or not isinstance(request.user, User):
            return nullcontext()
        return changing(self.model, self._keys(keys), actor=request.user)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change and is_tracked(self.model):
            with changing(self.model, actor=None) as under_way:
                under_way.born(obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with self.remembering(request, [obj.pk]):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        with self.remembering(request, queryset.values_list("pk", flat=True)):
            super().delete_queryset(request, queryset)

    def _keys(self, told: Iterable[Any]) -> Iterator[Any]:
        for key in told:
            try:
                yield self.model._meta.pk.to_python(unquote(key) if isinstance(key, str) else key)
            except ValidationError:
                continue  # no key of this model: there is no such row, and the page says so
