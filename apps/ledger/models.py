"""What people changed: one row for each object and change, and the batches that belong together."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7


class Batch(models.Model):
    """Many changes made in one go: an import, a bulk change, an undo. Undone as one.

    ``project`` is a key of apps.projects, empty for what the whole farm shares. ``undoes``: the batch that
    this one took back.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.UUIDField(_("project"), null=True, blank=True)
    actor = models.CharField(_("person"), max_length=150)
    verb = models.CharField(_("what was done"), max_length=20)
    title = models.CharField(_("title"), max_length=200)
    undoes = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="undone_by", verbose_name=_("takes back")
    )
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "-id"], name="batch_of_project")]
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")

    def __str__(self) -> str:
        return self.title


class Activity(models.Model):
    """Who changed what of which object, when. Rows are only ever added; old ones may be trimmed.

    ``changes``: field → [before, after], values as the object's document has them (plain JSON, rows named
    by their codes). A new object has null before, one that went null after. ``project`` is a key of
    apps.projects, ``object_id`` the object's key as text, ``label`` what people called the object then,
    ``version`` its row_version after the change (null: of a kind that has none).
    """

    id = models.BigAutoField(primary_key=True)
    project = models.UUIDField(_("project"), null=True, blank=True)
    batch = models.ForeignKey(
        Batch,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="activities",
        db_index=False,
        verbose_name=_("bulk change"),
    )
    actor = models.CharField(_("person"), max_length=150)
    verb = models.CharField(_("what was done"), max_length=20)
    kind = models.CharField(_("kind"), max_length=40)
    object_id = models.CharField(_("object"), max_length=64)
    label = models.CharField(_("name"), max_length=200)
    version = models.PositiveIntegerField(_("version"), null=True, blank=True)
    changes = models.JSONField(_("changes"), default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(_("at"), db_default=Now())
    request_id = models.CharField(_("request"), max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["project", "-id"], name="activity_of_project"),
            models.Index(fields=["project", "actor", "-id"], name="activity_of_person"),
            models.Index(fields=["project", "kind", "-id"], name="activity_of_kind"),
            models.Index(fields=["project", "verb", "-id"], name="activity_of_verb"),
            models.Index(fields=["kind", "object_id", "-id"], name="activity_of_object"),
            models.Index(fields=["batch", "id"], name="activity_of_batch"),
        ]
        verbose_name = _("activity")
        verbose_name_plural = _("activity")

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.label}"
