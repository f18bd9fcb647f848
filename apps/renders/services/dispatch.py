"""One tick of the dispatcher: ready jobs meet free seats (design §6). Run by the leader only.

Its cost grows with free seats, nodes and active lanes, never with the backlog. Every lane learns here why
it waits.
"""

from __future__ import annotations

from apps.common.clock import database_now
from apps.renders.scheduling.demand import let_rested_start, raise_due
from apps.renders.scheduling.fronts import Turns
from apps.renders.scheduling.round import Round, read_round
from apps.renders.scheduling.sleep import put_to_sleep, wake_the_forgotten
from apps.renders.services import bus
from apps.renders.services.explore import explore
from apps.renders.services.places import make_way
from apps.renders.services.sending import send
from apps.renders.services.waits import Outcome, explain

DUE_RANK = 25
"""Above high, below urgent: a job that must start by now to keep its deadline."""


MOST_ROUNDS = 20
"""Rounds of one tick: a flood of new jobs must let sweep have its turn."""


def dispatch(turns: Turns | None = None) -> int:
    """Send as many ready jobs as there are seats for; return how many were sent.

    ``turns`` is what the rounds of one leader remember of each other.
    """
    sent = 0
    for _round in range(MOST_ROUNDS):
        this = _look()
        if not this.supply.nodes or not this.open_lanes or not bus.is_up():
            break
        this.read_heads()
        match = this.match(turns)
        picks = list(match.picks())
        make_way(this, match)
        went = send(picks + explore(this, match))
        sent += went
        if not (picks and went and this.has_more):
            break
    return sent


def explain_waiting(turns: Turns | None = None) -> Round:
    """Tell every lane why it waits, and return the round this was learned from.

    The dispatcher's own words, never a second opinion: the round is played once more, and nothing is sent.
    What would start says so.
    """
    this = _look(with_words=True)
    this.read_heads()
    empty = [each.lane.pk for each in this.open_lanes if not each.heads]
    waiting = [each for each in this.lanes if each.heads or each.lane.pk in this.holds]
    match = this.match(turns.copy() if turns else None)
    starting = {pick.waiting.lane.pk for pick in match.picks()}
    up = not waiting or bus.is_up()
    explain(this, waiting, Outcome(starting=starting, warming=match.withheld, broker_up=up))
    put_to_sleep(empty)
    return this


def remember() -> None:
    """Find lanes that sleep over a job, which no code path leads to. Now and then is enough."""
    wake_the_forgotten()


def _look(*, with_words: bool = False) -> Round:
    now = database_now()
    let_rested_start(now)
    raise_due(now, rank=DUE_RANK)
    return read_round(now, with_words=with_words)
