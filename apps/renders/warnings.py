"""What a coordinator should know of a job before it renders: a code and facts, read as a sentence.

Warnings stop nothing. They are told at submit and kept with the job, like the reasons it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.common.errors import Problem
from apps.productions.models import Shot
from apps.prompts.aspects import CHANGED
from apps.renders.models import RenderBatch
from apps.renders.states import JobState
from workflows.manifest import Manifest

SENTENCES: Final = {
    "loras_bleed": _(
        "The LoRAs of %(characters)s are loaded together. LoRAs of two people bleed into each other: "
        "faces may mix. Lower their weights, or render one person at a time."
    ),
    "lora_other_base": _(
        "%(character)s is rendered without a LoRA: %(template)s takes LoRAs for %(base)s, "
        "and this character's are for %(has)s."
    ),
    "lora_no_place": _(
        "%(character)s is rendered without a LoRA: the template %(template)s has no place for any."
    ),
    "lora_none": _("%(character)s should be rendered with a LoRA and has none; add one or switch it off."),
    "lora_no_expert": _(
        "The LoRA %(file)s of %(character)s is left out: the template has no expert “%(expert)s”."
    ),
    "pool_empty": _("No node is in the pool %(pool)s: these jobs wait until one is."),
    "tags_nobody": _("No node has all of these tags: %(tags)s. These jobs wait until one has."),
    "tags_nobody_in_pool": _(
        "No node of the pool %(pool)s has all of these tags: %(tags)s. These jobs wait until one has."
    ),
    "pin_too_small": _(
        "Needs %(need)s GB on one GPU, and the node %(node)s has %(has)s GB: pinned there it waits "
        "until less memory is known to do."
    ),
    "license_territory": _(
        "The licence of %(template)s (%(license)s) does not hold in: %(territory)s. "
        "Ask before you use it there."
    ),
    "mask_shape": _(
        "The mask %(file)s has %(has)s pixels and the picture it lies on %(size)s: their shapes differ, so "
        "it will not cover what it was drawn for. Bring a mask of the picture's size, or name the picture "
        "it was drawn for."
    ),
    "mask_size": _(
        "The mask %(file)s has %(has)s pixels and the picture it lies on %(size)s: it is scaled to fit."
    ),
    "control_shape": _(
        "%(file)s has %(has)s pixels and %(size)s are rendered: it is cut to that shape, and what lies "
        "outside is not followed."
    ),
    "video_rate": _(
        "%(file)s has %(has)s frames per second and the clip %(fps)s: one frame of it becomes one of the "
        "clip, which will be slower or faster than it was."
    ),
    "video_short": _(
        "%(file)s has %(has)s frames and the clip %(frames)s: where it ends, its last frame is held."
    ),
    "negative_ignored": _(
        "The negative text “%(text)s” has no effect: it is ignored by the workflow %(template)s. "
        "Say in the positive text what you want to see instead."
    ),
    "prompt_long": _(
        "About %(tokens)s tokens for %(encoder)s, and its model was trained with at most %(limit)s: "
        "what comes later may not be heeded."
    ),
    "prompt_too_long": _(
        "%(tokens)s characters, and %(encoder)s takes %(limit)s: it will refuse this. Shorten the texts."
    ),
    "prompt_deaf": _(
        "%(encoder)s, which reads the prompts of %(template)s, does not know Korean letters: "
        "render this one with an English prompt."
    ),
    "prompt_by_hand": _("The prompt is written by hand, by %(by)s."),
    "prompt_outdated": _(
        "The prompt is written by hand, by %(by)s, and the shot is not what it was then: %(aspects)s. "
        "Read it again, or give it back to the composer."
    ),
    "trigger_missing": _(
        "The prompt written by hand lacks trigger words of LoRAs that are loaded: %(words)s."
    ),
    "after_failed": _("Waits for %(job)s, which is %(state)s: nothing starts until that one has succeeded."),
}

IN_KOREAN: Final = "_ko"
"""Ends a fact's name where its Korean stands beside it."""

OF_REQUEST: Final[Mapping[str, tuple[str, str]]] = {
    "pool_empty": ("pool", "pool"),
    "tags_nobody": ("tags", "tags"),
    "tags_nobody_in_pool": ("tags", "tags"),
    "pin_too_small": ("pinned_to", "node"),
    "after_failed": ("after", "job"),
    "license_territory": ("template", "template"),
}
"""Warnings about the request rather than a shot: the field each is about, and the fact that is its value."""

OF_FILES: Final = frozenset({"mask_shape", "mask_size", "control_shape", "video_rate", "video_short"})
"""Warnings about a file of a shot, which is their fact ``file``."""

OF_PROMPT: Final[Mapping[str, str]] = {
    "negative_ignored": "text",
    "prompt_long": "tokens",
    "prompt_too_long": "tokens",
    "prompt_deaf": "encoder",
    "prompt_by_hand": "by",
    "prompt_outdated": "by",
    "trigger_missing": "words",
}
"""Warnings about a shot's prompt, and the fact that is the value of each."""


@dataclass(frozen=True)
class Warned:
    """One warning: a code of SENTENCES and the facts it speaks of."""

    code: str
    params: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return an entry of Job.warnings."""
        return {"code": self.code, "params": dict(self.params)}


def not_licensed(manifest: Manifest) -> Iterator[Warned]:
    """Warn where a template's licence does not hold: the farm does not know where its studio is."""
    terms = manifest.license
    if terms is not None and terms.territory:
        told = {"template": manifest.slug, "license": terms.name, "territory": terms.territory}
        yield Warned("license_territory", told)


def warning_sentences(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Read Job.warnings as translated sentences; a code nobody knows any more is shown as it is."""
    return [
        str(SENTENCES[row["code"]] % _spoken(row["params"])) if row["code"] in SENTENCES else str(row["code"])
        for row in rows
    ]


def batch_warnings(batch: RenderBatch) -> list[Problem]:
    """What was warned about in a batch, each thing once per shot, in the order of the jobs."""
    jobs = batch.jobs.exclude(warnings=[]).select_related("shot__sequence").order_by("code")
    return told_once(
        (job.shot, Warned(**row))
        for job in jobs.only("warnings", "shot__code", "shot__sequence__code")
        for row in job.warnings
    )


def told_once(warned: Iterable[tuple[Shot, Warned]]) -> list[Problem]:
    """Tell each thing once per shot, what is about the request once; in the order given."""
    told: dict[tuple[object, str, str], Problem] = {}
    for shot, warning in warned:
        about = None if warning.code in OF_REQUEST else shot.pk
        key = (about, warning.code, str(sorted(warning.params.items())))
        if key not in told:
            told[key] = warning_problem(shot, warning)
    return list(told.values())


def warning_problem(shot: Shot, warned: Warned) -> Problem:
    """A warning in the farm's error form: about which shot or field, and what would be better."""
    (sentence,) = warning_sentences([warned.as_json()])
    if warned.code in OF_REQUEST:
        field, fact = OF_REQUEST[warned.code]
        return Problem(field, warned.params.get(fact, ""), sentence, code=warned.code)
    if warned.code in OF_FILES:
        return Problem(f"{shot.full_code}.files", warned.params["file"], sentence, code=warned.code)
    if warned.code in OF_PROMPT:
        value = warned.params[OF_PROMPT[warned.code]]
        return Problem(f"{shot.full_code}.prompt", value, sentence, code=warned.code)
    told = _spoken(warned.params)
    value = told.get("characters") or told.get("character", "")
    return Problem(f"{shot.full_code}.loras", value, sentence, code=warned.code)


def _spoken(params: Mapping[str, str]) -> Mapping[str, str]:
    """Say a job's state, people's names and what changed in the reader's language."""
    told = dict(params)
    if (get_language() or "").startswith("ko"):
        told |= {name: params.get(f"{name}{IN_KOREAN}", value) for name, value in params.items()}
    if "aspects" in params:
        told["aspects"] = ", ".join(
            str(CHANGED.get(aspect, aspect)) for aspect in params["aspects"].split(",")
        )
    if params.get("state") in JobState.values:
        told["state"] = str(JobState(params["state"]).label)
    return told
