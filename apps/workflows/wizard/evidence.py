"""What is known of the memory of workflows like this one: where a person looks who fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F

from apps.workflows.models import WorkflowTemplateVersion

SHOWN: Final = 6


@dataclass(frozen=True)
class Evidence:
    """A figure of another version. ``shares``: how many model files both have; 0: only the base model."""

    version: str
    row: Mapping[str, Any]
    shares: int


def nearest(document: Mapping[str, Any]) -> list[Evidence]:
    """Return figures of versions with the same model files, then of the same base model."""
    files = {str(row.get("name", "")).rpartition("/")[2] for row in document.get("models", ())}
    base = document.get("base_model")
    found = []
    rows = WorkflowTemplateVersion.objects.select_related("template").defer("graph")
    for version in rows.filter(template__current=F("pk")):
        told = version.manifest
        theirs = {str(row.get("name", "")).rpartition("/")[2] for row in told.get("models", ())}
        shares = len(files & theirs)
        if shares or (base and told.get("base_model") == base):
            found += [Evidence(str(version), row, shares) for row in told.get("vram", ())]
    return sorted(found, key=lambda one: -one.shares)[:SHOWN]
