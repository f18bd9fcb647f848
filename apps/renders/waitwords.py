"""The words for why something waits: a code and facts become one translated sentence.

The dispatcher decides and writes codes and facts; nobody else has an opinion. A code may have several
sentences, the fullest first: the first one wins whose every fact is given. What a newer coordinator wrote
and this one does not know is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.common.show import gb_text, seconds_text, tier_text
from apps.nodes.states import Desired, Observed
from apps.nodes.words import reason_in_words
from apps.renders.models import Priority
from apps.renders.states import JobState
from apps.workflows.models import Kind
from farm.contracts import FRAMES, LATENTS, NUMBERED, UNSIZED


class Text(Protocol):
    """A lazy translation, plural or not, that takes facts by ``%``."""

    def __mod__(self, facts: Mapping[str, object], /) -> object: ...


Facts = Mapping[str, Any]

SENTENCES: Final[Mapping[str, Sequence[Text]]] = {
    # what a person holds back
    "paused": (_("Paused by %(by)s."), _("Paused.")),
    "batch_paused": (_("Its batch is paused by %(by)s."), _("Its batch is paused.")),
    "project_paused": (_("The project is paused by %(by)s."), _("The project is paused.")),
    "tier_paused": (
        _("Work for %(rung)s is paused by %(by)s: %(reason)s."),
        _("Work for %(rung)s is paused by %(by)s."),
    ),
    "farm_paused": (
        _("The farm is paused by %(by)s: %(reason)s."),
        _("The farm is paused by %(by)s."),
    ),
    # what comes first
    "start_after": (_("Starts after %(at)s."),),
    "depends": (_("Waits for %(on)s."),),
    "depends_failed": (_("Waits for %(on)s, which is %(state)s."),),
    "continues": (_("Waits for the selected take of %(on)s."),),
    "continues_failed": (
        _("Waits for the selected take of %(on)s, whose last clip is %(state)s."),
        _("Waits for the selected take of %(on)s."),
    ),
    "continues_stale": (_("Waits for a take of %(on)s that is not stale to be selected."),),
    "continues_cut": (_("Waits until the end of the selected take of %(on)s is cut."),),
    "continues_uncut": (
        _("The end of the selected take of %(on)s cannot be cut: %(why)s Select another one."),
        _("The end of the selected take of %(on)s cannot be cut."),
    ),
    "limit_full": (_("The limit %(limit)s is full: at most %(most)s at once."),),
    "behind": (_("Others go first: %(ahead)s."), _("Others go first.")),
    "share": (
        _("Others go first by fair share: %(ahead)s. Its project used %(used)s of GPU time in 24 hours."),
        _("Other projects go first by fair share. This one used %(used)s of GPU time in 24 hours."),
        _("Other projects go first by fair share."),
    ),
    # who could take it
    "no_node": (_("No node has ever reported here."),),
    "none_serves": (_("No node may be given work: %(nodes)s."),),
    "larger_than_any": (_("Needs %(need)s GB on one GPU; no card is that large. Choose a smaller size."),),
    "too_big": (_("Needs %(need)s GB on one GPU; the largest node here has %(largest)s GB."),),
    "missing": (
        _("No node of %(tier)s GB or more has %(missing)s. %(where)s."),
        _("No node of %(tier)s GB or more has %(missing)s."),
    ),
    "no_key": (_("No node has a key for %(service)s."),),
    "older_workers": (
        _("The workers of all nodes that could take it are too old: they do not know %(says)s. Update them."),
        _("The workers of all nodes that could take it are too old. Update them."),
    ),
    "pinned_away": (
        _("Only %(node)s may render it. There: %(why)s"),
        _("Only %(node)s may render it."),
    ),
    "no_pool": (_("No node of the pool %(pool)s can take it."),),
    "avoided": (_("It failed on every fitting node: %(failed_on)s."),),
    "warming": (
        _("Left to the nodes that have its models loaded: they should begin it within %(left)s."),
        _("Waits for a node that has its models loaded: sooner than loading them anew."),
    ),
    "no_tags": (_("No node has all the tags it asks for: %(tags)s."),),
    "blocked": (
        ngettext_lazy(
            "The one fitting node is blocked for this template after failures, until %(until)s.",
            "All %(nodes)s fitting nodes are blocked for this template after failures, until %(until)s.",
            "nodes",
        ),
        _("Every fitting node is blocked for this template after failures."),
    ),
    "full": (
        ngettext_lazy("The one fitting node is busy.", "All %(nodes)s fitting nodes are busy.", "nodes"),
        _("Every fitting node is busy."),
    ),
    # it is about to go
    "starting": (_("Its order is on its way to a node."),),
    "broker": (_("The message broker cannot be reached."),),
}
"""Why a job waits, by code."""

NODE_SENTENCES: Final[Mapping[str, Sequence[Text]]] = {
    "too_small": (
        _("Has %(has)s GB; %(need)s GB are needed."),
        _("Its memory is not known; %(need)s GB are needed."),
    ),
    "foreign": (
        _("Other processes hold %(held)s of its memory, which leaves %(has)s GB."),
        _("Other processes hold its memory."),
    ),
    "lacks": (_("Lacks %(files)s; nearest there: %(nearest)s."), _("Lacks %(files)s.")),
    "keyless": (_("Has no key for %(service)s."),),
    "older_worker": (
        _("Its worker is too old: it does not know %(says)s. Update it."),
        _("Its worker is too old. Update it."),
    ),
    "pool": (_("Is not in the pool %(pool)s."),),
    "dedicated": (_("Is kept for the pool %(pool)s."),),
    "tags": (_("Lacks the tag %(tags)s."),),
    "avoided": (_("The job failed there before."),),
    "pinned": (_("The job is for another node only."),),
    "blocked": (
        _("Blocked for this template after %(failures)s failures, until %(until)s."),
        _("Blocked for this template until %(until)s."),
        _("Blocked for this template after failures."),
    ),
    "unproven": (_("Its golden render of this version failed, and other nodes can take it."),),
    "off_hours": (
        _("Off hours until %(until)s."),
        _("Off hours by the schedule %(reason)s."),
        _("Off hours."),
    ),
    "paused": (
        _("Paused by %(by)s: %(reason)s."),
        _("Paused by %(by)s."),
        _("Paused: %(reason)s."),
        _("Paused."),
    ),
    "draining": (
        _("Drained by %(by)s: %(reason)s."),
        _("Drained by %(by)s: it finishes what it has and takes nothing new."),
        _("Draining: it finishes what it has and takes nothing new."),
    ),
    "sick": (_("Sick: %(reason)s."), _("Sick.")),
    "deaf": (_("Deaf: %(reason)s."), _("Deaf: its ComfyUI or its store cannot be used.")),
    "offline": (_("Offline since %(since)s."), _("Offline: %(reason)s."), _("Offline.")),
    "starting": (_("Starting: what it can do is not known yet."),),
    "simulated": (_("SIMULATED, which is not allowed here."),),
    "busy": (
        _("Renders %(job)s, about %(left)s more."),
        _("Renders %(job)s."),
        _("Busy."),
    ),
    "staged": (_("Busy, and the next one is staged behind it."),),
    "free": (_("Free: it would take it."),),
}
"""What a node says to the head of a lane, by code."""

TAKERS: Final = frozenset({"busy", "staged", "free"})
"""Codes of nodes that can render the lane's jobs, now or when they are done."""

_TAKE: Final = re.compile(rf"\b(?P<kind>{'|'.join(Kind.values)}) take (?P<number>\d+)")
"""How a job names what it makes (Job.label), in the facts of a wait."""


def sentence(code: str, facts: Facts) -> str:
    """Say why a job waits, in the reader's language and time; "" for no code."""
    return _say(SENTENCES, code, facts)


def node_sentence(code: str, facts: Facts) -> str:
    """Say what keeps a node from a job, in the reader's language and time; "" for no code.

    Its maintenance note stands behind it.
    """
    said = _say(NODE_SENTENCES, code, facts)
    note = str(facts.get("note") or "")
    noted = gettext("Note: %(note)s") % {"note": note}
    return f"{said} {noted}" if said and note else said


def clock_text(at: datetime) -> str:
    """Say when in the reader's time: 14:20 today, else 11-27 14:20; another year is told."""
    local, today = timezone.localtime(at), timezone.localtime()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def _say(sentences: Mapping[str, Sequence[Text]], code: str, facts: Facts) -> str:
    if not code:
        return ""
    words = dict(_words(facts))
    for text in sentences.get(code, ()):
        try:
            return str(text % words)
        except (KeyError, TypeError):  # a fact is not given, or of another form: a plainer sentence does
            continue
    told = ", ".join(f"{name} {value}" for name, value in sorted(facts.items()))
    return gettext("Waits: %(reason)s.") % {"reason": f"{code} ({told})" if told else code}


def _words(facts: Facts) -> Iterator[tuple[str, object]]:
    """Turn facts into what people read; empty ones are left out, and what is of no known form stays."""
    for name, value in facts.items():
        if value in (None, "", [], {}):
            continue
        for word, turn in _WORDS.get(name, {name: _as_it_is}).items():
            try:
                yield word, turn(value)
            except (TypeError, ValueError, KeyError):
                yield word, str(value)


def _as_it_is(value: Any) -> object:
    return value


def _time(value: Any) -> str:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return clock_text(at)


def _list(value: Any) -> str:
    if isinstance(value, str):
        return ", ".join(value.split("\n"))
    return ", ".join(str(one) for one in value)


def _nodes(value: Any) -> object:
    """Nodes are counted (``3``), or counted by what keeps them (``{"offline": 2}``)."""
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {_kept(why)}" for why, count in value.items())
    return len(value) if isinstance(value, list) else int(value)


def _gaps(value: Any) -> str:
    return "; ".join(
        gettext("%(node)s lacks %(files)s") % {"node": node, "files": _list(files)} for node, files in value
    )


def _ahead(value: Any) -> str:
    """Jobs by priority class, projects by name, or a number of jobs."""
    if isinstance(value, Mapping):
        labels = {str(priority.value): str(priority.label) for priority in Priority} | {
            priority.name.lower(): str(priority.label) for priority in Priority
        }
        return ", ".join(f"{count} × {labels.get(str(name), name)}" for name, count in value.items() if count)
    if isinstance(value, int):
        return ngettext("%(count)d job", "%(count)d jobs", value) % {"count": value}
    return _list(value)


SAID: Final[Mapping[str, Promise]] = {
    UNSIZED: _("outputs whose size only the render shows"),
    NUMBERED: _("pictures that make one clip"),
    FRAMES: _("clips as single pictures"),
    LATENTS: _("latents beside a clip"),
}
"""What an order says that a worker may be too old for."""


def said_in_words(value: Any) -> str:
    """Name words of farm.contracts.IN_ORDERS."""
    return ", ".join(str(SAID.get(word, word)) for word in value)


def _why(value: Any) -> str:
    """What the node itself says: a code, a state, or ``{"code", "params"}``."""
    if isinstance(value, Mapping):
        return node_sentence(str(value["code"]), value.get("params", {}))
    return node_sentence(value, {}) if value in NODE_SENTENCES else f"{_kept(str(value))}."


def _kept(why: str) -> str:
    labels = {str(state): str(state.label) for state in (*Observed, *Desired)}
    labels["off_hours"] = gettext("off hours")
    labels["simulated"] = gettext("SIMULATED, which is not allowed here")
    return labels.get(why, why.replace("_", " "))


def _reason(value: Any) -> str:
    return reason_in_words(str(value).strip()).removesuffix(".")


def _state(value: Any) -> str:
    return str(JobState(value).label)


def _takes(value: Any) -> str:
    return _TAKE.sub(_take_in_words, str(value))


def _take_in_words(told: re.Match[str]) -> str:
    return f"{Kind(told['kind']).label} {gettext('take %(number)d') % {'number': int(told['number'])}}"


_WORDS: Final[Mapping[str, Mapping[str, Callable[[Any], object]]]] = {
    "at": {"at": _time},
    "until": {"until": _time},
    "since": {"since": _time},
    "files": {"files": _list},
    "missing": {"missing": _list},
    "tags": {"tags": _list},
    "nodes": {"nodes": _nodes},
    "where": {"where": _gaps},
    "says": {"says": said_in_words},
    "ahead": {"ahead": _ahead},
    "why": {"why": _why},
    "problem": {"why": _as_it_is},
    "reason": {"reason": _reason},
    "state": {"state": _state},
    "on": {"on": _takes},
    "tier": {"tier": _as_it_is, "rung": tier_text},
    "held_mib": {"held": gb_text},
    "used_s": {"used": seconds_text},
    "left_s": {"left": seconds_text},
}
"""How facts are read, by name: the words they give to a sentence."""
