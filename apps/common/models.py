"""What every row has, the counters behind human codes, and the event rows of all state machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.common import news
from apps.common.ids import uuid7
from apps.common.transactions import TransactionNumber

_OF_STUDIO_OR_FILM: Final = (models.Q(project=None), models.Q(project__isnull=False))


class BaseModel(models.Model):
    """A row with a UUIDv7 key, timestamps and a version that grows with every change."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    def get_constraints(self) -> list[tuple[type[models.Model], Sequence[models.BaseConstraint]]]:
        """Return the constraints that forms and services check, each of which can say what is wrong."""
        return [
            (model, [_in_words(self, model, one) for one in constraints])
            for model, constraints in super().get_constraints()
        ]


def _in_words(
    row: models.Model, model: type[models.Model], constraint: models.BaseConstraint
) -> models.BaseConstraint:
    """Tell fields of what is unique in the studio, or in a project: Django tells the constraint's name."""
    if not isinstance(constraint, models.UniqueConstraint) or constraint.condition not in _OF_STUDIO_OR_FILM:
        return constraint
    fields = tuple(name for name in constraint.fields if name != "project")
    (told,) = row.unique_error_message(model, fields).messages
    spoken: models.UniqueConstraint = constraint.clone()
    spoken.violation_error_message, spoken.violation_error_code = told.replace("%", "%%"), "unique"
    return spoken


class CodeCounter(models.Model):
    """The last number handed out for one kind of code within one scope (a project, a shot)."""

    scope = models.UUIDField()
    kind = models.CharField(max_length=40)
    value = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "kind"], name="one_counter_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class StateEvents(models.QuerySet["StateEvent"]):
    """Event rows. Whoever writes them tells open pages, too."""

    def bulk_create(self, objs: Iterable[StateEvent], *args: Any, **kwargs: Any) -> list[StateEvent]:
        """Write events; pages hear of their subjects and stories after the commit."""
        written = super().bulk_create(objs, *args, **kwargs)
        told: dict[str, dict[str, None]] = {}
        for event in written:
            told.setdefault(event.machine, {})[str(event.subject)] = None
            if event.story != event.subject:
                told.setdefault(news.STORY, {})[str(event.story)] = None
        for kind, ids in told.items():
            news.tell(kind, ids)
        return written


class StateEvent(models.Model):
    """One state change: what moved, from where to where, who did it, why, when.

    ``story`` is the job's id for everything that happens to a job, its attempts and its take, so one
    query reads the whole story. Rows are only ever added.

    ``xact`` is the transaction that wrote it: whoever follows the table (apps.common.outbox) needs it, for
    keys are handed out in another order than transactions commit.
    """

    id = models.BigAutoField(primary_key=True)
    story = models.UUIDField(_("story"))
    machine = models.CharField(_("machine"), max_length=20)
    subject = models.UUIDField(_("subject"))
    from_state = models.CharField(_("from"), max_length=20, blank=True)
    to_state = models.CharField(_("to"), max_length=20)
    actor = models.CharField(_("actor"), max_length=120)
    reason = models.TextField(_("reason"), blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)
    at = models.DateTimeField(_("at"), db_default=Now())
    xact = models.BigIntegerField(db_default=TransactionNumber(), editable=False)

    objects = StateEvents.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["story", "id"], name="event_story"),
            models.Index(fields=["xact", "id"], name="event_transaction"),
        ]
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.machine} {self.from_state or '·'} → {self.to_state}"
