"""What breaks tells no secret: neither on the page nor in the log."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from typing import NoReturn

import pytest
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client
from django.urls import include, path, reverse
from pytest_django import Settings

from apps.common.problems import not_found, server_error
from farm.logs import JsonLines, WordsAndFacts
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

KEY = "django-key-canary-5Lw8" * 3
BROKER = "broker-canary-3Xp9"
TYPED = "typed-by-mistake-7Qw"
SIGNATURE = "signature-canary-1Zt6"


def broken(request: HttpRequest) -> NoReturn:
    from django.conf import settings

    password, url = BROKER, settings.REDIS_URL
    raise RuntimeError(f"something broke after {len(password) + len(url)} characters")


urlpatterns = [
    path("broken/", broken),
    path("api/v1/broken", broken),
    path("", include("farm.urls")),
]
handler404, handler500 = not_found, server_error


@pytest.fixture
def logged(settings: Settings) -> Iterator[list[str]]:
    """Every line of the log, in both its forms, while secrets are canaries."""
    settings.SECRET_KEY = KEY
    settings.REDIS_URL = f"redis://:{BROKER}@127.0.0.1:1/0"
    settings.ROOT_URLCONF = __name__
    cache.clear()
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.extend(form.format(record) for form in (JsonLines(), WordsAndFacts()))

    keep = Keep()
    logging.getLogger().addHandler(keep)
    yield lines
    logging.getLogger().removeHandler(keep)


def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("address", ("/broken/", "/api/v1/broken"))
def test_a_page_that_breaks_tells_that_it_broke_and_no_more(logged: list[str], address: str) -> None:
    answer = client().get(address, {"sig": SIGNATURE})
    assert answer.status_code == 500
    told = answer.content.decode()
    assert "RuntimeError" not in told
    assert "Traceback" not in told
    assert address.startswith("/api/") or answer["X-Request-ID"] in told
    log = "\n".join(logged)
    assert "something broke after" in log, "the log has what the page has not"
    for secret in (KEY, BROKER, SIGNATURE):
        assert secret not in told + log


def test_readyz_without_a_broker_tells_no_password(logged: list[str]) -> None:
    answer = client().get("/readyz")
    assert answer.status_code == 503
    assert BROKER not in answer.content.decode() + "\n".join(logged)


def test_a_password_that_was_typed_wrongly_is_not_written_down(logged: list[str]) -> None:
    person = UserFactory.create(is_staff=True)
    client().post(reverse("admin:login"), {"username": person.username, "password": TYPED})
    client().post(reverse("admin:login"), {"username": TYPED, "password": "wrong"})
    pair = base64.b64encode(f"{person.username}:{TYPED}".encode()).decode()
    refused = client().post("/api/v1/auth/login", headers={"Authorization": f"Basic {pair}"})
    assert refused.status_code == 401
    assert TYPED not in refused.content.decode() + "\n".join(logged)


def test_a_token_that_opens_nothing_is_not_written_down(logged: list[str]) -> None:
    answer = client().get("/api/v1/projects", headers={"Authorization": f"Token {TYPED}"})
    assert answer.status_code == 401
    assert logged, "the refusal is logged"
    assert TYPED not in answer.content.decode() + "\n".join(logged)


def test_a_refused_media_address_is_logged_without_its_signature(logged: list[str], film: str) -> None:
    answer = client().get(reverse("artifact", args=[film]), {"sig": SIGNATURE, "until": "1", "by": "x"})
    assert answer.status_code == 403
    assert any("/media/" in line for line in logged)
    assert SIGNATURE not in answer.content.decode() + "\n".join(logged)


@pytest.fixture
def film() -> str:
    """The id of some artifact."""
    return "0198c5a2-0000-7000-8000-000000000000"
