"""How facts are shown to people: badges, bars, sizes, times, and the words of their language.

Pages and columns use the same few pieces, so a state looks the same wherever it stands.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

NOTHING = SafeString('<span class="sf-dim">–</span>')

TONES: dict[str, str] = {
    # jobs and attempts
    "blocked": "grey",
    "ready": "blue",
    "dispatched": "violet",
    "accepted": "violet",
    "staged": "violet",
    "running": "violet",
    "executing": "violet",
    "collecting": "violet",
    "succeeded": "green",
    "failed": "red",
    "lost": "red",
    "quarantined": "red",
    "cancelled": "grey",
    "superseded": "grey",
    # nodes
    "starting": "grey",
    "idle": "green",
    "busy": "violet",
    "deaf": "amber",
    "sick": "red",
    "offline": "red",
    "active": "green",
    "draining": "amber",
    "paused": "amber",
    "well": "green",
    "same": "green",
    "drifted": "amber",
    "clear": "green",
    "trial": "amber",
    "working": "green",
    "resting": "amber",
    "draft": "blue",
    "refused": "red",
    "confirmed": "green",
    "discarded": "grey",
    # published files
    "wanted": "blue",
    "published": "green",
    # wishes
    "resumed": "green",
    "changed": "blue",
    # takes
    "processing": "blue",
    "broken": "red",
    "missing": "red",
    "pending": "grey",
    "approved": "green",
    "retake": "amber",
    "rejected": "red",
    "selected": "green",
    "unselected": "grey",
}
"""The colour of a state's badge. Media "ready" shares its word with jobs and reads as blue."""

HUES = {
    "grey": gettext_lazy("grey"),
    "blue": gettext_lazy("blue"),
    "teal": gettext_lazy("teal"),
    "green": gettext_lazy("green"),
    "amber": gettext_lazy("amber"),
    "red": gettext_lazy("red"),
    "violet": gettext_lazy("violet"),
}
"""The colours of badges, in people's words."""
_ALIASES = {
    "gray": "grey",
    "slate": "grey",
    "sky": "blue",
    "emerald": "teal",
    "yellow": "amber",
    "orange": "amber",
    "purple": "violet",
    "cyan": "teal",
}


def hue(name: str) -> str:
    """Return one of HUES for a colour's common name; what is unknown is grey."""
    known = _ALIASES.get(name, name)
    return known if known in HUES else "grey"


def is_hue(name: str) -> bool:
    """Tell whether a colour's common name is known."""
    return name in HUES or name in _ALIASES


def badge(text: object, tone: str) -> SafeString:
    """Show a short word on a coloured ground. ``tone`` is one of HUES."""
    return format_html('<span class="sf-badge sf-{}">{}</span>', hue(tone), text)


def state_badge(state: str, label: object) -> SafeString:
    """Show a state in its colour, with the label people read."""
    return badge(label, TONES.get(state, "grey"))


def simulated_badge() -> SafeString:
    """Mark what no GPU has made."""
    return format_html('<span class="sf-badge sf-simulated">{}</span>', _("SIMULATED"))


def bar(fraction: float, *, tone: str = "violet", text: str = "") -> SafeString:
    """Show a part of a whole, from 0 to 1, with a text beside it (by default the percentage)."""
    percent = round(max(0.0, min(1.0, fraction)) * 100)
    said = text or f"{percent} %"
    return format_html(
        '<span class="sf-bar">'
        '<progress class="sf-track sf-{}" max="100" value="{}" aria-label="{}"></progress>'
        "<small>{}</small></span>",
        hue(tone),
        percent,
        said,
        said,
    )


def chips(words: list[str], *, at_most: int = 0) -> SafeString:
    """Show a few words side by side: of more than ``at_most`` the first and a count, all of them on hover."""
    if not words:
        return NOTHING
    shown = words[:at_most] if at_most and len(words) > at_most else words
    drawn = format_html_join("", '<span class="sf-chip">{}</span>', ((word,) for word in shown))
    if len(shown) == len(words):
        return format_html('<span class="sf-chips">{}</span>', drawn)
    return format_html(
        '<span class="sf-chips" title="{}">{}<span class="sf-chip sf-more">+{}</span></span>',
        ", ".join(words),
        drawn,
        len(words) - len(shown),
    )


def icon(name: str) -> SafeString:
    """Show a symbol that says nothing to a screen reader: give what stands around it a title."""
    return format_html('<span class="material-symbols-outlined" aria-hidden="true">{}</span>', name)


def link(address: str, text: object) -> SafeString:
    """Link to another page of the admin."""
    return format_html('<a class="sf-link" href="{}">{}</a>', address, text)


def clamped(text: str) -> SafeString:
    """Show the first three lines of a text; the whole of it on hovering."""
    return format_html('<span class="sf-clamp" title="{}">{}</span>', text, text) if text else NOTHING


def thumbnail(address: str, alt: str) -> SafeString:
    """Show a small picture, fetched when it scrolls into view."""
    return format_html('<img class="sf-thumb" src="{}" alt="{}" loading="lazy">', address, alt)


def no_picture() -> SafeString:
    """Hold the place of a picture that is not there yet."""
    return SafeString(
        '<span class="sf-thumb sf-nothumb">'
        '<span class="material-symbols-outlined" aria-hidden="true">image</span></span>'
    )


def spoken(row: Model, field: str) -> str:
    """Return a text in the page's language: in Korean ``field_ko`` where it is filled, else ``field``."""
    plain = str(getattr(row, field))
    if (get_language() or "en").startswith("ko"):
        return str(getattr(row, f"{field}_ko", "")) or plain
    return plain or str(getattr(row, f"{field}_ko", ""))


def bytes_text(count: int | None) -> str:
    """Say a number of bytes as people do: 3.4 MB (powers of 1 000)."""
    if count is None:
        return "–"
    size, unit = float(count), "B"
    for bigger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, bigger
    return f"{number_format(size, 0 if unit == 'B' else 1)} {unit}"


def gb_text(mib: int | None) -> str:
    """Say an amount of GPU memory given in MiB as GB (powers of 1 024, as cards are sold)."""
    return _("unknown") if mib is None else f"{number_format(mib / 1024, 1)} GB"


def tier_text(tier_gb: int | None) -> str:
    """Say a VRAM tier: "24 GB", or what its absence means."""
    if tier_gb is None:
        return _("no tier")
    return _("no VRAM") if tier_gb == 0 else f"{tier_gb} GB"


def moment(at: datetime) -> str:
    """Say when: month, day and time; the year only if it is another one than now."""
    local = timezone.localtime(at)
    this_year = local.year == timezone.localtime().year
    return local.strftime("%m-%d %H:%M:%S" if this_year else "%Y-%m-%d %H:%M")


def seconds_text(seconds: float | None) -> str:
    """Say a length of time: 0.8 s, 42 s, 3:07, 1:02:09."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{number_format(seconds, 1)} s"
    if seconds < 60:
        return f"{round(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


MACHINES: dict[str, object] = {
    "job": gettext_lazy("job"),
    "attempt": gettext_lazy("attempt"),
    "shot": gettext_lazy("shot"),
    "shot_label": gettext_lazy("shot, studio's status"),
    "automation": gettext_lazy("automation"),
    "take_media": gettext_lazy("take, media"),
    "take_review": gettext_lazy("take, review"),
    "take_selection": gettext_lazy("take, selection"),
    "material": gettext_lazy("material"),
    "archive": gettext_lazy("archive"),
    "node": gettext_lazy("node"),
    "node_desired": gettext_lazy("desired state"),
    "node_health": gettext_lazy("node, health"),
    "node_software": gettext_lazy("node, software"),
    "node_hours": gettext_lazy("node, hours"),
    "node_block": gettext_lazy("blocked pair"),
    "need": gettext_lazy("memory need"),
    "proof": gettext_lazy("golden render"),
    "job_wish": gettext_lazy("wish"),
    "batch_wish": gettext_lazy("batch"),
    "project_wish": gettext_lazy("project"),
    "farm_wish": gettext_lazy("farm"),
    "workflow_import": gettext_lazy("imported workflow"),
    "template": gettext_lazy("workflow template"),
    "template_version": gettext_lazy("template version"),
}
"""What people read for the machines of events."""

TO_DO: dict[str, object] = {
    "active": gettext_lazy("Activate"),
    "draining": gettext_lazy("Drain"),
    "paused": gettext_lazy("Pause"),
    "approved": gettext_lazy("Approve"),
    "retake": gettext_lazy("Retake"),
    "rejected": gettext_lazy("Reject"),
}
"""What a button says that leads to a state."""

SOURCES: dict[str, tuple[str, object]] = {
    "scene": ("blue", gettext_lazy("scene")),
    "shot": ("blue", gettext_lazy("shot")),
    "character": ("violet", gettext_lazy("character")),
    "costume": ("violet", gettext_lazy("costume")),
    "action": ("green", gettext_lazy("action")),
    "location": ("teal", gettext_lazy("location")),
    "weather": ("teal", gettext_lazy("weather")),
    "time": ("teal", gettext_lazy("time of day")),
    "preset": ("amber", gettext_lazy("preset")),
    "style": ("amber", gettext_lazy("style")),
    "lora": ("red", gettext_lazy("LoRA")),
    "dialogue": ("green", gettext_lazy("dialogue")),
    "hand": ("amber", gettext_lazy("by hand")),
    "house": ("grey", gettext_lazy("house")),
}
"""Where a piece of a prompt comes from: its colour and its name."""


def segment(text: str, source: str, label: str) -> SafeString:
    """Show a piece of a prompt in the colour of its source."""
    tone, name = SOURCES.get(source, ("grey", source))
    title = f"{name}: {label}" if label else str(name)
    return format_html('<span class="sf-segment sf-{}" title="{}">{}</span>', tone, title, text)


def source_badge(source: str) -> SafeString:
    """Name where a piece of a prompt comes from, in its colour."""
    tone, name = SOURCES.get(source, ("grey", source))
    return badge(name, tone)
