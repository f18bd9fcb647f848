"""Saving a page's form without losing what somebody else saved meanwhile.

Each form carries the ``row_version`` it was made from. A save begins with a conditional UPDATE of it; if
another save was there first, nothing is saved, and the page shows what was changed beside what was typed. All
of it stays in the form, which now carries the new version: saving again is a decision.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import F, Model, QuerySet
from django.forms.formsets import INITIAL_FORM_COUNT, TOTAL_FORM_COUNT
from django.http import HttpRequest, QueryDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.common.errors import Conflict, Problem, Refused

VERSION: Final = "row_version"
_CHANGED: Final = "_shotfarm_changed"


@dataclass(frozen=True)
class Meanwhile:
    """One field that somebody else changed: what it said before and says now, and what was typed here.

    ``name``: the form's field or inline. ``untouched``: this form still says what was there before, so that
    theirs stands in it now.
    """

    field: str
    was: SafeString | str
    now: SafeString | str
    typed: str = ""
    who: str = ""
    at: datetime | None = None
    name: str = ""
    untouched: bool = False


class SavedMeanwhile(Conflict):
    """Somebody else saved this row after the form was opened: ``seen`` at one version, it is at another.

    ``gone``: what to say where somebody deleted it.
    """

    def __init__(self, seen: int | None, now: int, *, gone: str = "") -> None:
        told = _(
            "Somebody else saved this after you opened it, so nothing is saved yet. What they changed stands "
            "above; what you typed is still here. Press Save to keep yours where you typed and theirs "
            "elsewhere, or open the page again to take theirs."
        )
        if seen is None:
            told = _("This form does not say which version it was made from. Look it through and press Save.")
        super().__init__(Problem("", "", gone or told, code="stale"))
        self.seen, self.now, self.gone = seen, now, bool(gone)


def counts_versions(model: type[Model]) -> bool:
    """Tell whether a model's rows have a version."""
    return any(column.name == VERSION for column in model._meta.concrete_fields)


def key_in(model: type[Model], told: object) -> Any:
    """Read a key as an address of the admin spells it; None if it is none of this model's."""
    try:
        return model._meta.pk.to_python(unquote(told) if isinstance(told, str) else told)
    except ValidationError:
        return None


def version_sent(request: HttpRequest) -> int | None:
    """Which version the form was made from; None if it does not say."""
    return version_in(request, VERSION)


def required_version(request: HttpRequest) -> int:
    """Which version the form was made from. Raises Refused if it does not say."""
    version = version_sent(request)
    if version is None:
        told = _("this form does not say which version it was made from; load the page again")
        raise Refused(Problem(VERSION, request.POST.get(VERSION, ""), told, code="required"))
    return version


def version_in(request: HttpRequest, name: str) -> int | None:
    """Which version a form's field says; None if it says none."""
    sent = str(request.POST.get(name, ""))
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else None


def something_changed(request: HttpRequest) -> None:
    """Note that a save has changed something."""
    setattr(request, _CHANGED, True)


@contextmanager
def claimed(request: HttpRequest, model: type[Model], key: Any, *, may_merge: Any) -> Iterator[None]:
    """Take the row for this save, by a conditional UPDATE. Raises SavedMeanwhile; use it in a transaction.

    ``may_merge(seen, now)``: whether what was changed meanwhile is none of this form's business. A save that
    turns out to change nothing leaves the version as it was.
    """
    rows = model._default_manager.filter(pk=key)
    seen = version_sent(request)
    version = seen
    if seen is None or not rows.filter(row_version=seen).update(row_version=F(VERSION) + 1):
        version = rows.values_list(VERSION, flat=True).first()
        if version is None:
            yield  # there is no such row: the page says so
            return
        merged = seen is not None and may_merge(seen, version)
        if not (merged and rows.filter(row_version=version).update(row_version=F(VERSION) + 1)):
            raise SavedMeanwhile(seen, version)
    yield
    if not getattr(request, _CHANGED, False) and version is not None:
        rows.filter(row_version=version + 1).update(row_version=version)


def take_theirs(context: Mapping[str, Any], names: Collection[str]) -> None:
    """Let fields and inlines of a form that was sent say what is there now, instead of what was sent."""
    form = context["adminform"].form
    for name in names:
        if name in form.fields:
            form.fields[name].bound_data = lambda _data, initial: initial
    for inline in context["inline_admin_formsets"]:
        sent = inline.formset
        if inline.opts.model._meta.model_name in names:
            inline.formset = type(sent)(instance=sent.instance, prefix=sent.prefix, queryset=sent.queryset)


def without_vanished(post: QueryDict, prefix: str, rows: QuerySet[Any]) -> None:
    """Let rows of an inline that somebody deleted meanwhile be new rows: what was typed in them stays.

    ``rows``: those that the inline may show. What was marked for deletion and is gone already is dropped.
    """
    key_name = rows.model._meta.pk.name
    first, total = (_count(post, f"{prefix}-{name}") for name in (INITIAL_FORM_COUNT, TOTAL_FORM_COUNT))
    old, new = range(first), range(first, total)
    sent = {i: key_in(rows.model, post.get(f"{prefix}-{i}-{key_name}") or None) for i in old}
    there = set(rows.filter(pk__in=[key for key in sent.values() if key]).values_list("pk", flat=True))
    gone = [i for i in old if sent[i] not in there]
    if not gone:
        return
    again = [i for i in gone if post.get(f"{prefix}-{i}-DELETE", "") in ("", "false")]
    order = [*(i for i in old if i not in gone), *again, *new]
    place = {index: str(order.index(index)) for index in order}
    pattern = re.compile(rf"{re.escape(prefix)}-(\d+)-(.+)")
    moved: dict[str, list[Any]] = {}
    for name in list(post):
        found = pattern.fullmatch(name)
        if found is None:
            continue
        values = post.pop(name)
        index = int(found[1])
        if index in place:
            blank = index in again and found[2] == key_name
            moved[f"{prefix}-{place[index]}-{found[2]}"] = [""] if blank else list(values)
    for name, values in moved.items():
        post.setlist(name, values)
    post[f"{prefix}-{INITIAL_FORM_COUNT}"] = str(first - len(gone))
    post[f"{prefix}-{TOTAL_FORM_COUNT}"] = str(len(order))


def _count(post: QueryDict, name: str) -> int:
    sent = str(post.get(name, "0"))
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 6 else 0
