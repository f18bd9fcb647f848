"""What is paused and limited on the whole farm: lists, and the buttons of the farm page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.common.admin import ReadOnly, say_problems
from apps.common.errors import Refused
from apps.common.show import chips, moment
from apps.projects.admin_scope import FarmAdmin, back_to
from apps.projects.reach import person_of
from apps.renders.holding import use_bar, uses
from apps.renders.models import Hold, Limit
from apps.renders.services import holds
from apps.renders.services.limits import LimitFields, delete_limit, save_limit
from apps.renders.words import scope_in_words


@admin.register(Hold)
class HoldAdmin(ReadOnly, FarmAdmin):
    """What is paused, by whom and why. It is pressed on the farm page (permission renders.change_hold)."""

    list_display = ("what", "by", "reason", "since")
    list_display_links = None

    def get_urls(self) -> list[URLPattern]:
        own = [path("set/", self.admin_site.admin_view(self.set_view), name="renders_hold_set")]
        return own + super().get_urls()

    def set_view(self, request: HttpRequest) -> HttpResponse:
        """Answer Pause and Resume of the farm or a tier."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        user = person_of(request)
        if not holds.may_hold(user):
            raise PermissionDenied
        scope, paused = request.POST.get("scope", ""), request.POST.get("paused", "1") == "1"
        try:
            if paused:
                holds.hold(scope, user=user, reason=request.POST.get("reason", "").strip())
            else:
                holds.release(scope, user=user)
        except Refused as refused:
            say_problems(request, refused)
        else:
            told = (
                _("Paused: %(what)s. What a node already has goes on.") if paused else _("Goes on: %(what)s.")
            )
            messages.success(request, told % {"what": scope_in_words(scope)})
        return HttpResponseRedirect(back_to(request, reverse("admin:renders_hold_changelist")))

    @admin.display(description=gettext_lazy("what is paused"), ordering="scope")
    def what(self, hold: Hold) -> str:
        return scope_in_words(hold.scope)

    @admin.display(description=gettext_lazy("since"), ordering="created_at")
    def since(self, hold: Hold) -> str:
        return moment(hold.created_at)


@admin.register(Limit)
class LimitAdmin(FarmAdmin):
    """At most so many jobs of some templates at once: a licence, a paid API. With its present use."""

    list_display = ("name", "use", "of_templates", "note")
    search_fields = ("name", "note", "templates__slug")
    fields = ("name", "most", "templates", "note")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        used = {use.limit.pk: use for use in uses(rows)}
        for row in rows:
            row.used = used[row.pk]

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        told = form.cleaned_data
        said: LimitFields = {
            "name": told["name"],
            "most": told["most"],
            "note": told["note"],
            "templates": [template.slug for template in told["templates"]],
        }
        save_limit(obj, said, user=person_of(request))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The templates are saved with the limit."""

    def delete_model(self, request: HttpRequest, obj: Limit) -> None:
        delete_limit(obj, user=person_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for limit in queryset:
            delete_limit(limit, user=person_of(request))

    @admin.display(description=gettext_lazy("in use"), ordering="most")
    def use(self, limit: Any) -> SafeString:
        return use_bar(limit.used)

    @admin.display(description=gettext_lazy("templates"))
    def of_templates(self, limit: Any) -> SafeString:
        return chips(list(limit.used.templates))
