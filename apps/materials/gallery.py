"""Where the reader of a page finds a material's file, its small picture, and what a browser plays."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.signatures import sign

FILE: Final = "file"
THUMB: Final = "thumb"
PROXY: Final = "proxy"


def material_name(material_id: UUID, part: str) -> str:
    """Name one file of a material in signatures."""
    return f"material {material_id} {part}"


def material_url(material_id: UUID, part: str, reader: User) -> str:
    """Return the address at which this reader sees the file for a while; it is signed in their name."""
    address = reverse("material", args=[material_id, part])
    return f"{address}?{sign(reader, material_name(material_id, part))}"
