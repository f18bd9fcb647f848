"""A manifest document of what the wizard's form says; what the form does not show stays as it was."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from apps.workflows.wizard.absence import as_document
from apps.workflows.wizard.form import MOST_LORAS, MOST_TARGETS, Wizard
from apps.workflows.wizard.places import read
from apps.workflows.wizard.rows import MOST_MODELS, MOST_PACKS, MOST_ROWS
from workflows.graph import Graph, is_link
from workflows.roles import ROLES

_MEDIA = {"clip": "video"}


def document_of(form: Wizard) -> dict[str, Any]:
    """Return the manifest document of a valid form."""
    data = form.cleaned_data
    made: dict[str, Any] = copy.deepcopy(dict(form.document))
    made |= {
        "slug": data["slug"] or data["into"] or made.get("slug", ""),
        "kind": data["kind"],
        "title": {"en": data["title_en"], "ko": data["title_ko"]},
        "description": {"en": data["description_en"], "ko": data["description_ko"]},
        "dim_step": data["dim_step"] or 1,
        "timeouts": {"execution_s": data["execution_s"] or 900, "hang_s": data["hang_s"] or 300},
        "bindings": {role: _binding(form, role) for role in form.roles if _bound(form, role)},
        "vram": _memory(form),
    }
    made["defaults"] = _defaults(form, made["bindings"])
    _set(made, "base_model", data["base_model"])
    _set(made, "native_fps", data["native_fps"])
    _set(made, "negative_effect", {"yes": True, "no": False}.get(data["negative_effect"]))
    _set(made, "license", _license(data))
    _set(made, "frame_rule", _frame_rule(form, made["bindings"]))
    made["models"] = [_model(form, index, row) for index, row in enumerate(made.get("models", ()))]
    made["loras"] = _loras(form)
    _set(made, "packs", _packs(form))
    _set_outputs(form, made)
    return made


def _set(made: dict[str, Any], name: str, value: Any) -> None:
    """Say a field, or leave it out: an empty text is no value."""
    if value in ("", None):
        made.pop(name, None)
    else:
        made[name] = value


def _bound(form: Wizard, role: str) -> bool:
    targets = any(form.cleaned_data.get(f"t.{role}.{n}") for n in range(MOST_TARGETS))
    return targets or (role == "precision" and bool(form.cleaned_data.get("d.precision.choices")))


def _binding(form: Wizard, role: str) -> dict[str, Any]:
    before: Mapping[str, Any] = form.document.get("bindings", {}).get(role, {})
    kept = {name: before[name] for name in ("unit", "note") if name in before}
    binding: dict[str, Any] = {"type": ROLES[role], **kept, **_optional(form, role, before)}
    for name in ("min", "max"):
        value = form.cleaned_data.get(f"d.{role}.{name}")
        if value is not None:
            binding[name] = int(value) if ROLES[role] == "int" else value
    if ROLES[role] == "choice":
        binding["choices"] = [
            word.strip() for word in form.cleaned_data[f"d.{role}.choices"].split(",") if word.strip()
        ]
    known = {(str(row.get("node")), str(row.get("input"))): row for row in before.get("targets", ())}
    places = [read(form.cleaned_data.get(f"t.{role}.{n}") or "") for n in range(MOST_TARGETS)]
    unshown = list(known)[MOST_TARGETS:]
    binding["targets"] = [
        known.get(place) or _target(form, role, place)
        for place in dict.fromkeys([*filter(None, places), *unshown])
    ]
    return binding


def _optional(form: Wizard, role: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """What becomes of the graph without it: as it was written, or as it was worked out and ticked."""
    absence = form.absences.get(role)
    if absence is None:  # no file, or one that always comes
        return {"optional": before["optional"]} if "optional" in before else {}
    if absence.rule is None or not form.cleaned_data.get(f"o.{role}"):
        return {}
    return {"optional": before["optional"] if absence.kept else as_document(absence.rule)}


def _packs(form: Wizard) -> list[dict[str, Any]] | None:
    """The rows that say anything, with what was known of their classes; None for none."""
    before = form.document.get("packs", ())
    rows = []
    for index in range(form.packs):
        row = dict(before[index]) if index < len(before) else {"classes": {}}
        for name in ("name", "repository", "version"):
            row[name] = form.cleaned_data[f"p.{index}.{name}"]
        if row.get("classes") or row["name"] or row["repository"] or row["version"]:
            rows.append(row)
    return [*rows, *before[MOST_PACKS:]] or None


def _target(form: Wizard, role: str, place: tuple[str, str]) -> dict[str, Any]:
    """A target a person chose. How it is written is taken from what was found there, if anything was."""
    candidate = form.found.candidate(role)
    offered = [candidate, *candidate.alternatives] if candidate else []
    row: dict[str, Any] = {"node": place[0], "input": place[1]}
    for found in (target for one in offered for target in one.targets):
        if (found.node, found.input) == place:
            if found.times != 1:
                row["times"] = found.times
            if found.plus:
                row["plus"] = found.plus
    if _linked(form.graph, place):
        row["replaces_link"] = True
    return row


def _linked(graph: Graph, place: tuple[str, str]) -> bool:
    return is_link(graph.get(place[0], {}).get("inputs", {}).get(place[1]))


def _defaults(form: Wizard, bindings: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for role in bindings:
        text = form.cleaned_data.get(f"d.{role}.default")
        was = form.document.get("defaults", {}).get(role)
        if text is None or (text == "" and not (role == "negative" and was == "")):
            continue
        made[role] = _number(text) if ROLES[role] in ("int", "float") else text
    return made


def _number(text: str) -> Any:
    """The number a text is; a text that is none stays one, for the check to name it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _memory(form: Wizard) -> list[dict[str, Any]]:
    rows = []
    for index in range(form.memory_rows):
        row = {name.rpartition(".")[2]: form.cleaned_data[name] for name in form.names(f"v.{index}.")}
        if row["gb"] is not None or row["max_pixels"] is not None or row["evidence"]:
            rows.append({name: value for name, value in row.items() if value not in ("", None)})
    return [*rows, *form.document.get("vram", ())[MOST_ROWS:]]


def _license(data: Mapping[str, Any]) -> dict[str, Any] | None:
    told = {name: data[f"license_{name}"] for name in ("name", "url", "note", "territory")}
    said = {name: value for name, value in told.items() if value}
    return said or None


def _frame_rule(form: Wizard, bindings: Mapping[str, Any]) -> dict[str, Any] | None:
    if "frames" not in bindings:
        return None
    told = {name: form.cleaned_data[name] for name in ("multiple", "plus", "min", "max")}
    return {name: value for name, value in told.items() if value is not None}


def _model(form: Wizard, index: int, row: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(row)
    if index >= MOST_MODELS:
        return made
    for name in ("folder", "url", "license_note", "precision"):
        _set(made, name, form.cleaned_data.get(f"m.{index}.{name}"))
    return made


def _loras(form: Wizard) -> list[dict[str, Any]]:
    """Those ticked, as they were written if they were, and those that the form does not show."""
    shown = form.found.loras[:MOST_LORAS]
    before = {tuple(row.get("model", ())): dict(row) for row in form.document.get("loras", ())}
    ticked = [place for index, place in enumerate(shown) if form.cleaned_data.get(f"l.{index}")]
    asked = {place.model for place in shown}
    return [
        *(before.get(place.model) or _lora(place) for place in ticked),
        *(row for model, row in before.items() if model not in asked),
    ]


def _lora(place: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"model": list(place.model)}
    if place.clip:
        row["clip"] = list(place.clip)
    if place.expert:
        row["expert"] = place.expert
    return row


def _set_outputs(form: Wizard, made: dict[str, Any]) -> None:
    """The chosen output makes the take; others are kept beside it."""
    chosen = form.cleaned_data["output"]
    kinds = {output.node: output.kind for output in form.found.outputs}
    rows = [dict(row) for row in form.document.get("outputs", ())]
    if chosen and chosen not in {row.get("node") for row in rows}:
        rows.append({"node": chosen, "kind": kinds.get(chosen, _MEDIA.get(made["kind"], "image"))})
    for index, row in enumerate(rows):
        if row.get("node") == chosen:
            row["role"] = "primary"
            made["produces"] = row["kind"]
        elif row.get("role", "primary") == "primary":
            row["role"] = f"extra_{index}"
    made["outputs"] = rows
