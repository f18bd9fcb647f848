"""Guards of main memory: what a node says, and how it helps itself, once."""

from __future__ import annotations

from workers.memory import FREED_S, LEAST_LIFE_S, ComfyMemory, OwnMemory, own_rss_mib


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_worker_that_grew_too_large_takes_no_work_and_ends_once_when_idle() -> None:
    clock, held, ends = Clock(), [900], list[str]()
    own = OwnMemory(1000, rss_mib=lambda: held[0], end=lambda: ends.append("end"), clock=clock)
    clock.now = LEAST_LIFE_S

    assert own.check(idle=True) == ""
    held[0] = 1100
    assert "1100 MiB of memory, above SHOTFARM_MAX_RSS_MB (1000)" in own.check(idle=False)
    assert ends == [], "its render goes on"
    for _ in range(3):
        assert own.check(idle=True)
    assert ends == ["end"]


def test_a_worker_that_is_too_large_from_its_start_is_not_restarted_in_a_circle() -> None:
    clock, ends = Clock(), list[str]()
    own = OwnMemory(10, rss_mib=lambda: 300, end=lambda: ends.append("end"), clock=clock)

    assert "is the limit too low?" in own.check(idle=True)
    assert ends == []


def test_without_a_limit_or_a_way_to_measure_nothing_is_said() -> None:
    assert OwnMemory(0, rss_mib=lambda: 10**9).check(idle=True) == ""
    assert OwnMemory(1, rss_mib=lambda: None).check(idle=True) == ""


def test_a_workers_own_memory_is_measured() -> None:
    assert 10 < (own_rss_mib() or 0) < 100_000


def test_a_comfyui_that_fills_its_machine_is_freed_when_idle_and_restarted_once_if_that_was_in_vain() -> None:
    clock, frees, asked = Clock(), list[float](), list[bool]()
    comfy = ComfyMemory(4000, free=lambda: frees.append(clock.now), clock=clock)

    assert "1500 MiB of memory left, below SHOTFARM_MIN_RAM_MB (4000)" in comfy.check(1500, idle=False)
    assert frees == [], "not while it renders: what it holds is in use"
    for clock.now in (5.0, 10.0, 5.0 + FREED_S):
        assert comfy.check(1500, idle=True)
        asked.append(comfy.wants_restart)
    assert (frees, asked) == ([5.0], [False, False, True])

    comfy.restarted()
    clock.now += 3600
    assert comfy.check(1500, idle=True)
    assert not comfy.wants_restart, "somebody else fills the machine"

    assert comfy.check(9000, idle=True) == ""
    comfy.check(1500, idle=True)
    assert len(frees) == 2, "a new shortage is a new chance"


def test_a_comfyui_that_is_freed_with_success_is_left_alone() -> None:
    clock = Clock()
    comfy = ComfyMemory(4000, free=lambda: None, clock=clock)
    comfy.check(1500, idle=True)
    clock.now = FREED_S

    assert (comfy.check(8000, idle=True), comfy.wants_restart) == ("", False)


def test_without_a_limit_or_word_of_the_machine_nothing_is_said() -> None:
    assert ComfyMemory(0, free=lambda: None).check(1, idle=True) == ""
    assert ComfyMemory(4000, free=lambda: None).check(None, idle=True) == ""
