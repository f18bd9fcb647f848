"""How often somebody may try a name and a password, on every door together."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView


class LoginThrottle(SimpleRateThrottle):
    """So many tries from one address, right or wrong, by the API and by the sign-in page."""

    scope = "login"

    def get_cache_key(self, request: Request, view: APIView | None) -> str:
        return f"throttle_login_{self.get_ident(request)}"


def seconds_to_wait(request: Any) -> int:
    """Count a try from this request's address; return 0 if it may be made, else seconds until the next."""
    throttle = LoginThrottle()
    if throttle.allow_request(request, None):  # type: ignore[arg-type]
        return 0
    return int(throttle.wait() or 0) + 1
