"""A draft that somebody else filled in meanwhile: what they changed, and both put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from apps.common.admin_versions import Meanwhile
from apps.ledger import words
from apps.ledger.documents import document_of
from apps.ledger.selectors import Step, steps_since
from apps.workflows.models import WorkflowImport

_MANIFEST: Final = "manifest"


def changed_meanwhile(row: WorkflowImport, seen: int, typed: Mapping[str, Any]) -> list[Meanwhile]:
    """What others changed of a draft after a version, part by part of the manifest, beside what was typed."""
    document = document_of(WorkflowImport)
    told: list[Meanwhile] = []
    for step in steps_since(document, row.pk, seen):
        if step.field == _MANIFEST:
            told += [_part(step, name, typed) for name in _differing(step)]
        else:
            field = words.field_text(document.kind, step.field)
            diff = words.diff(document.kind, step.field, step.old, step.new)
            told.append(Meanwhile(field, str(step.old), diff, who=step.who, at=step.at))
    return told


def merged(row: WorkflowImport, seen: int, typed: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed over the draft as it is now: parts that nobody typed into take theirs."""
    both = dict(typed)
    for step in steps_since(document_of(WorkflowImport), row.pk, seen):
        if step.field != _MANIFEST:
            continue
        for name in _differing(step):
            if _untouched(step, name, typed):
                both.pop(name, None)
                both |= {name: step.new[name]} if name in step.new else {}
    return both


def _differing(step: Step) -> list[str]:
    names = dict.fromkeys([*step.old, *step.new])
    return [name for name in names if step.old.get(name) != step.new.get(name)]


def _untouched(step: Step, name: str, typed: Mapping[str, Any]) -> bool:
    return bool(typed.get(name) == step.old.get(name))


def _part(step: Step, name: str, typed: Mapping[str, Any]) -> Meanwhile:
    kind = document_of(WorkflowImport).kind
    return Meanwhile(
        field=name.replace("_", " "),
        was=words.value_text(kind, name, step.old.get(name)),
        now=words.diff(kind, name, step.old.get(name), step.new.get(name)),
        typed=words.value_text(kind, name, typed.get(name)),
        who=step.who,
        at=step.at,
        name=name,
        untouched=bool(typed) and _untouched(step, name, typed),
    )
