"""A process loads what it works with: pages, forms and pictures are the web side's, and the checks'."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOADED = "import sys; sys.stdout.write(' '.join(sys.modules))"
PAGES = {"apps.renders.admin", "apps.desk.views", "unfold.admin"}
COORDINATOR = """
from farm.celery import app
app.loader.import_default_modules()
"""
COMMAND = """
import django
django.setup()
from {module} import Command
command = Command()
command.check(tags=command.requires_system_checks)
"""
CHECKS = """
import django
django.setup()
from django.core.checks import run_checks
run_checks(tags=["admin"])
"""


def loaded_by(code: str) -> set[str]:
    """The modules that a process of the coordinator's side has loaded when it has done this."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "SHOTFARM_TEST_DB": "sqlite"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("door", "works_with"),
    [
        (COORDINATOR, {"apps.renders.tasks", "apps.review.tasks"}),
        (
            COMMAND.format(module="apps.renders.management.commands.ticker"),
            {"apps.renders.services.ticker", "farm.checks"},
        ),
        (
            COMMAND.format(module="apps.notices.management.commands.notices"),
            {"apps.notices.services.office", "farm.checks"},
        ),
    ],
    ids=["coordinator", "ticker", "notices"],
)
def test_who_shows_no_pages_loads_none(door: str, works_with: set[str]) -> None:
    loaded = loaded_by(door)
    assert works_with <= loaded
    assert not loaded & PAGES


def test_the_web_side_has_every_page_before_its_first_visitor() -> None:
    assert loaded_by("import farm.asgi") >= PAGES


def test_the_checks_look_at_every_page() -> None:
    assert "apps.renders.admin" in loaded_by(CHECKS)


@pytest.mark.parametrize("command", ["ticker", "notices"])
def test_who_starts_with_a_weak_key_is_refused(command: str) -> None:
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "farm.settings",
        "DJANGO_SECRET_KEY": "short",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": "",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "farm.E001" in done.stderr
