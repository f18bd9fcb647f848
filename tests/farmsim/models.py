"""The models of the simulated farm: what each needs of a card, how long it renders, how long it loads.

``data/models.csv`` holds figures found in public sources (its columns ``source`` and ``source_kind`` say
where) and, where none was found, our estimates. Times are seconds on the card each source measured.
"""

from __future__ import annotations

import copy
import csv
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workflows.load import Template, load, template_from

TABLE: Final = Path(__file__).with_name("data") / "models.csv"
PATTERN: Final = "sd15_t2i"
"""The packaged template whose graph every simulated one shares: a loader, a sampler, a saved picture."""
FOLDER: Final = "checkpoints"
LARGEST_SIDE: Final = 2048


@dataclass(frozen=True, kw_only=True)
class Model:
    """One row of the table. ``tier_gb``: declared need; ``peak_gb``: what really fits a card or does not.

    ``warm_s``: a render with the model loaded; ``load_s``: what loading adds. A clip's ``frames`` count in
    its time only: what is stored is one picture, labelled SIMULATED.
    """

    slug: str
    title: str
    file: str
    tier_gb: int
    peak_gb: float
    weights_gb: float
    width: int
    height: int
    frames: int
    warm_s: float
    load_s: float


@functools.cache
def models() -> dict[str, Model]:
    """Read the table, by slug."""
    with TABLE.open(newline="") as file:
        rows = [_model(row) for row in csv.DictReader(file)]
    return {model.slug: model for model in rows}


def _model(row: dict[str, str]) -> Model:
    read: dict[str, Any] = {name: text for name, text in row.items() if not name.startswith("source")}
    read |= {name: int(row[name]) for name in ("tier_gb", "width", "height", "frames")}
    read |= {name: float(row[name]) for name in ("peak_gb", "weights_gb", "warm_s", "load_s")}
    return Model(**read)


@functools.cache
def by_file() -> dict[str, Model]:
    """The table by model file, as an order's graph names it."""
    return {model.file: model for model in models().values()}


def templates(slugs: Sequence[str] = ()) -> list[Template]:
    """Make a workflow template per model (all, or these): a real graph of core nodes with that model."""
    return [_template(models()[slug]) for slug in slugs or models()]


def _template(model: Model) -> Template:
    pattern = load(PATTERN)
    graph: dict[str, Any] = copy.deepcopy(dict(pattern.graph))
    manifest = copy.deepcopy(pattern.document)
    file = manifest["models"][0]
    graph[file["node"]]["inputs"][file["input"]] = model.file
    file["name"] = model.file
    for side in ("width", "height"):
        manifest["bindings"][side]["max"] = LARGEST_SIDE
        manifest["defaults"][side] = getattr(model, side)
    manifest |= {
        "slug": model.slug,
        "title": {"en": f"SIMULATED {model.title}", "ko": f"SIMULATED {model.title}"},
        "description": {"en": "Of the farm simulator.", "ko": "팜 시뮬레이터용입니다."},
        "vram": [
            {
                "precision": "fp16",
                "max_pixels": model.width * model.height,
                "gb": model.tier_gb,
                "evidence": "tests/farmsim/data/models.csv",
                "source": "tests/farmsim/data/models.csv",
                "source_kind": "estimate",
            }
        ],
        "models": [file],
    }
    return template_from(graph, manifest)
