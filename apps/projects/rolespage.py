"""The page about roles, written from the table itself, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.translation import override

from apps.projects.roles import ALLOWED, EXTENTS, NOTHING, Act, Extent, Role

PAGE: Final = Path(settings.BASE_DIR) / "docs" / "roles.md"

HEAD: Final = """\
# Roles

Written by `manage.py describe_roles` from [apps/projects/roles.py](../apps/projects/roles.py). Do not
edit: change the table, run it again. `tests/integration/projects/test_roles.py` reads this page and tries
every role × act through the services; `tests/integration/access` asks every address as everybody.

A role is one person's in one project. What does not stand in the table is refused: by the services, which
pages, API and commands all go through. Pages hide what would be refused, and hide nothing else. Rows of
other projects look like rows that never were.
"""

DEEDS: Final = {
    Act.WATCH: "Look at playlists that were shared with the client, and at the takes in them: picture, shot "
    "code, description and the notes there.",
    Act.VIEW: "Read the project: shots, cast, prompts, takes, their files, jobs, activity, members; export "
    "them. Whoever reads one project also reads what all projects share: nodes, presets, workflows.",
    Act.COMMENT: "Write notes on takes.",
    Act.PLAN: "Change a shot: text, casting, presets, frames, status, material, recommended workflow; "
    "with *everything* also make shots, sequences, locations and characters, import, undo, assign people.",
    Act.RENDER: "Submit, render again, start recipes, cancel, requeue, pause, change priority. What is done "
    "to a batch or to many jobs takes the right to each of them.",
    Act.REVIEW: "Approve takes, ask for retakes, reject, select, open the gates of recipes; with "
    "*everything* also sign shots off (approved, final), make playlists and dailies, share them.",
    Act.MANAGE: "Members, settings, pause and webhooks of the project; deleting its rows.",
}

REACH: Final = {
    Extent.ALL: "whatever shot or stage it is of.",
    Extent.DEPARTMENT: "what is of a stage (previz, keyframe, clip, finish) among the departments of the "
    "membership; a supervisor without any named department has all of them, which is *everything*.",
    Extent.ASSIGNED: "the shots that somebody who plans the project has assigned to the member.",
    Extent.SHARED: "playlists shared with the client, and the takes in them.",
}

FOOT: Final = """\
## Beside the roles

- **Superusers** may do everything in every project.
- **Who looks after the farm** has Django's permissions on what all projects share (nodes, pools, holds,
  limits, presets, workflows; `projects.add_project` opens projects), given on the user's page by a
  superuser. They say nothing about any project: an operator without a role sees no shot, job or take.
- **A project keeps an admin**: the last active one is neither removed nor made anything else. Whoever
  opens a project is its first.
- **A deactivated user** may do nothing, whatever roles stand there, and is offered for no role and no
  shot.
- **Leaving**: who is taken out of a project, or becomes a client, loses the shots assigned to them there.
- **What a role may not do is said**: as the roles that would do, or how far one's own right reaches.

Read who may do what in a project on its page under *Members and rights*, or at `GET
/api/v1/projects/CODE/members`.
"""


def roles_page() -> str:
    """Return the whole page, in Markdown and English."""
    with override("en"):
        return "\n".join([HEAD, *_table(), *_deeds(), *_reach(), FOOT])


def _table() -> Iterator[str]:
    yield f"| | {' | '.join(Role.values)} |"
    yield "|---" * (len(Role) + 1) + "|"
    for act in Act:
        yield f"| **{act}** | {' | '.join(cell(role, act) for role in Role)} |"
    yield ""


def cell(role: Role, act: Act) -> str:
    """How far a role's right reaches, as the table says it; "–" for not at all."""
    extents = ALLOWED[role].get(act, NOTHING)
    return ", ".join(str(words) for extent, words in EXTENTS.items() if extent in extents) or "–"


def _deeds() -> Iterator[str]:
    yield "## The acts\n"
    yield "| Act | What it is |"
    yield "|---|---|"
    for act in Act:
        yield f"| **{act}** | {DEEDS[act]} |"
    yield ""


def _reach() -> Iterator[str]:
    yield "## How far\n"
    for extent, words in EXTENTS.items():
        yield f"- *{words}*: {REACH[extent]}"
    yield ""
