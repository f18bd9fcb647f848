"""Addresses signed for one person: whoever holds one fetches that one thing until it ends, without a session.

The signature covers what is fetched, who asked, when it ends and, unseen, the state of that person's
password. It proves who asks; whether they may still see the thing is asked anew at every fetch.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

from apps.accounts.models import User

_SALT: Final = "shotfarm.accounts.signatures"
_UNTIL: Final = re.compile(r"[0-9]{1,12}")


def sign(person: User, what: str) -> str:
    """Return the query string under which ``what`` can be fetched in this person's name.

    It ends after MEDIA_URL_SECONDS at the earliest, half as much later at the latest: within that half
    it stays the same, so that a page loaded again finds its pictures in the browser's cache.
    """
    step = max(1, settings.MEDIA_URL_SECONDS // 2)
    until = (int(time.time()) // step + 1) * step + settings.MEDIA_URL_SECONDS
    signed = Signer(salt=_SALT).sign(_statement(what, person, until))
    return urlencode({"by": person.pk.hex, "until": until, "sig": signed.rpartition(":")[2]})


def signed_for(what: str, query: Mapping[str, str]) -> User:
    """Return in whose name ``what`` is fetched. Raises BadSignature if forged, ended, or for something else.

    A password that was changed since, and an account that was closed, end every signature.
    """
    by, until = query.get("by", ""), query.get("until", "")
    if not _UNTIL.fullmatch(until) or int(until) <= time.time():
        raise BadSignature("this address has ended")
    try:
        person = User.objects.filter(pk=UUID(hex=by), is_active=True).first()
    except ValueError:
        person = None
    if person is None:
        raise BadSignature("this address is signed for nobody")
    Signer(salt=_SALT).unsign(f"{_statement(what, person, int(until))}:{query.get('sig', '')}")
    return person


def _statement(what: str, person: User, until: int) -> str:
    return f"{what}|{person.pk.hex}|{until}|{person.get_session_auth_hash()}"
