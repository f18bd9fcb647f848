"""The commands that show something of a graph: ``find``, ``draw`` and ``diff``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workflows import catalogue
from workflows.compare import compare
from workflows.convert import convert
from workflows.convert.files import read_file
from workflows.drawing import draw
from workflows.errors import CannotConvert, WorkflowError
from workflows.finding import Candidate, Found, draft_manifest, find
from workflows.graph import Graph
from workflows.manifest import Target

Command = Callable[[argparse.Namespace], int]


def add_commands(commands: Any) -> None:
    """Add the three commands to a parser's subparsers."""
    find_ = commands.add_parser("find", help="say which inputs of a graph stand for which role")
    _file(find_, "file", needed=True)
    find_.add_argument("--manifest", metavar="SLUG", help="print a draft of a manifest instead")
    find_.set_defaults(command=said(_find))
    draw_ = commands.add_parser("draw", help="print a picture of a graph as SVG, what is found marked")
    _file(draw_, "file", needed=False)
    draw_.set_defaults(command=said(_draw))
    diff = commands.add_parser("diff", help="say what differs between two graphs; exit 1 if anything does")
    diff.add_argument("before", type=Path, metavar="BEFORE")
    _file(diff, "after", needed=False)
    diff.set_defaults(command=said(_diff))


def said(command: Command) -> Command:
    """The same command, that says in sentences what it cannot read, and ends with 1 (``diff``: 2)."""

    def saying(options: argparse.Namespace) -> int:
        try:
            return command(options)
        except CannotConvert as exc:
            sys.stderr.write("".join(f"{problem}\n" for problem in exc.problems))
        except WorkflowError as exc:
            sys.stderr.write(f"{exc}\n")
        return 2 if command is _diff else 1

    return saying


def _file(parser: argparse.ArgumentParser, name: str, *, needed: bool) -> None:
    parser.add_argument(name, type=Path, metavar=name.upper(), help="a workflow in any form convert takes")
    parser.add_argument(
        "--object-info",
        type=Path,
        required=needed,
        metavar="FILE",
        help="saved /object_info, .json or .json.gz" + ("" if needed else "; UI format needs it"),
    )


def _find(options: argparse.Namespace) -> int:
    object_info = catalogue.read(options.object_info)
    graph = _graph(options.file, object_info)
    found = find(graph, object_info)
    if options.manifest:
        slug = options.manifest
        draft = draft_manifest(graph, object_info, found, slug=slug, title={"en": slug, "ko": slug})
        sys.stdout.write(f"{json.dumps(draft, indent=2, ensure_ascii=False)}\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _told(found)))
    return 0


def _draw(options: argparse.Namespace) -> int:
    object_info = _catalogue(options)
    graph = _graph(options.file, object_info)
    marks = find(graph, object_info).marks() if object_info else {}
    sys.stdout.write(f"{draw(graph, object_info, marks)}\n")
    return 0


def _diff(options: argparse.Namespace) -> int:
    object_info = _catalogue(options)
    diff = compare(_graph(options.before, object_info), _graph(options.after, object_info))
    sys.stdout.write(diff.text())
    return 1 if diff else 0


def _catalogue(options: argparse.Namespace) -> catalogue.ObjectInfo:
    return catalogue.read(options.object_info) if options.object_info else {}


def _graph(path: Path, object_info: catalogue.ObjectInfo) -> Graph:
    return convert(read_file(path), object_info).graph


def _told(found: Found) -> list[str]:
    lines = []
    for candidate in found:
        lines.append(_line(candidate))
        lines += [f"    or {_line(other)}" for other in candidate.alternatives]
    for output in found.outputs:
        lines.append(f"output: node {output.node} ({output.class_type}), {output.kind}, {output.role}")
    for place in found.loras:
        clip = f", CLIP behind output {place.clip[1]} of node {place.clip[0]}" if place.clip else ""
        expert = f" ({place.expert})" if place.expert else ""
        lines.append(f"loras{expert}: behind output {place.model[1]} of node {place.model[0]}{clip}")
    lines += [f"model: {row.folder or '?'}/{row.name} (node {row.node}, {row.input})" for row in found.models]
    return [*(_printable(line) for line in lines), *(f"note: {note}" for note in found.notes)]


def _line(candidate: Candidate) -> str:
    where = ", ".join(_where(target) for target in candidate.targets)
    doubt = "" if candidate.sure else " (please check)"
    return f"{candidate.role}: {where}{doubt}. {candidate.why}"


def _where(target: Target) -> str:
    share = f" x {target.times:g}" if target.times != 1 else ""
    cut = " (cuts a link)" if target.replaces_link else ""
    return f"{target.input} of node {target.node}{share}{cut}"


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in line)
