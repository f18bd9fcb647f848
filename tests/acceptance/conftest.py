"""What a test with a browser asks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.acceptance.browser import chromium


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser of the test's own."""
    with chromium() as started:
        yield started
