"""Remember what the library said of each row, and seed its categories and presets."""

from typing import Any

from django.db import migrations, models

from apps.presets.library import read_library
from apps.presets.services.loading import store


def seed(apps: Any, _schema_editor: Any) -> None:
    """Load the library through the models as they are at this migration."""
    store(
        read_library(),
        categories=apps.get_model("presets", "PresetCategory"),
        presets=apps.get_model("presets", "CinematicPreset"),
    )


class Migration(migrations.Migration):
    dependencies = [("presets", "0001_initial")]

    operations = [
        migrations.AddField(
            "presetcategory",
            "library_hash",
            models.CharField(blank=True, default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            "cinematicpreset",
            "library_hash",
            models.CharField(blank=True, default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
