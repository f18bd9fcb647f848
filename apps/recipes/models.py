"""Recipes, and how each shot of a run of one stands."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.models import BaseModel
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.recipes.spec import Gate, StepSpec, specs_from
from apps.renders.models import Job
from apps.renders.services.steps import MOST_TAKES
from apps.review.models import Take


class Recipe(BaseModel):
    """A named chain of templates. ``active``: on offer. ``builtin``: came with a release.

    Runs keep their own copy of the steps: editing a recipe changes no run until somebody asks for it.
    """

    slug = models.SlugField(_("name"), max_length=60, unique=True)
    title = models.CharField(_("title"), max_length=120)
    title_ko = models.CharField(_("title (Korean)"), max_length=120, blank=True)
    about = models.CharField(_("what it makes"), max_length=300, blank=True)
    about_ko = models.CharField(_("what it makes (Korean)"), max_length=300, blank=True)
    active = models.BooleanField(_("offered"), default=True)
    builtin = models.BooleanField(_("shipped"), default=False, editable=False)

    class Meta:
        ordering = ["slug"]
        verbose_name = _("recipe")
        verbose_name_plural = _("recipes")

    def __str__(self) -> str:
        return self.slug

    @property
    def specs(self) -> list[StepSpec]:
        """Its steps as plain data, in order."""
        return [step.spec for step in self.steps.all()]


class RecipeStep(BaseModel):
    """One step; ``position`` counts from 0. A template is named, for a recipe may be there before it."""

    recipe = models.ForeignKey(Recipe, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(_("place"))
    template = models.CharField(_("template"), max_length=80)
    role = models.CharField(
        _("input"),
        max_length=40,
        blank=True,
        help_text=_("Which input the take of the step before fills. Empty: the one that fits."),
    )
    takes = models.PositiveSmallIntegerField(
        _("takes"), default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_TAKES)]
    )
    width = models.PositiveIntegerField(_("width (px)"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height (px)"), null=True, blank=True)
    precision = models.CharField(_("precision"), max_length=20, blank=True)
    gate = models.CharField(_("afterwards"), max_length=10, choices=Gate.choices, default=Gate.NONE)
    also = models.JSONField(
        _("other inputs"),
        default=dict,
        blank=True,
        help_text=_("Which earlier step’s take fills which other input: last_frame 1, reference 2."),
    )

    class Meta:
        ordering = ["recipe", "position"]
        constraints = [
            models.UniqueConstraint(fields=["recipe", "position"], name="one_recipe_step_per_place")
        ]
        verbose_name = pgettext_lazy("recipe", "step")
        verbose_name_plural = pgettext_lazy("recipe", "steps")

    def __str__(self) -> str:
        return f"{self.position + 1}. {self.template}"

    @property
    def spec(self) -> StepSpec:
        """The step as plain data."""
        return StepSpec(
            template=self.template,
            role=self.role,
            takes=self.takes,
            width=self.width,
            height=self.height,
            precision=self.precision,
            gate=self.gate,
            also=dict(self.also),
        )


class RecipeRun(BaseModel):
    """A recipe started on some shots. The same ``idempotency_key`` gives the same run.

    ``steps``: the recipe's as they were, see spec.StepSpec; ``wishes``: the envelope that later steps go out
    with, see services.starting.
    """

    project = models.ForeignKey(
        Project, models.CASCADE, related_name="recipe_runs", verbose_name=_("project")
    )
    recipe = models.ForeignKey(Recipe, models.PROTECT, related_name="runs", verbose_name=_("recipe"))
    code = models.CharField(_("code"), max_length=20, unique=True)
    idempotency_key = models.CharField(max_length=100)
    request_hash = models.CharField(max_length=64)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("submitted by")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    steps = models.JSONField(pgettext_lazy("recipe", "steps"))
    wishes = models.JSONField(default=dict, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    cancelled_by = models.CharField(_("cancelled by"), max_length=150, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["project", "idempotency_key"], name="one_run_per_request")
        ]
        indexes = [models.Index(fields=["project", "-created_at"], name="recipe_run_list")]
        verbose_name = _("recipe run")
        verbose_name_plural = _("recipe runs")

    def __str__(self) -> str:
        return self.code

    @property
    def specs(self) -> list[StepSpec]:
        """The steps of this run as plain data, in order."""
        return specs_from(self.steps)


class RunStep(BaseModel):
    """One step of a run for one shot. What is locked before anything is submitted for it.

    ``waits``: an approved take of its newest round lets the following steps be submitted. ``chosen``: what
    somebody picked; without it the last approved take counts, or at no gate the newest. ``refused``: why the
    following steps were not submitted though they may, ``[{"field", "value", "message", "code"}]``; tried
    last at ``tried_at``.
    """

    run = models.ForeignKey(RecipeRun, models.CASCADE, related_name="cells")
    shot = models.ForeignKey(Shot, models.CASCADE, related_name="recipe_steps", verbose_name=_("shot"))
    position = models.PositiveSmallIntegerField(pgettext_lazy("recipe", "step"))
    waits = models.BooleanField(default=False)
    chosen = models.ForeignKey(Take, models.SET_NULL, null=True, related_name="+", verbose_name=_("take"))
    chosen_by = models.CharField(max_length=150, blank=True)
    chosen_at = models.DateTimeField(null=True)
    refused: models.JSONField[list[dict[str, Any]]] = models.JSONField(default=list, blank=True)
    tried_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["run", "shot", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "shot", "position"], name="one_step_per_run_and_shot")
        ]
        indexes = [
            models.Index(fields=["tried_at"], condition=models.Q(waits=True), name="recipe_gates_that_wait")
        ]
        verbose_name = _("step of a run")
        verbose_name_plural = _("steps of runs")

    def __str__(self) -> str:
        return f"{self.run} {self.shot} {self.position + 1}"


class RunJob(BaseModel):
    """A job of one step of a run. ``round``: its takes were asked for together, from the same things.

    ``source_job``: the job whose take it starts from; ``also``: those whose takes fill its other inputs, by
    role. What else it is made of stands in the job itself.
    """

    cell = models.ForeignKey(RunStep, models.CASCADE, related_name="renders")
    job = models.OneToOneField(Job, models.CASCADE, related_name="recipe_render")
    round = models.PositiveSmallIntegerField(default=1)
    source_job = models.UUIDField(null=True)
    also: models.JSONField[dict[str, str]] = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["cell", "round", "job"]
        verbose_name = _("job of a run")
        verbose_name_plural = _("jobs of runs")

    def __str__(self) -> str:
        return f"{self.cell} {self.job}"
