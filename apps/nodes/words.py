"""What people read for what the coordinator concludes of a node: codes and fixed reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from apps.common.phrases import Phrases
from apps.nodes.said import said_in_words

FAILED: Final = gettext_noop("%(count)s failures in a row in %(jobs)s jobs, the last in %(job)s: %(failure)s")
PROBE_FAILED: Final = gettext_noop("its probe failed: %(message)s")
PROBED: Final = gettext_noop("its probe rendered")
OPERATOR_SAYS_WELL: Final = gettext_noop("an operator says it is well")
NOT_PROBED: Final = gettext_noop("it cannot render a probe, so it may try again after %(minutes)s minutes")
UNHEARD: Final = gettext_noop("it reports, but has not read its own queue for %(seconds)s s")
HEARD: Final = gettext_noop("it reads its own queue again")
NEW_LIFE: Final = gettext_noop("it began a new life")
DRIFTS: Final = gettext_noop("its software differs in %(count)s ways, first: %(first)s")
DRIFTS_NO_MORE: Final = gettext_noop("its software differs no more")
ACCEPTED: Final = gettext_noop("an operator accepted its software")
BLOCKS: Final = gettext_noop("%(count)s failures of %(template)s in a row, the last in %(job)s: %(failure)s")
ON_TRIAL: Final = gettext_noop("its time is over: the next render of it decides")
RENDERED: Final = gettext_noop("it rendered")
CLEARED: Final = gettext_noop("an operator cleared it")
HOURS_OVER: Final = gettext_noop("the working hours of schedule %(schedule)s are over")
HOURS_BEGIN: Final = gettext_noop("the working hours of schedule %(schedule)s have begun")
WORKS_ON: Final = gettext_noop("it works on by %(who)s’s wish, whatever schedule %(schedule)s says")
NOT_READABLE: Final = gettext_noop("schedule %(schedule)s cannot be read, so it works")
NO_SCHEDULE: Final = gettext_noop("it has no schedule any more")
UNREADABLE: Final = gettext_noop("what it says cannot be read, is it of another version? %(error)s")
RIVAL: Final = gettext_noop(
    "another worker uses this name, with the ComfyUI at %(address)s; give it a SHOTFARM_NODE of its own"
)
SAME_CARD: Final = gettext_noop(
    "its card %(card)s is that of node %(node)s; start each ComfyUI on a card of its own, or stop one"
)

REASONS: Final = (
    FAILED,
    PROBE_FAILED,
    PROBED,
    OPERATOR_SAYS_WELL,
    NOT_PROBED,
    UNHEARD,
    HEARD,
    NEW_LIFE,
    DRIFTS,
    DRIFTS_NO_MORE,
    ACCEPTED,
    BLOCKS,
    ON_TRIAL,
    RENDERED,
    CLEARED,
    HOURS_OVER,
    HOURS_BEGIN,
    WORKS_ON,
    NOT_READABLE,
    NO_SCHEDULE,
    UNREADABLE,
    RIVAL,
    SAME_CARD,
)
"""The coordinator's own reasons as stored: in events, ``Node.sick_reason``, ``Node.misheard``,
``NodeBlock.reason``."""

_KNOWN: Final = Phrases(REASONS)

DRIFT: Final[Mapping[str, Promise]] = {
    "version_changed": _("%(what)s is %(has)s, accepted was %(was)s"),
    "custom_node_came": _("custom node %(name)s came"),
    "custom_node_went": _("custom node %(name)s went"),
    "custom_node_changed": _("custom node %(name)s changed"),
    "classes_changed": _("%(has)s node classes, accepted were %(was)s"),
    "model_came": _("model %(name)s came"),
    "model_went": _("model %(name)s went"),
    "pool_version": _("%(what)s is %(has)s, %(count)s of %(of)s others of the pool have %(pool)s"),
    "pool_has_custom_node": _(
        "lacks custom node %(name)s, which %(count)s of %(of)s others of the pool have"
    ),
    "pool_has_other_custom_node": _(
        "has another custom node %(name)s than %(count)s of %(of)s others of the pool"
    ),
    "pool_has_model": _("lacks model %(name)s, which %(count)s of %(of)s others of the pool have"),
    "model_differs": _("model %(name)s has another content on %(others)s"),
    "more": _("and %(count)s more differences"),
}
"""Sentences for the codes of ``Node.drift``."""

_PRODUCTS: Final = {"comfyui": "ComfyUI", "pytorch": "PyTorch", "python": "Python"}


def reason_in_words(reason: str) -> str:
    """Say a reason of the coordinator's, or a worker's, in the reader's language.

    What a person, ComfyUI or a driver said stays as it is.
    """
    return _KNOWN.find(reason, now_) or said_in_words(reason) or reason


def drift_sentences(drift: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say how a node's software differs; a code nobody knows any more is shown as it is."""
    return [_sentence(row["code"], row["params"]) for row in drift]


def _sentence(code: str, params: Mapping[str, Any]) -> str:
    if code not in DRIFT:
        return code
    said = {name: "–" if value == "" else value for name, value in params.items()}
    if "what" in said:
        said["what"] = _PRODUCTS.get(str(said["what"]), said["what"])
    return str(DRIFT[code] % said)
