"""Admin pages that remember: what somebody changes there, deletes there, or changes for many rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.common.admin import Page, say_problems
from apps.common.admin_versions import Meanwhile
from apps.common.collisions import again_after_collision
from apps.common.errors import NotAllowed, Refused
from apps.ledger import words
from apps.ledger.brought_back import BroughtBack
from apps.ledger.documents import Document, document_of, is_tracked
from apps.ledger.selectors import history_of, steps_since
from apps.ledger.sent import Sent
from apps.ledger.services.recording import changing
from apps.ledger.services.restoring import restore
from apps.ledger.showing import sliced


class Remembered(BroughtBack, Page):
    """A model's pages; if the model is tracked, each save and deletion writes activity.

    ``stands_for``: names of the document that the form calls otherwise, and how.
    """

    stands_for: ClassVar[Mapping[str, str]] = {}

    def remembering(self, request: HttpRequest, keys: Iterable[Any]) -> AbstractContextManager[Any]:
        """Remember what a POST changes of these rows, their inlines included."""
        if request.method != "POST" or not is_tracked(self.model) or not isinstance(request.user, User):
            return nullcontext()
        return changing(self.model, keys, actor=request.user)

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

    def may_merge(self, request: HttpRequest, key: Any, seen: int, now: int) -> bool:
        """Tell whether all that was changed meanwhile stands elsewhere than in this form (a status, say)."""
        if seen >= now or not is_tracked(self.model):
            return False
        document = document_of(self.model)
        row = self.get_object(request, str(key))
        changed = {step.field for step in steps_since(document, key, seen)}
        return row is not None and changed.isdisjoint(self._fields_of_form(request, row, document))

    def unchanged_since(self, request: HttpRequest, row: Any, seen: int) -> bool:
        if not is_tracked(self.model) or seen > row.row_version:
            return False
        return not steps_since(document_of(self.model), row.pk, seen)

    def changed_meanwhile(
        self, request: HttpRequest, row: Any, seen: int, form: Any, formsets: Sequence[Any] = ()
    ) -> list[Meanwhile]:
        """Return what was changed since a version, from activity, beside what was typed."""
        if not is_tracked(self.model):
            return super().changed_meanwhile(request, row, seen, form, formsets)
        document = document_of(self.model)
        kind = document.kind
        sent = Sent(document, form, formsets, self.stands_for)
        names = words.Names()
        return [
            Meanwhile(
                field=words.field_text(kind, step.field),
                was=words.value_text(kind, step.field, step.old, names),
                now=words.diff(kind, step.field, step.old, step.new, names),
                typed=words.value_text(kind, step.field, sent.told(step.field), names),
                who=step.who,
                at=step.at,
                name=sent.name_of(step.field),
                untouched=sent.says(step.field, step.old),
            )
            for step in steps_since(document, row.pk, seen)
        ]

    def get_urls(self) -> list[URLPattern]:
        if not is_tracked(self.model):
            return super().get_urls()
        name = f"{self.opts.app_label}_{self.opts.model_name}_restore"
        view = self.admin_site.admin_view(self.restore_view)
        own = path("<path:object_id>/history/<slug:activity_id>/restore/", view, name=name)
        return [own, *super().get_urls()]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show who changed what of the row, newest first, and a way back to each version."""
        row = self.get_object(request, object_id) if is_tracked(self.model) else None
        if row is None:
            return super().history_view(request, object_id, extra_context)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        slice_ = sliced(history_of(self.model, row.pk), request.GET.get("before", ""))
        newest = history_of(self.model, row.pk).values_list("pk", flat=True).first()
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(row)s") % {"row": row},
            "opts": self.opts,
            "original": row,
            "rows": slice_.rows,
            "before": slice_.before,
            "newest": newest,
            "may_restore": self.may_restore(request, row),
            "restore": f"admin:{self.opts.app_label}_{self.opts.model_name}_restore",
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/ledger/history.html", context)

    def may_restore(self, request: HttpRequest, row: Any) -> bool:
        """Tell whether the person may bring the row back to what it said."""
        return self.has_change_permission(request, row)

    def restore_view(self, request: HttpRequest, object_id: str, activity_id: str) -> HttpResponseBase:
        """Answer “restore this version”."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        known = activity_id.isascii() and activity_id.isdecimal() and len(activity_id) < 19
        activity = history_of(self.model, row.pk).filter(pk=activity_id).first() if known else None
        if activity is None:
            raise Http404
        if not self.may_restore(request, row) or not isinstance(request.user, User):
            raise PermissionDenied
        user = request.user
        try:
            count = again_after_collision(lambda: restore(activity, user=user))()
        except Refused as refused:
            say_problems(request, refused)
        except NotAllowed as refused:
            messages.error(request, str(refused))
        else:
            told = ngettext("%(count)d field restored.", "%(count)d fields restored.", count)
            messages.success(request, told % {"count": count})
        back = f"admin:{self.opts.app_label}_{self.opts.model_name}_history"
        return HttpResponseRedirect(reverse(back, args=[quote(row.pk)]))

    def _fields_of_form(self, request: HttpRequest, row: Any, document: Document) -> set[str]:
        own = set(self.get_form(request, row, change=True).base_fields)
        shown = {inline.model for inline in self.get_inline_instances(request, row)}
        own |= {name for name, field in self.stands_for.items() if field in own}
        return own | {name for name, children in document.children.items() if children.model in shown}
