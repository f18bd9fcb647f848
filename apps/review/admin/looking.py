"""Pages that play takes: any two against each other, and one between the shots before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.productions.models import Shot
from apps.projects.reach import person_of
from apps.projects.stages import Stage
from apps.review.models import Take
from apps.review.playing import Opening, viewer_for
from apps.review.selectors import best_takes, looked_at, neighbours

if TYPE_CHECKING:
    from apps.review.admin.takes import TakeAdmin

TEMPLATE = "review/page.html"
MOST_COMPARED = 12
"""Takes named in one address."""
MOST_SIBLINGS = 24
"""Takes of a shot that are offered to compare with: the newest."""


def compare_page(page: TakeAdmin, request: HttpRequest) -> HttpResponse:
    """Show ?take=…&take=…: the first is A, the second B; the newest takes of their shots stand below."""
    named = _named(page, request)
    if not named:
        messages.error(request, _("Select takes of one project to compare them."))
        return HttpResponseRedirect(reverse("admin:review_take_changelist"))
    row = _with_siblings(page, request, named)
    places = {take.pk: number for number, take in enumerate(row)}
    second = places[named[1].pk] if len(named) > 1 else None
    before, after = _ways(page, request, named[0].shot) if second is None else ("", "")
    opening = Opening(
        a=places[named[0].pk],
        b=second,
        mode="side" if second is not None else "one",
        before=before,
        after=after,
    )
    shot = named[0].shot
    return _show(
        page,
        request,
        title=_("Compare %(shot)s") % {"shot": shot.full_code},
        viewer=viewer_for(row, reader=person_of(request), opening=opening),
        shot=shot,
    )


def context_page(page: TakeAdmin, request: HttpRequest, take: Take) -> HttpResponse:
    """Play a take between the shots before and after, each for as long as it is in the film."""
    shot = take.shot
    before, after = neighbours(shot)
    beside = [one for one in (before, after) if one is not None]
    best = best_takes([one.pk for one in beside], stage=take.stage)
    row = [best.get(before.pk) if before else None, take, best.get(after.pk) if after else None]
    shown = [one for one in row if one is not None]
    ways = [context_address(best[one.pk].pk) if one and one.pk in best else "" for one in (before, after)]
    opening = Opening(a=shown.index(take), reel=True, before=ways[0], after=ways[1])
    lacking = [one.full_code for one in beside if one.pk not in best]
    told = _("No take of this stage yet: %(shots)s.") % {"shots": ", ".join(lacking)} if lacking else ""
    return _show(
        page,
        request,
        title=_("%(take)s in the film")
        % {"take": f"{shot.full_code} {Stage(take.stage).label} {take.number}"},
        viewer=viewer_for(shown, reader=person_of(request), opening=opening),
        shot=shot,
        told=told,
    )


def compare_address(takes: Sequence[UUID]) -> str:
    """Return the address of the page that compares these takes."""
    question = "&".join(f"take={pk}" for pk in takes)
    return f"{reverse('admin:review_take_compare')}?{question}"


def context_address(take: UUID) -> str:
    """Return the address of the page that plays a take in the film."""
    return reverse("admin:review_take_context", args=[take])


def _named(page: TakeAdmin, request: HttpRequest) -> list[Take]:
    """The takes that are named, in that order, as far as this person sees them; [] if of several projects."""
    ids = []
    for said in request.GET.getlist("take")[:MOST_COMPARED]:
        try:
            ids.append(UUID(said))
        except ValueError:
            continue
    found = {take.pk: take for take in looked_at(page.get_queryset(request).filter(pk__in=ids))}
    takes = [found[pk] for pk in dict.fromkeys(ids) if pk in found]
    return takes if len({take.project_id for take in takes}) == 1 else []


def _with_siblings(page: TakeAdmin, request: HttpRequest, named: list[Take]) -> list[Take]:
    """The named takes among the newest of their shots, by shot and time."""
    shots = dict.fromkeys(take.shot_id for take in named)
    rows: dict[UUID, Take] = {take.pk: take for take in named}
    for shot in shots:
        newest = looked_at(page.get_queryset(request).filter(shot=shot)).order_by("-created_at")
        rows |= {take.pk: take for take in newest[:MOST_SIBLINGS] if take.pk not in rows}
    order = list(shots)
    return sorted(rows.values(), key=lambda take: (order.index(take.shot_id), take.created_at, take.pk))


def _ways(page: TakeAdmin, request: HttpRequest, shot: Shot) -> tuple[str, str]:
    """Where the keys for the shot before and after lead: to its take of the stage this shot has come to."""
    before, after = neighbours(shot)
    newest = page.get_queryset(request).filter(shot=shot).order_by("-created_at")
    stage = newest.values_list("stage", flat=True).first() or Stage.CLIP
    best = best_takes([one.pk for one in (before, after) if one is not None], stage=stage)

    def way(one: Shot | None) -> str:
        return compare_address([best[one.pk].pk]) if one is not None and one.pk in best else ""

    return way(before), way(after)


def _show(
    page: TakeAdmin, request: HttpRequest, *, title: str, viewer: Any, shot: Shot, told: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "title": title,
        "viewer": viewer,
        "back_to": reverse("admin:productions_shot_change", args=[shot.pk]),
        "back_words": shot.full_code,
        "told": told,
    }
    return TemplateResponse(request, TEMPLATE, context)
