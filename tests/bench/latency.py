"""How long a render of no length takes from the press to the recorded take.

Of no length on both sides: the same shot is pressed again with the same seed, so ComfyUI has all but the
saving in its cache; the bare client sends that very graph.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator

from farm.demo.processes import ROOT
from tests.bench import direct, rig
from tests.bench.figures import Figure, say, spread

COUNT = 40
AIM = 2.0

QUIET_S = 0.1
"""Between presses: what a farm does after a take (a preview, its leases) is nobody's wait."""

PRESS_AND_WAIT = """
import time
from django.db import connection
from apps.renders.services import bus
trips = []
RECORDED = "SELECT 1 FROM renders_job WHERE batch_id = %s AND state = 'succeeded'"
def is_recorded(batch):
    with connection.cursor() as cursor:
        key = batch.pk if connection.features.has_native_uuid_field else batch.pk.hex
        cursor.execute(RECORDED, [key])
        return cursor.fetchone() is not None
pokes = bus.listen_for_pokes()  # whoever records pokes the ticker: no looking takes the farm's second core
for _ in range({count}):
    time.sleep({quiet})
    while pokes.get_message(timeout=0) is not None:
        pass
    begun = time.perf_counter()
    batch = press()
    submitted = time.perf_counter()
    while not is_recorded(batch):
        if time.perf_counter() - begun > 60:
            raise SystemExit(f"{{batch.code}} was not recorded within 60 s")
        pokes.get_message(timeout=1)
    trips.append([(submitted - begun) * 1000, (time.perf_counter() - begun) * 1000])
answer(trips)
"""


def latency() -> Iterator[Figure]:
    """Submit → recorded, against the same prompt sent directly and two bare Celery round trips."""
    with rig.farm(nodes=1, render_s=0) as farm, rig.bare_worker(farm) as env:
        url = farm.plan.nodes[0].comfyui_url
        for _ in range(5):
            rig.press(farm, shots=1, takes=1)
        rig.await_jobs(farm, 5, patience_s=60)
        press = rig.SUBMIT.format(begin=0, shots=1, takes=1, step=rig.STEP)
        trips = farm.coordinate(press + PRESS_AND_WAIT.format(count=COUNT, quiet=QUIET_S))
        graph = direct.any_graph(url)
        with direct.DirectClient(url) as client:
            same = direct.variants(graph, COUNT + 1, reseed=False)
            client.render(same.pop())
            straight = [client.render(variant) * 1000 for variant in same]
        bare = _bare_trips_ms(env)
    submit, total = ([trip[index] for trip in trips] for index in (0, 1))
    say(f"submit {spread(submit)}; submit to recorded {spread(total)}")
    say(f"direct until read {spread(straight)}; bare Celery round trip {spread(bare)}")
    yield Figure(
        figure="submit to recorded of a zero-length render / direct until file read + 2 bare round trips",
        value=statistics.median(total),
        unit="ms",
        against=statistics.median(straight) + 2 * statistics.median(bare),
        goal=AIM,
    )


def _bare_trips_ms(env: dict[str, str]) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bare", "200"],
        env=env,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    trips: list[float] = json.loads(done.stdout)
    return trips
