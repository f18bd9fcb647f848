"""How often guests may ask, who have no account to be known by."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from rest_framework.throttling import SimpleRateThrottle

LOOKS: Final = "120/min"
ENTRIES: Final = "10/min"
WORDS: Final = "20/min"
"""How often one address may look, say a name and a password, and write a note."""
FILES: Final = "1200/min"
"""How often one address may fetch a file of one link: a full playlist's pictures, and clips in parts."""


class _Throttle(SimpleRateThrottle):
    """So many requests of one kind from one address."""

    def __init__(self, what: str, rate: str) -> None:
        self.what = what
        self.rate = rate
        super().__init__()

    def get_cache_key(self, request: Any, view: Any) -> str:
        return f"throttle_client_{self.what}_{self.get_ident(request)}"


def too_many(request: HttpRequest, what: str, rate: str) -> bool:
    """Count a request; tell whether it is one too many."""
    return not _Throttle(what, rate).allow_request(request, None)  # type: ignore[arg-type]  # reads META only
