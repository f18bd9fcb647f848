"""What may be tried next, what a node's card was, which nodes a job avoids."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

TIERS_GB = (8, 12, 16, 24, 32, 48, 80, 96, 140)


def offer_the_rung_below(apps: Any, schema_editor: Any) -> None:
    """Nothing was learned before: every need may try the tier below the declared one."""
    needs = apps.get_model("renders", "Need").objects
    for tier, below in zip((*TIERS_GB[1:], None), TIERS_GB, strict=True):
        needs.filter(tier_gb=tier).update(explore_gb=below)


class Migration(migrations.Migration):
    dependencies = [("renders", "0006_nodes_operations")]
    operations = [
        migrations.AddField(
            "attempt", "card_gb", models.PositiveSmallIntegerField(null=True, verbose_name="card (GB)")
        ),
        migrations.AddField(
            "job",
            "avoids",
            models.CharField(blank=True, default="", max_length=1000, verbose_name="nodes it avoids"),
        ),
        migrations.AddField("lane", "avoids", models.CharField(blank=True, default="", max_length=1000)),
        migrations.AddField(
            "need", "explore_gb", models.PositiveSmallIntegerField(null=True, verbose_name="to try next (GB)")
        ),
        migrations.AlterField(
            "failurerule",
            "failure_class",
            models.CharField(blank=True, max_length=20, verbose_name="becomes"),
        ),
        migrations.RunPython(offer_the_rung_below, migrations.RunPython.noop),
    ]
