"""Seed the shipped looks and rules. Apart from the tables: PostgreSQL alters none that has rows pending."""

from typing import Any

from django.db import migrations

from apps.presets.services.loading import store_looks, store_rules
from apps.presets.shipped import read_looks, read_rules


def seed(apps: Any, _schema_editor: Any) -> None:
    """Load both files through the models as they are at this migration."""
    get = apps.get_model
    store_looks(
        read_looks(),
        model=get("presets", "Look"),
        parts=get("presets", "LookPreset"),
        presets=get("presets", "CinematicPreset"),
    )
    store_rules(read_rules(), model=get("presets", "PresetRule"))


class Migration(migrations.Migration):
    dependencies = [("presets", "0003_presets_desk")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
