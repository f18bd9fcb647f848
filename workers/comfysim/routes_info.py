"""What the server tells about itself: machine, nodes, models, features."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from workers.comfysim.parts import PARTS, Parts
from workers.comfysim.vram import file_bytes

routes = web.RouteTableDef()
newer_routes = web.RouteTableDef()


@routes.get("/system_stats")
async def system_stats(request: web.Request) -> web.Response:
    """The recorded shape, with `simulated: true`, which no real server has."""
    parts = request.app[PARTS]
    ram_total, ram_free = _ram_bytes()
    system = {
        "os": parts.knobs.version.os_name,
        "ram_total": ram_total,
        "ram_free": ram_free,
        "comfyui_version": parts.knobs.comfyui_version,
        **parts.recorded["system"],
        "python_version": f"{platform.python_version()} ({', '.join(platform.python_build())})",
        "argv": sys.argv,
        "simulated": True,
    }
    return web.json_response({"system": system, "devices": [_device(parts, ram_total, ram_free)]})


def _device(parts: Parts, ram_total: int, ram_free: int) -> dict[str, Any]:
    size = parts.knobs.vram_gb
    if not size:
        # A server without a GPU gives its RAM as vram_total: recorded so.
        device: dict[str, Any] = {"name": "cpu", "type": "cpu", "index": None}
        total, free = ram_total, ram_free
    else:
        device = {"name": f"cuda:0 SIMULATED {size:g} GB : simulated", "type": "cuda", "index": 0}
        total, free = parts.knobs.vram_bytes, parts.pool.free_bytes
    return device | {
        "vram_total": total,
        "vram_free": free,
        "torch_vram_total": total,
        "torch_vram_free": free,
    }


def _ram_bytes() -> tuple[int, int]:
    """Total and, as ComfyUI counts it, available: with what the system only caches."""
    unit = os.sysconf("SC_PAGE_SIZE")
    total, free = unit * os.sysconf("SC_PHYS_PAGES"), unit * os.sysconf("SC_AVPHYS_PAGES")
    facts = Path("/proc/meminfo")
    for line in facts.read_text().splitlines() if facts.exists() else ():
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
    return total, free


@routes.get("/object_info")
async def object_info(request: web.Request) -> web.Response:
    return web.json_response(request.app[PARTS].catalogue.all())


@routes.get("/object_info/{class_type}")
async def one_object_info(request: web.Request) -> web.Response:
    class_type = request.match_info["class_type"]
    catalogue = request.app[PARTS].catalogue
    return web.json_response({class_type: catalogue[class_type]} if class_type in catalogue else {})


@routes.get("/models")
async def model_folders(request: web.Request) -> web.Response:
    return web.json_response(request.app[PARTS].catalogue.model_folders)


@routes.get("/models/{folder}")
async def models(request: web.Request) -> web.Response:
    catalogue, folder = request.app[PARTS].catalogue, request.match_info["folder"]
    if folder not in catalogue.model_folders:
        return web.Response(status=404)
    return web.json_response(catalogue.models(folder))


@routes.get("/embeddings")
async def embeddings(request: web.Request) -> web.Response:
    return web.json_response(
        [name.rsplit(".", 1)[0] for name in request.app[PARTS].catalogue.models("embeddings")]
    )


@routes.get("/extensions")
async def extensions(request: web.Request) -> web.Response:
    return web.json_response(request.app[PARTS].recorded["extensions"])


@routes.get("/features")
async def features(request: web.Request) -> web.Response:
    return web.json_response(request.app[PARTS].recorded["features"])


@newer_routes.get("/node_replacements")
async def node_replacements(request: web.Request) -> web.Response:
    return web.json_response(request.app[PARTS].recorded["node_replacements"])


@routes.get("/internal/folder_paths")
async def folder_paths(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    paths = parts.recorded["folder_paths"]
    return web.json_response(
        {name: [str(parts.folders.base / path) for path in listed] for name, listed in paths.items()}
    )


@routes.get("/experiment/models")
async def experiment_models(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    hidden = ("configs", "custom_nodes")
    folders = {name: paths for name, paths in parts.recorded["folder_paths"].items() if name not in hidden}
    return web.json_response(
        [
            {"name": name, "folders": [str(parts.folders.base / path) for path in paths]}
            for name, paths in folders.items()
        ]
    )


@routes.get("/experiment/models/{folder}")
async def experiment_model_files(request: web.Request) -> web.Response:
    parts, folder = request.app[PARTS], request.match_info["folder"]
    catalogue = parts.catalogue
    if folder not in catalogue.model_folders:
        return web.Response(status=404)
    return web.json_response(
        [
            {"name": name, "pathIndex": 0, "modified": 0, "created": 0, "size": _size(parts, folder, name)}
            for name in catalogue.models(folder)
        ]
    )


def _size(parts: Parts, folder: str, name: str) -> int:
    """The bytes of a file that somebody put there; of one that only has a name, what it would have."""
    path = parts.folders.model_root(folder) / name
    return path.stat().st_size if path.is_file() else file_bytes(name)


@routes.get("/users")
async def users(_request: web.Request) -> web.Response:
    return web.json_response({"storage": "server", "migrated": False})


@newer_routes.get("/global_subgraphs")
async def global_subgraphs(request: web.Request) -> web.Response:
    return web.json_response(request.app[PARTS].recorded["global_subgraphs"])


@routes.get("/workflow_templates")
async def nothing_installed(_request: web.Request) -> web.Response:
    return web.json_response({})
