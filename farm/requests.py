"""A request's id, in every log line written for it, and one line when it is answered."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any, Final
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from farm.logs import bound

logger = logging.getLogger(__name__)

HEADER: Final = "X-Request-ID"
PROBES: Final = frozenset({"/healthz", "/readyz"})
_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


@sync_and_async_middleware
def log_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Give each request an id, or take the one a proxy gave; answer with it; log how it went.

    The query is left out: it may carry a signature. Probes of health are logged as DEBUG.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            begun, given = time.monotonic(), _id_of(request)
            with bound(request=given):
                waiting: Awaitable[HttpResponseBase] = get_response(request)
                return _answered(request, await waiting, given, begun)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        begun, given = time.monotonic(), _id_of(request)
        with bound(request=given):
            return _answered(request, get_response(request), given, begun)

    return answer


def _id_of(request: HttpRequest) -> str:
    given = request.headers.get(HEADER, "")
    return given if _GIVEN.fullmatch(given) else uuid4().hex


def _answered(request: HttpRequest, response: HttpResponseBase, given: str, begun: float) -> HttpResponseBase:
    response.headers[HEADER] = given
    facts = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "seconds": round(time.monotonic() - begun, 3),
    }
    level = logging.DEBUG if request.path in PROBES else logging.INFO
    logger.log(level, "request answered", extra=facts)
    return response
