"""A form whose row somebody deleted: it shows what was typed and who deleted it; Save makes it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from django.db import transaction
from django.forms.formsets import TOTAL_FORM_COUNT
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.admin_versions import VERSION, SavedMeanwhile, key_in
from apps.common.errors import NotAllowed, Refused
from apps.ledger.documents import is_tracked
from apps.ledger.models import Activity
from apps.ledger.selectors import DELETED, history_of
from apps.ledger.services.recording import changing
from apps.ledger.services.restoring import bring_back

if TYPE_CHECKING:
    from apps.common.admin import Page
else:
    Page = object


class BroughtBack(Page):
    """Saving a form of a row that is gone brings it back under its key, after asking."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        gone = self._deletion_of(request, object_id)
        if gone is None:
            return super().changeform_view(request, object_id, *args, **kwargs)
        told = _("%(user)s deleted “%(row)s” on %(when)s.") % {
            "user": gone.actor,
            "row": gone.label,
            "when": date_format(localtime(gone.at), "DATETIME_FORMAT"),
        }
        try:
            with transaction.atomic():
                return self._as_if_it_stood(request, str(object_id), gone, told, *args, **kwargs)
        except (Refused, NotAllowed) as refused:
            return self._only_told(request, told, str(refused))

    def _as_if_it_stood(
        self, request: HttpRequest, object_id: str, gone: Activity, told: str, *args: Any, **kwargs: Any
    ) -> Any:
        """Make the row again. Save the form if its reader knows of it; else show it, and unmake the row.

        What cannot be saved unmakes it as well: it would stand there without the lists that the form holds.
        """
        row = self._made_again(request, object_id, gone)
        post = request.POST.copy()
        post[VERSION] = str(row.row_version)
        request.POST = post  # type: ignore[assignment]  # Django declares it immutable, and has a setter
        if "bring_back" not in post:
            offer = _(
                "Nothing is saved. What you typed is still here: press Save to make it again with that."
            )
            stale = SavedMeanwhile(row.row_version, row.row_version, gone=f"{told} {offer}")
            self.shown_as_stale(request, stale)
        response = super().changeform_view(request, object_id, *args, **kwargs)
        if isinstance(response, HttpResponseRedirect):
            return response
        if isinstance(response, TemplateResponse):
            response.render()
        transaction.set_rollback(True)
        return response

    def _made_again(self, request: HttpRequest, object_id: str, gone: Activity) -> Any:
        """The row as it was when it went, without the lists that the form holds itself."""
        user = cast(User, request.user)
        bring_back(gone, user=user)
        row = self.get_object(request, object_id)
        if row is None or not self.has_change_permission(request, row):
            raise NotAllowed(_("you may not change it"))
        with changing(self.model, [row.pk], actor=user):
            for inline in self.get_inline_instances(request, row):
                form = inline.get_formset(request, row)
                if f"{form.get_default_prefix()}-{TOTAL_FORM_COUNT}" in request.POST:
                    inline.model._default_manager.filter(**{cast(Any, form).fk.name: row.pk}).delete()
        row.refresh_from_db()
        return row

    def may_see_deletion(self, request: HttpRequest, gone: Activity) -> bool:
        """Tell whether the person may know of a row that is gone."""
        return self.has_change_permission(request)

    def _deletion_of(self, request: HttpRequest, object_id: str | None) -> Activity | None:
        """Who deleted the row of this form; None if it stands, or never was the person's to see."""
        if request.method != "POST" or object_id is None or not is_tracked(self.model):
            return None
        key = key_in(self.model, object_id)
        if key is None or self.model._default_manager.filter(pk=key).exists():
            return None
        gone = history_of(self.model, key).first()
        seen = gone is not None and gone.verb == DELETED and self.may_see_deletion(request, gone)
        return gone if seen else None

    def _only_told(self, request: HttpRequest, told: str, why: str) -> HttpResponse:
        """Nothing can be made again: say so, and give back what was typed."""
        context = {
            **self.admin_site.each_context(request),
            "title": told,
            "opts": self.opts,
            "why": why,
            "typed": list(self._typed(request)),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/ledger/gone.html", context, status=409)

    def _typed(self, request: HttpRequest) -> Iterator[tuple[str, str]]:
        for name, field in self.get_form(request, None).base_fields.items():
            said = "\n".join(map(str, request.POST.getlist(name)))
            if said:
                yield str(field.label or name), said
