"""Who is told: subscriptions that want it, whose people may know it; those that exist by themselves, too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from apps.accounts.models import User
from apps.nodes.services import STEER
from apps.notices.kinds import OF_BATCHES, OF_NODES, Kind
from apps.notices.models import Road, Standing, Subscription
from apps.notices.services.occurrences import Occurrence
from apps.projects.models import Membership
from apps.projects.roles import ALLOWED, Act

STANDING_KINDS: Final = {
    Standing.OWN_BATCHES: (Kind.BATCH_DONE, Kind.BATCH_FAILED),
    Standing.FARM: (Kind.NODE_SICK, Kind.NODE_OFFLINE),
}
_VIEWERS: Final = [role for role, acts in ALLOWED.items() if Act.VIEW in acts]


class Audience:
    """The subscriptions of one turn, with what their owners may see, read once."""

    def __init__(self, happened: Sequence[Occurrence]) -> None:
        operators = _operators() if any(what.kind in OF_NODES for what in happened) else set()
        submitters = {what.submitter for what in happened if what.kind in OF_BATCHES and what.submitter}
        ensure_standing(submitters, Standing.OWN_BATCHES)
        ensure_standing(operators, Standing.FARM)
        # Chosen ones before those that stand by themselves: an inbox is told once.
        rows = Subscription.objects.filter(active=True).select_related("owner").order_by("standing", "pk")
        self.subscriptions = {row.pk: row for row in rows}
        self._operators = operators
        self._everywhere = {row.owner_id for row in rows if row.owner and row.owner.is_superuser}
        self._sees = _projects_of({row.owner_id for row in rows if row.owner_id})

    def of(self, what: Occurrence) -> Iterator[Subscription]:
        """Return who is told of this: an inbox once, whatever its owner's subscriptions."""
        inboxes: set[UUID] = set()
        for row in self.subscriptions.values():
            if not wants(row, what) or not self._may_know(row, what):
                continue
            if row.road == Road.INBOX and row.owner_id:
                if row.owner_id in inboxes:
                    continue
                inboxes.add(row.owner_id)
            yield row

    def _may_know(self, row: Subscription, what: Occurrence) -> bool:
        owner = row.owner
        if owner is None:
            return True  # whoever made the channel was allowed to
        if not owner.is_active:
            return False
        if what.project is None:
            return owner.pk in self._operators
        return owner.pk in self._everywhere or what.project in self._sees[owner.pk]


def wants(row: Subscription, what: Occurrence) -> bool:
    """Tell whether a subscription asks for this."""
    if what.kind not in row.kinds or row.project_id not in (None, what.project):
        return False
    return not row.only_mine or what.project is None or what.submitter == row.owner_id


def ensure_standing(people: Iterable[UUID], standing: Standing) -> None:
    """Give these people the subscription that everybody of their kind has, unless they have it already."""
    keys = set(people)
    if not keys:
        return
    have = Subscription.objects.filter(owner__in=keys, standing=standing).values_list("owner_id", flat=True)
    missing = keys - {owner for owner in have if owner}
    Subscription.objects.bulk_create(
        (
            Subscription(
                owner_id=key,
                standing=standing,
                road=Road.INBOX,
                only_mine=standing == Standing.OWN_BATCHES,
                kinds=[str(kind) for kind in STANDING_KINDS[standing]],
            )
            for key in sorted(missing)
        ),
        ignore_conflicts=True,
    )


def _operators() -> set[UUID]:
    people = User.objects.with_perm(STEER, backend="django.contrib.auth.backends.ModelBackend")
    return set(people.values_list("pk", flat=True))


def _projects_of(owners: set[UUID]) -> defaultdict[UUID, set[UUID]]:
    sees: defaultdict[UUID, set[UUID]] = defaultdict(set)
    rows = Membership.objects.filter(user__in=owners, role__in=_VIEWERS)
    for user, project in rows.values_list("user_id", "project_id"):
        sees[user].add(project)
    return sees
