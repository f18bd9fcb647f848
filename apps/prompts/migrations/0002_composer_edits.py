"""Texts written by hand; what was left out of a prompt, and who reads it; and no build is ever changed."""

from typing import Any

import apps.common.ids
import django.db.models.deletion
from django.db import migrations, models

TABLE = "prompts_promptbuild"
NAME = "prompt_build_is_frozen"
MESSAGE = "A prompt that was built is never changed; what differs becomes another build."

FREEZE = {
    "sqlite": [
        f"CREATE TRIGGER {NAME} BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    ],
    "postgresql": [
        f"CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING MESSAGE = '{MESSAGE}', ERRCODE = '23000'; END $$",
        f"CREATE TRIGGER {NAME} BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {NAME}()",
    ],
}
THAW = {
    "sqlite": [f"DROP TRIGGER IF EXISTS {NAME}"],
    "postgresql": [f"DROP TRIGGER IF EXISTS {NAME} ON {TABLE}", f"DROP FUNCTION IF EXISTS {NAME}()"],
}


def freeze(_apps: Any, schema_editor: Any) -> None:
    for statement in FREEZE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def thaw(_apps: Any, schema_editor: Any) -> None:
    for statement in THAW[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    # A later migration that alters this table on SQLite rebuilds it without its trigger: freeze again there.
    dependencies = [
        ("productions", "0004_ground"),
        ("prompts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PromptEdit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False
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
            ],
            options={
                "verbose_name": "prompt by hand",
                "verbose_name_plural": "prompts by hand",
                "ordering": ["shot", "channel"],
            },
        ),
        migrations.AddField(
            model_name="promptbuild",
            name="by_hand",
            field=models.BooleanField(default=False, verbose_name="by hand"),
        ),
        migrations.AddField(
            model_name="promptbuild",
            name="composed",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="promptbuild",
            name="encoders",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="promptbuild",
            name="left_out",
            field=models.JSONField(default=list, verbose_name="left out"),
        ),
        migrations.AddField(
            model_name="promptbuild",
            name="negative_ignored",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddIndex(
            model_name="promptbuild",
            index=models.Index(fields=["shot", "-created_at"], name="builds_of_a_shot"),
        ),
        migrations.AddField(
            model_name="promptedit",
            name="shot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="prompt_edits",
                to="productions.shot",
                verbose_name="shot",
            ),
        ),
        migrations.AddConstraint(
            model_name="promptedit",
            constraint=models.UniqueConstraint(fields=("shot", "channel"), name="one_edit_per_channel"),
        ),
        migrations.AddConstraint(
            model_name="promptedit",
            constraint=models.CheckConstraint(
                condition=models.Q(("positive__isnull", False), ("negative__isnull", False), _connector="OR"),
                name="an_edit_says_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="promptedit",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["image", "video"])), name="edit_channel_is_known"
            ),
        ),
        migrations.RunPython(freeze, thaw),
    ]
