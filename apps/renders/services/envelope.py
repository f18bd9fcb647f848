"""How a request is to be rendered, whatever it makes: how urgent, when, where, after what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Problem, Refused
from apps.nodes.models import Node, Pool
from apps.nodes.tags import tags_text
from apps.projects.roles import Act
from apps.projects.selectors import scoped
from apps.renders.models import Job, Priority
from apps.renders.states import JobState
from apps.renders.warnings import Warned

MOST_AFTER: Final = 50
MOST_TAGS: Final = 20
SHOWN_NAMES: Final = 20


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """The wishes of a request. What is left out is no wish.

    ``pool``, ``pinned_to``: names of a pool and of a node. ``after``: codes of jobs that must have succeeded
    before any job of this request starts. ``paused``: the batch waits until somebody resumes it.
    """

    priority: int = Priority.NORMAL
    note: str = ""
    start_after: datetime | None = None
    deadline: datetime | None = None
    pool: str = ""
    tags: tuple[str, ...] = ()
    pinned_to: str = ""
    paused: bool = False
    after: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What a request's hash is made of beside priority and note: only what was given."""
        told = {
            "start_after": self.start_after and self.start_after.isoformat(),
            "deadline": self.deadline and self.deadline.isoformat(),
            "pool": self.pool,
            "tags": list(words(self.tags)),
            "pinned_to": self.pinned_to,
            "paused": self.paused,
            "after": list(self.after),
        }
        return {name: value for name, value in told.items() if value}


PLAIN: Final = Envelope()


@dataclass
class Terms:
    """An envelope read: rows for names, what is wrong with it, what to know of it. ``tags``: one a line."""

    start_after: datetime | None = None
    deadline: datetime | None = None
    pool: Pool | None = None
    pinned_to: Node | None = None
    tags: str = ""
    after: list[Job] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)


def read_envelope(envelope: Envelope, *, user: User | None) -> Terms:
    """Look up what an envelope names and judge it. ``user`` sees jobs of their own projects only."""
    terms = Terms(start_after=envelope.start_after, deadline=envelope.deadline)
    terms.problems += wrong_times(envelope.start_after, envelope.deadline, database_now())
    for read in (_read_place, _read_after):
        try:
            read(terms, envelope, user)
        except Refused as refused:
            terms.problems += refused.problems
    return terms


def check_priority(priority: int) -> None:
    """Raise Refused unless this is one of the priority classes."""
    if priority not in Priority.values:
        known = ", ".join(f"{value} ({label})" for value, label in Priority.choices)
        raise Refused(Problem("priority", str(priority), _("choose one of %s") % known))


def wrong_times(start_after: datetime | None, deadline: datetime | None, now: datetime) -> Iterator[Problem]:
    """Find what cannot be kept: a deadline that has passed, a start after the deadline."""
    if deadline is not None and deadline <= now:
        told = _("this has passed; it is %s now. Give a later time, or none") % _time(now)
        yield Problem("deadline", _time(deadline), told, code="in_the_past")
    elif deadline is not None and start_after is not None and start_after >= deadline:
        told = _("this is not before the deadline, %s; start earlier or move the deadline") % _time(deadline)
        yield Problem("start_after", _time(start_after), told, code="after_deadline")


def words(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept, as those of nodes are: lower case, each once, sorted."""
    return tuple(sorted({tag.strip().lower() for tag in tags if tag.strip()}))


def read_tags(tags: Iterable[str]) -> str:
    """Return tags as Job.tags, one a line. Raises Refused for what no node could have, or too many."""
    found = words(tags)
    if len(found) > MOST_TAGS:
        raise Refused(Problem("tags", str(len(found)), _("give at most %d tags") % MOST_TAGS))
    return tags_text(found)


def read_pool(name: str) -> Pool | None:
    """Find a pool by its name; None for no name. Raises Refused, naming those there are."""
    if not name:
        return None
    pool = Pool.objects.filter(name=name).first()
    if pool is None:
        names = Pool.objects.values_list("name", flat=True)
        raise Refused(_unknown("pool", name, _("no such pool; there are: %s"), names))
    return pool


def read_node(name: str) -> Node | None:
    """Find a node by its name; None for no name. Raises Refused, naming those there are."""
    if not name:
        return None
    node = Node.objects.select_related("pool").filter(name=name).first()
    if node is None:
        names = Node.objects.values_list("name", flat=True)
        raise Refused(_unknown("pinned_to", name, _("no such node; there are: %s"), names))
    return node


def check_place(pool: Pool | None, tags: str, node: Node | None) -> list[Warned]:
    """Judge pool, tags and pin together: Refused where they exclude each other, warnings where nothing fits.

    A pool or tag without a node today may have one tomorrow: the job waits, and says so.
    """
    asked = tags.split("\n") if tags else []
    if node is not None:
        _refuse_contradiction(pool, asked, node)
        return []
    nodes = Node.objects.filter(pool=pool) if pool else Node.objects.all()
    known = list(nodes.values_list("tags", flat=True)) if pool or asked else []
    if pool and not known:
        return [Warned("pool_empty", {"pool": pool.name})]
    if asked and known and not any(set(asked) <= set(has.split("\n")) for has in known):
        if pool:
            return [Warned("tags_nobody_in_pool", {"tags": ", ".join(asked), "pool": pool.name})]
        return [Warned("tags_nobody", {"tags": ", ".join(asked)})]
    return []


def too_small(node: Node | None, tier_gb: int | None) -> Iterator[Warned]:
    """Warn of a pin to a node whose memory is known not to do for this tier."""
    if node is not None and node.tier_gb is not None and tier_gb is not None and node.tier_gb < tier_gb:
        yield Warned("pin_too_small", {"node": node.name, "has": str(node.tier_gb), "need": str(tier_gb)})


def _read_place(terms: Terms, envelope: Envelope, _user: User | None) -> None:
    terms.pool = read_pool(envelope.pool)
    terms.tags = read_tags(envelope.tags)
    terms.pinned_to = read_node(envelope.pinned_to)
    terms.warnings += check_place(terms.pool, terms.tags, terms.pinned_to)


def _read_after(terms: Terms, envelope: Envelope, user: User | None) -> None:
    codes = list(dict.fromkeys(envelope.after))
    if len(codes) > MOST_AFTER:
        raise Refused(Problem("after", str(len(codes)), _("name at most %d jobs to wait for") % MOST_AFTER))
    rows = Job.objects.filter(code__in=codes).select_related("shot__sequence")
    if user is not None:
        rows = scoped(rows, user, act=Act.VIEW)
    found = {job.code: job for job in rows} if codes else {}
    problems = []
    for code in codes:
        job = found.get(code)
        if job is None:
            told = _("no such job among yours; write its code, such as J000012")
            problems.append(Problem("after", code, told, code="unknown_job"))
        elif job.state == JobState.CANCELLED:
            told = _("this job is cancelled, so its end will not come; requeue it first, or leave it out")
            problems.append(Problem("after", code, told, code="cancelled_job"))
        elif job.state in (JobState.FAILED, JobState.QUARANTINED):
            terms.warnings.append(Warned("after_failed", {"job": code, "state": job.state}))
    if problems:
        raise Refused(*problems)
    terms.after = [found[code] for code in codes]


def _refuse_contradiction(pool: Pool | None, tags: Sequence[str], node: Node) -> None:
    has = set(node.tags.split("\n")) if node.tags else set()
    missing = [tag for tag in tags if tag not in has]
    problems = []
    if pool is not None and node.pool_id != pool.pk:
        told = _("this node is not in the pool %s; leave the pool out, or pin to a node of it") % pool.name
        problems.append(Problem("pinned_to", node.name, told, code="not_in_pool"))
    if missing:
        told = _("this node lacks the tags: %s; leave them out, or pin to a node that has them") % ", ".join(
            missing
        )
        problems.append(Problem("pinned_to", node.name, told, code="without_tags"))
    if problems:
        raise Refused(*problems)


def _unknown(where: str, name: str, told: str, names: Iterable[str]) -> Problem:
    known = list(names)
    more = ", …" if len(known) > SHOWN_NAMES else ""
    listed = ", ".join(known[:SHOWN_NAMES]) + more
    return Problem(where, name, told % (listed or _("none")), code=f"unknown_{where}")


def _time(at: datetime) -> str:
    return timezone.localtime(at).isoformat(sep=" ", timespec="seconds")
