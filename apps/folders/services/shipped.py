"""The layouts that come with a release."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS

DATA: Final = Path(__file__).parent.parent / "data"
SHIPPED: Final = {
    "studio": ("Studio", "스튜디오"),
    "aipipeline": ("AIPipeline", "AIPipeline"),
    "aipipeline-first": ("AIPipeline, first version", "AIPipeline 첫 버전"),
}


def ship(*, apps: Apps, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Write the layouts of this release as versions; called after every migrate, and harmless twice.

    A layout that a release changed gets a new version; who holds an old one goes on holding it.
    """
    if "pathtemplate" not in apps.all_models["folders"]:
        return  # migrated back to before there were layouts
    rows = apps.get_model("folders", "PathTemplate")._default_manager.using(using)
    for slug, (name, name_ko) in SHIPPED.items():
        text = (DATA / f"{slug}.txt").read_text(encoding="utf-8")
        versions = list(rows.filter(slug=slug).order_by("number"))
        if all(version.text != text for version in versions):
            number = versions[-1].number + 1 if versions else 1
            rows.create(slug=slug, number=number, name=name, name_ko=name_ko, text=text)
