"""The JSON Schema of a manifest, taken from the one place that reads manifests: ``parse``.

``parse`` is shown a reader that notes which fields are asked for, and of what form. So what the schema says
and what is refused cannot differ, but for what lies between fields (``frames`` without a ``frame_rule``),
and for whole numbers with a point (2.0), which JSON Schema takes and a manifest does not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from workflows.load import LIBRARY
from workflows.parse import read_manifest
from workflows.reading import SHA256, Reader
from workflows.roles import FORMER_ROLES
from workflows.wording import Said

SCHEMA_FILE: Final = LIBRARY / "manifest.schema.json"
ADDRESS: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def manifest_schema() -> Schema:
    """Return the schema of a manifest of version 1."""
    noted = Noting("manifest")
    read_manifest(noted)
    schema = noted.schema
    roles = schema["properties"]["bindings"]["properties"]
    roles.update({former: roles[role] for former, role in FORMER_ROLES.items()})
    once, shared = _said_once(schema)
    return {
        "$schema": ADDRESS,
        "title": "Shotfarm workflow manifest, version 1",
        **once,
        "$defs": dict(shared.values()),
    }


def schema_text() -> str:
    """Return the schema as the file that ships."""
    return f"{json.dumps(manifest_schema(), indent=2, ensure_ascii=False)}\n"


Shared = dict[str, tuple[str, Schema]]


def _said_once(schema: Schema) -> tuple[Schema, Shared]:
    """Say forms that occur in several places once, under a name made of their first place's."""
    counts: Counter[str] = Counter()
    _count(schema, counts)
    shared: Shared = {}
    return {key: _referring(value, key, counts, shared) for key, value in schema.items()}, shared


def _count(value: object, counts: Counter[str]) -> None:
    if isinstance(value, dict):
        if "properties" in value and "type" in value:
            counts[json.dumps(value)] += 1
        for inner in value.values():
            _count(inner, counts)
    elif isinstance(value, list):
        for inner in value:
            _count(inner, counts)


def _referring(value: Any, name: str, counts: Counter[str], shared: Shared) -> Any:
    if isinstance(value, list):
        return [_referring(inner, name, counts, shared) for inner in value]
    if not isinstance(value, dict):
        return value
    content = json.dumps(value)
    if content not in shared:
        places = ("items", "anyOf", "additionalProperties", "properties")
        form = {
            key: _referring(inner, name if key in places else key, counts, shared)
            for key, inner in value.items()
        }
        if counts[content] < 2:
            return form
        taken = {taken for taken, _ in shared.values()}
        numbered = (name if not count else f"{name}{count + 1}" for count in range(len(taken) + 1))
        shared[content] = next(one for one in numbered if one not in taken), form
    return {"$ref": f"#/$defs/{shared[content][0]}"}


class Noting(Reader):
    """Notes what is asked for, and answers with something that passes."""

    def __init__(self, where: str) -> None:
        super().__init__({}, where)
        self._properties: dict[str, Schema] = {}
        self._required: list[str] = []
        self._maybe: set[str] = set()

    @property
    def schema(self) -> Schema:
        """What was noted of this object."""
        return {
            "type": "object",
            "properties": self._properties,
            "required": self._required,
            "additionalProperties": False,
        }

    def has(self, key: str) -> bool:
        """Yes, and it may be absent."""
        self._maybe.add(key)
        return True

    def text(self, key: str, default: str | None = None) -> str:
        """Note a text, not empty unless that is the default."""
        form: Schema = {"type": "string"} if default == "" else {"type": "string", "minLength": 1}
        self._note(key, form, needed=default is None)
        return default or "x"

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        """Note a choice."""
        self._note(key, {"enum": list(allowed)}, needed=True)
        return allowed[0]

    def exactly(self, key: str, wanted: str | int, problem: str, remedy: str) -> None:
        """Note the one right value."""
        self._note(key, {"const": wanted}, needed=True)

    def integer(self, key: str, *, at_least: int = 0, default: int | None = None) -> int:
        """Note a whole number."""
        self._note(key, {"type": "integer", "minimum": at_least}, needed=default is None)
        return at_least

    def number(self, key: str, default: float | None = None) -> float:
        """Note a number."""
        self._note(key, {"type": "number"}, needed=default is None)
        return default or 0.0

    def maybe_number(self, key: str) -> float | None:
        """Note a number that may be absent."""
        self._maybe.add(key)
        return self.number(key)

    def maybe_text(self, key: str) -> str | None:
        """Note a text that may be absent."""
        self._maybe.add(key)
        return self.text(key)

    def maybe_sha256(self, key: str) -> str | None:
        """Note a file's hash that may be absent."""
        self._maybe.add(key)
        self._note(key, {"type": "string", "pattern": SHA256}, needed=False)
        return None

    def output(self, key: str) -> tuple[str, int]:
        """Note a node's output."""
        slot = [{"type": "string"}, {"type": "integer", "minimum": 0}]
        form = {"type": "array", "prefixItems": slot, "items": False, "minItems": 2}
        self._note(key, form, needed=True)
        return "x", 0

    def flag(self, key: str) -> bool:
        """Note true or false."""
        self._note(key, {"type": "boolean"}, needed=False)
        return False

    def texts(self, key: str) -> tuple[str, ...]:
        """Note a list of texts."""
        self._note(key, {"type": "array", "items": {"type": "string"}}, needed=False)
        return ()

    def text_map(self, key: str) -> dict[str, str] | None:
        """Note an object of texts."""
        self._note(key, {"type": "object", "additionalProperties": {"type": "string"}}, needed=False)
        return {}

    def scalars(self, key: str, former: Mapping[str, str]) -> dict[str, str | int | float]:
        """Note an object of texts and numbers."""
        form = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}
        self._note(key, form, needed=False)
        return {}

    def objects(self, key: str) -> dict[str, dict[str, Any]]:
        """Note an object of objects."""
        self._note(key, {"type": "object", "additionalProperties": {"type": "object"}}, needed=False)
        return {}

    def part(self, key: str) -> Noting:
        """Note an object; what is asked of it is noted there."""
        part = Noting(f"{self.where}.{key}")
        self._note(key, part.schema, needed=True)
        return part

    def maybe_part(self, key: str) -> Noting | None:
        """Note an object that may be absent."""
        self._maybe.add(key)
        return self.part(key)

    def rows(self, key: str, empty: Said | None = None) -> list[Reader]:
        """Note a list of objects of one form."""
        row = Noting(f"{self.where}.{key}[0]")
        least = {"minItems": 1} if empty else {}
        self._note(key, {"type": "array", "items": row.schema, **least}, needed=bool(empty))
        return [row]

    def named(self, key: str, names: Iterable[str]) -> dict[str, Reader]:
        """Note an object of objects, each with a form of its own."""
        part = self.part(key)
        found: dict[str, Reader] = {}
        for name in names:
            found[name] = inner = Noting(f"{part.where}.{name}")
            part._properties[name] = inner.schema
        return found

    def finish(self) -> None:
        """Say nothing: no field was there."""

    def _note(self, key: str, form: Schema, *, needed: bool) -> None:
        if needed and key not in self._maybe:
            self._properties[key] = form
            self._required.append(key)
        else:
            self._properties[key] = {"anyOf": [form, {"type": "null"}]}
