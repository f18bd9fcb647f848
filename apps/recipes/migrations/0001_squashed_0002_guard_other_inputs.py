"""All tables of this app at once, for a new farm (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("recipes", "0001_recipes_initial"), ("recipes", "0002_guard_other_inputs")]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("productions", "0003_lora_weight_limits"),
        ("projects", "0002_paused_by"),
        ("renders", "0008_mends_job_counts"),
        ("review", "0002_takes_in_processing"),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="Recipe",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=apps.common.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                        ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                        ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                        ("slug", models.SlugField(max_length=60, unique=True, verbose_name="name")),
                        ("title", models.CharField(max_length=120, verbose_name="title")),
                        (
                            "title_ko",
                            models.CharField(blank=True, max_length=120, verbose_name="title (Korean)"),
                        ),
                        ("about", models.CharField(blank=True, max_length=300, verbose_name="what it makes")),
                        (
                            "about_ko",
                            models.CharField(
                                blank=True, max_length=300, verbose_name="what it makes (Korean)"
                            ),
                        ),
                        ("active", models.BooleanField(default=True, verbose_name="offered")),
                        (
                            "builtin",
                            models.BooleanField(default=False, editable=False, verbose_name="shipped"),
                        ),
                    ],
                    options={
                        "verbose_name": "recipe",
                        "verbose_name_plural": "recipes",
                        "ordering": ["slug"],
                    },
                ),
                migrations.CreateModel(
                    name="RecipeRun",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=apps.common.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                        ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                        ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                        ("code", models.CharField(max_length=20, unique=True, verbose_name="code")),
                        ("idempotency_key", models.CharField(max_length=100)),
                        ("request_hash", models.CharField(max_length=64)),
                        ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                        ("steps", models.JSONField(verbose_name="steps")),
                        ("wishes", models.JSONField(blank=True, default=dict)),
                        ("cancelled_at", models.DateTimeField(null=True, verbose_name="cancelled")),
                        (
                            "cancelled_by",
                            models.CharField(blank=True, max_length=150, verbose_name="cancelled by"),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="recipe_runs",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "recipe",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="runs",
                                to="recipes.recipe",
                                verbose_name="recipe",
                            ),
                        ),
                        (
                            "submitted_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="submitted by",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "recipe run",
                        "verbose_name_plural": "recipe runs",
                        "ordering": ["-created_at"],
                        "indexes": [models.Index(fields=["project", "-created_at"], name="recipe_run_list")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("project", "idempotency_key"), name="one_run_per_request"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RecipeStep",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=apps.common.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                        ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                        ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                        ("position", models.PositiveSmallIntegerField(verbose_name="place")),
                        ("template", models.CharField(max_length=80, verbose_name="template")),
                        (
                            "role",
                            models.CharField(
                                blank=True,
                                help_text="Which input the take of the step before fills. Empty: the one that fits.",
                                max_length=40,
                                verbose_name="input",
                            ),
                        ),
                        (
                            "takes",
                            models.PositiveSmallIntegerField(
                                default=1,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(50),
                                ],
                                verbose_name="takes",
                            ),
                        ),
                        (
                            "width",
                            models.PositiveIntegerField(blank=True, null=True, verbose_name="width (px)"),
                        ),
                        (
                            "height",
                            models.PositiveIntegerField(blank=True, null=True, verbose_name="height (px)"),
                        ),
                        ("precision", models.CharField(blank=True, max_length=20, verbose_name="precision")),
                        (
                            "gate",
                            models.CharField(
                                choices=[
                                    ("none", "goes on by itself"),
                                    ("approval", "waits for an approved take"),
                                ],
                                default="none",
                                max_length=10,
                                verbose_name="afterwards",
                            ),
                        ),
                        (
                            "recipe",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="steps",
                                to="recipes.recipe",
                            ),
                        ),
                        (
                            "also",
                            models.JSONField(
                                blank=True,
                                default=dict,
                                help_text="Which earlier step’s take fills which other input: last_frame 1, reference 2.",
                                verbose_name="other inputs",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "step",
                        "verbose_name_plural": "steps",
                        "ordering": ["recipe", "position"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("recipe", "position"), name="one_recipe_step_per_place"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RunStep",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=apps.common.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                        ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                        ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                        ("position", models.PositiveSmallIntegerField(verbose_name="step")),
                        ("waits", models.BooleanField(default=False)),
                        ("chosen_by", models.CharField(blank=True, max_length=150)),
                        ("chosen_at", models.DateTimeField(null=True)),
                        ("refused", models.JSONField(blank=True, default=list)),
                        ("tried_at", models.DateTimeField(null=True)),
                        (
                            "chosen",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="review.take",
                                verbose_name="take",
                            ),
                        ),
                        (
                            "run",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="cells",
                                to="recipes.reciperun",
                            ),
                        ),
                        (
                            "shot",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="recipe_steps",
                                to="productions.shot",
                                verbose_name="shot",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "step of a run",
                        "verbose_name_plural": "steps of runs",
                        "ordering": ["run", "shot", "position"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("waits", True)),
                                fields=["tried_at"],
                                name="recipe_gates_that_wait",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("run", "shot", "position"), name="one_step_per_run_and_shot"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RunJob",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=apps.common.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                        ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                        ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                        ("round", models.PositiveSmallIntegerField(default=1)),
                        ("source_job", models.UUIDField(null=True)),
                        (
                            "job",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="recipe_render",
                                to="renders.job",
                            ),
                        ),
                        (
                            "cell",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="renders",
                                to="recipes.runstep",
                            ),
                        ),
                        ("also", models.JSONField(blank=True, default=dict)),
                    ],
                    options={
                        "verbose_name": "job of a run",
                        "verbose_name_plural": "jobs of runs",
                        "ordering": ["cell", "round", "job"],
                    },
                ),
            ],
        ),
    ]
