"""What is paused and what is limited on the farm, as people see it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.utils.safestring import SafeString

from apps.common.show import bar
from apps.renders.models import Attempt, Hold, Limit


@dataclass(frozen=True)
class Use:
    """A limit and how much of it is taken: attempts on a node, or on their way to one."""

    limit: Limit
    templates: tuple[str, ...]
    in_flight: int

    @property
    def full(self) -> bool:
        """Nothing more may start."""
        return self.in_flight >= self.limit.most


def holds() -> dict[str, Hold]:
    """Everything that is paused, by scope."""
    return {hold.scope: hold for hold in Hold.objects.all()}


def uses(limits: Iterable[Limit] | None = None) -> list[Use]:
    """Each limit with its present use, in a constant number of queries."""
    rows = list(Limit.objects.all() if limits is None else limits)
    if not rows:
        return []
    held = Attempt.objects.filter(holds_slot=True)
    busy = Counter(held.values_list("job__template_version__template_id", flat=True))
    slugs: dict[UUID, list[str]] = defaultdict(list)
    taken: Counter[UUID] = Counter()
    through = Limit.templates.through.objects.filter(limit__in=rows)
    for limit_id, template_id, slug in through.order_by("workflowtemplate__slug").values_list(
        "limit_id", "workflowtemplate_id", "workflowtemplate__slug"
    ):
        slugs[limit_id].append(slug)
        taken[limit_id] += busy[template_id]
    return [Use(row, tuple(slugs[row.pk]), taken[row.pk]) for row in rows]


def use_bar(use: Use) -> SafeString:
    """Show how much of a limit is taken."""
    part = use.in_flight / use.limit.most if use.limit.most else 1.0
    return bar(part, tone="amber" if use.full else "violet", text=f"{use.in_flight} / {use.limit.most}")
