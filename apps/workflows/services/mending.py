"""A draft whose graph lacks an input: a person chooses what it takes, and it is read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.services.recording import changing
from apps.workflows.catalogues import catalogue_or_recorded
from apps.workflows.models import WorkflowImport
from apps.workflows.services.importing import closed, drafted, findings, move_open
from apps.workflows.services.managing import require_import
from apps.workflows.states import ImportState
from workflows.mending import ABSENT, Offer, connected, offers


def offers_of(row: WorkflowImport) -> list[Offer]:
    """The inputs that a draft's graph lacks, of very many the first, each with the outputs it could take."""
    if row.state != ImportState.DRAFT:
        return []
    absent = _absent(row)
    return offers(row.graph, catalogue_or_recorded(row.catalogue), absent) if absent else []


def _absent(row: WorkflowImport) -> list[tuple[str | None, str | None]]:
    return [(one["node"], one["input"]) for one in row.problems if one["code"] == ABSENT]


def connect(row: WorkflowImport, *, node: str, name: str, source: str, slot: int, user: User) -> None:
    """Let an absent input of a draft take an output of its graph; what a person filled in stays.

    The file stays as it was brought: to convert it again takes the link back. Raises NotAllowed; Conflict if
    the draft is closed; Refused if nothing is missing there, or the output is none that it takes.
    """
    require_import(user)
    with changing(WorkflowImport, [row.pk], actor=user):
        row.refresh_from_db()  # of two who connect at once, the second goes on from what the first made
        if row.state != ImportState.DRAFT:
            raise closed(row)
        _connect(row, node, name, source, slot, user)
    row.refresh_from_db()


def _connect(row: WorkflowImport, node: str, name: str, source: str, slot: int, user: User) -> None:
    object_info = catalogue_or_recorded(row.catalogue)
    wanted = [one for one in _absent(row) if one == (node, name)]
    offer = next(iter(offers(row.graph, object_info, wanted)), None)
    if offer is None:
        told = _("no input of this name is missing there, or nothing in the graph fits it")
        raise Refused(Problem("input", f"{node} {name}"[:80], told, code="not_absent"))
    taken = next((one for one in offer.sources if (one.node, one.slot) == (source, slot)), None)
    if taken is None:
        told = _("it takes one of %(sources)s") % {"sources": ", ".join(map(str, offer.sources))}
        raise Refused(Problem("output_of", f"{source}:{slot}"[:80], told, code="unfit"))
    graph = connected(row.graph, offer, taken)
    before, after = (drafted(one, object_info, row.file_name) for one in (row.graph, graph))
    changes = {
        "graph": graph,
        "problems": findings(graph, object_info),
        "manifest": after | _by_hand(row.manifest, before),
    }
    move_open(row, ImportState.DRAFT, user, reason=f"{node}.{name} takes {source}:{slot}", changes=changes)


def _by_hand(manifest: Mapping[str, Any], drafted_before: Mapping[str, Any]) -> dict[str, Any]:
    """What a person, or the file itself, said beside what the graph told."""
    return {key: value for key, value in manifest.items() if drafted_before.get(key) != value}
