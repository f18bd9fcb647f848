"""What is pressed on a shot: its next status, its lock, a look of its presets; and statuses of many."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import say_problems
from apps.common.errors import NotAllowed, Refused
from apps.productions.admin_done import say_done
from apps.productions.locking import lock_shot, unlock_shot
from apps.productions.models import Shot
from apps.productions.moving import move_shots
from apps.productions.preset_looks import look_from_shot
from apps.productions.services import act_of_move, move_shot_status
from apps.productions.states import ON_HOLD, READY, SHOT
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of
from apps.projects.roles import Act


class PressesShots(ScopedAdmin):
    """Buttons of a shot's page, and the actions that move many."""

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"productions_shot_{name}"
            )
            for name, view in (
                ("status", self.move_view),
                ("lock", self.lock_view),
                ("unlock", self.unlock_view),
                ("keep_look", self.keep_look_view),
            )
        ]
        return own + super().get_urls()

    def may_move(self, request: HttpRequest, shot: Shot, to: str) -> bool:
        """Tell whether the machine and the person's role allow this step."""
        now = str(shot.status_id)
        there = to == now  # another shade of it
        return (there or to in SHOT.moves.get(now, ())) and self.may(request, act_of_move(now, to), shot)

    def move_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a status button of the shot page."""
        to = request.POST.get("to", "")

        def deed(shot: Shot) -> str:
            if not self.may(request, act_of_move(str(shot.status_id), to), shot):
                raise PermissionDenied
            moved = move_shot_status(shot, to=to, user=person_of(request))
            return _("Status changed.") if moved else _("Somebody else was quicker; see the status now.")

        return self.perform(request, object_id, Act.VIEW, deed)

    def lock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the lock button of the shot page."""

        def deed(shot: Shot) -> str:
            mine = lock_shot(shot, user=person_of(request))
            return _("Locked.") if mine else _("Somebody else was quicker; see the status now.")

        return self.perform(request, object_id, Act.PLAN, deed)

    def unlock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the unlock button of the shot page."""

        def deed(shot: Shot) -> str:
            mine = unlock_shot(shot, user=person_of(request))
            return _("Unlocked.") if mine else _("Somebody else was quicker; see the status now.")

        return self.perform(request, object_id, Act.PLAN, deed)

    def keep_look_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep the shot's presets as a look of its film."""

        def deed(shot: Shot) -> str:
            look = look_from_shot(shot, name=request.POST.get("name", ""), user=person_of(request))
            return _("Kept as the look “%(look)s”.") % {"look": look}

        return self.perform(request, object_id, Act.PLAN, deed)

    @admin.action(description=gettext_lazy("Mark as ready"), permissions=["edit"])
    def mark_ready(self, request: HttpRequest, shots: QuerySet[Shot]) -> None:
        self._move_all(request, shots, READY)

    @admin.action(description=gettext_lazy("Put on hold"), permissions=["edit"])
    def put_on_hold(self, request: HttpRequest, shots: QuerySet[Shot]) -> None:
        self._move_all(request, shots, ON_HOLD)

    def _move_all(self, request: HttpRequest, shots: QuerySet[Shot], to: str) -> None:
        shots = shots.prefetch_related(None)  # neither cast nor artists are asked for
        movable = [shot for shot in shots if to != shot.status_id and self.may_move(request, shot, to)]
        try:
            done = move_shots(movable, to=to, user=person_of(request))
        except Refused as refused:
            say_problems(request, refused)
            return
        except NotAllowed as refused:
            messages.error(request, str(refused))
            return
        if done.count:
            say_done(request, done.count, done.batches)
        if left := len(shots) - done.count:
            told = ngettext(
                "%(count)d shot stays as it is: its status or your role does not allow this step.",
                "%(count)d shots stay as they are: their status or your role does not allow this step.",
                left,
            )
            messages.warning(request, told % {"count": left})
