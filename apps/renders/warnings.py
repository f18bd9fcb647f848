"""What a coordinator should know of a job before it renders: a code and facts, read as a sentence.

Warnings stop nothing. They are told at submit and kept with the job, like the reasons it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.common.errors import Problem
from apps.productions.models import Shot
from apps.renders.models import RenderBatch

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
}


@dataclass(frozen=True)
class Warned:
    """One warning: a code of SENTENCES and the facts it speaks of."""

    code: str
    params: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return an entry of Job.warnings."""
        return {"code": self.code, "params": dict(self.params)}


def warning_sentences(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Read Job.warnings as translated sentences; a code nobody knows any more is shown as it is."""
    return [
        str(SENTENCES[row["code"]] % row["params"]) if row["code"] in SENTENCES else str(row["code"])
        for row in rows
    ]


def batch_warnings(batch: RenderBatch) -> list[Problem]:
    """What was warned about in a batch, each thing once per shot, in the order of the jobs."""
    jobs = batch.jobs.exclude(warnings=[]).select_related("shot__sequence").order_by("code")
    told = {
        (job.shot_id, str(row)): warning_problem(job.shot, Warned(**row))
        for job in jobs.only("warnings", "shot__code", "shot__sequence__code")
        for row in job.warnings
    }
    return list(told.values())


def warning_problem(shot: Shot, warned: Warned) -> Problem:
    """A warning in the farm's error form: about which shot, and what would be better."""
    value = warned.params.get("characters") or warned.params.get("character", "")
    (sentence,) = warning_sentences([warned.as_json()])
    return Problem(f"{shot.full_code}.loras", value, sentence, code=warned.code)
