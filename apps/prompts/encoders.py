"""Which text encoders a template has, and how many tokens each makes of a text: an estimate.

No tokenizer is installed on the coordinator; their vocabularies are tens of megabytes, and some come only
inside a model file. The estimate counts words by their letters, Hangul by its syllables, and digits and
marks one by one, at rates measured for each family (docs/prompts.md tells how, and how far off they are).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from workflows.graph import is_model_file, linked_node
from workflows.load import Template

_WORDS: Final = re.compile(r"[^\W\d_가-힣ㄱ-ㆎ一-鿿぀-ヿ]+|\d|[가-힣ㄱ-ㆎ]+|[一-鿿぀-ヿ]+|[^\w\s]+|_")
_HANGUL: Final = re.compile(r"[가-힣ㄱ-ㆎ]")
_WEIGHTS: Final = re.compile(r"(?<!\\)[()]|:\s*-?[\d.]+(?=\s*\))")
"""What ComfyUI reads as emphasis, (word:1.2), and takes out of the text."""

CHUNK, POOLED, TRAINED, REFUSED, CUT = "chunk", "pooled", "trained", "refused", "cut"
"""What becomes of text beyond the limit: read in another chunk; not heard by this encoder; read, but the
model never saw so long a text in training; refused by a service; left out."""


@dataclass(frozen=True)
class Encoder:
    """A text encoder. ``limit``: tokens (of a service: characters), without the encoder's own marks.

    ``per_letter``: tokens that each letter of a word beyond the fourth adds; ``per_syllable``: tokens of a
    Hangul syllable, 0 where the vocabulary has no Hangul: then nothing of it is understood.
    """

    name: str
    title: str
    limit: int
    beyond: str
    per_word: float = 1.0
    per_letter: float = 0.06
    per_syllable: float = 2.1
    measured: bool = True

    @property
    def counts_characters(self) -> bool:
        """Whether its limit is one of characters, as services have it."""
        return self.per_word == 0


ENCODERS: Final = {
    encoder.name: encoder
    for encoder in (
        Encoder("clip", "CLIP", 75, CHUNK),
        Encoder("clip_pooled", "CLIP-L", 75, POOLED),
        Encoder("t5xxl", "T5-XXL", 512, TRAINED, per_word=1.06, per_letter=0.12, per_syllable=0),
        Encoder("umt5", "UMT5-XXL", 512, TRAINED, 1.06, 0.12, 0.9, measured=False),
        Encoder("qwen2.5-vl", "Qwen2.5-VL", 1024, TRAINED, per_letter=0.07, per_syllable=1.15),
        Encoder("qwen3", "Qwen3", 512, TRAINED, per_letter=0.07, per_syllable=1.15),
        Encoder("gemma3", "Gemma 3", 1024, TRAINED, 1.0, 0.07, 0.9, measured=False),
        Encoder("kling", "Kling", 2500, REFUSED, 0, 0, 0),
    )
}
"""Every encoder the farm knows. CLIP reads 77 tokens at once, two of them its own marks."""

_BY_FILE: Final = (
    ("umt5", "umt5"),
    ("t5xxl", "t5xxl"),
    ("t5-v1_1-xxl", "t5xxl"),
    ("clip_l", "clip"),
    ("clip_g", "clip"),
    ("qwen_2.5_vl", "qwen2.5-vl"),
    ("qwen2.5_vl", "qwen2.5-vl"),
    ("qwen_3", "qwen3"),
    ("qwen3", "qwen3"),
    ("gemma_3", "gemma3"),
    ("gemma3", "gemma3"),
)
"""Part of an encoder's file name and which encoder it is; a glyph encoder (byt5) reads quoted text only."""
_IN_CHECKPOINTS: Final = {"sd15": ("clip",), "sdxl": ("clip",), "flux": ("clip_pooled", "t5xxl")}
_LARGE: Final = frozenset({"t5xxl", "umt5", "qwen2.5-vl", "qwen3", "gemma3"})


def encoders_of(template: Template) -> tuple[str, ...]:
    """Name the encoders that read this template's positive text, () if nobody here knows them.

    They are found by the files of the loaders that the text's node takes its encoder from; a checkpoint's own
    by the base model. A service has its own limit.
    """
    manifest = template.manifest
    if "positive" not in manifest.bindings:
        return ()
    if manifest.remote is not None:
        service = manifest.remote.service.split()[0].lower() if manifest.remote.service else ""
        return (service,) if service in ENCODERS else ()
    found = _files_behind(template)
    names = list(dict.fromkeys(name for file in found for name in _named(file)))
    if not names:
        return _IN_CHECKPOINTS.get(manifest.base_model or "", ())
    if _LARGE & {*names}:  # beside a large encoder CLIP gives one summary, of its first chunk
        names = ["clip_pooled" if name == "clip" else name for name in names]
    return tuple(names)


def _files_behind(template: Template) -> list[str]:
    """The model files of nodes that the text's nodes take their encoder from, in the graph's order."""
    graph = template.graph
    found: dict[str, None] = {}
    waiting = [target.node for target in template.manifest.bindings["positive"].targets]
    seen: set[str] = set()
    while waiting:
        node_id = waiting.pop(0)
        if node_id in seen or node_id not in graph:
            continue
        seen.add(node_id)
        inputs = graph[node_id]["inputs"]
        found |= dict.fromkeys(value for value in inputs.values() if is_model_file(value))
        waiting += [
            linked
            for name, value in inputs.items()
            if "clip" in name.lower() and (linked := linked_node(value)) is not None
        ]
    return list(found)


def _named(file: str) -> tuple[str, ...]:
    base = file.replace("\\", "/").rpartition("/")[2].lower()
    return next(((name,) for part, name in _BY_FILE if part in base), ())


@dataclass(frozen=True)
class Estimate:
    """About how many tokens (of a service: characters) an encoder makes of a text, and what that means.

    ``beyond``: what becomes of the rest, "" within the limit. ``deaf``: the text holds Hangul, and this
    encoder's vocabulary has none.
    """

    encoder: str
    title: str
    tokens: int
    limit: int
    chunks: int = 1
    beyond: str = ""
    deaf: bool = False
    characters: bool = False
    measured: bool = True


def estimates(text: str, encoders: tuple[str, ...] | list[str]) -> list[Estimate]:
    """Estimate a text for each encoder, by name; a name nobody knows any more is passed over."""
    return [estimate(text, ENCODERS[name]) for name in encoders if name in ENCODERS]


def estimate(text: str, encoder: Encoder) -> Estimate:
    """Estimate how long a text is for one encoder."""
    count = len(text) if encoder.counts_characters else _tokens(text, encoder)
    over = count > encoder.limit
    return Estimate(
        encoder=encoder.name,
        title=encoder.title,
        tokens=count,
        limit=encoder.limit,
        chunks=max(1, math.ceil(count / encoder.limit)) if encoder.beyond == CHUNK else 1,
        beyond=encoder.beyond if over else "",
        deaf=not encoder.per_syllable and not encoder.counts_characters and bool(_HANGUL.search(text)),
        characters=encoder.counts_characters,
        measured=encoder.measured,
    )


def _tokens(text: str, encoder: Encoder) -> int:
    total = 0.0
    for found in _WORDS.finditer(_WEIGHTS.sub(" ", text)):
        word = found[0]
        if _HANGUL.match(word):
            total += len(word) * encoder.per_syllable if encoder.per_syllable else 2
        elif "぀" <= word[0] <= "鿿":
            total += len(word) * 1.5
        elif word[0].isalpha():
            total += encoder.per_word + encoder.per_letter * max(0, len(word) - 4)
        else:
            total += 1
    return round(total)
