"""From the options of a command to its answer: names become rows, then one room is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.desk.terminal import acting, actor, glance, holding, joblist, standing, stock
from apps.desk.terminal.answer import Answer
from apps.desk.terminal.finding import (
    batch_named,
    job_named,
    jobs_named,
    moment_named,
    nodes_named,
    one_node,
    priority_named,
    project_named,
)
from apps.desk.terminal.text import Paint
from apps.nodes.states import Desired

Options = Mapping[str, Any]


def answer(options: Options, paint: Paint) -> Answer:
    """Carry a command out. Raises Refused, NotAllowed."""
    command = options["command"]
    if command in _SEES:
        return _SEES[command](options, paint)
    user = actor.account(options["as_user"]) if options["as_user"] else actor.operator()
    return _DOES[command](options, user)


def _nodes(options: Options, paint: Paint) -> Answer:
    some = nodes_named(options["nodes"]) if options["nodes"] else None
    return standing.nodes(some, paint, state=options["state"])


def _jobs(options: Options, paint: Paint) -> Answer:
    wanted = joblist.Wanted(
        states=options["state"] or (),
        project=project_named(options["project"]) if options["project"] else None,
        batch=batch_named(options["batch"]) if options["batch"] else None,
        node=one_node(options["node"]) if options["node"] else None,
        most=options["limit"],
    )
    return joblist.jobs(wanted, paint)


def _steer(desired: Desired) -> Callable[[Options, User], Answer]:
    def deed(options: Options, user: User) -> Answer:
        return acting.steer(nodes_named(options["nodes"]), desired, user=user, reason=options["reason"])

    return deed


def _requeue(options: Options, user: User) -> Answer:
    dry_run = options["dry_run"]
    if options["since"] and not options["node"]:
        raise Refused(Problem("--since", options["since"], _("it goes with --node")))
    if options["batch"]:
        return acting.requeue_batch(batch_named(options["batch"]), user=user, dry_run=dry_run)
    if options["node"]:
        since = moment_named(options["since"]) if options["since"] else None
        return acting.requeue_node(one_node(options["node"]), user=user, since=since, dry_run=dry_run)
    return acting.requeue_named(jobs_named(options["jobs"]), user=user, dry_run=dry_run)


def _prioritise(options: Options, user: User) -> Answer:
    priority = priority_named(options["priority"])
    return acting.prioritise(jobs_named(options["jobs"]), priority, user=user)


def _models(options: Options, paint: Paint) -> Answer:
    return stock.models(
        nodes_named(options["node"]) if options["node"] else None,
        paint,
        template=options["template"],
        missing=options["missing"],
        everything=options["all"],
        script=options["script"] or "",
    )


_SEES: Final[Mapping[str, Callable[[Options, Paint], Answer]]] = {
    "status": lambda _options, paint: glance.status(paint),
    "nodes": _nodes,
    "jobs": _jobs,
    "why": lambda options, paint: joblist.why_answer(job_named(options["job"]), paint),
    "limits": lambda _options, paint: standing.limits(paint),
    "models": _models,
    "proofs": lambda _options, paint: stock.proofs(paint),
}

_DOES: Final[Mapping[str, Callable[[Options, User], Answer]]] = {
    "drain": _steer(Desired.DRAINING),
    "pause": _steer(Desired.PAUSED),
    "resume": _steer(Desired.ACTIVE),
    "remove": lambda options, user: acting.remove(one_node(options["node"]), user=user),
    "note": lambda options, user: acting.note(one_node(options["node"]), options["text"], user=user),
    "requeue": _requeue,
    "cancel": lambda options, user: acting.cancel(
        jobs_named(options["jobs"]), user=user, dry_run=options["dry_run"]
    ),
    "prioritise": _prioritise,
    "prove": lambda options, user: stock.prove_template(
        one_node(options["node"]), options["template"], user=user
    ),
    "hold": lambda options, user: holding.hold(
        holding.holdable_named(options["scope"]), user=user, reason=options["reason"]
    ),
    "release": lambda options, user: holding.release(holding.holdable_named(options["scope"]), user=user),
}
