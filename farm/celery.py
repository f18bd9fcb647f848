"""The coordinator's Celery app: it answers claims and node reports, hears bells, does media work.

Start it with ``celery -A farm worker -P threads -Q claims,reports`` and
``celery -A farm worker -Q media``.
"""

from __future__ import annotations

import logging
import logging.config
import os
import sys
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, task_postrun, task_prerun
from django.conf import settings
from django.db import close_old_connections

from farm import contracts, transport
from farm.logs import name_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # Celery throws away what Django's checks say
transport.install()

ANSWERS_EXPIRE_S = 600
WORDS = (contracts.CLAIM, contracts.BELL, contracts.REPORT)

app = Celery("farm")
app.config_from_object("celeryconfig")
app.conf.update(
    result_backend=f"farm.results:UnwatchedResults+{app.conf.result_backend}",
    # What is stored here answers a node that waits for seconds; RENDER's reports are stored by the nodes.
    result_expires=ANSWERS_EXPIRE_S,
    # What a dying coordinator had in hand is said again by whoever said it: Redis keeps no copy of it.
    broker_transport_options={**app.conf.broker_transport_options, "ack_emulation": False},
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
    """``-n media@%h`` is the process "media". Orders are the ticker's: media work needs no word to Flower."""
    name_process(sender.partition("@")[0])
    app.conf.task_send_sent_event = False
    instance.quiet = True  # its banner is no log line


@setup_logging.connect
def _speak_one_form(**_: Any) -> None:
    """Keep Celery from setting up handlers of its own."""
    logging.config.dictConfig(settings.LOGGING)
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).addFilter(_worth_a_line)


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Leave out that a word of a node came and went: what it said has a line of its own."""
    task = getattr(record, "data", None)
    return record.levelno > logging.INFO or not (isinstance(task, dict) and task.get("name") in WORDS)
