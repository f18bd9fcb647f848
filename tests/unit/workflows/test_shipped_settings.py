"""Shipped graphs load and sample a model as ComfyUI's own template of it does, where there is one."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.unit.workflows import corpus
from workflows.convert import to_api
from workflows.graph import Graph
from workflows.load import load

SETTINGS: Final = {
    "UNETLoader": ("unet_name",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "CLIPLoader": ("clip_name", "type"),
    "DualCLIPLoader": ("clip_name1", "clip_name2", "type"),
    "LTXAVTextEncoderLoader": ("text_encoder", "ckpt_name"),
    "VAELoader": ("vae_name",),
    "ControlNetLoader": ("control_net_name",),
    "CLIPVisionEncode": ("crop",),
    "ModelSamplingSD3": ("shift",),
    "ModelSamplingAuraFlow": ("shift",),
    "CFGNorm": ("strength",),
    "FluxKontextMultiReferenceLatentMethod": ("reference_latents_method",),
    "KSampler": ("sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("sampler_name", "scheduler", "add_noise", "return_with_leftover_noise"),
    "BasicScheduler": ("scheduler",),
    "LTXVScheduler": ("max_shift", "base_shift", "stretch", "terminal"),
    "LTXVPreprocess": ("img_compression",),
    "ControlNetApplyAdvanced": ("strength", "start_percent", "end_percent"),
    "ControlNetInpaintingAliMamaApply": ("strength", "start_percent", "end_percent"),
}
"""What decides whether a model makes what it was trained for; size, text, seed and steps are the job's."""

OFFICIAL: Final = {
    "qwen_t2i": "image_qwen_image",
    "qwen_edit": "image_qwen_image_edit_2511",
    "controlnet_depth": "image_qwen_image_instantx_controlnet",
    "inpaint": "image_qwen_image_instantx_inpainting_controlnet",
    "wan22_t2v": "video_wan2_2_14B_t2v",
    "wan22_i2v": "video_wan2_2_14B_i2v",
    "wan22_flf": "video_wan2_2_14B_flf2v",
    "ltx2_t2v": "video_ltx2_t2v",
    "ltx2_i2v": "video_ltx2_i2v",
    "hunyuan15_i2v": "video_hunyuan_video_1.5_720p_i2v",
    "esrgan_upscale": "utility-gan_upscaler",
}


def _settings(graph: Graph) -> set[tuple[Any, ...]]:
    return {
        (node["class_type"], *(_plain(node["inputs"][name]) for name in names))
        for node in graph.values()
        if (names := SETTINGS.get(node["class_type"]))
    }


def _plain(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value


@pytest.mark.parametrize("slug", OFFICIAL)
def test_a_model_is_loaded_and_sampled_as_in_comfyuis_own_template(slug: str) -> None:
    theirs = _settings(to_api(corpus.templates()[OFFICIAL[slug]], corpus.object_info()))
    assert _settings(load(slug).graph) <= theirs
