"""What the home page and the farm page show, each in a constant number of queries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.counting import CountAtMost
from apps.nodes.models import Node
from apps.nodes.standing import misheard_words, reasons
from apps.nodes.states import SERVING, Desired, Health, Observed, SoftwareState
from apps.nodes.stock import conflict_drift, conflicts_lately
from apps.nodes.words import drift_sentences
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.reach import Reach
from apps.projects.selectors import Person, projects_for, scoped
from apps.renders import cells
from apps.renders.models import Attempt, Hold, Job, Lane, NodeBlock
from apps.renders.progress import Tally, project_tallies
from apps.renders.states import IN_FLIGHT, OPEN, BlockState, JobState
from apps.renders.tierwaits import TierWait, tier_waits_lately
from apps.renders.waiting import MOST_COUNTED, startable
from apps.review.gallery import with_files
from apps.review.models import Take
from farm.tiers import NO_VRAM, TIERS_GB

NO_POOL: Final = "-"
TROUBLED: Final = (Observed.SICK, Observed.DEAF, Observed.OFFLINE)
NEWEST_TAKES = 18
RUNNING_JOBS = 12
TROUBLES = 8


@dataclass(frozen=True)
class ProjectCard:
    """A project with the reader's role, its shots by status and its jobs by state."""

    project: Project
    role: str
    shots: int
    approved: int
    jobs: Tally


@dataclass(frozen=True)
class TierLine:
    """One rung of the ladder: nodes that serve it, and the jobs that need it.

    ``ready``: jobs that may start, those that somebody holds back aside; ``more``: there are even more.
    ``wait``: how long another one would wait; None where it was not asked for.
    """

    tier_gb: int | None
    nodes: int
    ready: int
    in_flight: int
    hold: Hold | None = None
    more: bool = False
    wait: TierWait | None = None

    @property
    def paused(self) -> bool:
        """Somebody holds it back."""
        return self.hold is not None


@dataclass
class NodeCard:
    """A node with what it has in hand. ``hidden``: attempts of projects the reader does not see.

    ``reasons``: why it gets no work, or less than it could; ``blocks``: templates that are kept from it;
    ``clock_ahead_s``: how far its clock is off, as its work in hand tells; None is unknown. ``failed``: the
    last attempt that failed on it; ``failed_shown``: the reader may look at its job.
    """

    node: Node
    reasons: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    blocks: list[NodeBlock] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    hidden: int = 0
    clock_ahead_s: float | None = None
    failed: Attempt | None = None
    failed_shown: bool = False

    @property
    def empty(self) -> bool:
        """Nothing in hand."""
        return not self.attempts and not self.hidden


@dataclass(frozen=True)
class Shown:
    """Which nodes of the farm page are shown. ``pool`` is a name, :data:`NO_POOL` for nodes in none."""

    pool: str = ""
    state: str = ""
    text: str = ""

    def takes(self, node: Node) -> bool:
        """Tell whether this node is shown."""
        pool = node.pool.name if node.pool else NO_POOL
        return (
            (not self.pool or pool == self.pool)
            and (not self.state or self.state in conditions(node))
            and self.text.lower() in f"{node.name} {node.tags} {node.note}".lower()
        )


def project_cards(person: Person, reach: Reach) -> list[ProjectCard]:
    """The reader's projects, archived ones aside."""
    projects = list(projects_for(person).filter(archived=False))
    ids = [project.pk for project in projects]
    shots: dict[UUID, tuple[int, int]] = defaultdict(lambda: (0, 0))
    counted = Shot.objects.filter(project__in=ids).order_by().values_list("project_id", "status__closed")
    for project, closed, count in counted.annotate(count=Count("pk")):
        total, done = shots[project]
        shots[project] = total + count, done + (count if closed else 0)
    jobs = project_tallies(ids)
    return [
        ProjectCard(project, reach.roles.get(project.pk, ""), *shots[project.pk], jobs[project.pk])
        for project in projects
    ]


def _shown(jobs: QuerySet[Job]) -> QuerySet[Job]:
    rows = jobs.select_related("shot__sequence", "template_version__template")
    return rows.defer("template_version__graph", "template_version__manifest")


def running_jobs(person: Person) -> list[Job]:
    """Jobs on their way or at work, then those next in line."""
    jobs = _shown(scoped(Job.objects.filter(state__in=IN_FLIGHT), person)).order_by("-state", "created_at")
    return cells.dress(jobs[:RUNNING_JOBS])


def troubles(person: Person) -> list[Job]:
    """The newest jobs that need a person."""
    failed = Job.objects.filter(state__in=(JobState.FAILED, JobState.QUARANTINED))
    return cells.dress(_shown(scoped(failed, person)).order_by("-finished_at", "-created_at")[:TROUBLES])


def newest_takes(person: Person) -> list[Take]:
    """The newest takes with their files."""
    takes = scoped(Take.objects.select_related("shot__sequence"), person).order_by("-created_at")
    return with_files(list(takes[:NEWEST_TAKES]))


def open_count(person: Person) -> int:
    """How many of the reader's jobs are not closed."""
    return scoped(Job.objects.filter(state__in=OPEN), person).count()


def tier_lines(nodes: list[Node], paused: Mapping[str, Hold] | None = None) -> list[TierLine]:
    """Queue depth by tier, from the database; rungs without nodes, jobs and a pause are left out.

    What waits is counted lane by lane and no further than MOST_COUNTED, so that a million jobs cost no more.
    """
    paused = paused or {}
    ready = _ready_by_tier()
    flying = Counter(Job.objects.filter(state__in=IN_FLIGHT).values_list("tier_gb", flat=True))
    able = [node for node in nodes if _takes_work(node)]
    lines = []
    for tier in (*reversed(TIERS_GB), NO_VRAM, None):
        serving = 0 if tier is None else sum((node.tier_gb or 0) >= tier for node in able)
        held, depths = paused.get(str(tier)), ready.get(tier, [])
        has_nodes = tier is not None and any(node.tier_gb == tier for node in nodes)
        if depths or flying[tier] or held or has_nodes:
            more = any(depth >= MOST_COUNTED for depth in depths)
            lines.append(TierLine(tier, serving, sum(depths), flying[tier], held, more))
    return lines


def lines_with_waits(nodes: list[Node], paused: Mapping[str, Hold]) -> list[TierLine]:
    """The same with how long a job would wait that joined each line now."""
    lines = tier_lines(nodes, paused)
    waits = tier_waits_lately([line.tier_gb for line in lines], paused)
    return [replace(line, wait=waits[line.tier_gb]) for line in lines]


def _ready_by_tier() -> dict[int | None, list[int]]:
    """How many jobs may start in each lane, by the tier they go to now."""
    found: dict[int | None, list[int]] = defaultdict(list)
    lanes = Lane.objects.filter(active=True).select_related("need").defer("wait_nodes", "wait_params")
    for lane in lanes.annotate(depth=CountAtMost(startable(), "lane", most=MOST_COUNTED)):
        if lane.depth:
            found[lane.tier_gb].append(lane.depth)
    return found


def farm_nodes() -> list[Node]:
    """Every node with its GPUs, pool and schedule, without the long lists of what it can do."""
    nodes = Node.objects.select_related("pool", "schedule").prefetch_related("gpus")
    rows = nodes.defer("classes", "models_by_folder", "software", "baseline", "comfyui_facts")
    return list(rows.order_by("name"))


def conditions(node: Node) -> set[str]:
    """The words by which the farm page finds a node."""
    misheard = bool(misheard_words(node, timezone.now()))
    troubled = node.health != Health.WELL or node.observed in TROUBLED or misheard
    return {
        node.observed,
        *({node.desired} if node.desired != Desired.ACTIVE else ()),
        *({node.health} if node.health != Health.WELL else ()),
        *({"off_hours"} if node.off_hours else ()),
        *({node.software_state} if node.software_state != SoftwareState.SAME else ()),
        *({"trouble"} if troubled else ()),
    }


def node_cards(nodes: list[Node], person: Person) -> list[NodeCard]:
    """Each node with the attempts that hold its slots, and all there is to say about it."""
    now, differing = timezone.now(), conflicts_lately()
    cards = {
        node.pk: NodeCard(
            node,
            reasons=reasons(node, now),
            drift=drift_sentences([*conflict_drift(node.name, differing), *node.drift]),
        )
        for node in nodes
    }
    shut = NodeBlock.objects.filter(state__in=(BlockState.BLOCKED, BlockState.TRIAL))
    for block in shut.select_related("template").order_by("template__slug"):
        if block.node_id in cards:
            cards[block.node_id].blocks.append(block)
    held = Attempt.objects.filter(holds_slot=True, node__isnull=False).defer("report", "log", *_LONG)
    mine = set(projects_for(person).values_list("pk", flat=True))
    for attempt in held.select_related("job__shot__sequence", "job__template_version__template").order_by(
        "created_at"
    ):
        card = cards.get(attempt.node_id) if attempt.node_id else None
        if card is None:
            continue
        if attempt.clock_ahead_s is not None:
            card.clock_ahead_s = attempt.clock_ahead_s
        if attempt.job.project_id in mine:
            card.attempts.append(attempt)
        else:
            card.hidden += 1
    for node, attempt in _last_failures(cards).items():
        cards[node].failed = attempt
        cards[node].failed_shown = attempt.job.project_id in mine
    for card in cards.values():  # what executes stands above what is staged behind it
        card.attempts.sort(key=lambda attempt: attempt.executing_at is None)
    return list(cards.values())


def _last_failures(nodes: Iterable[UUID]) -> dict[UUID, Attempt]:
    """The last attempt that failed on each of these nodes; two queries."""
    failed = Attempt.objects.exclude(failure_class="").filter(node=OuterRef("pk")).order_by("-finished_at")
    last = Node.objects.filter(pk__in=list(nodes)).annotate(last=Subquery(failed.values("pk")[:1]))
    keys = [key for key in last.order_by().values_list("last", flat=True) if key]
    rows = Attempt.objects.filter(pk__in=keys).select_related("job").defer("report", "log")
    return {attempt.node_id: attempt for attempt in rows if attempt.node_id}


_LONG: Final = tuple(
    f"job__template_version__{name}" for name in ("graph", "manifest", "classes", "models_needed")
)


def node_summary(nodes: list[Node]) -> list[tuple[str, str, int]]:
    """How many nodes are in which state: state, label, count."""
    return [
        (str(state), str(state.label), count)
        for state in Observed
        if (count := sum(node.observed == state for node in nodes))
    ]


def pool_choices(nodes: list[Node]) -> list[tuple[str, int]]:
    """The pools with nodes: name and how many; nodes in none last."""
    counted: dict[str, int] = defaultdict(int)
    for node in nodes:
        counted[node.pool.name if node.pool else NO_POOL] += 1
    return sorted(counted.items(), key=lambda one: (one[0] == NO_POOL, one[0]))


def state_choices(nodes: list[Node]) -> list[tuple[str, str, int]]:
    """What nodes can be found by: word, label, how many."""
    labels = {
        "trouble": _("trouble"),
        **{str(state): state.label for state in (*Observed, *Desired)},
        "off_hours": _("off hours"),
        str(SoftwareState.DRIFTED): SoftwareState.DRIFTED.label,
    }
    found = [conditions(node) for node in nodes]
    return [
        (word, str(label), count)
        for word, label in labels.items()
        if (count := sum(word in words for words in found))
    ]


def _takes_work(node: Node) -> bool:
    allowed = settings.SIMULATED_ALLOWED or not node.simulated
    wanted = node.desired == Desired.ACTIVE and not node.off_hours and node.health == Health.WELL
    return allowed and wanted and node.observed in SERVING and node.tier_gb is not None
