"""The node catalogue of a ComfyUI (`/object_info`), filled with the models this server has."""

from __future__ import annotations

import copy
from typing import Any

from workers.comfysim.files import Folders
from workers.comfysim.versions import Version

# Which input of which node lists which model folder; every node with that input name is filled,
# and the pairs below where the name alone does not say.
_FOLDER_OF_INPUT = {
    "ckpt_name": "checkpoints",
    "unet_name": "diffusion_models",
    "vae_name": "vae",
    "lora_name": "loras",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "clip_name3": "text_encoders",
    "clip_name4": "text_encoders",
    "control_net_name": "controlnet",
    "style_model_name": "style_models",
    "text_encoder": "text_encoders",
}
_FOLDER_OF_NODE_INPUT = {
    ("CLIPVisionLoader", "clip_name"): "clip_vision",
    ("UpscaleModelLoader", "model_name"): "upscale_models",
    ("FrameInterpolationModelLoader", "model_name"): "frame_interpolation",
}
# Inputs that name a file of input/; ComfyUI checks the file itself, not the list.
FILE_INPUTS = {
    "LoadImage": "image",
    "LoadImageMask": "image",
    "LoadVideo": "file",
    "LoadAudio": "audio",
    "LoadLatent": "latent",
}
_TEST_NODES = frozenset({"RecSleep", "RecSleepDeaf", "RecRaise"})

# The files that the farm's own templates name, and those of ComfyUI's templates for FLUX.1 and Wan 2.2.
DEFAULT_MODELS: dict[str, list[str]] = {
    "checkpoints": [
        "flux1-dev-fp8.safetensors",
        "flux1-schnell-fp8.safetensors",
        "ltx-2-19b-dev-fp8.safetensors",
        "ltx-2-19b-dev.safetensors",
        "sd_xl_base_1.0.safetensors",
        "sdpose_wholebody_fp16.safetensors",
        "v1-5-pruned-emaonly-fp16.safetensors",
    ],
    "controlnet": [
        "Qwen-Image-InstantX-ControlNet-Inpainting.safetensors",
        "Qwen-Image-InstantX-ControlNet-Union.safetensors",
    ],
    "diffusion_models": [
        "Wan2_2-Animate-14B_fp8_e4m3fn_scaled_KJ.safetensors",
        "flux-2-klein-4b.safetensors",
        "flux1-dev-fp8.safetensors",
        "flux1-dev.safetensors",
        "hunyuanvideo1.5_720p_i2v_fp16.safetensors",
        "qwen_image_bf16.safetensors",
        "qwen_image_edit_2509_fp8_e4m3fn.safetensors",
        "qwen_image_edit_2511_bf16.safetensors",
        "qwen_image_fp8_e4m3fn.safetensors",
        "wan2.2_animate_14B_bf16.safetensors",
        "wan2.2_i2v_high_noise_14B_fp16.safetensors",
        "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors",
        "wan2.2_i2v_low_noise_14B_fp16.safetensors",
        "wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors",
        "wan2.2_t2v_high_noise_14B_fp16.safetensors",
        "wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors",
        "wan2.2_t2v_low_noise_14B_fp16.safetensors",
        "wan2.2_t2v_low_noise_14B_fp8_scaled.safetensors",
    ],
    "text_encoders": [
        "byt5_small_glyphxl_fp16.safetensors",
        "clip_l.safetensors",
        "gemma_3_12B_it_fp4_mixed.safetensors",
        "qwen_2.5_vl_7b_fp8_scaled.safetensors",
        "qwen_3_4b.safetensors",
        "t5xxl_fp16.safetensors",
        "t5xxl_fp8_e4m3fn.safetensors",
        "t5xxl_fp8_e4m3fn_scaled.safetensors",
        "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
    ],
    "upscale_models": ["RealESRGAN_x4plus.safetensors"],
    "vae": [
        "ae.safetensors",
        "flux2-vae.safetensors",
        "hunyuanvideo15_vae_fp16.safetensors",
        "qwen_image_vae.safetensors",
        "wan_2.1_vae.safetensors",
    ],
    "loras": [
        "Qwen-Image-Edit-2509-Lightning-4steps-V1.0-bf16.safetensors",
        "SVI_v2_PRO_Wan2.2-I2V-A14B_HIGH_lora_rank_128_fp16.safetensors",
        "SVI_v2_PRO_Wan2.2-I2V-A14B_LOW_lora_rank_128_fp16.safetensors",
        "diffsynth_Qwen-Image-Edit-2509-telestyle.safetensors",
        "wan2.2_i2v_lightx2v_4steps_lora_v1_high_noise.safetensors",
        "wan2.2_i2v_lightx2v_4steps_lora_v1_low_noise.safetensors",
        "wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise.safetensors",
        "wan2.2_t2v_lightx2v_4steps_lora_v1.1_low_noise.safetensors",
    ],
    "clip_vision": ["clip_vision_h.safetensors", "sigclip_vision_patch14_384.safetensors"],
    "frame_interpolation": ["rife_v4.26.safetensors"],
}


class Catalogue:
    """Node classes by name, with the live lists of models and input files in their combos.

    A model is a name given at the start, or a file in models/ under the server's base folder; a pack of
    custom nodes is a file in custom_nodes/ (see Folders.packs).
    """

    def __init__(
        self, models: dict[str, list[str]], folders: Folders, version: Version, *, test_nodes: bool
    ) -> None:
        known = version.recorded()["model_folders"]
        for folder in models:
            if folder not in known:
                raise ValueError(f"models: unknown folder {folder!r}; ComfyUI knows {', '.join(known)}")
        self.version = version
        self.model_folders: list[str] = known
        self._models = models
        self._folders = folders
        hidden = frozenset() if test_nodes else _TEST_NODES
        recorded = {name: info for name, info in version.classes().items() if name not in hidden}
        self._classes = recorded | folders.packs()
        self._model_inputs = {name: _model_inputs(name, info) for name, info in self._classes.items()}

    def models(self, folder: str) -> list[str]:
        """The model files of a folder, sorted; KeyError if ComfyUI has no such folder."""
        if folder not in self.model_folders:
            raise KeyError(folder)
        return sorted({*self._models.get(folder, ()), *self._folders.models(folder)})

    def __contains__(self, class_type: object) -> bool:
        return class_type in self._classes

    def __getitem__(self, class_type: str) -> dict[str, Any]:
        """One class as `/object_info/{class}` tells it; KeyError if unknown."""
        info: dict[str, Any] = self._classes[class_type]
        file_input = FILE_INPUTS.get(class_type)
        model_inputs = self._model_inputs[class_type]
        if not file_input and not model_inputs:
            return info
        info = copy.deepcopy(info)
        for section, name, folder in model_inputs:
            options = combo_options(info["input"][section][name])
            if options is not None:
                options[:0] = self.models(folder)
        if file_input:
            options = combo_options(info["input"]["required"][file_input])
            if options is not None:
                offered = self._folders.inputs()
                latents = [name for name in offered if name.endswith(".latent")]
                options[:] = latents if class_type == "LoadLatent" else offered
        return info

    def all(self) -> dict[str, Any]:
        return {name: self[name] for name in self._classes}

    def is_output(self, class_type: str) -> bool:
        return bool(self._classes[class_type]["output_node"])


def _model_inputs(class_type: str, info: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The inputs that list model files: (section, name, folder)."""
    found = []
    for name, (section, spec) in inputs_of(info).items():
        folder = _FOLDER_OF_NODE_INPUT.get((class_type, name)) or _FOLDER_OF_INPUT.get(name)
        if folder and combo_options(spec) is not None:
            found.append((section, name, folder))
    return found


def inputs_of(info: dict[str, Any]) -> dict[str, tuple[str, list[Any]]]:
    """A class's inputs in order: name -> (required or optional, its specification)."""
    return {
        name: (section, spec)
        for section in ("required", "optional")
        for name, spec in info["input"].get(section, {}).items()
    }


def combo_options(spec: list[Any]) -> list[Any] | None:
    """The list behind a combo input, in its old form `[[…]]` or new form `["COMBO", {options}]`."""
    if spec and isinstance(spec[0], list):
        return spec[0]
    if spec and spec[0] == "COMBO" and len(spec) > 1:
        options = spec[1].get("options")
        return options if isinstance(options, list) else None
    return None
