"""Logging in to the API."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from apps.accounts.models import User
from tests.factories import UserFactory
from tests.integration.api.conftest import Client, only_error, problem_of

PASSWORD = "open sesame"  # of everybody UserFactory makes
LOGIN = "/api/v1/auth/login"
pytestmark = pytest.mark.django_db


def basic(user: User | str, password: str = PASSWORD) -> APIClient:
    client = APIClient()
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    client.credentials(HTTP_AUTHORIZATION=f"Basic {pair}")
    return client


def test_name_and_password_give_a_token_that_opens_the_api() -> None:
    user = UserFactory.create()
    answer = basic(user).post(LOGIN).json()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer['token']}")
    assert client.get("/api/v1/projects").status_code == 200


def test_a_token_is_kept_as_a_hash_only() -> None:
    token = basic(UserFactory.create()).post(LOGIN).json()["token"]
    row = AuthToken.objects.get()
    assert token not in {row.digest, row.token_key}
    assert len(row.digest) == 128


def test_a_token_lives_for_thirty_days() -> None:
    basic(UserFactory.create()).post(LOGIN)
    row = AuthToken.objects.get()
    assert row.expiry - row.created == pytest.approx(timedelta(days=30), abs=timedelta(minutes=1))


def test_an_expired_token_opens_nothing() -> None:
    row, token = AuthToken.objects.create(user=UserFactory.create())
    AuthToken.objects.filter(pk=row.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    problem_of(client.get("/api/v1/projects"), 401)


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_gives_nothing(password: str) -> None:
    response = basic(UserFactory.create(), password).post(LOGIN)
    problem_of(response, 401)
    assert response["WWW-Authenticate"].startswith("Basic")
    assert not AuthToken.objects.exists()


def test_somebody_who_was_shut_out_gets_no_token() -> None:
    problem_of(basic(UserFactory.create(is_active=False)).post(LOGIN), 401)


def test_wrong_passwords_are_throttled_even_though_they_are_wrong() -> None:
    user = UserFactory.create()
    answers = [basic(user, f"guess {number}").post(LOGIN).status_code for number in range(11)]
    assert answers == [401] * 10 + [429]
    response = basic(user).post(LOGIN)
    problem_of(response, 429)
    assert int(response["Retry-After"]) > 0


def test_a_forged_address_does_not_get_around_the_throttle() -> None:
    user = UserFactory.create()
    for number in range(10):
        basic(user, "wrong").post(LOGIN, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")
    assert basic(user).post(LOGIN, HTTP_X_FORWARDED_FOR="10.9.9.9").status_code == 429


def test_nobody_has_more_than_twenty_living_tokens() -> None:
    user = UserFactory.create()
    for _ in range(20):
        AuthToken.objects.create(user=user)
    assert only_error(basic(user).post(LOGIN), 400) == ("token", "20", "too_many_tokens")


def test_logging_out_ends_this_token_only(client_of: Client) -> None:
    here, there = client_of("artist"), client_of("artist")
    assert here.post("/api/v1/auth/logout").status_code == 204
    assert here.get("/api/v1/projects").status_code == 401
    assert there.get("/api/v1/projects").status_code == 200


def test_logging_out_everywhere_ends_all_tokens_of_this_user_only(client_of: Client) -> None:
    here, there, other = client_of("artist"), client_of("artist"), client_of("viewer")
    assert here.post("/api/v1/auth/logoutall").status_code == 204
    assert there.get("/api/v1/projects").status_code == 401
    assert other.get("/api/v1/projects").status_code == 200
