"""The coordinator as one node knows it: it grants each attempt once and believes the first end it hears."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from farm.contracts import (
    ClaimReply,
    ClaimRequest,
    NodeDirectives,
    NodeReport,
    RenderReport,
    from_json,
    to_json,
)

KEY = "k" * 32


class Office:
    """``granted``: the epoch that has an attempt; ``ends``: how attempts ended, as told first.

    ``cancelled``, ``unstaged``: what it asks for with every answer. ``given_up``: epochs it has given up.
    """

    def __init__(self) -> None:
        self.granted: dict[str, str] = {}
        self.ends: dict[str, RenderReport] = {}
        self.cancelled: set[str] = set()
        self.unstaged: set[str] = set()
        self.given_up: set[str] = set()
        self.heard: list[NodeReport] = []
        self.away = False

    def asked(self, request: ClaimRequest) -> ClaimReply:
        """May this life render this attempt?"""
        attempt_id = request.attempt_id
        if self.away:
            return ClaimReply(granted=False, reason="claim unanswered")
        if attempt_id in self.ends or request.epoch in self.given_up:
            return ClaimReply(granted=False, reason="this order is stale")
        if self.granted.setdefault(attempt_id, request.epoch) != request.epoch:
            return ClaimReply(granted=False, reason="another life has it")
        return ClaimReply(granted=True)

    def told(self, report: RenderReport) -> None:
        """An end came, by whichever road: the first one counts."""
        assert report.is_signed_with(KEY)
        self.ends.setdefault(report.attempt_id, report)

    # As the reporter's Celery app

    def send_task(self, _name: str, *, args: list[Any], **_: Any) -> Any:
        """Hear a node's report and answer it; an office that is away answers nothing."""
        if self.away:
            raise ConnectionError("the broker is away")
        report = from_json(NodeReport, args[0])
        self.heard.append(report)
        for one in report.finished:
            self.told(one)
        directives = NodeDirectives(
            confirmed=tuple(one.attempt_id for one in report.finished),
            cancelled=tuple(sorted(self.cancelled)),
            unstage=tuple(sorted(self.unstaged)),
            serve=True,
            new_epoch=report.epoch in self.given_up,
        )
        return SimpleNamespace(ready=lambda: True, result=to_json(directives), forget=lambda: None)

    @property
    def backend(self) -> Any:
        """Where nothing waits for it."""
        return SimpleNamespace(client=SimpleNamespace(llen=lambda _queue: 0))
