"""Korean is complete: every word of the models and the sidebar has its translation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db.models import Model
from django.utils import translation
from django.utils.functional import Promise

from farm.unfold_settings import UNFOLD

SAME_IN_BOTH = {"LoRA", "LoRAs", "GPU", "GPUs", "ComfyUI", "fps", "English", "한국어", "Shotfarm"}
OURS = [model for model in apps.get_models() if isinstance(model._meta.verbose_name, Promise)]
OURS = [model for model in OURS if model.__module__.startswith("apps.")]


def words_of(model: type[Model]) -> Iterator[Promise | str | None]:
    """Every word of a model that people read and that was marked for translation."""
    yield from (model._meta.verbose_name, model._meta.verbose_name_plural)
    for field in model._meta.get_fields():
        yield getattr(field, "verbose_name", "")
        yield getattr(field, "help_text", "")
        yield from (label for _value, label in getattr(field, "choices", None) or ())


def untranslated(words: Iterator[Promise | str | None]) -> set[str]:
    left = set()
    for word in words:
        if not isinstance(word, Promise):
            continue
        with translation.override("en"):
            english = str(word)
        with translation.override("ko"):
            if english and english not in SAME_IN_BOTH and str(word) == english:
                left.add(english)
    return left


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_word_of_a_model_has_its_korean(model: type[Model]) -> None:
    assert untranslated(words_of(model)) == set()


def test_every_word_of_the_sidebar_has_its_korean() -> None:
    groups = UNFOLD["SIDEBAR"]["navigation"]
    titles = [group.get("title", "") for group in groups]
    titles += [item["title"] for group in groups for item in group["items"]]
    assert untranslated(iter(titles)) == set()
