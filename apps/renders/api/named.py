"""Jobs that a body names, by code or by id."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.common.ids import uuid_in
from apps.projects.selectors import Person, scoped
from apps.renders.models import Job


def jobs_named(names: Iterable[str], user: Person) -> QuerySet[Job]:
    """The person's jobs of these names. Raises Refused for each that is none of theirs, by its place."""
    named = list(dict.fromkeys(names))
    ids = {name: key for name in named if (key := uuid_in(name)) is not None}
    chosen = scoped(Job.objects.all(), user).filter(Q(code__in=named) | Q(pk__in=ids.values()))
    known = {str(name) for row in chosen.values_list("pk", "code") for name in row}
    told = _("no such job among yours; write its code, such as J000012, or its id")
    unknown = [
        Problem(f"jobs[{index}]", name, told, code="unknown_job")
        for index, name in enumerate(named)
        if str(ids.get(name, name)) not in known
    ]
    if unknown:
        raise Refused(*unknown)
    return chosen
