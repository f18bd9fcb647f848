"""Say on a page what was done to many shots, with the way to take it back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def say_done(request: HttpRequest, count: int, batches: Sequence[UUID]) -> None:
    """Say how many shots changed, and link to the undo: of several projects, to the list of bulk changes."""
    told = ngettext("%(count)d shot changed.", "%(count)d shots changed.", count) % {"count": count}
    if not batches:
        messages.success(request, told)
        return
    address = (
        reverse("admin:ledger_batch_change", args=[batches[0]])
        if len(batches) == 1
        else reverse("admin:ledger_batch_changelist")
    )
    link = format_html('<a class="sf-link" href="{}">{}</a>', address, _("Undo…"))
    messages.success(request, format_html("{} {}", told, link))
