"""The GPU node's app as it is, but with shorter waits: for tests of what it does, not of when."""

from __future__ import annotations

from workers import celery as app
from workers import claims, memory, probe, reporter, watch
from workers.comfy import pace

vars(reporter).update(PERIOD_S=1.0)
vars(watch).update(PERIOD_S=1.0)
vars(memory).update(LEAST_LIFE_S=4.0)
vars(pace).update(FLOOR_S=3.0)
vars(probe).update(PATIENCE_S=3.0)
vars(claims).update(PATIENCE_S=4.0)

__all__ = ["app"]
