"""The door for nodes that share no disk with the farm (docs/protocol.md, ADR 18). No session, no cookie:
each request is signed with its attempt's key, and may do what that attempt may.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import logging
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import Problem, Refused
from apps.common.problems import CONTENT_TYPE, problem
from apps.common.streaming import pieces
from apps.renders.models import Attempt, Proof
from apps.renders.services import uploads
from apps.renders.services.keys import attempt_key, input_grant
from farm import transfer
from farm.contracts import STORE_MARKER

logger = logging.getLogger(__name__)

MOST_REFUSALS: Final = 100
"""Unsigned or wrongly signed requests from one address within a minute; then more of them are told to wait.

Whoever signs rightly is never kept waiting: nodes share an address with others behind a proxy or router.
"""

REFUSALS_S: Final = 60
CLOCK: Final = "clock"
"""Code of a refusal for its time alone: it is signed rightly."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@never_cache
@require_safe
def marker(_request: HttpRequest) -> HttpResponseBase:
    """Send the store's marker: a random name, by which a node knows that it has found a farm that can store.

    For everybody, as a node without an order has no secret to show.
    """
    try:
        uploads.require_room()
        with default_storage.open(STORE_MARKER, "rb") as file:
            return HttpResponse(file.read(256), content_type="text/plain")
    except OSError as exc:
        body, status = _store_problem(exc)
        return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


class AttemptSignature(BaseAuthentication):
    """``Authorization: Shotfarm-Attempt …``: the attempt named in the path, by its key."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, uploads.Sender]:
        try:
            return AnonymousUser(), _signed(request)
        except exceptions.AuthenticationFailed as refused:
            if refused.get_codes() != CLOCK:
                _count_refusal(str(request.META.get("REMOTE_ADDR", "")))
            raise

    def authenticate_header(self, _request: Request) -> str:
        return transfer.SCHEME


class HasAttempt(BasePermission):
    """Whoever was authenticated has exactly one attempt."""

    def has_permission(self, request: Request, _view: APIView) -> bool:
        return isinstance(request.auth, Attempt | Proof)


class TransferView(APIView):
    """What all signed requests share."""

    schema = None
    authentication_classes = (AttemptSignature,)
    permission_classes = (HasAttempt,)
    parser_classes = ()

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, OSError):
            logger.warning("artifact store failed a node", extra={"path": self.request.path}, exc_info=exc)
            body, status = _store_problem(exc)
            return Response(body, status=status, content_type=CONTENT_TYPE, headers={"Retry-After": "5"})
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished[transfer.TIME_HEADER] = str(int(time.time()))
        return finished


class InputView(TransferView):
    """An input file of the attempt's order, from ``offset`` on."""

    def get(self, request: Request, attempt_id: UUID) -> HttpResponseBase:
        key = _asked(request, "key")
        if not hmac.compare_digest(_asked(request, "grant").encode(), input_grant(attempt_id, key).encode()):
            raise exceptions.PermissionDenied("key: this file is no input of the attempt's order")
        size = default_storage.size(key)
        offset = _number(request, "offset")
        if offset > size:
            raise Refused(Problem("offset", str(offset), f"the file has {size} bytes"))
        file = default_storage.open(key, "rb")
        answer = StreamingHttpResponse(
            pieces(file, offset, size - offset), content_type="application/octet-stream"
        )
        answer["Content-Length"] = str(size - offset)
        return answer


class FileView(TransferView):
    """One file of the attempt's folder: ask how far it is (GET), append (PUT), finish (POST)."""

    def get(self, request: Request, attempt_id: UUID, name: str) -> Response:
        found = uploads.standing(_attempt(request), _declared(request, name))
        return Response({"offset": found.offset, "complete": found.complete})

    def put(self, request: Request, attempt_id: UUID, name: str) -> Response:
        file, offset = _declared(request, name), _number(request, "offset")
        end = uploads.append(_attempt(request), file, offset=offset, piece=_body(request))
        return Response({"offset": end, "complete": False})

    def post(self, request: Request, attempt_id: UUID, name: str) -> Response:
        file = _declared(request, name)
        _body(request)
        uploads.finish(_attempt(request), file)
        return Response({"offset": file.size, "complete": True})


def _signed(request: Request) -> uploads.Sender:
    """Return the attempt whose key signed this request. Raises AuthenticationFailed."""
    credentials = transfer.Credentials.read(request.headers.get("Authorization", ""))
    if credentials is None:
        raise exceptions.AuthenticationFailed(f"Authorization: expected {transfer.SCHEME} with a signature")
    kwargs = request.parser_context["kwargs"]
    attempt_id = kwargs["attempt_id"]
    call = transfer.Call(
        method=str(request.method),
        attempt_id=str(attempt_id),
        resource=f"{transfer.FILES}/{kwargs['name']}" if "name" in kwargs else transfer.INPUT,
        query=request.META.get("QUERY_STRING", ""),
        time=credentials.time,
        body=credentials.body,
    )
    if not call.is_signed(credentials, attempt_key(attempt_id)):
        raise exceptions.AuthenticationFailed("Authorization: not signed with this attempt's key")
    if abs(time.time() - credentials.time) > transfer.CLOCK_TOLERANCE_S:
        raise exceptions.AuthenticationFailed(
            f"time: signed at {credentials.time}; it is {time.time():.0f} here, set the node's clock",
            code=CLOCK,
        )
    attempt: uploads.Sender | None = (
        Attempt.objects.select_related("job__project").filter(pk=attempt_id).first()
        or Proof.objects.filter(pk=attempt_id).first()
    )
    if attempt is None:
        raise exceptions.AuthenticationFailed("attempt: unknown here")
    return attempt


def _count_refusal(address: str) -> None:
    """Raise Throttled once there were too many from this address within a minute."""
    key = f"transfer-refused-{address}"
    if (cache.get_or_set(key, 0, REFUSALS_S) or 0) >= MOST_REFUSALS:
        raise exceptions.Throttled(wait=REFUSALS_S)
    with suppress(ValueError):  # the minute has just ended
        cache.incr(key)


def _attempt(request: Request) -> uploads.Sender:
    return cast(uploads.Sender, request.auth)


def _body(request: Request) -> bytes:
    """Read what was signed. Raises Refused if it is too much or something else."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > transfer.CHUNK_BYTES:
        raise Refused(
            Problem(
                "body", str(length)[:20], f"at most {transfer.CHUNK_BYTES} bytes at once", code="too_large"
            )
        )
    content: bytes = request._request.body  # REST framework would parse it
    credentials = transfer.Credentials.read(request.headers["Authorization"])
    if credentials is None or hashlib.sha256(content).hexdigest() != credentials.body:
        raise Refused(Problem("body", "", "its SHA-256 is not the signed one", code="body_changed"))
    return content


def _declared(request: Request, name: str) -> uploads.Declared:
    return uploads.Declared(name=name, size=_number(request, "size"), sha256=_asked(request, "sha256"))


def _asked(request: Request, name: str) -> str:
    return str(request.query_params.get(name, ""))


def _number(request: Request, name: str) -> int:
    text = _asked(request, name)
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(Problem(name, text[:20], "expected a whole number of bytes"))
    return int(text)


def _store_problem(exc: OSError) -> tuple[dict[str, Any], int]:
    """507 for a full store, 404 for what is not there, 503 for one that fails; no path of ours is told."""
    if exc.errno in _FULL:
        status = HTTPStatus.INSUFFICIENT_STORAGE
        words = "the farm's artifact store is full; make room there, and work goes on by itself"
    elif isinstance(exc, FileNotFoundError):
        status, words = HTTPStatus.NOT_FOUND, "there is no such file in the farm's artifact store"
    else:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        words = f"the farm's artifact store cannot be used now ({exc.strerror or type(exc).__name__})"
    return problem(status, words, (Problem("store", "", words, code=status.name.lower()),)), int(status)
