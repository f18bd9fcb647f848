"""What jobs need, and the lanes they wait in.

A lane holds the ready jobs that fit the same nodes. The dispatcher reads the head of each active lane
from an index, so its cost grows with lanes and free seats, never with the backlog.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.nodes.models import Node, Pool
from apps.projects.models import Project
from apps.workflows.models import WorkflowTemplateVersion


class Need(BaseModel):
    """VRAM one shape of work needs: template version, precision, size and frames.

    ``declared_gb``: the manifest's figure in GB; ``tier_gb``: the tier it goes to now, the declared one
    until a smaller is known to do (``learned``); None: no card is that large. ``explore_gb``: the tier below
    that may be tried when cards of it idle; None: not worth trying (services.needs).
    """

    template_version = models.ForeignKey(WorkflowTemplateVersion, models.PROTECT, related_name="needs")
    precision = models.CharField(_("precision"), max_length=20, blank=True)
    width = models.PositiveIntegerField(_("width (px)"))
    height = models.PositiveIntegerField(_("height (px)"))
    frames = models.PositiveIntegerField(_("frames"), default=1)
    declared_gb = models.FloatField(_("declared (GB)"))
    declared_tier_gb = models.PositiveSmallIntegerField(_("declared tier (GB)"), null=True)
    tier_gb = models.PositiveSmallIntegerField(_("tier (GB)"), null=True)
    learned = models.BooleanField(_("learned"), default=False)
    explore_gb = models.PositiveSmallIntegerField(_("to try next (GB)"), null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["template_version", "precision", "width", "height", "frames", "declared_gb"],
                name="one_need_per_shape",
            )
        ]
        verbose_name = _("memory need")
        verbose_name_plural = _("memory needs")

    def __str__(self) -> str:
        return f"{self.template_version} {self.precision} {self.width}x{self.height}x{self.frames}"


class NeedTier(models.Model):
    """What happened to one need on cards of one tier. Seconds are of execution, successes only.

    ``seconds_m2`` is Welford's sum of squared differences from the mean: variance = m2 / (successes − 1).
    ``peak_mib`` is shown and decides nothing: ComfyUI keeps models in memory as long as there is room.
    """

    need = models.ForeignKey(Need, models.CASCADE, related_name="tiers")
    tier_gb = models.PositiveSmallIntegerField(_("tier (GB)"))
    successes = models.PositiveIntegerField(_("successes"), default=0)
    ooms = models.PositiveIntegerField(_("out of memory"), default=0)
    seconds_mean = models.FloatField(_("mean (s)"), default=0.0)
    seconds_m2 = models.FloatField(default=0.0)
    peak_mib = models.PositiveIntegerField(_("peak memory (MiB)"), null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["need", "tier_gb"], name="one_row_per_need_and_tier")]
        verbose_name = _("experience with a tier")
        verbose_name_plural = _("experience with tiers")

    def __str__(self) -> str:
        return f"{self.need_id} on {self.tier_gb} GB"


class Lane(BaseModel):
    """Jobs that the same nodes can run. ``key``: SHA-256 over everything below.

    ``floor_gb``: jobs that ran out of memory below this tier. ``avoids``: names of nodes these jobs are not
    given to again, sorted, one a line. ``tags``: words a node must have, sorted, one
    a line. ``active``: it may hold a ready job; the dispatcher looks at active lanes only.

    ``wait_code``, ``wait_params``, ``wait_nodes``: the dispatcher's own words for why its head waits, and
    per node ``[{"node", "code", "params"}]``; ``waits_since`` is when they last changed.
    """

    key = models.CharField(max_length=64, unique=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    template_version = models.ForeignKey(WorkflowTemplateVersion, models.PROTECT, related_name="+")
    need = models.ForeignKey(Need, models.PROTECT, related_name="lanes")
    precision = models.CharField(max_length=20, blank=True)
    lora_files = models.CharField(max_length=1_000, blank=True, default="")
    pool = models.ForeignKey(Pool, models.SET_NULL, null=True, related_name="+")
    tags = models.CharField(max_length=400, blank=True, default="")
    pinned_to = models.ForeignKey(Node, models.CASCADE, null=True, related_name="+")
    floor_gb = models.PositiveSmallIntegerField(default=0)
    avoids = models.CharField(max_length=1_000, blank=True, default="")
    active = models.BooleanField(default=True)
    wait_code = models.CharField(max_length=30, blank=True)
    wait_params = models.JSONField(default=dict, blank=True)
    wait_nodes = models.JSONField(default=list, blank=True)
    waits_since = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=models.Q(active=True), name="active_lanes")]
        verbose_name = _("lane")
        verbose_name_plural = _("lanes")

    def __str__(self) -> str:
        return f"{self.template_version} {self.precision}"

    @property
    def tier_gb(self) -> int | None:
        """The tier its jobs go to now; None: no card is that large."""
        return None if self.need.tier_gb is None else max(self.need.tier_gb, self.floor_gb)

    @property
    def avoided(self) -> frozenset[str]:
        """The names of nodes that its jobs failed on and are not given to again."""
        return frozenset(self.avoids.split("\n")) - {""}
