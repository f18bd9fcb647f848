"""``farm status``: the farm at a glance. Nothing is counted further than a glance needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.common.clock import database_now
from apps.common.counting import CountAtMost
from apps.common.show import TONES, seconds_text, tier_text
from apps.desk.selectors import conditions, farm_nodes
from apps.desk.terminal.answer import Answer, iso
from apps.desk.terminal.standing import condition
from apps.desk.terminal.text import Paint, clean, width
from apps.nodes.models import Node
from apps.nodes.states import Desired, Health, Observed
from apps.projects.models import Project
from apps.renders.models import FarmClock, Hold, Job, Lane
from apps.renders.states import IN_FLIGHT, JobState
from apps.renders.waiting import WaitLine, startable, wait_summary
from apps.renders.waitwords import clock_text

MOST_COUNTED: Final = 10_000
SHOWN_WAITS: Final = 8
SHOWN_NODES: Final = 5
LATELY: Final = timedelta(hours=24)
MARGIN: Final = 8


def status(paint: Paint) -> Answer:
    """The farm at a glance: who leads, nodes, jobs, what is held, what waits for what."""
    now = database_now()
    clock = FarmClock.objects.filter(pk=1).first()
    nodes = farm_nodes()
    jobs = _job_counts(now)
    holds = list(Hold.objects.all())
    paused = list(Project.objects.filter(paused=True, archived=False).order_by("code"))
    waits = wait_summary()
    lines = [
        _row(_("farm"), _leading(clock, now, paint)),
        _row(_("nodes"), _node_counts(nodes, paint)),
        *_trouble_lines(nodes, now, paint),
        _row(_("jobs"), _jobs_in_words(jobs, paint)),
        *(_row(_("held"), paint(_hold_in_words(hold), "amber")) for hold in holds),
        *(_row(_("held"), paint(_project_in_words(project), "amber")) for project in paused),
        *_wait_lines(waits),
    ]
    data = {
        "at": now.isoformat(timespec="seconds"),
        "leader": _leader_json(clock, now),
        "nodes": {
            "total": len(nodes),
            "observed": dict(Counter(node.observed for node in nodes)),
            "desired": dict(Counter(node.desired for node in nodes)),
            "health": dict(Counter(node.health for node in nodes)),
            "off_hours": sum(node.off_hours for node in nodes),
        },
        "jobs": jobs,
        "holds": [_hold_json(hold) for hold in holds],
        "paused_projects": [{"project": row.code, "by": row.paused_by} for row in paused],
        "waits": [_wait_json(line) for line in waits],
    }
    return Answer(lines, data)


def _row(title: str, text: str) -> str:
    return title + " " * max(2, MARGIN - width(title)) + text


def _leading(clock: FarmClock | None, now: datetime, paint: Paint) -> str:
    told = _leader_json(clock, now)
    if told is None:
        return paint(_("no ticker leads: nothing is dispatched"), "red")
    words = paint(_("%(name)s leads") % {"name": clean(told["name"])}, "green")
    if clock is not None and clock.word_at is not None:
        passed = seconds_text(max(0.0, (now - clock.word_at).total_seconds()))
        words += "; " + _("last word of a node %(time)s ago") % {"time": passed}
    return words


def _leader_json(clock: FarmClock | None, now: datetime) -> dict[str, Any] | None:
    name = clock.led_by(now) if clock else ""
    return {"name": name, "word_at": iso(clock.word_at)} if clock and name else None


def _node_counts(nodes: Sequence[Node], paint: Paint) -> str:
    if not nodes:
        return paint(_("no node has ever reported here"), "amber")
    observed = Counter(node.observed for node in nodes)
    desired = Counter(node.desired for node in nodes if node.desired != Desired.ACTIVE)
    parts = [
        paint(f"{observed[state]} {Observed(state).label}", TONES[state])
        for state in Observed.values
        if observed[state]
    ]
    parts += [paint(f"{count} {Desired(wish).label}", TONES[wish]) for wish, count in desired.items()]
    concluded = Counter(node.health for node in nodes if node.health not in (Health.WELL, node.observed))
    parts += [
        paint(f"{count} " + _("concluded: %(health)s") % {"health": Health(health).label}, TONES[health])
        for health, count in concluded.items()
    ]
    if resting := sum(node.off_hours for node in nodes):
        parts.append(paint(f"{resting} {_('off hours')}", "amber"))
    return f"{len(nodes)}: {', '.join(parts)}"


def _trouble_lines(nodes: Sequence[Node], now: datetime, paint: Paint) -> list[str]:
    """The first few nodes that need a person, and how many more do."""
    found = [node for node in nodes if "trouble" in conditions(node)]
    lines = [_row("", f"{clean(node.name)}: {condition(node, now, paint)}") for node in found[:SHOWN_NODES]]
    if len(found) > SHOWN_NODES:
        rest = len(found) - SHOWN_NODES
        told = ngettext(
            "and %(n)d more node in trouble (farm nodes --state trouble)",
            "and %(n)d more nodes in trouble (farm nodes --state trouble)",
            rest,
        )
        lines.append(_row("", told % {"n": rest}))
    return lines


def _job_counts(now: datetime) -> dict[str, int]:
    """Jobs by state. None is counted beyond MOST_COUNTED: a larger figure means "more than that"."""
    lanes = Lane.objects.filter(active=True).annotate(
        depth=CountAtMost(startable(), "lane", most=MOST_COUNTED + 1)
    )
    counts = {"ready": sum(lanes.values_list("depth", flat=True))}
    for state in (JobState.BLOCKED, *IN_FLIGHT):
        counts[str(state)] = Job.objects.filter(state=state).order_by()[: MOST_COUNTED + 1].count()
    for state in (JobState.FAILED, JobState.QUARANTINED):
        lately = Job.objects.filter(state=state, updated_at__gte=now - LATELY).order_by()
        counts[f"{state}_24h"] = lately[: MOST_COUNTED + 1].count()
    return {name: min(count, MOST_COUNTED + 1) for name, count in counts.items()}


def _jobs_in_words(counts: dict[str, int], paint: Paint) -> str:
    def said(name: str, label: object, tone: str) -> str:
        text = f"{_figure(counts[name])} {label}"
        return paint(text, tone) if counts[name] else text

    parts = [
        said(str(state), state.label, TONES[str(state)])
        for state in (JobState.READY, JobState.DISPATCHED, JobState.RUNNING, JobState.BLOCKED)
    ]
    lately = _("24 h")  # not within the f-string: makemessages finds nothing there
    parts += [
        said(f"{state}_24h", f"{state.label} ({lately})", "red")
        for state in (JobState.FAILED, JobState.QUARANTINED)
    ]
    return ", ".join(parts)


def _figure(count: int) -> str:
    return f"> {MOST_COUNTED}" if count > MOST_COUNTED else str(count)


def _hold_in_words(hold: Hold) -> str:
    what = _("the farm") if hold.scope == Hold.FARM else tier_text(int(hold.scope))
    words = _("%(what)s, by %(by)s, %(at)s") % {
        "what": what,
        "by": clean(hold.by),
        "at": clock_text(hold.created_at),
    }
    return f"{words}: {clean(hold.reason)}" if hold.reason else words


def _project_in_words(project: Project) -> str:
    by = clean(project.paused_by)
    return _("project %(code)s, by %(by)s") % {"code": project.code, "by": by or "–"}


def _hold_json(hold: Hold) -> dict[str, Any]:
    return {"scope": hold.scope, "by": hold.by, "reason": hold.reason, "since": iso(hold.created_at)}


def _wait_lines(waits: Sequence[WaitLine]) -> list[str]:
    lines = [
        _row(
            _("waits") if not place else "", f"{line.jobs}{'+' if line.more else ''} × {clean(line.sentence)}"
        )
        for place, line in enumerate(waits[:SHOWN_WAITS])
    ]
    if len(waits) > SHOWN_WAITS:
        rest = len(waits) - SHOWN_WAITS
        lines.append(
            _row("", ngettext("and %(n)d more reason", "and %(n)d more reasons", rest) % {"n": rest})
        )
    return lines


def _wait_json(line: WaitLine) -> dict[str, Any]:
    return {
        "code": line.code,
        "sentence": line.sentence,
        "jobs": line.jobs,
        "more": line.more,
        "since": iso(line.since),
    }
