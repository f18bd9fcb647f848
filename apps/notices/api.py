"""One's inbox, one's subscriptions, and how their deliveries went."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.accounts.person import person_of
from apps.common import filters
from apps.common.api_versions import IF_MATCH, Versioned, version_of, version_said
from apps.common.strict import OneOf, Strict
from apps.notices.kinds import OFFERED, Kind
from apps.notices.models import Delivery, DeliveryState, DeliveryTry, Notice, Road, Subscription
from apps.notices.selectors import deliveries_of, inbox_of, subscriptions_of
from apps.notices.services import delivering, subscribing
from apps.notices.words import address_of, lines_of, sentence
from apps.projects.api_scope import ProjectCode


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    """What you were told. ``text`` is in your language; ``items``: the first few events it adds up."""

    project = serializers.CharField(source="project.code", read_only=True, default=None, allow_null=True)
    kind = serializers.ChoiceField(choices=Kind.choices, read_only=True)
    text = serializers.SerializerMethodField()
    lines = serializers.SerializerMethodField()
    page = serializers.SerializerMethodField()
    items = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = Notice
        fields = (
            "id",
            "kind",
            "project",
            "text",
            "lines",
            "count",
            "items",
            "page",
            "first_at",
            "last_at",
            "read_at",
        )
        read_only_fields = fields

    def get_text(self, notice: Notice) -> str:
        return sentence(notice)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_lines(self, notice: Notice) -> list[str]:
        return lines_of(notice)

    def get_page(self, notice: Notice) -> str:
        url: str = self.context["request"].build_absolute_uri(address_of(notice))
        return url


class NoticeFilter(filters.ByProject):
    """By project code and kind; ``unread=true``: what was not read yet."""

    kind = filters.ChoiceFilter(choices=Kind.choices)
    unread = filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Notice
        fields: tuple[str, ...] = ()


class Marked(serializers.Serializer[Any]):
    """How many notices were unread until now."""

    marked = serializers.IntegerField(read_only=True)


class NoticeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Notice]):
    """Your inbox, the newest first."""

    queryset = Notice.objects.select_related("project").order_by("-last_at", "-pk")
    serializer_class = NoticeSerializer
    filterset_class = NoticeFilter

    def get_queryset(self) -> QuerySet[Notice]:
        mine = inbox_of(self.request.user)
        return super().get_queryset().filter(pk__in=mine.values("pk"))

    @extend_schema(request=None, responses=NoticeSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Mark it as read. What happens later is a new notice."""
        notice = self.get_object()
        subscribing.mark_read([notice.pk], user=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=Marked, filters=False)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark everything as read."""
        return Response({"marked": subscribing.mark_read(None, user=person_of(request))})


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """What you, or a channel that you manage, are told. ``secret`` is shown when it is made, never again."""

    owner = serializers.CharField(source="owner.username", read_only=True, default=None, allow_null=True)
    project = serializers.CharField(source="project.code", read_only=True, default=None, allow_null=True)
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=OFFERED), read_only=True)
    road = serializers.ChoiceField(choices=Road.choices, read_only=True)
    secret = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = (
            "id",
            "owner",
            "name",
            "project",
            "kinds",
            "only_mine",
            "road",
            "url",
            "address",
            "language",
            "active",
            "standing",
            "failures",
            "blocked_until",
            "secret",
            "created_at",
            "row_version",
        )
        read_only_fields = fields

    def get_secret(self, _subscription: Subscription) -> str | None:
        secret: str | None = self.context.get("secret")
        return secret or None


class SubscriptionBody(Strict):
    """A subscription of your own; ``shared``: a channel's, which takes the role admin in its project."""

    name = serializers.CharField(max_length=80, required=False, allow_blank=True)
    project = ProjectCode(required=False, allow_null=True)
    kinds = serializers.ListField(child=OneOf(choices=OFFERED), min_length=1)
    only_mine = serializers.BooleanField(required=False)
    road = OneOf(choices=Road.choices)
    url = serializers.CharField(max_length=500, required=False, allow_blank=True)
    address = serializers.CharField(max_length=254, required=False, allow_blank=True)
    language = OneOf(choices=[("ko", "한국어"), ("en", "English")], required=False, allow_blank=True)
    active = serializers.BooleanField(required=False)


class NewSubscription(SubscriptionBody):
    """What to make."""

    shared = serializers.BooleanField(required=False, default=False)


class SubscriptionChange(SubscriptionBody, Versioned):
    """What to change."""

    kinds = serializers.ListField(child=OneOf(choices=OFFERED), min_length=1, required=False)
    road = OneOf(choices=Road.choices, required=False)


class SubscriptionFilter(filters.ByProject):
    """By project code and road."""

    road = filters.ChoiceFilter(choices=Road.choices)

    class Meta:
        model = Subscription
        fields = ("active",)


class SubscriptionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Subscription]):
    """What you are told, and the shared channels of projects that you manage."""

    queryset = Subscription.objects.select_related("owner", "project").order_by("created_at", "pk")
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionFilter

    def get_queryset(self) -> QuerySet[Subscription]:
        mine = subscriptions_of(self.request.user)
        return super().get_queryset().filter(pk__in=mine.values("pk"))

    @extend_schema(request=NewSubscription, responses={201: SubscriptionSerializer})
    def create(self, request: Request) -> Response:
        asked = self._asked(NewSubscription)
        row, secret = subscribing.subscribe(user=person_of(request), **asked)
        return self._shown(row, secret, status.HTTP_201_CREATED)

    @extend_schema(request=SubscriptionChange, responses=SubscriptionSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        asked = self._asked(SubscriptionChange)
        version = version_said(request, asked)
        secret = subscribing.change(row, user=person_of(request), row_version=version, **asked)
        return self._shown(self.get_object(), secret)

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        subscribing.end(row, user=person_of(request), row_version=version_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=SubscriptionSerializer)
    @action(detail=True, methods=["post"], url_path="new-secret")
    def new_secret(self, request: Request, pk: str) -> Response:
        """Make a new secret; the old one is void at once."""
        row = self.get_object()
        return self._shown(row, subscribing.new_secret(row, user=person_of(request)))

    @extend_schema(request=None, responses={202: None})
    @action(detail=True, methods=["post"])
    def ping(self, request: Request, pk: str) -> Response:
        """Send a test by its road."""
        subscribing.ping(self.get_object(), user=person_of(request))
        return Response(status=status.HTTP_202_ACCEPTED)

    def _asked(self, form: type[Strict]) -> dict[str, Any]:
        body = form(data=self.request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        data: dict[str, Any] = body.validated_data
        return data

    def _shown(self, row: Subscription, secret: str, code: int = status.HTTP_200_OK) -> Response:
        context = {**self.get_serializer_context(), "secret": secret}
        return Response(SubscriptionSerializer(row, context=context).data, status=code)


class TrySerializer(serializers.ModelSerializer[DeliveryTry]):
    """One try. ``answer``: the first bytes of what was answered."""

    class Meta:
        model = DeliveryTry
        fields = ("at", "ok", "status", "milliseconds", "answer", "error")
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """A mail or a webhook. ``id`` travels as X-Shotfarm-Delivery."""

    state = serializers.ChoiceField(choices=DeliveryState.choices, read_only=True)
    kind = serializers.ChoiceField(source="notice.kind", choices=Kind.choices, read_only=True)
    text = serializers.SerializerMethodField()
    log = TrySerializer(many=True, read_only=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "subscription",
            "kind",
            "text",
            "state",
            "tries",
            "next_try_at",
            "settled_at",
            "reason",
            "log",
            "created_at",
        )
        read_only_fields = fields

    def get_text(self, delivery: Delivery) -> str:
        return sentence(delivery.notice)


class DeliveryFilter(filters.FilterSet):
    """By subscription (id) and state."""

    subscription = filters.UUIDFilter(field_name="subscription")
    state = filters.ChoiceFilter(choices=DeliveryState.choices)

    class Meta:
        model = Delivery
        fields: ClassVar[tuple[str, ...]] = ()


class DeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Delivery]):
    """What went out by your subscriptions, the newest first."""

    queryset = (
        Delivery.objects.select_related("notice").prefetch_related("log").order_by("-created_at", "-pk")
    )
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter

    def get_queryset(self) -> QuerySet[Delivery]:
        mine = deliveries_of(self.request.user)
        return super().get_queryset().filter(pk__in=mine.values("pk"))

    @extend_schema(request=None, responses=DeliverySerializer)
    @action(detail=True, methods=["post"])
    def redeliver(self, request: Request, pk: str) -> Response:
        """Send it again, from the first try, at once."""
        delivery = self.get_object()
        delivering.redeliver(delivery)
        return Response(self.get_serializer(self.get_object()).data)
