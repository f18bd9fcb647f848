"""Which custom nodes a graph needs, as far as its file and the server it was converted for tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.catalogue import COMBO, ObjectInfo, recorded
from workflows.convert.virtual import VIRTUAL
from workflows.graph import Graph, is_model_file

CORE: Final = "comfy-core"
REGISTRY: Final = "https://registry.comfy.org/nodes/"
CUSTOM_NODES: Final = "custom_nodes."
LONGEST: Final = 200
_KEPT: Final = ("input", "input_order", "output", "output_name", "output_node", "display_name")


@dataclass(frozen=True, slots=True)
class Named:
    """A pack as the file of a workflow names it; "" where it does not."""

    name: str
    repository: str
    version: str


def draft_packs(graph: Graph, object_info: ObjectInfo, document: object = None) -> list[dict[str, Any]]:
    """Return a manifest's ``packs`` for what the recorded ComfyUI lacks, by pack, in the graph's order.

    ``document``: the file in UI format, whose nodes say where they come from. What nobody says stays "". The
    classes are described as ``object_info`` has them; those that it lacks too are described by nothing.
    """
    named = dict(_named(document))
    core = recorded()
    classes = dict.fromkeys(
        node["class_type"] for node in graph.values() if isinstance(node["class_type"], str)
    )
    if any(node["class_type"] is None for node in graph.values()):
        classes |= dict.fromkeys(kind for kind in named if kind not in object_info)
    packs: dict[Named, dict[str, Any]] = {}
    for kind in classes:
        if kind not in core and kind not in VIRTUAL:
            known = object_info.get(kind)
            pack = named.get(kind) or Named(_folder(known), "", "")
            row = packs.setdefault(
                pack,
                {"name": pack.name, "repository": pack.repository, "version": pack.version, "classes": {}},
            )
            row["classes"][kind] = _described(known) if known else {}
    return list(packs.values())


def _named(document: object) -> Iterator[tuple[str, Named]]:
    """What the nodes of a file say of their classes: ``cnr_id``, ``aux_id`` and ``ver`` of the registry."""
    for node in _nodes(document):
        kind, told = node.get("type"), node.get("properties")
        if not isinstance(kind, str) or not isinstance(told, Mapping):
            continue
        registry, source, version = (_text(told.get(name)) for name in ("cnr_id", "aux_id", "ver"))
        if registry == CORE or not (registry or source):
            continue
        owner, slash, repository = source.partition("/")
        address = f"https://github.com/{source}" if owner and slash and repository else ""
        yield kind, Named(repository or registry, address or f"{REGISTRY}{registry}", version)


def _nodes(document: object) -> Iterator[Mapping[str, Any]]:
    """The nodes of a file in UI format, of its subgraphs and group nodes too; nothing of anything else."""
    waiting, left = [document], 1_000
    while waiting and left:
        part, left = waiting.pop(0), left - 1
        if not isinstance(part, Mapping):
            continue
        yield from (node for node in _list(part.get("nodes")) if isinstance(node, Mapping))
        inner, extra = part.get("definitions"), part.get("extra")
        waiting += _list(inner.get("subgraphs")) if isinstance(inner, Mapping) else []
        groups = extra.get("groupNodes") if isinstance(extra, Mapping) else None
        waiting += groups.values() if isinstance(groups, Mapping) else []


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value.strip()[:LONGEST] if isinstance(value, str) and value.isprintable() else ""


def _folder(known: Mapping[str, Any] | None) -> str:
    """The folder of custom_nodes/ that a server says a class comes from."""
    module = _text((known or {}).get("python_module"))
    return module.removeprefix(CUSTOM_NODES) if module.startswith(CUSTOM_NODES) else ""


def _described(known: Mapping[str, Any]) -> dict[str, Any]:
    """What a catalogue says of a class, without the files that happen to lie on its server."""
    kept = {name: known[name] for name in _KEPT if name in known}
    kept["input"] = {
        section: {name: _without_files(spec) for name, spec in (inputs or {}).items()}
        for section, inputs in known["input"].items()
        if section != "hidden" and isinstance(inputs, Mapping | None)
    }
    return kept


def _without_files(spec: Any) -> Any:
    match spec:
        case [list(options), *rest] if any(map(is_model_file, options)):
            return [[], *rest]
        case [str(kind), {"options": list(options)} as facts] if kind == COMBO:
            return [kind, facts | {"options": []}] if any(map(is_model_file, options)) else spec
    return spec
