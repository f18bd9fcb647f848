"""``farm nodes`` and ``farm limits``: how nodes stand, and how full limits are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.common.clock import database_now
from apps.common.show import TONES, gb_text, seconds_text, tier_text
from apps.desk.selectors import conditions, farm_nodes
from apps.desk.terminal.answer import Answer, iso
from apps.desk.terminal.text import Paint, clean, table
from apps.nodes.models import Gpu, Node
from apps.nodes.standing import misheard_words, reasons
from apps.nodes.states import Desired, Health, Observed
from apps.nodes.tags import tags_in
from apps.renders.holding import uses
from apps.renders.models import Attempt
from apps.renders.selectors import slots_in_use
from apps.renders.states import ON_NODE


def nodes(names: Sequence[Node] | None, paint: Paint, *, state: str = "") -> Answer:
    """Every node, or some: how it stands, what is wanted of it, its GPU, what it has in hand."""
    now = database_now()
    rows = _shown_nodes(names, state)
    held = slots_in_use().filter(node__in=rows).select_related("job").order_by("created_at")
    in_hand: dict[Any, list[Attempt]] = {node.pk: [] for node in rows}
    for attempt in held.defer("report", "log"):
        in_hand[attempt.node_id].append(attempt)
    headings = [
        *(_("node"), _("state"), _("wanted"), _("tier"), _("pool"), _("GPU"), _("in hand"), _("heard")),
        _("note"),
    ]
    shown = [_node_row(node, in_hand[node.pk], now, paint) for node in rows]
    lines = table(shown, headings) if rows else [_("No node.")]
    filtered = names is not None or bool(state)
    return Answer(
        lines,
        {"nodes": [_node_json(node, in_hand[node.pk], now) for node in rows]},
        found=bool(rows) or not filtered,
    )


def limits(paint: Paint) -> Answer:
    """Every limit, and how much of it is taken."""
    told = uses()
    shown = [
        [
            clean(use.limit.name),
            paint(f"{use.in_flight} / {use.limit.most}", "amber" if use.full else "green"),
            ", ".join(use.templates),
            clean(use.limit.note),
        ]
        for use in told
    ]
    headings = [_("limit"), _("taken"), _("templates"), _("note")]
    data = [
        {
            "limit": use.limit.name,
            "most": use.limit.most,
            "taken": use.in_flight,
            "templates": list(use.templates),
            "note": use.limit.note,
        }
        for use in told
    ]
    return Answer(table(shown, headings) if told else [_("There are no limits.")], {"limits": data})


def _shown_nodes(names: Sequence[Node] | None, state: str) -> list[Node]:
    chosen = [node for node in farm_nodes() if not state or state in conditions(node)]
    if names is None:
        return chosen
    named = {node.pk for node in names}
    return [node for node in chosen if node.pk in named]


def condition(node: Node, now: datetime, paint: Paint) -> str:
    """The state of a node in its colour, what is concluded beside it, and why it gets no work or less."""
    parts = [paint(str(Observed(node.observed).label), TONES[node.observed])]
    if node.health not in (Health.WELL, node.observed):
        parts.append(paint(str(Health(node.health).label), TONES[node.health]))
    if node.off_hours:
        parts.append(paint(_("off hours"), "amber"))
    said, why = ", ".join(parts), "; ".join(clean(told) for told in reasons(node, now))
    return f"{said}: {why}" if why else said


def _node_row(node: Node, held: Sequence[Attempt], now: datetime, paint: Paint) -> list[str]:
    heard = "–" if node.reported_at is None else seconds_text((now - node.reported_at).total_seconds())
    wanted = "" if node.desired == Desired.ACTIVE else str(Desired(node.desired).label)
    name = clean(node.name) + (f" ({_('SIMULATED')})" if node.simulated else "")
    return [
        name,
        condition(node, now, paint),
        paint(wanted, "amber"),
        tier_text(node.tier_gb),
        node.pool.name if node.pool else "",
        "; ".join(_gpu(gpu) for gpu in node.gpus.all()),
        ", ".join(_in_hand(attempt) for attempt in held),
        heard,
        clean(node.note),
    ]


def _gpu(gpu: Gpu) -> str:
    free = "" if gpu.free_mib is None else ", " + _("%(memory)s free") % {"memory": gb_text(gpu.free_mib)}
    return clean(gpu.name) + free


def _in_hand(attempt: Attempt) -> str:
    job = attempt.job
    if attempt.state in ON_NODE and attempt.executing_at is not None:
        return f"{job.code} {round(job.progress * 100)} %"
    return f"{job.code} ({attempt.get_state_display()})"


def _node_json(node: Node, held: Sequence[Attempt], now: datetime) -> dict[str, Any]:
    return {
        "node": node.name,
        "observed": node.observed,
        "desired": node.desired,
        "desired_by": node.desired_by,
        "desired_reason": node.desired_reason,
        "health": node.health,
        "health_reason": node.sick_reason,
        "off_hours": node.off_hours,
        "software_state": node.software_state,
        "pool": node.pool.name if node.pool else None,
        "schedule": node.schedule.name if node.schedule else None,
        "tags": tags_in(node.tags),
        "reason": node.reason,
        "misheard": misheard_words(node, now),
        "tier_gb": node.tier_gb,
        "simulated": node.simulated,
        "comfyui": node.comfyui_version,
        "note": node.note,
        "reported_at": iso(node.reported_at),
        "gpus": [
            {
                "name": gpu.name,
                "source": gpu.source,
                "total_mib": gpu.total_mib,
                "free_mib": gpu.free_mib,
                "foreign_mib": gpu.foreign_mib,
                "temperature_c": gpu.temperature_c,
            }
            for gpu in node.gpus.all()
        ],
        "in_hand": [
            {"job": attempt.job.code, "state": attempt.state, "progress": round(attempt.job.progress, 3)}
            for attempt in held
        ],
    }
