"""The jobs that a request would make, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.common.errors import Problem
from apps.productions.models import Shot
from apps.prompts.facts import ShotFacts
from apps.renders.services.casting import NOBODY, Cast
from apps.renders.services.envelope import Terms
from apps.renders.services.files import Stored
from apps.renders.services.seeds import seed_of
from apps.renders.services.sources import Source
from apps.renders.services.starts import ToldFile, files_told
from apps.renders.warnings import Warned, told_once
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.services import template_of
from workflows.manifest import Manifest, Value


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """One job to be made. ``source`` says what it starts from or waits for within the request or the film;
    ``files`` are those it brings, by role; one it starts from is among them if it is the shot's material.
    ``others``: what fills inputs besides.

    ``take`` counts from 0 within the request, ``take_number`` as far as can be foreseen; ``fixed_seed``: a
    person's, else the seed follows from the take number.
    """

    shot: Shot
    step: int
    version: WorkflowTemplateVersion
    kind: str
    take: int
    take_number: int
    width: int
    height: int
    frames: int
    fps: float | None
    fixed_seed: int | None
    precision: str
    values: dict[str, Value]
    need_gb: float
    tier_gb: int | None
    length: dict[str, Any] = field(default_factory=dict)
    source: Source | None = None
    others: tuple[Source, ...] = ()
    files: Mapping[str, Stored] = field(default_factory=dict)
    cast: Cast = NOBODY
    warnings: tuple[Warned, ...] = ()

    @property
    def manifest(self) -> Manifest:
        """What its template says of itself."""
        return template_of(self.version).manifest

    @property
    def files_told(self) -> list[ToldFile]:
        """Every file it brings, by input, what it starts from first."""
        return files_told(self.source, self.files)

    @property
    def seed(self) -> int:
        """The seed it has if no other take of its shot is asked for meanwhile."""
        return self.seed_as(self.take_number)

    def seed_as(self, take_number: int) -> int:
        """The seed it has as this take."""
        if self.fixed_seed is not None:
            return self.fixed_seed
        return seed_of(self.shot.pk, self.manifest.slug, take_number)


@dataclass
class Plan:
    """Every job of a request, in order, or every problem with it. ``terms``: when and where they render.
    ``facts``: what was read of the shots, empty if no template asks for words.

    ``warnings`` stop nothing: they are what a coordinator should know, and are recorded with each job.
    """

    terms: Terms = field(default_factory=Terms)
    jobs: list[PlannedJob] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    facts: Mapping[UUID, ShotFacts] = field(default_factory=dict)

    @property
    def warnings(self) -> list[Problem]:
        """What to know before going on, each once, in the order of the shots."""
        return told_once((job.shot, warned) for job in self.jobs for warned in job.warnings)
