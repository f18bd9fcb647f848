"""The content security policy: on every page, without inline scripts, inline styles or compiled strings."""

from __future__ import annotations

import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import override_settings
from django.urls import path
from pytest_django import Settings

from farm.urls import handler404, handler500
from farm.urls import urlpatterns as farm_urls
from tests import factories


def _break(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken on purpose")


urlpatterns = [path("broken/", _break), *farm_urls]

SHOWN = (
    "/admin/login/",
    "/admin/",
    "/admin/desk/farm/",
    "/admin/productions/shot/",
    "/admin/renders/job/",
    "/admin/review/take/",
    "/admin/nothing-here/",
    "/admin/renders/job/add/",
    "/api/docs/",
    "/broken/",
)
"""Pages for people."""
PAGES = (*SHOWN, "/api/schema/", "/api/v1/shots", "/api/v1/nothing-here", "/healthz")


def policy_of(header: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for words in (part.split() for part in header.split(";")) if words}


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    client.force_login(factories.UserFactory.create(is_staff=True, is_superuser=True))
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("page", PAGES)
@override_settings(ROOT_URLCONF="tests.integration.farm.test_content_policy")
def test_every_page_says_what_it_may_load_and_run(admin: Client, page: str) -> None:
    policy = policy_of(admin.get(page)["Content-Security-Policy"])
    assert policy["default-src"] == ["'self'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["object-src"] == policy["frame-ancestors"] == policy["frame-src"] == ["'none'"]
    assert policy["base-uri"] == policy["form-action"] == policy["media-src"] == ["'self'"]
    assert policy["img-src"] == (["'self'", "data:"] if page == "/api/docs/" else ["'self'"])
    assert "unsafe" not in str(policy)


@pytest.mark.parametrize("page", SHOWN)
@override_settings(ROOT_URLCONF="tests.integration.farm.test_content_policy")
def test_no_page_needs_more_than_that(admin: Client, page: str) -> None:
    answer = admin.get(page)
    assert "html" in answer["Content-Type"]
    body = answer.content.decode()
    nonces = [word for word in policy_of(answer["Content-Security-Policy"])["style-src"] if "nonce" in word]
    for tag in re.findall(r"<style[^>]*>", body):
        assert [f"'nonce-{given}'" for given in re.findall('nonce="([^"]+)"', tag)] == nonces
    assert re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", body) == []
    assert re.findall(r"<[^>]+\s(?:style|on[a-z]+)=\"[^\"]*\"[^>]*>", body) == []


@override_settings(ROOT_URLCONF="tests.integration.farm.test_content_policy")
def test_the_nonce_of_an_error_page_is_another_each_time(admin: Client) -> None:
    first, second = (admin.get("/broken/")["Content-Security-Policy"] for _ in range(2))
    assert "'nonce-" in first
    assert first != second


def test_a_form_sent_twice_too_late_gets_a_page_of_ours(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "This form has become too old." in answer.content.decode()
    assert answer["Content-Security-Policy"]


def test_browsers_find_an_icon_on_pages_that_name_none(client: Client, settings: Settings) -> None:
    assert client.get("/favicon.ico")["Location"].endswith("shotfarm/favicon.svg")


__all__ = ["handler404", "handler500", "urlpatterns"]
