"""The statuses a shot can have, with names a studio may change afterwards."""

from __future__ import annotations

from typing import Any

from django.db import migrations

# slug, name, Korean name, colour, may be rendered, work is done
STATUSES = [
    ("draft", "Draft", "초안", "gray", True, False),
    ("ready", "Ready", "준비됨", "sky", True, False),
    ("in_progress", "In progress", "작업 중", "amber", True, False),
    ("review", "In review", "리뷰 중", "purple", True, False),
    ("approved", "Approved", "승인", "green", True, False),
    ("final", "Final", "최종", "emerald", False, True),
    ("on_hold", "On hold", "보류", "orange", False, False),
    ("omitted", "Omitted", "제외", "red", False, True),
]


def seed(apps: Any, schema_editor: Any) -> None:
    """Add the statuses that are missing; leave those a studio has renamed."""
    status = apps.get_model("productions", "ShotStatus")
    for order, (slug, name, name_ko, colour, renderable, closed) in enumerate(STATUSES):
        status.objects.get_or_create(
            slug=slug,
            defaults={
                "name": name,
                "name_ko": name_ko,
                "order": order * 10,
                "colour": colour,
                "renderable": renderable,
                "closed": closed,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("productions", "0001_initial")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
