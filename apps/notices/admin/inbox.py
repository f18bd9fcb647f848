"""The inbox: what I was told."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import ReadOnly
from apps.common.show import NOTHING, badge, link, moment
from apps.notices.admin.own import OwnRows
from apps.notices.kinds import Kind
from apps.notices.models import Notice
from apps.notices.selectors import inbox_of, unread_count
from apps.notices.services import subscribing
from apps.notices.words import address_of, lines_of, more_than_named, sentence
from apps.projects.admin_filters import MyProjects
from apps.projects.reach import person_of

TONES = {
    Kind.BATCH_DONE: "green",
    Kind.JOB_DONE: "green",
    Kind.NODE_BACK: "green",
    Kind.PING: "blue",
    Kind.NODE_DEAF: "amber",
}
"""The colours of kinds; what is not here is trouble."""


class UnreadFilter(admin.SimpleListFilter):
    """Read or not."""

    title = gettext_lazy("read")
    parameter_name = "read"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", gettext_lazy("unread")), ("yes", gettext_lazy("read"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        if self.value() is None:
            return queryset
        return queryset.filter(read_at__isnull=self.value() == "no")


@admin.register(Notice)
class NoticeAdmin(ReadOnly, OwnRows):
    """One's own notices. Opening one marks it as read."""

    list_display = ("what", "told", "of_project", "when")
    list_display_links = ("told",)
    list_select_related = ("project",)
    list_filter = (UnreadFilter, "kind", ("project", MyProjects))
    search_fields = ("code",)
    ordering = ("-last_at", "-id")
    actions = ("mark_read",)
    list_before_template = "admin/notices/notice/all_read.html"
    change_form_template = "admin/notices/notice/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        mine = inbox_of(request.user)
        rows: QuerySet[Notice] = super().get_queryset(request).filter(pk__in=mine.values("pk"))
        return rows.select_related("project")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("read-all/", view(self.read_all_view), name="notices_notice_read_all"),
            path("<path:object_id>/read/", view(self.read_view), name="notices_notice_read"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"unread": unread_count(request.user), **(extra_context or {})}
        return super().changelist_view(request, context)

    def read_all_view(self, request: HttpRequest) -> HttpResponse:
        """Answer “Mark all as read”."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._say(request, subscribing.mark_read(None, user=person_of(request)))
        return HttpResponseRedirect(reverse("admin:notices_notice_changelist"))

    def read_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a notice's page, which marks it as read when it is shown."""

        def deed(notice: Notice) -> str:
            subscribing.mark_read([notice.pk], user=person_of(request))
            return ""

        return self.press(request, object_id, deed)

    @admin.action(description=gettext_lazy("Mark as read"), permissions=["view"])
    def mark_read(self, request: HttpRequest, notices: QuerySet[Notice]) -> None:
        keys = list(notices.values_list("pk", flat=True))
        self._say(request, subscribing.mark_read(keys, user=person_of(request)))

    def _say(self, request: HttpRequest, count: int) -> None:
        messages.success(request, _marked(count))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        notice: Notice = context["original"]
        context |= {
            "title": sentence(notice),
            "sentence": sentence(notice),
            "lines": lines_of(notice),
            "more": more_than_named(notice),
            "address": address_of(notice),
            "tone": TONES.get(Kind(notice.kind), "red"),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def what(self, notice: Notice) -> SafeString:
        tone = TONES.get(Kind(notice.kind), "red")
        return badge(notice.get_kind_display(), "grey" if notice.read_at else tone)

    @admin.display(description=gettext_lazy("notice"))
    def told(self, notice: Notice) -> SafeString:
        said = sentence(notice)
        return format_html("{}", said) if notice.read_at else format_html("<b>{}</b>", said)

    @admin.display(description=gettext_lazy("project"), ordering="project")
    def of_project(self, notice: Notice) -> SafeString | str:
        return notice.project.code if notice.project else NOTHING

    @admin.display(description=gettext_lazy("when"), ordering="last_at")
    def when(self, notice: Notice) -> SafeString:
        more = format_html(' <span class="sf-dim">× {}</span>', notice.count) if notice.count > 1 else ""
        return format_html("{}{} {}", moment(notice.last_at), more, link(address_of(notice), "→"))


def _marked(count: int) -> str:
    return ngettext("%d notice marked as read.", "%d notices marked as read.", count) % count
