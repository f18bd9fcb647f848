"""Korean is complete: every word of models, sidebar, code and templates has its translation."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from django.apps import apps
from django.db.models import Model
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation.template import templatize

from farm.unfold_settings import UNFOLD

ROOT: Final = Path(__file__).parents[2]
SAME_IN_BOTH = {"LoRA", "LoRAs", "GPU", "GPUs", "ComfyUI", "SHA-256", "fps", "English", "한국어", "Shotfarm"}
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


CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "pgettext", "ngettext", "ngettext_lazy"}
IN_TEMPLATE = re.compile(r"""\b(n?p?gettext)\(\s*u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")


def catalogue() -> set[str]:
    """Every sentence that has its Korean, of those with a plural the singular; contexts are left out."""
    with (ROOT / "locale/ko/LC_MESSAGES/django.mo").open("rb") as file:
        said = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # no door tells them all
    keys = (key[0] if isinstance(key, tuple) else key for key in said)
    return {key.rpartition("\x04")[2] for key in keys}


def sentences_of_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        said = node.args[1 if name == "pgettext" and len(node.args) > 1 else 0]
        if name in CALLS and isinstance(said, ast.Constant) and isinstance(said.value, str) and said.value:
            yield said.value


def sentences_of_template(path: Path) -> Iterator[str]:
    for name, quoted in IN_TEMPLATE.findall(templatize(path.read_text(encoding="utf-8"))):
        if "p" not in name:
            yield ast.literal_eval(quoted)


@pytest.mark.parametrize(
    ("folder", "suffix", "sentences", "at_least"),
    [
        ("apps", ".py", sentences_of_code, 1500),
        ("farm", ".py", sentences_of_code, 30),
        ("workflows", ".py", sentences_of_code, 0),
        ("templates", ".html", sentences_of_template, 500),
    ],
)
def test_every_sentence_of_the_product_has_its_korean(
    folder: str, suffix: str, sentences: Callable[[Path], Iterator[str]], at_least: int
) -> None:
    files = (path for path in sorted((ROOT / folder).rglob(f"*{suffix}")) if "migrations" not in path.parts)
    found = [(path.relative_to(ROOT), sentence) for path in files for sentence in sentences(path)]
    assert len(found) >= at_least
    known = catalogue()
    assert [(str(path), sentence) for path, sentence in found if sentence not in known] == []
