"""Both films and everybody, made once for the tests of a module."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Final

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client, override_settings

from tests.integration.access.world import PEOPLE, World, build

SIGNED_COOKIES: Final = "django.contrib.sessions.backends.signed_cookies"


@dataclass(frozen=True)
class Premises:
    """Both films and their files, everybody's cookies after signing in, and every row as it is then."""

    world: World
    files: Path
    cookies: dict[str, SimpleCookie]
    rows: dict[str, str]


@contextmanager
def premises_in(files: Path, packaged_templates: Callable[[], None]) -> Iterator[Premises]:
    """Make them in a transaction around those of the tests: what one of them does, no other sees.

    Who asks is told by signed cookies: sixteen thousand questions look up no session.
    """
    store = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(files)}}
    with transaction.atomic(), override_settings(SESSION_ENGINE=SIGNED_COOKIES):
        with override_settings(STORAGES={**settings.STORAGES, "default": store}):
            packaged_templates()
            world = build()
        made = {who: Client() for who in PEOPLE}
        for who, person in world.people.items():
            made[who].force_login(person)
        cookies = {who: browser.cookies for who, browser in made.items()}
        yield Premises(world=world, files=files, cookies=cookies, rows=everything())
        transaction.set_rollback(True)


def everything(tables: Container[str] | None = None) -> dict[str, str]:
    """Every row of every table, or of these tables, but sessions; by table."""
    return {
        model._meta.db_table: repr(list(model._base_manager.order_by("pk").values_list()))
        for model in apps.get_models(include_auto_created=True)
        if model is not Session and (tables is None or model._meta.db_table in tables)
    }
