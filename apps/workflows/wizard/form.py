"""The wizard's form, made for one graph and the manifest as far as it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.common.errors import Problem
from apps.workflows.foundwords import in_words
from apps.workflows.models import Kind, Origin, WorkflowTemplate
from apps.workflows.wizard import rows
from apps.workflows.wizard.absence import Absence, absence_of
from apps.workflows.wizard.fields import PlaceField
from apps.workflows.wizard.places import Place, Places, in_short, read, written
from apps.workflows.wizard.plain import long_text, number, select, text, whole
from workflows.catalogue import ObjectInfo
from workflows.finding import Found
from workflows.graph import Graph
from workflows.roles import FORMER_ROLES, PICTURES, ROLES

MOST_TARGETS: Final = 8
MOST_LORAS: Final = 24
"""Of a graph with more of them, the rest stays as it was drafted."""
NUMBERS: Final = ("int", "float")
MEANT: Final[Mapping[str, Promise]] = {
    PICTURES: _("all pictures of a take in their order; they come to the node as one clip without loss"),
}
"""What a role is that no search finds."""
SLATE_IMAGE: Final = "slate_image"
_UNKNOWN, _YES, _NO = "", "yes", "no"


@dataclass(frozen=True)
class RoleRow:
    """One role as the page shows it: where it goes, its default and range, why it was found, and for a file
    what becomes of the graph without it."""

    role: str
    type: str
    targets: list[forms.BoundField]
    values: list[forms.BoundField]
    sure: bool | None
    why: str
    absence: Absence | None
    may_be_left_out: forms.BoundField | None


class Wizard(forms.Form):
    """Fields are named after what they are about: ``t.seed.0`` a target, ``v.1.gb`` a figure of memory."""

    def __init__(
        self,
        graph: Graph,
        object_info: ObjectInfo,
        found: Found,
        document: Mapping[str, Any],
        *args: Any,
        added: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.graph, self.found, self.document = graph, found, document
        self.places = Places(graph, object_info)
        self.object_info = object_info
        self.absences: dict[str, Absence] = {}
        self.roles = self._roles(added)
        self._add_about()
        for role in self.roles:
            self._add_role(role)
        self._add_outputs()
        memory = rows.memory(document, self.data, self._binding("precision").get("choices") or [""])
        packs = rows.packs(document, must="confirm" in self.data)
        self.memory_rows, self.packs = len(memory), len(packs)
        for row in (*memory, *rows.models(document), *packs):
            self.fields |= row
        self._add_loras()

    def role_rows(self) -> Iterator[RoleRow]:
        """The roles, for the page."""
        for role in self.roles:
            candidate = self.found.candidate(role)
            yield RoleRow(
                role=role,
                type=ROLES[role],
                targets=[self[name] for name in self.names(f"t.{role}.")],
                values=[self[name] for name in self.names(f"d.{role}.")],
                sure=candidate.sure if candidate else None,
                why=in_words(candidate.reason) if candidate else str(MEANT.get(role, "")),
                absence=self.absences.get(role),
                may_be_left_out=self[f"o.{role}"] if f"o.{role}" in self.fields else None,
            )

    def memory(self) -> Iterator[list[forms.BoundField]]:
        """The rows of memory needs, each a list of fields."""
        for index in range(self.memory_rows):
            yield [self[name] for name in self.names(f"v.{index}.")]

    def model_files(self) -> Iterator[tuple[Mapping[str, Any], list[forms.BoundField]]]:
        """Each model file with its fields."""
        for index, row in enumerate(self.document.get("models", ())[: rows.MOST_MODELS]):
            yield row, [self[name] for name in self.names(f"m.{index}.")]

    def pack_rows(self) -> Iterator[tuple[list[str], list[forms.BoundField]]]:
        """Each pack of custom nodes: its classes here, and its fields."""
        told = self.document.get("packs", ())
        for index in range(self.packs):
            classes = list(told[index].get("classes") or ()) if index < len(told) else []
            yield classes, [self[name] for name in self.names(f"p.{index}.")]

    def lora_places(self) -> list[forms.BoundField]:
        """Where LoRAs can be chained in."""
        return [self[name] for name in self.names("l.")]

    def about(self, *names: str) -> list[forms.BoundField]:
        """Fields by name, for the page."""
        return [self[name] for name in names]

    def addable(self) -> list[str]:
        """Roles that are not in the form, and for which the graph has a fitting input."""
        return [role for role in ROLES if role not in self.roles and self.places.choices(role)]

    def names(self, prefix: str) -> list[str]:
        """The names of fields that begin so, in their order."""
        return [name for name in self.fields if name.startswith(prefix)]

    def show(self, problem: Problem) -> None:
        """Put what a check found beside the field it is about, or above the form."""
        name = self._field_of(problem.field)
        about = str(problem.message) if name else str(problem)
        self.add_error(name, about)

    def _field_of(self, field: str) -> str | None:
        head, _dot, rest = field.partition(".")
        name = rest.partition(".")[0]
        guesses = {
            "bindings": f"t.{name}.0",
            "defaults": f"d.{name}.default",
            "title": f"title_{name}",
            "description": f"description_{name}",
            "vram": "v.0.gb",
            "outputs": "output",
            "precision": "d.precision.choices",
            "frame_rule": "multiple",
            "timeouts": name,
            "license": f"license_{name}",
        }
        guess = guesses.get(head, head)
        if head.startswith(("vram[", "models[", "packs[")):
            index = head[head.index("[") + 1 : -1]
            guess = f"{head[0]}.{index}.{name or 'url'}"
        return guess if guess in self.fields else None

    def _roles(self, added: str) -> list[str]:
        """Those bound or found, those that were posted, and the one a person adds; in the order of ROLES."""
        bound = {FORMER_ROLES.get(role, role) for role in self.document.get("bindings", {})}
        if self.is_bound:
            bound = {name.split(".")[1] for name in self.data if name.startswith("t.")}
        wanted = bound | ({added} if added else set())
        if not self.is_bound and not self.document.get("bindings"):
            wanted |= {candidate.role for candidate in self.found}
        return [role for role in ROLES if role in wanted]

    def _binding(self, role: str) -> Mapping[str, Any]:
        bindings = self.document.get("bindings", {})
        former = [name for name, now in FORMER_ROLES.items() if now == role]
        return next((bindings[name] for name in (role, *former) if name in bindings), {})

    def _add_about(self) -> None:
        told, rule = self.document, self.document.get("frame_rule") or {}
        title, description = told.get("title", {}), told.get("description", {})
        terms = told.get("license") or {}
        offers = WorkflowTemplate.objects.filter(origin=Origin.IMPORTED).order_by("slug")
        into = [("", _("a new template")), *((row.slug, row.slug) for row in offers)]
        fields: dict[str, forms.Field] = {
            "into": select(_("import it as"), into),
            "slug": text(_("name"), told.get("slug"), most=50),
            "kind": select(_("makes"), list(Kind.choices), told.get("kind"), required=True),
            "title_en": text(_("title (English)"), title.get("en"), most=120, required=True),
            "title_ko": text(_("title (Korean)"), title.get("ko"), most=120, required=True),
            "description_en": long_text(_("what it is for (English)"), description.get("en")),
            "description_ko": long_text(_("what it is for (Korean)"), description.get("ko")),
            "base_model": text(_("base model (LoRAs of it fit)"), told.get("base_model"), most=40),
            "dim_step": whole(_("size step (px)"), told.get("dim_step", 1), low=1),
            "negative_effect": select(
                _("does negative text work?"),
                [(_UNKNOWN, _("not said")), (_YES, _("yes")), (_NO, _("no"))],
                _UNKNOWN if told.get("negative_effect") is None else _YES if told["negative_effect"] else _NO,
            ),
            "native_fps": number(_("frames per second"), told.get("native_fps")),
            "multiple": whole(_("frames: multiple of"), rule.get("multiple"), low=1),
            "plus": whole(_("plus"), rule.get("plus")),
            "min": whole(_("at least"), rule.get("min"), low=1),
            "max": whole(_("at most"), rule.get("max"), low=1),
            "execution_s": whole(_("gives up after (s)"), _time(told, "execution_s", 900), low=1),
            "hang_s": whole(_("hangs after (s)"), _time(told, "hang_s", 300), low=1),
            "license_name": text(_("licence"), terms.get("name"), most=120),
            "license_url": text(_("its text (URL)"), terms.get("url"), most=400),
            "license_note": long_text(_("what a studio must know"), terms.get("note")),
            "license_territory": text(_("where it does not hold"), terms.get("territory"), most=200),
        }
        self.fields.update(fields)

    def _add_role(self, role: str) -> None:
        binding = self._binding(role)
        chosen = [(str(row.get("node")), str(row.get("input"))) for row in binding.get("targets", ())]
        candidate = self.found.candidate(role)
        if not chosen and candidate and not self.is_bound and not self.document.get("bindings"):
            chosen = [(target.node, target.input) for target in candidate.targets]
        chosen = chosen[:MOST_TARGETS]
        offered = (candidate, *candidate.alternatives) if candidate else ()
        found = [(target.node, target.input) for one in offered for target in one.targets[:MOST_TARGETS]]
        choices = self.places.choices(role, [*chosen, *found])
        posted = [n for n in range(MOST_TARGETS) if self.data.get(f"t.{role}.{n}")] if self.is_bound else []
        count = min(MOST_TARGETS, max([len(chosen), *(n + 1 for n in posted)]) + 1)
        for index in range(count):
            initial = written(chosen[index]) if index < len(chosen) else ""
            label = _("is written to") if index == 0 else _("and to")
            self.fields[f"t.{role}.{index}"] = PlaceField(label, role, choices, self.places, initial)
        kind = ROLES[role]
        if kind == "file" and role != SLATE_IMAGE:
            self._add_absence(role, binding, chosen)
        default = self.document.get("defaults", {}).get(role)
        if role != "filename_prefix" and kind != "file":
            make = long_text if kind == "text" else text
            self.fields[f"d.{role}.default"] = make(_("default"), default)
        if kind in NUMBERS and role != "frames":
            self.fields[f"d.{role}.min"] = number(_("at least"), binding.get("min"))
            self.fields[f"d.{role}.max"] = number(_("at most"), binding.get("max"))
        if kind == "choice":
            listed = ", ".join(binding.get("choices", ()))
            self.fields[f"d.{role}.choices"] = text(_("choices, with commas between"), listed, most=400)

    def _add_absence(self, role: str, binding: Mapping[str, Any], chosen: list[Place]) -> None:
        posted = [read(str(self.data.get(f"t.{role}.{n}") or "")) for n in range(MOST_TARGETS)]
        places = [place for place in posted if place] if self.is_bound else chosen
        saving = [str(row.get("node")) for row in self.document.get("outputs", ())]
        needed = saving or [output.node for output in self.found.outputs]
        needed += [sampler.node for sampler in self.found.samplers]
        found = absence_of(self.graph, self.object_info, binding, places, needed)
        self.absences[role] = found
        if found.rule:
            self.fields[f"o.{role}"] = forms.BooleanField(
                label=_("may be left out"), required=False, initial=bool(binding.get("optional"))
            )

    def _add_outputs(self) -> None:
        told = {row.get("node"): row for row in self.document.get("outputs", ())}
        primary = next((node for node, row in told.items() if row.get("role") == "primary"), "")
        nodes = dict.fromkeys([*told, *(output.node for output in self.found.outputs)])
        choices = [(node, _named(self.graph, node)) for node in nodes]
        self.fields["output"] = select(_("the take is saved by"), [("", "–"), *choices], primary)

    def _add_loras(self) -> None:
        kept = [tuple(row.get("model", ())) for row in self.document.get("loras", ())]
        for index, place in enumerate(self.found.loras[:MOST_LORAS]):
            name = _named(self.graph, place.model[0])
            self.fields[f"l.{index}"] = forms.BooleanField(
                label=f"{name} {place.expert}".strip(),
                required=False,
                initial=place.model in kept,
                help_text=in_words(place.reason),
            )


def _time(told: Mapping[str, Any], name: str, otherwise: int) -> Any:
    return (told.get("timeouts") or {}).get(name, otherwise)


def _named(graph: Graph, node: str) -> str:
    body = graph.get(node)
    return node if body is None else in_short(node, body)
