"""Documents in people's words: names of fields, values, and what differs between two texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence as Listed
from difflib import SequenceMatcher
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.ledger.documents import Children, Row, Speech, document_named

_Steps = Listed[tuple[str, int, int, int, int]]

VERBS: Final[Mapping[str, Any]] = {
    "created": gettext_lazy("created"),
    "changed": pgettext_lazy("activity", "changed"),
    "deleted": gettext_lazy("deleted"),
    "archived": gettext_lazy("archived"),
    "revived": gettext_lazy("taken from the archive"),
    "status": gettext_lazy("status moved"),
    "imported": gettext_lazy("imported"),
    "restored": gettext_lazy("restored"),
    "undone": gettext_lazy("undone"),
    "locked": gettext_lazy("locked"),
    "unlocked": gettext_lazy("unlocked"),
    "reordered": gettext_lazy("reordered"),
    "taken_away": gettext_lazy("taken away"),
    "revoked": gettext_lazy("revoked"),
    "cast": gettext_lazy("casting changed"),
}
"""What people read for the verbs; another app's own verb is shown as it is."""
LONG: Final = 40
"""Letters from which on two texts are compared word by word."""
SHARED: Final = 0.3
"""Of the shorter text's words, how much both hold if they are compared word by word."""
MOST_WORDS: Final = 4_000
"""Texts longer than this are shown whole: comparing takes the square of their length."""

MOST_ITEMS: Final = 50
"""Of a longer list, which no form shows row by row, the first are told, and how many others there are."""


class Names:
    """What pages call the words of fields, each kind of them read once: keep one for a page."""

    def __init__(self) -> None:
        self._read: dict[Speech, Mapping[str, str]] = {}

    def of(self, kind: str, name: str, value: Any) -> Any:
        """Return the value with each word called as pages call it; what has no such name stays."""
        document = document_named(kind)
        speech = document.spoken.get(name) if document else None
        if speech is None or not value:
            return value
        if speech not in self._read:
            self._read[speech] = speech()
        called = self._read[speech]
        if isinstance(value, list):
            return [called.get(word, word) for word in value]
        return called.get(value, value)


def verb_text(verb: str) -> str:
    """Say what was done."""
    return str(VERBS.get(verb, verb.replace("_", " ")))


def kind_text(kind: str) -> str:
    """Say what kind of object it is."""
    document = document_named(kind)
    return str(document.model._meta.verbose_name) if document else kind.replace("_", " ")


def field_text(kind: str, name: str) -> str:
    """Name a field of a document as its form does."""
    document = document_named(kind)
    if document is None:
        return name.replace("_", " ")
    if name in document.children:
        return str(document.children[name].label or name.replace("_", " "))
    return _column_text(document.row, name)


def value_text(kind: str, name: str, value: Any, names: Names | None = None) -> str:
    """Say a value of a document: choices in words, rows of a list one a line. ``names``: the page's."""
    document = document_named(kind)
    called = (names or Names()).of(kind, name, value)
    if document is not None and name in document.children:
        return "\n".join(_item_text(document.children[name], item) for item in called or ())
    return _plain_text(document.row if document else None, name, called)


def diff(kind: str, name: str, old: Any, new: Any, names: Names | None = None) -> SafeString:
    """Show what differs between two values: word by word in long texts, else the one and the other; a list
    row by row; of two values with entries those entries that differ. ``names``: the page's.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        return _entries(old, new)
    names = names or Names()
    before, after = value_text(kind, name, old, names), value_text(kind, name, new, names)
    if before and after and _is_list(kind, name):
        return _rows(before.split("\n"), after.split("\n"))
    return _text_or_other(before, after)


def _entries(old: Mapping[str, Any], new: Mapping[str, Any]) -> SafeString:
    other = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    told = ((key, _text_or_other(_inside(old, key), _inside(new, key))) for key in other)
    return format_html_join("\n", "{}: {}", told)


def _inside(values: Mapping[str, Any], key: str) -> str:
    return _spelled(values[key], inside=True) if key in values else ""


def _text_or_other(before: str, after: str) -> SafeString:
    long = before and after and max(len(before), len(after)) >= LONG
    return _texts(before, after) if long else _one_and_other(before, after)


def _rows(before: list[str], after: list[str]) -> SafeString:
    told: list[SafeString] = []
    for tag, a, b, c, d in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        gone, come = before[a:b], after[c:d]
        if tag == "equal":
            told += [format_html("{}", row) for row in come]
        elif len(gone) == len(come):
            told += [_texts(*pair) for pair in zip(gone, come, strict=True)]
        else:
            told += [_one_and_other(row, "") for row in gone] + [_one_and_other("", row) for row in come]
    return format_html_join("\n", "{}", ((row,) for row in told))


def _one_and_other(before: str, after: str) -> SafeString:
    parts = [(tag, text) for tag, text in (("del", before), ("ins", after)) if text]
    return format_html_join(" → ", "<{0}>{1}</{0}>", parts)


def _texts(before: str, after: str) -> SafeString:
    words = _words(before), _words(after)
    if max(map(len, words)) > MOST_WORDS:
        return _one_and_other(before, after)
    steps = SequenceMatcher(a=words[0], b=words[1], autojunk=False).get_opcodes()
    return _one_and_other(before, after) if _are_others(*words, steps) else _marked(*words, steps)


def _are_others(before: list[str], after: list[str], steps: _Steps) -> bool:
    """Tell whether two texts share so little that marking what they share makes neither readable."""
    kept = sum(_count(before[a:b]) for tag, a, b, _c, _d in steps if tag == "equal")
    return kept < SHARED * min(_count(before), _count(after))


def _count(words: list[str]) -> int:
    return sum(map(str.isalnum, words))


def _marked(before: list[str], after: list[str], steps: _Steps) -> SafeString:
    pieces: list[SafeString] = []
    for step, a, b, c, d in steps:
        gone, come = "".join(before[a:b]), "".join(after[c:d])
        if step == "equal":
            pieces.append(format_html("{}", come))
            continue
        if gone:
            pieces.append(format_html("<del>{}</del>", gone))
        if come:
            pieces.append(format_html("<ins>{}</ins>", come))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)


def _is_list(kind: str, name: str) -> bool:
    document = document_named(kind)
    return document is not None and name in document.children


def _column_text(row: Row, name: str) -> str:
    if name in row.computed:
        return str(row.computed[name].label)
    column = row.fields.get(name)
    return str(column.verbose_name) if column is not None else name.replace("_", " ")


def _plain_text(row: Row | None, name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    column = row.fields.get(name) if row is not None else None
    if column is not None and column.choices:
        value = dict(column.flatchoices).get(value, value)
    return _spelled(value)


def _spelled(value: Any, *, inside: bool = False) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        told = [_spelled(one, inside=True) for one in value[:MOST_ITEMS]]
        told += [f"… + {len(value) - MOST_ITEMS}"] if len(value) > MOST_ITEMS else []
        return (" " if inside else ", ").join(told)
    if isinstance(value, dict):
        pairs = ", ".join(f"{key}: {_spelled(inner, inside=True)}" for key, inner in value.items())
        return f"({pairs})" if inside else pairs
    return "–" if value is None or value == "" else str(value)


def _item_text(children: Children, item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    silent = {*children.key, *children.unspoken}
    told = [_plain_text(children.row, name, item.get(name))[: children.shortened] for name in children.key]
    rest = [
        f"{_column_text(children.row, name)}: {text}"
        for name, value in item.items()
        if name not in silent and (text := _plain_text(children.row, name, value))
    ]
    return " · ".join([" ".join(told), *rest])
