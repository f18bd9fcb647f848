"""Mails and webhooks that went out, or did not, and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import ReadOnly
from apps.common.show import NOTHING, badge, clamped, moment
from apps.notices.admin.own import OwnRows
from apps.notices.models import Delivery, DeliveryState
from apps.notices.selectors import deliveries_of
from apps.notices.services import delivering
from apps.notices.words import fault_in_words, sentence

TONES = {DeliveryState.PENDING: "blue", DeliveryState.DELIVERED: "green", DeliveryState.GIVEN_UP: "red"}


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, OwnRows):
    """The delivery log of one's subscriptions."""

    list_display = ("told", "to", "condition", "tries", "why", "when")
    list_display_links = ("told",)
    list_filter = ("state", "subscription__road")
    search_fields = ("notice__code", "reason")
    ordering = ("-created_at", "-id")
    change_form_template = "admin/notices/delivery/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        mine = deliveries_of(request.user)
        rows: QuerySet[Delivery] = super().get_queryset(request).filter(pk__in=mine.values("pk"))
        return rows.select_related("notice__project", "subscription__owner")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [path("<path:object_id>/again/", view(self.again_view), name="notices_delivery_again")]
        return own + super().get_urls()

    def again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Deliver again”."""

        def deed(delivery: Delivery) -> str:
            delivering.redeliver(delivery)
            return _("It is delivered again.")

        return self.press(request, object_id, deed)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        delivery: Delivery = context["original"]
        context |= {
            "title": sentence(delivery.notice),
            "sentence": sentence(delivery.notice),
            "condition": self.condition(delivery),
            "log": list(delivery.log.all()),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("notice"))
    def told(self, delivery: Delivery) -> str:
        return sentence(delivery.notice)

    @admin.display(description=gettext_lazy("to"))
    def to(self, delivery: Delivery) -> str:
        return str(delivery.subscription)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def condition(self, delivery: Delivery) -> SafeString:
        shown = badge(delivery.get_state_display(), TONES[DeliveryState(delivery.state)])
        if delivery.next_try_at is None or not delivery.tries:
            return shown
        again = _("next try %s") % moment(delivery.next_try_at)
        return format_html('{} <span class="sf-dim">{}</span>', shown, again)

    @admin.display(description=gettext_lazy("reason"))
    def why(self, delivery: Delivery) -> SafeString:
        return clamped(fault_in_words(delivery.reason)) if delivery.reason else NOTHING

    @admin.display(description=gettext_lazy("when"), ordering="created_at")
    def when(self, delivery: Delivery) -> str:
        return moment(delivery.created_at)
