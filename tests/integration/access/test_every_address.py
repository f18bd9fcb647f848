"""Every address × method × person × film: who gets what, that nothing leaks, that a refusal changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client

from apps.common.ids import uuid7
from tests.integration.access.addresses import Address, every_address
from tests.integration.access.table import DEEDS, EXPECTED, PROFILES, body_of
from tests.integration.access.world import CANARY, PEOPLE, World, build

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]

ADDRESSES = every_address()
AREAS = sorted({"/".join(one.pattern.split("/")[:3]).partition("{")[0] for one in ADDRESSES})
SAFE = ("GET", "HEAD", "OPTIONS")


@pytest.fixture
def world(artifact_root: Path) -> World:
    return build()


@pytest.fixture
def browsers(world: World) -> dict[str, Client]:
    """A browser for everybody, signed in."""
    made = {who: Client(raise_request_exception=False) for who in PEOPLE}
    for who, person in world.people.items():
        made[who].force_login(person)
    return made


@contextmanager
def undone() -> Iterator[None]:
    """Let what happens inside not have happened."""
    mark = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(mark)


def everything() -> dict[str, str]:
    """Every row of every table, but sessions."""
    return {
        model._meta.label: repr(list(model._base_manager.order_by("pk").values_list()))
        for model in apps.get_models()
        if model is not Session
    }


def ask(browser: Client, method: str, path: str, body: dict[str, Any]) -> Any:
    if path.startswith("/api/"):
        send = getattr(browser, method.lower())
        headers = {"Idempotency-Key": "this press", "Accept": "application/json"}
        if method in SAFE:
            return send(path, headers=headers)
        return send(path, body, content_type="application/json", headers=headers)
    if method in ("GET", "POST"):
        return getattr(browser, method.lower())(path, body)
    return browser.generic(method, path)


def shown(answer: Any, path: str) -> bytes:
    """The answer in lower case, headers and all, without the path that was asked for and random texts."""
    body = b"".join(answer) if answer.streaming else answer.content
    headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    cookies = str(answer.cookies.get("messages", ""))
    whole = (body + headers.encode() + cookies.encode()).lower()
    whole = re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", whole)
    whole = re.sub(rb"sig=[\w-]+", b"", whole)
    return whole.replace(path.lower().encode(), b"")


def in_area(area: str) -> list[Address]:
    return [one for one in ADDRESSES if "/".join(one.pattern.split("/")[:3]).partition("{")[0] == area]


def test_every_address_is_in_the_table_and_the_table_holds_no_other() -> None:
    there = {f"{method} {one.pattern}" for one in ADDRESSES for method in one.methods}
    assert len(there) > 300
    assert there - EXPECTED.keys() == set(), "say in table.py who gets what here"
    assert EXPECTED.keys() - there == set(), "gone: take it out of table.py"


@pytest.mark.parametrize("area", AREAS)
def test_everybody_gets_what_the_table_says_and_no_word_of_the_other_film(
    world: World, browsers: dict[str, Client], area: str
) -> None:
    before = everything()
    wrong: list[str] = []
    for one in in_area(area):
        for method in one.methods:
            key = f"{method} {one.pattern}"
            for film, line in zip(
                (world.own, world.other), PROFILES[EXPECTED[key]].split(" | "), strict=False
            ):
                path, body = one.path(film), body_of(key, film)
                for who, expected in zip(PEOPLE, line.split(), strict=True):
                    with undone():
                        answer = ask(browsers[who], method, path, body)
                        if answer.status_code != int(expected):
                            wrong.append(f"{who}: {key} → {answer.status_code}, table says {expected}")
                        if who != "superuser" and CANARY in shown(answer, path):
                            wrong.append(f"{who}: {key} tells of the other film")
                        allowed = answer.status_code < 400 and who not in ("anonymous", "visitor", "outsider")
                        may_change = allowed and (film is world.own or who == "superuser")
                        if method not in SAFE and not may_change and everything() != before:
                            wrong.append(f"{who}: {key} was refused and changed something")
                        if path.startswith("/api/v1/") and answer.status_code >= 400:
                            assert answer["Content-Type"] == "application/problem+json", key
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("key", DEEDS)
def test_what_is_refused_to_others_does_something_where_it_is_allowed(
    world: World, browsers: dict[str, Client], key: str
) -> None:
    method, pattern = key.split(" ")
    (one,) = [address for address in ADDRESSES if address.pattern == pattern]
    before = everything()
    answer = ask(browsers["superuser"], method, one.path(world.own), body_of(key, world.own))
    assert answer.status_code < 400
    assert everything() != before


@pytest.mark.parametrize("area", [area for area in AREAS if any(one.of_a_row for one in in_area(area))])
def test_a_row_of_the_other_film_and_one_that_never_was_look_alike(
    world: World, browsers: dict[str, Client], area: str
) -> None:
    absent = uuid7()
    different: list[str] = []
    for one in in_area(area):
        if one.path(world.own) == one.path(world.other) or "{id}" in one.pattern:
            continue  # shared by all films, or for those who manage users
        for method in one.methods:
            key = f"{method} {one.pattern}"
            theirs, none = one.path(world.other), one.path(world.other, absent=absent)
            body = body_of(key, world.other)
            for who in PEOPLE[:-1]:
                answers = [ask(browsers[who], method, path, body) for path in (theirs, none)]
                looks = [
                    (answer.status_code, answer.get("Location", "").replace(path, ""))
                    for answer, path in zip(answers, (theirs, none), strict=True)
                ]
                if looks[0] != looks[1] and "/accounts/user/" not in theirs:
                    different.append(f"{who}: {key}: {looks[0]} and {looks[1]}")
    assert not different, "\n".join(different)


@pytest.mark.parametrize("method", ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"))
def test_other_methods_change_nothing_and_tell_nothing(
    world: World, browsers: dict[str, Client], method: str
) -> None:
    before = everything()
    for one in ADDRESSES:
        if method in one.methods:
            continue
        for film in (world.own, world.other):
            path = one.path(film)
            for who in ("coordinator", "admin"):
                answer = (
                    ask(browsers[who], method, path, {})
                    if method != "BREW"
                    else browsers[who].generic(method, path)
                )
                assert CANARY not in shown(answer, path), (who, method, path)
                if path.startswith("/api/v1/") and method not in ("OPTIONS",):
                    assert answer.status_code in (401, 403, 404, 405), (who, method, path)
    after = everything()
    assert [name for name in before if before[name] != after[name]] == []
