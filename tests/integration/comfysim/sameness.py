"""When two answers are the same: which facts of a recording are replaced, and why."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Clocks: when the recording was made.
_TIMES = {"timestamp", "create_time", "execution_start_time", "execution_end_time", "ETag", "Last-Modified"}
# Notes of the recorder, no part of an answer.
_NOTES = {"t", "ms", "closed"}
# What HTTP says of its own: the library's name, and a length that goes with every digit of a number above.
_HTTP = {"Server", "Content-Length"}
# Lines of the server's own source code.
_SOURCE = {"traceback"}
# ComfyUI walks Python sets here: no order.
_SETS = {"executed", "current_outputs"}

_TEXTS: tuple[tuple[str, str], ...] = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
    (r"^[0-9a-f]{32}$", "<id>"),
    (r"_\d{5}(?=_?\.)", "_#####"),  # counts the files that were there before
    (r"ComfyUI_temp_[a-z]{5}", "ComfyUI_temp_<letters>"),  # drawn by lot
    (r"^\d{4}-\d{2}$", "<month>"),  # a subfolder by date
    (r"^tensor\(.*", "<values>"),  # PyTorch's print of pixels, which the stand-in does not have
    (r"^<comfy\..*|^\[\[tensor.*|^Symbol\(.*|^Conditioning\(.*|^Latent\(.*", "<object>"),
)
_PATTERNS = [(re.compile(pattern, re.DOTALL), mark) for pattern, mark in _TEXTS]


@dataclass
class Ledger:
    """Which prompt ids, numbers and folders of a recording stand for which of this run."""

    base: str
    ids: dict[str, str] = field(default_factory=dict)
    """Recorded id -> played id."""
    numbers: dict[float, float] = field(default_factory=dict)
    """Played queue number -> recorded one."""

    def learn(self, recorded: Any, played: Any) -> None:
        """Enter the answers to one POST of a prompt."""
        self.ids[recorded["prompt_id"]] = played["prompt_id"]
        there, here = recorded["number"], played["number"]
        assert (there < 0, type(there)) == (here < 0, type(here))
        self.numbers[here] = there

    def request(self, value: Any) -> Any:
        """A recorded request, asked about the prompts of this run."""
        return _each_text(value, lambda text: _replaced(text, self.ids))

    def recorded(self, value: Any) -> Any:
        """A played answer in the words of the recording."""
        words = {played: recorded for recorded, played in self.ids.items()}
        words |= {self.base: "/srv/comfyui", str(Path(self.base).parent): "/srv"}
        return self._numbered(_each_text(value, lambda text: _replaced(text, words)))

    def _numbered(self, value: Any) -> Any:
        if isinstance(value, dict):
            named = {key: self._numbered(item) for key, item in value.items()}
            for key in {"number", "priority"} & named.keys():
                named[key] = self.numbers.get(named[key], named[key])
            return named
        if isinstance(value, list):
            listed = [self._numbered(item) for item in value]
            if len(listed) == 5 and isinstance(listed[0], int | float) and isinstance(listed[1], str):
                listed[0] = self.numbers.get(listed[0], listed[0])
            return listed
        return value


def _replaced(text: str, words: dict[str, str]) -> str:
    for word, other in words.items():
        text = text.replace(word, other)
    return text


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {change(key): _each_text(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def neutral(value: Any) -> Any:
    """A value with ids, times and the facts above replaced by marks, so that their presence still counts."""
    if isinstance(value, dict):
        items = {key: neutral(item) for key, item in value.items() if key not in _NOTES}
        items |= dict.fromkeys(_TIMES & items.keys(), "<time>")
        items |= dict.fromkeys(_SOURCE & items.keys(), "<source>")
        items |= {key: sorted(items[key]) for key in _SETS & items.keys()}
        if isinstance(items.get("errors"), list):  # a set of inputs, too
            items["errors"] = sorted(items["errors"], key=lambda reason: str(reason["details"]))
        for key in _HTTP & items.keys():
            del items[key]
        return {neutral(key): item for key, item in items.items()}
    if isinstance(value, list):
        return [neutral(item) for item in value]
    if isinstance(value, str):
        for pattern, mark in _PATTERNS:
            value = pattern.sub(mark, value)
    return value


def heard(messages: list[dict[str, Any]]) -> list[Any]:
    """Websocket messages as compared: steps between 0 and the last are dropped (a matter of speed), and the
    recorder's note of the close; a preview counts as its type and its metadata.
    """
    return [
        neutral(_told(message)) for message in messages if "closed" not in message and not _is_step(message)
    ]


def _told(message: dict[str, Any]) -> dict[str, Any]:
    if "binary" in message:
        return {key: message["binary"][key] for key in ("event_type", "metadata") if key in message["binary"]}
    return {"text": message["text"]}


def _is_step(message: dict[str, Any]) -> bool:
    text = message.get("text", {})
    if text.get("type") == "progress":
        return bool(text["data"]["value"] < text["data"]["max"])
    if text.get("type") == "progress_state":
        return any(0 < row["value"] < row["max"] for row in text["data"]["nodes"].values())
    return False
