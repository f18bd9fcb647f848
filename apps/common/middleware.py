"""What a person reads where nothing else answers: transactions that met, buttons followed like links."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from apps.common.collisions import collision
from apps.common.problems import collided, unkept
from apps.common.unkept import is_unkept

logger = logging.getLogger(__name__)

PAGES: Final = "/admin/"
SECRET: Final = "password"  # noqa: S105 - part of the names of fields that are never written into a page
MOST_KEPT: Final = 200_000
"""Letters of a form that are written into a page, so that it can be sent once more."""


class ProblemPages:
    """Answer in words, on pages and as a problem elsewhere, what else were a bare 500 or an empty page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        empty = isinstance(response, HttpResponse) and not response.content
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and empty and _is_page(request):
            told = render(request, "405.html", status=HTTPStatus.METHOD_NOT_ALLOWED)
            told["Allow"] = response["Allow"]
            return told
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Say that another transaction met this one, which was undone, or that a text is none; else None."""
        if is_unkept(exception):
            return (
                render(request, "400.html", status=HTTPStatus.BAD_REQUEST) if _is_page(request) else unkept()
            )
        met = collision(exception)
        if not met:
            return None
        logger.warning("a request collided", extra={"what": met, "error": str(exception).strip()})
        if not _is_page(request):
            return collided()
        sent = list(_sent(request))
        kept = sent if sum(len(text) for _name, text in sent) <= MOST_KEPT else []
        told = render(request, "503.html", {"sent": kept}, status=HTTPStatus.SERVICE_UNAVAILABLE)
        told["Retry-After"] = "1"
        add_never_cache_headers(told)  # what somebody typed stands in it
        return told


def _is_page(request: HttpRequest) -> bool:
    return request.path.startswith(PAGES)


def _sent(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """The fields of a form that may be sent once more: none of one that holds a secret or a file."""
    if request.FILES or any(SECRET in name for name in request.POST):
        return
    for name, texts in request.POST.lists():
        for text in texts:
            yield name, str(text)
