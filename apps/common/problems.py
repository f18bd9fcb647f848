"""Every error of the API as application/problem+json (RFC 9457), with the fields it is about."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseServerError, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import defaults
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from apps.common.collisions import collision
from apps.common.errors import Conflict, NotAllowed, Problem, Refused, Stale
from apps.common.unkept import is_unkept
from farm.logs import bound_ids

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
API_PREFIX: Final = "/api/"
LONGEST_VALUE: Final = 200
_SECRET: Final = frozenset({"password", "token"})


def problem_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception into a problem; None for a bug, which then becomes a 500.

    REST framework calls it for whatever a view raises.
    """
    headers: dict[str, str] = {}
    if isinstance(exc, Refused):
        status = HTTPStatus.CONFLICT if isinstance(exc, Conflict) else HTTPStatus.BAD_REQUEST
        body = problem(status, _summary(exc.problems), exc.problems)
        if isinstance(exc, Stale):
            headers = {"ETag": f'"{exc.now}"'}
            body |= {"row_version": exc.now, "changed": [asdict(one) for one in exc.changed]}
    elif isinstance(exc, exceptions.ValidationError):
        problems = tuple(_flat(exc.detail, context["request"]))
        body = problem(HTTPStatus.BAD_REQUEST, _summary(problems), problems)
    elif isinstance(exc, exceptions.APIException):
        headers = _headers(exc)
        body = problem(HTTPStatus(exc.status_code), str(exc.detail))
    elif isinstance(exc, NotAllowed | PermissionDenied):
        body = problem(HTTPStatus.FORBIDDEN, str(exc) or _("You may not do this."))
    elif isinstance(exc, Http404):
        # What the exception says may tell that a row exists; absent and hidden look alike.
        body = problem(
            HTTPStatus.NOT_FOUND, _("There is nothing at this address, or it is not yours to see.")
        )
    elif is_unkept(exc):
        body = problem(HTTPStatus.BAD_REQUEST, _unkept())
    elif met := collision(exc):
        logger.warning("a request collided", extra={"what": met, "error": str(exc).strip()})
        headers = {"Retry-After": "1"}
        body = problem(HTTPStatus.SERVICE_UNAVAILABLE, _met_another())
    else:
        return None
    set_rollback()
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def problem(status: HTTPStatus, detail: str, problems: tuple[Problem, ...] = ()) -> dict[str, Any]:
    """Write a problem's body: type, title, status, detail, errors."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "errors": [as_json(one) for one in problems],
    }


def as_json(one: Problem) -> dict[str, str]:
    """Write one problem: field, value, message, code."""
    return {"field": one.field, "value": one.value, "message": str(one.message), "code": one.code}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer 404: a problem under /api/, a page elsewhere."""
    if not request.path.startswith(API_PREFIX):
        return defaults.page_not_found(request, exception)
    return _plain(HTTPStatus.NOT_FOUND, _("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer 500: a problem under /api/, a page elsewhere. What happened stands in the log, by the number."""
    if not request.path.startswith(API_PREFIX):
        facts = {"request": request, "number": bound_ids().get("request", "")}
        return HttpResponseServerError(loader.render_to_string("500.html", facts))
    return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, _("Something broke here; the farm's log tells what."))


def collided() -> HttpResponseBase:
    """Answer 503 where a transaction met another one and was undone, outside REST framework."""
    answer = _plain(HTTPStatus.SERVICE_UNAVAILABLE, _met_another())
    answer["Retry-After"] = "1"
    return answer


def unkept() -> HttpResponseBase:
    """Answer 400 where a request holds what is no text, outside REST framework."""
    return _plain(HTTPStatus.BAD_REQUEST, _unkept())


def _unkept() -> str:
    return _("This request holds a character that is none (NUL, or half of one). Send it without.")


def _met_another() -> str:
    return _("Another change met this one in the database, and this one was undone. Ask again.")


def _plain(status: HTTPStatus, detail: str) -> JsonResponse:
    return JsonResponse(problem(status, detail), status=status, content_type=CONTENT_TYPE)


def _summary(problems: tuple[Problem, ...]) -> str:
    if len(problems) == 1:
        return str(problems[0])
    told = ngettext(
        "%d thing is wrong with this request.", "%d things are wrong with this request.", len(problems)
    )
    return told % len(problems)


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def _flat(detail: Any, request: Request, path: str = "") -> Iterator[Problem]:
    """Walk REST framework's nested errors: ``{"steps": [{"takes": [error]}]}`` → ``steps[0].takes``."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            ours = name == api_settings.NON_FIELD_ERRORS_KEY
            step = "" if ours else f"[{name}]" if isinstance(name, int) else f".{name}" if path else str(name)
            yield from _flat(inner, request, path + step)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _flat(inner, request, f"{path}[{index}]" if nested else path)
    else:
        yield Problem(path, _value_at(path, request), str(detail), getattr(detail, "code", "invalid"))


def _value_at(path: str, request: Request) -> str:
    """What was sent at this path; "" for what is nested, absent or secret."""
    value: Any = request.query_params if request.method in {"GET", "HEAD"} else request.data
    for step in path.replace("]", "").replace("[", ".").split("."):
        if step in _SECRET:
            return ""
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif hasattr(value, "get"):
            value = value.get(step)
        else:
            return ""
    return "" if value is None or isinstance(value, dict | list) else str(value)[:LONGEST_VALUE]
