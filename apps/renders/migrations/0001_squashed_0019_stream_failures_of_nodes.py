"""All tables of this app at once, for a new farm (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("renders", "0001_initial"),
        ("renders", "0002_job_loras"),
        ("renders", "0003_attempt_log"),
        ("renders", "0004_farm_engine"),
        ("renders", "0005_open_jobs_have_lanes"),
        ("renders", "0006_nodes_operations"),
        ("renders", "0007_failures_learning"),
        ("renders", "0008_mends_job_counts"),
        ("renders", "0009_recommend_job_length"),
        ("renders", "0010_recommend_recommendation"),
        ("renders", "0011_inventory_proofs"),
        ("renders", "0012_moving_frames"),
        ("renders", "0013_guard_proof_sent_at"),
        ("renders", "0014_material_of_jobs"),
        ("renders", "0015_ground"),
        ("renders", "0016_flow_continuity"),
        ("renders", "0017_newest_first"),
        ("renders", "0018_proto_searching"),
        ("renders", "0019_stream_failures_of_nodes"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("materials", "0001_material_initial"),
        ("nodes", "0008_guard_prove_minutes"),
        ("productions", "0006_presets_desk"),
        ("projects", "0004_presets_desk"),
        ("prompts", "0002_composer_edits"),
        ("review", "0005_flow_stale"),
        ("workflows", "0005_moving_frames"),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="FarmClock",
                    fields=[
                        (
                            "id",
                            models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                        ),
                        ("leader", models.CharField(blank=True, max_length=120)),
                        ("leader_until", models.DateTimeField(null=True)),
                        ("word_at", models.DateTimeField(null=True)),
                        ("grace_until", models.DateTimeField(null=True)),
                        ("stale_reports", models.PositiveIntegerField(default=0)),
                        ("forged_reports", models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        "verbose_name": "farm clock",
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(("id", 1)), name="one_farm_clock")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RenderBatch",
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
                        ("paused", models.BooleanField(default=False, verbose_name="paused")),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="batches",
                                to="projects.project",
                                verbose_name="project",
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
                        ("paused_by", models.CharField(blank=True, max_length=150, verbose_name="paused by")),
                    ],
                    options={
                        "verbose_name": "render batch",
                        "verbose_name_plural": "render batches",
                        "ordering": ["-created_at"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("project", "idempotency_key"), name="one_batch_per_request"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="FailureRule",
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
                        ("order", models.PositiveIntegerField(default=100, verbose_name="order")),
                        ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                        ("pattern", models.CharField(blank=True, max_length=500, verbose_name="pattern")),
                        (
                            "reported_class",
                            models.CharField(blank=True, max_length=20, verbose_name="reported as"),
                        ),
                        (
                            "failure_class",
                            models.CharField(blank=True, max_length=20, verbose_name="becomes"),
                        ),
                        (
                            "action",
                            models.CharField(
                                choices=[
                                    ("retry", "again, within its budget"),
                                    ("retry_free", "again, its budget untouched"),
                                    ("other_node", "again on another node"),
                                    ("next_tier", "again one tier up"),
                                    ("once", "once more, caches emptied; then fail"),
                                    ("fail", "fail"),
                                    ("quarantine", "quarantine"),
                                ],
                                max_length=12,
                                verbose_name="action",
                            ),
                        ),
                        ("advice", models.CharField(blank=True, max_length=300, verbose_name="advice")),
                        ("active", models.BooleanField(default=True, verbose_name="active")),
                        (
                            "builtin",
                            models.BooleanField(default=False, editable=False, verbose_name="shipped"),
                        ),
                        (
                            "matches",
                            models.PositiveIntegerField(default=0, editable=False, verbose_name="matches"),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="workflows.workflowtemplate",
                                verbose_name="template",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "failure rule",
                        "verbose_name_plural": "failure rules",
                        "ordering": ["order", "name"],
                    },
                ),
                migrations.CreateModel(
                    name="Hold",
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
                        ("scope", models.CharField(max_length=8, unique=True, verbose_name="what is paused")),
                        ("by", models.CharField(max_length=150, verbose_name="paused by")),
                        ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                    ],
                    options={
                        "verbose_name": "pause of the farm or a tier",
                        "verbose_name_plural": "pauses of the farm or a tier",
                        "ordering": ["scope"],
                    },
                ),
                migrations.CreateModel(
                    name="Limit",
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
                        ("most", models.PositiveIntegerField(verbose_name="at most at once")),
                        ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                        (
                            "templates",
                            models.ManyToManyField(
                                related_name="limits",
                                to="workflows.workflowtemplate",
                                verbose_name="templates",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "limit",
                        "verbose_name_plural": "limits",
                        "ordering": ["name"],
                    },
                ),
                migrations.CreateModel(
                    name="Need",
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
                        ("precision", models.CharField(blank=True, max_length=20, verbose_name="precision")),
                        ("width", models.PositiveIntegerField(verbose_name="width (px)")),
                        ("height", models.PositiveIntegerField(verbose_name="height (px)")),
                        ("frames", models.PositiveIntegerField(default=1, verbose_name="frames")),
                        ("declared_gb", models.FloatField(verbose_name="declared (GB)")),
                        (
                            "declared_tier_gb",
                            models.PositiveSmallIntegerField(null=True, verbose_name="declared tier (GB)"),
                        ),
                        ("tier_gb", models.PositiveSmallIntegerField(null=True, verbose_name="tier (GB)")),
                        ("learned", models.BooleanField(default=False, verbose_name="learned")),
                        (
                            "template_version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="needs",
                                to="workflows.workflowtemplateversion",
                            ),
                        ),
                        (
                            "explore_gb",
                            models.PositiveSmallIntegerField(null=True, verbose_name="to try next (GB)"),
                        ),
                    ],
                    options={
                        "verbose_name": "memory need",
                        "verbose_name_plural": "memory needs",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=(
                                    "template_version",
                                    "precision",
                                    "width",
                                    "height",
                                    "frames",
                                    "declared_gb",
                                ),
                                name="one_need_per_shape",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Lane",
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
                        ("key", models.CharField(max_length=64, unique=True)),
                        ("precision", models.CharField(blank=True, max_length=20)),
                        ("lora_files", models.CharField(blank=True, default="", max_length=1000)),
                        ("tags", models.CharField(blank=True, default="", max_length=400)),
                        ("floor_gb", models.PositiveSmallIntegerField(default=0)),
                        ("active", models.BooleanField(default=True)),
                        ("wait_code", models.CharField(blank=True, max_length=30)),
                        ("wait_params", models.JSONField(blank=True, default=dict)),
                        ("wait_nodes", models.JSONField(blank=True, default=list)),
                        ("waits_since", models.DateTimeField(null=True)),
                        (
                            "pinned_to",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="nodes.node",
                            ),
                        ),
                        (
                            "pool",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="nodes.pool",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="projects.project",
                            ),
                        ),
                        (
                            "template_version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="workflows.workflowtemplateversion",
                            ),
                        ),
                        (
                            "need",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="lanes",
                                to="renders.need",
                            ),
                        ),
                        ("avoids", models.CharField(blank=True, default="", max_length=1000)),
                    ],
                    options={
                        "verbose_name": "lane",
                        "verbose_name_plural": "lanes",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("active", True)), fields=["id"], name="active_lanes"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Job",
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
                        ("take_number", models.PositiveIntegerField(verbose_name="take")),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("blocked", "blocked"),
                                    ("ready", "ready"),
                                    ("dispatched", "dispatched"),
                                    ("running", "running"),
                                    ("succeeded", "succeeded"),
                                    ("failed", "failed"),
                                    ("quarantined", "quarantined"),
                                    ("cancelled", "cancelled"),
                                ],
                                max_length=12,
                                verbose_name="state",
                            ),
                        ),
                        (
                            "priority",
                            models.PositiveSmallIntegerField(
                                choices=[(0, "low"), (10, "normal"), (20, "high"), (30, "urgent")],
                                default=10,
                                verbose_name="priority",
                            ),
                        ),
                        ("paused", models.BooleanField(default=False, verbose_name="paused")),
                        ("token", models.CharField(blank=True, max_length=36)),
                        ("precision", models.CharField(blank=True, max_length=20, verbose_name="precision")),
                        ("width", models.PositiveIntegerField(verbose_name="width (px)")),
                        ("height", models.PositiveIntegerField(verbose_name="height (px)")),
                        ("frames", models.PositiveIntegerField(default=1, verbose_name="frames")),
                        ("fps", models.FloatField(null=True, verbose_name="fps")),
                        ("seed", models.PositiveBigIntegerField(verbose_name="seed")),
                        ("values", models.JSONField(blank=True, default=dict, verbose_name="values")),
                        ("need_gb", models.FloatField(verbose_name="needs (GB)")),
                        ("tier_gb", models.PositiveSmallIntegerField(null=True, verbose_name="tier (GB)")),
                        (
                            "attempts_used",
                            models.PositiveSmallIntegerField(default=0, verbose_name="attempts used"),
                        ),
                        (
                            "attempt_budget",
                            models.PositiveSmallIntegerField(default=3, verbose_name="attempts allowed"),
                        ),
                        (
                            "free_retries",
                            models.PositiveSmallIntegerField(
                                default=0, verbose_name="failures of the farm itself"
                            ),
                        ),
                        (
                            "crashes",
                            models.PositiveSmallIntegerField(default=0, verbose_name="workers taken down"),
                        ),
                        ("wait_code", models.CharField(blank=True, max_length=30)),
                        ("wait_params", models.JSONField(blank=True, default=dict)),
                        (
                            "failure_class",
                            models.CharField(blank=True, max_length=20, verbose_name="failure"),
                        ),
                        ("failure_message", models.TextField(blank=True, verbose_name="failure message")),
                        ("progress", models.FloatField(default=0.0, verbose_name="progress")),
                        ("doing", models.CharField(blank=True, max_length=80, verbose_name="doing")),
                        ("ready_at", models.DateTimeField(null=True, verbose_name="ready since")),
                        (
                            "start_after",
                            models.DateTimeField(blank=True, null=True, verbose_name="start after"),
                        ),
                        ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="jobs",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "prompt_build",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="jobs",
                                to="prompts.promptbuild",
                            ),
                        ),
                        (
                            "shot",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="jobs",
                                to="productions.shot",
                                verbose_name="shot",
                            ),
                        ),
                        (
                            "template_version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="jobs",
                                to="workflows.workflowtemplateversion",
                                verbose_name="template",
                            ),
                        ),
                        (
                            "batch",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="jobs",
                                to="renders.renderbatch",
                                verbose_name="batch",
                            ),
                        ),
                        ("lora_files", models.CharField(blank=True, default="", max_length=1000)),
                        ("loras", models.JSONField(blank=True, default=list, verbose_name="LoRAs")),
                        ("warnings", models.JSONField(blank=True, default=list, verbose_name="warnings")),
                        ("deadline", models.DateTimeField(blank=True, null=True, verbose_name="deadline")),
                        ("floor_gb", models.PositiveSmallIntegerField(default=0)),
                        ("held", models.BooleanField(default=False)),
                        ("paused_by", models.CharField(blank=True, max_length=150, verbose_name="paused by")),
                        (
                            "pinned_to",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="nodes.node",
                                verbose_name="only on node",
                            ),
                        ),
                        (
                            "pool",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="nodes.pool",
                                verbose_name="pool",
                            ),
                        ),
                        ("rank", models.PositiveSmallIntegerField(default=10)),
                        ("start_by", models.DateTimeField(null=True)),
                        (
                            "tags",
                            models.CharField(blank=True, default="", max_length=400, verbose_name="tags"),
                        ),
                        (
                            "lane",
                            models.ForeignKey(
                                db_index=False,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="jobs",
                                to="renders.lane",
                            ),
                        ),
                        (
                            "avoids",
                            models.CharField(
                                blank=True, default="", max_length=1000, verbose_name="nodes it avoids"
                            ),
                        ),
                        ("length", models.JSONField(blank=True, default=dict)),
                        (
                            "stage",
                            models.CharField(
                                choices=[
                                    ("previz", "previz"),
                                    ("keyframe", "keyframe"),
                                    ("clip", "clip"),
                                    ("finish", "finish"),
                                ],
                                max_length=10,
                                verbose_name="stage",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "job",
                        "verbose_name_plural": "jobs",
                        "ordering": ["-created_at"],
                        "indexes": [
                            models.Index(fields=["state", "updated_at"], name="job_by_state"),
                            models.Index(fields=["project", "-created_at"], name="job_list"),
                            models.Index(
                                condition=models.Q(
                                    ("held", False), ("start_after", None), ("state", "ready")
                                ),
                                fields=["lane", "-rank", "ready_at", "id"],
                                name="ready_heads",
                            ),
                            models.Index(
                                condition=models.Q(
                                    ("held", False), ("start_after", None), ("state", "ready")
                                ),
                                fields=["lane", "ready_at", "id"],
                                name="ready_oldest",
                            ),
                            models.Index(
                                condition=models.Q(("start_after__isnull", False), ("state", "ready")),
                                fields=["start_after"],
                                name="ready_later",
                            ),
                            models.Index(
                                condition=models.Q(("start_by__isnull", False), ("state", "ready")),
                                fields=["start_by"],
                                name="ready_due",
                            ),
                            models.Index(fields=["project", "state", "ready_at"], name="job_by_project"),
                            models.Index(
                                condition=models.Q(("state__in", ("failed", "quarantined"))),
                                fields=["-finished_at", "-created_at"],
                                name="job_troubles",
                            ),
                            models.Index(fields=["-created_at", "-id"], name="newest_jobs"),
                            models.Index(
                                fields=["project", "-created_at", "-id"], name="newest_jobs_of_project"
                            ),
                            models.Index(
                                condition=models.Q(("failure_message", ""), _negated=True),
                                fields=["created_at"],
                                name="jobs_with_complaints",
                            ),
                            models.Index(
                                condition=models.Q(("tags", ""), _negated=True),
                                fields=["created_at"],
                                name="jobs_with_tags",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("shot", "kind", "take_number"), name="one_job_per_take"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("frames__gte", 1)), name="job_has_frames"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "state__in",
                                        (
                                            "blocked",
                                            "ready",
                                            "cancelled",
                                            "failed",
                                            "succeeded",
                                            "dispatched",
                                            "running",
                                            "quarantined",
                                        ),
                                    )
                                ),
                                name="job_state_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Attempt",
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
                        ("number", models.PositiveSmallIntegerField(verbose_name="attempt")),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("dispatched", "dispatched"),
                                    ("accepted", "accepted"),
                                    ("staged", "staged"),
                                    ("executing", "executing"),
                                    ("collecting", "collecting"),
                                    ("succeeded", "succeeded"),
                                    ("failed", "failed"),
                                    ("lost", "lost"),
                                    ("cancelled", "cancelled"),
                                    ("superseded", "superseded"),
                                ],
                                max_length=12,
                                verbose_name="state",
                            ),
                        ),
                        ("token", models.CharField(max_length=36)),
                        ("queue", models.CharField(max_length=160, verbose_name="queue")),
                        ("tier_gb", models.PositiveSmallIntegerField(verbose_name="tier (GB)")),
                        ("node_epoch", models.CharField(blank=True, max_length=40)),
                        ("holds_slot", models.BooleanField(default=True)),
                        ("counted", models.BooleanField(default=False, verbose_name="spent an attempt")),
                        ("accept_by", models.DateTimeField(verbose_name="to be accepted by")),
                        ("accepted_at", models.DateTimeField(null=True, verbose_name="accepted")),
                        ("lease_until", models.DateTimeField(null=True, verbose_name="lease until")),
                        ("executing_at", models.DateTimeField(null=True, verbose_name="executing since")),
                        ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                        (
                            "prompt_id",
                            models.CharField(blank=True, max_length=36, verbose_name="ComfyUI prompt"),
                        ),
                        (
                            "failure_class",
                            models.CharField(blank=True, max_length=20, verbose_name="failure"),
                        ),
                        ("failure_message", models.TextField(blank=True, verbose_name="ComfyUI's words")),
                        ("report", models.JSONField(blank=True, default=dict, verbose_name="report")),
                        (
                            "node",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="attempts",
                                to="nodes.node",
                                verbose_name="node",
                            ),
                        ),
                        (
                            "job",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="attempts",
                                to="renders.job",
                                verbose_name="job",
                            ),
                        ),
                        ("clock_ahead_s", models.FloatField(null=True)),
                        ("log", models.JSONField(blank=True, default=list)),
                        (
                            "explores",
                            models.BooleanField(default=False, verbose_name="explores a smaller tier"),
                        ),
                        ("unstage_asked_at", models.DateTimeField(null=True)),
                        ("warm", models.BooleanField(null=True, verbose_name="models were loaded")),
                        ("card_gb", models.PositiveSmallIntegerField(null=True, verbose_name="card (GB)")),
                    ],
                    options={
                        "verbose_name": "attempt",
                        "verbose_name_plural": "attempts",
                        "ordering": ["job", "-number"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("holds_slot", True)), fields=["node"], name="slots_in_use"
                            ),
                            models.Index(fields=["state", "lease_until"], name="attempt_leases"),
                            models.Index(
                                condition=models.Q(("failure_class", ""), _negated=True),
                                fields=["node", "-finished_at"],
                                name="failures_of_node",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("job", "number"), name="attempt_number_is_unique"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "state__in",
                                        (
                                            "dispatched",
                                            "accepted",
                                            "cancelled",
                                            "failed",
                                            "lost",
                                            "succeeded",
                                            "superseded",
                                            "collecting",
                                            "executing",
                                            "staged",
                                        ),
                                    )
                                ),
                                name="attempt_state_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="JobDependency",
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
                        ("role", models.CharField(blank=True, max_length=40)),
                        (
                            "depends_on",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="dependents",
                                to="renders.job",
                            ),
                        ),
                        (
                            "job",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="dependencies",
                                to="renders.job",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "dependency",
                        "verbose_name_plural": "dependencies",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("job", "depends_on", "role"), name="depends_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("job", models.F("depends_on")), _negated=True),
                                name="no_job_waits_for_itself",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="NeedTier",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("tier_gb", models.PositiveSmallIntegerField(verbose_name="tier (GB)")),
                        ("successes", models.PositiveIntegerField(default=0, verbose_name="successes")),
                        ("ooms", models.PositiveIntegerField(default=0, verbose_name="out of memory")),
                        ("seconds_mean", models.FloatField(default=0.0, verbose_name="mean (s)")),
                        ("seconds_m2", models.FloatField(default=0.0)),
                        (
                            "peak_mib",
                            models.PositiveIntegerField(null=True, verbose_name="peak memory (MiB)"),
                        ),
                        (
                            "need",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tiers",
                                to="renders.need",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "experience with a tier",
                        "verbose_name_plural": "experience with tiers",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("need", "tier_gb"), name="one_row_per_need_and_tier"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="NodeBlock",
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
                        ("failures", models.PositiveSmallIntegerField(default=0, verbose_name="failures")),
                        ("until", models.DateTimeField(null=True, verbose_name="blocked until")),
                        ("reason", models.TextField(blank=True, verbose_name="reason")),
                        (
                            "node",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="blocks",
                                to="nodes.node",
                                verbose_name="node",
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="blocks",
                                to="workflows.workflowtemplate",
                                verbose_name="template",
                            ),
                        ),
                        ("jobs", models.JSONField(blank=True, default=list)),
                        (
                            "state",
                            models.CharField(
                                choices=[("clear", "clear"), ("blocked", "blocked"), ("trial", "on trial")],
                                default="clear",
                                max_length=8,
                                verbose_name="state",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "blocked pair",
                        "verbose_name_plural": "blocked pairs",
                        "indexes": [models.Index(fields=["until"], name="block_until")],
                        "constraints": [
                            models.UniqueConstraint(fields=("node", "template"), name="one_block_per_pair"),
                            models.CheckConstraint(
                                condition=models.Q(("state__in", ("clear", "blocked", "trial"))),
                                name="block_state_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Usage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("hour", models.DateTimeField()),
                        ("gpu_seconds", models.FloatField(default=0.0)),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="usage",
                                to="projects.project",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "GPU time used",
                        "verbose_name_plural": "GPU time used",
                        "indexes": [models.Index(fields=["hour"], name="usage_window")],
                        "constraints": [
                            models.UniqueConstraint(fields=("project", "hour"), name="usage_per_hour")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Recommendation",
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
                        ("template", models.CharField(blank=True, max_length=50, verbose_name="template")),
                        ("recipe", models.CharField(blank=True, max_length=80, verbose_name="recipe")),
                        ("choices", models.JSONField(blank=True, default=list)),
                        ("denied", models.JSONField(blank=True, default=list)),
                        ("inputs_hash", models.CharField(blank=True, max_length=64)),
                        (
                            "decision",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "not decided"),
                                    ("accepted", "accepted"),
                                    ("overridden", "overridden"),
                                ],
                                default="",
                                max_length=12,
                                verbose_name="decision",
                            ),
                        ),
                        (
                            "chosen",
                            models.CharField(blank=True, max_length=50, verbose_name="chosen template"),
                        ),
                        ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                        ("decided_on", models.CharField(blank=True, max_length=64)),
                        (
                            "decided_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="decided by",
                            ),
                        ),
                        (
                            "rule",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="workflows.recommendationrule",
                                verbose_name="rule",
                            ),
                        ),
                        (
                            "shot",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="recommendation",
                                to="productions.shot",
                                verbose_name="shot",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "recommendation",
                        "verbose_name_plural": "recommendations",
                    },
                ),
                migrations.CreateModel(
                    name="Proof",
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
                                    ("waiting", "waits until the node is idle"),
                                    ("sent", "sent"),
                                    ("running", "running"),
                                    ("proven", "proven"),
                                    ("failed", "failed"),
                                    ("cancelled", "cancelled"),
                                ],
                                default="waiting",
                                max_length=10,
                                verbose_name="state",
                            ),
                        ),
                        ("asked_by", models.CharField(max_length=150, verbose_name="asked by")),
                        (
                            "precision",
                            models.CharField(blank=True, default="", max_length=40, verbose_name="precision"),
                        ),
                        ("values", models.JSONField(blank=True, default=dict)),
                        ("token", models.CharField(blank=True, default="", max_length=40)),
                        ("epoch", models.CharField(blank=True, default="", max_length=40)),
                        ("tries", models.PositiveSmallIntegerField(default=0)),
                        ("until", models.DateTimeField(blank=True, null=True)),
                        ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                        ("software", models.JSONField(blank=True, default=dict)),
                        ("files", models.JSONField(blank=True, default=dict)),
                        ("outputs", models.JSONField(blank=True, default=list)),
                        ("execute_s", models.FloatField(blank=True, null=True, verbose_name="seconds")),
                        (
                            "peak_mib",
                            models.PositiveIntegerField(
                                blank=True, null=True, verbose_name="peak memory (MiB)"
                            ),
                        ),
                        (
                            "comfyui_version",
                            models.CharField(blank=True, default="", max_length=40, verbose_name="ComfyUI"),
                        ),
                        ("gpu", models.CharField(blank=True, default="", max_length=200, verbose_name="GPU")),
                        ("simulated", models.BooleanField(default=False, verbose_name="simulated")),
                        ("failure_class", models.CharField(blank=True, default="", max_length=20)),
                        ("message", models.TextField(blank=True, default="", verbose_name="reason")),
                        ("report", models.JSONField(blank=True, default=dict)),
                        (
                            "node",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="proofs",
                                to="nodes.node",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="proofs",
                                to="workflows.workflowtemplateversion",
                            ),
                        ),
                        ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                    ],
                    options={
                        "verbose_name": "golden render",
                        "verbose_name_plural": "golden renders",
                        "ordering": ["-created_at"],
                        "indexes": [
                            models.Index(fields=["node", "version", "-created_at"], name="proof_history")
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ("waiting", "sent", "running"))),
                                fields=("version", "node"),
                                name="one_open_proof_per_pair",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ("sent", "running"))),
                                fields=("node",),
                                name="one_proof_on_a_node",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "state__in",
                                        ("waiting", "cancelled", "failed", "proven", "sent", "running"),
                                    )
                                ),
                                name="proof_state_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="JobMaterial",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("role", models.CharField(max_length=40)),
                        (
                            "job",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="materials",
                                to="renders.job",
                            ),
                        ),
                        (
                            "material",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.RESTRICT,
                                related_name="uses",
                                to="materials.material",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "material of a job",
                        "verbose_name_plural": "material of jobs",
                        "constraints": [
                            models.UniqueConstraint(fields=("job", "role"), name="one_material_per_input")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="JobContinuity",
                    fields=[
                        (
                            "job",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="continuity",
                                serialize=False,
                                to="renders.job",
                            ),
                        ),
                        ("role", models.CharField(max_length=40)),
                        ("frames", models.PositiveSmallIntegerField(default=1)),
                        ("fresh", models.BooleanField(default=False)),
                        ("problem", models.TextField(blank=True, default="")),
                        (
                            "shot",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="continued_in",
                                to="productions.shot",
                            ),
                        ),
                        (
                            "take",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="review.take",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "continuity of a job",
                        "verbose_name_plural": "continuity of jobs",
                        "indexes": [
                            models.Index(
                                condition=models.Q(("take", None)), fields=["shot"], name="continuity_waits"
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("frames__gte", 1)), name="continuity_has_frames"
                            )
                        ],
                    },
                ),
            ],
        ),
    ]
