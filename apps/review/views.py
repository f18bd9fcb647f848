"""What somebody sees who came by a client link: one playlist, and what was said about its takes.

No session, no account: a signed address, and a cookie that says which guest this is. Nothing else of the farm
is reached from here, and every answer says that it is not to be kept or indexed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature
from django.http import (
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.common.errors import NotAllowed, Problem, Refused
from apps.common.problems import CONTENT_TYPE, problem
from apps.review.links import address_of, file_url, guest_mark, guest_of, link_of
from apps.review.models import ClientGuest, ClientLink, ReviewNote, Take, Visibility
from apps.review.numbering import number_of
from apps.review.playing import guest_viewer
from apps.review.rates import ENTRIES, LOOKS, WORDS, too_many
from apps.review.selectors import looked_at
from apps.review.services.noting import add_guest_note
from apps.review.services.sharing import count_view, welcome

COOKIE: Final = "shotfarm_guest"
View = Callable[[HttpRequest, ClientLink], HttpResponseBase]


def guarded(view: View) -> Callable[[HttpRequest, str], HttpResponseBase]:
    """Find the link of an address, and answer for those that lead nowhere."""

    @wraps(view)
    def answer(request: HttpRequest, token: str) -> HttpResponseBase:
        if too_many(request, "look", LOOKS):
            return sealed(_busy(request))
        try:
            link = link_of(token)
        except (BadSignature, ValueError) as exc:
            raise Http404("no such link") from exc
        if not link.open or link.playlist.project.archived:
            return sealed(_ended(request))
        return sealed(view(request, link))

    return answer


def sealed(answer: HttpResponseBase, *, referrer: str = "no-referrer") -> HttpResponseBase:
    """Say what browsers and search engines are to do with it: nothing."""
    answer["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer["Cache-Control"] = "no-store, private"
    answer.headers.setdefault("Referrer-Policy", referrer)
    return answer


@require_http_methods(["GET", "POST"])
@guarded
def client_page(request: HttpRequest, link: ClientLink) -> HttpResponseBase:
    """Ask who is there; then show the playlist."""
    if request.method == "POST":
        return _enter(request, link)
    guest = _guest(request, link)
    if guest is None:
        return _door(request, link)
    count_view(guest)
    takes = _takes(link)
    viewer = guest_viewer(
        takes,
        playlist=link.playlist,
        signed=lambda artifact: file_url(artifact.pk, guest),
        urls={"list": f"{_notes_url(link)}?take=TAKE", "add": _notes_url(link), "one": ""},
        may_comment=link.may_comment,
    )
    context = {"viewer": viewer, "takes": takes, "playlist": link.playlist, "guest": guest, "link": link}
    return render(request, "review/client.html", context)


@require_http_methods(["GET", "POST"])
@guarded
def client_notes(request: HttpRequest, link: ClientLink) -> HttpResponseBase:
    """List what clients may read about a take of the playlist, or write a note about it. JSON."""
    guest = _guest(request, link)
    if guest is None:
        return _said(HTTPStatus.FORBIDDEN, _("Load the page again, and say who you are."))
    try:
        if request.method == "GET":
            take = _take(link, request.GET.get("take", ""))
            return JsonResponse({"results": [_told(note, take, guest) for note in _notes(take)]})
        if too_many(request, "note", WORDS):
            return _said(HTTPStatus.TOO_MANY_REQUESTS, _("That was a lot at once. Try again in a minute."))
        return _write(request, link, guest)
    except Refused as refused:
        return _said(HTTPStatus.BAD_REQUEST, str(refused), *refused.problems)
    except NotAllowed as refused:
        return _said(HTTPStatus.FORBIDDEN, str(refused))


def _ended(request: HttpRequest) -> HttpResponseBase:
    """Tell it on a page, or to the page that somebody was writing on."""
    if request.accepts("text/html"):
        return render(request, "review/client_ended.html", status=HTTPStatus.GONE)
    return _said(HTTPStatus.GONE, _("This link has ended. Ask whoever sent it for a new one."))


def _enter(request: HttpRequest, link: ClientLink) -> HttpResponseBase:
    tried = bool(request.POST.get("name", "").strip())  # an empty form tries no password
    if tried and too_many(request, "enter", ENTRIES):
        return _busy(request)
    try:
        guest = welcome(link, name=request.POST.get("name", ""), password=request.POST.get("password", ""))
    except Refused as refused:
        return _door(request, link, refused.problems, status=HTTPStatus.BAD_REQUEST)
    answer = HttpResponseRedirect(address_of(link))
    answer.set_cookie(
        COOKIE,
        guest_mark(guest),
        expires=link.expires_at,
        path=address_of(link),
        httponly=True,
        secure=settings.HTTPS,
        samesite="Lax",
    )
    return answer


def _door(
    request: HttpRequest, link: ClientLink, problems: tuple[Problem, ...] = (), status: int = HTTPStatus.OK
) -> HttpResponseBase:
    """The form that asks for a name.

    Under "no-referrer" a browser would send it with no origin, which is refused as somebody else's.
    """
    context = {"link": link, "problems": problems, "name": request.POST.get("name", "")}
    return sealed(render(request, "review/client_door.html", context, status=status), referrer="same-origin")


def _busy(request: HttpRequest) -> HttpResponseBase:
    answer = render(request, "review/client_busy.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    answer["Retry-After"] = "60"
    return answer


def _guest(request: HttpRequest, link: ClientLink) -> ClientGuest | None:
    return guest_of(link, request.COOKIES.get(COOKIE, ""))


def _takes(link: ClientLink) -> list[Take]:
    """The playlist's takes in its order."""
    places = list(link.playlist.items.values_list("take", flat=True))
    rows = {take.pk: take for take in looked_at(Take.objects.filter(pk__in=places))}
    return [rows[pk] for pk in places if pk in rows]


def _take(link: ClientLink, said: object) -> Take:
    """A take of the playlist; any other is not there. Raises Refused."""
    try:
        found = looked_at(Take.objects.filter(places__playlist=link.playlist_id, pk=UUID(str(said)))).first()
    except ValueError:
        found = None
    if found is None:
        raise Refused(Problem("take", str(said)[:60], _("this playlist has no such take")))
    return found


def _notes(take: Take) -> list[ReviewNote]:
    return list(take.notes.filter(visibility=Visibility.CLIENT)[:500])


def _told(note: ReviewNote, take: Take, guest: ClientGuest) -> dict[str, Any]:
    """A note as the page reads it: without the names of accounts, and nothing of the studio's own."""
    return {
        "id": str(note.pk),
        "frame": number_of(take, note.frame),
        "text": note.text,
        "drawing": note.drawing,
        "author": note.author,
        "mine": False,
        "visibility": str(note.visibility),
        "resolved_at": note.resolved_at.isoformat() if note.resolved_at else None,
        "resolved_by": "",
        "reply_to": str(note.reply_to_id) if note.reply_to_id else None,
        "created_at": note.created_at.isoformat(),
        "row_version": note.row_version,
    }


def _write(request: HttpRequest, link: ClientLink, guest: ClientGuest) -> HttpResponseBase:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return _said(HTTPStatus.BAD_REQUEST, _("Send a note as a JSON object."))
    take = _take(link, body.get("take"))
    frame, answered = body.get("frame"), body.get("reply_to")
    if frame is not None and (not isinstance(frame, int) or isinstance(frame, bool)):
        raise Refused(Problem("frame", str(frame)[:60], _("write a whole number, or none")))
    if not isinstance(body.get("text", ""), str):
        raise Refused(Problem("text", "", _("write a text")))
    reply_to = next((note for note in _notes(take) if str(note.pk) == str(answered)), None)
    if answered is not None and reply_to is None:
        raise Refused(Problem("reply_to", str(answered)[:60], _("there is no such note")))
    note = add_guest_note(
        take,
        guest=guest,
        text=body.get("text", ""),
        frame=frame,
        drawing=body.get("drawing"),
        reply_to=reply_to,
    )
    return JsonResponse(_told(note, take, guest), status=HTTPStatus.CREATED)


def _said(status: HTTPStatus, detail: str, *problems: Problem) -> JsonResponse:
    return JsonResponse(problem(status, detail, problems), status=status, content_type=CONTENT_TYPE)


def _notes_url(link: ClientLink) -> str:
    return reverse("client-notes", args=[address_of(link).rstrip("/").rpartition("/")[2]])
