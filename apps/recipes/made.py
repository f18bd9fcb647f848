"""What a take is made of, and in what two takes differ: so staleness is computed, never guessed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from uuid import UUID

from apps.renders.models import Job
from apps.renders.services.files import SUITING, from_cast
from apps.workflows.services import template_of
from workflows.manifest import Manifest

_FREE: Final = ("seed",)
"""Differs from take to take by itself; a person's own stands in Made.seed."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """Everything a render follows from, but for the noise nobody chose.

    ``version``: the template version's SHA-256, ``template`` its name for people. ``loras``: as Job.loras.
    ``seed``: a person's, None for one of the farm's own. ``source``: the job whose take it starts from, and
    ``own`` the input that its file fills; ``also``: those whose takes fill other inputs, by role;
    ``pictures``: those of the cast in the rest, by role.
    """

    version: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    precision: str = ""
    size: tuple[int, int] = (0, 0)
    positive: str = ""
    negative: str = ""
    loras: tuple[Mapping[str, Any], ...] = ()
    seed: int | None = None
    source: UUID | None = None
    own: str = ""
    also: Mapping[str, UUID | None] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of it: equal for equal makings."""
        told = asdict(self)
        del told["template"], told["own"]
        if not self.also:
            del told["also"]
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was.

    ``what``: template, value, prompt, negative, loras, pictures, material, seed, source.
    """

    what: str
    name: str = ""
    was: str = ""
    now: str = ""


def made_by(
    job: Job, source: UUID | None, *, seeded: bool, own: str, also: Mapping[str, UUID | None]
) -> Made:
    """Read from a job what it is made of. ``seeded``: compare its seed, it is the first of its round."""
    build = job.prompt_build
    manifest = template_of(job.template_version).manifest
    bindings = manifest.bindings
    files = {role for role, binding in bindings.items() if binding.type == "file"}
    return Made(
        version=job.template_version.content_hash,
        template=str(job.template_version),
        values={role: value for role, value in job.values.items() if role not in files | {*_FREE}},
        precision=job.precision,
        size=(job.width, job.height),
        positive=build.positive if build else "",
        negative=build.negative if build and "negative" in bindings else "",
        loras=tuple(job.loras),
        seed=job.seed if seeded else None,
        source=source,
        own=own,
        also=also,
        pictures=pictures_among(job.values, manifest, {own, *also}),
    )


def pictures_among(values: Mapping[str, Any], manifest: Manifest, made: Collection[str]) -> dict[str, str]:
    """The files among a job's values that no step makes (``made``): the cast's, and the shot's material."""
    return {
        role: str(value)
        for role, value in values.items()
        if role not in made and (from_cast(manifest, role) or role in SUITING)
    }


def differences(was: Made, now: Made) -> Iterator[Difference]:
    """Say in what a making differs from what it would be now; nothing if it would be the same."""
    if was.version != now.version:
        yield Difference("template", "", was.template, now.template)
    for name in sorted({*was.values, *now.values}):
        before, after = was.values.get(name), now.values.get(name)
        if before != after:
            yield Difference("value", name, _text(before), _text(after))
    if was.precision != now.precision and not {"precision"} & {*was.values, *now.values}:
        yield Difference("value", "precision", was.precision, now.precision)
    if was.size != now.size and not {"width", "height"} & {*was.values, *now.values}:
        yield Difference("value", "size", _size(was.size), _size(now.size))
    if was.positive != now.positive:
        yield Difference("prompt")
    if was.negative != now.negative:
        yield Difference("negative")
    if was.loras != now.loras:
        yield Difference("loras", "", _files(was), _files(now))
    others = {*was.pictures.items()} ^ {*now.pictures.items()}
    exchanged = {role for role, _file in others}
    if exchanged - SUITING.keys():
        yield Difference("pictures")
    for role in sorted(exchanged & SUITING.keys()):
        yield Difference("material", role)
    if now.seed is not None and was.seed is not None and was.seed != now.seed:
        yield Difference("seed", "", str(was.seed), str(now.seed))
    yield from _other_sources(was, now)


def _other_sources(was: Made, now: Made) -> Iterator[Difference]:
    """The step before comes first, then the other inputs by their names."""
    before, after = {"": was.source, **was.also}, {"": now.source, **now.also}
    for role in sorted({*before, *after}):
        if before.get(role) != after.get(role):
            yield Difference("source", role, str(before.get(role) or ""), str(after.get(role) or ""))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"


def _files(made: Made) -> str:
    return ", ".join(f"{lora['file']} × {lora['weight']:g}" for lora in made.loras)
