"""A node keeps the log lines of the attempts it has in hand: bounded, told apart, without secrets."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from farm.contracts import LogLine, Outcome, RenderReport, canonical, from_json, to_json
from farm.logs import bound, hidden
from workers.logs import MOST_BYTES, MOST_LINES, AttemptLines


@pytest.fixture
def lines() -> AttemptLines:
    return AttemptLines()


@pytest.fixture
def logger(lines: AttemptLines) -> Iterator[logging.Logger]:
    logger = logging.Logger("workers.render")
    logger.addHandler(lines)
    yield logger


def test_lines_of_an_attempt_are_kept_with_their_facts_while_it_is_in_hand(
    lines: AttemptLines, logger: logging.Logger
) -> None:
    with lines.keeping("a1"), bound(attempt="a1", job="j1", node="gpu1"):
        logger.info("prompt queued", extra={"prompt": "p1"})
        logger.debug("too small a thing")
        (line,) = lines.of("a1")
    assert (line.message, line.level, line.logger, line.facts) == (
        "prompt queued",
        "info",
        "workers.render",
        {"prompt": "p1"},
    )
    assert lines.of("a1") == ()


def test_two_attempts_in_two_threads_keep_their_own(lines: AttemptLines, logger: logging.Logger) -> None:
    together = threading.Barrier(2)
    found: dict[str, list[str]] = {}

    def render(attempt: str) -> None:
        with lines.keeping(attempt), bound(attempt=attempt):
            for number in range(20):
                together.wait()
                logger.info("%s %d", attempt, number)
            found[attempt] = [line.message for line in lines.of(attempt)]

    threads = [threading.Thread(target=render, args=(name,)) for name in ("a1", "a2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: [f"{name} {number}" for number in range(20)] for name in ("a1", "a2")}


def test_what_belongs_to_no_attempt_in_hand_is_not_kept(lines: AttemptLines, logger: logging.Logger) -> None:
    with lines.keeping("a1"):
        logger.info("coordinator away")
        with bound(attempt="another"):
            logger.info("bell not rung")
        assert lines.of("a1") == ()


def test_of_many_lines_the_newest_stay_and_the_number_left_out_is_said(
    lines: AttemptLines, logger: logging.Logger
) -> None:
    with lines.keeping("a1"), bound(attempt="a1"):
        for number in range(MOST_LINES + 50):
            logger.info("step %d", number)
        kept = lines.of("a1")
    assert kept[0].message == "50 earlier lines left out"
    assert (len(kept), kept[-1].message) == (MOST_LINES + 1, f"step {MOST_LINES + 49}")


def test_long_lines_are_cut_and_all_together_stay_within_the_bound(
    lines: AttemptLines, logger: logging.Logger
) -> None:
    with lines.keeping("a1"), bound(attempt="a1"):
        for _ in range(100):
            logger.info("눈" * 50_000, extra={"graph": "x" * 50_000})
        kept = lines.of("a1")
    size = sum(len(line.message.encode()) + len(str(line.facts).encode()) for line in kept)
    assert 0 < size <= MOST_BYTES
    assert kept[0].message.endswith("earlier lines left out")


def test_secrets_do_not_travel(lines: AttemptLines, logger: logging.Logger) -> None:
    with lines.keeping("a1"), bound(attempt="a1"), hidden("the-attempts-own-key"):
        logger.info("redis://:hunter2pass@h:1/0 the-attempts-own-key", extra={"key": "the-attempts-own-key"})
        told = str(lines.of("a1"))
    assert "hunter2pass" not in told
    assert "the-attempts-own-key" not in told


def test_a_line_whose_words_do_not_fit_stops_nothing(
    lines: AttemptLines, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    with lines.keeping("a1"), bound(attempt="a1"):
        logger.info("%d files", "many")
        logger.info("next")
        assert [line.message for line in lines.of("a1")] == ["next"]


def report(*lines: LogLine) -> RenderReport:
    return RenderReport(
        attempt_id="a1", job_id="j1", token="t", node="n", epoch="e", outcome=Outcome.SUCCEEDED, log=lines
    )


def test_lines_are_signed_with_the_report() -> None:
    signed = report(LogLine(at=1.5, level="info", logger="w", message="눈", facts={"a": "b"})).signed("key")
    told = to_json(signed)
    assert from_json(RenderReport, told).is_signed_with("key")
    told["log"][0]["message"] = "another"
    assert not from_json(RenderReport, told).is_signed_with("key")


def test_a_report_of_a_node_that_knows_no_lines_yet_keeps_its_signature() -> None:
    told = to_json(report().signed("key"))
    del told["log"]
    assert b'"log"' not in canonical(told)
    assert from_json(RenderReport, told).is_signed_with("key")
