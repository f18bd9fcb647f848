"""What the routes share: the parts of one running server, and ComfyUI's plain refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from workers.comfysim.catalogue import Catalogue
from workers.comfysim.events import Hub
from workers.comfysim.executor import Executor
from workers.comfysim.faults import Faults
from workers.comfysim.files import Folders
from workers.comfysim.knobs import Knobs
from workers.comfysim.promptqueue import PromptQueue
from workers.comfysim.vram import ModelPool


@dataclass(frozen=True)
class Parts:
    knobs: Knobs
    faults: Faults
    folders: Folders
    catalogue: Catalogue
    pool: ModelPool
    hub: Hub
    queue: PromptQueue
    executor: Executor
    recorded: dict[str, Any]


PARTS = web.AppKey("parts", Parts)


def trouble() -> web.HTTPInternalServerError:
    """The plain 500 ComfyUI gives where it did not expect the input."""
    return web.HTTPInternalServerError(text="500 Internal Server Error\n\nServer got itself in trouble")


async def body_of(request: web.Request) -> Any:
    """The JSON body whatever its content type; a plain 500 if it is not JSON."""
    try:
        return await request.json()
    except ValueError as exc:
        raise trouble() from exc
