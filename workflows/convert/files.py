"""Read a workflow out of a file: UI format, API format, or a picture, film or sound that ComfyUI wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from workflows.convert import media
from workflows.convert.saying import named, shown
from workflows.errors import CannotConvert
from workflows.graph import format_problem, title_of
from workflows.problems import Problem
from workflows.wording import Said
from workflows.wording import said as _

_TEXT: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)

MOST_JSON: Final = 32 * 1024 * 1024
"""Bytes of a JSON file that is read."""

MOST_PARTS: Final = 1_500_000
"""Lists and objects in it: of three bytes each, they would take a gigabyte of memory."""
MOST_DIGITS: Final = 1000


def read_file(path: Path) -> object:
    """Read the workflow of a file. Raises CannotConvert, in a sentence, for anything that holds none."""
    try:
        with path.open("rb") as stream:
            return read_stream(stream)
    except OSError as exc:
        told = _("%(file)s cannot be read: %(why)s.", file=shown(str(path)), why=exc.strerror or str(exc))
        raise _refused(told) from exc


def read_stream(stream: BinaryIO) -> object:
    """Read the workflow of an open file that can be sought. Raises CannotConvert."""
    try:
        texts = media.texts(stream)
    except media.Malformed as exc:
        raise _refused(_("The file is damaged: %(why)s.", why=exc.told)) from exc
    if texts is not None:
        return _graph_in(texts)
    data = stream.read(MOST_JSON + 1)
    if len(data) > MOST_JSON:
        raise _refused(_("The file has more than %(most)s bytes; no workflow is as large.", most=MOST_JSON))
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}:
        raise _refused(_("The file is neither JSON nor %(kinds)s.", kinds=media.KINDS))
    return _parsed(data)


def _graph_in(texts: Mapping[str, str]) -> object:
    """The graph in a file's texts: what was run if it can be read, else the workflow it was made of."""
    faults: list[CannotConvert] = []
    for name, text in _candidates(texts):
        try:
            document = _parsed(text)
        except CannotConvert as exc:
            faults.append(exc)
            continue
        if name == "workflow" or format_problem(document) is None:
            return document
    if faults:
        raise faults[-1]
    raise _refused(_("The file holds no ComfyUI workflow; it was saved without, or by another program."))


def _candidates(texts: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name in ("prompt", "workflow"):
        if name in texts:
            yield name, texts[name]
    if texts.get("comment", "").lstrip().startswith("{"):
        both = _parsed(texts["comment"])
        for name in ("prompt", "workflow"):
            if isinstance(both, dict) and both.get(name):
                yield name, both[name]


def _parsed(data: Any) -> object:
    """Parse JSON; what is parsed already stays as it is."""
    if not isinstance(data, str | bytes):
        return data
    if _has_too_many_parts(data):
        told = _(
            "The file's JSON has more than %(most)s lists and objects; no workflow has as many.",
            most=MOST_PARTS,
        )
        raise _refused(told)
    try:
        return json.loads(data, object_pairs_hook=_each_once, parse_int=_whole)
    except RecursionError as exc:
        raise _refused(_("The file's JSON is nested too deep.")) from exc
    except ValueError as exc:
        raise _refused(_("The file is no JSON: %(why)s.", why=str(exc))) from exc


def _has_too_many_parts(data: str | bytes) -> bool:
    """Count brackets; those in texts do not count, which are left out where there are very many."""
    text = data if isinstance(data, str) else data.decode("latin-1")
    if text.count("[") + text.count("{") <= MOST_PARTS:
        return False
    bare = _TEXT.sub("", text)
    return bare.count("[") + bare.count("{") > MOST_PARTS


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object as it stands; two nodes of one id are refused, where any reader would drop the first."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, value in pairs:
            if key in seen and isinstance(value, dict) and "class_type" in value:
                node = named(key, title_of(value) or str(value["class_type"]))
                told = _("%(node)s has the id of another; give each its own.", node=node)
                raise CannotConvert([Problem(key, None, "duplicate_node_id", told)])
            seen.add(key)
    return made


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits is larger than any")
    return int(digits)


def _refused(sentence: Said) -> CannotConvert:
    return CannotConvert([Problem(None, None, "unreadable", sentence)])
