"""What operators and experience say about failures: rules by pattern, and pairs that are blocked."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.nodes.models import Node
from apps.renders.states import BLOCK, BlockState
from apps.workflows.models import WorkflowTemplate


class Action(models.TextChoices):
    """What becomes of a job whose attempt failed."""

    RETRY = "retry", _("again, within its budget")
    RETRY_FREE = "retry_free", _("again, its budget untouched")
    OTHER_NODE = "other_node", _("again on another node")
    NEXT_TIER = "next_tier", _("again one tier up")
    ONCE = "once", _("once more, caches emptied; then fail")
    FAIL = "fail", _("fail")
    QUARANTINE = "quarantine", _("quarantine")


class FailureRule(BaseModel):
    """What becomes of failures: the first active rule that fits wins, by ``order``.

    It fits a failure of ``template`` that its node reported as ``reported_class`` and whose words, "code
    exception_type: message", have ``pattern`` somewhere (RE2, without regard to case); what is empty fits
    all. ``failure_class`` is the class it gives the failure; empty: as reported. ``advice`` is told with the
    failure. ``matches`` counts how often it won. A shipped rule that nobody edited follows the release.
    """

    order = models.PositiveIntegerField(_("order"), default=100)
    name = models.CharField(_("name"), max_length=100, unique=True)
    pattern = models.CharField(_("pattern"), max_length=500, blank=True)
    template = models.ForeignKey(
        WorkflowTemplate, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("template")
    )
    reported_class = models.CharField(_("reported as"), max_length=20, blank=True)
    failure_class = models.CharField(_("becomes"), max_length=20, blank=True)
    action = models.CharField(_("action"), max_length=12, choices=Action.choices)
    advice = models.CharField(_("advice"), max_length=300, blank=True)
    active = models.BooleanField(_("active"), default=True)
    builtin = models.BooleanField(_("shipped"), default=False, editable=False)
    matches = models.PositiveIntegerField(_("matches"), default=0, editable=False)

    class Meta:
        ordering = ["order", "name"]
        verbose_name = _("failure rule")
        verbose_name_plural = _("failure rules")

    def __str__(self) -> str:
        return self.name


class NodeBlock(BaseModel):
    """A node is not given this template: ``failures`` in a row. Until ``until``, or until a success.

    CLEAR counts failures; BLOCKED is not given the template before ``until``; TRIAL is given it again, and
    the first failure blocks it again. ``jobs``: ids of the jobs that failed in a row.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="blocks", verbose_name=_("node"))
    template = models.ForeignKey(
        WorkflowTemplate, models.CASCADE, related_name="blocks", verbose_name=_("template")
    )
    state = models.CharField(_("state"), max_length=8, choices=BlockState.choices, default=BlockState.CLEAR)
    failures = models.PositiveSmallIntegerField(_("failures"), default=0)
    jobs = models.JSONField(default=list, blank=True)
    until = models.DateTimeField(_("blocked until"), null=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "template"], name="one_block_per_pair"),
            BLOCK.constraint("block_state_is_known"),
        ]
        indexes = [models.Index(fields=["until"], name="block_until")]
        verbose_name = _("blocked pair")
        verbose_name_plural = _("blocked pairs")

    def __str__(self) -> str:
        return f"{self.node} × {self.template}"
