"""Every address × method × person × film: who gets what; nothing leaks; a refusal changes nothing."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.template import Template
from django.test import Client
from django.test.utils import _TestState
from django.utils.safestring import SafeString

from apps.common.ids import uuid7
from tests.integration.access.addresses import Address, every_address
from tests.integration.access.premises import Premises, everything
from tests.integration.access.table import DEEDS, EXPECTED, PROFILES, body_of
from tests.integration.access.world import CANARY, PEOPLE, World

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]

ADDRESSES = every_address()
AREAS = sorted({"/".join(one.pattern.split("/")[:3]).partition("{")[0] for one in ADDRESSES})
ALL = bool(os.environ.get("ALL"))
STATUS_ONLY = () if ALL else ("artist", "elsewhere", "supervisor", "coordinator")
NOBODY_NEW = () if ALL else (*STATUS_ONLY, "superuser")
"""Who is not asked for rows of the other film: their roles do not count there, and the admin of the own film,
who may more, is asked; root gets there what it gets here. ALL=1 asks everybody."""
SAFE = ("GET", "HEAD", "OPTIONS")
UNKNOWN = ("PUT", "DELETE", "OPTIONS")
"""Methods of which a page knows none."""


@pytest.fixture(scope="module", autouse=True)
def unwatched(django_test_environment: None) -> Iterator[None]:
    """Nothing follows what is rendered and logged: thousands of answers are read as they are."""
    logging.disable(logging.WARNING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", vars(_TestState)["saved_data"].template_render)
        yield
    logging.disable(logging.NOTSET)


def reads(who: str) -> bool:
    """Whether every word of this person's pages is read.

    Rendering pages is most of what the whole table costs. Those who may least and most see all there is
    to see; of the roles between, which are let into a film's rows by the same membership, and of root, from
    whom nothing is hidden, only the status counts. ALL=1 reads the pages of all roles.
    """
    return who not in STATUS_ONLY and who != "superuser"


def asked(who: str, key: str, expected: str) -> bool:
    """Whether this person is asked as well.

    Many a page (a list, a history) takes a POST for a GET, and the table promises the same for both. Those
    whose pages nobody reads are then asked with GET, and again only where a POST must be refused; so are
    the least and the most of a film always. ALL=1 asks everybody.
    """
    method, pattern = key.split(" ")
    again = method == "POST" and EXPECTED[key] == EXPECTED.get(f"GET {pattern}")
    return not again or who not in NOBODY_NEW or int(expected) >= 400


@contextmanager
def pages(*, rendered: bool) -> Iterator[None]:
    """Let templates say nothing, where nobody reads them."""
    if rendered:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", lambda template, context: SafeString())
        yield


@pytest.fixture
def before(premises: Premises) -> dict[str, str]:
    """Every row as it is when a test begins."""
    return premises.rows


@pytest.fixture
def browsers(premises: Premises) -> dict[str, Client]:
    """A browser for everybody, signed in."""
    made = {who: Client(raise_request_exception=False) for who in PEOPLE}
    for who, browser in made.items():
        browser.cookies = deepcopy(premises.cookies[who])
    return made


@contextmanager
def undone() -> Iterator[None]:
    """Let what happens inside not have happened."""
    mark = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(mark)


WRITES = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM) "(\w+)"', re.IGNORECASE)


@dataclass
class Watch:
    """Sees every statement that writes. Rows are compared only of what was written to: that is slow."""

    before: dict[str, str]
    written: set[str] = field(default_factory=set)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if writes := WRITES.match(sql):
            self.written.add(writes[1])
        return execute(sql, params, many, context)

    def changed(self) -> bool:
        now = everything(self.written) if self.written else {}
        return any(rows != self.before[table] for table, rows in now.items())


def ask(browser: Client, method: str, path: str, body: dict[str, Any]) -> Any:
    if path.startswith("/api/v1/"):
        headers = {"Idempotency-Key": "this press"}
        if method in SAFE:
            return browser.generic(method, path, headers=headers)
        sent = json.dumps(body)
        return browser.generic(method, path, sent, content_type="application/json", headers=headers)
    if method in ("GET", "POST"):
        return getattr(browser, method.lower())(path, body)
    return browser.generic(method, path)


def shown(answer: Any, path: str, body: dict[str, Any]) -> bytes:
    """The answer in lower case, headers and messages too, without what the person has sent themselves."""
    content = b"".join(answer) if answer.streaming else answer.content
    headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    whole = (content + headers.encode() + str(answer.cookies).encode()).lower()
    for sent in (path, *_texts(body)):
        whole = whole.replace(sent.lower().encode(), b"")
    return whole


def _texts(body: Any) -> list[str]:
    """Every text in a body, the longest first."""
    inner = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    texts = [body] if isinstance(body, str) else [text for value in inner for text in _texts(value)]
    return sorted(texts, key=len, reverse=True)


def in_area(area: str) -> list[Address]:
    return [one for one in ADDRESSES if "/".join(one.pattern.split("/")[:3]).partition("{")[0] == area]


def deeds_in(area: str) -> list[tuple[str, Address]]:
    """What changes something there, as the table writes it, with its address."""
    keys = [(f"{method} {one.pattern}", one) for one in in_area(area) for method in one.methods]
    return [(key, one) for key, one in keys if key in DEEDS]


def test_every_deed_of_the_table_is_an_address() -> None:
    assert sorted(key for area in AREAS for key, _one in deeds_in(area)) == sorted(DEEDS)


def test_every_address_is_in_the_table_and_the_table_holds_no_other() -> None:
    there = {f"{method} {one.pattern}" for one in ADDRESSES for method in one.methods}
    assert len(there) > 300
    assert there - EXPECTED.keys() == set(), "say in table.py who gets what here"
    assert EXPECTED.keys() - there == set(), "gone: take it out of table.py"


@pytest.mark.parametrize("area", AREAS)
def test_everybody_gets_what_the_table_says_and_no_word_of_the_other_film(
    world: World, browsers: dict[str, Client], before: dict[str, str], area: str
) -> None:
    wrong: list[str] = []
    for one in in_area(area):
        for method in one.methods:
            key = f"{method} {one.pattern}"
            if key not in EXPECTED:
                continue  # the test above says so
            lines = PROFILES[EXPECTED[key]].split(" | ")
            for film, line in zip((world.own, world.other), lines, strict=False):
                for who, expected in zip(PEOPLE, line.split(), strict=True):
                    if (film is world.other and who in NOBODY_NEW) or not asked(who, key, expected):
                        continue
                    cache.clear()  # tries to sign in are counted
                    with undone():
                        found = _judge(browsers[who], who, one, method, world, film, before)
                    if found != expected:
                        wrong.append(f"{who}: {key} → {found}, table says {expected}")
    assert not wrong, "\n".join(wrong)


def _judge(
    browser: Client,
    who: str,
    one: Address,
    method: str,
    world: World,
    film: dict[str, Any],
    before: dict[str, str],
) -> str:
    """Return the status, with a word on what was wrong with the answer."""
    path, body = one.path(film), body_of(f"{method} {one.pattern}", film)
    watch = Watch(before)
    with connection.execute_wrapper(watch), pages(rendered=reads(who)):
        answer = ask(browser, method, path, body)
    found = str(answer.status_code)
    if who == "superuser":
        return found
    if CANARY in shown(answer, path, body):
        found += ", tells of the other film"
    strange = who in ("anonymous", "visitor", "outsider") or film is world.other
    if (strange or answer.status_code >= 400 or method == "GET") and watch.changed():
        found += ", changed something"
    problem = path.startswith("/api/v1/") and answer.status_code >= 400
    if problem and answer["Content-Type"] != "application/problem+json":
        found += f", as {answer['Content-Type']}"
    return found


@pytest.mark.parametrize("area", [area for area in AREAS if deeds_in(area)])
def test_what_is_refused_to_others_does_something_where_it_is_allowed(
    world: World, browsers: dict[str, Client], before: dict[str, str], area: str
) -> None:
    idle: list[str] = []
    for key, one in deeds_in(area):
        watch = Watch(before)
        with undone():
            with connection.execute_wrapper(watch):
                answer = ask(
                    browsers["superuser"], key.split(" ")[0], one.path(world.own), body_of(key, world.own)
                )
            if answer.status_code >= 400 or not watch.changed():
                idle.append(f"{key} → {answer.status_code}, and changes nothing")
    assert not idle, "\n".join(idle)


@pytest.mark.parametrize("area", [area for area in AREAS if any(one.of_a_row for one in in_area(area))])
def test_a_row_of_the_other_film_and_one_that_never_was_look_alike(
    world: World, browsers: dict[str, Client], area: str
) -> None:
    absent = uuid7()
    different: list[str] = []
    for one in in_area(area):
        if one.path(world.own) == one.path(world.other) or "{id}" in one.pattern:
            continue  # shared by all films, or for those who manage users
        if "{token}" in one.pattern:
            continue  # nobody finds a signed address: whoever has it was given it
        for method in one.methods:
            key = f"{method} {one.pattern}"
            theirs, none = one.path(world.other), one.path(world.other, absent=absent)
            body = body_of(key, world.other)
            for who in ("outsider", "viewer", "admin"):
                with pages(rendered=False):
                    answer = ask(browsers[who], method, none, body)
                    looks = _looks(answer, none)
                    theirs_look = (_promised(key, who), "")
                    if "Location" in answer:
                        theirs_look = _looks(ask(browsers[who], method, theirs, body), theirs)
                if looks != theirs_look and "/accounts/user/" not in theirs:
                    different.append(f"{who}: {key}: {theirs_look} and {looks}")
    assert not different, "\n".join(different)


def _looks(answer: Any, path: str) -> tuple[int, str]:
    """What tells an answer from others: its status, and where it leads."""
    return answer.status_code, answer.get("Location", "").replace(path, "")


def _promised(key: str, who: str) -> int:
    """The status for a row of the other film, to which the table's own test holds the address."""
    return int(PROFILES[EXPECTED[key]].split(" | ")[-1].split()[PEOPLE.index(who)])


@pytest.mark.parametrize("method", UNKNOWN)
def test_other_methods_change_nothing_and_tell_nothing(
    world: World, browsers: dict[str, Client], before: dict[str, str], method: str
) -> None:
    watch = Watch(before)
    admin = browsers["admin"]
    with connection.execute_wrapper(watch):
        for place, one in enumerate(ADDRESSES):
            turn = UNKNOWN[place % len(UNKNOWN)]
            if method in one.methods or (one.pattern.startswith("admin/") and method != turn and not ALL):
                continue  # a page is asked with one of them, in turn: all are the same to it
            path = one.path(world.other)
            answer = ask(admin, method, path, {})
            assert CANARY not in shown(answer, path, {}), (method, path)
            assert answer.status_code < 500, (method, path)
            if path.startswith("/api/v1/") and method != "OPTIONS":
                assert answer.status_code in (401, 403, 404, 405), (method, path)
    assert not watch.changed()
