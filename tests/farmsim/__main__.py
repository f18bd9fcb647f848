"""``python -m tests.farmsim``: the real stack against simulated nodes, with seeded faults, and judged.

One JSON line per scenario on stdout, as ``make chaos`` prints; the exit status is 0 only if every one is ok.
Without --nodes, --jobs, --over or --faults the scenarios of ``make chaos`` are played; with one of them, a
scenario of your own. The rows are always compared with every invariant.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from tests.farmsim.fates import Fate
from tests.farmsim.scenarios import SCENARIOS, Scenario, known_faults, play_all, say
from tests.farmsim.simulation import use_postgres
from tests.farmsim.strikes import STRIKES

ALL_LONGEST_S = 150.0
"""With every fault at once, a lease may run out after a grace of one lease, and that after another."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what was asked for; return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list:
        sys.stdout.writelines(f"{scenario.name}\n" for scenario in SCENARIOS)
        sys.stdout.writelines(f"  fault: {name}\n" for name in known_faults())
        return 0
    scenarios = _own(options, parser) if _is_own(options) else _presets(options.only)
    if not scenarios:
        parser.error(f"--only {options.only} fits no scenario; --list shows them")
    use_postgres()
    if options.keep:
        options.keep.mkdir(parents=True)
    good = play_all(scenarios, keep=options.keep, figures=True)
    say(f"{good} of {len(scenarios)} scenarios ok")
    return 0 if good == len(scenarios) else 1


def _presets(patterns: Sequence[str] | None) -> list[Scenario]:
    wanted = patterns or ["*"]
    return [each for each in SCENARIOS if any(fnmatchcase(each.name, pattern) for pattern in wanted)]


def _is_own(options: argparse.Namespace) -> bool:
    return any(value is not None for value in (options.nodes, options.jobs, options.faults, options.over))


def _own(options: argparse.Namespace, parser: argparse.ArgumentParser) -> list[Scenario]:
    nodes, jobs, faults = options.nodes or 24, options.jobs or 300, options.faults or "none"
    names = _faults(faults, parser)
    each = max(1, jobs // 100)
    return [
        Scenario(
            name=f"{nodes} nodes, {jobs} jobs, seed {options.seed}, faults {faults}",
            nodes=nodes,
            jobs=jobs,
            over_s=40.0 if options.over is None else options.over,
            seed=options.seed,
            pace=options.pace,
            fates={Fate(name): each for name in names if name in set(Fate)},
            strikes=tuple(name for name in names if name in STRIKES),
            longest_s=ALL_LONGEST_S,
            patience_s=options.patience,
        )
    ]


def _faults(words: str, parser: argparse.ArgumentParser) -> list[str]:
    if words in ("all", "none"):
        return known_faults() if words == "all" else []
    names = [name.strip() for name in words.split(",")]
    for name in names:
        if name not in known_faults():
            parser.error(f"--faults: {name!r} is no fault; known are all, none, {', '.join(known_faults())}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.farmsim", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="name the scenarios and the faults, and end")
    parser.add_argument(
        "--only", action="append", metavar="PATTERN", help="scenarios, such as '*broker*'; may be repeated"
    )
    parser.add_argument("--nodes", type=int, help="simulated nodes, with cards of 12 to 48 GB (24)")
    parser.add_argument("--jobs", type=int, help="jobs to order (300)")
    parser.add_argument("--over", type=float, metavar="SECONDS", help="order them over this time (40)")
    parser.add_argument("--faults", metavar="NAMES", help="all, none, or names divided by commas (none)")
    parser.add_argument(
        "--seed", type=int, default=7, help="the same seed makes the same trace and faults (7)"
    )
    parser.add_argument(
        "--pace", type=float, default=0.01, help="seconds here per second of a real render (0.01)"
    )
    parser.add_argument(
        "--patience", type=float, default=600.0, metavar="SECONDS", help="at most this long (600)"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a new folder that keeps farms and logs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
