"""The prototype's ``workflows/`` folder: each ComfyUI graph in it becomes a draft of a template here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from apps.common.errors import Refused
from apps.productions.prototype.report import About, Report
from apps.workflows.catalogues import RECORDED
from apps.workflows.models import WorkflowImport
from apps.workflows.services.importing import import_file, read_file
from workflows.catalogue import recorded
from workflows.graph import Graph
from workflows.mending import ABSENT, offers

FOLDER: Final = "workflows"
PROJECTS: Final = "projects"
OURS: Final = "manifest.json"
"""A folder with this beside its graph is a template of this farm, not one of the prototype's."""
MOST_FILES: Final = 200
KEPT: Final = "workflow drafts"


def bring_graphs(source: Path, folder: Path | None, report: Report) -> None:
    """Make a draft of each graph that lies in the prototype's ``workflows/``, and say what each still lacks.

    ``source``: what the import was given; ``folder``: the project's own. The very same file is one draft. A
    dry run reads them all the same, and keeps none.
    """
    found, planned = list(_files(source, folder)), set[str]()
    for root, path in found[:MOST_FILES]:
        name = path.relative_to(root).as_posix()
        about = report.about(f"workflow {name}")
        try:
            with path.open("rb") as file:
                if report.dry_run:
                    sha256, read = read_file(file, name=path.name, catalogue_name=RECORDED)
                    there = WorkflowImport.objects.filter(sha256=sha256).exists()
                    is_new = not there and sha256 not in planned
                    planned.add(sha256)
                    graph, problems = read.graph, read.problems
                else:
                    made = import_file(file, name=path.name, catalogue_name=RECORDED, user=None)
                    is_new, graph, problems = made.created, made.row.graph, made.row.problems
        except (Refused, OSError) as exc:
            about.dropped("", "", str(exc))
            continue
        if is_new:
            report.created[KEPT] += 1
            _tell(about, graph, problems)
        else:
            report.there[KEPT] += 1
    if len(found) > MOST_FILES:
        report.about(FOLDER).dropped("", len(found), f"only the first {MOST_FILES} files were read")


def _files(source: Path, folder: Path | None) -> Iterator[tuple[Path, Path]]:
    """Each graph's file and its ``workflows/``: the source's, the project's, or that beside ``projects/``."""
    places = [source if source.is_dir() else source.parent]
    places += [folder] if folder is not None else []
    places += [place.resolve().parent.parent for place in places if place.resolve().parent.name == PROJECTS]
    places += [place.resolve().parent for place in places if place.resolve().name == PROJECTS]
    seen = set[Path]()
    for place in places:
        root = (place / FOLDER).resolve()
        if root in seen or not root.is_dir():
            continue
        seen.add(root)
        for path in sorted(root.rglob("*.json")):
            inside = path.resolve().is_relative_to(root)  # a link may lead anywhere
            if inside and path.is_file() and not (path.parent / OURS).exists():
                yield root, path


def _tell(about: About, graph: Graph, problems: list[dict[str, Any]]) -> None:
    if not graph:
        for one in problems:
            about.doubtful(_place(one), "", f"{one['message']} The file is kept; it cannot be converted.")
        return
    about.told("", "", "a draft: who makes it a template says its licence, and on which card it runs")
    wrong = [one for one in problems if not one["absent"]]
    absent = [(one["node"], one["input"]) for one in wrong if one["code"] == ABSENT]
    fitting = {(offer.node, offer.input): offer.sources for offer in offers(graph, recorded(), absent)}
    for one in wrong:
        sources = fitting.get((one["node"], one["input"]), ()) if one["code"] == ABSENT else ()
        right = f" It could take {sources[0]}: Connect, on the draft's page." if sources else ""
        about.doubtful(_place(one), "", one["message"] + right)
    for one in problems:
        if one["absent"]:
            about.told(_place(one), "", one["message"])


def _place(one: dict[str, Any]) -> str:
    parts = [f"{what} {one[what]}" for what in ("node", "input") if one[what]]
    return ", ".join(parts)
