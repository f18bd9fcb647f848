"""Deleting on pages what somebody saw: what was changed meanwhile is shown first, and asked again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.common.admin_versions import VERSION, Meanwhile, key_in, version_in, version_sent
from apps.common.errors import NotAllowed, Refused
from apps.common.saying import say_refusal

if TYPE_CHECKING:
    from django.contrib import admin

    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object


MOST_NAMED: Final = 50
"""Of more rows that keep another the first are named, and the others counted."""


def named_first(names: Sequence[Any], count: int) -> list[Any]:
    """The first MOST_NAMED of so many names, and how many there are beside them."""
    first = list(names[:MOST_NAMED])
    if more := count - len(first):
        first.append(ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
    return first


class DeletesAsSeen(_ModelAdmin):
    """Pages that ask before they delete say which version they asked about."""

    @property
    def versioned(self) -> bool:
        """Whether a save or a deletion says which version of the row it is about."""
        raise NotImplementedError

    def changed_meanwhile(self, request: HttpRequest, row: Any, seen: int, form: Any) -> list[Meanwhile]:
        """Return what somebody else changed since a version. ``form`` is None where nothing can be typed."""
        raise NotImplementedError

    def unchanged_since(self, request: HttpRequest, row: Any, seen: int) -> bool:
        """Tell whether a row says what it said at a version (a file was decoded). The base cannot know."""
        return False

    def _as_asked(self, request: HttpRequest, row: Any, seen: int | None) -> bool:
        """Tell whether somebody who decided at this version decided of what is there now."""
        return seen is not None and (seen == row.row_version or self.unchanged_since(request, row, seen))

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What would go, and, by name, what keeps it."""
        gone, counts, lacking, kept = super().get_deleted_objects(objs, request)
        named = sorted(kept, key=lambda told: strip_tags(str(told)))
        return gone, counts, lacking, named_first(named, len(named))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, and delete or say why it stays; of what was changed after the page was opened, ask again."""
        try:
            return self._delete_as_seen(request, object_id, extra_context)
        except (Refused, NotAllowed) as refused:
            say_refusal(request, refused)
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(page, args=[object_id]))

    def _delete_as_seen(self, request: HttpRequest, object_id: str, extra_context: Any) -> HttpResponse:
        key = key_in(self.model, object_id)
        if not self.versioned or key is None:
            return super().delete_view(request, object_id, extra_context)
        with transaction.atomic():
            rows = self.model._default_manager.filter(pk=key).select_for_update()
            now = rows.values_list(VERSION, flat=True).first()
            context = {VERSION: now, **(extra_context or {})}
            row = self.get_object(request, object_id)
            seen = version_sent(request)
            if request.method == "POST" and row is not None and not self._as_asked(request, row, seen):
                if seen is not None:
                    context["meanwhile"] = self.changed_meanwhile(request, row, seen, None)
                self._ask_again(request)
            return super().delete_view(request, object_id, context)

    def get_actions(self, request: HttpRequest) -> Any:
        actions: dict[str, Any] = super().get_actions(request)
        if self.versioned and "delete_selected" in actions:
            own, name, told = actions["delete_selected"]
            actions["delete_selected"] = (_as_seen(own), name, told)
        return actions

    def _ask_again(self, request: HttpRequest, *keep: str) -> None:
        """Let the page be shown as if nobody had answered it."""
        asked = QueryDict(mutable=True)
        for name in keep:
            asked.setlist(name, list(request.POST.getlist(name)))
        request.POST = asked  # type: ignore[assignment]  # Django declares it immutable, and has a setter
        told = _("Somebody changed this after you opened it. Nothing is deleted yet: look, then decide.")
        messages.warning(request, told)


def _as_seen(delete: Callable[..., Any]) -> Callable[..., Any]:
    """Delete the ticked rows, unless one of them is at another version than the page showed."""

    def delete_selected(page: Any, request: HttpRequest, rows: Any) -> Any:
        meanwhile: list[Meanwhile] = []
        with transaction.atomic():
            if request.POST.get("post"):
                list(rows.order_by("pk").select_for_update().values_list("pk"))
                asked = {row: version_in(request, f"{VERSION}_{row.pk}") for row in rows}
                stale = {row: seen for row, seen in asked.items() if not page._as_asked(request, row, seen)}
                for row, seen in stale.items():
                    changed = page.changed_meanwhile(request, row, seen, None) if seen is not None else []
                    meanwhile += [replace(one, field=f"{row}: {one.field}") for one in changed]
                if stale:
                    page._ask_again(request, "action", "_selected_action", "dataset")
            try:
                with transaction.atomic():
                    answer = delete(page, request, rows)
            except (Refused, NotAllowed) as refused:
                say_refusal(request, refused)
                return None
        if meanwhile and answer is not None:
            answer.context_data["meanwhile"] = meanwhile
        return answer

    return delete_selected
