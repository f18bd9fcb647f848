"""All tables of this app at once, for a new farm; no build is ever changed (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.db.models.deletion
from importlib import import_module

from django.db import migrations, models

frozen = import_module("apps.prompts.migrations.0002_composer_edits")


class Migration(migrations.Migration):
    replaces = [("prompts", "0001_initial"), ("prompts", "0002_composer_edits")]

    initial = True

    dependencies = [
        ("productions", "0004_ground"),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="PromptBuild",
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
                        ("channel", models.CharField(max_length=10, verbose_name="channel")),
                        ("language", models.CharField(max_length=2, verbose_name="language")),
                        ("composer", models.PositiveSmallIntegerField(verbose_name="composer version")),
                        ("positive", models.TextField(verbose_name="positive")),
                        ("negative", models.TextField(blank=True, verbose_name="negative")),
                        ("segments", models.JSONField(verbose_name="segments")),
                        ("loras", models.JSONField(default=list)),
                        ("content_hash", models.CharField(max_length=64)),
                        (
                            "shot",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="prompt_builds",
                                to="productions.shot",
                                verbose_name="shot",
                            ),
                        ),
                        ("by_hand", models.BooleanField(default=False, verbose_name="by hand")),
                        ("composed", models.JSONField(default=dict)),
                        ("encoders", models.JSONField(default=list)),
                        ("left_out", models.JSONField(default=list, verbose_name="left out")),
                        ("negative_ignored", models.CharField(blank=True, max_length=10)),
                    ],
                    options={
                        "verbose_name": "prompt",
                        "verbose_name_plural": "prompts",
                        "ordering": ["-created_at"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("shot", "content_hash"), name="equal_prompts_share_a_build"
                            )
                        ],
                        "indexes": [models.Index(fields=["shot", "-created_at"], name="builds_of_a_shot")],
                    },
                ),
                migrations.CreateModel(
                    name="PromptEdit",
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
                            "channel",
                            models.CharField(
                                choices=[("image", "picture"), ("video", "video")],
                                max_length=10,
                                verbose_name="channel",
                            ),
                        ),
                        ("language", models.CharField(max_length=2, verbose_name="language")),
                        ("positive", models.TextField(blank=True, null=True, verbose_name="positive")),
                        ("negative", models.TextField(blank=True, null=True, verbose_name="negative")),
                        ("basis", models.JSONField(default=dict)),
                        ("edited_by", models.CharField(max_length=150, verbose_name="by")),
                        (
                            "shot",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="prompt_edits",
                                to="productions.shot",
                                verbose_name="shot",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "prompt by hand",
                        "verbose_name_plural": "prompts by hand",
                        "ordering": ["shot", "channel"],
                        "constraints": [
                            models.UniqueConstraint(fields=("shot", "channel"), name="one_edit_per_channel"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("positive__isnull", False), ("negative__isnull", False), _connector="OR"
                                ),
                                name="an_edit_says_something",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("channel__in", ["image", "video"])),
                                name="edit_channel_is_known",
                            ),
                        ],
                    },
                ),
            ],
        ),
        migrations.RunPython(frozen.freeze, frozen.thaw),
    ]
