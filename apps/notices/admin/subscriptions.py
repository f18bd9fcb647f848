"""What I am told, and the shared channels of projects that I manage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldBooleanSwitchWidget

from apps.accounts.models import User
from apps.common.admin import Page
from apps.common.admin_versions import Meanwhile
from apps.common.errors import NotAllowed, Refused
from apps.common.show import badge, moment
from apps.ledger.models import Activity
from apps.ledger.pages import Remembered
from apps.notices.admin.own import OwnRows
from apps.notices.kinds import OFFERED, Kind
from apps.notices.models import Delivery, Road, Subscription
from apps.notices.selectors import subscriptions_of
from apps.notices.services import subscribing
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.projects.selectors import projects_for

SHOWN_DELIVERIES = 20
FIELDS = ("road", "kinds", "project", "only_mine", "url", "shared", "name", "address", "language", "active")


class SubscriptionForm(forms.ModelForm[Subscription]):
    """What is wrong with it is said beside the field, in the service's own words."""

    user: User

    kinds = forms.MultipleChoiceField(
        label=capfirst(gettext_lazy("tells of")),
        choices=OFFERED,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    shared = forms.BooleanField(
        label=capfirst(gettext_lazy("for a shared channel")),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Not for me: for a chat channel, another program, or a mailing list."),
    )

    class Meta:
        model = Subscription
        fields = tuple(name for name in FIELDS if name != "shared")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = self.fields["kinds"]
        if isinstance(kinds, forms.MultipleChoiceField):
            # Who asks for others all the same is told what it takes.
            offered = subscribing.kinds_for(self.user) | set(self.instance.kinds)
            kinds.widget.choices = [(kind, label) for kind, label in OFFERED if kind in offered]
        project = self.fields["project"]
        if isinstance(project, forms.ModelChoiceField):
            project.empty_label = _("all that I may see")
        if "road" in self.fields and not settings.MAIL_READY:
            self.fields["road"].help_text = _(
                "E-mail is not set up on this farm: an administrator sets SHOTFARM_SMTP."
            )

    def wanted(self) -> dict[str, Any]:
        """What was filled in, as the service takes it."""
        return {name: value for name, value in self.cleaned_data.items() if name != "shared"}

    @property
    def is_shared(self) -> bool:
        """Whether it is for a channel: as it was made, else as it is asked for."""
        if self.instance._state.adding:
            return bool(self.cleaned_data.get("shared"))
        return self.instance.owner_id is None

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return data
        tried = Subscription(owner=None if self.is_shared else self.instance.owner or self.user)
        for name, value in self.wanted().items():
            setattr(tried, name, value)
        try:
            subscribing.check(tried, user=self.user)
        except Refused as refused:
            for problem in refused.problems:
                self.add_error(problem.field if problem.field in self.fields else None, str(problem.message))
        except NotAllowed as refused:
            self.add_error(None, str(refused))
        return data


@admin.register(Subscription)
class SubscriptionAdmin(OwnRows, Remembered):
    """Everybody chooses what they are told. A webhook's secret is shown when it is made."""

    form = SubscriptionForm
    stands_for: ClassVar[Mapping[str, str]] = {"webhook": "url"}
    list_display = ("who", "tells_of", "of_project", "by", "condition")
    list_display_links = ("who",)
    list_filter = ("road", "active")
    search_fields = ("name", "owner__username")
    ordering = ("-active", "owner__username", "name", "created_at")
    change_form_outer_before_template = "admin/notices/subscription/strip.html"
    fieldsets = (
        (None, {"fields": (("road", "active"), "kinds", ("project", "only_mine"))}),
        (
            gettext_lazy("Webhook"),
            {
                "fields": ("url",),
                "description": gettext_lazy(
                    "Receives a signed POST with JSON (docs/notices.md). Addresses inside private networks "
                    "are refused unless SHOTFARM_WEBHOOK_PRIVATE=1."
                ),
            },
        ),
        (gettext_lazy("Shared channel"), {"fields": (("shared", "name"), ("address", "language"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        mine = subscriptions_of(request.user)
        rows: QuerySet[Subscription] = super().get_queryset(request).filter(pk__in=mine.values("pk"))
        return rows.select_related("owner", "project")

    def remembering(self, request: HttpRequest, keys: Iterable[Any]) -> AbstractContextManager[Any]:
        """A person's own is nobody else's to read of: no activity tells of it."""
        asked = list(keys)
        own = Subscription.objects.filter(pk__in=asked, owner__isnull=False).exists()
        return nullcontext() if own else super().remembering(request, asked)

    def may_merge(self, request: HttpRequest, key: Any, seen: int, now: int) -> bool:
        return False  # no machine moves its version

    def unchanged_since(self, request: HttpRequest, row: Subscription, seen: int) -> bool:
        return False

    def changed_meanwhile(
        self, request: HttpRequest, row: Subscription, seen: int, form: Any, formsets: Sequence[Any] = ()
    ) -> list[Meanwhile]:
        told = super().changed_meanwhile(request, row, seen, form, formsets)
        return told if row.owner_id is None else Page.changed_meanwhile(self, request, row, seen, form)

    def may_see_deletion(self, request: HttpRequest, gone: Activity) -> bool:
        user = person_of(request)
        return user.is_superuser or projects_for(user, Act.MANAGE).filter(pk__in=[gone.project]).exists()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/ping/", view(self.ping_view), name="notices_subscription_ping"),
            path("<path:object_id>/secret/", view(self.secret_view), name="notices_subscription_secret"),
        ]
        return own + super().get_urls()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.user = person_of(request)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        mine, webhook, shared = super().get_fieldsets(request, obj)
        if obj is None:
            return (mine, webhook, shared) if subscribing.may_share(person_of(request)) else (mine, webhook)
        if obj.owner_id is not None:
            return (mine, webhook)
        return (mine, webhook, (shared[0], {"fields": (("name", "address"), "language")}))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "project":
            kwargs["queryset"] = projects_for(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return subscribing.may_subscribe(person_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or not obj.standing

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # each is ended on its own page, which says what goes with it
        return actions

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its notices and deliveries go with it; that takes no right to them one by one."""
        return [str(row) for row in objs], {}, set(), []

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        user, wanted = person_of(request), form.wanted()
        if change:
            secret = subscribing.change(Subscription.objects.get(pk=obj.pk), user=user, **wanted)
        else:
            row, secret = subscribing.subscribe(user=user, shared=form.is_shared, **wanted)
            obj.pk, obj._state.adding = row.pk, False
        obj.refresh_from_db()
        _show_secret(request, secret)

    def delete_model(self, request: HttpRequest, obj: Subscription) -> None:
        subscribing.end(obj, user=person_of(request))

    def ping_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Send a test”."""

        def deed(row: Subscription) -> str:
            subscribing.ping(row, user=person_of(request))
            return _("A test is on its way.")

        return self.press(request, object_id, deed)

    def secret_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Make a new secret” (the page has asked already)."""

        def deed(row: Subscription) -> str:
            _show_secret(request, subscribing.new_secret(row, user=person_of(request)))
            return _("The old secret is void.")

        return self.press(request, object_id, deed)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is not None:
            sent = Delivery.objects.filter(subscription=row).select_related("notice")
            context["deliveries"] = sent.order_by("-created_at")[:SHOWN_DELIVERIES]
            context["is_webhook"] = row.road == Road.WEBHOOK
            context["asks_secret"] = request.GET.get("secret") == "ask"
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("who"), ordering="owner__username")
    def who(self, row: Subscription) -> str:
        if row.standing:
            return f"{row.owner} · {row.get_standing_display()}"
        return row.name or str(row.owner)

    @admin.display(description=gettext_lazy("tells of"))
    def tells_of(self, row: Subscription) -> str:
        return ", ".join(str(Kind(kind).label) for kind in row.kinds)

    @admin.display(description=gettext_lazy("project"), ordering="project")
    def of_project(self, row: Subscription) -> SafeString | str:
        if row.project is None:
            return _("mine only") if row.only_mine else _("all")
        return f"{row.project.code} · {_('mine only')}" if row.only_mine else row.project.code

    @admin.display(description=gettext_lazy("road"), ordering="road")
    def by(self, row: Subscription) -> str:
        where = row.url.partition("://")[2].partition("/")[0] if row.road == Road.WEBHOOK else row.address
        return f"{row.get_road_display()} · {where}" if where else str(row.get_road_display())

    @admin.display(description=gettext_lazy("state"))
    def condition(self, row: Subscription) -> SafeString | str:
        if not row.active:
            return badge(_("switched off"), "grey")
        if row.failures and row.blocked_until:
            told = _("%(times)d failures in a row; not before %(time)s")
            return badge(told % {"times": row.failures, "time": moment(row.blocked_until)}, "red")
        return badge(_("switched on"), "green")


def _show_secret(request: HttpRequest, secret: str) -> None:
    if secret:
        told = _("The webhook's secret, shown this once: %s")
        messages.warning(request, told % secret)
