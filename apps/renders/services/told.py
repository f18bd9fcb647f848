"""A report beside the attempt it is about, as the database has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from apps.common.ids import uuid_in
from apps.nodes.models import Node
from apps.renders.models import Attempt
from apps.renders.services.ended import Ended
from apps.renders.services.giveback import Columns
from farm.contracts import RenderReport, to_json

MOST_LINES: Final = 300
"""Log lines kept of one report. A node sends fewer."""
LATEST: Final = 4e9
"""Seconds since 1970: the year 2096. What a node says of a later time has none."""

LONGEST_RENDER_S: Final = 7 * 24 * 3600.0
"""A node that says more has a broken clock."""

MOST_MIB: Final = 4 * 1024 * 1024
"""No card has four tebibytes."""


@dataclass(frozen=True)
class Told:
    """What a report says of an attempt. ``node_id``: the node that says it; None if it is not known here."""

    report: RenderReport
    attempt: Attempt
    node_id: UUID | None = None

    @property
    def is_current(self) -> bool:
        """The job waits for this attempt."""
        return self.attempt.job.token == self.attempt.token

    @property
    def execute_s(self) -> float:
        """Seconds on the GPU; what cannot be a duration counts nothing."""
        told = self.report.timings.execute_s
        return told if 0 < told < LONGEST_RENDER_S else 0.0

    @property
    def peak_mib(self) -> int | None:
        """The most memory ComfyUI held meanwhile, in MiB; None if its node does not say."""
        peak: int | None = getattr(self.report, "peak_mib", None)
        return peak if peak is None or 0 < peak < MOST_MIB else None

    def ended(self) -> Ended:
        """Return what others learn of a success."""
        return Ended(attempt=self.attempt, execute_s=self.execute_s, peak_mib=self.peak_mib)

    @property
    def facts(self) -> Columns:
        """What the attempt keeps of its report: all of it, and what lists show in columns."""
        failure = self.report.failure
        told = to_json(self.report)
        lines = [line for line in told.pop("log") if 0 <= line["at"] < LATEST]  # NaN is no JSON, nor a time
        return {
            "log": lines[-MOST_LINES:],
            "report": told,
            "prompt_id": self.report.prompt_id,
            "node_id": self.node_id or self.attempt.node_id,
            "failure_class": failure.failure_class if failure else self.attempt.failure_class,
            "failure_message": failure.message if failure else self.attempt.failure_message,
        }


_READ: Final = (
    *("number", "state", "token", "tier_gb", "card_gb", "explores", "node_epoch", "report"),
    *("accepted_at", "executing_at", "finished_at", "failure_class", "failure_message"),
    *("node__name", "node__worker", "node__tier_gb"),
    *("job__code", "job__kind", "job__stage", "job__take_number", "job__seed"),
    *("job__state", "job__token", "job__lane_id"),
    *(
        "job__prompt_build_id",
        "job__precision",
        "job__width",
        "job__height",
        "job__frames",
        "job__length",
        "job__lora_files",
    ),
    *(
        "job__need_gb",
        "job__tier_gb",
        "job__floor_gb",
        "job__avoids",
        "job__pool_id",
        "job__tags",
        "job__pinned_to_id",
    ),
    *("job__attempts_used", "job__attempt_budget", "job__free_retries", "job__crashes", "job__failure_class"),
    *("job__project__code", "job__shot__project_id", "job__shot__code"),
    *("job__template_version__number", "job__template_version__template__slug"),
)
"""What recording reads. Lists of models, graphs and texts are long, and here nobody looks at them."""


def attempts_of(reports: Iterable[RenderReport]) -> dict[UUID | None, Attempt]:
    """Read the attempts that these reports are about, by their keys, with job, shot, project and node."""
    keys = {key for report in reports if (key := uuid_in(report.attempt_id))}
    rows = Attempt.objects.select_related(
        "job__project", "job__shot", "job__template_version__template", "node"
    )
    return {attempt.pk: attempt for attempt in rows.only(*_READ).filter(pk__in=keys)}


def with_nodes(told: Mapping[int, Told]) -> dict[int, Told]:
    """Add which node speaks; nothing is asked where it is the one that has the attempt."""
    known = {one.attempt.node.name: one.attempt.node.pk for one in told.values() if one.attempt.node}
    unknown = {one.report.node for one in told.values()} - set(known)
    if unknown:
        known |= dict(Node.objects.filter(name__in=unknown).values_list("name", "pk"))
    return {index: replace(one, node_id=known.get(one.report.node)) for index, one in told.items()}
