"""All tables of this app at once, for a new farm (ADR 65)."""

import apps.common.creating
import apps.common.transactions
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("common", "0001_initial"), ("common", "0002_notices_event_transaction")]

    initial = True

    dependencies = []

    operations = [
        apps.common.creating.CreateModels(
            models=[
                migrations.CreateModel(
                    name="CodeCounter",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("scope", models.UUIDField()),
                        ("kind", models.CharField(max_length=40)),
                        ("value", models.PositiveIntegerField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("scope", "kind"), name="one_counter_per_kind")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StateEvent",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("story", models.UUIDField(verbose_name="story")),
                        ("machine", models.CharField(max_length=20, verbose_name="machine")),
                        ("subject", models.UUIDField(verbose_name="subject")),
                        ("from_state", models.CharField(blank=True, max_length=20, verbose_name="from")),
                        ("to_state", models.CharField(max_length=20, verbose_name="to")),
                        ("actor", models.CharField(max_length=120, verbose_name="actor")),
                        ("reason", models.TextField(blank=True, verbose_name="reason")),
                        ("data", models.JSONField(blank=True, default=dict, verbose_name="data")),
                        (
                            "at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now(), verbose_name="at"
                            ),
                        ),
                        (
                            "xact",
                            models.BigIntegerField(
                                db_default=apps.common.transactions.TransactionNumber(), editable=False
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "event",
                        "verbose_name_plural": "events",
                        "ordering": ["id"],
                        "indexes": [
                            models.Index(fields=["story", "id"], name="event_story"),
                            models.Index(fields=["xact", "id"], name="event_transaction"),
                        ],
                    },
                ),
            ],
        ),
    ]
