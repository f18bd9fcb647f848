"""All tables of this app at once, for a new farm, and what is shipped in them (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.db.models.deletion
from importlib import import_module

from django.db import migrations, models

library = import_module("apps.presets.migrations.0002_preset_library")
shipped = import_module("apps.presets.migrations.0004_presets_seed")


class Migration(migrations.Migration):
    replaces = [
        ("presets", "0001_initial"),
        ("presets", "0002_preset_library"),
        ("presets", "0003_presets_desk"),
        ("presets", "0004_presets_seed"),
    ]

    initial = True

    dependencies = [
        ("projects", "0001_initial"),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="PresetCategory",
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
                        ("slug", models.SlugField(verbose_name="key")),
                        ("name", models.CharField(max_length=80, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=80, verbose_name="name (Korean)"),
                        ),
                        ("order", models.PositiveSmallIntegerField(verbose_name="order")),
                        ("exclusive", models.BooleanField(default=True, verbose_name="at most one per shot")),
                        ("library_hash", models.CharField(blank=True, editable=False, max_length=64)),
                        ("archived", models.BooleanField(default=False, verbose_name="archived")),
                        (
                            "project",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty: the studio's, for every project.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "preset category",
                        "verbose_name_plural": "preset categories",
                        "ordering": ["order"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("project", None)),
                                fields=("slug",),
                                name="studio_category_slug_is_unique",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("project__isnull", False)),
                                fields=("project", "slug"),
                                name="project_category_slug_is_unique",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CinematicPreset",
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
                        ("slug", models.SlugField(max_length=80, verbose_name="slug")),
                        ("name", models.CharField(max_length=120, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=120, verbose_name="name (Korean)"),
                        ),
                        (
                            "channel",
                            models.CharField(
                                choices=[
                                    ("both", "picture and video"),
                                    ("image", "picture"),
                                    ("video", "video"),
                                ],
                                default="both",
                                max_length=10,
                                verbose_name="channel",
                            ),
                        ),
                        ("order", models.PositiveSmallIntegerField(verbose_name="order")),
                        ("prompt_fragment", models.TextField(blank=True, verbose_name="prompt fragment")),
                        ("negative_fragment", models.TextField(blank=True, verbose_name="negative fragment")),
                        ("params", models.JSONField(blank=True, default=dict, verbose_name="parameters")),
                        ("archived", models.BooleanField(default=False, verbose_name="archived")),
                        (
                            "category",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="presets",
                                to="presets.presetcategory",
                                verbose_name="category",
                            ),
                        ),
                        ("library_hash", models.CharField(blank=True, editable=False, max_length=64)),
                        (
                            "negative_fragment_ko",
                            models.TextField(blank=True, verbose_name="negative fragment (Korean)"),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty: the studio's, for every project.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "prompt_fragment_ko",
                            models.TextField(blank=True, verbose_name="prompt fragment (Korean)"),
                        ),
                    ],
                    options={
                        "verbose_name": "cinematic preset",
                        "verbose_name_plural": "cinematic presets",
                        "ordering": ["category__order", "order"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("project", None)),
                                fields=("category", "slug"),
                                name="studio_preset_slug_is_unique",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("project__isnull", False)),
                                fields=("project", "category", "slug"),
                                name="project_preset_slug_is_unique",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PresetOverride",
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
                        ("prompt_fragment", models.TextField(blank=True, verbose_name="prompt fragment")),
                        (
                            "prompt_fragment_ko",
                            models.TextField(blank=True, verbose_name="prompt fragment (Korean)"),
                        ),
                        ("negative_fragment", models.TextField(blank=True, verbose_name="negative fragment")),
                        (
                            "negative_fragment_ko",
                            models.TextField(blank=True, verbose_name="negative fragment (Korean)"),
                        ),
                        ("hidden", models.BooleanField(default=False, verbose_name="hidden in this project")),
                        (
                            "preset",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="overrides",
                                to="presets.cinematicpreset",
                                verbose_name="preset",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "preset in a project",
                        "verbose_name_plural": "presets in projects",
                        "ordering": ["preset__category__order", "preset__order"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("project", "preset"), name="one_override_per_project_and_preset"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PresetRule",
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
                        ("archived", models.BooleanField(default=False, verbose_name="archived")),
                        ("library_hash", models.CharField(blank=True, editable=False, max_length=64)),
                        ("slug", models.SlugField(max_length=80, verbose_name="key")),
                        (
                            "kind",
                            models.CharField(
                                choices=[("requires", "requires"), ("conflicts", "conflicts with")],
                                default="conflicts",
                                max_length=10,
                                verbose_name="says",
                            ),
                        ),
                        (
                            "severity",
                            models.CharField(
                                choices=[
                                    ("hard", "hard"),
                                    ("warning", "warning"),
                                    ("info", "for information"),
                                ],
                                default="warning",
                                max_length=10,
                                verbose_name="severity",
                            ),
                        ),
                        ("when", models.TextField(verbose_name="when")),
                        ("other", models.TextField(verbose_name="conflicts with / requires")),
                        ("message", models.CharField(max_length=300, verbose_name="message")),
                        (
                            "message_ko",
                            models.CharField(blank=True, max_length=300, verbose_name="message (Korean)"),
                        ),
                        ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                        (
                            "project",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty: the studio's, for every project.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "preset rule",
                        "verbose_name_plural": "preset rules",
                        "ordering": ["order", "slug"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("project", None)),
                                fields=("slug",),
                                name="studio_rule_slug_is_unique",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("project__isnull", False)),
                                fields=("project", "slug"),
                                name="project_rule_slug_is_unique",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Look",
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
                        ("archived", models.BooleanField(default=False, verbose_name="archived")),
                        ("library_hash", models.CharField(blank=True, editable=False, max_length=64)),
                        ("slug", models.SlugField(max_length=80, verbose_name="key")),
                        ("name", models.CharField(max_length=120, verbose_name="name")),
                        (
                            "name_ko",
                            models.CharField(blank=True, max_length=120, verbose_name="name (Korean)"),
                        ),
                        ("description", models.TextField(blank=True, verbose_name="description")),
                        ("description_ko", models.TextField(blank=True, verbose_name="description (Korean)")),
                        ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                        (
                            "project",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty: the studio's, for every project.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "presets",
                            models.ManyToManyField(
                                related_name="looks",
                                through="presets.LookPreset",
                                to="presets.cinematicpreset",
                                verbose_name="presets",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "look",
                        "verbose_name_plural": "looks",
                        "ordering": ["order", "slug"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("project", None)),
                                fields=("slug",),
                                name="studio_look_slug_is_unique",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("project__isnull", False)),
                                fields=("project", "slug"),
                                name="project_look_slug_is_unique",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LookPreset",
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
                            "look",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="look_presets",
                                to="presets.look",
                            ),
                        ),
                        (
                            "preset",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="presets.cinematicpreset",
                                verbose_name="preset",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "preset",
                        "verbose_name_plural": "presets",
                        "ordering": ["look", "order"],
                        "constraints": [
                            models.UniqueConstraint(fields=("look", "preset"), name="preset_once_per_look")
                        ],
                    },
                ),
            ],
        ),
        migrations.RunPython(library.seed, migrations.RunPython.noop),
        migrations.RunPython(shipped.seed, migrations.RunPython.noop),
    ]
