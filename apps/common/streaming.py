"""Stored files to a browser or a node, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from asgiref.sync import sync_to_async
from django.core.files import File

CHUNK: Final = 256 * 1024


async def pieces(file: File[bytes], start: int, length: int) -> AsyncIterator[bytes]:
    """Read a part in chunks, each in a thread, so that no film stands in memory whole; close it then."""
    try:
        await sync_to_async(file.seek, thread_sensitive=False)(start)
        while length > 0:
            chunk = await sync_to_async(file.read, thread_sensitive=False)(min(CHUNK, length))
            if not chunk:
                return
            length -= len(chunk)
            yield chunk
    finally:
        file.close()
