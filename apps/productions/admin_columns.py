"""The columns of the list of shots: what each says, and which open as cells."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.show import NOTHING, badge, chips, clamped, icon, spoken
from apps.productions.admin_cells import STATUS, EditsCells
from apps.productions.admin_picks import PEOPLE
from apps.productions.models import Shot


class ShotColumns(EditsCells):
    """What stands in the row of a shot; whoever may change it opens it where it stands."""

    @admin.display(description=gettext_lazy("shot"), ordering="sequence__order")
    def name(self, shot: Shot) -> str:
        return shot.full_code

    @admin.display(description=gettext_lazy("order"))
    def rank(self, shot: Shot) -> SafeString:
        """Its place in the sequence; where rows may be put in order, shotlist/order.js adds a handle."""
        return format_html('<span class="sf-rank" data-shot="{}">{}</span>', shot.pk, shot.order)

    @admin.display(description=gettext_lazy("description"))
    def what(self, shot: Shot) -> SafeString:
        return self.editable(shot, "what", clamped(spoken(shot, "description")))

    @admin.display(description=gettext_lazy("cast"))
    def cast(self, shot: Shot) -> SafeString:
        return self.editable(
            shot, "cast", chips([spoken(cast.character, "name") for cast in shot.casting.all()])
        )

    @admin.display(description=gettext_lazy("location"), ordering="location__code")
    def place(self, shot: Shot) -> SafeString:
        return self.editable(shot, "place", spoken(shot.location, "name") if shot.location else NOTHING)

    @admin.display(description=gettext_lazy("weather"), ordering="weather")
    def weather(self, shot: Shot) -> SafeString:
        told = [str(one) for one in (shot.get_weather_display(), shot.get_time_of_day_display()) if one]
        return self.editable(shot, "weather", " · ".join(told) or NOTHING)

    @admin.display(description=gettext_lazy("presets"))
    def used_presets(self, shot: Shot) -> SafeString:
        used = [spoken(one.preset, "name") for one in shot.shot_presets.all()]
        return self.editable(shot, "used_presets", chips(used, at_most=2))

    @admin.display(description=gettext_lazy("frames"), ordering="frames")
    def length(self, shot: Shot) -> SafeString:
        told = f"{shot.frames} · {shot.frames / shot.project.fps:.1f} s"
        if shot.handles:
            handles = _("%(count)d frames of handles on each side") % {"count": shot.handles}
            shown = format_html('{}<br><small title="{}">± {}</small>', told, handles, shot.handles)
            return self.editable(shot, "length", shown)
        return self.editable(shot, "length", told)

    @admin.display(description=gettext_lazy("assigned to"))
    def people(self, shot: Shot) -> SafeString:
        return self.editable(shot, PEOPLE, chips([person.username for person in shot.assignees.all()]))

    @admin.display(description=gettext_lazy("notes"))
    def note(self, shot: Shot) -> SafeString:
        return self.editable(shot, "note", clamped(shot.notes))

    @admin.display(description=gettext_lazy("status"), ordering="status__order")
    def condition(self, shot: Shot) -> SafeString:
        shown = badge(spoken(shot.shown_status, "name"), shot.shown_status.colour)
        if shot.locked:
            who = _("locked by %(user)s") % {"user": shot.locked_by}
            shown = format_html('{} <span class="sf-lock" title="{}">{}</span>', shown, who, icon("lock"))
        shown = self.editable(shot, STATUS, shown)
        if not shot.retake_count:
            return shown
        told = ngettext("%(count)d retake", "%(count)d retakes", shot.retake_count)
        return format_html("{}<small>{}</small>", shown, told % {"count": shot.retake_count})
