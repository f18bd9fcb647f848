"""The schema of manifests says what the reader of manifests says."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import jsonschema
import pytest

from workflows.errors import TemplateInvalid
from workflows.load import all_templates
from workflows.parse import parse
from workflows.roles import FORMER_ROLES, ROLES
from workflows.schema import SCHEMA_FILE, manifest_schema, schema_text

Path = tuple[str | int, ...]
SCHEMA: Final = jsonschema.Draft202012Validator(manifest_schema())
ABSENT: Final = object()
WRITTEN: Final[tuple[object, ...]] = (
    ABSENT,
    None,
    "",
    "x",
    0,
    -1,
    1.5,
    True,
    [],
    ["x"],
    [{}],
    {},
    {"x": 3},
    ["1", 0],
)
BETWEEN_FIELDS: Final = {("frame_rule",), ("bindings", "frames"), ("bindings",)}
"""A frame rule and the role frames go together: no schema of fields says so."""


def _full() -> dict[str, Any]:
    """A manifest with every field there is."""
    target = {"node": "1", "input": "a", "times": 2, "plus": 1, "choices": {"a": "b"}, "replaces_link": True}
    binding = {"min": 0, "max": 9, "choices": ["a"], "unit": "px", "note": "n", "targets": [target]}
    optional = {"remove": ["1"], "relink": [{"node": "1", "input": "a", "to": ["2", 0]}]}
    lean = {role: {"type": ROLES[role], "targets": [{"node": "1", "input": "a"}]} for role in ROLES}
    text = {"en": "T", "ko": "티"}
    return {
        "manifest": 1, "slug": "s", "version": 1, "title": text, "description": text,
        "kind": "clip", "produces": "video",
        "bindings": {
            "seed": {"type": "int", **binding, "optional": optional},
            "frames": lean["frames"], "precision": {"type": "choice"},
            "latent": {**lean["latent"], "overlap": 5, "latents": 1},
        },
        "defaults": {"seed": 3, "precision": "x"},
        "outputs": [{"node": "1", "kind": "video", "role": "primary"}],
        "vram": [{
            "precision": "p", "max_pixels": 1, "max_frames": 1, "gb": 8, "evidence": "e", "source": "s",
            "source_kind": "primary",
        }],
        "models": [{
            "folder": "vae", "name": "n", "node": "1", "input": "a", "url": "u", "license_note": "l",
            "precision": "p", "sha256": "a" * 64, "size": 1,
        }],
        "timeouts": {"execution_s": 1, "hang_s": 1},
        "dim_step": 8, "frame_rule": {"multiple": 4, "plus": 1, "min": 1, "max": 9}, "native_fps": 16,
        "base_model": "b", "slate": {"margin": 1, "pieces": ["a"]},
        "loras": [{"model": ["1", 0], "clip": ["1", 1], "expert": ""}],
        "negative_effect": True, "license": {"name": "n", "url": "u", "note": "n", "territory": "t"},
        "remote": {"service": "s", "key": "k"},
        "packs": [{"name": "n", "repository": "r", "version": "v", "classes": {"A": {"output": []}}}],
        "follows": {"role": "video", "frames_times": 2, "frames_plus": -1, "fps_times": 2, "size_times": 2},
        "golden": {"steps": 1},
        "latents": {"space": "wan21", "channels": 16, "stride": 4, "scale": 8},
    }  # fmt: skip


def _paths(value: object, here: Path = ()) -> Iterator[Path]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in parts:
        yield (*here, key)
        yield from _paths(inner, (*here, key))


def _changed(path: Path, written: object) -> dict[str, Any]:
    document: Any = copy.deepcopy(_full())
    place = document
    for key in path[:-1]:
        place = place[key]
    if written is ABSENT:
        del place[path[-1]]
    else:
        place[path[-1]] = copy.deepcopy(written)
    return dict(document)


def _reads(document: object) -> bool:
    try:
        parse(document)
    except TemplateInvalid:
        return False
    return True


def test_every_field_there_is_stands_in_the_full_manifest() -> None:
    assert manifest_schema()["properties"].keys() == _full().keys()
    assert _reads(_full())
    assert SCHEMA.is_valid(_full())


def test_what_the_reader_refuses_the_schema_refuses_and_the_other_way_round() -> None:
    differing = []
    for path in _paths(_full()):
        for written in WRITTEN if path not in BETWEEN_FIELDS else ():
            document = _changed(path, written)
            if _reads(document) != SCHEMA.is_valid(document):
                differing.append((path, written))
    assert differing == []


@pytest.mark.parametrize("path", [(), ("bindings", "seed"), ("frame_rule",), ("packs", 0), ("models", 0)])
def test_a_field_nobody_reads_is_refused_by_both(path: Path) -> None:
    document = _changed((*path, "mystery"), 1)
    assert not _reads(document)
    assert not SCHEMA.is_valid(document)


@pytest.mark.parametrize("former", FORMER_ROLES)
def test_former_names_of_roles_are_read_by_both(former: str) -> None:
    document = _full()
    binding = {"type": "file", "targets": [{"node": "1", "input": "a"}]}
    document["bindings"] = {"frames": document["bindings"]["frames"], former: binding}
    assert _reads(document)
    assert SCHEMA.is_valid(document)


def test_the_templates_that_ship_follow_the_schema_that_ships() -> None:
    shipped = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(shipped)
    reader = jsonschema.Draft202012Validator(shipped)
    for template in all_templates():
        reader.validate(template.document)


def test_the_schema_that_ships_is_the_one_the_reader_makes() -> None:
    """Write it anew with ``python -m workflows schema > workflows/manifest.schema.json``."""
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()
