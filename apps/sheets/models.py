"""Files that somebody brings, the plan that is made of each, and which heading meant which column."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.models import BaseModel
from apps.projects.models import Project
from apps.sheets.states import BATCH, BatchState


class Format(models.TextChoices):
    """What a file is, by its bytes."""

    XLSX = "xlsx", "XLSX"
    CSV = "csv", "CSV"
    JSON = "json", "JSON"


class Work(models.TextChoices):
    """What is to be done with a batch in the background."""

    NONE = "", ""
    PLAN = "plan", _("the dry run")
    APPLY = "apply", _("writing")


class Outcome(models.TextChoices):
    """What would become of a row."""

    NEW = "new", pgettext_lazy("row", "new")
    CHANGED = "changed", pgettext_lazy("row", "changed")
    SAME = "same", pgettext_lazy("row", "same")
    ERROR = "error", pgettext_lazy("row", "error")
    LEFT_OUT = "left_out", pgettext_lazy("row", "left out")
    REMOVED = "removed", pgettext_lazy("row", "removed")


class ImportBatch(BaseModel):
    """One file brought into one project.

    ``tables``: what is in it. ``mapping``: table → the sheet it is, and which column each of its columns is.
    ``options``: what people chose. ``work``: what waits or runs in the background, ``done`` of ``total``.
    ``problems``: those that belong to no row. ``counts`` and ``report`` as last planned and written.
    """

    project = models.ForeignKey(
        Project, models.CASCADE, related_name="import_batches", verbose_name=_("project")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("brought by")
    )
    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField(_("bytes"))
    key = models.CharField(max_length=255)
    format = models.CharField(_("format"), max_length=8, choices=Format.choices)
    kind = models.CharField(_("contents"), max_length=200, blank=True)
    tables = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    state = models.CharField(
        _("state"), max_length=12, choices=BatchState.choices, default=BatchState.UPLOADED
    )
    work = models.CharField(max_length=8, choices=Work.choices, default=Work.NONE, blank=True)
    asked_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    report = models.JSONField(default=dict)
    applied_at = models.DateTimeField(_("written"), null=True)
    applied_by = models.CharField(_("written by"), max_length=150, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [BATCH.constraint("import_batch_state_is_known")]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="import_batch_list"),
            models.Index(fields=["asked_at"], condition=~Q(work=""), name="import_batch_at_work"),
        ]
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return self.file_name


class ImportRow(models.Model):
    """One row of a plan, in the file's order.

    ``cells``: [column, state, before, after, what is wrong] each, as shown to people. ``versions``: the rows
    of the database it is about, key → row_version at the dry run; a row that was to be new has none.
    """

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    sheet = models.CharField(max_length=120)
    row = models.PositiveIntegerField()
    what = models.CharField(max_length=200)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    cells = models.JSONField(default=list)
    versions = models.JSONField(default=dict)

    class Meta:
        ordering = ["batch", "position"]
        constraints = [models.UniqueConstraint(fields=["batch", "position"], name="import_row_has_a_place")]
        indexes = [models.Index(fields=["batch", "outcome", "position"], name="import_row_by_outcome")]

    def __str__(self) -> str:
        return f"{self.sheet}!{self.row} {self.what}"


class ColumnMapping(BaseModel):
    """How a table with these headings was read last in this project. ``columns``: heading → our column."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    signature = models.CharField(max_length=64)
    sheet = models.CharField(max_length=40, blank=True)
    columns = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "signature"], name="one_mapping_per_headings")
        ]

    def __str__(self) -> str:
        return f"{self.sheet or '–'} {self.signature[:8]}"
