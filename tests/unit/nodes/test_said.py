"""What nodes say in fixed sentences, and what people read for it: two sides that share no code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from apps.nodes import words
from apps.nodes.said import SAID
from apps.nodes.words import reason_in_words

ROOT: Final = Path(__file__).resolve().parents[3]
SPEAKERS: Final = (*sorted((ROOT / "workers").glob("*.py")), ROOT / "apps/nodes/services/silence.py")
PLACE: Final = re.compile(r"%\((\w+)\)s")

SPOKEN: Final = (
    "ComfyUI does not answer: connection refused",
    "the GPU's driver has not answered a look for 120 s",
    "tier 24 lowered to 16: other processes hold 6144 MiB",
    "this node's spool disk at / is full (1 MiB free, 9 needed); make room there, and work goes on by itself",
    "the artifact store at /mnt/store is full; make room there, and work goes on by itself: 3 MiB are free",
    "no report for 30 s",
)


def texts(node: ast.AST) -> Iterator[str]:
    """Every text a module writes, with "\0" where something is filled in."""
    for part in ast.walk(node):
        if isinstance(part, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "\0" for one in part.values)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def written() -> list[tuple[re.Pattern[str], int]]:
    """What workers write, as patterns, and how much of each is always said."""
    found = {text for path in SPEAKERS for text in texts(ast.parse(path.read_text()))}
    return [
        (re.compile(re.escape(text).replace("\0", ".+")), len(text.replace("\0", "")))
        for text in found
        if text.strip("\0 ")
    ]


@pytest.mark.parametrize("sentence", SAID)
def test_every_sentence_is_one_that_a_worker_says(sentence: str) -> None:
    spoken, fixed = PLACE.sub("17", sentence), len(PLACE.sub("", sentence))
    said = max(length for pattern, length in written() if pattern.search(spoken))
    assert said >= fixed / 2, f"no worker says this any more: {sentence}"


@pytest.mark.parametrize("spoken", SPOKEN)
def test_what_a_node_says_is_said_in_the_readers_language(
    spoken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "now_", lambda told: f"<{told}>")
    said = reason_in_words(spoken)
    assert said == f"<{spoken}>"


def test_what_nobody_knows_stays_as_it_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "now_", lambda told: f"<{told}>")
    assert reason_in_words("my GPU is on fire") == "my GPU is on fire"
