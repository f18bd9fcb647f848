"""Calls to the coordinator through a broker that may be away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from celery.result import AsyncResult
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from farm.contracts import ContractError

BROKER_ERRORS: Final = (OperationalError, RedisError, OSError)
"""What a broker or result backend that is away raises, through Celery or past it."""

FIRST_LOOK_S: Final = 0.002
LAST_LOOK_S: Final = 0.1
WIDER: Final = 1.15
"""Each pause to the one before: an answer is found when at most a seventh more time has passed."""


class NoAnswerError(Exception):
    """Nobody answered in time."""


class RefusedError(Exception):
    """The coordinator could not read what it was told; its own words."""


class BrokenError(Exception):
    """The coordinator broke over what it was told, without its database say; its own words."""


def answer_to(
    call: AsyncResult[Any],
    *,
    deadline: float,
    first_look_s: float = FIRST_LOOK_S,
    given_up: Callable[[], bool] = lambda: False,
) -> object:
    """Return what a call was answered, and drop it from the result backend.

    ``deadline`` is by the monotonic clock. Looks are close at first, then ever wider apart. Raises
    NoAnswerError, RefusedError, BrokenError, and BROKER_ERRORS.

    Celery's own ``get`` is not used: it forbids waiting inside a task unless a flag of the whole
    process is switched, which two renders would switch under each other; and all threads share its
    subscription, which an outage can leave unusable until the worker is restarted. (Inside a worker,
    sending a task does not subscribe either: Celery marks its threads as not to wait.)
    """
    pause = first_look_s
    while not call.ready():
        if given_up() or time.monotonic() + pause > deadline:
            raise NoAnswerError
        time.sleep(pause)
        pause = min(pause * WIDER, LAST_LOOK_S)
    answer: object = call.result
    call.forget()
    if isinstance(answer, ContractError):
        raise RefusedError(str(answer))
    if isinstance(answer, BaseException):
        raise BrokenError(f"{type(answer).__name__}: {answer}")
    return answer
