"""What a node does with a prompt whose ComfyUI it has lost."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from tests.unit.workers.facts import order
from workers import render as render_module
from workers.comfy.errors import BadAnswer, OutOfMemory, Vanished
from workers.hand import InHand
from workers.node import Node
from workers.render import _run_prompt


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (Vanished("gone for 30 s"), False),
        (BadAnswer("no JSON"), False),
        (ZeroDivisionError("nobody foresaw this"), False),
        (OutOfMemory("it has ended by itself"), True),
    ],
)
def test_a_prompt_that_is_given_up_is_not_left_to_render(
    monkeypatch: pytest.MonkeyPatch, error: Exception, left: bool
) -> None:
    def follow(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(render_module, "follow", follow)
    monkeypatch.setattr(render_module, "ProgressSocket", lambda *_: nullcontext())
    abandoned: list[str] = []
    attempt: Any = SimpleNamespace(
        order=order(),
        epoch="e1",
        client=SimpleNamespace(submit=lambda *_, **__: None, abandon=abandoned.append),
        saw_peak=lambda _: None,
    )
    station: Any = SimpleNamespace(
        spool=SimpleNamespace(start=lambda _: None),
        node=Node("gpu1", "celery@gpu1"),
        secrets_for=lambda _: {},
    )

    with pytest.raises(type(error)):
        _run_prompt({}, attempt, InHand("a1"), station)
    assert abandoned == ([] if left else [attempt.prompt_id])
