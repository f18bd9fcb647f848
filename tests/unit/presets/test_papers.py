"""Files of the library that nobody meant well: each is refused in words, with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.common.errors import Refused
from apps.presets.services.papers import FORMAT, VERSION, read_paper

HEAD = "slug,name,name_ko,order,exclusive,archived"


def document(**rows: Any) -> bytes:
    return json.dumps({"format": FORMAT, "version": VERSION, "project": None, **rows}).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"{HEAD}\nice,Ice,,1,yes,0".encode(), "exclusive “yes”: write 1 or 0"),
        (f"{HEAD}\nice,Ice,,one,1,0".encode(), "order “one”: write a whole number"),
        (f"{HEAD}\nice,{'I' * 1_100_000},,1,1,0".encode(), "this CSV is damaged"),
        (b'{"a":' * 100_000, "this is not JSON: it is nested too deeply"),
        (b'{"format": ' + b"9" * 5000 + b"}", "this is not JSON"),
        (b'{"format": "shotfarm-presets", "version": NaN}', "NaN is no number"),
        (document(categories=[{"slug": "ice", "name": "I\0ce"}]), "U\\+0000"),
        (document(presets=[{"category": "mood", "slug": "x", "params": {"a": "\0"}}]), "U\\+0000"),
        (f"{HEAD},name\nice,Ice,,1,1,0,Snow".encode(), "row 1, name: The column is there twice. Remove one"),
        (f"{HEAD}, name , order\n".encode(), "(?s)row 1, name: .*row 1, order: The column is there twice"),
        (
            b'{"format": "shotfarm-presets", "version": 1, "looks": [], "looks": []}',
            "“looks” is twice in one",
        ),
        (document(categories=["ice"]), "write an object with the keys"),
        (document(categories={"ice": 1}), "write a list of rows"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(content: bytes, told: str) -> None:
    with pytest.raises(Refused, match=told):
        read_paper(content)
