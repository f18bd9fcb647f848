"""Dangerous settings are told, with what to set instead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

ROOT = Path(__file__).resolve().parents[3]
GOOD = {
    "DEBUG": False,
    "HTTPS": True,
    "ALLOWED_HOSTS": ["farm.studio.example"],
    "REDIS_URL": "rediss://web:password@broker.example:6379/0",
}


def told(settings: Settings, **values: object) -> set[str]:
    for name, value in (GOOD | values).items():
        setattr(settings, name, value)
    found = [message for message in run_checks(include_deployment_checks=True) if message.id]
    ours = [message for message in found if str(message.id).startswith("farm.")]
    assert all(message.hint for message in ours)
    assert not [message for message in ours if "password@" in message.msg]
    return {str(message.id) for message in ours}


def test_good_settings_are_told_nothing(settings: Settings) -> None:
    assert told(settings) == set()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"SECRET_KEY": "short"}, "farm.E001"),
        ({"SECRET_KEY": "a" * 60}, "farm.E001"),
        ({"DEBUG": True}, "farm.E002"),
        ({"DEBUG": True, "HTTPS": False}, "farm.E002"),
        ({"ALLOWED_HOSTS": ["*"]}, "farm.W003"),
        ({"REDIS_URL": "rediss://broker.example:6379/0"}, "farm.E004"),
        ({"REDIS_URL": "redis://:password@broker.example:6379/0"}, "farm.W005"),
    ],
)
def test_a_dangerous_setting_is_told(settings: Settings, values: dict[str, object], code: str) -> None:
    assert code in told(settings, **values)


@pytest.mark.parametrize(
    "values",
    [
        {"DEBUG": True, "HTTPS": False, "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"]},
        {"REDIS_URL": "redis://127.0.0.1:6379/0"},
        {"REDIS_URL": "unix:///run/redis.sock"},
    ],
)
def test_a_machine_of_ones_own_is_left_in_peace(settings: Settings, values: dict[str, object]) -> None:
    assert told(settings, **values) == set()


@pytest.mark.parametrize(
    "values",
    [
        {"DATABASE_URL": ""},
        {"DATABASE_URL": "postgresql://farm:password@db.example:5432/farm"},
    ],
)
def test_production_settings_pass_the_deployment_check(tmp_path: Path, values: dict[str, str]) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SHOTFARM_", "DJANGO_"))}
    env |= {
        "DJANGO_SETTINGS_MODULE": "farm.settings",
        "DJANGO_SECRET_KEY": "k3-Zq9_vTn4LwX7bPfR2mYc8JdHs5GaUe1oNiQtKxBzVyM6jEA",
        "SHOTFARM_HTTPS": "1",
        "SHOTFARM_HOSTS": "farm.studio.example",
        "SHOTFARM_VAR": str(tmp_path),
        "REDIS_URL": "rediss://web:password@broker.example:6379/0",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=env | values,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variables", "arguments", "sentence"),
    [
        ({}, (), "FLOWER_BASIC_AUTH is not set"),
        ({"FLOWER_BASIC_AUTH": "admin:x"}, ("--basic-auth=admin:hunter2",), "among the arguments"),
        ({"FLOWER_BASIC_AUTH": "admin:x"}, ("-b", "redis://:hunter2@127.0.0.1:1/0"), "among the arguments"),
    ],
)
def test_flower_does_not_start_open_to_all_nor_with_a_password_for_all_to_read(
    variables: dict[str, str], arguments: tuple[str, ...], sentence: str
) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("FLOWER_")}
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "farm", "flower", "--port=0", *arguments],
        env=env | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
