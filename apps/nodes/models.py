"""GPU nodes as the coordinator knows them. One node drives one GPU through one ComfyUI."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.nodes.states import HEALTH, NODE, SOFTWARE, Desired, Health, Observed, SoftwareState


class Source(models.TextChoices):
    """Where a GPU fact comes from (farm.contracts.Source)."""

    NVML = "nvml", _("measured (NVML)")
    COMFYUI = "comfyui", _("told by ComfyUI")
    SIMULATED = "simulated", _("SIMULATED")
    UNKNOWN = "unknown", _("unknown")


class Pool(BaseModel):
    """Nodes that belong together. ``dedicated``: only jobs that ask for the pool are rendered there."""

    name = models.SlugField(_("name"), unique=True)
    dedicated = models.BooleanField(
        _("dedicated"), default=False, help_text=_("Only jobs that ask for this pool are rendered here.")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("pool")
        verbose_name_plural = _("pools")

    def __str__(self) -> str:
        return self.name


class Schedule(BaseModel):
    """When nodes work: nights only, say. Outside its windows a node finishes what it has and takes nothing.

    ``windows``: ``[{"days": [0, …, 6], "from": "19:00", "to": "08:00"}]``, Monday is 0, in ``timezone``; a
    window whose end is not after its beginning reaches into the next day.
    """

    name = models.SlugField(_("name"), unique=True)
    timezone = models.CharField(_("time zone"), max_length=60, default="UTC")
    windows = models.JSONField(_("working hours"), default=list)

    class Meta:
        ordering = ["name"]
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")

    def __str__(self) -> str:
        return self.name


class NodeCatalogue(BaseModel):
    """One distinct answer of ComfyUI to ``/object_info``; many nodes may have the same.

    ``sha256``: over its canonical JSON. ``packed``: that JSON by gzip. ``classes``: how many there are.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    packed = models.BinaryField()
    classes = models.PositiveIntegerField(_("node classes"))

    class Meta:
        ordering = ["sha256"]
        verbose_name = _("node catalogue")
        verbose_name_plural = _("node catalogues")

    def __str__(self) -> str:
        return self.sha256[:12]


class Node(BaseModel):
    """A GPU worker and the ComfyUI beside it. Facts are what it last reported; nothing is invented.

    ``tier_gb``: the VRAM tier it serves, 0 for no VRAM, None when its memory is unknown.
    ``epoch``: one life of the worker; orders and attempts of an earlier epoch are not its own.
    ``tags``: words, sorted, one a line. ``resident``: model files its ComfyUI holds now, ``folder/name``.
    ``off_hours``: its schedule lets it rest now; ``works_until`` overrides that, by ``works_by``'s wish.
    ``observed_since``: when it began to be in its observed state.

    ``health``: what the coordinator concludes beside what the node says; ``sick_since`` and ``sick_reason``
    say since when and why, of SICK and of DEAF. ``failed_jobs``: the jobs of its ``failures_in_a_row``.
    ``probe_asked_at``: when a render was asked for that is to show whether it can. ``canary_missed``:
    canaries in a row that were not heard; ``recalled_at``: when an order on its own queue was recalled last.

    ``hears``: which of farm.contracts.HEARS it heeds. ``misheard``: why what was said last under its name
    was not taken (another version, another machine), ``misheard_at`` when that was.

    ``catalogue``: its ComfyUI's whole node catalogue; ``catalogue_of`` names the last it told of, which may
    have been refused.

    ``software``: what runs there (apps.nodes.software), ``baseline`` what was accepted of it; each with a
    short hash. ``drift``: how it differs from that and from its pool, ``[{"code", "params"}]``; ``drift_of``
    names what was compared.

    ``prove_minutes``: how long a golden render may wait or render there; None: as on the whole farm.

    ``inventory_mark``: of what it told of its model files by hash (farm.contracts.inventory), "" if nothing;
    ``inventory_marks``: of each part.
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
    observed_since = models.DateTimeField(null=True, blank=True)
    desired_by = models.CharField(_("wanted by"), max_length=150, blank=True, default="")
    desired_reason = models.CharField(_("why"), max_length=200, blank=True, default="")
    tier_gb = models.PositiveSmallIntegerField(_("tier (GB)"), null=True, blank=True)
    simulated = models.BooleanField(_("simulated"), default=False)
    comfyui_version = models.CharField(_("ComfyUI"), max_length=40, blank=True)
    comfyui_facts = models.JSONField(default=dict, blank=True)
    fingerprint = models.CharField(max_length=16, blank=True)
    classes = models.JSONField(_("node classes"), default=list, blank=True)
    models_by_folder = models.JSONField(_("models"), default=dict, blank=True)
    capabilities_of = models.CharField(max_length=16, blank=True)
    catalogue = models.ForeignKey(
        NodeCatalogue, models.SET_NULL, null=True, blank=True, editable=False, related_name="nodes"
    )
    catalogue_of = models.CharField(max_length=64, blank=True, default="", editable=False)
    note = models.TextField(_("maintenance note"), blank=True)
    note_by = models.CharField(max_length=150, blank=True, default="")
    note_at = models.DateTimeField(null=True, blank=True)
    pool = models.ForeignKey(
        Pool, models.SET_NULL, null=True, blank=True, related_name="nodes", verbose_name=_("pool")
    )
    tags = models.CharField(_("tags"), max_length=400, blank=True, default="")
    schedule = models.ForeignKey(
        Schedule, models.SET_NULL, null=True, blank=True, related_name="nodes", verbose_name=_("schedule")
    )
    off_hours = models.BooleanField(_("off hours"), default=False)
    works_until = models.DateTimeField(_("works until"), null=True, blank=True)
    works_by = models.CharField(max_length=150, blank=True, default="")
    hears = models.JSONField(default=list, blank=True)
    keys = models.JSONField(_("keys"), default=list, blank=True)
    misheard = models.TextField(blank=True, default="")
    misheard_at = models.DateTimeField(null=True, blank=True)
    resident = models.JSONField(_("loaded models"), default=list, blank=True)
    software = models.JSONField(_("software"), default=dict, blank=True)
    software_mark = models.CharField(max_length=16, blank=True, default="")
    software_state = models.CharField(
        _("software"), max_length=10, choices=SoftwareState.choices, default=SoftwareState.SAME
    )
    baseline = models.JSONField(default=dict, blank=True)
    baseline_mark = models.CharField(max_length=16, blank=True, default="")
    drift = models.JSONField(_("drift"), default=list, blank=True)
    drift_of = models.CharField(max_length=16, blank=True, default="")
    inventory_mark = models.CharField(max_length=16, blank=True, default="")
    inventory_marks = models.JSONField(default=list, blank=True)
    prove_minutes = models.PositiveSmallIntegerField(
        _("golden renders are given up after (minutes)"), null=True, blank=True
    )
    health = models.CharField(_("concluded"), max_length=10, choices=Health.choices, default=Health.WELL)
    failures_in_a_row = models.PositiveSmallIntegerField(default=0)
    failed_jobs = models.JSONField(default=list, blank=True)
    sick_since = models.DateTimeField(null=True, blank=True)
    sick_reason = models.TextField(blank=True)
    probe_asked_at = models.DateTimeField(null=True, blank=True)
    canary_sent_at = models.DateTimeField(null=True, blank=True)
    canary_heard_at = models.DateTimeField(null=True, blank=True)
    canary_missed = models.PositiveSmallIntegerField(default=0)
    recalled_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(_("last report"), null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            NODE.constraint("node_state_is_known"),
            HEALTH.constraint("node_health_is_known"),
            SOFTWARE.constraint("node_software_state_is_known"),
        ]
        verbose_name = _("node")
        verbose_name_plural = _("nodes")

    def __str__(self) -> str:
        return self.name


class NodeFile(BaseModel):
    """A model file on a node, as it told of it last. That ComfyUI lists it stands in ``models_by_folder``.

    ``size`` in bytes, None: unknown. ``sha256`` of the whole file, "": unknown, and ``why`` says why
    (farm.contracts.inventory). ``seen_at``: when this was told. ``part``: what it was told with.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="files")
    folder = models.CharField(_("folder"), max_length=300)
    name = models.CharField(_("name"), max_length=300)
    size = models.BigIntegerField(_("size"), null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    why = models.CharField(max_length=20, blank=True, default="")
    part = models.PositiveSmallIntegerField(default=0)
    seen_at = models.DateTimeField(_("seen"))

    class Meta:
        ordering = ["node", "folder", "name"]
        constraints = [
            models.UniqueConstraint(fields=["node", "folder", "name"], name="one_row_per_node_file")
        ]
        indexes = [
            models.Index(fields=["folder", "name", "sha256"], name="node_file_by_content"),
            models.Index(fields=["node", "part"], name="node_file_by_part"),
        ]
        verbose_name = _("model file on a node")
        verbose_name_plural = _("model files on nodes")

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}"


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
