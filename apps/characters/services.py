"""Create characters, and give them reference pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final, TypedDict, Unpack
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.signatures import sign
from apps.characters.models import Character, CharacterReference, Costume
from apps.characters.pictures import Picture, read_picture
from apps.characters.wardrobe import taken_away
from apps.common.errors import Problem, Refused
from apps.common.numbering import CODE_RULE, Numbering, is_code
from apps.common.validation import clean
from apps.ledger.documents import document_of
from apps.ledger.services.putting import put_one
from apps.ledger.services.recording import changing
from apps.ledger.services.removing import remove, users_of
from apps.ledger.services.versions import revise
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require

logger = logging.getLogger(__name__)

CHARACTERS: Final = Numbering(kind="character", prefix="CH", digits=4)


class CharacterFields(TypedDict, total=False):
    """What may be said of a new character beside the name."""

    name_ko: str
    description: str
    description_ko: str
    negative: str
    age: str
    gender: str
    use_lora: bool


def create_character(
    *, project: Project, name: str, user: User | None, code: str = "", **fields: Unpack[CharacterFields]
) -> Character:
    """Create a character with the next code (CH0001, CH0002 …) or a typed one.

    Raises Refused for a bad or taken code, NotAllowed unless ``user`` plans the project (None: the farm).
    """
    if user is not None:
        require(user, Act.PLAN, project)
    if code and not is_code(code):
        raise Refused(Problem("code", code, CODE_RULE, code="invalid_code"))
    with changing(Character, actor=user) as change:
        if code:
            CHARACTERS.keep_ahead(project.pk, [code])
        else:
            taken = Character.objects.filter(project=project)
            code = CHARACTERS.next_code(project.pk, taken=lambda text: taken.filter(code=text).exists())
        character = Character(project=project, code=code, name=name.strip(), **fields)
        clean(character)
        character.save(force_insert=True)
        change.born(character)
    return character


def update_character(
    character: Character,
    *,
    user: User,
    row_version: int,
    values: Mapping[str, Any],
    undress: bool = False,
) -> None:
    """Change what is named of a character, as its document names it; lists replace what was there.

    ``values``: columns by name, ``default_costume`` by its name, ``costumes`` and ``loras`` as lists.
    ``undress``: costumes that shots wear may go; otherwise Worn names those shots. Raises Stale if somebody
    changed it meanwhile, Refused, NotAllowed; then nothing was changed.
    """
    require(user, Act.PLAN, character.project)
    if problems := [*_twice(values, "costumes", "name"), *_twice(values, "loras", "base_model", "file")]:
        raise Refused(*problems)
    with changing(Character, [character.pk], actor=user):
        stay = [costume["name"] for costume in values.get("costumes") or ()]
        going = Costume.objects.filter(character=character).exclude(name__in=stay)
        gone = list(going) if "costumes" in values else []
        with taken_away(character, gone, user=user, undress=undress):
            put_one(character, values, user=user, row_version=row_version)


def _twice(values: Mapping[str, Any], listed: str, *names: str) -> Iterator[Problem]:
    """One problem for each of a list that is there a second time."""
    seen: set[tuple[Any, ...]] = set()
    for place, one in enumerate(values.get(listed) or ()):
        key = tuple(one.get(name) for name in names)
        if key in seen:
            yield Problem(f"{listed}[{place}].{names[-1]}", str(key[-1]), _("named twice"), "twice")
        seen.add(key)


def delete_character(character: Character, *, user: User, row_version: int) -> bool:
    """Delete a character, or put it in the archive if it is cast somewhere; return True if it is gone.

    Raises Stale, NotAllowed.
    """
    require(user, Act.MANAGE, character.project)
    if users_of(document_of(Character), [character.pk]):
        revise(character, user=user, row_version=row_version, archived=True)
        return False
    remove(character, user=user, row_version=row_version)
    return True


def add_reference(
    character: Character, file: BinaryIO | File[bytes], *, title: str = "", user: User | None
) -> CharacterReference:
    """Check a picture, keep it in the artifact store, and note it with the character.

    The key is made of the content (``characters/<project>/<sha256>.<ext>``), never of the file's name.
    The same picture twice gives the row that is there. Raises Refused, NotAllowed.
    """
    if user is not None:
        require(user, Act.PLAN, character.project)
    picture = read_picture(file, name=str(getattr(file, "name", "") or ""))
    return note_reference(character, picture, title=title, user=user)


def note_reference(
    character: Character, picture: Picture, *, title: str = "", user: User | None
) -> CharacterReference:
    """Keep a picture that was checked already, and note it with the character: see add_reference."""
    there = CharacterReference.objects.filter(character=character, sha256=picture.sha256).first()
    if there is not None:
        return there
    key = _keep(picture, character.project)
    with changing(Character, [character.pk], actor=user):
        last = CharacterReference.objects.filter(character=character).aggregate(last=Max("order"))["last"]
        reference, created = CharacterReference.objects.get_or_create(
            character=character,
            sha256=picture.sha256,
            defaults={
                "title": title.strip()[:120],
                "key": key,
                "media_type": picture.media_type,
                "bytes": len(picture.content),
                "width": picture.width,
                "height": picture.height,
                "order": 0 if last is None else last + 1,
            },
        )
    if created:
        logger.info("reference added", extra={"character": character.code, "key": reference.key})
    return reference


def reference_name(reference_id: UUID) -> str:
    """Name a reference picture in signatures."""
    return f"reference {reference_id}"


def reference_url(reference_id: UUID, reader: User) -> str:
    """Return the address at which this reader sees the picture for a while; it is signed in their name."""
    address = reverse("reference-picture", args=[reference_id])
    return f"{address}?{sign(reader, reference_name(reference_id))}"


def _keep(picture: Picture, project: Project) -> str:
    key = f"characters/{project.code}/{picture.sha256}.{picture.extension}"
    if default_storage.exists(key):
        return key
    # Two uploads of one picture at once: the storage names the second copy, and either is right.
    return default_storage.save(key, ContentFile(picture.content))
