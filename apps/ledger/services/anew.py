"""Rows that are made again under the keys they had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Max, Model

from apps.ledger.documents import AT_ONCE, VERSION, Document, batches
from apps.ledger.models import Activity


def made_anew(document: Document, keys: Sequence[Any]) -> dict[Any, Model]:
    """Rows under these keys. One that was there before counts on from the version at which it went, so that
    nobody who still holds an old one can write over what is said from now on.
    """
    new = {key: document.model(pk=key) for key in keys}
    if not document.versioned:
        return new
    told = {str(key): row for key, row in new.items()}
    for some in batches(list(told), AT_ONCE):
        before = Activity.objects.filter(kind=document.kind, object_id__in=some).order_by()
        for key, last in before.values_list("object_id").annotate(Max("version")):
            setattr(told[key], VERSION, 0 if last is None else last + 1)
    return new
