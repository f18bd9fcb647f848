"""The layout that somebody chose on a project's page, where somebody else chose another meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from apps.common.admin_versions import Meanwhile
from apps.folders.models import PathTemplate, ProjectFolders, PublishWhen
from apps.ledger import words
from apps.ledger.documents import document_of
from apps.ledger.selectors import steps_since

_FORM = {"template": "layout", "publish": "publish"}
"""What a document's fields are called in the form."""


def chosen_again(request: HttpRequest, page: str, seen: int | None) -> str:
    """The page's address with what was chosen and at which version, so that it is not lost."""
    told = {name: request.POST.get(name, "") for name in _FORM.values()} | {"seen": seen}
    return f"{page}{'&' if '?' in page else '?'}{urlencode(told)}"


def chosen_on(
    request: HttpRequest, folders: ProjectFolders | None, held: PathTemplate | None
) -> dict[str, Any]:
    """What the page's form says: what is held, and over it what was chosen and not kept.

    What somebody left as it was says what others chose meanwhile.
    """
    now = {"layout": str(held or ""), "publish": folders.publish if folders else PublishWhen.APPROVED.value}
    seen = request.GET.get("seen", "")
    meanwhile: list[Meanwhile] = []
    if folders is not None and seen.isascii() and seen.isdecimal() and len(seen) < 10:
        meanwhile = list(_meanwhile(request, folders, int(seen)))
        theirs = {one.name for one in meanwhile if one.untouched}
        now |= {name: request.GET[name] for name in now if request.GET.get(name) and name not in theirs}
    return {"chosen": now["layout"], "publish": now["publish"], "meanwhile": meanwhile}


def _meanwhile(request: HttpRequest, folders: ProjectFolders, seen: int) -> Iterator[Meanwhile]:
    document = document_of(ProjectFolders)
    for step in steps_since(document, folders.pk, seen):
        name = _FORM.get(step.field, step.field)
        chosen = request.GET.get(name, "")
        yield Meanwhile(
            field=words.field_text(document.kind, step.field),
            was=words.value_text(document.kind, step.field, step.old),
            now=words.diff(document.kind, step.field, step.old, step.new),
            typed=words.value_text(document.kind, step.field, chosen),
            who=step.who,
            at=step.at,
            name=name,
            untouched=chosen == step.old,
        )
