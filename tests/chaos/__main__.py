"""``python -m tests.chaos``: break a farm of real processes in every way we know, and count what is lost.

One JSON line per scenario on stdout; the exit status is 0 only if every one is ok.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tests.chaos.farms import prepare_all
from tests.chaos.lanes import play_in_lanes
from tests.chaos.plan import GROUPS, Group, Scenario

LANES: Final = 3
"""Farms at a time. They wait more than they work, so that three keep two cores busy."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the chosen scenarios; return the exit status."""
    options = _parser().parse_args(arguments)
    groups = _chosen(options.only or ["*"])
    names = [scenario.name for group in groups for scenario in group.scenarios]
    if not names:
        sys.stderr.write(f"--only {options.only} fits no scenario; --list shows them.\n")
        return 2
    if options.list:
        sys.stdout.writelines(f"{name}\n" for name in names)
        return 0
    began = time.monotonic()
    with _workshop(options.keep) as folder:
        prepared = prepare_all(folder / "prepared")
        good = sum(play_in_lanes(groups, prepared, lanes=options.lanes))
        prepared.database.remove()
    sys.stderr.write(f"{good} of {len(names)} scenarios ok, in {time.monotonic() - began:.0f} s\n")
    return 0 if good == len(names) else 1


def _chosen(patterns: Sequence[str]) -> list[Group]:
    def wanted(group: Group) -> tuple[Scenario, ...]:
        return tuple(each for each in group.scenarios if any(fnmatchcase(each.name, p) for p in patterns))

    chosen = [replace(group, scenarios=wanted(group)) for group in GROUPS]
    return [group for group in chosen if group.scenarios]


@contextmanager
def _workshop(keep: Path | None) -> Iterator[Path]:
    """Yield a folder for all farms: a given one stays, with every log; ours goes."""
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="shotfarm-chaos-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="PATTERN", help="such as 'kill * @ staged'; may be repeated"
    )
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument("--lanes", type=int, default=LANES, help=f"farms at a time ({LANES})")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder that keeps farms and logs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
