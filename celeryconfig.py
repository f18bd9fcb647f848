"""Celery settings that both sides share: coordinator and GPU nodes speak the same dialect.

What belongs to one side only stands there (``worker_disable_prefetch`` and the pool in ``workers.app``,
routes and schedules in the coordinator's app).
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

broker_url = os.environ.get("REDIS_URL", "")
if not broker_url:
    # Whoever starts a process by hand reads one sentence, not a traceback of imports.
    raise SystemExit(
        "REDIS_URL is not set; set it to the farm's broker, such as redis://:password@host:6379/0"
    )
try:
    _ = urlsplit(broker_url).port
except ValueError:  # its words quote what was taken for a port: often a piece of the password
    raise SystemExit(
        "REDIS_URL cannot be read: after the host comes a port from 0 to 65535, and in a password "
        "/ ? # [ ] @ : and % are written %2F %3F %23 %5B %5D %40 %3A %25."
    ) from None
result_backend = broker_url

# JSON only: a pickled message would be code.
accept_content = ["json"]
task_serializer = "json"
result_serializer = "json"
enable_utc = True

# A report stands in the result backend until the coordinator has recorded it; a week bridges any outage.
result_expires = 7 * 24 * 3600

# The database decides what runs again, so a message is acknowledged when it starts, never redelivered.
task_acks_late = False
task_send_sent_event = True
worker_send_task_events = True
worker_cancel_long_running_tasks_on_connection_loss = True  # concerns late acknowledgement only: none here
worker_enable_prefetch_count_reduction = False

worker_hijack_root_logger = False
worker_redirect_stdouts = False

# A broker that is away comes back; whoever waits for it tries again for ever, but each try is short.
broker_connection_retry_on_startup = True
broker_connection_retry = True
broker_connection_max_retries = None
broker_connection_timeout = 5
broker_transport_options = {
    "priority_steps": [0],  # order is decided in the database; one list per queue
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
redis_socket_timeout = 15
redis_socket_connect_timeout = 5
redis_socket_keepalive = True
redis_retry_on_timeout = True
redis_backend_health_check_interval = 25
result_backend_transport_options = {
    "retry_policy": {"max_retries": 5, "interval_start": 0, "interval_step": 0.2, "interval_max": 1},
}
task_publish_retry = True
task_publish_retry_policy = {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
