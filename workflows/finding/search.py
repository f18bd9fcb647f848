"""The whole search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workflows.catalogue import ObjectInfo
from workflows.finding import lengths, media, models, numbers, saving, texts
from workflows.finding.found import Candidate, Found, FoundOutput, FoundSampler, Why
from workflows.finding.samplers import MOST_SAMPLERS, Sampler, samplers_of
from workflows.finding.texts import drawing_samplers
from workflows.finding.view import View
from workflows.finding.words import why
from workflows.graph import Graph
from workflows.manifest import MEDIA
from workflows.roles import ROLES

ORDER: Final = (
    "positive", "negative", "first_frame", "last_frame", "video", "reference",
    *(f"reference_{count}" for count in range(2, 10)), "control", "mask", "audio", "seed", "width", "height",
    "frames", "fps", "steps", "cfg", "guidance", "strength", "model", "filename_prefix",
)  # fmt: skip


def find(graph: Graph, object_info: ObjectInfo) -> Found:
    """Say which inputs of a graph stand for which role. Raises nothing for a graph in API format.

    Classes that the catalogue lacks are judged by the names of their inputs, and are never sure.
    """
    view = View(graph, object_info)
    outputs, notes = saving.outputs(view)
    primary = outputs[0] if outputs and outputs[0].kind in ("image", "video") else None
    reached = view.above([primary.node] if primary else [output.node for output in outputs])
    every = samplers_of(view, reached)
    drawing = drawing_samplers(view, every)
    live = [sampler for sampler in every if sampler.node in reached and sampler.node not in drawing]
    if not live:
        notes.append(why("no_sampler"))
    candidates, more = _candidates(view, live, reached, outputs, drawing)
    places = models.lora_places(view, live)
    picked = models.model(view, places)
    if view.is_exhausted or len(every) == MOST_SAMPLERS:
        notes.append(why("too_large"))
    return Found(
        candidates=_sorted([*candidates, *([picked] if picked else [])]),
        outputs=outputs,
        loras=places,
        models=models.model_files(view),
        samplers=tuple(_told(view, sampler) for sampler in every),
        notes=_once([*notes, *more, *_unknown(view)]),
    )


def _candidates(
    view: View,
    live: Sequence[Sampler],
    reached: dict[str, int],
    outputs: Sequence[FoundOutput],
    drawing: frozenset[str],
) -> tuple[list[Candidate], list[Why]]:
    nodes, primary = list(reached), outputs[0] if outputs else None
    notes: list[Why] = []
    found: list[Candidate | None] = []
    for role in ("positive", "negative"):
        candidate, told = texts.prompt(view, role, live)
        found.append(texts.with_makers(view, role, candidate, live, reached))
        notes += told
    sizes, maker, told = numbers.size(view, live, nodes if primary and primary.kind in MEDIA else ())
    found += sizes
    notes += told
    found += [
        numbers.seed(view, live, nodes),
        lengths.frames(view, maker, nodes, primary),
        numbers.cfg(view, live),
        numbers.guidance(view, live),
        numbers.strength(view, live, nodes),
        saving.prefix(view, outputs),
    ]
    for one, told in (lengths.fps(view, nodes), numbers.steps(view, live)):
        found.append(one)
        notes += told
    saved = view.above([output.node for output in outputs])
    files, told = media.files(view, _in_order(view, primary), media.Ways(reached, saved, drawing))
    found += files
    return _without_shared([one for one in found if one]), [*notes, *told]


def _in_order(view: View, primary: FoundOutput | None) -> list[str]:
    """Nodes as one meets them from the primary output back, each node's inputs from first to last."""
    seen: dict[str, None] = {}
    waiting = [primary.node] if primary else []
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen[node] = None
            waiting.extend(origin for origin, _ in reversed(list(view.links(node).values())))
    return list(seen)


def _without_shared(found: Sequence[Candidate]) -> list[Candidate]:
    """No input has two roles: a negative text that is the positive one, too, is none of its own."""
    taken: set[tuple[str, str]] = set()
    kept = []
    for candidate in found:
        places = {(target.node, target.input) for target in candidate.targets}
        if not places & taken:
            kept.append(candidate)
            taken |= places
    return kept


def _sorted(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    known = [*ORDER, *(role for role in ROLES if role not in ORDER)]
    return tuple(sorted(found, key=lambda candidate: known.index(candidate.role)))


def _told(view: View, sampler: Sampler) -> FoundSampler:
    return FoundSampler(
        node=sampler.node,
        class_type=view.class_of(sampler.node),
        positive=texts.texts_of(view, "positive", sampler.positive),
        negative=texts.texts_of(view, "negative", sampler.negative),
    )


def _unknown(view: View) -> list[Why]:
    unknown = [node for node in view.graph if not view.info(node)]
    return [why("unknown_class", node=view.named(node)) for node in unknown[:20]]


def _once(notes: Sequence[Why]) -> tuple[Why, ...]:
    return tuple({note.text: note for note in notes}.values())
