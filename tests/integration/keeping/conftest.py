"""PostgreSQL's own tools, of the version of the server that the tests run on."""

from __future__ import annotations

import os

import pytest
from django.db import connection

from tests.postgres import server_binaries


@pytest.fixture(autouse=True)
def tools_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "postgresql":
        monkeypatch.setenv("PATH", f"{server_binaries()}{os.pathsep}{os.environ['PATH']}")
