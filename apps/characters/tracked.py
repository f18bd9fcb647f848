"""What is remembered of a character: its looks, costumes, LoRAs and reference pictures."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.characters.models import Character, CharacterLora, CharacterReference, Costume
from apps.ledger.documents import Children, Document, Reference, track
from apps.projects.roles import Act
from apps.projects.selectors import require_each
from apps.projects.tracked import PROJECT


def _may_plan(characters: Sequence[Character], user: User) -> None:
    require_each(user, Act.PLAN, {character.project_id for character in characters})


track(
    Document(
        model=Character,
        kind="character",
        references={
            "project": PROJECT,
            "default_costume": Reference(model=Costume, by=("name",), within="character", of="object"),
        },
        children={
            "costumes": Children(model=Costume, parent="character", key=("name",), label=_("costumes")),
            "loras": Children(
                model=CharacterLora, parent="character", key=("base_model", "file"), label=_("LoRAs")
            ),
            "references": Children(
                model=CharacterReference,
                parent="character",
                key=("sha256",),
                ordered="order",
                label=_("reference pictures"),
                unspoken=("key", "media_type", "bytes", "width", "height"),
                shortened=12,
            ),
        },
        permit=_may_plan,
    )
)
