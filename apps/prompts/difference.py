"""What differs between two prompts: word by word, and segment by segment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any, Final

Pieces = Sequence[Mapping[str, Any]]
SAME, ADDED, REMOVED, CHANGED, MOVED = "same", "added", "removed", "changed", "moved"
_WORDS: Final = re.compile(r"\s+|[^\s,.;:()]+|[,.;:()]")
MOST_WORDS: Final = 4000
"""Beyond so many words on a side, a difference is told as a whole: comparing them would take seconds."""


@dataclass(frozen=True)
class Run:
    """A stretch of text that is the same on both sides, or was added, or removed."""

    what: str
    text: str


@dataclass(frozen=True)
class SegmentChange:
    """A segment on one side or both. ``words``: the difference of its text where it changed."""

    what: str
    role: str
    source: str
    label: str
    was: str
    now: str
    words: tuple[Run, ...] = ()


@dataclass(frozen=True)
class PromptDifference:
    """All that differs. ``facts``: what else is not the same: ``{"channel": [was, now]}``."""

    positive: tuple[Run, ...]
    negative: tuple[Run, ...]
    segments: tuple[SegmentChange, ...]
    loras: tuple[SegmentChange, ...]
    facts: Mapping[str, tuple[Any, Any]]

    @property
    def same(self) -> bool:
        """Whether nothing differs at all."""
        words = {run.what for run in (*self.positive, *self.negative)}
        pieces = {one.what for one in (*self.segments, *self.loras)}
        return not self.facts and words | pieces <= {SAME}

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "same": self.same,
            "facts": {name: list(pair) for name, pair in self.facts.items()},
        }


def word_difference(was: str, now: str) -> tuple[Run, ...]:
    """Tell two texts apart word by word.

    The runs that are not added, joined, are the first text; those that are not removed, the second.
    """
    if was == now:
        return (Run(SAME, was),) if was else ()
    before, after = _WORDS.findall(was), _WORDS.findall(now)
    if max(len(before), len(after)) > MOST_WORDS:
        return tuple(run for run in (Run(REMOVED, was), Run(ADDED, now)) if run.text)
    runs: list[Run] = []
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            runs.append(Run(SAME, "".join(before[i:j])))
            continue
        if i < j:
            runs.append(Run(REMOVED, "".join(before[i:j])))
        if k < m:
            runs.append(Run(ADDED, "".join(after[k:m])))
    return tuple(runs)


def prompt_difference(was: Any, now: Any) -> PromptDifference:
    """Tell two builds apart (or anything with their columns)."""
    names = ("channel", "language", "composer", "by_hand", "negative_ignored")
    return PromptDifference(
        positive=word_difference(was.positive, now.positive),
        negative=word_difference(was.negative, now.negative),
        segments=tuple(_segments(was.segments, now.segments)),
        loras=tuple(_loras(was.loras, now.loras)),
        facts={
            name: (getattr(was, name), getattr(now, name))
            for name in names
            if getattr(was, name) != getattr(now, name)
        },
    )


def _segments(was: Pieces, now: Pieces) -> Iterable[SegmentChange]:
    """Each segment of the second in its order, then those of the first that are gone."""
    by_field = all("field" in piece for piece in (*was, *now))
    before, after = _keyed(was, by_field=by_field), _keyed(now, by_field=by_field)
    kept = _in_order([key for key in before if key in after], [key for key in after if key in before])
    gone = [key for key in before if key not in after]
    for key, piece in after.items():
        old = before.get(key)
        if old is None:
            yield _change(ADDED, piece, was="", now=piece["text"])
        elif old["text"] != piece["text"]:
            words = word_difference(old["text"], piece["text"])
            yield _change(CHANGED, piece, was=old["text"], now=piece["text"], words=words)
        else:
            what = SAME if key in kept else MOVED
            yield _change(what, piece, was=old["text"], now=piece["text"])
    for key in gone:
        yield _change(REMOVED, before[key], was=before[key]["text"], now="")


def _in_order(first: list[Any], second: list[Any]) -> set[Any]:
    """Those that stand in the same order on both sides: what is not among them was moved."""
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return {key for block in blocks for key in first[block.a : block.a + block.size]}


def _keyed(segments: Pieces, *, by_field: bool) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """Segments by what they are about; what speaks twice is told apart by its turn.

    Builds of an older composer do not know the field (``by_field`` False): then the turn is all there is.
    """
    keyed: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for piece in segments:
        field = _plain(piece["field"]) if by_field else ""
        about = (piece["role"], piece["source"], piece["source_id"], field)
        turn = 0
        while (*about, turn) in keyed:
            turn += 1
        keyed[*about, turn] = piece
    return keyed


def _plain(field: str) -> str:
    """A field without its language: an English and a Korean build are compared by what they are about."""
    return field.removesuffix("_ko")


def _change(what: str, piece: Mapping[str, Any], **told: Any) -> SegmentChange:
    return SegmentChange(what, piece["role"], piece["source"], piece.get("label", ""), **told)


def _loras(was: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> Iterable[SegmentChange]:
    before, after = ({(row["file"], row.get("expert", "")): row for row in rows} for rows in (was, now))
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        row = new or old or {}
        before_it, now_it = _weight(old), _weight(new)
        what = ADDED if old is None else REMOVED if new is None else SAME
        if what == SAME and before_it != now_it:
            what = CHANGED
        yield SegmentChange(what, "lora", "lora", f"{row['character']} {row['file']}", before_it, now_it)


def _weight(row: Mapping[str, Any] | None) -> str:
    return "" if row is None else f"{row['weight']:g}"
