"""Who is told what by which road, what was told, and how each delivery went."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.models import BaseModel
from apps.notices.kinds import Kind
from apps.projects.models import Project
from apps.renders.models import RenderBatch


class Cursor(models.Model):
    """One row: how far the event table has been read (apps.common.outbox.Place)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    xact = models.BigIntegerField(default=0)
    event = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_notice_cursor")]

    def __str__(self) -> str:
        return f"{self.xact}/{self.event}"


class BatchEnd(models.Model):
    """A batch whose end was told. The row goes when one of its jobs is open again."""

    batch = models.OneToOneField(RenderBatch, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return str(self.batch_id)


class Road(models.TextChoices):
    """How somebody is told."""

    INBOX = "inbox", _("inbox")
    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("webhook")


class Standing(models.TextChoices):
    """Subscriptions that exist without anybody's doing. They can be changed and switched off."""

    OWN_BATCHES = "own_batches", _("my own batches")
    FARM = "farm", _("the farm's nodes")


class Subscription(BaseModel):
    """Who is told which kinds, of which project, by which road.

    ``owner``: a person, told only what they may see; None: a shared channel, with a ``name``. ``project``:
    None is all. ``salt``: what the webhook's secret is derived from; the secret itself is stored nowhere.
    ``busy_until``: somebody delivers here now; ``blocked_until``: it failed, and is left alone until then.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="subscriptions",
        verbose_name=_("who"),
    )
    name = models.CharField(_("shared channel"), max_length=80, blank=True)
    project = models.ForeignKey(
        Project, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("project")
    )
    kinds = models.JSONField(_("tells of"), default=list)
    only_mine = models.BooleanField(_("only what I submitted"), default=False)
    road = models.CharField(_("road"), max_length=10, choices=Road.choices, default=Road.INBOX)
    url = models.CharField(_("webhook address"), max_length=500, blank=True)
    address = models.EmailField(_("e-mail address"), blank=True)
    language = models.CharField(
        _("language"), max_length=5, blank=True, choices=[("ko", "한국어"), ("en", "English")], default=""
    )
    active = models.BooleanField(pgettext_lazy("subscription", "active"), default=True)
    standing = models.CharField(max_length=12, choices=Standing.choices, blank=True, default="")
    salt = models.CharField(max_length=32, blank=True, default="")
    busy_until = models.DateTimeField(null=True, blank=True)
    blocked_until = models.DateTimeField(_("not before"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "standing"], condition=~Q(standing=""), name="one_standing_of_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(owner__isnull=False) | ~Q(name=""), name="subscription_is_somebodys"
            ),
            models.CheckConstraint(
                condition=Q(owner__isnull=False) | ~Q(road=Road.INBOX), name="a_channel_has_no_inbox"
            ),
        ]
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")

    def __str__(self) -> str:
        return f"{self.name or self.owner or ''} · {self.get_road_display()}"


class Notice(BaseModel):
    """What one subscription is told: one or more events of one kind about one thing, added up.

    ``about``: a batch's id, or FARM. ``recipient``: whose inbox it lies in; None for mails and webhooks.
    ``items``: what each event was about, the first few in an inbox or a mail, all of them in a webhook.
    ``open``: further events are added. At most one notice of a kind about a thing is open.
    """

    subscription = models.ForeignKey(
        Subscription, models.CASCADE, related_name="notices", verbose_name=_("subscription")
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        related_name="notices",
        verbose_name=_("recipient"),
    )
    project = models.ForeignKey(
        Project, models.CASCADE, null=True, related_name="+", verbose_name=_("project")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    about = models.UUIDField()
    code = models.CharField(_("about"), max_length=120, blank=True)
    count = models.PositiveIntegerField(_("how many"), default=1)
    items = models.JSONField(default=list)
    open = models.BooleanField(default=True)
    first_at = models.DateTimeField(_("first event"))
    last_at = models.DateTimeField(_("when"))
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "kind", "about"], condition=Q(open=True), name="one_open_notice"
            )
        ]
        indexes = [
            models.Index(fields=["recipient", "-last_at"], name="notice_inbox"),
            models.Index(fields=["recipient"], condition=Q(read_at__isnull=True), name="notice_unread"),
            models.Index(fields=["last_at"], name="notice_age"),
        ]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.code}" if self.code else str(self.get_kind_display())


class DeliveryState(models.TextChoices):
    """How far a mail or a webhook is."""

    PENDING = "pending", _("waiting")
    DELIVERED = "delivered", _("delivered")
    GIVEN_UP = "given_up", _("given up")


class Delivery(BaseModel):
    """A notice on its way out of the farm, by e-mail or webhook. Its id travels along."""

    subscription = models.ForeignKey(
        Subscription, models.CASCADE, related_name="deliveries", verbose_name=_("subscription")
    )
    notice = models.OneToOneField(Notice, models.CASCADE, related_name="delivery", verbose_name=_("notice"))
    state = models.CharField(
        _("state"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True)
    settled_at = models.DateTimeField(_("settled"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["subscription", "next_try_at"], condition=Q(state="pending"), name="delivery_due"
            )
        ]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return f"{self.notice} → {self.subscription}"


class DeliveryTry(models.Model):
    """One try: what was answered, and how long it took. ``status``: of HTTP; None if none came."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="log")
    at = models.DateTimeField(_("at"))
    ok = models.BooleanField(_("delivered"))
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    milliseconds = models.PositiveIntegerField(_("took (ms)"))
    answer = models.CharField(_("answer"), max_length=300, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("try")
        verbose_name_plural = _("tries")

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.status or self.error}"
