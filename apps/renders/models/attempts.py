"""Attempts: one try at a job on one node, never rewritten."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.nodes.models import Node
from apps.renders.models.jobs import Job
from apps.renders.states import ATTEMPT, AttemptState


class Attempt(BaseModel):
    """One try at a job on one node. ``id`` is also the Celery task id and the artifact folder's name.

    ``holds_slot``: it counts against its node until the node confirms that it ended. ``log``: the node's
    own lines about it (farm.contracts.LogLine). ``clock_ahead_s``: how far the node's clock was ahead of
    the coordinator's when it claimed, less the time its message took; None: not told. ``explores``: tried on
    a tier below what is known to do. ``card_gb``: the tier of its node when it claimed, which may be more
    than was ordered; None: not known. ``warm``: its node held the models when the order was sent; None: the
    order went to whoever was free.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="attempts", verbose_name=_("job"))
    number = models.PositiveSmallIntegerField(_("attempt"))
    state = models.CharField(_("state"), max_length=12, choices=AttemptState.choices)
    token = models.CharField(max_length=36)
    queue = models.CharField(_("queue"), max_length=160)
    tier_gb = models.PositiveSmallIntegerField(_("tier (GB)"))
    node = models.ForeignKey(
        Node, models.SET_NULL, null=True, related_name="attempts", verbose_name=_("node")
    )
    node_epoch = models.CharField(max_length=40, blank=True)
    holds_slot = models.BooleanField(default=True)
    counted = models.BooleanField(_("spent an attempt"), default=False)
    accept_by = models.DateTimeField(_("to be accepted by"))
    accepted_at = models.DateTimeField(_("accepted"), null=True)
    lease_until = models.DateTimeField(_("lease until"), null=True)
    executing_at = models.DateTimeField(_("executing since"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    prompt_id = models.CharField(_("ComfyUI prompt"), max_length=36, blank=True)
    failure_class = models.CharField(_("failure"), max_length=20, blank=True)
    failure_message = models.TextField(_("ComfyUI's words"), blank=True)
    report = models.JSONField(_("report"), default=dict, blank=True)
    log = models.JSONField(default=list, blank=True)
    clock_ahead_s = models.FloatField(null=True)
    card_gb = models.PositiveSmallIntegerField(_("card (GB)"), null=True)
    explores = models.BooleanField(_("explores a smaller tier"), default=False)
    warm = models.BooleanField(_("models were loaded"), null=True)
    unstage_asked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["job", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="attempt_number_is_unique"),
            ATTEMPT.constraint("attempt_state_is_known"),
        ]
        indexes = [
            models.Index(fields=["node"], condition=models.Q(holds_slot=True), name="slots_in_use"),
            models.Index(fields=["state", "lease_until"], name="attempt_leases"),
            models.Index(
                fields=["node", "-finished_at"],
                condition=~models.Q(failure_class=""),
                name="failures_of_node",
            ),
        ]
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")

    def __str__(self) -> str:
        return f"{self.job.code}/{self.number}"
