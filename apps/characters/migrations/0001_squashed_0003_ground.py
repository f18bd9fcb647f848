"""All tables of this app at once, for a new farm (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("characters", "0001_initial"),
        ("characters", "0002_lora_expert"),
        ("characters", "0003_ground"),
    ]

    initial = True

    dependencies = [
        ("projects", "0001_initial"),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="Character",
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
                        ("description", models.TextField(blank=True, verbose_name="description")),
                        ("description_ko", models.TextField(blank=True, verbose_name="description (Korean)")),
                        ("negative", models.TextField(blank=True, verbose_name="negative text")),
                        ("age", models.CharField(blank=True, max_length=40, verbose_name="age")),
                        ("gender", models.CharField(blank=True, max_length=40, verbose_name="gender")),
                        ("use_lora", models.BooleanField(default=False, verbose_name="use LoRA")),
                        ("archived", models.BooleanField(default=False, verbose_name="archived")),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="characters",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "default_costume",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="characters.costume",
                                verbose_name="default costume",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "character",
                        "verbose_name_plural": "characters",
                        "ordering": ["project", "code"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("project", "code"), name="character_code_is_unique"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Costume",
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
                        ("name", models.CharField(max_length=120, verbose_name="name")),
                        ("prompt", models.TextField(verbose_name="prompt text")),
                        ("prompt_ko", models.TextField(blank=True, verbose_name="prompt text (Korean)")),
                        (
                            "character",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="costumes",
                                to="characters.character",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "costume",
                        "verbose_name_plural": "costumes",
                        "ordering": ["character", "name"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("character", "name"), name="costume_name_is_unique"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CharacterLora",
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
                        ("base_model", models.CharField(max_length=40, verbose_name="base model")),
                        (
                            "file",
                            models.CharField(
                                help_text="As ComfyUI lists it, with /.",
                                max_length=255,
                                verbose_name="model file",
                            ),
                        ),
                        (
                            "weight",
                            models.FloatField(
                                default=0.8,
                                validators=[
                                    django.core.validators.MinValueValidator(0.0),
                                    django.core.validators.MaxValueValidator(2.0),
                                ],
                                verbose_name="weight",
                            ),
                        ),
                        (
                            "trigger_words",
                            models.JSONField(
                                blank=True,
                                default=list,
                                help_text='A list, in order: ["elsa_v2"]',
                                verbose_name="trigger words",
                            ),
                        ),
                        (
                            "character",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="loras",
                                to="characters.character",
                            ),
                        ),
                        (
                            "expert",
                            models.CharField(
                                blank=True,
                                choices=[("", "all"), ("high", "high noise"), ("low", "low noise")],
                                default="",
                                help_text="Of WAN 2.2: the model this file was trained for.",
                                max_length=10,
                                verbose_name="expert",
                            ),
                        ),
                        (
                            "sha256",
                            models.CharField(
                                blank=True,
                                help_text="Of the file, where it is known: a node with another file of this name is told apart.",
                                max_length=64,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[0-9a-f]{64}\\Z",
                                        "Write 64 of 0-9 and a-f, as sha256sum prints them.",
                                    )
                                ],
                                verbose_name="SHA-256",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "LoRA",
                        "verbose_name_plural": "LoRAs",
                        "ordering": ["character", "base_model", "file"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("character", "base_model", "file"), name="lora_file_is_unique"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("weight__gte", 0), ("weight__lte", 2.0)),
                                name="lora_weight_is_0_to_2",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CharacterReference",
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
                        ("title", models.CharField(blank=True, max_length=120, verbose_name="title")),
                        ("key", models.CharField(max_length=255)),
                        ("media_type", models.CharField(max_length=40)),
                        ("sha256", models.CharField(max_length=64)),
                        ("bytes", models.PositiveBigIntegerField()),
                        ("width", models.PositiveIntegerField()),
                        ("height", models.PositiveIntegerField()),
                        ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                        (
                            "character",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="references",
                                to="characters.character",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "reference picture",
                        "verbose_name_plural": "reference pictures",
                        "ordering": ["character", "order"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("character", "sha256"), name="reference_is_unique"
                            )
                        ],
                    },
                ),
            ],
        ),
    ]
