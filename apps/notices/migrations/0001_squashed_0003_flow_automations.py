"""All tables of this app at once, for a new farm, and from where notices are told (ADR 65)."""

import apps.common.creating
import apps.common.ids
import django.db.models.deletion
from importlib import import_module

from django.conf import settings
from django.db import migrations, models

beginning = import_module("apps.notices.migrations.0002_begin_here")


class Migration(migrations.Migration):
    replaces = [
        ("notices", "0001_initial"),
        ("notices", "0002_begin_here"),
        ("notices", "0003_flow_automations"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("common", "0002_notices_event_transaction"),
        ("projects", "0001_initial"),
        ("renders", "0001_initial"),
    ]

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="BatchEnd",
                    fields=[
                        (
                            "batch",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="renders.renderbatch",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Cursor",
                    fields=[
                        (
                            "id",
                            models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                        ),
                        ("xact", models.BigIntegerField(default=0)),
                        ("event", models.BigIntegerField(default=0)),
                        ("floor", models.BigIntegerField(default=0)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(("id", 1)), name="one_notice_cursor")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Subscription",
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
                        ("name", models.CharField(blank=True, max_length=80, verbose_name="shared channel")),
                        ("kinds", models.JSONField(default=list, verbose_name="tells of")),
                        (
                            "only_mine",
                            models.BooleanField(default=False, verbose_name="only what I submitted"),
                        ),
                        (
                            "road",
                            models.CharField(
                                choices=[("inbox", "inbox"), ("email", "e-mail"), ("webhook", "webhook")],
                                default="inbox",
                                max_length=10,
                                verbose_name="road",
                            ),
                        ),
                        ("url", models.CharField(blank=True, max_length=500, verbose_name="webhook address")),
                        (
                            "address",
                            models.EmailField(blank=True, max_length=254, verbose_name="e-mail address"),
                        ),
                        (
                            "language",
                            models.CharField(
                                blank=True,
                                choices=[("ko", "한국어"), ("en", "English")],
                                default="",
                                max_length=5,
                                verbose_name="language",
                            ),
                        ),
                        ("active", models.BooleanField(default=True, verbose_name="active")),
                        (
                            "standing",
                            models.CharField(
                                blank=True,
                                choices=[("own_batches", "my own batches"), ("farm", "the farm's nodes")],
                                default="",
                                max_length=12,
                            ),
                        ),
                        ("salt", models.CharField(blank=True, default="", max_length=32)),
                        ("busy_until", models.DateTimeField(blank=True, null=True)),
                        (
                            "blocked_until",
                            models.DateTimeField(blank=True, null=True, verbose_name="not before"),
                        ),
                        (
                            "failures",
                            models.PositiveIntegerField(default=0, verbose_name="failures in a row"),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="subscriptions",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="who",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "subscription",
                        "verbose_name_plural": "subscriptions",
                        "ordering": ["created_at"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("standing", ""), _negated=True),
                                fields=("owner", "standing"),
                                name="one_standing_of_a_kind",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("owner__isnull", False),
                                    models.Q(("name", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="subscription_is_somebodys",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("owner__isnull", False),
                                    models.Q(("road", "inbox"), _negated=True),
                                    _connector="OR",
                                ),
                                name="a_channel_has_no_inbox",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Notice",
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
                                choices=[
                                    ("batch.done", "a batch is done"),
                                    ("batch.failed", "a batch ended with failed jobs"),
                                    ("job.done", "a job is done"),
                                    ("job.failed", "a job failed"),
                                    ("job.quarantined", "a job was quarantined"),
                                    ("node.sick", "a node is sick"),
                                    ("node.deaf", "a node is deaf"),
                                    ("node.offline", "a node went offline"),
                                    ("node.back", "a node is back"),
                                    ("shot.automation", "an automation tells of a shot"),
                                    ("ping", "a test"),
                                ],
                                max_length=20,
                                verbose_name="kind",
                            ),
                        ),
                        ("about", models.UUIDField()),
                        ("code", models.CharField(blank=True, max_length=120, verbose_name="about")),
                        ("count", models.PositiveIntegerField(default=1, verbose_name="how many")),
                        ("items", models.JSONField(default=list)),
                        ("open", models.BooleanField(default=True)),
                        ("first_at", models.DateTimeField(verbose_name="first event")),
                        ("last_at", models.DateTimeField(verbose_name="when")),
                        ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read")),
                        (
                            "project",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="projects.project",
                                verbose_name="project",
                            ),
                        ),
                        (
                            "recipient",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notices",
                                to=settings.AUTH_USER_MODEL,
                                verbose_name="recipient",
                            ),
                        ),
                        (
                            "subscription",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notices",
                                to="notices.subscription",
                                verbose_name="subscription",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "notice",
                        "verbose_name_plural": "notices",
                        "ordering": ["-last_at"],
                        "indexes": [
                            models.Index(fields=["recipient", "-last_at"], name="notice_inbox"),
                            models.Index(
                                condition=models.Q(("read_at__isnull", True)),
                                fields=["recipient"],
                                name="notice_unread",
                            ),
                            models.Index(fields=["last_at"], name="notice_age"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("open", True)),
                                fields=("subscription", "kind", "about"),
                                name="one_open_notice",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Delivery",
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
                                    ("pending", "waiting"),
                                    ("delivered", "delivered"),
                                    ("given_up", "given up"),
                                ],
                                default="pending",
                                max_length=10,
                                verbose_name="state",
                            ),
                        ),
                        ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                        ("next_try_at", models.DateTimeField(null=True, verbose_name="next try")),
                        ("settled_at", models.DateTimeField(null=True, verbose_name="settled")),
                        ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                        (
                            "notice",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="delivery",
                                to="notices.notice",
                                verbose_name="notice",
                            ),
                        ),
                        (
                            "subscription",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deliveries",
                                to="notices.subscription",
                                verbose_name="subscription",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "delivery",
                        "verbose_name_plural": "deliveries",
                        "ordering": ["-created_at"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "pending")),
                                fields=["subscription", "next_try_at"],
                                name="delivery_due",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DeliveryTry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField(verbose_name="at")),
                        ("ok", models.BooleanField(verbose_name="delivered")),
                        ("status", models.PositiveSmallIntegerField(null=True, verbose_name="status")),
                        ("milliseconds", models.PositiveIntegerField(verbose_name="took (ms)")),
                        ("answer", models.CharField(blank=True, max_length=300, verbose_name="answer")),
                        ("error", models.CharField(blank=True, max_length=300, verbose_name="error")),
                        (
                            "delivery",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="log",
                                to="notices.delivery",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "try",
                        "verbose_name_plural": "tries",
                        "ordering": ["id"],
                    },
                ),
            ],
        ),
        migrations.RunPython(beginning.begin, migrations.RunPython.noop),
    ]
