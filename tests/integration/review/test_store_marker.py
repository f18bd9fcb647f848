"""The file by which a node knows the farm's artifact store."""

from __future__ import annotations

from pathlib import Path

from apps.review.services.store_marker import ensure_store_marker
from farm.contracts import STORE_MARKER


def test_the_store_is_marked_with_an_id(artifact_root: Path) -> None:
    ensure_store_marker()

    assert [path.name for path in artifact_root.iterdir()] == [STORE_MARKER]
    assert len((artifact_root / STORE_MARKER).read_text().strip()) == 32


def test_a_marker_that_stands_is_left_alone(artifact_root: Path) -> None:
    ensure_store_marker()
    before = (artifact_root / STORE_MARKER).read_text()

    ensure_store_marker()

    assert (artifact_root / STORE_MARKER).read_text() == before
