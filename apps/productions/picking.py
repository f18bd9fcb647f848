"""Who and what a shot's cells of chips hold: its cast, its presets, its people, each found by a few letters.

A film may know thousands of characters and hundreds of presets, so none of them is listed: what is typed is
looked up, and the first few that hold every word are offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.characters.models import Character
from apps.common.searching import words_of
from apps.common.show import spoken
from apps.presets.models import CinematicPreset
from apps.presets.rules import Broken
from apps.presets.selectors import overrides_in, presets_by_ref, rules_in, texts_of
from apps.productions.assigning import assign, assignable
from apps.productions.editing import Part, amend_shot
from apps.productions.models import Shot
from apps.productions.preset_apply import in_order, used_by
from apps.productions.preset_facts import check

MOST_OFFERED: Final = 12
"""More than these are found by another letter, not by scrolling."""
MOST_LETTERS: Final = 100


@dataclass(frozen=True, kw_only=True)
class Pick:
    """Somebody or something that is picked, or may be: ``key`` as it is sent, ``label`` as people know it.

    ``beside``: what tells it from others of that name; ``says``: its text in this film. ``only``: of what a
    shot holds one at most; ``instead``: which one that is picked already would make way for it.
    """

    key: str
    label: str
    beside: str = ""
    says: str = ""
    only: str = ""
    instead: str = ""


class Picks:
    """What one cell of a shot holds and may hold. Keys that nothing answers to are told as they are."""

    field: ClassVar[str]
    """As the shot's history calls it."""

    def __init__(self, shot: Shot) -> None:
        self.shot = shot

    def now(self) -> list[str]:
        """The keys of what the shot has, in its order."""
        raise NotImplementedError

    def told(self, keys: Sequence[str]) -> list[Pick]:
        """What these keys mean, in their order."""
        known = self._known(keys)
        return [known.get(key) or Pick(key=key, label=key) for key in keys]

    def offered(self, typed: str, picked: Sequence[str]) -> list[Pick]:
        """What holds every word typed and is not picked yet: MOST_OFFERED, and one if there are more."""
        raise NotImplementedError

    def broken(self, keys: Sequence[str]) -> tuple[Broken, ...]:
        """The rules that these would break, also as a picture or a video."""
        return ()

    def save(self, keys: Sequence[str], *, user: User, row_version: int) -> None:
        """Let the shot have these and nothing else, in this order.

        What somebody changed elsewhere in the shot after ``row_version`` is no matter. Raises Stale where
        they changed just this; Refused, also for a locked shot; NotAllowed.
        """
        raise NotImplementedError

    def _known(self, keys: Sequence[str]) -> Mapping[str, Pick]:
        raise NotImplementedError


class CastPicks(Picks):
    """Who is in the shot. Whoever stays keeps costume, action and weight."""

    field = "casting"

    def now(self) -> list[str]:
        return [part.character for part in self._parts()]

    def offered(self, typed: str, picked: Sequence[str]) -> list[Pick]:
        rows = Character.objects.filter(project=self.shot.project_id, archived=False)
        rows = _holding(rows, typed, "code", "name", "name_ko").exclude(code__in=picked)
        return [_character(row) for row in rows.order_by("code")[: MOST_OFFERED + 1]]

    def save(self, keys: Sequence[str], *, user: User, row_version: int) -> None:
        there = {part.character: part for part in self._parts()}
        cast = [there.get(key) or Part(character=key) for key in keys]
        amend_shot(self.shot, user=user, row_version=row_version, casting=cast)

    def _known(self, keys: Sequence[str]) -> Mapping[str, Pick]:
        rows = Character.objects.filter(project=self.shot.project_id, code__in=keys)
        return {row.code: _character(row) for row in rows}

    def _parts(self) -> list[Part]:
        rows = self.shot.casting.select_related("character", "costume").order_by("order", "pk")
        return [
            Part(
                character=row.character.code,
                action=row.action,
                action_ko=row.action_ko,
                costume=row.costume.name if row.costume else "",
                costume_override=row.costume_override,
                costume_override_ko=row.costume_override_ko,
                lora_weight=row.lora_weight,
            )
            for row in rows
        ]


class PresetPicks(Picks):
    """How it is framed, by presets of the film. One of an exclusive category makes way for another."""

    field = "presets"

    def now(self) -> list[str]:
        return [preset.ref for preset in self._there]

    def offered(self, typed: str, picked: Sequence[str]) -> list[Pick]:
        there = {row.category_id: row for key in picked if (row := self._presets.get(key)) is not None}
        words = [word.lower() for word in _words(typed)]
        found = [
            row
            for row in self._library.values()
            if row.ref not in picked and all(word in _letters(row) for word in words)
        ][: MOST_OFFERED + 1]
        overrides = overrides_in([self.shot.project_id])
        return [
            _preset(
                row,
                says=texts_of(row, overrides.get((self.shot.project_id, row.pk))).prompt,
                instead=there.get(row.category_id) if row.category.exclusive else None,
            )
            for row in found
        ]

    def broken(self, keys: Sequence[str]) -> tuple[Broken, ...]:
        presets = [self._presets[key] for key in keys if key in self._presets]
        project = self.shot.project_id
        return check(in_order([self.shot.pk])[0], presets, rules_in([project])[project])

    def save(self, keys: Sequence[str], *, user: User, row_version: int) -> None:
        amend_shot(self.shot, user=user, row_version=row_version, presets=keys)

    def _known(self, keys: Sequence[str]) -> Mapping[str, Pick]:
        return {key: _preset(self._presets[key]) for key in keys if key in self._presets}

    @cached_property
    def _there(self) -> list[CinematicPreset]:
        return used_by([self.shot])[self.shot.pk]

    @cached_property
    def _library(self) -> dict[str, CinematicPreset]:
        return presets_by_ref(self.shot.project_id)

    @property
    def _presets(self) -> dict[str, CinematicPreset]:
        """What may be picked, and what is there, though it is offered no more or another has its name."""
        return self._library | {preset.ref: preset for preset in self._there}


class PeoplePicks(Picks):
    """Who works on it: members of the film, clients aside."""

    field = "assignees"

    def now(self) -> list[str]:
        return list(self.shot.assignees.order_by("username").values_list("username", flat=True))

    def offered(self, typed: str, picked: Sequence[str]) -> list[Pick]:
        rows = _holding(assignable(self.shot.project), typed, "username", "first_name", "last_name")
        return [_person(row) for row in rows.exclude(username__in=picked)[: MOST_OFFERED + 1]]

    def save(self, keys: Sequence[str], *, user: User, row_version: int) -> None:
        assign(self.shot, keys, user=user, row_version=row_version)

    def _known(self, keys: Sequence[str]) -> Mapping[str, Pick]:
        there = User.objects.filter(username__in=keys).filter(
            Q(pk__in=assignable(self.shot.project).values("pk")) | Q(pk__in=self.shot.assignees.values("pk"))
        )
        return {row.username: _person(row) for row in there}


def _words(typed: str) -> list[str]:
    return words_of(typed[:MOST_LETTERS].replace("\0", ""))  # no text in a database holds NUL


def _holding(rows: QuerySet[Any], typed: str, *fields: str) -> QuerySet[Any]:
    """Narrow rows to those in which every word stands somewhere."""
    for word in _words(typed):
        somewhere = Q()
        for field in fields:
            somewhere |= Q(**{f"{field}__icontains": word})
        rows = rows.filter(somewhere)
    return rows


def _letters(preset: CinematicPreset) -> str:
    category = preset.category
    told: Iterable[str] = (preset.name, preset.name_ko, preset.slug, category.name, category.name_ko)
    return " ".join(told).lower()


def _character(row: Character) -> Pick:
    return Pick(key=row.code, label=spoken(row, "name") or row.code, beside=row.code)


def _preset(row: CinematicPreset, *, says: str = "", instead: CinematicPreset | None = None) -> Pick:
    return Pick(
        key=row.ref,
        label=spoken(row, "name"),
        beside=spoken(row.category, "name"),
        says=says,
        only=row.category.slug if row.category.exclusive else "",
        instead=spoken(instead, "name") if instead is not None else "",
    )


def _person(row: User) -> Pick:
    return Pick(key=row.username, label=row.username, beside=row.get_full_name())
