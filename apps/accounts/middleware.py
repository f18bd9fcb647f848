"""The language a person chose for themselves."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation


class PreferredLanguage:
    """Speak the user's language, unless this browser has chosen one with the language switch."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        wanted = getattr(request.user, "language", "")
        if wanted and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            translation.activate(wanted)
        return self.get_response(request)
