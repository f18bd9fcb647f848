"""The list of characters as cards, with the shots in which each is cast; or as the table it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from apps.accounts.lists import choice_of, remember_choice
from apps.characters.admin import CharacterAdmin
from apps.characters.models import Character
from apps.common.admin_deletes import MOST_NAMED, named_first
from apps.common.show import link
from apps.productions.models import Shot, ShotCharacter
from apps.projects.admin_scope import ScopedList, back_to
from apps.projects.reach import person_of

NAME: Final = "characters"
"""What the list is called where a person's choices are kept."""
FEW: Final = 5
"""Shots that are named on a card."""

admin.site.unregister(Character)


def first_shots(characters: Collection[UUID]) -> dict[UUID, list[str]]:
    """The codes of the first few shots, in the film's order, in which each of these is cast; one query."""
    order = ("shot__sequence__order", "shot__order", "shot__code")
    place = Window(RowNumber(), partition_by="character", order_by=order)
    rows = ShotCharacter.objects.filter(character__in=characters).annotate(_place=place)
    few = rows.filter(_place__lte=FEW).order_by("character", "_place")
    codes: dict[UUID, list[str]] = defaultdict(list)
    for key, sequence, shot in few.values_list("character", "shot__sequence__code", "shot__code"):
        codes[key].append(f"{sequence}_{shot}")
    return codes


class CharacterList(ScopedList):
    """Characters of one page, and how the person looks at them."""

    def get_results(self, request: HttpRequest) -> None:
        self.cards = choice_of(person_of(request), NAME, gallery=True).gallery
        super().get_results(request)


@admin.register(Character)
class CastCharacterAdmin(CharacterAdmin):
    """Faces, names, costumes, LoRAs, and in which shots somebody is."""

    change_list_template = "admin/characters/character/change_list.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CharacterList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("costumes")

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        super().dress(rows, request)
        named = first_shots([row.pk for row in rows if row._shots])
        for row in rows:
            row.named_shots = named.get(row.pk, [])
            row.more_shots = row._shots - len(row.named_shots)
            row.shots_url = _shots_of(row)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.look_view)
        return [path("look/", view, name="characters_character_look"), *super().get_urls()]

    def look_view(self, request: HttpRequest) -> HttpResponse:
        """Remember whether the person looks at cards or at the table."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.POST.get("view") in {"cards", "table"}:
            remember_choice(person_of(request), NAME, gallery=request.POST["view"] == "cards")
        return HttpResponseRedirect(back_to(request, reverse("admin:characters_character_changelist")))

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Name the shots that keep somebody: a row of casting has the character's name alone.

        Where there are any nothing else is asked: somebody may be in every shot of a long film.
        """
        cast = ShotCharacter.objects.filter(character__in=[row.pk for row in objs])
        shots = Shot.objects.filter(pk__in=cast.values("shot")).select_related("sequence")
        in_order = shots.order_by("sequence__order", "sequence__code", "order", "code")
        named = [
            link(reverse("admin:productions_shot_change", args=[shot.pk]), shot.full_code)
            for shot in in_order[:MOST_NAMED]
        ]
        if not named:
            return super().get_deleted_objects(objs, request)
        return [], {}, set(), named_first(named, shots.count())

    @admin.display(description=gettext_lazy("shots"), ordering="_shots")
    def shot_count(self, character: Any) -> SafeString:
        return link(_shots_of(character), character._shots)


def _shots_of(character: Character) -> str:
    return (
        f"{reverse('admin:productions_shot_changelist')}?{urlencode({'characters__id__exact': character.pk})}"
    )
