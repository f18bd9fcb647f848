"""Failure rules at work: read once, asked for every failure, read again when somebody edits them.

Patterns are RE2: whatever an operator writes, a search takes time linear in the text (ADR 0028).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import re2
from django.db import transaction
from django.db.models import Count, F, Max, Sum

from apps.renders.models import Action, FailureRule, Job
from farm.contracts import Failure

logger = logging.getLogger(__name__)

LONGEST_TEXT: Final = 4_000
"""Characters of a failure that are searched, from its beginning."""
LARGEST_PATTERN: Final = 1 << 20
"""Bytes a compiled pattern may take; a{1000}{1000} is refused, not compiled."""


class BadPattern(ValueError):
    """Not a regular expression RE2 can search for. The message is RE2's own."""


@dataclass(frozen=True)
class Rule:
    """A row as failures are held against it. ``key`` None: no row, what is left when no rule fits."""

    key: UUID | None
    name: str
    action: str
    failure_class: str = ""
    advice: str = ""
    reported_class: str = ""
    template_id: UUID | None = None
    pattern: Any = None

    def fits(self, reported: str, words: str, template_id: UUID | None) -> bool:
        """Tell whether a failure is one of those it speaks of."""
        return (
            self.reported_class in ("", reported)
            and self.template_id in (None, template_id)
            and (self.pattern is None or self.pattern.search(words[:LONGEST_TEXT]) is not None)
        )

    @property
    def catches_all(self) -> bool:
        """It speaks of every failure: what comes this far nobody has foreseen."""
        return not self.reported_class and self.template_id is None and self.pattern is None


NO_RULE: Final = Rule(None, "", Action.RETRY)


@dataclass(frozen=True)
class Rules:
    """The active rules, in their order."""

    rows: tuple[Rule, ...]

    def winner(self, reported: str, words: str = "", template_id: UUID | None = None) -> Rule:
        """Return the first rule that fits a failure reported as this class in these words."""
        fitting = (rule for rule in self.rows if rule.fits(reported, words, template_id))
        return next(fitting, NO_RULE)

    def winner_for(self, job: Job, reported: str, words: str = "") -> Rule:
        """Return the first rule that fits a failure of this job."""
        named = any(rule.template_id for rule in self.rows)  # else the template need not be read
        return self.winner(reported, words, job.template_version.template_id if named else None)

    def empties_caches_after(self, failure_class: str) -> bool:
        """Tell whether a job that failed so is tried once more with ComfyUI's caches emptied."""
        once = (rule for rule in self.rows if rule.action == Action.ONCE)
        return any((rule.failure_class or rule.reported_class) in ("", failure_class) for rule in once)


def words_of(failure: Failure) -> str:
    """What patterns are searched in: code, exception and message as its node told them."""
    return f"{failure.code} {failure.exception_type}: {failure.message}"


def compiled(pattern: str) -> Any:
    """Compile a pattern. Raises BadPattern with RE2's words."""
    options = re2.Options()
    options.case_sensitive, options.dot_nl = False, True
    options.log_errors, options.max_mem = False, LARGEST_PATTERN
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        told = error.args[0] if error.args else ""
        raise BadPattern(told.decode(errors="replace") if isinstance(told, bytes) else str(told)) from error


def current() -> Rules:
    """The rules as they stand: one small query, and another only after somebody edited them."""
    stamp = FailureRule.objects.filter(active=True).aggregate(
        count=Count("pk"), edits=Sum("row_version"), last=Max("updated_at")
    )
    return _read(tuple(stamp.values()))


def count_match(rule: Rule) -> None:
    """Count that this rule won, once the transaction stands. A statistic: it holds nobody up."""
    if rule.key is not None:
        rows = FailureRule.objects.filter(pk=rule.key)
        transaction.on_commit(lambda: rows.update(matches=F("matches") + 1), robust=True)


@lru_cache(maxsize=1)
def _read(stamp: tuple[object, ...]) -> Rules:
    rows = FailureRule.objects.filter(active=True).order_by("order", "name")
    return Rules(tuple(_usable(rows)))


def _usable(rows: Iterable[FailureRule]) -> Iterable[Rule]:
    for row in rows:
        try:
            yield of_row(row)
        except BadPattern as error:  # not written by our form: the other rules still hold
            logger.error("failure rule left out", extra={"rule": row.name, "why": str(error)})


def of_row(row: FailureRule) -> Rule:
    """Return a row as a rule. Raises BadPattern."""
    return Rule(
        row.pk,
        row.name,
        row.action,
        row.failure_class,
        row.advice,
        row.reported_class,
        row.template_id,
        compiled(row.pattern) if row.pattern else None,
    )
