"""What people read for the classes of failure, and for the states and reasons of events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from apps.common.phrases import Phrases
from apps.common.show import moment, spoken, tier_text
from apps.nodes.states import NODE_HOURS, Desired, Health, Hours, Observed, SoftwareState
from apps.nodes.words import reason_in_words as node_reason_in_words
from apps.productions.models import ShotStatus
from apps.productions.states import LABEL
from apps.renders.models import Hold, Job, Priority
from apps.renders.states import AttemptState, BlockState, JobState, ProofState
from apps.review.states import Media, Review
from apps.workflows.models import Kind
from farm.contracts import FailureClass

FAILURES: dict[str, Promise] = {
    FailureClass.OUT_OF_MEMORY: _("out of memory"),
    FailureClass.REJECTED_GRAPH: _("graph rejected"),
    FailureClass.MISSING_MODEL: _("model missing"),
    FailureClass.INPUT_MISSING: _("input missing"),
    FailureClass.COMFY_CRASHED: _("ComfyUI crashed"),
    FailureClass.COMFY_HUNG: _("ComfyUI hung"),
    FailureClass.INFRASTRUCTURE: _("infrastructure"),
    FailureClass.OUTPUT_INVALID: _("output invalid"),
    FailureClass.TIMED_OUT: _("timed out"),
    FailureClass.INTERRUPTED: _("stopped in ComfyUI"),
    FailureClass.UNKNOWN: _("unknown failure"),
}

REASONS: dict[str, Promise] = {
    "a render was submitted": _("a render was submitted"),
    "a render of it ran out of memory": _("a render of it ran out of memory"),
    "a retake is asked for: ready again": _("a retake is asked for: ready again"),
    "a take came back": _("a take came back"),
    "a take is approved: the shot, too": _("a take is approved: the shot, too"),
    "all it waited for is done": _("all it waited for is done"),
    "an approval is taken back: look at it again": _("an approval is taken back: look at it again"),
    "called off": _("called off"),
    "cancelled": _("cancelled"),
    "claimed": _("claimed"),
    "created": _("created"),
    "desired state": _("desired state"),
    "enough renders of it fit a smaller card": _("enough renders of it fit a smaller card"),
    "imported": _("imported"),
    "late success of an earlier attempt": _("late success of an earlier attempt"),
    "look again": _("look again"),
    "no attempt was open": _("no attempt was open"),
    "no worker accepted the order in time": _("no worker accepted the order in time"),
    "paused before it was claimed": _("paused before it was claimed"),
    "rendered": _("rendered"),
    "requeued": _("requeued"),
    "submitted": _("submitted"),
    "what was learned is forgotten": _("what was learned is forgotten"),
    "it was still rendering": _("it was still rendering"),
    "its order was on its way": _("its order was on its way"),
    "made way for work": _("made way for work"),
    "the broker cannot be reached": _("the broker cannot be reached"),
    "the node went silent while it rendered this": _("the node went silent while it rendered this"),
    "waits until another golden render there is done": _("waits until another golden render there is done"),
    "waits until its node has nothing else to do": _("waits until its node has nothing else to do"),
    "what runs there has changed": _("what runs there has changed"),
}
"""The farm's own fixed reasons in event rows. Anything else was said by a person, a node or ComfyUI."""

ADVICE: Final = (
    gettext_noop("%(frames)s frames should fit"),
    gettext_noop("%(tier)s GB was an experiment: back to a larger card"),
    gettext_noop("%(service)s may have rendered it for money: look there, then requeue it by hand"),
    gettext_noop("a size of %(size)s should fit"),
    gettext_noop("all %(attempts)s attempts are used up"),
    gettext_noop("gave up after %(failures)s failures of the farm itself"),
    gettext_noop("it has taken %(workers)s workers down"),
    gettext_noop("moved up to %(tier)s GB"),
    gettext_noop("no card here has more than %(tier)s GB"),
    gettext_noop("no node it may go to has more than %(tier)s GB"),
    gettext_noop("precision %(precision)s should fit"),
    gettext_noop("somebody stopped it in ComfyUI itself"),
    gettext_noop("there is no larger tier: choose a smaller size or fewer frames"),
    gettext_noop("unusable even with empty caches"),
)
"""What services.failures adds behind a failure's own words and a dash."""

HAPPENED: Final = Phrases(
    (
        gettext_noop("%(job)s is done"),
        gettext_noop("attempt %(number)s succeeded late"),
        gettext_noop("%(node)s: no word of it for %(seconds)s s"),
        gettext_noop("%(node)s: its worker has begun a new life without it"),
        gettext_noop("%(node)s is draining"),
        gettext_noop("%(node)s serves %(has)s GB, the order needs %(need)s GB"),
        gettext_noop("%(node)s may not be given work (%(state)s)"),
        gettext_noop("%(job)s failed on %(node)s and is for another node"),
        gettext_noop("%(node)s lacks %(files)s"),
        gettext_noop("%(job)s is for another node alone"),
        gettext_noop("%(node)s is not in the pool %(job)s is for"),
        gettext_noop("%(node)s lacks the tags %(tags)s"),
        gettext_noop("%(node)s is not given this template for now"),
        gettext_noop("nobody took its order, %(count)s times"),
        gettext_noop("the worker of %(node)s does not know %(says)s"),
        gettext_noop("its worker is too old for this order: it does not know %(says)s"),
    ),
    fact=r"\S+(?:, \S+)*",
)
"""Reasons with facts in event rows, as services.dependents, .success, .sweep and .claim write them."""

_DASH: Final = " — "
_PLACE: Final = re.compile(r"%\\\((\w+)\\\)s")
_ADVICE: Final = {re.compile(_PLACE.sub(r"(?P<\1>\\S+)", re.escape(told))): told for told in ADVICE}

_WISHES: Final[Mapping[str, str | Promise]] = {
    "paused": _("paused"),
    "resumed": _("goes on"),
    "changed": _("changed"),
}

WHOLE_FARM: Final = _("the whole farm")

STATES: Final[Mapping[str, Mapping[str, str | Promise]]] = {
    "job": dict(JobState.choices),
    "attempt": dict(AttemptState.choices),
    "take_media": dict(Media.choices),
    "take_review": dict(Review.choices),
    "node": dict(Observed.choices),
    "node_desired": dict(Desired.choices),
    "node_health": dict(Health.choices),
    "node_software": dict(SoftwareState.choices),
    NODE_HOURS: dict(Hours.choices),
    "node_block": dict(BlockState.choices),
    "proof": dict(ProofState.choices),
    "automation": {"notified": _("told"), "stopped": _("stopped: it would go round")},
    **dict.fromkeys(("job_wish", "batch_wish", "project_wish", "farm_wish"), _WISHES),
}
"""The labels of every machine's states but the shot's, whose names are rows a studio may change."""

_NOT_IN_TIME: Final = gettext_noop("not proven in %(minutes)s minutes: %(why)s")
_LATE: Final = re.compile(r"not proven in (?P<minutes>\d+) minutes: (?P<why>.*)", re.DOTALL)
"""Why a golden render was given up, as services.proof_bounds writes it, with another reason inside."""

_VERDICT: Final = re.compile(
    rf"(?P<shot>\S+) (?P<kind>{'|'.join(Kind.values)}) take (?P<number>\d+): "
    rf"(?P<verdict>{'|'.join(Review.values)})"
)
"""Why a shot's status followed a verdict, as apps.review writes it: the take and its new state."""


def state_label(machine: str, state: str, statuses: Mapping[str, str] | None = None) -> str:
    """Return what people read for a machine's state in an event row; "" for birth.

    ``statuses`` are the shot statuses' names where many events are shown: else each is looked up.
    """
    if not state:
        return ""
    if machine == "need":
        return str(_("%(tier)s GB") % {"tier": state} if state.isdigit() else _("no card"))
    if machine in ("shot", LABEL):
        return (shot_status_names() if statuses is None else statuses).get(state, state)
    return str(STATES.get(machine, {}).get(state, state))


def shot_status_names() -> dict[str, str]:
    """Read the studio's names of the shot statuses, by slug, in the reader's language."""
    return {status.slug: spoken(status, "name") for status in ShotStatus.objects.all()}


def failure_in_words(message: str) -> str:
    """Leave a failure's words as the node said them, and say the farm's advice in the reader's language."""
    words, *parts = message.split(_DASH)
    told: list[str] = []
    while parts and (advice := _advice_in_words(parts[-1])):
        told.insert(0, advice)
        parts.pop()
    return _DASH.join([words, *parts, *told])


def advice_in_words(advice: str) -> str:
    """Say a rule's advice in the reader's language where it is the farm's own, else as it was written."""
    return _advice_in_words(advice) or advice


def _advice_in_words(part: str) -> str:
    """One piece of advice in the reader's language; "" for what the farm does not say."""
    for pattern, told in _ADVICE.items():
        if found := pattern.fullmatch(part):
            return now_(told) % found.groupdict()
    return ""


def reason_in_words(reason: str) -> str:
    """Say the reason of an event in the reader's language, where it is the farm's own."""
    if told := _VERDICT.fullmatch(reason):
        take = now_("take %(number)d") % {"number": int(told["number"])}
        return f"{told['shot']} {Kind(told['kind']).label} {take}: {Review(told['verdict']).label}"
    if late := _LATE.fullmatch(reason):
        return now_(_NOT_IN_TIME) % {"minutes": late["minutes"], "why": reason_in_words(late["why"])}
    if reason in REASONS:
        return str(REASONS[reason])
    return HAPPENED.say(node_reason_in_words(failure_in_words(reason)), now_)


def changes_in_words(data: Mapping[str, Any]) -> str:
    """Say what a wish changed (services.wishes): “priority normal → urgent, deadline – → 11-26 18:00”."""
    names = {field.name: field.verbose_name for field in Job._meta.fields}
    return ", ".join(
        f"{names.get(name, name)} {_value(name, old)} → {_value(name, new)}"
        for name, (old, new) in data.get("changes", {}).items()
        if name != "paused"
    )


def _value(name: str, value: Any) -> str:
    if value in (None, ""):
        return "–"
    if name == "priority":
        return str(Priority(value).label) if value in Priority.values else str(value)
    if name in ("start_after", "deadline"):
        return moment(datetime.fromisoformat(value))
    return str(value).replace("\n", ", ")


def scope_in_words(scope: str) -> str:
    """Name what a Hold is about: the whole farm, or a tier."""
    return str(WHOLE_FARM) if scope == Hold.FARM else tier_text(int(scope))
