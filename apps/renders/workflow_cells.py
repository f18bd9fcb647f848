"""With which workflow a shot is rendered, in a cell: decided, recommended, or the last one it had."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.common.show import NOTHING
from apps.renders.models import Job, Recommendation


def workflows_of(shots: Collection[UUID]) -> Mapping[UUID, Recommendation]:
    """What is recommended for these shots, and decided; one query."""
    rows = Recommendation.objects.filter(shot__in=shots).only("shot", "template", "chosen", "decision")
    return {row.shot_id: row for row in rows}


def workflow_cell(told: Recommendation | None, last: Job | None) -> SafeString:
    """Name the template somebody decided on; else, dimmer, the recommended one; else the newest job's."""
    if told is not None and told.decision and told.chosen:
        return format_html('<span title="{}">{}</span>', pgettext("workflow", "decided"), told.chosen)
    if told is not None and told.template:
        return format_html('<span class="sf-dim" title="{}">{}</span>', _("recommended"), told.template)
    if last is not None:
        slug = last.template_version.template.slug
        return format_html('<span class="sf-dim" title="{}">{}</span>', _("of its newest job"), slug)
    return NOTHING
