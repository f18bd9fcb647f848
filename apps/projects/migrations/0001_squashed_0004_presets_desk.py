"""All tables of this app at once, for a new farm (ADR 65)."""

import apps.common.creating
import apps.common.ids
import apps.projects.models
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("projects", "0001_initial"),
        ("projects", "0002_paused_by"),
        ("projects", "0003_ground"),
        ("projects", "0004_presets_desk"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="Project",
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
                            "code",
                            models.CharField(
                                max_length=16,
                                unique=True,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Z][A-Z0-9]{1,15}\\Z",
                                        "Use 2 to 16 capital letters and digits, a letter first, such as FROST.",
                                    )
                                ],
                                verbose_name="code",
                            ),
                        ),
                        ("name", models.CharField(max_length=200, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=200, verbose_name="name (Korean)"),
                        ),
                        ("description", models.TextField(blank=True, verbose_name="description")),
                        ("width", models.PositiveIntegerField(default=1024, verbose_name="width (px)")),
                        ("height", models.PositiveIntegerField(default=576, verbose_name="height (px)")),
                        (
                            "prompt_language",
                            models.CharField(
                                choices=[("en", "English"), ("ko", "한국어")],
                                default="en",
                                max_length=2,
                                verbose_name="prompt language",
                            ),
                        ),
                        (
                            "weight",
                            models.PositiveIntegerField(
                                default=100,
                                help_text="Twice the weight, twice the share of the farm.",
                                verbose_name="fair-share weight",
                            ),
                        ),
                        ("paused", models.BooleanField(default=False, verbose_name="paused")),
                        ("archived", models.BooleanField(default=False, verbose_name="archived")),
                        ("paused_by", models.CharField(blank=True, max_length=150, verbose_name="paused by")),
                        (
                            "composer",
                            models.JSONField(blank=True, default=dict, verbose_name="order of prompts"),
                        ),
                        (
                            "fps_den",
                            models.PositiveIntegerField(
                                default=1, verbose_name="frames per second (denominator)"
                            ),
                        ),
                        (
                            "fps_num",
                            models.PositiveIntegerField(
                                default=24, verbose_name="frames per second (numerator)"
                            ),
                        ),
                        (
                            "frame_start",
                            models.PositiveIntegerField(
                                default=1001,
                                validators=[django.core.validators.MaxValueValidator(10000000)],
                                verbose_name="first frame",
                            ),
                        ),
                        (
                            "handles",
                            models.PositiveSmallIntegerField(
                                default=0,
                                help_text="What a new shot gets on each side.",
                                validators=[django.core.validators.MaxValueValidator(1000)],
                                verbose_name="handles (frames)",
                            ),
                        ),
                        (
                            "path_template",
                            models.SlugField(blank=True, max_length=60, verbose_name="folder layout"),
                        ),
                        (
                            "start_timecode",
                            models.CharField(
                                default="01:00:00:00",
                                max_length=12,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][:;][0-9]{2,3}\\Z",
                                        "Write hours, minutes, seconds and frames, such as 01:00:00:00.",
                                    )
                                ],
                                verbose_name="start timecode",
                            ),
                        ),
                        ("thumbnail_key", models.CharField(blank=True, editable=False, max_length=255)),
                        (
                            "period_year",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="What did not exist yet is told on the shots. A sequence may say another year.",
                                null=True,
                                verbose_name="plays in the year",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "project",
                        "verbose_name_plural": "projects",
                        "ordering": ["code"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("fps_den__gte", 1),
                                    ("fps_den__lte", 1000000),
                                    ("fps_num__gte", models.F("fps_den")),
                                    (
                                        "fps_num__lte",
                                        django.db.models.expressions.CombinedExpression(
                                            models.Value(240), "*", models.F("fps_den")
                                        ),
                                    ),
                                ),
                                name="project_fps_is_a_rate",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("handles__lte", 1000)), name="project_handles_are_few"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Membership",
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
                            "role",
                            models.CharField(
                                choices=[
                                    ("admin", "admin"),
                                    ("coordinator", "coordinator"),
                                    ("supervisor", "supervisor"),
                                    ("artist", "artist"),
                                    ("client", "client"),
                                ],
                                default="client",
                                max_length=20,
                                verbose_name="role",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="memberships",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="user",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="memberships",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "departments",
                            models.JSONField(
                                blank=True,
                                default=list,
                                help_text="The stages a supervisor signs off; none: all of them.",
                                validators=[apps.projects.models.known_departments],
                                verbose_name="departments",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "membership",
                        "verbose_name_plural": "memberships",
                        "constraints": [
                            models.UniqueConstraint(fields=("project", "user"), name="one_role_per_project")
                        ],
                    },
                ),
            ],
        ),
    ]
