"""What a film is made of: sequences, shots, locations, and who is cast where."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.characters.models import MOST_WEIGHT, WEIGHT_LIMITS, Character, Costume
from apps.common.models import BaseModel
from apps.presets.models import CinematicPreset
from apps.productions.states import SHOT
from apps.projects.models import MOST_HANDLES, Project

MAX_FRAMES = 100_000
"""Over an hour at 24 fps: more is a typing error."""


class Weather(models.TextChoices):
    """The prototype's eight kinds of weather."""

    SUNNY = "sunny", _("sunny")
    CLOUDY = "cloudy", _("cloudy")
    OVERCAST = "overcast", _("overcast")
    RAIN = "rain", _("rain")
    STORM = "storm", _("storm")
    SNOW = "snow", _("snow")
    FOG = "fog", _("fog")
    HAZE = "haze", _("haze")


class TimeOfDay(models.TextChoices):
    """The prototype's seven times of day."""

    DAY = "day", _("day")
    NIGHT = "night", _("night")
    GOLDEN_HOUR = "golden_hour", _("golden hour")
    BLUE_HOUR = "blue_hour", _("blue hour")
    DAWN = "dawn", _("dawn")
    DUSK = "dusk", _("dusk")
    MIDNIGHT = "midnight", _("midnight")


class Setting(models.TextChoices):
    """Whether a location is inside or outside."""

    INTERIOR = "interior", _("interior")
    EXTERIOR = "exterior", _("exterior")


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


class Location(BaseModel):
    """Where a shot plays. ``prompt`` is what the composer writes for it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="locations", verbose_name=_("project"))
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=120)
    name_ko = models.CharField(_("name (Korean)"), max_length=120, blank=True)
    setting = models.CharField(_("interior or exterior"), max_length=10, choices=Setting.choices, blank=True)
    prompt = models.TextField(_("prompt text"), blank=True)
    prompt_ko = models.TextField(_("prompt text (Korean)"), blank=True)

    class Meta:
        ordering = ["project", "code"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="location_code_is_unique")]
        verbose_name = _("location")
        verbose_name_plural = _("locations")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Episode(BaseModel):
    """A part of a series, or a reel of a film. Code such as EP01. Projects without any have none."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="episodes", verbose_name=_("project"))
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=200)
    name_ko = models.CharField(_("name (Korean)"), max_length=200, blank=True)
    order = models.PositiveIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["project", "order", "code"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="episode_code_is_unique")]
        verbose_name = _("episode")
        verbose_name_plural = _("episodes")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Sequence(BaseModel):
    """A run of shots. Code such as SQ010."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="sequences", verbose_name=_("project"))
    episode = models.ForeignKey(
        Episode, models.PROTECT, null=True, blank=True, related_name="sequences", verbose_name=_("episode")
    )
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=200)
    name_ko = models.CharField(_("name (Korean)"), max_length=200, blank=True)
    order = models.PositiveIntegerField(_("order"), default=0)
    period_year = models.PositiveSmallIntegerField(
        _("plays in the year"), null=True, blank=True, help_text=_("Empty: the project's.")
    )

    class Meta:
        ordering = ["project", "order", "code"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="sequence_code_is_unique")]
        verbose_name = _("sequence")
        verbose_name_plural = _("sequences")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Keeps(models.TextChoices):
    """What a shot that continues another keeps of it."""

    FRAMES = "frames", _("last frames")
    LATENTS = "latents", _("latents")


class Shot(BaseModel):
    """One shot of the film. ``project`` is its sequence's, kept here so that lists need no join.

    ``frames`` counts picture frames at the project's fps, without ``handles`` (frames on each side).
    ``cut_in``: the number of its first frame in the cut, None for the project's first frame after the head
    handles. ``continuity_from``: the shot it continues, keeping its last ``continuity_frames`` frames, or its
    latents. ``locked_by``: whoever locked its plan, "" while it may be changed. ``retake_count``: how often a
    verdict asked for it anew. ``assignees``: the artists who work on it.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="shots", verbose_name=_("project"))
    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="shots", verbose_name=_("sequence"))
    code = models.CharField(_("code"), max_length=20)
    order = models.PositiveIntegerField(_("order"), default=0)
    status = models.ForeignKey(ShotStatus, models.PROTECT, default="draft", verbose_name=_("status"))
    studio_status = models.ForeignKey(
        ShotStatus,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("studio's status"),
        help_text=_("What the studio calls it within its status."),
    )
    description = models.TextField(_("description"), blank=True)
    description_ko = models.TextField(_("description (Korean)"), blank=True)
    dialogue = models.TextField(_("dialogue"), blank=True)
    frames = models.PositiveIntegerField(
        _("frames"), default=48, validators=[MinValueValidator(1), MaxValueValidator(MAX_FRAMES)]
    )
    handles = models.PositiveSmallIntegerField(
        _("handles (frames)"), default=0, validators=[MaxValueValidator(MOST_HANDLES)]
    )
    cut_in = models.PositiveIntegerField(
        _("cut in (frame)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(20_000_000)],
        help_text=_("Empty: the project's first frame after the head handles."),
    )
    continuity_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="continued_by",
        verbose_name=_("continues"),
    )
    continuity_keep = models.CharField(
        _("keeps of it"), max_length=8, choices=Keeps.choices, default=Keeps.FRAMES
    )
    continuity_frames = models.PositiveSmallIntegerField(
        _("frames kept"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    locked_by = models.CharField(_("locked by"), max_length=150, blank=True)
    locked_at = models.DateTimeField(_("locked at"), null=True, blank=True)
    retake_count = models.PositiveSmallIntegerField(_("retakes"), default=0, editable=False)
    assignees: models.ManyToManyField[User, Any] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="assigned_shots", verbose_name=_("assigned to")
    )
    location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, related_name="shots", verbose_name=_("location")
    )
    weather = models.CharField(_("weather"), max_length=12, choices=Weather.choices, blank=True)
    time_of_day = models.CharField(_("time of day"), max_length=12, choices=TimeOfDay.choices, blank=True)
    negative = models.TextField(_("negative text"), blank=True)
    preset_override = models.CharField(
        _("why preset rules are set aside"),
        max_length=300,
        blank=True,
        help_text=_("Lets presets stand that a hard rule refuses. It goes when nothing is refused any more."),
    )
    seed = models.PositiveBigIntegerField(_("seed"), null=True, blank=True)
    notes = models.TextField(_("notes"), blank=True)
    characters: models.ManyToManyField[Character, ShotCharacter] = models.ManyToManyField(
        Character, through="ShotCharacter", related_name="shots", verbose_name=_("cast")
    )
    presets: models.ManyToManyField[CinematicPreset, ShotPreset] = models.ManyToManyField(
        CinematicPreset, through="ShotPreset", related_name="shots", verbose_name=_("presets")
    )

    class Meta:
        ordering = ["sequence__order", "order", "code"]
        constraints = [
            models.UniqueConstraint(fields=["sequence", "code"], name="shot_code_is_unique"),
            models.CheckConstraint(
                condition=Q(frames__gte=1) & Q(frames__lte=MAX_FRAMES), name="shot_has_frames"
            ),
            models.CheckConstraint(condition=Q(handles__lte=MOST_HANDLES), name="shot_handles_are_few"),
            models.CheckConstraint(
                condition=Q(continuity_from=None) | ~Q(continuity_from=F("pk")), name="shot_continues_another"
            ),
            models.CheckConstraint(condition=Q(continuity_frames__gte=1), name="shot_keeps_frames"),
            models.CheckConstraint(
                condition=Q(locked_by="", locked_at=None) | (~Q(locked_by="") & Q(locked_at__isnull=False)),
                name="shot_lock_has_who_and_when",
            ),
        ]
        indexes = [models.Index(fields=["project", "order"], name="shot_list")]
        verbose_name = _("shot")
        verbose_name_plural = _("shots")

    def __str__(self) -> str:
        return self.full_code

    @property
    def shown_status(self) -> ShotStatus:
        """What people read: the studio's own row where it has one, else the state's."""
        return self.studio_status or self.status

    @property
    def full_code(self) -> str:
        """SQ010_SH0040: what people say on the phone."""
        return f"{self.sequence.code}_{self.code}"

    @property
    def first_cut_frame(self) -> int:
        """The number of the first frame in the cut."""
        if self.cut_in is not None:
            return self.cut_in
        return self.project.frame_start + self.handles

    @property
    def cut_out(self) -> int:
        """The number of the last frame in the cut."""
        return self.first_cut_frame + self.frames - 1

    @property
    def locked(self) -> bool:
        """Whether its plan may not be changed."""
        return bool(self.locked_by)


class ShotCharacter(BaseModel):
    """A character cast in a shot: in which order, doing what, wearing what.

    ``costume_override``: what the character wears in this shot alone, in words; it goes before ``costume``.
    """

    shot = models.ForeignKey(Shot, models.CASCADE, related_name="casting")
    character = models.ForeignKey(
        Character, models.PROTECT, related_name="casting", verbose_name=_("character")
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    action = models.TextField(_("action"), blank=True)
    action_ko = models.TextField(_("action (Korean)"), blank=True)
    costume = models.ForeignKey(
        Costume, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("costume")
    )
    costume_override = models.TextField(_("wears in this shot"), blank=True)
    costume_override_ko = models.TextField(_("wears in this shot (Korean)"), blank=True)
    lora_weight = models.FloatField(
        _("LoRA weight"),
        null=True,
        blank=True,
        validators=WEIGHT_LIMITS,
        help_text=_("Empty: the LoRA's own. 0: off in this shot."),
    )

    class Meta:
        ordering = ["shot", "order"]
        constraints = [
            models.UniqueConstraint(fields=["shot", "character"], name="cast_once_per_shot"),
            models.CheckConstraint(
                condition=Q(lora_weight=None) | Q(lora_weight__gte=0) & Q(lora_weight__lte=MOST_WEIGHT),
                name="cast_lora_weight_is_0_to_2",
            ),
        ]
        verbose_name = _("casting")
        verbose_name_plural = _("casting")

    def __str__(self) -> str:
        return str(self.character)


class ShotPreset(BaseModel):
    """A cinematic preset used by a shot."""

    shot = models.ForeignKey(Shot, models.CASCADE, related_name="shot_presets")
    preset = models.ForeignKey(CinematicPreset, models.PROTECT, related_name="+", verbose_name=_("preset"))
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["shot", "order"]
        constraints = [models.UniqueConstraint(fields=["shot", "preset"], name="preset_once_per_shot")]
        verbose_name = _("preset")
        verbose_name_plural = _("presets")

    def __str__(self) -> str:
        return str(self.preset)


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
    trigger = models.CharField(_("when"), max_length=20, choices=Trigger.choices)
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
    deed = models.CharField(_("then"), max_length=10, choices=Deed.choices)
    target = models.ForeignKey(
        ShotStatus, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("new status")
    )
    active = models.BooleanField(_("active"), default=True)
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
