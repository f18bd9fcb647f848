"""Log lines: one form, ids bound at the door, no secrets."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from farm import logs
from farm.logs import (
    JsonLines,
    WordsAndFacts,
    bound,
    bound_ids,
    hidden,
    hide,
    hide_keys_in,
    password_in,
    redacted,
)


@pytest.fixture
def written() -> Iterator[Any]:
    """Log something; get the JSON lines that came of it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.Logger("some.library")
    logger.addHandler(handler)

    def write(*args: Any, level: int = logging.INFO, **more: Any) -> dict[str, Any]:
        logger.log(level, *args, **more)
        line: dict[str, Any] = json.loads(stream.getvalue().splitlines()[-1])
        return line

    yield write
    handler.close()


def test_a_line_has_its_keys_in_one_order(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_process", "ticker")
    with bound(job="j1"):
        line = written("order %s", "sent", extra={"queue": "vram.8"})
    assert list(line) == ["time", "level", "logger", "message", "process", "job", "queue"]
    assert (line["message"], line["process"], line["level"]) == ("order sent", "ticker", "info")
    assert line["time"].endswith("+00:00")


def test_ids_stand_in_every_line_inside_and_in_none_outside(written: Any) -> None:
    with bound(job="j1", node=None):
        with bound(attempt="a1"):
            assert dict(bound_ids()) == {"job": "j1", "attempt": "a1"}
            assert written("x")["attempt"] == "a1"
        assert "attempt" not in written("x")
    assert "job" not in written("x")


def test_ids_are_let_go_when_something_breaks_inside() -> None:
    with pytest.raises(ZeroDivisionError), bound(job="j1"):
        raise ZeroDivisionError
    assert dict(bound_ids()) == {}


def test_what_the_caller_says_comes_before_what_is_bound(written: Any) -> None:
    with bound(node="gpu1"):
        assert written("x", extra={"node": "gpu2"})["node"] == "gpu2"


def test_a_traceback_is_part_of_the_line(written: Any) -> None:
    try:
        raise ValueError("too warm")
    except ValueError:
        line = written("broke", level=logging.ERROR, exc_info=True)
    assert line["traceback"].endswith("ValueError: too warm")


def test_what_a_stranger_said_passes_for_no_line_of_ours_and_a_traceback_keeps_its_lines() -> None:
    record = logging.makeLogRecord(
        {"name": "a.b", "levelname": "INFO", "msg": "one\ntwo", "path": "/x\n12:00:00 INFO forged\x1b[31m"}
    )
    assert WordsAndFacts().format(record).endswith(r"one\ntwo path=/x\n12:00:00 INFO forged\x1b[31m")
    try:
        raise ValueError("three")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert WordsAndFacts().format(record).endswith("\nValueError: three")


def test_people_read_words_then_facts() -> None:
    record = logging.makeLogRecord({"name": "a.b", "levelname": "INFO", "msg": "sent", "queue": "vram.8"})
    with bound(job="j1"):
        assert WordsAndFacts().format(record).endswith(" INFO a.b: sent job=j1 queue=vram.8")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("redis://:hunter2pass@10.0.0.1:6379/0 is away", "redis://:***@10.0.0.1:6379/0 is away"),
        ("postgresql://farm:hunter2pass@db/x", "postgresql://farm:***@db/x"),
        ('{"report_key": "hunter2pass", "n": 1}', '{"report_key": "***", "n": 1}'),
        (r'{"message": "{\"signature\": \"hunter2pass\"}"}', r'{"message": "{\"signature\": \"***\"}"}'),
        ("report_key='hunter2pass', gpu=1", "report_key='***', gpu=1"),
        ("GET /media/x?sig=hunter2pass&until=3", "GET /media/x?sig=***&until=3"),
        ("Authorization: Token hunter2passhunter2pass", "Authorization: Token ***"),
        ("http://127.0.0.1:8188/prompt", "http://127.0.0.1:8188/prompt"),
        ("the signature was refused", "the signature was refused"),
        ("token of attempt 5", "token of attempt 5"),
    ],
)
def test_passwords_keys_and_signatures_go_and_plain_words_stay(text: str, kept: str) -> None:
    assert redacted(text) == kept


@pytest.mark.parametrize("secret", [["hunter2", "hunter3"], 1357911, None, {"a": "hunter2"}, "hunter 2"])
def test_what_has_a_secrets_name_is_hidden_whole_and_the_line_is_json(written: Any, secret: object) -> None:
    line = written("x", extra={"password": secret, "deep": [{"report_key": secret, "n": 1}]})
    assert (line["password"], line["deep"]) == ("***", [{"report_key": "***", "n": 1}])


def test_the_object_stores_keys_are_in_no_line(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_secrets", set())
    assert written("AWS_SECRET_ACCESS_KEY=wJalrXUtn")["message"] == "AWS_SECRET_ACCESS_KEY=***"
    hide_keys_in({"AWS_SECRET_ACCESS_KEY": "wJalrXUtn", "AWS_SESSION_TOKEN": ""})
    assert written("signing with wJalrXUtn failed")["message"] == "signing with *** failed"


def test_a_hidden_secret_is_in_no_line_however_it_is_spelt(
    written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_secrets", set())
    secret = 'p"ß\\long'
    hide(secret)
    line = written("away: %s", secret, extra={"deep": {"in": [secret]}})
    assert "long" not in json.dumps(line)
    assert line["message"] == "away: ***"


def test_a_key_is_hidden_only_while_it_is_in_hand() -> None:
    with hidden("0123456789abcdef"):
        assert redacted("key 0123456789abcdef") == "key ***"
    assert redacted("key 0123456789abcdef") == "key 0123456789abcdef"


def test_a_word_too_short_to_be_a_secret_blacks_out_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_secrets", set())
    hide("", "gpu")
    assert redacted("gpu 1") == "gpu 1"


def test_a_url_gives_its_password_as_written_and_as_meant() -> None:
    assert set(password_in("redis://:a%2Fbcdef@h:1/0")) == {"a%2Fbcdef", "a/bcdef"}
    assert password_in("redis://h:1/0") == ()
