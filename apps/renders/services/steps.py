"""What is asked of every shot: the steps of a request, and whether they may be asked at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem

MOST_TAKES: Final = 50
MOST_JOBS: Final = 5_000
"""One request's bound: a typing error should not fill the farm for a week."""
MAX_SEED: Final = 2**53 - 1
"""Seeds travel through JSON and JavaScript; ComfyUI itself takes 2⁶⁴ − 1."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to render of every shot. None means the template's, the project's or the shot's own.

    ``frames`` counts at the template's frame rate; sizes in pixels. ``start_from``: the place (from 0) of an
    earlier step of the same request: each job waits for that step's job of its shot and take, and starts from
    its file if the template takes one. So chains of any length are asked for. ``role``: the input that this
    file fills; "": the template's own. ``given``: for each shot the job whose file it starts from instead.
    ``also``: other inputs, by role, that earlier steps' files fill; ``also_given``: that given jobs' do.
    ``files``: by role the id of a take's file or of a character's reference picture, for every shot alike.
    ``fresh``: a shot that continues another waits for a clip of it that is not stale.
    """

    template: str
    takes: int = 1
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    fps: float | None = None
    seed: int | None = None
    precision: str = ""
    start_from: int | None = None
    role: str = ""
    given: Mapping[UUID, UUID] = field(default_factory=dict, hash=False)
    also: Mapping[str, int] = field(default_factory=dict, hash=False)
    also_given: Mapping[str, Mapping[UUID, UUID]] = field(default_factory=dict, hash=False)
    files: Mapping[str, UUID] = field(default_factory=dict, hash=False)
    fresh: bool = False

    def as_json(self) -> dict[str, Any]:
        """What a request's hash is made of: later fields only when they are given."""
        told = asdict(self)
        for later in ("start_from", "role", "given", "also", "also_given", "files", "fresh"):
            if told[later] in (None, "", {}, False):
                del told[later]
        if self.given:
            told["given"] = _pairs(self.given)
        if self.also_given:
            told["also_given"] = {role: _pairs(jobs) for role, jobs in self.also_given.items()}
        if self.files:
            told["files"] = {role: str(pk) for role, pk in self.files.items()}
        return told


def _pairs(jobs: Mapping[UUID, UUID]) -> list[list[str]]:
    return sorted([str(shot), str(job)] for shot, job in jobs.items())


def at_step(index: int, problem: Problem) -> Problem:
    """Say at which step of the request a problem is."""
    return Problem(f"steps[{index}].{problem.field}", problem.value, problem.message, problem.code)


def check_steps(steps: Sequence[Step]) -> Iterator[Problem]:
    """Find what is wrong with the steps as they stand, whatever the shots."""
    if not steps:
        yield Problem("steps", "", _("choose at least one template"))
    for index, step in enumerate(steps):
        for problem in _wrong_with(step, index):
            yield at_step(index, problem)


def _wrong_with(step: Step, index: int) -> Iterator[Problem]:
    if not 1 <= step.takes <= MOST_TAKES:
        yield Problem("takes", str(step.takes), _("give a whole number from 1 to %d") % MOST_TAKES)
    if step.seed is not None and not 0 <= step.seed <= MAX_SEED - MOST_TAKES:
        yield Problem("seed", str(step.seed), _("give a whole number from 0 to %d") % (MAX_SEED - MOST_TAKES))
    if step.frames is not None and step.frames < 1:
        yield Problem("frames", str(step.frames), _("give at least 1 frame"))
    if step.start_from is not None and not 0 <= step.start_from < index:
        told = (
            _("name an earlier step by its place, from 0 to %d") % (index - 1)
            if index
            else _("the first step has none before it; leave this out")
        )
        yield Problem("start_from", str(step.start_from), told)
