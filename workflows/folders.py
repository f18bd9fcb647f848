"""Which folder of ``models/`` an input names files of, and what a model file's name says."""

from __future__ import annotations

import re
from typing import Final

_BY_INPUT: Final = {
    "ckpt_name": "checkpoints",
    "unet_name": "diffusion_models",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "clip_name3": "text_encoders",
    "clip_name4": "text_encoders",
    "text_encoder": "text_encoders",
    "vae_name": "vae",
    "lora_name": "loras",
    "control_net_name": "controlnet",
    "style_model_name": "style_models",
    "gligen_name": "gligen",
    "hypernetwork_name": "hypernetworks",
    "photomaker_model_name": "photomaker",
    "audio_encoder_name": "audio_encoders",
    "bg_removal_name": "background_removal",
    "config_name": "configs",
}
"""Names that mean the same in every class, of ComfyUI's core and of most packs."""

_BY_CLASS: Final = {
    ("CLIPVisionLoader", "clip_name"): "clip_vision",
    ("DiffusersLoader", "model_path"): "diffusers",
    ("ModelPatchLoader", "name"): "model_patches",
    ("UpscaleModelLoader", "model_name"): "upscale_models",
    ("LatentUpscaleModelLoader", "model_name"): "latent_upscale_models",
    ("FrameInterpolationModelLoader", "model_name"): "frame_interpolation",
    ("OpticalFlowLoader", "model_name"): "optical_flow",
    ("LoadMoGeModel", "model_name"): "geometry_estimation",
    ("LoadDA3Model", "model_name"): "geometry_estimation",
    ("LoadMediaPipeFaceLandmarker", "model_name"): "mediapipe",
}

_PRECISIONS: Final = (
    ("gguf_q", re.compile(r"q(\d)(_[k0-9]+(_[sml])?)?\.gguf$")),
    ("nvfp4", re.compile(r"nvfp4")),
    ("mxfp8", re.compile(r"mxfp8")),
    ("fp4", re.compile(r"(?<![a-z])fp4")),
    ("fp8", re.compile(r"(?<![a-z])(fp8|f8|float8)|e4m3|e5m2")),
    ("int8", re.compile(r"(?<![a-z])int8")),
    ("bf16", re.compile(r"(?<![a-z])bf16")),
    ("fp16", re.compile(r"(?<![a-z])(fp16|f16|half)")),
    ("fp32", re.compile(r"(?<![a-z])(fp32|f32)")),
)


def folder_of(class_type: str, input_name: str) -> str:
    """Return the folder whose files an input of a class names ("loras"); "" if nobody knows."""
    return _BY_CLASS.get((class_type, input_name)) or _BY_INPUT.get(input_name, "")


def precision_of(name: str) -> str:
    """Return the precision that a model file's name states ("fp8", "bf16", "gguf_q4"); "" if none."""
    plain = name.lower()
    for precision, pattern in _PRECISIONS:
        found = pattern.search(plain)
        if found:
            return f"{precision}{found.group(1)}" if precision == "gguf_q" else precision
    return ""
