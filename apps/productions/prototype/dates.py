"""When the prototype made and changed a shot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apps.productions.models import Shot
from apps.productions.prototype.reading import Document
from apps.productions.prototype.report import About


def moment(record: Document, name: str, about: About) -> datetime | None:
    """Read a moment; None where there is none. One without a zone is of the farm's own (TIME_ZONE)."""
    told = record.get(name)
    if told in (None, ""):
        return None
    try:
        found = parse_datetime(str(told))
        if found is not None and timezone.is_naive(found):
            found = timezone.make_aware(found)
    except (ValueError, OverflowError):
        found = None
    if found is None or not 1970 < found.year < 9999:
        about.dropped(name, told, "no moment; write it as 2026-02-14T09:30:00")
        return None
    if found > timezone.now():
        about.dropped(name, told, "it is still to come; the moment of the import was taken")
        return None
    return found


def keep_dates(dates: Mapping[Shot, tuple[datetime | None, datetime | None]]) -> None:
    """Write when shots that were just saved had been made and changed; what is not said stays as it is."""
    dated = []
    for shot, (made, changed) in dates.items():
        if made or changed:
            shot.created_at = min(made or changed or shot.created_at, changed or shot.created_at)
            shot.updated_at = changed or shot.created_at
            dated.append(shot)
    Shot.objects.bulk_update(dated, ["created_at", "updated_at"], batch_size=500)
