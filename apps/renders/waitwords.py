"""The words for why something waits: a code and facts become one translated sentence (waitsentences.py).

The dispatcher decides and writes codes and facts; nobody else has an opinion. What a newer coordinator wrote
and this one does not know is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.common.show import gb_text, seconds_text, tier_text
from apps.nodes.states import Desired, Observed
from apps.nodes.words import reason_in_words
from apps.renders.models import Priority
from apps.renders.states import JobState
from apps.renders.waitsentences import NODE_SENTENCES, SENTENCES, Text
from apps.workflows.models import Kind
from farm.contracts import FRAMES, LATENTS, NUMBERED, UNSIZED

Facts = Mapping[str, Any]

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
