"""The node's Celery app: settings of both sides, and what belongs to the GPU side only."""

from __future__ import annotations

import logging
import os
from typing import Any

from celery import Celery
from celery.signals import after_setup_logger, after_setup_task_logger, celeryd_init

import celeryconfig
from farm import transport
from farm.logs import hide, hide_keys_in, name_process, password_in
from workers import logs, settings, stores
from workers.queues import SLOTS
from workers.steps import Alone, Presence

try:
    node_settings = settings.from_environment()
    stores.open_store(node_settings.artifacts, min_free=0)  # a missing driver is told now, and nothing else
except settings.SettingsError as error:
    # Started by hand, as a rule: one sentence says more than a traceback of imports.
    raise SystemExit(f"shotfarm node: {error}") from error

transport.install()
app = Celery("workers", include=["workers.tasks", "workers.control"])
app.config_from_object(celeryconfig)
app.conf.update(
    worker_pool="workers.pool:TaskPool",
    worker_concurrency=SLOTS,
    # Early acknowledgement would otherwise hold as many more orders as there are slots.
    worker_disable_prefetch=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={
        **celeryconfig.broker_transport_options,
        "queue_order_strategy": "priority",  # the order of Node.listens: own queue, then the largest tier
    },
    # A node's calls are claims, bells and reports; Flower is for orders.
    task_send_sent_event=False,
)
app.steps["worker"].add(Alone)
app.steps["consumer"].add(Presence)

hide(node_settings.comfy_key, *password_in(node_settings.redis_url), *password_in(node_settings.artifacts))
hide_keys_in(os.environ)


@celeryd_init.connect
def _name_process(sender: str, instance: Any, **_: Any) -> None:
    """Celery's node name is this process's, unless the node has one of its own."""
    name_process(node_settings.node or sender.removeprefix("celery@"))
    instance.quiet = node_settings.json_log  # its banner is no log line


@after_setup_logger.connect
def _keep_lines(logger: logging.Logger, **_: Any) -> None:
    logger.addHandler(logs.attempt_lines)


after_setup_logger.connect(logs.dress(json_lines=node_settings.json_log), weak=False)
after_setup_task_logger.connect(logs.dress(json_lines=node_settings.json_log), weak=False)
