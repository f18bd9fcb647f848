"""Two films, and everybody who may or may not see them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import DjangoDbBlocker

from tests.integration.access.premises import Premises, premises_in
from tests.integration.access.world import World


@pytest.fixture(scope="module")
def premises(
    packaged_templates: Callable[[], None],
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Premises]:
    """Both films, made once for all tests of a module."""
    folder = tmp_path_factory.mktemp("films")
    with django_db_blocker.unblock(), premises_in(folder, packaged_templates) as made:
        yield made


@pytest.fixture
def world(premises: Premises, artifact_root: Path) -> World:
    """The two films as they are when a test begins, and their files."""
    cache.clear()  # refusals of nodes are counted
    shutil.copytree(premises.files, artifact_root, dirs_exist_ok=True)
    return deepcopy(premises.world)
