"""The coordinator's Celery app: it answers claims and node reports, hears bells, does media work.

Start it with ``celery -A farm worker -P threads -Q claims,reports`` and
``celery -A farm worker -Q media``.
"""

from __future__ import annotations

import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging
from django.conf import settings

from farm import transport
from farm.logs import name_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
transport.install()

app = Celery("farm")
app.config_from_object("celeryconfig")
app.conf.update(result_backend=f"farm.results:UnwatchedResults+{app.conf.result_backend}")
app.autodiscover_tasks()


@celeryd_init.connect
def _name_process(sender: str, instance: Any, **_: Any) -> None:
    """``-n media@%h`` is the process "media"."""
    name_process(sender.partition("@")[0])
    instance.quiet = True  # its banner is no log line


@setup_logging.connect
def _speak_one_form(**_: Any) -> None:
    """Keep Celery from setting up handlers of its own."""
    logging.config.dictConfig(settings.LOGGING)
