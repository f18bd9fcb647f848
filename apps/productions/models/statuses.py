"""What a shot has reached, in a studio's own words, and what follows from reaching it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.models import BaseModel
from apps.productions.states import SHOT
from apps.projects.models import Project


class ShotStatus(models.Model):
    """A state of the shot's machine with the words a studio uses for it, and what it means to people.

    The machine's own eight have their state as ``slug``. A studio's own row is a shade of a ``state``, such
    as “client review” of “review”: what may be done with a shot, ``renderable`` and ``closed`` are the
    state's.

    ``is_default``: what comes into the state by itself gets this row. ``is_done``: counts as done.
    ``is_wip``: somebody works on it. ``is_feedback_request``: it is to be looked at. ``is_retake``: it is to
    be made again. ``is_artist_allowed``: artists may set it.
    """

    slug = models.SlugField(_("slug"), primary_key=True, max_length=20)
    state = models.CharField(_("state"), max_length=20, default="draft")
    name = models.CharField(_("name"), max_length=60)
    name_ko = models.CharField(_("name (Korean)"), max_length=60, blank=True)
    order = models.PositiveSmallIntegerField(_("order"))
    colour = models.CharField(_("colour"), max_length=20, default="gray")
    renderable = models.BooleanField(_("may be rendered"), default=True)
    closed = models.BooleanField(_("work is done"), default=False)
    is_default = models.BooleanField(
        _("default of its state"),
        default=False,
        help_text=_("Shots that come into this state by themselves get this status."),
    )
    is_done = models.BooleanField(_("counts as done"), default=False)
    is_wip = models.BooleanField(_("work in progress"), default=False)
    is_feedback_request = models.BooleanField(_("to check"), default=False)
    is_retake = models.BooleanField(_("retake"), default=False)
    is_artist_allowed = models.BooleanField(_("artists may set it"), default=True)
    archived = models.BooleanField(
        _("archived"), default=False, help_text=_("Not offered any more; shots that have it keep it.")
    )
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["order", "slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(is_default=True), name="one_default_status_per_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=SHOT.states), name="shot_status_has_a_known_state"
            ),
            models.CheckConstraint(
                condition=models.Q(slug=models.F("state")) | ~models.Q(slug__in=SHOT.states),
                name="own_shot_status_is_its_state",
            ),
            models.CheckConstraint(
                condition=~models.Q(archived=True, slug=models.F("state")),
                name="own_shot_status_is_not_archived",
            ),
        ]
        verbose_name = _("shot status")
        verbose_name_plural = _("shot statuses")

    def __str__(self) -> str:
        return self.name

    @property
    def is_own(self) -> bool:
        """Whether it is the machine's: one of the eight that stay."""
        return self.slug == self.state


class Trigger(models.TextChoices):
    """What an automation waits for. ``stage`` narrows those of takes, ``status`` names the reached one."""

    RENDER_SUBMITTED = "render_submitted", _("a render of the shot is submitted")
    TAKE_ARRIVED = "take_arrived", _("a take comes back")
    TAKE_APPROVED = "take_approved", _("a take is approved")
    TAKE_SELECTED = "take_selected", _("a take is selected")
    TAKE_RETAKE = "take_retake", _("a retake is asked for, and no other take stands approved")
    APPROVAL_LOST = "approval_lost", _("the only approved take is approved no longer")
    SHOT_REACHED = "shot_reached", _("a shot reaches a status")
    SEQUENCE_REACHED = "sequence_reached", _("all shots of a sequence have reached a status")


class Deed(models.TextChoices):
    """What an automation does."""

    MOVE = "move", _("move the shot to a status")
    LOCK = "lock", _("lock the shot")
    SELECT = "select", _("select the take")
    NOTIFY = "notify", _("notify")


class Automation(BaseModel):
    """When … then …: for one project, or for all of the studio (``project`` None).

    ``from_states``: states in which a shot is moved; empty: all but final, on hold and omitted, which are
    never left by themselves. A shipped row that nobody edited (``row_version`` 0) follows the release; it can
    be switched off, not deleted.
    """

    project = models.ForeignKey(
        Project,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="automations",
        verbose_name=_("project"),
        help_text=_("Empty: every project."),
    )
    name = models.CharField(_("name"), max_length=100)
    name_ko = models.CharField(_("name (Korean)"), max_length=100, blank=True)
    order = models.PositiveIntegerField(_("order"), default=100)
    trigger = models.CharField(pgettext_lazy("automation", "when"), max_length=20, choices=Trigger.choices)
    stage = models.CharField(_("stage"), max_length=10, blank=True)
    status = models.ForeignKey(
        ShotStatus,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("status reached"),
    )
    from_states = models.JSONField(_("only from"), default=list, blank=True)
    deed = models.CharField(pgettext_lazy("automation", "then"), max_length=10, choices=Deed.choices)
    target = models.ForeignKey(
        ShotStatus, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("new status")
    )
    active = models.BooleanField(pgettext_lazy("automation", "active"), default=True)
    builtin = models.BooleanField(_("shipped"), default=False, editable=False)

    class Meta:
        ordering = ["order", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(project=None), name="studio_automation_name_is_unique"
            ),
            models.UniqueConstraint(fields=["project", "name"], name="automation_name_is_unique"),
            models.CheckConstraint(
                condition=models.Q(trigger__in=Trigger.values, deed__in=Deed.values),
                name="automation_is_of_known_kinds",
            ),
            models.CheckConstraint(
                condition=~models.Q(deed=Deed.MOVE) | models.Q(target__isnull=False),
                name="automation_moves_somewhere",
            ),
            models.CheckConstraint(
                condition=~models.Q(trigger__in=(Trigger.SHOT_REACHED, Trigger.SEQUENCE_REACHED))
                | models.Q(status__isnull=False),
                name="automation_waits_for_a_status",
            ),
        ]
        verbose_name = _("automation")
        verbose_name_plural = _("automations")

    def __str__(self) -> str:
        return self.name
