"""Output nodes for pictures: PNG, preview, animated WEBP and PNG, all with the graph in their metadata."""

from __future__ import annotations

import json
import random
import string

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from workers.comfysim.files import SaveNames
from workers.comfysim.nodes.registry import Inputs, Run, Shown, node
from workers.comfysim.values import Pictures, describe

_EXIF_MODEL, _EXIF_MAKE = 0x0110, 0x010F
_WEBP_METHODS = {"default": 4, "fastest": 0, "slowest": 6}


def graph_texts(run: Run) -> dict[str, str]:
    """The metadata ComfyUI writes into every file: the prompt, and what the client sent as extra_pnginfo."""
    extra = run.extra_data.get("extra_pnginfo") or {}
    return {"prompt": json.dumps(run.prompt)} | {name: json.dumps(value) for name, value in extra.items()}


def _png_info(run: Run) -> PngInfo:
    info = PngInfo()
    for name, text in graph_texts(run).items():
        info.add_text(name, text)
    return info


def names_for(run: Run, inputs: Inputs, pictures: Pictures) -> SaveNames:
    first = pictures[0]
    return SaveNames(run.folders, "output", inputs["filename_prefix"], width=first.width, height=first.height)


def _save_pngs(run: Run, names: SaveNames, pictures: Pictures, compress_level: int) -> list[dict[str, str]]:
    entries = []
    for picture in pictures:
        path = names.next("png")
        picture.save(path, pnginfo=_png_info(run), compress_level=compress_level)
        entries.append(names.entry(path))
    return entries


@node("SaveImage")
def save(run: Run, inputs: Inputs) -> Shown:
    names = names_for(run, inputs, inputs["images"])
    return Shown({"images": _save_pngs(run, names, inputs["images"], compress_level=4)})


@node("PreviewImage")
def preview(run: Run, inputs: Inputs) -> Shown:
    first = inputs["images"][0]
    prefix = "ComfyUI_temp_" + "".join(random.choices(string.ascii_lowercase, k=5))
    names = SaveNames(run.folders, "temp", prefix, width=first.width, height=first.height)
    return Shown({"images": _save_pngs(run, names, inputs["images"], compress_level=1)})


@node("SaveAnimatedWEBP")
def save_webp(run: Run, inputs: Inputs) -> Shown:
    pictures: Pictures = inputs["images"]
    names = names_for(run, inputs, pictures)
    path = names.next("webp")
    exif = Image.Exif()
    for tag, (name, text) in zip((_EXIF_MODEL, _EXIF_MAKE), graph_texts(run).items(), strict=False):
        exif[tag] = f"{name}:{text}"
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=int(1000 / inputs["fps"]),
        lossless=inputs["lossless"],
        quality=inputs["quality"],
        method=_WEBP_METHODS[inputs["method"]],
        exif=exif,
    )
    return Shown({"images": [names.entry(path)], "animated": [True]})


@node("SaveAnimatedPNG")
def save_apng(run: Run, inputs: Inputs) -> Shown:
    pictures: Pictures = inputs["images"]
    names = names_for(run, inputs, pictures)
    path = names.next("png")
    pictures[0].save(
        path,
        save_all=True,
        append_images=pictures[1:],
        duration=int(1000 / inputs["fps"]),
        compress_level=inputs["compress_level"],
        pnginfo=_png_info(run),
    )
    return Shown({"images": [names.entry(path)], "animated": [True]})


@node("PreviewAny")
def preview_any(_run: Run, inputs: Inputs) -> Shown:
    text = describe(inputs["source"])
    return Shown({"text": [text]}, (text,))
