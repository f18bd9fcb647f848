"""Filters of long lists: a few choices are listed, the others are found by a few letters.

A filter would otherwise print every character of a film into each page of its shots. The letters come back to
the list's own address (``FIND``, ``TYPED``), so whoever may see the list may look for its choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.common.searching import words_of

if TYPE_CHECKING:
    from django.contrib.admin import ListFilter

    _Filter = ListFilter
else:
    _Filter = object

MOST_LISTED: Final = 30
"""More than these are found by a few letters, not by scrolling."""
MOST_LETTERS: Final = 100
FIND: Final = "_find"
"""In the list's address: the filter whose choices are looked for."""
TYPED: Final = "_typed"
NAMES: Final = ("code", "name", "name_ko", "slug", "title", "title_ko", "username", "first_name", "last_name")
"""Where letters are looked for, of the fields that a row has."""
_TEMPLATE: Final = "admin/filters/found.html"


class FindsChoices(_Filter):
    """A filter that lists a few choices."""

    template = _TEMPLATE
    find_as: str
    """What the filter is called in :data:`FIND`."""
    find_at = ""
    """Where the others are found; "" where all are listed."""
    more = False
    """Whether there are more than are listed."""

    def few_of(
        self,
        rows: QuerySet[Any],
        request: HttpRequest,
        chosen: Mapping[str, Any],
        among: QuerySet[Any] | None = None,
    ) -> list[Any]:
        """The first rows that hold what was typed, and the chosen one: two queries at most.

        ``chosen``: what its columns say; nothing where none is. ``among``: rows of which it may be, where
        more may be chosen than are offered here.
        """
        asked = request.GET.get(FIND) == self.find_as
        typed = words_of(request.GET.get(TYPED, "")[:MOST_LETTERS].replace("\0", "")) if asked else []
        found = list(_holding(rows, typed)[: MOST_LISTED + 1])
        self.more, listed = len(found) > MOST_LISTED, found[:MOST_LISTED]
        if self.more or asked:
            query = request.GET.copy()
            for name in (FIND, TYPED, PAGE_VAR):
                query.pop(name, None)
            query[FIND] = self.find_as
            self.find_at = f"{request.path}?{query.urlencode()}"
        there = any(all(getattr(row, name) == value for name, value in chosen.items()) for row in listed)
        if chosen and not typed and not there and (self.more or among is not None):
            listed += (rows if among is None else among).filter(**chosen)[:1]
        return listed


def _holding(rows: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
    """Narrow rows to those in whose names every word stands."""
    fields = {field.name for field in rows.model._meta.get_fields()} & set(NAMES)
    for word in words:
        somewhere = Q()
        for name in sorted(fields):
            somewhere |= Q(**{f"{name}__icontains": word})
        rows = rows.filter(somewhere)
    return rows


class _Asked:
    """What a filter asks of a list to draw its links: the filters that it has now."""

    add_facets = False
    get_query_string = ChangeList.get_query_string

    def __init__(self, request: HttpRequest) -> None:
        self.filter_params = {
            name: values
            for name, values in request.GET.lists()
            if name not in {FIND, TYPED, PAGE_VAR, ERROR_FLAG}
        }


def choices_found(page: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """Draw one filter of a list, with the choices that hold what is typed. Raises Http404 for no filter."""
    if not page.has_view_or_change_permission(request):
        raise PermissionDenied
    asked = _Asked(request)
    for told in page.get_list_filter(request):
        name, kind = (str(told[0]), told[1]) if isinstance(told, tuple) else ("", told)
        if not (isinstance(kind, type) and issubclass(kind, FindsChoices)):
            continue
        if request.GET[FIND] != (name or kind.find_as):
            continue
        params = dict(asked.filter_params)
        make: Any = kind
        if name:
            field = get_fields_from_path(page.model, name)[-1]
            spec = make(field, request, params, page.model, page, field_path=name)
        else:
            spec = make(request, params, page.model, page)
        context = {"title": spec.title, "spec": spec, "choices": list(spec.choices(asked))}
        return render(request, _TEMPLATE, context)
    raise Http404
