"""``python -m workflows``: check templates; convert, search, draw and compare workflows."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from workflows import catalogue
from workflows.convert import convert
from workflows.convert.files import read_file
from workflows.convert.media import KINDS
from workflows.errors import CannotConvert, WorkflowError
from workflows.load import load, slugs
from workflows.schema import schema_text
from workflows.showing import add_commands
from workflows.soundness import sound
from workflows.validate import MODEL, Problem, check_graph, check_manifest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; return 0 if all is well, 1 if there is a problem, said in a sentence each."""
    options = _options().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def _check(options: argparse.Namespace) -> int:
    """Print one sentence per problem.

    A model file that the catalogue's server lacks is printed, and counts only with ``--require-models``.
    """
    try:
        object_info = sound(catalogue.read(options.object_info)) if options.object_info else None
    except WorkflowError as exc:
        sys.stdout.write(f"{exc}\n")
        return 1
    bad = 0
    for name in options.templates or slugs():
        problems, notes = _findings(name, object_info, require_models=options.require_models)
        for problem in problems:
            sys.stdout.write(f"{name}: {problem}\n")
        for note in notes:
            sys.stdout.write(f"{name}: {note} (not counted)\n")
        if not problems:
            sys.stdout.write(f"{name}: in order\n")
        bad += len(problems)
    return 1 if bad else 0


def _schema(_options: argparse.Namespace) -> int:
    sys.stdout.write(schema_text())
    return 0


def _convert(options: argparse.Namespace) -> int:
    """Print the graph in API format; problems and notes go to the error output, one a line."""
    try:
        conversion = convert(read_file(options.file), catalogue.read(options.object_info))
    except CannotConvert as exc:
        for problem in exc.problems:
            sys.stderr.write(f"{problem}\n")
        return 1
    except WorkflowError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    for note in conversion.notes:
        sys.stderr.write(f"note: {note}\n")
    sys.stdout.write(f"{json.dumps(conversion.graph, indent=2, allow_nan=False)}\n")
    return 0


def _findings(
    name: str, object_info: catalogue.ObjectInfo | None, *, require_models: bool
) -> tuple[list[Problem], list[Problem]]:
    try:
        template = load(name)
    except WorkflowError as exc:
        return [Problem(None, None, "unreadable", exc.said)], []
    problems = check_manifest(template, object_info)
    if object_info is not None:
        problems += check_graph(template.graph, catalogue.with_packs(object_info, template.manifest))
    counted = [p for p in problems if require_models or p.missing != MODEL]
    return counted, [p for p in problems if p not in counted]


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workflows", description=__doc__)
    command = parser.add_subparsers(required=True, metavar="COMMAND")
    check = command.add_parser("check", help="check templates, by default all that ship with the farm")
    check.add_argument("templates", nargs="*", metavar="TEMPLATE", help="slug, or a folder as ./path")
    check.add_argument(
        "--object-info", type=Path, metavar="FILE", help="saved /object_info, .json or .json.gz"
    )
    check.add_argument("--require-models", action="store_true", help="count absent model files as problems")
    check.set_defaults(command=_check)
    convert_ = command.add_parser("convert", help="print a workflow saved from ComfyUI in API format")
    convert_.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help=f"JSON, or {KINDS} that ComfyUI wrote",
    )
    convert_.add_argument(
        "--object-info",
        type=Path,
        required=True,
        metavar="FILE",
        help="saved /object_info, .json or .json.gz",
    )
    convert_.set_defaults(command=_convert)
    schema = command.add_parser("schema", help="print the JSON Schema of manifests")
    schema.set_defaults(command=_schema)
    add_commands(command)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
