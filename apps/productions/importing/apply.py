"""Write a plan without problems. The caller holds the transaction and the project's row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Listed
from contextlib import ExitStack
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Model
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.characters.models import Character, CharacterLora, Costume
from apps.characters.services import CHARACTERS
from apps.common.errors import Conflict, Problem
from apps.common.machines import Move, move_each
from apps.common.models import StateEvent
from apps.ledger.services.batching import open_batch
from apps.ledger.services.recording import Changing, changing
from apps.presets.models import Look, LookPreset
from apps.productions import states
from apps.productions.automations import Happening, reached
from apps.productions.importing.changes import Change, Plan, StatusMove
from apps.productions.models import Episode, Location, Sequence, Shot, ShotCharacter, ShotPreset, ShotStatus
from apps.productions.services import EPISODES, SEQUENCES, SHOTS, actor_of
from apps.productions.shades import give_shade
from apps.projects.models import Project
from apps.projects.services import open_project

_WRITTEN = (Episode, Sequence, Location, Look, Character, Costume, CharacterLora, Shot, ShotCharacter)
_BATCH = 500
MOST_NAMED: Final = 20
IMPORTED: Final = "imported"
"""The verb of what a workbook changed."""


def apply(plan: Plan, user: User | None, *, title: str, key: UUID | None = None) -> None:
    """Write new rows in bulk and changed rows one by one, only their changed columns.

    Whatever changes is remembered as one batch, named by ``title`` (the workbook's file), known by ``key``.
    """
    project = plan.project
    if project.new:
        open_project(project.row, user=user)
    writing = [change for change in plan.changes if change.new or change.changed]
    if not writing and not plan.castings_gone and not project.changed:
        return
    batch = open_batch(project=project.row.pk, actor=user, title=title, verb=IMPORTED, key=key)
    with ExitStack() as stack:
        for model, keys in _touched(plan, writing).items():
            change = stack.enter_context(changing(model, keys, actor=user, verb=IMPORTED, batch=batch))
            _refuse_changed(change, plan.versions)
            change.born(*(one.row for one in writing if one.new and type(one.row) is model))
        _write(plan, user)


def _refuse_changed(change: Changing, read: Mapping[UUID, int]) -> None:
    """The rows are locked now: what somebody saved after they were read is not written over."""
    told = _("Somebody changed this at the same moment. Look at the plan again.")
    problems = [
        Problem("row", now.label if now else str(key), told, code="stale")
        for key, now in change.before.items()
        if key in read and (now is None or now.version != read[key])
    ]
    if problems:
        raise Conflict(*problems[:MOST_NAMED])


def _touched(plan: Plan, writing: Iterable[Change[Any]]) -> dict[type[Model], set[UUID]]:
    """The rows that were there and will say something else, themselves or in one of their lists."""
    touched: dict[type[Model], set[UUID]] = {
        model: set() for model in (Project, Episode, Sequence, Location, Look, Character, Shot)
    }
    if plan.project.changed:
        touched[Project].add(plan.project.row.pk)
    for change in writing:
        row = change.row
        if isinstance(row, Costume | CharacterLora):
            touched[Character].add(row.character_id)
        elif isinstance(row, ShotCharacter):
            touched[Shot].add(row.shot_id)
        elif not change.new:
            touched[type(row)].add(row.pk)
    touched[Shot] |= {casting.shot_id for casting in plan.castings_gone}
    new = {change.row.pk for change in plan.changes if change.new}
    return {model: keys - new for model, keys in touched.items()}


def _write(plan: Plan, user: User | None) -> None:
    new: dict[type[Model], list[Any]] = defaultdict(list)
    for change in plan.changes:
        if change.new:
            new[type(change.row)].append(change.row)
    for model in _WRITTEN:
        # A character may name a default costume that comes later: foreign keys are checked at commit.
        model._default_manager.bulk_create(new[model], batch_size=_BATCH)
    for change in plan.all_changes:
        if change.changed:
            _update(change)
    for keys in _batches([casting.pk for casting in plan.castings_gone]):
        ShotCharacter.objects.filter(pk__in=keys).delete()
    for keys in _batches(plan.presets_replaced):
        ShotPreset.objects.filter(shot__in=keys).delete()
    ShotPreset.objects.bulk_create(plan.new_presets, batch_size=_BATCH)
    _set_looks(plan)
    _assign(plan)
    _record_births(new[Shot], actor_of(user))
    _move_statuses(plan, actor_of(user))
    _keep_counters_ahead(plan)


def _update(change: Change[Any]) -> None:
    columns = {attribute: getattr(change.row, attribute) for attribute in change.before}
    rows = type(change.row)._default_manager.filter(pk=change.row.pk)
    rows.update(**columns, row_version=F("row_version") + 1, updated_at=Now())


def _move_statuses(plan: Plan, actor: str) -> None:
    grouped: dict[tuple[str, str], list[StatusMove]] = defaultdict(list)
    for one in plan.moves:
        grouped[str(one.shot.status_id), one.status.slug].append(one)
    for (now, _slug), moves in grouped.items():
        shots, status = [one.shot for one in moves], moves[0].status
        moved = _moved(shots, now, status, actor)
        for shot in shots:
            if shot.pk not in moved:
                told = _("Somebody moved this shot at the same moment. Look at the plan again.")
                raise Conflict(Problem("status", shot.full_code, told, code="stale"))
    project = plan.project.row.pk
    reached([Happening(shot=one.shot.pk, project=project, actor=actor, why=IMPORTED) for one in plan.moves])


def _moved(shots: list[Shot], now: str, status: ShotStatus, actor: str) -> set[UUID]:
    if status.state == now:
        keys = [shot.pk for shot in shots]
        return give_shade(keys, status, actors=dict.fromkeys(keys, actor), reason=IMPORTED)
    # By the name that the machine itself gives: PostgreSQL takes no column twice.
    shade = {"studio_status": None if status.is_own else status}
    moves = [Move(row=shot, actor=actor, reason=IMPORTED, changes=shade) for shot in shots]
    return move_each(states.SHOT, moves, from_=(now,), to=status.state)


def _set_looks(plan: Plan) -> None:
    LookPreset.objects.filter(look__in=list(plan.looks_set)).delete()
    LookPreset.objects.bulk_create(
        [
            LookPreset(look_id=look, preset_id=preset, order=order)
            for look, presets in plan.looks_set.items()
            for order, preset in enumerate(presets)
        ],
        batch_size=_BATCH,
    )


def _assign(plan: Plan) -> None:
    through = Shot.assignees.through
    for keys in _batches(list(plan.assignees)):
        through.objects.filter(shot__in=keys).delete()
    through.objects.bulk_create(
        [through(shot_id=shot, user_id=user) for shot, users in plan.assignees.items() for user in users],
        batch_size=_BATCH,
    )


def _batches(keys: Listed[UUID]) -> Iterator[Listed[UUID]]:
    return (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))


def _record_births(shots: Iterable[Shot], actor: str) -> None:
    StateEvent.objects.bulk_create(
        [
            StateEvent(
                machine=states.SHOT.name,
                subject=shot.pk,
                story=shot.pk,
                to_state=str(shot.status_id),
                actor=actor,
                reason="imported",
            )
            for shot in shots
        ],
        batch_size=_BATCH,
    )


def _keep_counters_ahead(plan: Plan) -> None:
    """Codes typed in the workbook are not handed out again."""
    rows = [change.row for change in plan.changes if change.new]
    project_id = plan.project.row.pk
    EPISODES.keep_ahead(project_id, [row.code for row in rows if isinstance(row, Episode)])
    SEQUENCES.keep_ahead(project_id, [row.code for row in rows if isinstance(row, Sequence)])
    CHARACTERS.keep_ahead(project_id, [row.code for row in rows if isinstance(row, Character)])
    shots = [row for row in rows if isinstance(row, Shot)]
    by_sequence = groupby(sorted(shots, key=lambda shot: shot.sequence_id), key=lambda shot: shot.sequence_id)
    for sequence_id, members in by_sequence:
        SHOTS.keep_ahead(sequence_id, [shot.code for shot in members])
