"""Threads the node cannot live without."""

from __future__ import annotations

import logging
import os
import signal
from threading import Thread

logger = logging.getLogger(__name__)


class VitalThread(Thread):
    """A thread whose unforeseen end stops the worker gently, so that its supervisor starts it anew.

    A node that has lost its eyes or its voice would otherwise look alive and do harm.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)

    def run(self) -> None:
        """Do the thread's work."""
        try:
            self.work()
        except Exception:
            logger.critical("thread broke, stopping the worker", extra={"vital": self.name}, exc_info=True)
            os.kill(os.getpid(), signal.SIGTERM)
            raise

    def work(self) -> None:
        """What the thread is for."""
        raise NotImplementedError
