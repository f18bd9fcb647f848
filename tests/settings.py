"""Settings of the tests: farm.settings, with an environment that reaches nobody's real farm.

``SHOTFARM_TEST_DB`` chooses the database: ``sqlite`` (default), ``postgres`` (a private server is
started for this run, and for each of pytest-xdist's workers; SHOTFARM_TEST_ONE_SERVER=1: one for all), or a
``postgresql://`` URL of a server where a database may be created.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests import postgres

_VAR = Path(tempfile.mkdtemp(prefix="shotfarm-tests-"))
(_VAR / "static").mkdir()
atexit.register(shutil.rmtree, _VAR, ignore_errors=True)
_CHOICE = os.environ.setdefault("SHOTFARM_TEST_DB", "sqlite")

if _CHOICE == "postgres" or postgres.is_somebody_elses():
    _CHOICE = postgres.serve_this_process()
if _CHOICE != "sqlite" and not _CHOICE.startswith("postgresql://"):
    raise ValueError(f"SHOTFARM_TEST_DB is {_CHOICE!r}; set it to sqlite, postgres or a postgresql:// URL")

os.environ.update(
    DJANGO_DEBUG="0",
    DJANGO_SECRET_KEY="only-for-tests-" + "x" * 50,
    SHOTFARM_HTTPS="0",
    SHOTFARM_SIMULATED="0",
    SHOTFARM_VAR=str(_VAR),
    SHOTFARM_ARTIFACTS=str(_VAR / "artifacts"),
    SHOTFARM_LOG="line",
    SHOTFARM_HOSTS="localhost,127.0.0.1,testserver",
    SHOTFARM_LANGUAGE="en",
    DATABASE_URL="" if _CHOICE == "sqlite" else _CHOICE,
    REDIS_URL="redis://127.0.0.1:1/0",  # nobody listens: a test that needs a broker asks for the fixture
)

from farm.settings import *  # noqa: E402, F403 - the environment comes first
from farm.settings import DATABASES, STORAGES  # noqa: E402

if _CHOICE == "sqlite":
    # A file, because threads of a test cannot share SQLite's in-memory database without lock errors.
    DATABASES["default"]["TEST"] = {"NAME": str(_VAR / "test.sqlite3")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
