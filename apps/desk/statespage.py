"""The page about states, written from the machines themselves, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from apps.common.machines import Machine
from apps.folders.states import PUBLICATION
from apps.keeping.states import ARCHIVE
from apps.materials.states import MATERIAL
from apps.nodes.states import DESIRED, HEALTH, NODE, SOFTWARE
from apps.productions.states import SHOT
from apps.renders.states import ATTEMPT, BLOCK, JOB, PROOF
from apps.review.states import MEDIA, REVIEW, SELECTION
from apps.sheets.states import BATCH as SHEET
from apps.workflows.states import IMPORT

PAGE: Final = Path(settings.BASE_DIR) / "docs" / "states.md"

HEAD: Final = """\
# States

Written by `manage.py describe_states` from `apps/*/states.py`. Do not edit: change the machine, run it again.

One function makes every move: `move` in [apps/common/machines.py](../apps/common/machines.py), a
conditional UPDATE whose row count tells who won. It writes an event row in the same transaction, and
refuses a move that is not in the tables below. What people intend for a job (paused, cancelled, priority)
is a column, never a state.
"""


@dataclass(frozen=True)
class Chapter:
    """One machine on the page. ``drawn``: few enough moves to be read as a drawing."""

    title: str
    text: str
    machine: Machine
    drawn: bool = False


CHAPTERS: Final = (
    Chapter(
        "Job",
        "One shot × workflow × take: what a coordinator sees. A job that waits is BLOCKED (for another job) "
        "or READY (for a node) and says why in words. Without a take, every state but CANCELLED may still "
        "become SUCCEEDED: finished work is not thrown away because its report came late.",
        JOB,
        drawn=True,
    ),
    Chapter(
        "Attempt",
        "One try at a job on one node; history, never rewritten. LOST and SUPERSEDED are ends for the books "
        "only: a verified success may still come.",
        ATTEMPT,
    ),
    Chapter(
        "Node",
        "What a node's reports say, or what their absence means (OFFLINE). What an operator desires (active, "
        "draining, paused) stands beside it and is no state of this machine.",
        NODE,
    ),
    Chapter(
        "What is desired of a node",
        "What an operator wants of it, told in events of its own. A node begins active. It heeds a wish with "
        "its next report; what it renders goes on.",
        DESIRED,
    ),
    Chapter(
        "A node's health",
        "What the coordinator concludes, whatever the node says of itself: SICK after failures of two jobs "
        "in a row, until a probe renders or an operator says it is well; DEAF when it does not read its own "
        "queue. Neither is given work; what it renders goes on.",
        HEALTH,
        drawn=True,
    ),
    Chapter(
        "A node's software",
        "Whether ComfyUI, its custom nodes and models are what was accepted, and what most of its pool have. "
        "It decides nothing.",
        SOFTWARE,
    ),
    Chapter(
        "A node and a template",
        "The breaker: three failures in a row of one template on one node keep the pair apart for five "
        "hours. Then the next render of it decides.",
        BLOCK,
        drawn=True,
    ),
    Chapter(
        "A golden render",
        "Whether a node can do a template: the smallest render of it, asked for by a person, sent when the "
        "node has nothing else to do. No job, no take. What was proven is called old once the node's "
        "software or the models it was rendered with are others; that is no state.",
        PROOF,
    ),
    Chapter(
        "Shot",
        "The states are rows (shot statuses), so a studio can rename what people read, and add shades of its "
        "own, which change nothing here. Automations move a shot by themselves ([statuses.md](statuses.md)); "
        "shots on hold, omitted or final are left alone.",
        SHOT,
    ),
    Chapter(
        "A take's media",
        "Whether the take can be looked at: thumbnail and proxy made, or why not.",
        MEDIA,
        drawn=True,
    ),
    Chapter(
        "A material",
        "A file that somebody brought for a shot. Pictures are decoded while they come in; a video or sound "
        "is given to no job before the media worker has decoded it to its end.",
        MATERIAL,
    ),
    Chapter(
        "A published file",
        "A take's file on its way to the path that people know. What is published stays there.",
        PUBLICATION,
    ),
    Chapter("A take's review", "What the people who look decided. Every verdict can be changed.", REVIEW),
    Chapter(
        "A take's selection",
        "Whether the cut and the next stage take it: at most one of a shot and stage.",
        SELECTION,
    ),
    Chapter(
        "An import of a spreadsheet",
        "A file somebody brought for a project: mapped and looked at as often as they like, written once, "
        "taken back whole. What nobody confirms for a month expires.",
        SHEET,
        drawn=True,
    ),
    Chapter(
        "An archive of a project",
        "A ZIP that somebody asked for, on its way into the store. It is ready once it is whole; after some "
        "days, or when nobody needs it any more, its file goes and the row stays.",
        ARCHIVE,
    ),
    Chapter(
        "An imported workflow",
        "A file somebody brought: a draft that a person completes, or one that could not be converted. "
        "Confirmed, it is a version of a template; nothing that was brought is thrown away.",
        IMPORT,
        drawn=True,
    ),
)


def states_page() -> str:
    """Return the whole page, in Markdown."""
    return "\n".join([HEAD, *(line for chapter in CHAPTERS for line in _chapter(chapter))])


def _chapter(chapter: Chapter) -> Iterator[str]:
    machine = chapter.machine
    yield f"## {chapter.title}\n"
    yield f"Machine `{machine.name}`, column `{machine.field}`. {chapter.text}\n"
    if chapter.drawn:
        yield from _drawing(machine)
    yield "| From | To |"
    yield "|---|---|"
    for source in ("", *_states(machine)):
        yield f"| {_name(source)} | {', '.join(_targets(machine, source)) or '(the end)'} |"
    yield ""


def _targets(machine: Machine, source: str) -> list[str]:
    to = machine.moves.get(source, frozenset())
    others = [state for state in _states(machine) if state != source]
    if source and len(others) > 1 and to == set(others):
        return ["any other"]
    return [_name(state) for state in _states(machine) if state in to]


def _drawing(machine: Machine) -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for source in ("", *_states(machine)):
        for state in _states(machine):
            if state in machine.moves.get(source, frozenset()):
                yield f"    {source or '[*]'} --> {state}"
    yield "```\n"


def _states(machine: Machine) -> list[str]:
    """In the order in which the table lists them, which is the order of a life."""
    return [state for state in dict.fromkeys([*machine.moves, *machine.states]) if state]


def _name(state: str) -> str:
    return state.upper() if state else "(new)"
