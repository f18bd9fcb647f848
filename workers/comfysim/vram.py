"""Simulated GPU memory: what models take, what a render needs, which models are resident.

Sizes are the rounded sizes of the published files, in GB (FLUX.1 in bf16: of the 23.8 GB, what stays on
a 24 GB card). A render needs its largest diffusion model, a fixed 0.8 GB, and working memory that grows
with the picture: 1.5 GB for each megapixel of a still, 0.15 GB for each megapixel of each video frame,
which meets the 20.2 GB that ComfyUI's own Wan 2.2 template reports. So (need, smallest card):

| render                               | need    | card  |
|--------------------------------------|---------|-------|
| SD 1.5, 512 x 512                    | 3.3 GB  | 8 GB  |
| SDXL, 1024 x 1024                    | 7.5 GB  | 8 GB  |
| FLUX.1 fp8, 1024 x 1024              | 14.3 GB | 16 GB |
| FLUX.1 bf16, 1024 x 1024             | 23.8 GB | 24 GB |
| FLUX.2 klein 4B, 1360 x 768          | 9.6 GB  | 12 GB |
| Qwen-Image fp8, 1664 x 928           | 22.1 GB | 24 GB |
| Wan 2.2 14B fp8, 640 x 640 x 81      | 20.1 GB | 24 GB |
| Wan 2.2 14B fp8, 1280 x 720 x 81     | 26.3 GB | 32 GB |
"""

from __future__ import annotations

import re
from collections import OrderedDict
from threading import Lock

from workers.comfysim.values import Latent, Symbol

_FILE_GB = (
    (r"(^|[-_.])(vae|ae)([_.]|$)", 0.3),
    (r"controlnet", 3.5),
    (r"esrgan", 0.1),
    (r"(telestyle|lightning)", 0.8),
    (r"qwen_image.*fp8", 19.0),
    (r"qwen_image", 38.1),
    (r"qwen_2\.5_vl_7b.*fp8", 8.7),
    (r"qwen_3_4b", 7.5),
    (r"flux-2-klein-4b", 7.2),
    (r"svi_v2_pro.*lora", 1.2),
    (r"wan2.*animate.*fp8", 17.1),
    (r"wan2.*animate", 34.6),
    (r"ltx-2-19b.*fp8", 27.1),
    (r"ltx-2-19b", 43.3),
    (r"hunyuanvideo1\.5", 16.7),
    (r"gemma_3_12b.*fp4", 9.4),
    (r"rife", 0.1),
    (r"wan2.*14b.*fp8", 14.3),
    (r"wan2.*14b", 28.6),
    (r"wan2.*5b", 10.0),
    (r"wan2.*1\.3b", 2.8),
    (r"lora", 0.3),
    (r"flux.*fp8", 11.9),
    (r"flux", 21.4),
    (r"umt5_xxl.*fp8", 6.7),
    (r"umt5_xxl", 11.4),
    (r"t5xxl.*fp8", 4.9),
    (r"t5xxl", 9.8),
    (r"clip_vision", 1.3),
    (r"clip_l", 0.2),
    (r"(sd_?xl|xl_base)", 5.1),
    (r"(v1-5|sd_?15)", 2.1),
)
_UNKNOWN_FILE_GB = 4.0

_FILE_BYTES = {
    "ae.safetensors": 335_304_388,
    "byt5_small_glyphxl_fp16.safetensors": 438_643_184,
    "clip_l.safetensors": 246_144_152,
    "clip_vision_h.safetensors": 1_264_219_396,
    "flux-2-klein-4b.safetensors": 7_751_105_712,
    "flux1-dev.safetensors": 23_802_932_552,
    "flux2-vae.safetensors": 336_213_556,
    "hunyuanvideo15_vae_fp16.safetensors": 2_521_292_758,
    "qwen_2.5_vl_7b_fp8_scaled.safetensors": 9_384_670_680,
    "qwen_3_4b.safetensors": 8_044_982_048,
    "qwen_image_vae.safetensors": 253_806_246,
    "RealESRGAN_x4plus.safetensors": 66_857_836,
    "rife_v4.26.safetensors": 22_674_688,
    "sd_xl_base_1.0.safetensors": 6_938_078_334,
    "sigclip_vision_patch14_384.safetensors": 856_505_640,
    "t5xxl_fp16.safetensors": 9_787_841_024,
    "t5xxl_fp8_e4m3fn_scaled.safetensors": 5_157_348_688,
    "umt5_xxl_fp8_e4m3fn_scaled.safetensors": 6_735_906_897,
    "v1-5-pruned-emaonly-fp16.safetensors": 2_132_696_762,
    "wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors": 14_294_742_832,
    "wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors": 14_294_742_832,
    "wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors": 14_293_923_632,
    "wan2.2_t2v_low_noise_14B_fp8_scaled.safetensors": 14_293_923_632,
    "Wan2_2-Animate-14B_fp8_e4m3fn_scaled_KJ.safetensors": 18_401_760_586,
    "wan_2.1_vae.safetensors": 253_815_318,
}
"""Exactly, of files that manifests know by their size: a stand-in has those, and no others of their name."""

_FIXED_GB = 0.8
_STILL_GB_PER_MEGAPIXEL = 1.5
_VIDEO_GB_PER_MEGAPIXEL_FRAME = 0.15
_GB = 1024**3

OOM_TIPS = (
    "This error means you ran out of memory on your GPU.\n\n"
    "TIPS: If the workflow worked before you might have accidentally set the batch_size to a large number."
)


class OutOfMemoryError(RuntimeError):
    """Named as PyTorch names it, because clients recognise the class name."""


OutOfMemoryError.__module__ = "torch"


def out_of_memory(gb: float) -> OutOfMemoryError:
    return OutOfMemoryError(f"CUDA out of memory. Tried to allocate {gb:.2f} GiB. (simulated)")


def file_gb(name: str, *, half: bool = False) -> float:
    """The GB a model file takes on the card; `half` for weights cast to fp8 while loading."""
    lowered = name.lower()
    size = next((gb for pattern, gb in _FILE_GB if re.search(pattern, lowered)), _UNKNOWN_FILE_GB)
    return size / 2 if half and "fp8" not in lowered else size


def file_bytes(name: str) -> int:
    """The bytes of a model file on the disk it does not lie on."""
    return _FILE_BYTES.get(name, int(file_gb(name) * _GB))


def need_gb(model: Symbol, latent: Latent) -> float:
    """The peak GB of sampling `latent` with `model`; the table above says where the figures come from."""
    weights = max((file_gb(name, half=model.half) for name in model.files), default=0.0)
    megapixels = latent.width * latent.height / 1e6 * latent.batch
    if latent.is_video:
        return weights + _FIXED_GB + _VIDEO_GB_PER_MEGAPIXEL_FRAME * megapixels * latent.frames
    return weights + _FIXED_GB + _STILL_GB_PER_MEGAPIXEL * megapixels


class ModelPool:
    """The models resident on the card; the longest unused leave when room is needed."""

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._resident: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def take(self, symbol: Symbol) -> list[str]:
        """Make a symbol's files resident; return those that had to be loaded."""
        loaded = []
        with self._lock:
            for name in symbol.files:
                if name in self._resident:
                    self._resident.move_to_end(name)
                    continue
                self._resident[name] = int(file_gb(name, half=symbol.half) * _GB)
                loaded.append(name)
                self._make_room(keep=name)
        return loaded

    def _make_room(self, keep: str) -> None:
        while self._total and sum(self._resident.values()) > self._total:
            oldest = next(iter(self._resident))
            if oldest == keep:
                return
            del self._resident[oldest]

    def unload(self) -> None:
        with self._lock:
            self._resident.clear()

    @property
    def free_bytes(self) -> int:
        with self._lock:
            return max(0, self._total - sum(self._resident.values()))
