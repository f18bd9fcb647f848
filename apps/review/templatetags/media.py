"""Where the reader of a page finds a take's files."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext

from apps.review import gallery
from apps.review.models import Artifact

register = template.Library()


@register.simple_tag(takes_context=True)
def media_url(context: RequestContext, artifact: Artifact) -> Any:
    """The file's address, signed for whoever reads the page."""
    return gallery.media_url(artifact.pk, context["request"].user)
