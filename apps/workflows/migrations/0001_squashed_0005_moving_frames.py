"""All tables of this app at once, for a new farm; no version is ever changed (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.core.validators
import django.db.models.deletion
from importlib import import_module

from django.conf import settings
from django.db import migrations, models

frozen = import_module("apps.workflows.migrations.0002_current_and_frozen")


class Migration(migrations.Migration):
    replaces = [
        ("workflows", "0001_initial"),
        ("workflows", "0002_current_and_frozen"),
        ("workflows", "0003_recommend_rules"),
        ("workflows", "0004_door_imports"),
        ("workflows", "0005_moving_frames"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="RecommendationRule",
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
                        ("slug", models.SlugField(max_length=60, unique=True, verbose_name="key")),
                        ("name", models.CharField(max_length=100, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=100, verbose_name="name (Korean)"),
                        ),
                        ("keywords", models.TextField(blank=True, verbose_name="keywords")),
                        ("keywords_ko", models.TextField(blank=True, verbose_name="keywords (Korean)")),
                        ("exceptions", models.TextField(blank=True, verbose_name="no match")),
                        (
                            "min_characters",
                            models.PositiveSmallIntegerField(
                                blank=True, null=True, verbose_name="characters, at least"
                            ),
                        ),
                        (
                            "max_characters",
                            models.PositiveSmallIntegerField(
                                blank=True, null=True, verbose_name="characters, at most"
                            ),
                        ),
                        (
                            "keyframe",
                            models.BooleanField(blank=True, null=True, verbose_name="has a keyframe"),
                        ),
                        (
                            "previous_clip",
                            models.BooleanField(
                                blank=True, null=True, verbose_name="the shot before it has a clip"
                            ),
                        ),
                        ("dialogue", models.BooleanField(blank=True, null=True, verbose_name="has dialogue")),
                        (
                            "min_seconds",
                            models.FloatField(
                                blank=True,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(0)],
                                verbose_name="seconds, at least",
                            ),
                        ),
                        (
                            "max_seconds",
                            models.FloatField(
                                blank=True,
                                null=True,
                                validators=[django.core.validators.MinValueValidator(0)],
                                verbose_name="seconds, at most",
                            ),
                        ),
                        ("camera_moves", models.TextField(blank=True, verbose_name="camera movements")),
                        ("template", models.SlugField(verbose_name="template")),
                        ("recipe", models.CharField(blank=True, max_length=80, verbose_name="recipe")),
                        (
                            "weight",
                            models.PositiveSmallIntegerField(
                                default=10,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                                verbose_name="weight",
                            ),
                        ),
                        ("reason", models.CharField(max_length=200, verbose_name="reason")),
                        (
                            "reason_ko",
                            models.CharField(blank=True, max_length=200, verbose_name="reason (Korean)"),
                        ),
                        ("active", models.BooleanField(default=True, verbose_name="active")),
                        (
                            "builtin",
                            models.BooleanField(default=False, editable=False, verbose_name="shipped"),
                        ),
                    ],
                    options={
                        "verbose_name": "recommendation rule",
                        "verbose_name_plural": "recommendation rules",
                        "ordering": ["-weight", "slug"],
                    },
                ),
                migrations.CreateModel(
                    name="WorkflowTemplate",
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
                        ("slug", models.SlugField(unique=True, verbose_name="name")),
                        ("title", models.CharField(max_length=120, verbose_name="title")),
                        (
                            "title_ko",
                            models.CharField(blank=True, max_length=120, verbose_name="title (Korean)"),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("keyframe", "keyframe"),
                                    ("clip", "clip"),
                                    ("frames", "frames"),
                                    ("slate", "slate"),
                                ],
                                max_length=10,
                                verbose_name="kind",
                            ),
                        ),
                        ("active", models.BooleanField(default=True, verbose_name="offered")),
                        (
                            "current",
                            models.ForeignKey(
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="workflows.workflowtemplateversion",
                                verbose_name="current version",
                            ),
                        ),
                        (
                            "chosen_by",
                            models.CharField(
                                blank=True,
                                default="",
                                editable=False,
                                max_length=150,
                                verbose_name="chosen by",
                            ),
                        ),
                        (
                            "origin",
                            models.CharField(
                                choices=[("packaged", "shipped"), ("imported", "imported")],
                                default="packaged",
                                editable=False,
                                max_length=10,
                                verbose_name="origin",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "workflow template",
                        "verbose_name_plural": "workflow templates",
                        "ordering": ["slug"],
                    },
                ),
                migrations.CreateModel(
                    name="WorkflowTemplateVersion",
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
                        ("number", models.PositiveIntegerField(verbose_name="version")),
                        ("content_hash", models.CharField(max_length=64, unique=True)),
                        ("graph", models.JSONField(verbose_name="graph")),
                        ("manifest", models.JSONField(verbose_name="manifest")),
                        ("classes", models.JSONField(default=list)),
                        ("models_needed", models.JSONField(default=list)),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="versions",
                                to="workflows.workflowtemplate",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "template version",
                        "verbose_name_plural": "template versions",
                        "ordering": ["template", "-number"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("template", "number"), name="one_version_per_number"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="VersionDeprecation",
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
                        ("reason", models.CharField(max_length=400, verbose_name="reason")),
                        ("by", models.CharField(max_length=150, verbose_name="by")),
                        (
                            "version",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deprecation",
                                to="workflows.workflowtemplateversion",
                                verbose_name="template version",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "deprecated version",
                        "verbose_name_plural": "deprecated versions",
                    },
                ),
                migrations.CreateModel(
                    name="WorkflowImport",
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
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "draft"),
                                    ("refused", "cannot be converted"),
                                    ("confirmed", "confirmed"),
                                    ("discarded", "discarded"),
                                ],
                                max_length=12,
                                verbose_name="state",
                            ),
                        ),
                        ("file_name", models.CharField(max_length=200, verbose_name="file")),
                        ("sha256", models.CharField(max_length=64, unique=True)),
                        ("bytes", models.PositiveBigIntegerField(verbose_name="bytes")),
                        ("original", models.CharField(max_length=200)),
                        ("catalogue", models.CharField(max_length=120, verbose_name="node catalogue")),
                        ("graph", models.JSONField(default=dict, verbose_name="graph")),
                        ("notes", models.JSONField(default=list, verbose_name="notes")),
                        ("problems", models.JSONField(default=list, verbose_name="problems")),
                        ("manifest", models.JSONField(default=dict, verbose_name="manifest")),
                        (
                            "imported_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="imported by",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="imports",
                                to="workflows.workflowtemplateversion",
                                verbose_name="template version",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "imported workflow",
                        "verbose_name_plural": "imported workflows",
                        "ordering": ["-created_at"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("state__in", ("draft", "refused", "confirmed", "discarded"))
                                ),
                                name="import_state_is_known",
                            )
                        ],
                    },
                ),
            ],
        ),
        migrations.RunPython(frozen.freeze, frozen.thaw),
    ]
