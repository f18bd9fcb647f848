"""Cells of chips in the list of shots: cast, presets and people, as the page draws and reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.presets.words import shown
from apps.productions.models import Shot
from apps.productions.picking import MOST_OFFERED, CastPicks, PeoplePicks, Pick, Picks, PresetPicks

PEOPLE: Final = "people"
"""The cell of those who work on the shot: it takes more than their own shots to say who does."""
PICKS: Final[Mapping[str, type[Picks]]] = {
    "cast": CastPicks,
    "used_presets": PresetPicks,
    PEOPLE: PeoplePicks,
}
"""Column → what its cell picks."""
WORDS: Final[Mapping[str, tuple[Promise, Promise]]] = {
    "cast": (gettext_lazy("cast"), gettext_lazy("Find a character")),
    "used_presets": (gettext_lazy("presets"), gettext_lazy("Find a preset")),
    PEOPLE: (gettext_lazy("assigned to"), gettext_lazy("Find a person")),
}
"""Column → what its cell is called, and what its search box says."""
FIELD: Final = "picked"
MOST_PICKED: Final = 200


def keys_in(sent: Iterable[str] | None) -> list[str]:
    """The keys that were sent, each once and in their order; none that no database could hold."""
    return list(dict.fromkeys(key for key in sent or () if key and "\0" not in key))


class Keys(forms.Field):
    """Keys of chips. An empty one among them says that the cell was sent, though nothing is picked."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[str]:
        ProhibitNullCharactersValidator()("".join(value or ()))
        keys = keys_in(value)
        if len(keys) > MOST_PICKED:
            raise forms.ValidationError(_("pick at most %(most)d") % {"most": MOST_PICKED})
        return keys


class PickForm(forms.Form):
    """The chips of one cell."""

    picked = Keys(required=False)

    def __init__(self, *args: Any, shot: Shot, cell: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.picks = PICKS[cell](shot)
        self.title, self.asks = WORDS[cell]

    @property
    def keys(self) -> list[str]:
        """What was sent, else what the shot has."""
        return keys_in(self[FIELD].data) if self.is_bound else self.picks.now()

    @property
    def chips(self) -> list[Pick]:
        """The chips, in their order."""
        return self.picks.told(self.keys)

    @property
    def offer(self) -> dict[str, Any]:
        """What is offered before anything is typed. A rule that refused the save is told as its error."""
        found = offer_of(self.picks, "", self.keys)
        if self.errors:
            found["problems"] = [one for one in found["problems"] if one["severity"] != "hard"]
        return found

    def name_of(self, key: str) -> str:
        """What a chip says that a problem is about; "" for what is none."""
        return self.picks.told([key])[0].label if key in self.keys else ""


def offer_of(picks: Picks, typed: str, keys: Sequence[str]) -> dict[str, Any]:
    """What is offered for a few letters beside what is picked, and the rules that those picked break."""
    found = picks.offered(typed, keys)
    return {
        "options": found[:MOST_OFFERED],
        "more": len(found) > MOST_OFFERED,
        "problems": shown(picks.broken(keys), picks.shot.project_id),
    }
