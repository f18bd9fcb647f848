"""Create sequences and shots, and move a shot through its statuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypedDict, Unpack

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.machines import move, record_event
from apps.common.numbering import CODE_RULE, Numbering, is_code
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.productions import states
from apps.productions.automations import Happening, reached
from apps.productions.models import Episode, Location, Sequence, Shot, ShotStatus
from apps.productions.shades import give_shade
from apps.productions.statuses import require_allowed, status_named
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require

EPISODES: Final = Numbering(kind="episode", prefix="EP", digits=2, step=1)
SEQUENCES: Final = Numbering(kind="sequence", prefix="SQ", digits=3, step=10)
SHOTS: Final = Numbering(kind="shot", prefix="SH", digits=4, step=10)

SYSTEM: Final = "farm"
"""The actor in event rows when no person acted."""

_SIGNED_OFF = frozenset({states.APPROVED, states.FINAL})


class ShotFields(TypedDict, total=False):
    """What may be said of a new shot. ``frames`` and ``handles`` count frames at the project's fps.

    ``cut_in``: the number of its first frame in the cut, None for the project's first one after the handles.
    ``continuity_from``: the shot it continues, which services.editing and the form look at
    (productions.continuity).
    """

    description: str
    description_ko: str
    dialogue: str
    frames: int
    handles: int
    cut_in: int | None
    continuity_from: Shot | None
    continuity_keep: str
    continuity_frames: int
    location: Location | None
    weather: str
    time_of_day: str
    negative: str
    preset_override: str
    seed: int | None
    notes: str


def create_episode(
    *, project: Project, name: str, user: User | None, code: str = "", name_ko: str = ""
) -> Episode:
    """Create an episode with the next code (EP01, EP02 …) or a typed one.

    Raises Refused for a bad or taken code, NotAllowed unless ``user`` plans the project (None: the farm).
    """
    if user is not None:
        require(user, Act.PLAN, project)
    _check_typed(code)
    with changing(Episode, actor=user) as change:
        if code:
            EPISODES.keep_ahead(project.pk, [code])
        else:
            taken = Episode.objects.filter(project=project)
            code = EPISODES.next_code(project.pk, taken=lambda text: taken.filter(code=text).exists())
        episode = Episode(
            project=project,
            code=code,
            name=name.strip(),
            name_ko=name_ko.strip(),
            order=order_of(EPISODES, code),
        )
        clean(episode)
        episode.save(force_insert=True)
        change.born(episode)
    return episode


def create_sequence(
    *,
    project: Project,
    name: str,
    user: User | None,
    code: str = "",
    name_ko: str = "",
    period_year: int | None = None,
    episode: Episode | None = None,
) -> Sequence:
    """Create a sequence with the next code (SQ010, SQ020 …) or a typed one.

    Raises Refused for a bad or taken code, NotAllowed unless ``user`` plans the project (None: the farm).
    """
    if user is not None:
        require(user, Act.PLAN, project)
    _check_typed(code)
    if episode is not None and episode.project_id != project.pk:
        raise Refused(Problem("episode", episode.code, _("this episode belongs to another project")))
    with changing(Sequence, actor=user) as change:
        if code:
            SEQUENCES.keep_ahead(project.pk, [code])
        else:
            taken = Sequence.objects.filter(project=project)
            code = SEQUENCES.next_code(project.pk, taken=lambda text: taken.filter(code=text).exists())
        sequence = Sequence(
            project=project,
            episode=episode,
            code=code,
            name=name.strip(),
            name_ko=name_ko.strip(),
            order=order_of(SEQUENCES, code),
            period_year=period_year,
        )
        clean(sequence)
        sequence.save(force_insert=True)
        change.born(sequence)
    return sequence


def create_shot(
    *,
    sequence: Sequence,
    user: User | None,
    code: str = "",
    status: str = states.DRAFT,
    **fields: Unpack[ShotFields],
) -> Shot:
    """Create a shot with the sequence's next code (SH0010, SH0020 …) or a typed one.

    However many are created at once, no two get one code. Raises Refused, NotAllowed.
    """
    if user is not None:
        require(user, Act.PLAN, sequence.project)
    _check_typed(code)
    states.SHOT.check(("",), status)
    with changing(Shot, actor=user) as change:
        if code:
            SHOTS.keep_ahead(sequence.pk, [code])
        else:
            taken = Shot.objects.filter(sequence=sequence)
            code = SHOTS.next_code(sequence.pk, taken=lambda text: taken.filter(code=text).exists())
        shot = Shot(
            project=sequence.project,
            sequence=sequence,
            code=code,
            order=order_of(SHOTS, code),
            status_id=status,
            **({"handles": sequence.project.handles} | dict(fields)),
        )
        clean(shot)
        shot.save(force_insert=True)
        change.born(shot)
        record_event(states.SHOT, shot.pk, to=status, actor=actor_of(user), reason="created")
    return shot


def move_shot_status(shot: Shot, *, to: str, user: User | None, reason: str = "") -> bool:
    """Give a shot another status, the machine's or one of the studio's; False if somebody was faster.

    Approving and finalising take the right to review, the rest the right to plan. Raises Refused when
    the machine has no such move, naming those it has; NotAllowed.
    """
    now = str(shot.status_id)
    row = status_named(to)
    state = row.state if row is not None else to
    if user is not None:
        require(user, act_of_move(now, state), shot.project, shot=shot.pk)
    offered = statuses_from(shot)
    if row is None or row.pk not in offered:
        raise Refused(
            Problem(
                "status",
                to,
                _("From “%(now)s” a shot may go to: %(offered)s.")
                % {"now": shot.studio_status_id or now, "offered": ", ".join(sorted(offered))},
                code="illegal_move",
            )
        )
    if user is not None:
        require_allowed(row, user, shot.project)
    actor = actor_of(user)
    with changing(Shot, [shot.pk], actor=user, verb="status"):
        if state == now:
            moved = bool(give_shade([shot.pk], row, actors={shot.pk: actor}, reason=reason))
        else:
            shade = {"studio_status": None if row.is_own else row}
            moved = move(states.SHOT, shot, from_=(now,), to=state, actor=actor, reason=reason, changes=shade)
        if moved:
            reached([Happening(shot=shot.pk, project=shot.project_id, actor=actor, why=reason)])
    return moved


def statuses_from(shot: Shot, rows: Iterable[ShotStatus] | None = None) -> dict[str, ShotStatus]:
    """The statuses a shot may be given next, in the studio's order, by slug; ``rows``: all there are."""
    states_offered = {*states.SHOT.moves[str(shot.status_id)], str(shot.status_id)}
    shown = shot.studio_status_id or shot.status_id
    return {
        row.pk: row
        for row in (ShotStatus.objects.all() if rows is None else rows)
        if row.state in states_offered and row.pk != shown and not row.archived
    }


def act_of_move(now: str, to: str) -> Act:
    """What a step of a shot's status takes: signing off, and taking that back, is reviewing."""
    return Act.REVIEW if {now, to} & _SIGNED_OFF else Act.PLAN


def order_of(numbering: Numbering, code: str) -> int:
    """Where a code stands among its kind: its number, so that SH0045 sorts between SH0040 and SH0050."""
    return numbering.number_of(code) or 0


def actor_of(user: User | None) -> str:
    """Name who acts, for event rows."""
    return user.get_username() if user is not None else SYSTEM


def _check_typed(code: str) -> None:
    if code and not is_code(code):
        raise Refused(Problem("code", code, CODE_RULE, code="invalid_code"))
