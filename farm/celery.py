"""The coordinator's Celery app: it answers claims and node reports, hears bells, does media work.

Start it with ``celery -A farm worker -P threads -Q claims,reports`` and
``celery -A farm worker -Q media``.
"""

from __future__ import annotations

import os

from celery import Celery

from farm import transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
transport.install()

app = Celery("farm")
app.config_from_object("celeryconfig")
app.conf.update(result_backend=f"farm.results:UnwatchedResults+{app.conf.result_backend}")
app.autodiscover_tasks()
