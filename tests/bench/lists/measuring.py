"""Run by tests.bench.lists in a process of its own: prints what each list takes, a JSON object a line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import django

django.setup()

# Models can be had once Django is set up.
from django.contrib import admin  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.common.models import StateEvent  # noqa: E402
from apps.productions.models import Shot, ShotCharacter, ShotPreset  # noqa: E402
from farm.api import router  # noqa: E402
from tests.bench.lists.film import grow  # noqa: E402
from tests.factories import MembershipFactory, ShotFactory, UserFactory  # noqa: E402

SMALL = {"sequences": 240, "shots": 10}
"""A film whose every list has several pages, and in which the words below find rows, too: what one page holds
is not counted, nor what a search finds less than a thousand of, so that a shorter list asks less, whatever a
longer one costs.
"""
FULL = {"sequences": 2_000, "shots": 50}
ROUNDS = 3
FAR_ON = 100
"""Rows of a page of the API, far on."""
SEARCHES = {
    "productions_shot": ("SQ00100", "nobodysaidthis"),
    "review_take": ("SH0010", "SQ00100_SH0010", "SQ00100+SH0010", "nobodysaidthis"),
    "renders_job": ("J0000100", "SQ00100_SH0010", "SH0010", "nobodysaidthis"),
}
"""One word that finds one, one that finds few, one that finds many, and one that stands nowhere."""


@dataclass
class Clock:
    """How many queries were asked, and how long the database took for them."""

    queries: int = 0
    seconds: float = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.queries += 1
            self.seconds += time.perf_counter() - begun


def addresses(browser: Client) -> Iterator[tuple[str, str, str]]:
    """Kind, name and address of every list; where films make it long its last page and searches, too."""
    reverse("admin:index")  # the pages register themselves when addresses are first read
    for model, shown in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"admin:{name}_changelist")
        yield "page", name, address
        if name in SEARCHES:
            for word in SEARCHES[name]:
                yield "page", f"{name} search {word}", f"{address}?q={word}"
            pages = -(-model._default_manager.count() // shown.list_per_page)
            yield "page", f"{name} last page", f"{address}?p={pages}"
        if name == "productions_shot":  # of somebody who is in every shot of a film
            for path, key in (
                ("characters", ShotCharacter.objects.values_list("character", flat=True).last()),
                ("presets", ShotPreset.objects.values_list("preset", flat=True).last()),
            ):
                yield "page", f"{name} by {path}", f"{address}?{path}__id__exact={key}"
    for prefix, _view, _name in router.registry:
        address = f"/api/v1/{prefix}"
        yield "api", prefix, address
        if prefix in ("shots", "takes", "jobs"):
            rows = browser.get(address, {"limit": 1}).json()["count"]
            yield "api", f"{prefix} far on", f"{address}?limit={FAR_ON}&offset={rows - FAR_ON}"


def measure(user: User) -> dict[tuple[str, str], tuple[int, float]]:
    """Ask for every list; the best of a few rounds each, so that the machine's other work counts less."""
    browser = Client()
    browser.force_login(user)
    found: dict[tuple[str, str], tuple[int, float]] = {}
    for kind, name, address in addresses(browser):
        best = (0, float("inf"))
        for _round in range(ROUNDS):
            clock = Clock()
            with connection.execute_wrapper(clock):
                answer = browser.get(address)
            if answer.status_code in (404, 405):
                break  # nothing to list there
            if answer.status_code not in (200, 302):
                raise RuntimeError(f"{address} answered {answer.status_code}")
            best = min(best, (clock.queries, clock.seconds), key=lambda one: one[1])
        if best[0]:
            found[kind, name] = best
    return found


def main() -> None:
    """Measure with a small film, then with a large one."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    shot: Shot = ShotFactory.create()
    user = UserFactory.create(username="bench", is_staff=True, is_superuser=True)
    MembershipFactory.create(project=shot.project, user=user)
    grow(shot, **SMALL)
    small = measure(user)
    other: Shot = ShotFactory.create()
    MembershipFactory.create(project=other.project, user=user)
    begun = time.monotonic()
    grow(other, **FULL)
    sys.stderr.write(f"{Shot.objects.count()} shots, {StateEvent.objects.count()} events written in ")
    sys.stderr.write(f"{time.monotonic() - begun:.0f} s\n")
    full = measure(user)
    for (kind, name), (queries, seconds) in full.items():
        before = small.get((kind, name), (0, 0.0))
        told = {"kind": kind, "name": name, "full_queries": queries, "full_ms": seconds * 1000}
        told |= {"small_queries": before[0], "small_ms": before[1] * 1000}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
