"""A Celery app that does nothing, on the farm's broker: what a round trip costs before any farm.

    celery -A tests.bench.bare worker -P threads -c 2

``python -m tests.bench.bare COUNT`` prints the milliseconds of each round trip as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time

from celery import Celery

app = Celery("bare", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(task_default_queue="bench.bare", broker_connection_retry_on_startup=True)


@app.task(name="bench.nothing")
def nothing() -> int:
    """Return at once."""
    return 0


def main(count: int) -> None:
    """Make ``count`` round trips, after some to warm up."""
    trips = []
    for _ in range(count + 10):
        begun = time.perf_counter()
        nothing.delay().get(timeout=60)
        trips.append((time.perf_counter() - begun) * 1000)
    sys.stdout.write(json.dumps(trips[10:]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
