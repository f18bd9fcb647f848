"""Takes are judged: one on its page, many from their list."""

from __future__ import annotations

from collections.abc import Sized
from typing import ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.projects.admin_scope import ScopedAdmin, back_to
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.review.models import Take
from apps.review.models.playlists import MOST_ITEMS
from apps.review.services import review_take, review_takes
from apps.review.states import REVIEW, Review

VERDICTS = (Review.APPROVED, Review.RETAKE, Review.REJECTED)


def is_key(said: str) -> bool:
    """Tell whether this can be a row's key."""
    try:
        UUID(said)
    except ValueError:
        return False
    return True


def _too_many(request: HttpRequest, rows: Sized) -> bool:
    """Say that more were selected than are taken at once; nothing is done then."""
    if len(rows) > MOST_ITEMS:
        told = _("Select at most %(most)d takes at a time; nothing was done.")
        messages.error(request, told % {"most": MOST_ITEMS})
    return len(rows) > MOST_ITEMS


class JudgesTakes(ScopedAdmin):
    """Whoever may review gives takes their verdict."""

    list_select_related: ClassVar[tuple[str, ...]] = ("shot__sequence", "shot__project")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("verdict/", view(self.verdict_view), name="review_take_verdict"),
            path("<path:object_id>/review/", view(self.review_view), name="review_take_review"),
        ]
        return own + super().get_urls()

    def review_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer approve, retake and reject."""

        def deed(take: Take) -> str | None:
            to = request.POST.get("to", "")
            if to not in VERDICTS:
                messages.error(request, _("“%(to)s” is no verdict.") % {"to": to})
                return None
            decided = review_take(
                take,
                to=to,
                user=person_of(request),
                note=request.POST.get("note", "").strip(),
                gather=request.POST.get("gather") == "1",
            )
            if not decided:
                return _("Somebody else was quicker; see the verdict now.")
            return _("%(take)s: %(verdict)s.") % {"take": take, "verdict": Review(to).label}

        return self.perform(request, object_id, Act.REVIEW, deed)

    def verdict_view(self, request: HttpRequest) -> HttpResponse:
        """Give the takes that were selected in a list one verdict, with a reason."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:review_take_changelist"))
        to = request.POST.get("to", "")
        if to not in VERDICTS or not self.has_review_permission(request):
            raise PermissionDenied
        keys = [key for key in request.POST.getlist("take") if is_key(key)]
        if _too_many(request, keys):
            return HttpResponseRedirect(back_to(request, reverse("admin:review_take_changelist")))
        takes = self.get_queryset(request).filter(pk__in=keys).select_related(*self.list_select_related)
        note = request.POST.get("note", "").strip()
        self._review_all(request, takes, Review(to), note=note, gather=request.POST.get("gather") == "1")
        return HttpResponseRedirect(back_to(request, reverse("admin:review_take_changelist")))

    @admin.action(description=gettext_lazy("Approve"), permissions=["review"])
    def approve(self, request: HttpRequest, takes: QuerySet[Take]) -> None:
        self._review_all(request, takes, Review.APPROVED)

    @admin.action(description=gettext_lazy("Ask for a retake…"), permissions=["review"])
    def ask_retake(self, request: HttpRequest, takes: QuerySet[Take]) -> HttpResponse | None:
        """A retake needs a reason: ask for it."""
        rows = list(takes.select_related(*self.list_select_related)[: MOST_ITEMS + 1])
        if _too_many(request, rows):
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Ask for a retake"),
            "takes": rows,
            "to": str(Review.RETAKE),
        }
        return TemplateResponse(request, "admin/review/take/verdict.html", context)

    @admin.action(description=gettext_lazy("Reject"), permissions=["review"])
    def reject(self, request: HttpRequest, takes: QuerySet[Take]) -> None:
        self._review_all(request, takes, Review.REJECTED)

    def _review_all(
        self, request: HttpRequest, takes: QuerySet[Take], to: Review, *, note: str = "", gather: bool = False
    ) -> None:
        asked = list(takes)
        mine = [
            take
            for take in asked
            if to in REVIEW.moves[take.review_state] and self.may(request, Act.REVIEW, take)
        ]
        told = review_takes(mine, to=to, user=person_of(request), note=note, gather=gather)
        for words in told.refused[:5]:
            messages.error(request, words)
        if told.done:
            words = ngettext("%(done)d take: %(verdict)s.", "%(done)d takes: %(verdict)s.", told.done)
            messages.success(request, words % {"done": told.done, "verdict": to.label})
        if left := len(asked) - len(mine):
            words = ngettext(
                "%(count)d take is left as it is: it is judged so already, or you may not judge.",
                "%(count)d takes are left as they are: they are judged so already, or you may not judge.",
                left,
            )
            messages.warning(request, words % {"count": left})
