"""Flower's Celery app: the coordinator's, in a process whose log lines have the farm's form.

Start it with ``celery -A farm.flower flower``. Flower would set up its own handlers where it finds none.
"""

from __future__ import annotations

import logging.config

from django.conf import settings

from farm.celery import app
from farm.logs import name_process

__all__ = ["app"]

name_process("flower")
logging.config.dictConfig(settings.LOGGING)
