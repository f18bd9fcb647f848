"""What tests of recordings with several steps share: a stage to play on, and the list of what is played."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from tests.comfysim_fixture import ComfySim
from tests.integration.comfysim.replay import (
    VERSIONS,
    Listener,
    exchange,
    names,
    play,
    prompt,
    recording,
    until,
    warm,
)
from tests.integration.comfysim.sameness import Ledger, heard, neutral

STORIES: set[str] = set()
"""The recordings that a test plays by its own way; test_recordings.py plays all others."""
MEASURED: dict[str, str] = {}
"""The recordings that hold measurements, and what of them is checked instead."""

Test = Callable[..., None]


def story(*recordings: str) -> Callable[[Test], Test]:
    """Run a test for each version that has these recordings, with `name` if there are several."""
    STORIES.update(recordings)
    pairs = [(version, name) for version in VERSIONS for name in recordings if name in names(version)]
    if len(recordings) == 1:
        return pytest.mark.parametrize("version", [version for version, _ in pairs])
    return pytest.mark.parametrize(("version", "name"), pairs)


def measured(name: str, checked: str) -> Callable[[Test], Test]:
    """Run a test for each version that has these measurements; `checked` says what stands for them."""
    MEASURED[name] = checked
    return pytest.mark.parametrize("version", [version for version in VERSIONS if name in names(version)])


class Stage:
    """One stand-in with the ledger of what is played on it."""

    def __init__(self, sim: ComfySim, version: str) -> None:
        self.sim = sim
        self.version = version
        self.ledger = Ledger(str(sim.base_dir))

    def same(self, recorded: dict[str, Any], **headers: str) -> None:
        """Play an exchange; the answer must be the recorded one."""
        assert neutral(exchange(self.sim, recorded, self.ledger, **headers)) == neutral(recorded)

    def play(self, name: str, during: Callable[[Listener, str], object] | None = None) -> dict[str, Any]:
        """Play a whole prompt; answer, messages and history must be the recorded ones."""
        recorded = recording(name, self.version)
        warm(self.sim, recorded)
        played = play(self.sim, recorded, self.ledger, during)
        assert neutral(played["post"]) == neutral(recorded["post"])
        assert heard(played["ws"]) == heard(recorded["ws"])
        assert neutral(played["history"]) == neutral(recorded["history"])
        return played

    def heard_by(self, listener: Listener) -> list[dict[str, Any]]:
        """What a listener heard, in the recorded words."""
        told: list[dict[str, Any]] = self.ledger.recorded(listener.heard)
        return told

    def get(self, path: str) -> Any:
        return requests.get(f"{self.sim.url}{path}", timeout=10).json()

    def post(self, path: str, **body: Any) -> None:
        assert requests.post(f"{self.sim.url}{path}", json=body, timeout=10).status_code == 200

    def idle(self) -> None:
        """Wait until nothing runs or waits."""
        until(lambda: self.get("/prompt") == {"exec_info": {"queue_remaining": 0}})


def put_pictures(base: Path) -> None:
    """What the recorder had put into input/: a picture, again in a subfolder, and the first bytes of it."""
    picture = io.BytesIO()
    Image.new("RGBA", (64, 64), (200, 30, 30, 255)).save(picture, "PNG")
    for name, content in (
        ("a.png", picture.getvalue()),
        ("jobs/42/a.png", picture.getvalue()),
        ("corrupt.png", picture.getvalue()[:20]),
    ):
        path = base / "input" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def put_broken_model(base: Path) -> None:
    path = base / "models" / "checkpoints" / "corrupt.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(8))


def usual(prefix: str, color: int = 1) -> dict[str, Any]:
    """The recorder's usual prompt, where it wrote down only what came of it."""
    return prompt(
        n1=("EmptyImage", {"width": 64, "height": 64, "batch_size": 1, "color": color}),
        n2=("ImageInvert", {"image": ["1", 0]}),
        n3=("SaveImage", {"images": ["2", 0], "filename_prefix": prefix}),
    )


def by_thread(messages: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """Messages about the queue and about the execution: two threads send them, either may come first."""
    every = heard(messages)
    queue = [message for message in every if message["text"]["type"] == "status"]
    return queue, [message for message in every if message not in queue]
