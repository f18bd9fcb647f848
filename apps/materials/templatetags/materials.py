"""Where the reader of a page finds a material's files."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext

from apps.materials import gallery
from apps.materials.models import Material

register = template.Library()


@register.simple_tag(takes_context=True)
def material_url(context: RequestContext, material: Material, part: str) -> Any:
    """The address of one of its files (file, thumb, proxy), signed for whoever reads the page."""
    return gallery.material_url(material.pk, part, context["request"].user)
