"""``python -m workflows check``: say in sentences what is wrong with the templates."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from workflows import catalogue
from workflows.errors import WorkflowError
from workflows.load import load, slugs
from workflows.validate import MISSING_MODEL, Problem, check_graph, check_manifest


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one sentence per problem; return 1 if there is one, 0 if all is well.

    A model file that the catalogue's server lacks is printed, and counts only with ``--require-models``.
    """
    options = _options().parse_args(arguments)
    try:
        object_info = catalogue.read(options.object_info) if options.object_info else None
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


def _findings(
    name: str, object_info: catalogue.ObjectInfo | None, *, require_models: bool
) -> tuple[list[Problem], list[Problem]]:
    try:
        template = load(name)
    except WorkflowError as exc:
        return [Problem(None, None, "unreadable", str(exc))], []
    problems = check_manifest(template, object_info)
    if object_info is not None:
        problems += check_graph(template.graph, object_info)
    counted = [p for p in problems if require_models or p.code != MISSING_MODEL]
    return counted, [p for p in problems if p not in counted]


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workflows", description=__doc__)
    command = parser.add_subparsers(required=True, metavar="check")
    check = command.add_parser("check", help="check templates, by default all that ship with the farm")
    check.add_argument("templates", nargs="*", metavar="TEMPLATE", help="slug, or a folder as ./path")
    check.add_argument(
        "--object-info", type=Path, metavar="FILE", help="saved /object_info, .json or .json.gz"
    )
    check.add_argument("--require-models", action="store_true", help="count absent model files as problems")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
