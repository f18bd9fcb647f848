"""GPU nodes as the coordinator knows them. One node drives one GPU through one ComfyUI."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.nodes.states import NODE, Desired, Observed


class Source(models.TextChoices):
    """Where a GPU fact comes from (farm.contracts.Source)."""

    NVML = "nvml", _("measured (NVML)")
    COMFYUI = "comfyui", _("told by ComfyUI")
    SIMULATED = "simulated", _("SIMULATED")
    UNKNOWN = "unknown", _("unknown")


class Node(BaseModel):
    """A GPU worker and the ComfyUI beside it. Facts are what it last reported; nothing is invented.

    ``tier_gb``: the VRAM tier it serves, 0 for no VRAM, None when its memory is unknown.
    ``epoch``: one life of the worker; orders and attempts of an earlier epoch are not its own.
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    worker = models.CharField(_("Celery worker"), max_length=200, blank=True)
    epoch = models.CharField(max_length=40, blank=True)
    former_epoch = models.CharField(max_length=40, blank=True)
    desired = models.CharField(_("desired"), max_length=10, choices=Desired.choices, default=Desired.ACTIVE)
    observed = models.CharField(
        _("state"), max_length=10, choices=Observed.choices, default=Observed.STARTING
    )
    reason = models.TextField(_("reason"), blank=True)
    tier_gb = models.PositiveSmallIntegerField(_("tier (GB)"), null=True, blank=True)
    simulated = models.BooleanField(_("simulated"), default=False)
    comfyui_version = models.CharField(_("ComfyUI"), max_length=40, blank=True)
    comfyui_facts = models.JSONField(default=dict, blank=True)
    fingerprint = models.CharField(max_length=16, blank=True)
    classes = models.JSONField(_("node classes"), default=list, blank=True)
    models_by_folder = models.JSONField(_("models"), default=dict, blank=True)
    capabilities_of = models.CharField(max_length=16, blank=True)
    note = models.TextField(_("maintenance note"), blank=True)
    reported_at = models.DateTimeField(_("last report"), null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [NODE.constraint("node_state_is_known")]
        verbose_name = _("node")
        verbose_name_plural = _("nodes")

    def __str__(self) -> str:
        return self.name


class Gpu(BaseModel):
    """One GPU of a node. Memory in MiB; None means unknown."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="gpus")
    index = models.PositiveSmallIntegerField(_("index"))
    name = models.CharField(_("name"), max_length=200)
    uuid = models.CharField(max_length=80, blank=True)
    source = models.CharField(_("source"), max_length=12, choices=Source.choices, default=Source.UNKNOWN)
    total_mib = models.PositiveIntegerField(_("memory (MiB)"), null=True, blank=True)
    free_mib = models.PositiveIntegerField(_("free (MiB)"), null=True, blank=True)
    foreign_mib = models.PositiveIntegerField(_("held by others (MiB)"), null=True, blank=True)
    utilisation = models.PositiveSmallIntegerField(_("utilisation (%)"), null=True, blank=True)
    temperature_c = models.SmallIntegerField(_("temperature (°C)"), null=True, blank=True)
    driver = models.CharField(_("driver"), max_length=40, blank=True)

    class Meta:
        ordering = ["node", "index"]
        constraints = [models.UniqueConstraint(fields=["node", "index"], name="one_row_per_gpu")]
        verbose_name = _("GPU")
        verbose_name_plural = _("GPUs")

    def __str__(self) -> str:
        return f"{self.name} ({self.get_source_display()})"
