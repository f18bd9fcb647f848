"""All tables of this app at once, for a new farm (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("nodes", "0001_initial"),
        ("nodes", "0002_farm_engine"),
        ("nodes", "0003_nodes_operations"),
        ("nodes", "0004_nodeside_misheard"),
        ("nodes", "0005_moving_keys"),
        ("nodes", "0006_verdicts_catalogues"),
        ("nodes", "0007_inventory_files"),
        ("nodes", "0008_guard_prove_minutes"),
    ]

    initial = True

    dependencies = []

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="Pool",
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
                        ("name", models.SlugField(unique=True, verbose_name="name")),
                        (
                            "dedicated",
                            models.BooleanField(
                                default=False,
                                help_text="Only jobs that ask for this pool are rendered here.",
                                verbose_name="dedicated",
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                    ],
                    options={
                        "verbose_name": "pool",
                        "verbose_name_plural": "pools",
                        "ordering": ["name"],
                    },
                ),
                migrations.CreateModel(
                    name="Schedule",
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
                        ("name", models.SlugField(unique=True, verbose_name="name")),
                        (
                            "timezone",
                            models.CharField(default="UTC", max_length=60, verbose_name="time zone"),
                        ),
                        ("windows", models.JSONField(default=list, verbose_name="working hours")),
                    ],
                    options={
                        "verbose_name": "schedule",
                        "verbose_name_plural": "schedules",
                        "ordering": ["name"],
                    },
                ),
                migrations.CreateModel(
                    name="NodeCatalogue",
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
                        ("sha256", models.CharField(max_length=64, unique=True)),
                        ("packed", models.BinaryField()),
                        ("classes", models.PositiveIntegerField(verbose_name="node classes")),
                    ],
                    options={
                        "verbose_name": "node catalogue",
                        "verbose_name_plural": "node catalogues",
                        "ordering": ["sha256"],
                    },
                ),
                migrations.CreateModel(
                    name="Node",
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
                        ("name", models.CharField(max_length=120, unique=True, verbose_name="name")),
                        (
                            "worker",
                            models.CharField(blank=True, max_length=200, verbose_name="Celery worker"),
                        ),
                        ("epoch", models.CharField(blank=True, max_length=40)),
                        ("former_epoch", models.CharField(blank=True, max_length=40)),
                        (
                            "desired",
                            models.CharField(
                                choices=[
                                    ("active", "active"),
                                    ("draining", "draining"),
                                    ("paused", "paused"),
                                ],
                                default="active",
                                max_length=10,
                                verbose_name="desired",
                            ),
                        ),
                        (
                            "observed",
                            models.CharField(
                                choices=[
                                    ("starting", "starting"),
                                    ("idle", "idle"),
                                    ("busy", "busy"),
                                    ("deaf", "deaf"),
                                    ("sick", "sick"),
                                    ("offline", "offline"),
                                ],
                                default="starting",
                                max_length=10,
                                verbose_name="state",
                            ),
                        ),
                        ("reason", models.TextField(blank=True, verbose_name="reason")),
                        (
                            "tier_gb",
                            models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="tier (GB)"),
                        ),
                        ("simulated", models.BooleanField(default=False, verbose_name="simulated")),
                        (
                            "comfyui_version",
                            models.CharField(blank=True, max_length=40, verbose_name="ComfyUI"),
                        ),
                        ("comfyui_facts", models.JSONField(blank=True, default=dict)),
                        ("fingerprint", models.CharField(blank=True, max_length=16)),
                        ("classes", models.JSONField(blank=True, default=list, verbose_name="node classes")),
                        (
                            "models_by_folder",
                            models.JSONField(blank=True, default=dict, verbose_name="models"),
                        ),
                        ("capabilities_of", models.CharField(blank=True, max_length=16)),
                        ("note", models.TextField(blank=True, verbose_name="maintenance note")),
                        (
                            "reported_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="last report"),
                        ),
                        ("baseline", models.JSONField(blank=True, default=dict)),
                        ("canary_heard_at", models.DateTimeField(blank=True, null=True)),
                        ("canary_sent_at", models.DateTimeField(blank=True, null=True)),
                        ("drift", models.JSONField(blank=True, default=list, verbose_name="drift")),
                        ("failed_jobs", models.JSONField(blank=True, default=list)),
                        ("failures_in_a_row", models.PositiveSmallIntegerField(default=0)),
                        ("off_hours", models.BooleanField(default=False, verbose_name="off hours")),
                        (
                            "resident",
                            models.JSONField(blank=True, default=list, verbose_name="loaded models"),
                        ),
                        ("sick_reason", models.TextField(blank=True)),
                        ("sick_since", models.DateTimeField(blank=True, null=True)),
                        ("software", models.JSONField(blank=True, default=dict, verbose_name="software")),
                        (
                            "tags",
                            models.CharField(blank=True, default="", max_length=400, verbose_name="tags"),
                        ),
                        (
                            "pool",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="nodes",
                                to="nodes.pool",
                                verbose_name="pool",
                            ),
                        ),
                        (
                            "schedule",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="nodes",
                                to="nodes.schedule",
                                verbose_name="schedule",
                            ),
                        ),
                        ("baseline_mark", models.CharField(blank=True, default="", max_length=16)),
                        ("canary_missed", models.PositiveSmallIntegerField(default=0)),
                        (
                            "desired_by",
                            models.CharField(
                                blank=True, default="", max_length=150, verbose_name="wanted by"
                            ),
                        ),
                        (
                            "desired_reason",
                            models.CharField(blank=True, default="", max_length=200, verbose_name="why"),
                        ),
                        ("drift_of", models.CharField(blank=True, default="", max_length=16)),
                        (
                            "health",
                            models.CharField(
                                choices=[("well", "well"), ("sick", "sick"), ("deaf", "deaf")],
                                default="well",
                                max_length=10,
                                verbose_name="concluded",
                            ),
                        ),
                        ("hears", models.JSONField(blank=True, default=list)),
                        ("note_at", models.DateTimeField(blank=True, null=True)),
                        ("note_by", models.CharField(blank=True, default="", max_length=150)),
                        ("observed_since", models.DateTimeField(blank=True, null=True)),
                        ("probe_asked_at", models.DateTimeField(blank=True, null=True)),
                        ("recalled_at", models.DateTimeField(blank=True, null=True)),
                        ("software_mark", models.CharField(blank=True, default="", max_length=16)),
                        (
                            "software_state",
                            models.CharField(
                                choices=[("same", "as accepted"), ("drifted", "drifted")],
                                default="same",
                                max_length=10,
                                verbose_name="software",
                            ),
                        ),
                        ("works_by", models.CharField(blank=True, default="", max_length=150)),
                        (
                            "works_until",
                            models.DateTimeField(blank=True, null=True, verbose_name="works until"),
                        ),
                        ("misheard", models.TextField(blank=True, default="")),
                        ("misheard_at", models.DateTimeField(blank=True, null=True)),
                        ("keys", models.JSONField(blank=True, default=list, verbose_name="keys")),
                        (
                            "catalogue_of",
                            models.CharField(blank=True, default="", editable=False, max_length=64),
                        ),
                        (
                            "catalogue",
                            models.ForeignKey(
                                blank=True,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="nodes",
                                to="nodes.nodecatalogue",
                            ),
                        ),
                        ("inventory_mark", models.CharField(blank=True, default="", max_length=16)),
                        ("inventory_marks", models.JSONField(blank=True, default=list)),
                        (
                            "prove_minutes",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                null=True,
                                verbose_name="golden renders are given up after (minutes)",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "node",
                        "verbose_name_plural": "nodes",
                        "ordering": ["name"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("observed__in", ("busy", "deaf", "idle", "offline", "sick", "starting"))
                                ),
                                name="node_state_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("health__in", ("well", "deaf", "sick"))),
                                name="node_health_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("software_state__in", ("same", "drifted"))),
                                name="node_software_state_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Gpu",
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
                        ("index", models.PositiveSmallIntegerField(verbose_name="index")),
                        ("name", models.CharField(max_length=200, verbose_name="name")),
                        ("uuid", models.CharField(blank=True, max_length=80)),
                        (
                            "source",
                            models.CharField(
                                choices=[
                                    ("nvml", "measured (NVML)"),
                                    ("comfyui", "told by ComfyUI"),
                                    ("simulated", "SIMULATED"),
                                    ("unknown", "unknown"),
                                ],
                                default="unknown",
                                max_length=12,
                                verbose_name="source",
                            ),
                        ),
                        (
                            "total_mib",
                            models.PositiveIntegerField(blank=True, null=True, verbose_name="memory (MiB)"),
                        ),
                        (
                            "free_mib",
                            models.PositiveIntegerField(blank=True, null=True, verbose_name="free (MiB)"),
                        ),
                        (
                            "foreign_mib",
                            models.PositiveIntegerField(
                                blank=True, null=True, verbose_name="held by others (MiB)"
                            ),
                        ),
                        (
                            "utilisation",
                            models.PositiveSmallIntegerField(
                                blank=True, null=True, verbose_name="utilisation (%)"
                            ),
                        ),
                        (
                            "temperature_c",
                            models.SmallIntegerField(blank=True, null=True, verbose_name="temperature (°C)"),
                        ),
                        ("driver", models.CharField(blank=True, max_length=40, verbose_name="driver")),
                        (
                            "node",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="gpus",
                                to="nodes.node",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "GPU",
                        "verbose_name_plural": "GPUs",
                        "ordering": ["node", "index"],
                        "constraints": [
                            models.UniqueConstraint(fields=("node", "index"), name="one_row_per_gpu")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="NodeFile",
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
                        ("folder", models.CharField(max_length=300, verbose_name="folder")),
                        ("name", models.CharField(max_length=300, verbose_name="name")),
                        ("size", models.BigIntegerField(blank=True, null=True, verbose_name="size")),
                        ("sha256", models.CharField(blank=True, default="", max_length=64)),
                        ("why", models.CharField(blank=True, default="", max_length=20)),
                        ("part", models.PositiveSmallIntegerField(default=0)),
                        ("seen_at", models.DateTimeField(verbose_name="seen")),
                        (
                            "node",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="files",
                                to="nodes.node",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "model file on a node",
                        "verbose_name_plural": "model files on nodes",
                        "ordering": ["node", "folder", "name"],
                        "indexes": [
                            models.Index(fields=["folder", "name", "sha256"], name="node_file_by_content"),
                            models.Index(fields=["node", "part"], name="node_file_by_part"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("node", "folder", "name"), name="one_row_per_node_file"
                            )
                        ],
                    },
                ),
            ],
        ),
    ]
