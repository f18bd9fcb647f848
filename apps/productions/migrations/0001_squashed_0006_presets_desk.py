"""All tables of this app at once, for a new farm, and the statuses of shots (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.core.validators
import django.db.models.deletion
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import migrations, models

statuses = import_module("apps.productions.migrations.0002_shot_statuses")
meanings = import_module("apps.productions.migrations.0005_flow_statuses")


def seed(apps: Any, schema_editor: Any) -> None:
    """Add the eight statuses, each the default of the state it is named by."""
    status = apps.get_model("productions", "ShotStatus")
    for order, (slug, name, name_ko, colour, renderable, closed) in enumerate(statuses.STATUSES):
        done, wip, check, artist = meanings.MEANING[slug]
        status.objects.create(
            slug=slug,
            state=slug,
            is_default=True,
            name=name,
            name_ko=name_ko,
            order=order * 10,
            colour=colour,
            renderable=renderable,
            closed=closed,
            is_done=done,
            is_wip=wip,
            is_feedback_request=check,
            is_artist_allowed=artist,
        )


class Migration(migrations.Migration):
    replaces = [
        ("productions", "0001_initial"),
        ("productions", "0002_shot_statuses"),
        ("productions", "0003_lora_weight_limits"),
        ("productions", "0004_ground"),
        ("productions", "0005_flow_statuses"),
        ("productions", "0006_presets_desk"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("characters", "0003_ground"),
        ("presets", "0002_preset_library"),
        ("projects", "0003_ground"),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="ShotStatus",
                    fields=[
                        (
                            "slug",
                            models.SlugField(
                                max_length=20, primary_key=True, serialize=False, verbose_name="slug"
                            ),
                        ),
                        ("name", models.CharField(max_length=60, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=60, verbose_name="name (Korean)"),
                        ),
                        ("order", models.PositiveSmallIntegerField(verbose_name="order")),
                        ("colour", models.CharField(default="gray", max_length=20, verbose_name="colour")),
                        ("renderable", models.BooleanField(default=True, verbose_name="may be rendered")),
                        ("closed", models.BooleanField(default=False, verbose_name="work is done")),
                        (
                            "archived",
                            models.BooleanField(
                                default=False,
                                help_text="Not offered any more; shots that have it keep it.",
                                verbose_name="archived",
                            ),
                        ),
                        (
                            "is_artist_allowed",
                            models.BooleanField(default=True, verbose_name="artists may set it"),
                        ),
                        (
                            "is_default",
                            models.BooleanField(
                                default=False,
                                help_text="Shots that come into this state by themselves get this status.",
                                verbose_name="default of its state",
                            ),
                        ),
                        ("is_done", models.BooleanField(default=False, verbose_name="counts as done")),
                        ("is_feedback_request", models.BooleanField(default=False, verbose_name="to check")),
                        ("is_retake", models.BooleanField(default=False, verbose_name="retake")),
                        ("is_wip", models.BooleanField(default=False, verbose_name="work in progress")),
                        ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                        ("state", models.CharField(default="draft", max_length=20, verbose_name="state")),
                    ],
                    options={
                        "verbose_name": "shot status",
                        "verbose_name_plural": "shot statuses",
                        "ordering": ["order", "slug"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("is_default", True)),
                                fields=("state",),
                                name="one_default_status_per_state",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "state__in",
                                        (
                                            "draft",
                                            "ready",
                                            "in_progress",
                                            "omitted",
                                            "on_hold",
                                            "review",
                                            "approved",
                                            "final",
                                        ),
                                    )
                                ),
                                name="shot_status_has_a_known_state",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("slug", models.F("state")),
                                    models.Q(
                                        (
                                            "slug__in",
                                            (
                                                "draft",
                                                "ready",
                                                "in_progress",
                                                "omitted",
                                                "on_hold",
                                                "review",
                                                "approved",
                                                "final",
                                            ),
                                        ),
                                        _negated=True,
                                    ),
                                    _connector="OR",
                                ),
                                name="own_shot_status_is_its_state",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("archived", True), ("slug", models.F("state")), _negated=True
                                ),
                                name="own_shot_status_is_not_archived",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Location",
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
                        ("code", models.CharField(max_length=20, verbose_name="code")),
                        ("name", models.CharField(max_length=120, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=120, verbose_name="name (Korean)"),
                        ),
                        ("prompt", models.TextField(blank=True, verbose_name="prompt text")),
                        ("prompt_ko", models.TextField(blank=True, verbose_name="prompt text (Korean)")),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="locations",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "setting",
                            models.CharField(
                                blank=True,
                                choices=[("interior", "interior"), ("exterior", "exterior")],
                                max_length=10,
                                verbose_name="interior or exterior",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "location",
                        "verbose_name_plural": "locations",
                        "ordering": ["project", "code"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("project", "code"), name="location_code_is_unique"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Episode",
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
                        ("code", models.CharField(max_length=20, verbose_name="code")),
                        ("name", models.CharField(max_length=200, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=200, verbose_name="name (Korean)"),
                        ),
                        ("order", models.PositiveIntegerField(default=0, verbose_name="order")),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="episodes",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "episode",
                        "verbose_name_plural": "episodes",
                        "ordering": ["project", "order", "code"],
                        "constraints": [
                            models.UniqueConstraint(fields=("project", "code"), name="episode_code_is_unique")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Sequence",
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
                        ("code", models.CharField(max_length=20, verbose_name="code")),
                        ("name", models.CharField(max_length=200, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=200, verbose_name="name (Korean)"),
                        ),
                        ("order", models.PositiveIntegerField(default=0, verbose_name="order")),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="sequences",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "episode",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="sequences",
                                to="productions.episode",
                                verbose_name="episode",
                            ),
                        ),
                        (
                            "period_year",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="Empty: the project's.",
                                null=True,
                                verbose_name="plays in the year",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "sequence",
                        "verbose_name_plural": "sequences",
                        "ordering": ["project", "order", "code"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("project", "code"), name="sequence_code_is_unique"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Automation",
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
                        ("name", models.CharField(max_length=100, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=100, verbose_name="name (Korean)"),
                        ),
                        ("order", models.PositiveIntegerField(default=100, verbose_name="order")),
                        (
                            "trigger",
                            models.CharField(
                                choices=[
                                    ("render_submitted", "a render of the shot is submitted"),
                                    ("take_arrived", "a take comes back"),
                                    ("take_approved", "a take is approved"),
                                    ("take_selected", "a take is selected"),
                                    (
                                        "take_retake",
                                        "a retake is asked for, and no other take stands approved",
                                    ),
                                    ("approval_lost", "the only approved take is approved no longer"),
                                    ("shot_reached", "a shot reaches a status"),
                                    ("sequence_reached", "all shots of a sequence have reached a status"),
                                ],
                                max_length=20,
                                verbose_name="when",
                            ),
                        ),
                        ("stage", models.CharField(blank=True, max_length=10, verbose_name="stage")),
                        ("from_states", models.JSONField(blank=True, default=list, verbose_name="only from")),
                        (
                            "deed",
                            models.CharField(
                                choices=[
                                    ("move", "move the shot to a status"),
                                    ("lock", "lock the shot"),
                                    ("select", "select the take"),
                                    ("notify", "notify"),
                                ],
                                max_length=10,
                                verbose_name="then",
                            ),
                        ),
                        ("active", models.BooleanField(default=True, verbose_name="active")),
                        (
                            "builtin",
                            models.BooleanField(default=False, editable=False, verbose_name="shipped"),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty: every project.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="automations",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "status",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="productions.shotstatus",
                                verbose_name="status reached",
                            ),
                        ),
                        (
                            "target",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="productions.shotstatus",
                                verbose_name="new status",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "automation",
                        "verbose_name_plural": "automations",
                        "ordering": ["order", "name"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("project", None)),
                                fields=("name",),
                                name="studio_automation_name_is_unique",
                            ),
                            models.UniqueConstraint(
                                fields=("project", "name"), name="automation_name_is_unique"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("deed__in", ["move", "lock", "select", "notify"]),
                                    (
                                        "trigger__in",
                                        [
                                            "render_submitted",
                                            "take_arrived",
                                            "take_approved",
                                            "take_selected",
                                            "take_retake",
                                            "approval_lost",
                                            "shot_reached",
                                            "sequence_reached",
                                        ],
                                    ),
                                ),
                                name="automation_is_of_known_kinds",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("deed", "move"), _negated=True),
                                    ("target__isnull", False),
                                    _connector="OR",
                                ),
                                name="automation_moves_somewhere",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("trigger__in", ("shot_reached", "sequence_reached")), _negated=True
                                    ),
                                    ("status__isnull", False),
                                    _connector="OR",
                                ),
                                name="automation_waits_for_a_status",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Shot",
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
                        ("code", models.CharField(max_length=20, verbose_name="code")),
                        ("order", models.PositiveIntegerField(default=0, verbose_name="order")),
                        ("description", models.TextField(blank=True, verbose_name="description")),
                        ("description_ko", models.TextField(blank=True, verbose_name="description (Korean)")),
                        ("dialogue", models.TextField(blank=True, verbose_name="dialogue")),
                        (
                            "frames",
                            models.PositiveIntegerField(
                                default=48,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(100000),
                                ],
                                verbose_name="frames",
                            ),
                        ),
                        (
                            "handles",
                            models.PositiveSmallIntegerField(
                                default=0,
                                validators=[django.core.validators.MaxValueValidator(1000)],
                                verbose_name="handles (frames)",
                            ),
                        ),
                        (
                            "weather",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("sunny", "sunny"),
                                    ("cloudy", "cloudy"),
                                    ("overcast", "overcast"),
                                    ("rain", "rain"),
                                    ("storm", "storm"),
                                    ("snow", "snow"),
                                    ("fog", "fog"),
                                    ("haze", "haze"),
                                ],
                                max_length=12,
                                verbose_name="weather",
                            ),
                        ),
                        (
                            "time_of_day",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("day", "day"),
                                    ("night", "night"),
                                    ("golden_hour", "golden hour"),
                                    ("blue_hour", "blue hour"),
                                    ("dawn", "dawn"),
                                    ("dusk", "dusk"),
                                    ("midnight", "midnight"),
                                ],
                                max_length=12,
                                verbose_name="time of day",
                            ),
                        ),
                        ("negative", models.TextField(blank=True, verbose_name="negative text")),
                        ("seed", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="seed")),
                        ("notes", models.TextField(blank=True, verbose_name="notes")),
                        (
                            "location",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="shots",
                                to="productions.location",
                                verbose_name="location",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="shots",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "sequence",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="shots",
                                to="productions.sequence",
                                verbose_name="sequence",
                            ),
                        ),
                        (
                            "characters",
                            models.ManyToManyField(
                                related_name="shots",
                                through="productions.ShotCharacter",
                                to="characters.character",
                                verbose_name="cast",
                            ),
                        ),
                        (
                            "presets",
                            models.ManyToManyField(
                                related_name="shots",
                                through="productions.ShotPreset",
                                to="presets.cinematicpreset",
                                verbose_name="presets",
                            ),
                        ),
                        (
                            "status",
                            models.ForeignKey(
                                default="draft",
                                on_delete=django.db.models.deletion.PROTECT,
                                to="productions.shotstatus",
                                verbose_name="status",
                            ),
                        ),
                        (
                            "assignees",
                            models.ManyToManyField(
                                blank=True,
                                related_name="assigned_shots",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="assigned to",
                            ),
                        ),
                        (
                            "continuity_frames",
                            models.PositiveSmallIntegerField(
                                default=1,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                                verbose_name="frames kept",
                            ),
                        ),
                        (
                            "continuity_from",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="continued_by",
                                to="productions.shot",
                                verbose_name="continues",
                            ),
                        ),
                        (
                            "continuity_keep",
                            models.CharField(
                                choices=[("frames", "last frames"), ("latents", "latents")],
                                default="frames",
                                max_length=8,
                                verbose_name="keeps of it",
                            ),
                        ),
                        (
                            "cut_in",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="Empty: the project's first frame after the head handles.",
                                null=True,
                                validators=[django.core.validators.MaxValueValidator(20000000)],
                                verbose_name="cut in (frame)",
                            ),
                        ),
                        ("locked_at", models.DateTimeField(blank=True, null=True, verbose_name="locked at")),
                        ("locked_by", models.CharField(blank=True, max_length=150, verbose_name="locked by")),
                        (
                            "retake_count",
                            models.PositiveSmallIntegerField(
                                default=0, editable=False, verbose_name="retakes"
                            ),
                        ),
                        (
                            "studio_status",
                            models.ForeignKey(
                                blank=True,
                                help_text="What the studio calls it within its status.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="productions.shotstatus",
                                verbose_name="studio's status",
                            ),
                        ),
                        (
                            "preset_override",
                            models.CharField(
                                blank=True,
                                help_text="Lets presets stand that a hard rule refuses. It goes when nothing is refused any more.",
                                max_length=300,
                                verbose_name="why preset rules are set aside",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "shot",
                        "verbose_name_plural": "shots",
                        "ordering": ["sequence__order", "order", "code"],
                        "indexes": [models.Index(fields=["project", "order"], name="shot_list")],
                        "constraints": [
                            models.UniqueConstraint(fields=("sequence", "code"), name="shot_code_is_unique"),
                            models.CheckConstraint(
                                condition=models.Q(("frames__gte", 1), ("frames__lte", 100000)),
                                name="shot_has_frames",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("handles__lte", 1000)), name="shot_handles_are_few"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("continuity_from", None),
                                    models.Q(("continuity_from", models.F("pk")), _negated=True),
                                    _connector="OR",
                                ),
                                name="shot_continues_another",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("continuity_frames__gte", 1)), name="shot_keeps_frames"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("locked_at", None), ("locked_by", "")),
                                    models.Q(
                                        models.Q(("locked_by", ""), _negated=True),
                                        ("locked_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="shot_lock_has_who_and_when",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ShotCharacter",
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
                        ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                        ("action", models.TextField(blank=True, verbose_name="action")),
                        ("action_ko", models.TextField(blank=True, verbose_name="action (Korean)")),
                        (
                            "lora_weight",
                            models.FloatField(
                                blank=True,
                                help_text="Empty: the LoRA's own. 0: off in this shot.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(0.0),
                                    django.core.validators.MaxValueValidator(2.0),
                                ],
                                verbose_name="LoRA weight",
                            ),
                        ),
                        (
                            "character",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="casting",
                                to="characters.character",
                                verbose_name="character",
                            ),
                        ),
                        (
                            "costume",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="characters.costume",
                                verbose_name="costume",
                            ),
                        ),
                        (
                            "shot",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="casting",
                                to="productions.shot",
                            ),
                        ),
                        ("costume_override", models.TextField(blank=True, verbose_name="wears in this shot")),
                        (
                            "costume_override_ko",
                            models.TextField(blank=True, verbose_name="wears in this shot (Korean)"),
                        ),
                    ],
                    options={
                        "verbose_name": "casting",
                        "verbose_name_plural": "casting",
                        "ordering": ["shot", "order"],
                        "constraints": [
                            models.UniqueConstraint(fields=("shot", "character"), name="cast_once_per_shot"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("lora_weight", None),
                                    models.Q(("lora_weight__gte", 0), ("lora_weight__lte", 2.0)),
                                    _connector="OR",
                                ),
                                name="cast_lora_weight_is_0_to_2",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ShotPreset",
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
                        ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                        (
                            "preset",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="presets.cinematicpreset",
                                verbose_name="preset",
                            ),
                        ),
                        (
                            "shot",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="shot_presets",
                                to="productions.shot",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "preset",
                        "verbose_name_plural": "presets",
                        "ordering": ["shot", "order"],
                        "constraints": [
                            models.UniqueConstraint(fields=("shot", "preset"), name="preset_once_per_shot")
                        ],
                    },
                ),
            ],
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
