"""All tables of this app at once, for a new farm (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("review", "0001_initial"),
        ("review", "0002_takes_in_processing"),
        ("review", "0003_recommend_take_length"),
        ("review", "0004_ground"),
        ("review", "0005_flow_stale"),
        ("review", "0006_review_desk"),
        ("review", "0007_newest_first"),
        ("review", "0008_right_unjudged"),
        ("review", "0009_keep_decided"),
        ("review", "0010_latents"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("productions", "0006_presets_desk"),
        ("projects", "0004_presets_desk"),
        ("prompts", "0002_composer_edits"),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="Take",
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
                        ("job_id", models.UUIDField(unique=True)),
                        ("attempt_id", models.UUIDField(unique=True)),
                        ("kind", models.CharField(max_length=10, verbose_name="kind")),
                        ("number", models.PositiveIntegerField(verbose_name="take")),
                        ("template", models.CharField(max_length=80, verbose_name="template")),
                        ("seed", models.PositiveBigIntegerField(null=True, verbose_name="seed")),
                        ("node", models.CharField(max_length=120, verbose_name="node")),
                        ("simulated", models.BooleanField(default=False, verbose_name="simulated")),
                        ("render_seconds", models.FloatField(null=True, verbose_name="render time (s)")),
                        (
                            "media_state",
                            models.CharField(
                                choices=[
                                    ("processing", "processing"),
                                    ("ready", "ready"),
                                    ("broken", "broken"),
                                    ("missing", "missing"),
                                ],
                                default="processing",
                                max_length=12,
                                verbose_name="media",
                            ),
                        ),
                        ("media_error", models.TextField(blank=True, verbose_name="media error")),
                        (
                            "review_state",
                            models.CharField(
                                choices=[
                                    ("pending", "pending"),
                                    ("approved", "approved"),
                                    ("retake", "retake"),
                                    ("rejected", "rejected"),
                                ],
                                default="pending",
                                max_length=12,
                                verbose_name="review",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="takes",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "prompt_build",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="takes",
                                to="prompts.promptbuild",
                            ),
                        ),
                        (
                            "shot",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="takes",
                                to="productions.shot",
                                verbose_name="shot",
                            ),
                        ),
                        ("length", models.JSONField(blank=True, default=dict)),
                        ("selected", models.BooleanField(default=False, verbose_name="selected")),
                        (
                            "selected_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="selected at"),
                        ),
                        (
                            "selected_by",
                            models.CharField(blank=True, max_length=150, verbose_name="selected by"),
                        ),
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
                        (
                            "stale_since",
                            models.DateTimeField(
                                blank=True, editable=False, null=True, verbose_name="stale since"
                            ),
                        ),
                        ("stale_why", models.JSONField(blank=True, default=dict, editable=False)),
                    ],
                    options={
                        "verbose_name": "take",
                        "verbose_name_plural": "takes",
                        "ordering": ["-created_at"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("media_state", "processing")),
                                fields=["updated_at"],
                                name="takes_in_processing",
                            ),
                            models.Index(
                                condition=models.Q(("stale_since__isnull", False)),
                                fields=["shot"],
                                name="stale_takes",
                            ),
                            models.Index(fields=["project", "-created_at", "-id"], name="takes_of_project"),
                            models.Index(fields=["-created_at", "-id"], name="newest_takes"),
                            models.Index(
                                condition=models.Q(
                                    ("selected", True), ("review_state", "approved"), _connector="OR"
                                ),
                                fields=["updated_at"],
                                name="takes_decided_lately",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("shot", "kind", "number"), name="take_number_is_unique"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("media_state__in", ("processing", "broken", "missing", "ready"))
                                ),
                                name="take_media_state_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("review_state__in", ("pending", "approved", "rejected", "retake"))
                                ),
                                name="take_review_state_is_known",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("selected", True)),
                                fields=("shot", "stage"),
                                name="one_selected_take_per_stage",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("selected", False), ("selected_at__isnull", False), _connector="OR"
                                ),
                                name="selected_take_has_when",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Artifact",
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
                                    ("primary", "original"),
                                    ("proxy", "proxy"),
                                    ("conformed", "conformed to the shot"),
                                    ("thumbnail", "thumbnail"),
                                    ("tail", "last frames"),
                                    ("latent", "latents"),
                                ],
                                max_length=12,
                                verbose_name="role",
                            ),
                        ),
                        ("key", models.CharField(max_length=400, verbose_name="key")),
                        ("kind", models.CharField(max_length=10, verbose_name="kind")),
                        ("media_type", models.CharField(max_length=60, verbose_name="type")),
                        ("bytes", models.PositiveBigIntegerField(verbose_name="bytes")),
                        ("sha256", models.CharField(max_length=64)),
                        ("width", models.PositiveIntegerField()),
                        ("height", models.PositiveIntegerField()),
                        ("frames", models.PositiveIntegerField(default=1)),
                        ("fps", models.FloatField(null=True)),
                        (
                            "take",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="artifacts",
                                to="review.take",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "artifact",
                        "verbose_name_plural": "artifacts",
                        "ordering": ["take", "role", "key"],
                        "constraints": [
                            models.UniqueConstraint(fields=("take", "key"), name="artifact_key_is_unique")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TakeParent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("role", models.CharField(max_length=40)),
                        (
                            "child",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="parents",
                                to="review.take",
                            ),
                        ),
                        (
                            "parent",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="children",
                                to="review.take",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "source of a take",
                        "verbose_name_plural": "sources of takes",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("child", "parent", "role"), name="parent_once_per_role"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("child", models.F("parent")), _negated=True),
                                name="no_take_is_its_own_parent",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Playlist",
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
                            "kind",
                            models.CharField(
                                choices=[("manual", "playlist"), ("dailies", "dailies")],
                                default="manual",
                                max_length=10,
                                verbose_name="kind",
                            ),
                        ),
                        ("name", models.CharField(max_length=120, verbose_name="name")),
                        (
                            "description",
                            models.TextField(blank=True, max_length=2000, verbose_name="description"),
                        ),
                        ("day", models.DateField(blank=True, null=True, verbose_name="day")),
                        (
                            "until",
                            models.DateTimeField(
                                blank=True, editable=False, null=True, verbose_name="holds takes until"
                            ),
                        ),
                        (
                            "for_clients",
                            models.BooleanField(
                                default=False,
                                help_text="Members whose role is client see it. Guests see it by a link, whatever this says.",
                                verbose_name="for clients",
                            ),
                        ),
                        (
                            "made_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="made by",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="playlists",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "playlist",
                        "verbose_name_plural": "playlists",
                        "ordering": ["-created_at", "-pk"],
                        "indexes": [
                            models.Index(fields=["project", "-created_at"], name="playlist_list"),
                            models.Index(
                                condition=models.Q(("for_clients", True)),
                                fields=["project"],
                                name="playlists_for_clients",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "dailies")),
                                fields=("project", "day"),
                                name="dailies_once_a_day",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("day", None), ("kind", "manual"), ("until", None)),
                                    models.Q(
                                        ("day__isnull", False), ("kind", "dailies"), ("until__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="dailies_have_a_day",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ClientLink",
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
                        ("label", models.CharField(blank=True, max_length=120, verbose_name="for whom")),
                        ("password", models.CharField(blank=True, editable=False, max_length=128)),
                        ("may_comment", models.BooleanField(default=True, verbose_name="may write notes")),
                        ("expires_at", models.DateTimeField(verbose_name="ends")),
                        ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                        (
                            "revoked_by",
                            models.CharField(blank=True, max_length=150, verbose_name="revoked by"),
                        ),
                        ("views", models.PositiveIntegerField(default=0, verbose_name="views")),
                        (
                            "last_viewed_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="last viewed"),
                        ),
                        (
                            "made_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="made by",
                            ),
                        ),
                        (
                            "playlist",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="links",
                                to="review.playlist",
                                verbose_name="playlist",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "client link",
                        "verbose_name_plural": "client links",
                        "ordering": ["-created_at", "-pk"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("revoked_at", None), ("revoked_by", "")),
                                    models.Q(
                                        ("revoked_at__isnull", False),
                                        models.Q(("revoked_by", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="revoked_link_has_who",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ClientGuest",
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
                        ("name", models.CharField(max_length=80, verbose_name="name")),
                        (
                            "seen_at",
                            models.DateTimeField(default=django.utils.timezone.now, verbose_name="last seen"),
                        ),
                        (
                            "link",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="guests",
                                to="review.clientlink",
                                verbose_name="link",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "guest",
                        "verbose_name_plural": "guests",
                        "ordering": ["link", "created_at"],
                    },
                ),
                migrations.CreateModel(
                    name="PlaylistItem",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.PositiveIntegerField(verbose_name="position")),
                        (
                            "playlist",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="items",
                                to="review.playlist",
                            ),
                        ),
                        (
                            "take",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="places",
                                to="review.take",
                                verbose_name="take",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "place in a playlist",
                        "verbose_name_plural": "places in a playlist",
                        "ordering": ["playlist", "position", "pk"],
                        "indexes": [models.Index(fields=["playlist", "position"], name="playlist_order")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("playlist", "take"), name="take_once_in_a_playlist"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ReviewNote",
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
                        ("frame", models.PositiveIntegerField(blank=True, null=True, verbose_name="frame")),
                        (
                            "text",
                            models.TextField(
                                blank=True,
                                validators=[django.core.validators.MaxLengthValidator(4000)],
                                verbose_name="note",
                            ),
                        ),
                        ("drawing", models.JSONField(blank=True, default=list, verbose_name="drawing")),
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
                                verbose_name="department",
                            ),
                        ),
                        (
                            "visibility",
                            models.CharField(
                                choices=[("internal", "for the studio"), ("client", "for the client too")],
                                default="internal",
                                max_length=10,
                                verbose_name="seen by",
                            ),
                        ),
                        ("author", models.CharField(max_length=150, verbose_name="author")),
                        (
                            "resolved_at",
                            models.DateTimeField(blank=True, null=True, verbose_name="resolved at"),
                        ),
                        (
                            "resolved_by",
                            models.CharField(blank=True, max_length=150, verbose_name="resolved by"),
                        ),
                        (
                            "guest",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="notes",
                                to="review.clientguest",
                                verbose_name="guest",
                            ),
                        ),
                        (
                            "playlist",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="notes",
                                to="review.playlist",
                                verbose_name="playlist",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="review_notes",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "reply_to",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="replies",
                                to="review.reviewnote",
                                verbose_name="answers",
                            ),
                        ),
                        (
                            "take",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notes",
                                to="review.take",
                                verbose_name="take",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="review_notes",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "review note",
                        "verbose_name_plural": "review notes",
                        "ordering": ["created_at", "pk"],
                        "indexes": [
                            models.Index(fields=["take", "created_at"], name="notes_of_take"),
                            models.Index(fields=["project", "-created_at"], name="note_list"),
                            models.Index(
                                condition=models.Q(("reply_to", None), ("resolved_at", None)),
                                fields=["take"],
                                name="open_notes_of_take",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("text", ""), _negated=True),
                                    models.Q(("drawing", []), _negated=True),
                                    _connector="OR",
                                ),
                                name="note_says_something",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("resolved_at", None), ("resolved_by", "")),
                                    models.Q(
                                        ("resolved_at__isnull", False),
                                        models.Q(("resolved_by", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="resolved_note_has_who",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("reply_to", models.F("pk")), _negated=True),
                                name="note_answers_another",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("visibility__in", ["internal", "client"])),
                                name="note_visibility_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Unjudged",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("shot", models.UUIDField()),
                        ("stage", models.CharField(max_length=10)),
                        ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ],
                    options={
                        "indexes": [models.Index(fields=["shot", "stage"], name="unjudged_of_stage")],
                    },
                ),
            ],
        ),
    ]
