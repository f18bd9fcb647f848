"""Signing in: tries are counted, a new password ends everything, cookies and headers are strict."""

from __future__ import annotations

import base64

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken
from pytest_django import Settings

from apps.accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "open sesame"
NEW = "a lantern on the ice"


@pytest.fixture(autouse=True)
def _nobody_has_tried() -> None:
    cache.clear()


def try_page(user: str, password: str, address: str = "10.0.0.7") -> Client:
    browser = Client(REMOTE_ADDR=address)
    browser.post(reverse("admin:login"), {"username": user, "password": password})
    return browser


def is_in(browser: Client) -> bool:
    return browser.get(reverse("admin:index")).status_code == 200


def test_guessing_on_the_sign_in_page_is_slowed_down(settings: Settings) -> None:
    staff = UserFactory.create(is_staff=True)
    for _ in range(10):
        assert not is_in(try_page(staff.username, "wrong"))
    assert not is_in(try_page(staff.username, PASSWORD)), "the right one is not looked at any more"
    shown = Client(REMOTE_ADDR="10.0.0.7").post(
        reverse("admin:login"), {"username": staff.username, "password": PASSWORD}
    )
    assert "Too many tries" in shown.content.decode()
    assert is_in(try_page(staff.username, PASSWORD, address="10.0.0.8"))


def test_a_forged_header_is_no_new_address() -> None:
    staff = UserFactory.create(is_staff=True)
    for number in range(11):
        browser = Client(REMOTE_ADDR="10.0.0.7", HTTP_X_FORWARDED_FOR=f"1.2.3.{number}")
        browser.post(reverse("admin:login"), {"username": staff.username, "password": "wrong"})
    assert not is_in(try_page(staff.username, PASSWORD))


def test_page_and_api_count_together() -> None:
    staff = UserFactory.create(is_staff=True)
    for _ in range(10):
        try_page(staff.username, "wrong")
    pair = base64.b64encode(f"{staff.username}:{PASSWORD}".encode()).decode()
    answer = Client(REMOTE_ADDR="10.0.0.7").post(
        "/api/v1/auth/login", headers={"Authorization": f"Basic {pair}"}
    )
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_a_new_password_ends_other_sessions_and_every_token() -> None:
    staff = UserFactory.create(is_staff=True)
    here, elsewhere = try_page(staff.username, PASSWORD), try_page(staff.username, PASSWORD, "10.0.0.9")
    _, token = AuthToken.objects.create(user=staff)
    assert is_in(here)
    assert is_in(elsewhere)
    here.post(
        reverse("admin:password_change"),
        {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
    )
    staff.refresh_from_db()
    assert staff.check_password(NEW)
    assert is_in(here)
    assert not is_in(elsewhere)
    assert Client().get("/api/v1/projects", headers={"Authorization": f"Token {token}"}).status_code == 401


def test_a_password_set_by_somebody_else_ends_them_too() -> None:
    root = UserFactory.create(is_staff=True, is_superuser=True)
    staff = UserFactory.create(is_staff=True)
    browser = try_page(staff.username, PASSWORD)
    AuthToken.objects.create(user=staff)
    rooted = Client()
    rooted.force_login(root)
    rooted.post(
        reverse("admin:auth_user_password_change", args=[staff.pk]),
        {"usable_password": "true", "password1": NEW, "password2": NEW},
    )
    staff.refresh_from_db()
    assert staff.check_password(NEW)
    assert not is_in(browser)
    assert not AuthToken.objects.filter(user=staff).exists()


def test_a_password_taken_away_ends_them_too() -> None:
    staff = UserFactory.create(is_staff=True)
    browser = try_page(staff.username, PASSWORD)
    _, token = AuthToken.objects.create(user=staff)
    rooted = Client()
    rooted.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    rooted.post(
        reverse("admin:auth_user_password_change", args=[staff.pk]),
        {"usable_password": "false", "unset-password": "1"},
    )
    staff.refresh_from_db()
    assert not staff.has_usable_password()
    assert not is_in(browser)
    assert Client().get("/api/v1/projects", headers={"Authorization": f"Token {token}"}).status_code == 401


def test_saving_a_user_otherwise_keeps_the_tokens() -> None:
    staff = UserFactory.create()
    AuthToken.objects.create(user=staff)
    person = User.objects.get(pk=staff.pk)
    person.language = "ko"
    person.save()
    assert person.check_password(PASSWORD)
    assert AuthToken.objects.filter(user=staff).exists()


def test_a_stronger_hash_of_the_same_password_keeps_the_tokens(settings: Settings) -> None:
    staff = UserFactory.create(is_staff=True)
    AuthToken.objects.create(user=staff)
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert is_in(try_page(staff.username, PASSWORD))
    assert User.objects.get(pk=staff.pk).password.startswith("pbkdf2_sha256")
    assert AuthToken.objects.filter(user=staff).exists()


def test_whoever_manages_users_withdraws_tokens() -> None:
    staff = UserFactory.create()
    _, token = AuthToken.objects.create(user=staff)
    rooted = Client()
    rooted.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    rooted.post(
        reverse("admin:accounts_user_changelist"),
        {"action": "withdraw_tokens", "_selected_action": [str(staff.pk)]},
    )
    assert Client().get("/api/v1/projects", headers={"Authorization": f"Token {token}"}).status_code == 401


def test_a_closed_account_opens_nothing() -> None:
    staff = UserFactory.create(is_staff=True)
    browser = try_page(staff.username, PASSWORD)
    _, token = AuthToken.objects.create(user=staff)
    User.objects.filter(pk=staff.pk).update(is_active=False)
    assert not is_in(browser)
    assert Client().get("/api/v1/projects", headers={"Authorization": f"Token {token}"}).status_code == 401
    assert not is_in(try_page(staff.username, PASSWORD))


def test_pages_say_what_browsers_may_do(settings: Settings) -> None:
    answer = Client().get(reverse("admin:login"))
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def test_the_session_cookie_is_for_our_pages_only() -> None:
    staff = UserFactory.create(is_staff=True)
    cookie = try_page(staff.username, PASSWORD).cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_password_set_by_the_command_ends_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = UserFactory.create()
    AuthToken.objects.create(user=staff)
    monkeypatch.setattr("getpass.getpass", lambda **_kwargs: NEW)
    call_command("changepassword", staff.username)
    assert not AuthToken.objects.filter(user=staff).exists()
