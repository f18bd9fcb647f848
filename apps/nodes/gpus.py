"""How a GPU's facts are shown, with where they come from: measured, told, simulated, unknown."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.common.show import badge, bar, gb_text
from apps.nodes.models import Gpu, Source

SOURCE_TONES = {
    Source.NVML: "green",
    Source.COMFYUI: "blue",
    Source.SIMULATED: "amber",
    Source.UNKNOWN: "grey",
}


def memory_bar(gpu: Gpu) -> SafeString:
    """Show a GPU's used memory of its total, or that it is unknown."""
    if gpu.total_mib is None:
        return format_html('<span class="sf-dim">{}</span>', _("memory unknown"))
    if gpu.free_mib is None:
        return format_html("<span>{}</span>", gb_text(gpu.total_mib))
    used = gpu.total_mib - gpu.free_mib
    tone = "red" if used > 0.95 * gpu.total_mib else "teal"
    return bar(used / gpu.total_mib, tone=tone, text=f"{gb_text(used)} / {gb_text(gpu.total_mib)}")


def source_badge(gpu: Gpu) -> SafeString:
    """Say where a GPU's facts come from."""
    return badge(gpu.get_source_display(), SOURCE_TONES[Source(gpu.source)])


def gpu_line(gpu: Gpu) -> SafeString:
    """Show a GPU in one line: name, source, memory."""
    return format_html(
        '<div class="sf-gpu"><span>{}</span> {} {}</div>', gpu.name, source_badge(gpu), memory_bar(gpu)
    )
