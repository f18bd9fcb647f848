"""Which shots a word names."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from apps.common.searching import pointing_at
from apps.productions.models import Sequence, Shot


def shots_named(word: str) -> QuerySet[Shot]:
    """The shots in whose code, or whose sequence's, the word stands; or whose whole code it begins.

    ``SQ010_SH0040`` is what people say on the phone, and what stands in the names of files.
    """
    named = Q(code__icontains=word) | pointing_at("sequence", Sequence.objects.filter(code__icontains=word))
    sequence, mark, code = word.partition("_")
    if mark:
        spoken = Sequence.objects.filter(code__iexact=sequence)
        named |= pointing_at("sequence", spoken) & Q(code__istartswith=code)
    return Shot.objects.filter(named)
