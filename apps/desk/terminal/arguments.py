"""What ``manage.py farm`` takes: its commands and their options."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, _SubParsersAction
from typing import Any, Final

from apps.desk.terminal.joblist import MOST_JOBS
from apps.nodes.states import Desired, Observed
from apps.renders.states import JobState
from workflows.downloads import TOOLS

EXIT_CODES: Final = "Exit codes: 0 done; 1 nothing matched, or it was refused; 2 asked for wrongly."
NODE_STATES: Final = sorted({*Observed.values, *Desired.values, "off_hours", "drifted", "trouble"})
LONGEST_WATCH_S: Final = 3600
MOST_LIMIT: Final = 10_000
HELD: Final = (
    "farm, a VRAM tier in GB (48), or the code of a project (FROST), a batch (B00012), a job (J000012)"
)

_SEEING: Final = {
    "status": "the farm at a glance: who leads, nodes, jobs, what is held, what waits for what",
    "nodes": "every node: how it stands, its GPU, what it has in hand",
    "jobs": "open jobs, the newest first: what each does, or why it waits",
    "why": "why one job waits, what each node says to it, when it will be done",
    "story": "everything that happened to one job",
    "limits": "how full each limit is",
    "models": "which model file of which hash lies on which node, what templates need, and how to fetch it",
    "proofs": "which template is proven on which node by a golden render",
}
_DOING: Final = {
    "drain": "let nodes finish what they have and take nothing new",
    "pause": "let nodes take nothing new until they are resumed",
    "resume": "let nodes work again",
    "remove": "take a node that is gone for good off the books; what it rendered stays",
    "note": "pin a maintenance note to a node; an empty text takes it off",
    "requeue": "run again: jobs, what failed of a batch, or what failed on a node",
    "cancel": "cancel jobs, down to ComfyUI",
    "prove": "let a node show that it can do a template, by the smallest render of it (a golden render)",
    "prioritise": "give jobs another priority class: low, normal, high, urgent (or 0, 10, 20, 30)",
    "hold": "let nothing start on the farm, of a VRAM tier, a project, a batch, or a single job",
    "release": "let the farm, a VRAM tier, a project, a batch or a job go on",
}


def declare(parser: ArgumentParser) -> None:
    """Declare every command with its options."""
    parser.epilog = EXIT_CODES
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = {name: _command(commands, name, told, acts=False) for name, told in _SEEING.items()}
    made |= {name: _command(commands, name, told, acts=True) for name, told in _DOING.items()}
    _seeing(made)
    _doing(made)


def _command(commands: _SubParsersAction[Any], name: str, told: str, *, acts: bool) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(name, help=told, description=f"{told}.", epilog=EXIT_CODES)
    parser.add_argument("--json", action="store_true", help="one object for tools")
    for option in ("--no-color", "--force-color"):  # Django's own, which it takes before the command only
        parser.add_argument(option, action="store_true", default=SUPPRESS, help=SUPPRESS)
    if acts:
        parser.add_argument(
            "--as",
            dest="as_user",
            default="",
            metavar="USER",
            help="with this account's permissions only",
        )
    return parser


def _seeing(made: dict[str, ArgumentParser]) -> None:
    made["status"].add_argument(
        "--watch", type=_seconds, nargs="?", const=2.0, metavar="SECONDS", help="again and again (2 s)"
    )
    made["nodes"].add_argument("nodes", nargs="*", metavar="NODE", help="names; * stands for anything")
    made["nodes"].add_argument("--state", choices=NODE_STATES, default="", help="only nodes in this state")
    jobs = made["jobs"]
    jobs.add_argument("--state", action="append", choices=JobState.values, help="may be given several times")
    jobs.add_argument("--project", default="", metavar="CODE")
    jobs.add_argument("--batch", default="", metavar="CODE")
    jobs.add_argument("--node", default="", metavar="NODE", help="jobs this node has, or had, in hand")
    jobs.add_argument("--limit", type=_count, default=MOST_JOBS, metavar="N", help=f"{MOST_JOBS} by default")
    made["why"].add_argument("job", metavar="JOB", help="a code (J000012), an id, or an attempt's id")
    made["story"].add_argument("job", metavar="JOB", help="a code (J000012), an id, or an attempt's id")

    models = made["models"]
    models.add_argument(
        "--node", action="append", default=[], metavar="NODE", help="may be given several times, and with *"
    )
    models.add_argument("--template", default="", metavar="SLUG", help="only what this template needs")
    models.add_argument("--missing", action="store_true", help="only what some of these nodes lack")
    models.add_argument("--all", action="store_true", help="also files that no offered template needs")
    models.add_argument(
        "--script",
        nargs="?",
        const="curl",
        choices=TOOLS,
        help="lines to copy that fetch what is missing (curl by default)",
    )


def _doing(made: dict[str, ArgumentParser]) -> None:
    for name in ("drain", "pause", "resume"):
        made[name].add_argument("nodes", nargs="+", metavar="NODE", help="names; * stands for anything")
        made[name].add_argument("--reason", default="", help="what people read beside it")
    made["remove"].add_argument("node", metavar="NODE")
    made["note"].add_argument("node", metavar="NODE")
    made["note"].add_argument("text", metavar="TEXT")
    requeue = made["requeue"]
    what = requeue.add_mutually_exclusive_group(required=True)
    what.add_argument("jobs", nargs="*", metavar="JOB", default=[])
    what.add_argument("--batch", default="", metavar="CODE")
    what.add_argument("--node", default="", metavar="NODE", help="jobs whose last attempt failed on it")
    requeue.add_argument("--since", default="", metavar="WHEN", help="with --node: 30m, 12h, 2d, or a time")
    made["cancel"].add_argument("jobs", nargs="+", metavar="JOB")
    for name in ("requeue", "cancel"):
        made[name].add_argument("--dry-run", action="store_true", help="say what would be done")
    made["prioritise"].add_argument("jobs", nargs="+", metavar="JOB")
    made["prioritise"].add_argument("priority", metavar="PRIORITY")
    made["prove"].add_argument("node", metavar="NODE")
    made["prove"].add_argument("template", metavar="TEMPLATE", help="its name, such as flux_t2i")
    for name in ("hold", "release"):
        made[name].add_argument("scope", metavar="WHAT", help=HELD)
    made["hold"].add_argument("--reason", default="", help="what people read beside it")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.5 <= seconds <= LONGEST_WATCH_S:
        raise ArgumentTypeError(f"“{text}”: write seconds from 0.5 to {LONGEST_WATCH_S}")
    return seconds


def _count(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if not 1 <= count <= MOST_LIMIT:
        raise ArgumentTypeError(f"“{text}”: write a whole number from 1 to {MOST_LIMIT}")
    return count
