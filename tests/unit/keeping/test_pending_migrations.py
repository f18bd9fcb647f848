"""What a restored database still has to go through (ADR 65: there are two roads)."""

from __future__ import annotations

import pytest

from apps.keeping.backups.manifest import Manifest, Part, pending_migrations, unknown_migrations

SQUASHED = ("prompts", "0001_squashed_0002_composer_edits")
OLD = [("prompts", "0001_initial"), ("prompts", "0002_composer_edits")]


@pytest.mark.parametrize(
    ("applied", "pending"),
    [
        ([], [SQUASHED]),
        (OLD[:1], OLD[1:]),
        (OLD, []),
        ([*OLD, SQUASHED], []),
    ],
    ids=["a backup of before this app", "an old farm", "an old farm at its newest", "a new farm"],
)
def test_a_backup_has_to_go_on_on_the_road_it_is_on(
    applied: list[tuple[str, str]], pending: list[tuple[str, str]]
) -> None:
    part = Part("-", 0, "")
    manifest = Manifest(
        form=1, shotfarm="1", made_at="", engine="", database=part, files=part, count=0, bytes=0,
        copied=False, tables={}, migrations=applied,
    )  # fmt: skip
    todo = [one for one in pending_migrations(manifest) if one.startswith("prompts.")]
    assert todo == [".".join(one) for one in pending]
    assert unknown_migrations(manifest) == []
