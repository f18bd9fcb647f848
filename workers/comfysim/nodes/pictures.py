"""Image nodes, done with Pillow on batches of RGB pictures and L masks."""

from __future__ import annotations

import math
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageOps

from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.values import Pictures

_RESAMPLING = {
    "nearest-exact": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@node("EmptyImage")
def empty(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    color = inputs["color"]
    rgb = (color >> 16 & 255, color >> 8 & 255, color & 255)
    picture = Image.new("RGB", (inputs["width"], inputs["height"]), rgb)
    return ([picture] * inputs["batch_size"],)


@node("LoadImage")
def load(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """Every frame of the file, turned upright, and a mask that is white where it is transparent."""
    pictures: Pictures = []
    masks: Pictures = []
    with Image.open(run.folders.annotated(inputs["image"])) as file:
        for index in range(getattr(file, "n_frames", 1)):
            file.seek(index)
            upright = ImageOps.exif_transpose(file)
            if pictures and upright.size != pictures[0].size:
                continue
            pictures.append(upright.convert("RGB"))
            masks.append(_transparency(upright))
    return pictures, masks


def _transparency(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        return ImageOps.invert(picture.convert("RGBA").getchannel("A"))
    return Image.new("L", (64, 64), 0)  # ComfyUI's answer where there is no alpha


@node("ImageInvert")
def invert(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return ([ImageOps.invert(picture) for picture in inputs["image"]],)


@node("InvertMask")
def invert_mask(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return ([ImageOps.invert(mask) for mask in inputs["mask"]],)


@node("ImageScale")
def scale(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """To width x height; 0 keeps the proportions; `crop: center` cuts instead of stretching."""
    pictures: Pictures = inputs["image"]
    width, height = inputs["width"], inputs["height"]
    first = pictures[0]
    if not width and not height:
        return (pictures,)
    width = width or max(1, round(first.width * height / first.height))
    height = height or max(1, round(first.height * width / first.width))
    resampling = _RESAMPLING[inputs["upscale_method"]]
    if inputs["crop"] == "center":
        return ([ImageOps.fit(picture, (width, height), resampling) for picture in pictures],)
    return ([picture.resize((width, height), resampling) for picture in pictures],)


@node("ImageScaleBy")
def scale_by(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (_resized(inputs, inputs["scale_by"]),)


@node("ImageScaleToTotalPixels")
def scale_to_megapixels(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    first = inputs["image"][0]
    return (_resized(inputs, math.sqrt(inputs["megapixels"] * 1024 * 1024 / (first.width * first.height))),)


def _resized(inputs: Inputs, factor: float) -> Pictures:
    first = inputs["image"][0]
    size = (max(1, round(first.width * factor)), max(1, round(first.height * factor)))
    return [picture.resize(size, _RESAMPLING[inputs["upscale_method"]]) for picture in inputs["image"]]


@node("ImageBatch")
def batch(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    size = inputs["image1"][0].size
    second = [
        picture if picture.size == size else ImageOps.fit(picture, size) for picture in inputs["image2"]
    ]
    return ([*inputs["image1"], *second],)


@node("BatchImagesNode")
def batch_many(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    batches = [value for name, value in inputs.items() if name.startswith("images.")]
    size = batches[0][0].size
    every = [picture for pictures in batches for picture in pictures]
    return ([picture if picture.size == size else ImageOps.fit(picture, size) for picture in every],)


@node("RepeatImageBatch")
def repeat(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (inputs["image"] * inputs["amount"],)


@node("ImageFromBatch")
def from_batch(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    most = len(inputs["image"])
    asked = inputs["batch_index"]
    start = min(asked, most - 1) if asked >= 0 else max(0, most + asked)
    return (inputs["image"][start : start + inputs["length"]],)


@node("ImageCrop")
def crop(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    first = inputs["image"][0]
    left, top = min(inputs["x"], first.width - 1), min(inputs["y"], first.height - 1)
    box = (left, top, min(left + inputs["width"], first.width), min(top + inputs["height"], first.height))
    return ([picture.crop(box) for picture in inputs["image"]],)


@node("ImageFlip")
def flip(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    turn = ImageOps.flip if inputs["flip_method"].startswith("x") else ImageOps.mirror
    return ([turn(picture) for picture in inputs["image"]],)


@node("ImageRotate")
def rotate(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    degrees = {"n": 0, "9": 270, "1": 180, "2": 90}[inputs["rotation"][0]]
    return ([picture.rotate(degrees, expand=True) for picture in inputs["image"]],)


@node("ImageBlur")
def blur(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return ([picture.filter(ImageFilter.GaussianBlur(inputs["sigma"])) for picture in inputs["image"]],)


@node("ImageSharpen")
def sharpen(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    mask = ImageFilter.UnsharpMask(inputs["sharpen_radius"], round(inputs["alpha"] * 100), 0)
    return ([picture.filter(mask) for picture in inputs["image"]],)


@node("ImageBlend")
def blend(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    mixers = {
        "normal": lambda _below, above: above,
        "multiply": ImageChops.multiply,
        "screen": ImageChops.screen,
        "overlay": ImageChops.overlay,
        "soft_light": ImageChops.soft_light,
        "difference": ImageChops.difference,
    }
    mixed = []
    for below, above in zip(inputs["image1"], inputs["image2"], strict=False):
        fitted = above if above.size == below.size else ImageOps.fit(above, below.size)
        result = mixers[inputs["blend_mode"]](below, fitted)
        mixed.append(Image.blend(below, result, inputs["blend_factor"]))
    return (mixed,)


@node("ImagePadForOutpaint")
def pad(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """The picture on a grey canvas, and a mask that is white where the canvas is new."""
    first = inputs["image"][0]
    left, top = inputs["left"], inputs["top"]
    size = (first.width + left + inputs["right"], first.height + top + inputs["bottom"])
    padded = []
    for picture in inputs["image"]:
        canvas = Image.new("RGB", size, (128, 128, 128))
        canvas.paste(picture, (left, top))
        padded.append(canvas)
    mask = Image.new("L", size, 255)
    mask.paste(0, (left, top, left + first.width, top + first.height))
    return padded, [mask]


@node("ImageCompositeMasked")
def composite(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """Each source pasted on its destination at x, y, through the mask if there is one."""
    sources: Pictures = inputs["source"]
    masks: Pictures | None = inputs.get("mask")
    result = []
    for index, destination in enumerate(inputs["destination"]):
        source = sources[index % len(sources)]
        if inputs["resize_source"]:
            source = source.resize(destination.size, Image.Resampling.BILINEAR)
        mask = masks[index % len(masks)].resize(source.size) if masks else None
        canvas = destination.copy()
        canvas.paste(source, (inputs["x"], inputs["y"]), mask)
        result.append(canvas)
    return (result,)


@node("SolidMask")
def solid_mask(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return ([Image.new("L", (inputs["width"], inputs["height"]), round(inputs["value"] * 255))],)


@node("MaskToImage")
def mask_to_image(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return ([mask.convert("RGB") for mask in inputs["mask"]],)


@node("ImageToMask")
def image_to_mask(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    channel = "RGB".find(inputs["channel"][0].upper())
    return ([picture.getchannel(max(channel, 0)) for picture in inputs["image"]],)


@node("MaskComposite")
def mask_composite(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    operations = {
        "multiply": ImageChops.multiply,
        "and": ImageChops.multiply,
        "add": ImageChops.add,
        "or": ImageChops.lighter,
        "subtract": ImageChops.subtract,
        "xor": ImageChops.difference,
    }
    result = []
    for below, above in zip(inputs["destination"], inputs["source"], strict=False):
        canvas = below.copy()
        box = (inputs["x"], inputs["y"], inputs["x"] + above.width, inputs["y"] + above.height)
        canvas.paste(operations[inputs["operation"]](canvas.crop(box), above), box[:2])
        result.append(canvas)
    return (result,)


@node("FeatherMask")
def feather(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    radius = max(inputs["left"], inputs["top"], inputs["right"], inputs["bottom"])
    return ([mask.filter(ImageFilter.GaussianBlur(radius / 2)) for mask in inputs["mask"]],)


@node("GetImageSize")
def size(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    first = inputs["image"][0]
    return first.width, first.height, len(inputs["image"])
