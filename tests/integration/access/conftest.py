"""Two films, and everybody who may or may not see them."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from django.core.cache import cache
from django.template import Template
from django.test.utils import _TestState
from pytest_django import DjangoDbBlocker

from tests.integration.access.premises import Premises, premises_in
from tests.integration.access.world import World


@pytest.fixture(scope="module")
def premises(
    packaged_templates: Callable[[], None],
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Premises]:
    """Both films, made once for all tests of a module. Thousands of answers are read as they are, so nothing
    follows what is rendered and logged meanwhile."""
    folder = tmp_path_factory.mktemp("films")
    logging.disable(logging.WARNING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", vars(_TestState)["saved_data"].template_render)
        with django_db_blocker.unblock(), premises_in(folder, packaged_templates) as made:
            yield made
    logging.disable(logging.NOTSET)


@pytest.fixture
def world(premises: Premises, artifact_root: Path) -> World:
    """The two films as they are when a test begins, and their files."""
    cache.clear()  # refusals of nodes are counted
    shutil.copytree(premises.files, artifact_root, dirs_exist_ok=True)
    return deepcopy(premises.world)
