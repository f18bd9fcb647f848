"""Shots that continue each other: shown on the page of their sequence, rendered again where stale."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from apps.productions.models import Sequence
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders.chain import MOST_SHOWN, chain_of
from apps.renders.services.stale import render_stale, stale_in


class ShowsChains(ScopedAdmin):
    """The page of a sequence with what continues what."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.stale_view)
        own = path("<path:object_id>/stale/", view, name="productions_sequence_stale")
        return [own, *super().get_urls()]

    def stale_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Render what is stale."""

        def deed(sequence: Sequence) -> str:
            made = render_stale(
                sequence.project,
                stale_in(sequence.pk),
                user=person_of(request),
                idempotency_key=request.POST.get("key") or uuid4().hex,
            )
            told = ", ".join(batch.code for batch in made)
            return _("On its way: %(batches)s. Each shot waits for the one it continues.") % {"batches": told}

        return self.perform(request, object_id, Act.RENDER, deed)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        sequence = context.get("original")
        if sequence is not None:
            links = chain_of(sequence)
            context["chain"], context["chain_is_long"] = links, len(links) == MOST_SHOWN
            context["chain_key"] = uuid4().hex
            stale = any(link.stale for link in links)
            context["may_render_stale"] = stale and self.may(request, Act.RENDER, sequence)
        return super().render_change_form(request, context, *args, **kwargs)
