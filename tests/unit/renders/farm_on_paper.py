"""Lanes, nodes and what is in hand, without a database: the matcher's inputs written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from apps.nodes.models import Node, Pool
from apps.projects.models import Project
from apps.renders.models import Lane, Need
from apps.renders.scheduling.demand import Head, Waiting, models_of
from apps.renders.scheduling.fronts import Turns
from apps.renders.scheduling.match import Limits, Match, Pick
from apps.renders.scheduling.proven import NOTHING_PROVEN, Proven
from apps.renders.scheduling.shares import Shares
from apps.renders.scheduling.supply import Held, Supply
from apps.renders.scheduling.warmth import Work
from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion
from farm.tiers import tier_for_need
from workflows.bind import classes_needed
from workflows.load import load

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SLATE = load("plain_slate")
"""A template without model files: nodes need its classes only, and what a lane loads is said by the test."""
FILM = Project(code="FROST", weight=100)


def node(
    tier_gb: int, name: str = "", *, resident: Sequence[str] = (), tags: str = "", pool: Pool | None = None
) -> Node:
    """A serving node that knows every class."""
    return Node(
        name=name or f"gpu{tier_gb}-{uuid4().hex[:6]}",
        epoch="e1",
        tier_gb=tier_gb,
        capabilities_of="all",
        classes=list(classes_needed(SLATE)),
        resident=list(resident),
        tags=tags,
        pool=pool,
    )


def lane(
    need_gb: float = 8,
    *,
    jobs: int = 1,
    rank: int = 10,
    age_s: float = 0,
    project: Project | None = None,
    models: Sequence[str] = (),
    template: WorkflowTemplate | None = None,
    tags: str = "",
    pool: Pool | None = None,
    pinned_to: Node | None = None,
) -> Waiting:
    """A lane of ``jobs`` heads that all became ready ``age_s`` seconds ago."""
    version = WorkflowTemplateVersion(template=template or WorkflowTemplate(slug="any"))
    tier = tier_for_need(need_gb)
    need = Need(template_version=version, declared_gb=need_gb, declared_tier_gb=tier, tier_gb=tier)
    row = Lane(
        project=project or FILM,
        template_version=version,
        need=need,
        tags=tags,
        pool=pool,
        pinned_to=pinned_to,
    )
    heads = [Head(uuid4(), rank, NOW - timedelta(seconds=age_s)) for _ in range(jobs)]
    return Waiting(row, SLATE, frozenset(models), heads, heads[0] if heads else None)


def in_hand(where: Node, of: Waiting, *, rank: int = 10, state: str = "executing") -> Held:
    """An attempt of this lane that the node has."""
    return Held(
        attempt_id=uuid4(),
        node_id=where.pk,
        queue="",
        tier_gb=of.tier_gb or 0,
        state=state,
        explores=False,
        unstage_asked_at=None,
        executing_at=NOW if state == "executing" else None,
        lane_id=None,
        rank=rank,
        project_id=of.project_id,
        template_id=of.template_id,
    )


@dataclass
class Farm:
    """Nodes and lanes that meet. ``used``: GPU seconds of projects; ``seconds``: of a lane's renders."""

    nodes: list[Node]
    lanes: list[Waiting]
    held: list[Held] = field(default_factory=list)
    blocks: dict[UUID, set[UUID]] = field(default_factory=dict)
    trials: dict[UUID, set[UUID]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    used: dict[UUID, float] = field(default_factory=dict)
    seconds: dict[UUID, float] = field(default_factory=dict)
    depth: dict[UUID, int] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)
    models_of: Callable[[UUID], frozenset[str]] = models_of
    """What the lanes load that nodes have work of in hand."""
    now: datetime = NOW
    proven: Proven = NOTHING_PROVEN

    def match(self) -> list[Pick]:
        """Let them meet once."""
        supply = Supply(self.nodes, self.held, self.blocks, self.trials, self.models_of, proven=self.proven)
        shares = Shares(
            weights={each.project_id: float(each.lane.project.weight) for each in self.lanes},
            used=self.used,
            in_flight=supply.in_flight(),
            demanding=[each.project_id for each in self.lanes],
            seats=2 * len(self.nodes),
        )
        work = Work(self.depth or {each.lane.pk: len(each.heads) for each in self.lanes}, self.seconds)
        match = Match(
            self.lanes, supply, shares=shares, limits=self.limits, work=work, now=self.now, turns=self.turns
        )
        return list(match.picks())
