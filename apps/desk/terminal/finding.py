"""Names typed at the command line become rows; what is not found is answered with what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders.jobstory import find_job
from apps.renders.models import Job, Priority, RenderBatch
from farm.tiers import NO_VRAM, TIERS_GB

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SHOWN: Final = 6


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """End a sentence by what was probably meant, else by what there is; "." if there is nothing."""
    names = sorted(set(known))
    by_lower = {name.lower(): name for name in names}
    near = [by_lower[name] for name in get_close_matches(typed.lower(), by_lower, n=3, cutoff=0.6)]
    if near:
        return _("; did you mean %(names)s?") % {"names": _or(near)}
    if not names:
        return _("; there is none yet.")
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return _("; there are: %(names)s.") % {"names": shown}


def nodes_named(patterns: Sequence[str]) -> list[Node]:
    """Nodes by name, or by a pattern with ``*``; each once, in the order given. Raises Refused."""
    every = {node.name: node for node in Node.objects.defer("classes", "models_by_folder")}
    found: dict[str, Node] = {}
    problems = []
    for pattern in patterns:
        matching = [name for name in every if name == pattern or fnmatchcase(name, pattern)]
        if not matching:
            problems.append(Problem("node", pattern, _("no such node") + did_you_mean(pattern, every)))
        found |= {name: every[name] for name in matching}
    if problems:
        raise Refused(*problems)
    return list(found.values())


def one_node(name: str) -> Node:
    """One node by its name. Raises Refused, also where a pattern names several."""
    found = nodes_named([name])
    if len(found) > 1:
        told = _("it names several: %(names)s") % {"names": ", ".join(node.name for node in found[:_SHOWN])}
        raise Refused(Problem("node", name, told))
    return found[0]


def jobs_named(names: Sequence[str]) -> list[Job]:
    """Jobs by code, by id, or by the id of an attempt; each once, in the order given. Raises Refused."""
    found: dict[UUID, Job] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            job = find_job(name.strip())
        except Refused as refused:
            if near := _codes_near(name):
                problems.append(Problem("job", name, _("no such job") + did_you_mean(name, near)))
            else:
                problems += refused.problems
        else:
            found[job.pk] = job
    if problems:
        raise Refused(*problems)
    return list(found.values())


def job_named(name: str) -> Job:
    """One job. Raises Refused."""
    return jobs_named([name])[0]


def batch_named(code: str) -> RenderBatch:
    """A batch by its code. Raises Refused."""
    batch = RenderBatch.objects.select_related("project").filter(code=code.strip().upper()).first()
    if batch is None:
        newest = RenderBatch.objects.order_by("-created_at").values_list("code", flat=True)[:200]
        raise Refused(Problem("batch", code, _("no such batch") + did_you_mean(code, newest)))
    return batch


def project_named(code: str) -> Project:
    """A project by its code. Raises Refused."""
    project = Project.objects.filter(code=code.strip().upper()).first()
    if project is None:
        known = Project.objects.values_list("code", flat=True)
        raise Refused(Problem("project", code, _("no such project") + did_you_mean(code, known)))
    return project


def priority_named(typed: str) -> Priority:
    """A priority class by its number or its name. Raises Refused."""
    for priority in Priority:
        if typed.strip().lower() in (str(priority.value), priority.name.lower(), str(priority.label).lower()):
            return priority
    offered = ", ".join(f"{priority.value} ({priority.name.lower()})" for priority in Priority)
    raise Refused(Problem("priority", typed, _("choose one of %s") % offered))


def tier_named(typed: str) -> int | None:
    """A VRAM tier as people write it (24, 24gb); None if it is none."""
    figure = typed.strip().lower().removesuffix("gb").strip()
    return int(figure) if figure.isdecimal() and int(figure) in (NO_VRAM, *TIERS_GB) else None


def moment_named(typed: str) -> datetime:
    """A time in the past: how long ago (90s, 30m, 12h, 2d), or when (2026-07-30 14:00). Raises Refused."""
    asked = typed.strip().lower()
    if asked[:-1].isdigit() and asked[-1:] in _UNITS:
        return timezone.now() - timedelta(seconds=int(asked[:-1]) * _UNITS[asked[-1]])
    try:
        at = parse_datetime(typed.strip())
    except ValueError:  # well written, and no such day
        at = None
    if at is None:
        told = _("write how long ago (90s, 30m, 12h, 2d), or when (2026-07-30 14:00)")
        raise Refused(Problem("--since", typed, told))
    return at if timezone.is_aware(at) else timezone.make_aware(at)


def _codes_near(name: str) -> list[str]:
    """The code with this number, however many zeros were typed."""
    figure = "".join(letter for letter in name if letter.isdigit())
    if not figure or len(figure) > 15:
        return []
    wanted = Job.objects.filter(code=f"J{int(figure):06d}")
    return list(wanted.values_list("code", flat=True))


def _or(names: Sequence[str]) -> str:
    *others, last = names
    return _("%(names)s or %(last)s") % {"names": ", ".join(others), "last": last} if others else last
