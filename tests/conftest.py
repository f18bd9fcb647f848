"""What every test may ask for. Settings and the choice of database: tests/settings.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

pytest_plugins = ["tests.broker_fixture", "tests.comfysim_fixture", "tests.acceptance.farm_fixture"]


@pytest.fixture
def artifact_root(tmp_path: Path, settings: Settings) -> Path:
    """An empty artifact store of this test's own, as Django's default storage sees it."""
    root = tmp_path / "artifacts"
    root.mkdir()
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(root)}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    settings.ARTIFACT_ROOT = root
    return root
