"""``python -m tests.bench [NAME …]``: one JSON line per figure on standard output.

``SHOTFARM_TEST_DB`` chooses the farms' database, postgres (a private server; the default) or sqlite.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator

from tests import postgres
from tests.bench.fairness import fairness
from tests.bench.figures import Figure, say
from tests.bench.gap import gaps
from tests.bench.latency import latency
from tests.bench.lifecycles import lifecycles
from tests.bench.lists import lists
from tests.bench.loads import loads
from tests.bench.sheets import sheets
from tests.bench.streams import streams
from tests.bench.thousand import thousand
from tests.bench.tick import tick

BENCHES: dict[str, Callable[[], Iterator[Figure]]] = {
    "gap": gaps,
    "latency": latency,
    "thousand": thousand,
    "lifecycles": lifecycles,
    "tick": tick,
    "loads": loads,
    "fairness": fairness,
    "lists": lists,
    "sheets": sheets,
    "streams": streams,
}


def main() -> None:
    """Measure what was asked for, or everything."""
    options = argparse.ArgumentParser("python -m tests.bench", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    names = options.parse_args().names or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        options.error(f"{', '.join(unknown)}: not a bench; choose from {', '.join(BENCHES)}")
    if os.environ.setdefault("SHOTFARM_TEST_DB", "postgres") == "postgres":
        os.environ["SHOTFARM_TEST_DB"] = postgres.serve().url
    for name in names:
        begun = time.monotonic()
        say(f"{name} …")
        for figure in BENCHES[name]():
            sys.stdout.write(figure.line() + "\n")
            sys.stdout.flush()
        say(f"{name}: {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
