"""Reference pictures of a character that are there already: replaced, named, put in order, taken away.

The first one is the face by which people know the character.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from uuid import UUID

from django.core.files.base import File
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.characters.models import Character, CharacterReference
from apps.characters.pictures import Picture, read_picture
from apps.characters.services import note_reference
from apps.common.errors import Conflict, Problem
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim
from apps.projects.roles import Act
from apps.projects.selectors import require


def bring_reference(
    character: Character,
    file: BinaryIO | File[bytes],
    *,
    user: User,
    row_version: int,
    title: str = "",
    place: int | None = None,
) -> CharacterReference:
    """Add a picture to the character at this version; ``place`` 0 makes it the face, None puts it last.

    Raises Refused for what is no picture, Stale, NotAllowed; then nothing was changed.
    """
    picture = _decoded(character, file, user)
    with _changed(character, user, row_version):
        reference = note_reference(character, picture, title=title, user=user)
        if place is not None:
            _put_in_order(reference, place)
    return reference


def replace_reference(
    reference: CharacterReference, file: BinaryIO | File[bytes], *, user: User, row_version: int
) -> CharacterReference:
    """Put another picture in a picture's place, under its title. Raises as bring_reference does.

    One that the character has already comes into that place with the title it has. The old file stays in the
    store: takes made with it may point at it.
    """
    character = reference.character
    picture = _decoded(character, file, user)
    with _changed(character, user, row_version):
        place = _keys(character).index(reference.pk)
        new = note_reference(character, picture, title=reference.title, user=user)
        if new.pk != reference.pk:
            _there(reference).delete()
            _put_in_order(new, place)
    return new


def change_reference(
    reference: CharacterReference,
    *,
    user: User,
    row_version: int,
    title: str | None = None,
    place: int | None = None,
) -> None:
    """Give a picture another title, or another place among the character's. Raises Stale, NotAllowed."""
    with _changed(reference.character, user, row_version):
        if title is not None:
            reference.title = title.strip()[:120]
            reference.save(update_fields=["title", "updated_at"])
        if place is not None:
            _put_in_order(reference, place)


def remove_reference(reference: CharacterReference, *, user: User, row_version: int) -> None:
    """Take a picture away from the character; its file stays in the store. Raises Stale, NotAllowed."""
    with _changed(reference.character, user, row_version):
        _there(reference).delete()


def _decoded(character: Character, file: BinaryIO | File[bytes], user: User) -> Picture:
    """Decode before the character's row is locked: a large picture takes seconds."""
    require(user, Act.PLAN, character.project)
    return read_picture(file, name=str(getattr(file, "name", "") or ""))


@contextmanager
def _changed(character: Character, user: User, row_version: int) -> Iterator[None]:
    require(user, Act.PLAN, character.project)
    with changing(Character, [character.pk], actor=user):
        claim(character, row_version)
        yield


def _there(reference: CharacterReference) -> CharacterReference:
    found = CharacterReference.objects.filter(pk=reference.pk).first()
    if found is None:
        raise Conflict(Problem("", str(reference), _("somebody deleted this meanwhile"), code="gone"))
    return found


def _keys(character: Character) -> list[UUID]:
    rows = CharacterReference.objects.filter(character=character).order_by("order", "created_at", "pk")
    return list(rows.values_list("pk", flat=True))


def _put_in_order(reference: CharacterReference, place: int) -> None:
    rest = [key for key in _keys(reference.character) if key != reference.pk]
    for order, key in enumerate([*rest[:place], reference.pk, *rest[place:]]):
        CharacterReference.objects.filter(pk=key).update(order=order)
