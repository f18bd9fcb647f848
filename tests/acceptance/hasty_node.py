"""The GPU node's app as it is, but it gives up sooner: for tests of what it does, not of when."""

from __future__ import annotations

from workers import celery as app
from workers import render as render_module
from workers import reporter, restart, watch

vars(reporter).update(PERIOD_S=1.0)
vars(watch).update(PERIOD_S=0.5)
vars(render_module).update(INTERRUPT_S=5.0)
vars(restart).update(AFTER_S=1.0, PAUSE_S=5.0)

__all__ = ["app"]
