"""Give the nodes of subgraph definitions numbers of their own, as ComfyUI's client does on opening a file.

Copies of one subgraph hold the same node numbers, but values are kept by number. So numbers of the root
graph are reserved, and in each definition, in the file's order, a number met before is replaced by the
next one never given. Ids that are no numbers stay.
"""

from __future__ import annotations

from workflows.convert.document import Document, Graph


def renumber(document: Document) -> None:
    """Renumber the definitions of ``document`` in place, with their links."""
    used = {node.number for node in document.root.nodes if node.number is not None}
    last = document.last_number
    for definition in document.definitions.values():
        changed: dict[str, str] = {}
        for node in definition.nodes:
            if node.number is None:
                continue
            if node.number in used:
                last = _next_free(used, last)
                changed[node.id] = str(last)
                node.number, node.id = last, str(last)
            else:
                last = max(last, node.number)
            used.add(node.number)
        if changed:
            _follow(definition, changed)


def _next_free(used: set[int], last: int) -> int:
    last += 1
    while last in used:
        last += 1
    return last


def _follow(definition: Graph, changed: dict[str, str]) -> None:
    for link in definition.links.values():
        link.origin = changed.get(link.origin, link.origin)
        link.target = changed.get(link.target, link.target)
    definition.by_id = {node.id: node for node in definition.nodes}
