"""Golden renders: what shows that a node can do a template. No job, no take."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.nodes.models import Node
from apps.renders.states import PROOF, PROOF_ON_WAY, PROOF_OPEN, ProofState
from apps.workflows.models import WorkflowTemplateVersion
from farm.contracts import FailureClass


class Proof(BaseModel):
    """One golden render of a template's version on one node: asked for, sent to it when idle, judged once.

    ``token``, ``epoch`` and ``until`` are those of the order that is out: by then it must be claimed, then be
    told of again. ``sent_at``: when that went out; None while it waits. ``tries``: how often it went out.
    ``values``: what was rendered, by role.

    When it ended: ``software`` (without models) and ``files`` (``folder/name`` → sha256, "" unknown) are what
    the node had, ``outputs`` ``[{"path", "sha256", "kind", "width", "height", "frames", "fps", "bytes"}]``,
    ``execute_s`` seconds on the GPU, ``peak_mib`` the most memory used on the card (None: nobody measured).
    """

    version = models.ForeignKey(WorkflowTemplateVersion, models.PROTECT, related_name="proofs")
    node = models.ForeignKey(Node, models.CASCADE, related_name="proofs")
    state = models.CharField(
        _("state"), max_length=10, choices=ProofState.choices, default=ProofState.WAITING
    )
    asked_by = models.CharField(_("asked by"), max_length=150)
    precision = models.CharField(_("precision"), max_length=40, blank=True, default="")
    values = models.JSONField(default=dict, blank=True)
    token = models.CharField(max_length=40, blank=True, default="")
    epoch = models.CharField(max_length=40, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)
    software = models.JSONField(default=dict, blank=True)
    files = models.JSONField(default=dict, blank=True)
    outputs = models.JSONField(default=list, blank=True)
    execute_s = models.FloatField(_("seconds"), null=True, blank=True)
    peak_mib = models.PositiveIntegerField(_("peak memory (MiB)"), null=True, blank=True)
    comfyui_version = models.CharField(_("ComfyUI"), max_length=40, blank=True, default="")
    gpu = models.CharField(_("GPU"), max_length=200, blank=True, default="")
    simulated = models.BooleanField(_("simulated"), default=False)
    failure_class = models.CharField(max_length=20, blank=True, default="")
    message = models.TextField(_("reason"), blank=True, default="")
    report = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            PROOF.constraint("proof_state_is_known"),
            models.UniqueConstraint(
                fields=["version", "node"],
                condition=models.Q(state__in=PROOF_OPEN),
                name="one_open_proof_per_pair",
            ),
            models.UniqueConstraint(
                fields=["node"], condition=models.Q(state__in=PROOF_ON_WAY), name="one_proof_on_a_node"
            ),
        ]
        indexes = [models.Index(fields=["node", "version", "-created_at"], name="proof_history")]
        verbose_name = _("golden render")
        verbose_name_plural = _("golden renders")

    def __str__(self) -> str:
        return f"{self.version} · {self.node}"

    @property
    def was_tried(self) -> bool:
        """Whether its end says something of the node: one that waited until its time was over does not."""
        return self.sent_at is not None or self.failure_class != FailureClass.TIMED_OUT

    @property
    def folder(self) -> str:
        """Where its files go in the artifact store; no two share one."""
        return f"proofs/{self.pk}"
