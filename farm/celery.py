"""The coordinator's Celery app: it answers claims and node reports, hears bells, does media work.

Start it with ``celery -A farm worker -P threads -Q claims,reports`` and
``celery -A farm worker -Q media``.
"""

from __future__ import annotations

import logging.config
import os
import sys
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, task_postrun, task_prerun
from django.conf import settings
from django.db import close_old_connections

from farm import transport
from farm.logs import name_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
transport.install()

app = Celery("farm")
app.config_from_object("celeryconfig")
app.conf.update(
    result_backend=f"farm.results:UnwatchedResults+{app.conf.result_backend}",
    # Celery would close the database's connection around every task, and open another for the next one.
    CELERY_DB_REUSE_MAX=sys.maxsize,
)
app.autodiscover_tasks()


@task_prerun.connect
@task_postrun.connect
def _let_go_of_dead_connections(task: Any, **_: Any) -> None:
    """Keep a living connection for the next task; Django drops one that broke or is old."""
    if not task.request.is_eager:
        close_old_connections()


@celeryd_init.connect
def _name_process(sender: str, instance: Any, **_: Any) -> None:
    """``-n media@%h`` is the process "media"."""
    name_process(sender.partition("@")[0])
    instance.quiet = True  # its banner is no log line


@setup_logging.connect
def _speak_one_form(**_: Any) -> None:
    """Keep Celery from setting up handlers of its own."""
    logging.config.dictConfig(settings.LOGGING)
