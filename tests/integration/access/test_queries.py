"""Every list there is, of pages and of the API: its queries are counted, and none is asked row by row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from farm.api import router
from tests.integration.access.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.once]

MOST: Final = 12
"""Queries of a list, session and person among them."""
MORE: Final = {"productions_shot": 28, "api shots": 16, "renders_job": 13}
"""What lists may ask that show more than their rows."""
TWICE: Final = {"notices_notice": "notices_notice"}
"""A table that a list may ask the same of twice: the sidebar, too, says how many notices are unread."""
VALUE: Final = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b|(?<= IN )\([^()]*\)")


def lists() -> Iterator[tuple[str, str]]:
    """Name and address of every list."""
    reverse("admin:index")  # the pages register themselves when addresses are first read
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield name, reverse(f"admin:{name}_changelist")
    for prefix, _view, _name in router.registry:
        yield f"api {prefix}", f"/api/v1/{prefix}"


def test_every_list_asks_few_queries_and_none_for_each_row(world: World) -> None:
    browser = Client()
    browser.force_login(world.people["superuser"])
    counted, repeated = dict[str, int](), dict[str, list[str]]()
    for name, address in lists():
        if browser.get(address).status_code not in {200, 302}:  # what is remembered is read here
            assert name.startswith("api "), name
            continue
        with CaptureQueriesContext(connection) as asked:
            browser.get(address)
        shapes = Counter(VALUE.sub("?", query["sql"]) for query in asked)
        counted[name] = len(asked)
        repeated[name] = [
            f"{count} × {shape[:200]}"
            for shape, count in shapes.items()
            if count > 1 + (f'FROM "{TWICE.get(name)}"' in shape)
        ]
    assert len(counted) > 70
    assert {name: said for name, said in repeated.items() if said} == {}
    assert {name: count for name, count in counted.items() if count > MORE.get(name, MOST)} == {}
