"""Which LoRAs a shot's cast brings into a template's graph, and what the coordinator should know of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from apps.prompts.composer import LoraUse, loras_of
from apps.prompts.facts import CastMember, ShotFacts
from apps.renders.models import LONGEST_LORA_FILES
from apps.renders.warnings import IN_KOREAN, Warned
from workflows.errors import ValueRefused
from workflows.loras import Lora, takes
from workflows.manifest import Manifest
from workflows.wording import said as _


@dataclass(frozen=True)
class Cast:
    """The LoRAs to load, in order of cast and file, and what was noticed on the way."""

    loras: tuple[LoraUse, ...] = ()
    warnings: tuple[Warned, ...] = ()

    @property
    def lora_files(self) -> str:
        """The files, one a line, sorted: equal for jobs that need the same files."""
        return "\n".join(sorted({lora.file for lora in self.loras}))

    def to_load(self) -> list[Lora]:
        """The LoRAs as the graph takes them. Raises ValueRefused if their names are too long to be kept."""
        size = len(self.lora_files.encode())
        if size > LONGEST_LORA_FILES:
            raise ValueRefused(
                "loras",
                f"{len(self.loras)} files",
                problem=_("have names of %(size)s bytes together", size=size),
                remedy=_(
                    "stay within %(most)s: cast fewer with LoRAs, or shorten the names",
                    most=LONGEST_LORA_FILES,
                ),
            )
        return [_lora(use) for use in self.loras]

    def as_json(self) -> list[dict[str, Any]]:
        """Return Job.loras."""
        return [
            {"file": use.file, "weight": use.weight, "expert": use.expert, "character": use.character}
            for use in self.loras
        ]


NOBODY: Final = Cast()


def cast_of(facts: ShotFacts, manifest: Manifest) -> Cast:
    """Choose the LoRAs of a shot's cast that this template loads; say which it does not, and why."""
    fitting = loras_of(facts, manifest.lora_base)
    loaded = tuple(use for use in fitting if takes(manifest, _lora(use)))
    warnings = (
        *_left_out(facts.cast, manifest),
        *_without_expert(use for use in fitting if use not in loaded),
        *_bleeding(facts.cast, loaded),
    )
    return Cast(loaded, warnings)


def loras_from(rows: Iterable[Mapping[str, Any]]) -> list[Lora]:
    """Read Job.loras as the graph takes them."""
    return [Lora(file=row["file"], weight=row["weight"], expert=row["expert"]) for row in rows]


def _lora(use: LoraUse) -> Lora:
    return Lora(file=use.file, weight=use.weight, expert=use.expert)


def _left_out(cast: Iterable[CastMember], manifest: Manifest) -> Iterator[Warned]:
    """Members who should be rendered with a LoRA and have none for this template's base model."""
    for member in cast:
        if not member.use_lora or member.lora_weight == 0:
            continue
        bases = sorted({lora.base_model for lora in member.loras})
        who = {**_named("character", member), "template": manifest.slug}
        if not bases:
            yield Warned("lora_none", who)
        elif not manifest.lora_base:
            yield Warned("lora_no_place", who)
        elif manifest.lora_base.casefold() not in {base.casefold() for base in bases}:
            yield Warned("lora_other_base", {**who, "base": manifest.lora_base, "has": ", ".join(bases)})


def _without_expert(unplaced: Iterable[LoraUse]) -> Iterator[Warned]:
    for use in unplaced:
        yield Warned("lora_no_expert", {"character": use.character, "file": use.file, "expert": use.expert})


def _bleeding(cast: Iterable[CastMember], loaded: Iterable[LoraUse]) -> Iterator[Warned]:
    """Two people's LoRAs change one model: each alters the other's face."""
    by_code = {member.code: member for member in cast}
    people = [by_code[code] for code in dict.fromkeys(use.character for use in loaded)]
    if len(people) > 1:
        yield Warned("loras_bleed", _named("characters", *people))


def _named(fact: str, *people: CastMember) -> dict[str, str]:
    """Their codes and names as a fact of a warning, in both languages."""
    return {
        fact: ", ".join(f"{one.code} {one.name.en}" for one in people),
        f"{fact}{IN_KOREAN}": ", ".join(f"{one.code} {one.name.ko or one.name.en}" for one in people),
    }
