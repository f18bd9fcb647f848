"""Ask the coordinator whether an order is still wanted, before it costs GPU time.

The question goes out first and the answer is read last, so it travels while inputs upload. No answer
is a refusal: a stale order never burns a GPU.
"""

from __future__ import annotations

import time
from typing import Any, Final, Protocol

from celery import Celery
from celery.result import AsyncResult

from farm.contracts import CLAIM, ClaimReply, ClaimRequest, ContractError, from_json, to_json
from farm.tiers import QUEUE_CLAIMS
from workers.broker import BROKER_ERRORS, BrokenError, NoAnswerError, RefusedError, answer_to

PATIENCE_S: Final = 10.0


class Claim(Protocol):
    """A question on its way."""

    def answer(self) -> ClaimReply:
        """Wait for the answer; silence and a broker that is away are answers, too: not granted."""


class CeleryClaim:
    """A claim asked through Celery, from inside a task."""

    def __init__(self, app: Celery, request: ClaimRequest) -> None:
        self._patience_s = PATIENCE_S
        self._deadline = time.monotonic() + self._patience_s
        self._call: AsyncResult[Any] | None = None
        self._trouble = ""
        try:
            self._call = app.send_task(CLAIM, args=[to_json(request)], queue=QUEUE_CLAIMS)
        except BROKER_ERRORS as error:
            self._trouble = f"claim not sent: {error}"

    def answer(self) -> ClaimReply:
        """Wait until the deadline, counted from the question."""
        if self._call is None:
            return ClaimReply(granted=False, reason=self._trouble)
        try:
            return from_json(ClaimReply, answer_to(self._call, deadline=self._deadline))
        except NoAnswerError:
            reason = f"claim unanswered for {self._patience_s:g} s"
        except BROKER_ERRORS as error:
            reason = f"claim unanswered: {error}"
        except (RefusedError, BrokenError) as error:
            reason = f"claim not understood by the coordinator: {error}"
        except ContractError as error:
            reason = f"answer to the claim not understood: {error}"
        return ClaimReply(granted=False, reason=reason)
