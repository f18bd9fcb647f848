"""Files in and out: /upload/image, /upload/mask and /view."""

from __future__ import annotations

import hashlib
import io
import json
import mimetypes
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image

from workers.comfysim.files import KINDS, OutsideFolderError, sha256, split_annotation
from workers.comfysim.parts import PARTS, Parts, trouble

routes = web.RouteTableDef()

# Types a browser would run as code are served as plain bytes.
_ACTIVE_TYPES = frozenset(
    {"text/html", "text/html-sandboxed", "application/xhtml+xml", "text/javascript", "text/css"}
)


@routes.post("/upload/image")
async def upload_image(request: web.Request) -> web.Response:
    upload = await _Upload.read(request)
    if isinstance(upload, web.Response):
        return upload
    path = upload.free_path()
    if not path.exists():
        path.write_bytes(upload.data)
    return upload.answer(path)


@routes.post("/upload/mask")
async def upload_mask(request: web.Request) -> web.Response:
    """The mask's alpha put on the picture that `original_ref` names; nothing is written if there is none."""
    upload = await _Upload.read(request)
    if isinstance(upload, web.Response):
        return upload
    try:
        reference = json.loads(upload.fields["original_ref"])
        kind = reference.get("type") or "output"
        original = upload.parts.folders.inside(kind, reference.get("subfolder", ""), reference["filename"])
    except OutsideFolderError:
        return web.Response(status=403)
    except (KeyError, ValueError) as exc:
        raise trouble() from exc
    path = upload.free_path()
    if original.is_file():
        picture = Image.open(original).convert("RGBA")
        alpha = Image.open(io.BytesIO(upload.data)).convert("RGBA").getchannel("A")
        picture.putalpha(alpha.resize(picture.size))
        picture.save(path, "PNG", compress_level=4)
    return upload.answer(path)


class _Upload:
    """One uploaded file: its bytes and where it wants to go."""

    def __init__(self, parts: Parts, fields: dict[str, str], name: str, data: bytes, folder: Path) -> None:
        self.parts = parts
        self.fields = fields
        self.name = name
        self.data = data
        self.folder = folder

    @classmethod
    async def read(cls, request: web.Request) -> _Upload | web.Response:
        """The upload in a multipart form, or the refusal to answer with."""
        parts = request.app[PARTS]
        form = await request.post()
        file = form.get("image")
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        if not isinstance(file, web.FileField) or not file.filename:
            return web.Response(status=400)
        kind = fields.get("type") or "input"
        if kind not in KINDS:
            raise trouble()
        try:
            folder = parts.folders.inside(kind, fields.get("subfolder", ""))
            parts.folders.inside(kind, fields.get("subfolder", ""), file.filename)
        except OutsideFolderError:
            return web.Response(status=400)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(parts, fields, file.filename, file.file.read(), folder)

    def free_path(self) -> Path:
        """The file's name, or `name (1)` while another file with other bytes has it."""
        path = self.folder / self.name
        if self.fields.get("overwrite") in ("true", "1"):
            path.unlink(missing_ok=True)
            return path
        digest = hashlib.sha256(self.data).hexdigest()
        count = 0
        while path.exists() and sha256(path) != digest:
            count += 1
            path = self.folder / f"{Path(self.name).stem} ({count}){Path(self.name).suffix}"
        return path

    def answer(self, path: Path) -> web.Response:
        place = {"subfolder": self.fields.get("subfolder", ""), "type": self.fields.get("type") or "input"}
        return web.json_response({"name": path.name, **place})


@routes.get("/view")
async def view(request: web.Request) -> web.StreamResponse:
    """A file of output/ (or `type`), whole or by Range; `preview=webp;50` and `channel=rgb|a` convert it."""
    query = request.query
    path = _viewed(request)
    if isinstance(path, int):
        return web.Response(status=path)
    headers: dict[str, Any] = {"Content-Disposition": f'filename="{path.name}"'}
    if "preview" in query:
        return _preview(path, query["preview"], headers)
    if query.get("channel") in ("rgb", "a"):
        return _channel(path, query["channel"], headers)
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if content_type in _ACTIVE_TYPES:
        content_type = "application/octet-stream"
    return web.FileResponse(path, headers=headers | {"Content-Type": content_type})


@routes.get("/view_metadata/{folder}")
async def view_metadata(_request: web.Request) -> web.Response:
    """The header of a model file: the stand-in has names of models only, and those never have one."""
    return web.Response(status=404)


async def web_page(request: web.Request) -> web.StreamResponse:
    """A file of ComfyUI's own web pages, where every unknown path ends: there are none here."""
    if ".." in request.path.split("/"):
        raise web.HTTPNotFound
    return web.FileResponse(request.app[PARTS].folders.base / "web" / request.path.lstrip("/"))


def _viewed(request: web.Request) -> Path | int:
    """The file asked for, or the status of the refusal."""
    query = request.query
    name, kind = split_annotation(query.get("filename", ""))
    kind = kind or query.get("type", "output")
    if "filename" in query and (not name or name.startswith("/") or ".." in name or kind not in KINDS):
        return 400
    try:
        path = request.app[PARTS].folders.inside(kind, query.get("subfolder", ""), Path(name).name)
    except OutsideFolderError:
        return 403
    return path if path.is_file() else 404


def _preview(path: Path, wish: str, headers: dict[str, str]) -> web.Response:
    wanted, _, quality = wish.partition(";")
    suffix = wanted if wanted in ("webp", "jpeg") else "webp"
    buffer = io.BytesIO()
    with Image.open(path) as picture:
        shown = picture.convert("RGB") if suffix == "jpeg" else picture
        shown.save(buffer, suffix, quality=int(quality) if quality.isdigit() else 90)
    return web.Response(body=buffer.getvalue(), content_type=f"image/{suffix}", headers=headers)


def _channel(path: Path, channel: str, headers: dict[str, str]) -> web.Response:
    buffer = io.BytesIO()
    with Image.open(path) as picture:
        if channel == "rgb":
            shown = picture.convert("RGB")
        else:
            shown = Image.new("RGBA", picture.size)
            shown.putalpha(picture.convert("RGBA").getchannel("A"))
        shown.save(buffer, "PNG")
    return web.Response(body=buffer.getvalue(), content_type="image/png", headers=headers)
