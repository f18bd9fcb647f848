"""``farm models|proofs|prove``: which model lies where, how to fetch what is missing, golden renders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.show import bytes_text
from apps.desk.terminal.answer import Answer
from apps.desk.terminal.text import Paint, clean, table
from apps.nodes.models import Node
from apps.renders.proofs import NOTHING, standings
from apps.renders.services.proving import prove
from apps.renders.stock import (
    WORDS,
    Matrix,
    Row,
    Standing,
    downloads,
    matrix,
    needs_of,
    row_json,
    stocked_nodes,
    templates_named,
)
from workflows.downloads import as_rows, as_text

TONES: Final = {
    Standing.PRESENT: "green",
    Standing.UNSURE: "grey",
    Standing.OTHER: "red",
    Standing.MISSING: "amber",
}
SHOWN_HASH: Final = 12


def models(
    names: Sequence[Node] | None,
    paint: Paint,
    *,
    template: str = "",
    missing: bool = False,
    everything: bool = False,
    script: str = "",
) -> Answer:
    """Each model file and how it stands on each node; with ``script`` the lines that fetch what is missing.

    Raises Refused.
    """
    wanted = None if names is None else {node.pk for node in names}
    nodes = [node for node in stocked_nodes() if wanted is None or node.pk in wanted]
    found = matrix(nodes, needs_of(templates_named(template)), everything=everything and not script)
    if missing or script:
        found = found.only_missing()
    files = downloads(found)
    data = {
        "template": template,
        "nodes": [node.name for node in nodes],
        "models": [row_json(row) for row in found.rows],
        "downloads": as_rows(files),
    }
    if script:
        return Answer(as_text(files, script, title=_title(found, template)).splitlines(), data)
    lines = [line for row in found.rows for line in _lines(row, paint)]
    return Answer(lines or [_("Nothing is missing.") if missing else _("No model file.")], data)


def prove_template(node: Node, template: str, *, user: User) -> Answer:
    """Ask a node for a golden render of a template. Raises Refused, NotAllowed."""
    (row,) = templates_named(template)
    proof = prove(row, node, user=user)
    told = _(
        "%(node)s is asked for a golden render of %(version)s: it renders it when it has nothing else to do."
    )
    data = {"proof": str(proof.pk), "node": node.name, "template": template, "state": proof.state}
    return Answer([told % {"node": node.name, "version": proof.version}], data)


def proofs(paint: Paint) -> Answer:
    """How every offered template stands on every node."""
    nodes, templates = stocked_nodes(), templates_named()
    versions = [template.current for template in templates if template.current is not None]
    known = standings(nodes, versions)
    slugs = {template.current_id: template.slug for template in templates}
    shown, data = [], []
    for version in versions:
        for node in nodes:
            standing = known.get((version.pk, node.pk), NOTHING)
            proof, slug = standing.proof, slugs[version.pk]
            seconds = f"{proof.execute_s:.1f} s" if proof and proof.execute_s else ""
            message = proof.message if proof else ""
            shown.append(
                [slug, clean(node.name), str(standing.label), seconds, _simulated(proof), clean(message)]
            )
            data.append(
                {
                    "template": slug,
                    "node": node.name,
                    "standing": str(standing.word),
                    "execute_s": proof.execute_s if proof else None,
                    "peak_mib": proof.peak_mib if proof else None,
                    "simulated": proof.simulated if proof else None,
                    "message": message,
                }
            )
    headings = [_("template"), _("node"), _("golden render"), _("time"), "", _("reason")]
    return Answer(table(shown, headings, right=(3,)) if shown else [_("No node.")], {"proofs": data})


def _simulated(proof: Any) -> str:
    return "SIMULATED" if proof is not None and proof.simulated else ""


def _title(found: Matrix, template: str) -> str:
    what = template or _("all offered templates")
    nodes = ", ".join(node.name for node in found.nodes)
    return _("Model files of %(what)s missing on %(nodes)s") % {"what": what, "nodes": nodes or "–"}


def _lines(row: Row, paint: Paint) -> list[str]:
    """The file, and under it one line for each way it stands, with the nodes where it does."""
    size = bytes_text(row.size) if row.size is not None else _("size unknown")
    by = ", ".join(row.need.templates) if row.need else _("needed by no offered template")
    lines = [f"{clean(row.path)}  {size}  {paint(clean(by), 'grey')}"]
    groups: dict[tuple[Standing, str, str], list[str]] = {}
    for cell in row.cells:
        groups.setdefault((cell.standing, cell.sha256, cell.because), []).append(clean(cell.node.name))
    for (standing, sha256, because), names in groups.items():
        told = [paint(str(WORDS[standing]), TONES[standing]), sha256[:SHOWN_HASH], clean(because)]
        lines.append(f"    {', '.join(names)}: {'  '.join(filter(None, told))}")
    if row.conflict:
        lines.append("    " + paint(_("contents differ: renders would differ"), "red"))
    return lines
