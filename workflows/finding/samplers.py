"""Samplers: the nodes that make a picture or clip, and what steers each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from workflows.finding.view import Output, Place, View


@dataclass(slots=True)
class Sampler:
    """A sampler with the inputs of itself, its guider, noise and sigmas that steer it."""

    node: str
    guider: str | None
    positive: list[Place] = field(default_factory=list)
    negative: list[Place] = field(default_factory=list)
    models: list[Output] = field(default_factory=list)
    latents: list[Output] = field(default_factory=list)
    seed: Place | None = None
    steps: Place | None = None
    cfg: Place | None = None
    denoise: Place | None = None


MOST_SAMPLERS: Final = 500
"""Of a graph with more, those nearest to the primary output are looked at."""
MOST_STAGES: Final = 30
SEEDS: Final = ("seed", "noise_seed")
CFGS: Final = ("cfg", "cfg_conds")
AGAINST: Final = ("negative", "cond2")
"""Names of conditioning that is steered away from; the second of two is where pictures alone steer."""


def samplers_of(view: View, reached: Mapping[str, int]) -> list[Sampler]:
    """Every sampler: the one nearest to the primary output, before it the stages it goes on from (the
    first stage first), then others by their distance."""
    nearest = sorted(view.graph, key=lambda node: reached.get(node, len(view.graph) + 1))
    nodes = islice((node for node in nearest if _is_sampler(view, node)), MOST_SAMPLERS)
    found = [_read(view, node) for node in nodes]
    if not found:
        return []
    # of several stages on one latent the first decides what is seen: it stands first
    stages = latents_of(view, found[0])
    early = [sampler for sampler in found[:MOST_STAGES] if sampler.node in stages]
    before = {sampler.node: latents_of(view, sampler) for sampler in early}
    first = sorted(early, key=lambda sampler: sum(node in before[sampler.node] for node in before))
    return [*first, *(sampler for sampler in found if sampler.node not in before)]


def latents_of(view: View, sampler: Sampler) -> set[str]:
    """A sampler, and the nodes whose latent it goes on from."""
    return {sampler.node, *(node for latent in sampler.latents for node, _ in view.back(latent, "LATENT"))}


def _is_sampler(view: View, node: str) -> bool:
    given = view.given(node)
    noisy = any(name in given for name in SEEDS) or bool(view.linked(node, "NOISE"))
    if not noisy:
        return False
    if view.linked(node, "GUIDER"):
        return True
    conditioned = bool(view.linked(node, "CONDITIONING")) or {"positive", "negative"} <= given.keys()
    return conditioned and (bool(view.linked(node, "MODEL")) or "model" in view.links(node))


def _read(view: View, node: str) -> Sampler:
    guider_link = next(iter(view.linked(node, "GUIDER").values()), None)
    guider = guider_link[0] if guider_link else None
    sampler = Sampler(node, guider)
    for owner in [node, guider] if guider else [node]:
        _conditioning(view, owner, sampler)
        sampler.models += view.linked(owner, "MODEL").values()
        sampler.cfg = next(((owner, name) for name in CFGS if name in view.given(owner)), sampler.cfg)
    if not sampler.models and "model" in view.links(node):
        sampler.models.append(view.links(node)["model"])
    sampler.latents = list(view.linked(node, "LATENT").values())
    sampler.seed = _seed(view, node)
    sampler.steps, sampler.denoise = _schedule(view, node)
    return sampler


def _conditioning(view: View, owner: str, sampler: Sampler) -> None:
    names = view.linked(owner, "CONDITIONING") or {
        name: link for name, link in view.links(owner).items() if name in ("positive", "negative")
    }
    for name in names:
        against = any(word in name for word in AGAINST)
        (sampler.negative if against else sampler.positive).append((owner, name))


def _seed(view: View, node: str) -> Place | None:
    if view.value((node, "add_noise")) in ("disable", False):
        return None
    noise = next(iter(view.linked(node, "NOISE").values()), None)
    owner = noise[0] if noise else node
    return next(((owner, name) for name in SEEDS if name in view.given(owner)), None)


def _schedule(view: View, node: str) -> tuple[Place | None, Place | None]:
    """The inputs for steps and denoise, of the sampler itself or of where its sigmas come from."""
    owners = [node]
    for link in view.linked(node, "SIGMAS").values():
        owners += [owner for owner, _ in view.back(link, "SIGMAS")]
    steps = next(((owner, "steps") for owner in owners if "steps" in view.given(owner)), None)
    denoise = next(((owner, "denoise") for owner in owners if "denoise" in view.given(owner)), None)
    return steps, denoise
