"""What a worker says of its node is said again in the reader's language: every sentence it has."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.nodes.said import SAID, said_in_words
from apps.nodes.words import reason_in_words
from farm.contracts import ComfyFact
from workers.comfy.stats import Device, System, SystemStats
from workers.disks import Disks
from workers.gpu import Reading, Site, read_gpu
from workers.memory import ComfyMemory, OwnMemory
from workers.neighbours import Neighbours
from workers.node import LOOK_S, NOTHING_SEEN, Node, Sight
from workers.nvml import MIB, Card, Cards
from workers.others import Others
from workers.store import ArtifactStore

HERE = Site(comfyui_url="http://127.0.0.1:8188")


def node(**sight: Any) -> Node:
    here = Node("gpu1", "celery@gpu1")
    here.sight = Sight(**{"comfy": ComfyFact(reachable=True), "reading": Reading(tier_gb=24), **sight})
    return here


def leaving() -> str:
    here = node()
    here.leaving = True
    return here.standing()[1]


def starting() -> str:
    here = node()
    here.sight = NOTHING_SEEN
    return here.standing()[1]


def standing_still() -> str:
    now = [0.0]
    here = Node("gpu1", "celery@gpu1", clock=lambda: now[0])
    with here.looking_at("the GPU's driver"):
        now[0] = LOOK_S + 1
        return here.standing()[1]


def in_company(limit_s: float, after_s: float) -> Callable[[], str]:
    def say() -> str:
        now = [0.0]
        others = Others(limit_s, clock=lambda: now[0])
        others.look(["theirs"])
        now[0] = after_s
        return others.reason

    return say


def card(name: str = "A", total: int = 24_564, held: int | None = None) -> Card:
    return Card(
        index=0,
        name=name,
        uuid=f"GPU-{name}",
        total_mib=total,
        free_mib=total,
        processes=None if held is None else (0, held),
        utilisation=0,
        temperature_c=30,
        driver="1",
    )


def gpu(*cards: Card, site: Site = HERE, devices: int = 1, simulated: bool = False, **device: Any) -> str:
    facts = {"name": "cuda:0 A : native", "type": "cuda", "vram_total": 24_564 * MIB, **device}
    stats = SystemStats(system=System(simulated=simulated), devices=(Device(**facts),) * devices)
    return read_gpu(stats, Cards(cards), site).reason


def memory(now: float) -> str:
    clock = [0.0]
    own = OwnMemory(10, rss_mib=lambda: 20, end=lambda: None, clock=lambda: clock[0])
    clock[0] = now
    return own.check(idle=True)


SPOKEN: dict[str, Callable[[], str]] = {
    "leaving": leaving,
    "starting": starting,
    "no ComfyUI": lambda: node(comfy=ComfyFact(reachable=False, error="refused")).standing()[1],
    "standing still": standing_still,
    "company": in_company(600, 1),
    "company without end": in_company(0, 1),
    "crowd": in_company(600, 601),
    "little memory": lambda: ComfyMemory(100, free=lambda: None).check(5, idle=False),
    "a large worker": lambda: memory(1e6),
    "a large worker at once": lambda: memory(1),
    "tier lowered": lambda: gpu(card(held=9_000), torch_vram_total=0),
    "a small card": lambda: gpu(card(total=2_000), vram_total=2_000 * MIB),
    "a CPU": lambda: gpu(type="cpu"),
    "no device": lambda: gpu(devices=0),
    "no size": lambda: gpu(vram_total=None),
    "stand-in": lambda: gpu(simulated=True),
    "another host": lambda: gpu(site=Site(comfyui_url="http://gpu7.studio:8188")),
    "no ComfyUI to ask": lambda: read_gpu(None, Cards(()), HERE).reason,
    "another card": lambda: gpu(card("B")),
    "twins": lambda: gpu(card(), card()),
}


@pytest.mark.parametrize("who", SPOKEN)
def test_every_sentence_of_a_worker_is_known(who: str) -> None:
    said = SPOKEN[who]()
    assert said
    assert said_in_words(said) == said


def disks(tmp_path: Path) -> Iterator[str]:
    yield Disks(spool=tmp_path, min_free=1 << 60).check()
    yield Disks(spool=tmp_path / "gone", min_free=1).check()


def test_every_sentence_about_disks_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [*disks(tmp_path)]
    usage = shutil.disk_usage

    def only_the_scratch_disk_has_room(path: Path) -> Any:
        found = usage(tmp_path)
        return found if path != tmp_path else found._replace(free=0)

    monkeypatch.setattr(shutil, "disk_usage", only_the_scratch_disk_has_room)
    said.append(Disks(spool=tmp_path, min_free=1).check())

    def broken(_: Path) -> Any:
        raise OSError(errno.EIO, "it is broken")

    monkeypatch.setattr(shutil, "disk_usage", broken)
    said.append(Disks(spool=tmp_path, min_free=1).check())
    assert all(said)
    assert len({one.partition(" disk ")[0] + one[-6:] for one in said}) == 4
    assert [said_in_words(one) for one in said] == said


def test_every_sentence_about_the_store_is_known(tmp_path: Path) -> None:
    said = [ArtifactStore(str(tmp_path)).check()]
    (tmp_path / ".shotfarm-store").write_text("farm")
    said.append(ArtifactStore(str(tmp_path), min_free=1 << 60).check())
    (tmp_path / ".shotfarm-store").unlink()
    (tmp_path / ".shotfarm-store").mkdir()
    said.append(ArtifactStore(str(tmp_path)).check())
    assert all(said)
    assert [said_in_words(one) for one in said] == said


def test_every_sentence_about_neighbours_is_known(tmp_path: Path) -> None:
    first, second = Neighbours(tmp_path, "gpu1"), Neighbours(tmp_path, "gpu2")
    first.check(comfyui="here:8188", card="GPU-a")
    said = [second.check(comfyui="here:8188"), second.check(comfyui="here:8189", card="GPU-a")]
    first.close()
    second.close()
    assert all(said)
    assert [said_in_words(one) for one in said] == said


def test_two_reasons_at_once_are_both_said() -> None:
    said = f"{gpu(card(held=9_000), torch_vram_total=0)}; {in_company(600, 1)()}"
    assert said_in_words(said) == said


@pytest.mark.parametrize("told", ["", "the driver is on holiday", "ComfyUI names no device; and so on"])
def test_what_nobody_has_foreseen_stays_as_it_is(told: str) -> None:
    assert said_in_words(told) == ""
    assert reason_in_words(told) == told


def test_no_two_sentences_are_the_same() -> None:
    assert len(set(SAID)) == len(SAID)
