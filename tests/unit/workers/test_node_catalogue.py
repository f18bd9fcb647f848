"""What a node reads from ComfyUI's catalogue: which inputs name model files, which custom nodes there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workers.catalogue import Catalogue, read_catalogue
from workers.comfysim.catalogue import DEFAULT_MODELS
from workers.comfysim.catalogue import Catalogue as SimulatedCatalogue
from workers.comfysim.files import Folders
from workers.comfysim.versions import VERSIONS

FP8 = "flux1-dev-fp8.safetensors"


def offered(folder: Path, version: str, models: dict[str, list[str]] | None = None) -> Catalogue:
    """Read the recorded catalogue of a real server that has these models."""
    known = VERSIONS[version].recorded()["model_folders"]
    has = models or {folder: names for folder, names in DEFAULT_MODELS.items() if folder in known}
    recorded = SimulatedCatalogue(has, Folders(folder), VERSIONS[version], test_nodes=True)
    return read_catalogue(recorded.all(), {name: tuple(files) for name, files in has.items()}, {})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_name_that_stands_in_two_folders_counts_in_the_one_its_loader_reads(
    tmp_path: Path, version: str
) -> None:
    catalogue = offered(tmp_path, version)
    graph = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": FP8}},
        "2": {"class_type": "UNETLoader", "inputs": {"unet_name": FP8, "weight_dtype": "default"}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["1", 1]}},
        "4": {
            "class_type": "DualCLIPLoader",
            "inputs": {
                "clip_name1": "clip_l.safetensors",
                "clip_name2": "t5xxl_fp16.safetensors",
                "type": "flux",
            },
        },
    }

    assert catalogue.files_by_node(graph) == {
        "1": (f"checkpoints/{FP8}",),
        "2": (f"diffusion_models/{FP8}",),
        "4": ("text_encoders/clip_l.safetensors", "text_encoders/t5xxl_fp16.safetensors"),
    }


def test_a_custom_loaders_own_structure_is_searched_for_names(tmp_path: Path) -> None:
    catalogue = offered(tmp_path, "0.27.0", {"loras": ["styles\\noir.safetensors", "b.safetensors"]})
    node = {
        "class_type": "Power Lora Loader",
        "inputs": {"lora_1": {"on": True, "lora": "styles/noir.safetensors", "strength": 1.0}},
    }

    assert catalogue.files_of(node) == ("loras/styles/noir.safetensors",)


@pytest.mark.parametrize("version", VERSIONS)
def test_custom_nodes_are_named_with_a_hash_that_new_model_files_do_not_change(
    tmp_path: Path, version: str
) -> None:
    before = offered(tmp_path, version, {"checkpoints": ["a.safetensors"]}).capabilities
    after = offered(tmp_path, version, {"checkpoints": ["a.safetensors", "b.safetensors"]}).capabilities

    assert len(before.custom_nodes) == 1, "the recorded servers had one package of their own"
    assert before.custom_nodes == after.custom_nodes
    assert before.fingerprint != after.fingerprint


def pack(**inputs: Any) -> dict[str, Any]:
    """One class of a package."""
    return {
        "Foo": {
            "python_module": "custom_nodes.ComfyUI-Foo",
            "input": {"required": inputs},
            "output": ["IMAGE"],
        }
    }


def test_a_package_that_offers_something_else_has_another_hash() -> None:
    read = [
        read_catalogue(info, {}, {}).capabilities.custom_nodes
        for info in (
            pack(image=["IMAGE"], strength=["FLOAT", {"max": 1.0}]),
            pack(image=["IMAGE"], strength=["FLOAT", {"max": 2.0}]),
            pack(image=["IMAGE"], strength=["FLOAT", {"max": 1.0}], file=[["a.png"]]),
            pack(image=["IMAGE"], strength=["FLOAT", {"max": 1.0}], file=[["a.png", "b.png"]]),
        )
    ]

    assert {name for found in read for name in found} == {"ComfyUI-Foo"}
    hashes = [found["ComfyUI-Foo"] for found in read]
    assert len(set(hashes[:3])) == 3
    assert hashes[2] == hashes[3]


@pytest.mark.parametrize(
    "info", [None, [], {"input": None}, {"input": {"required": []}}, {"input": {"a": 1}}]
)
def test_a_class_of_an_odd_shape_is_a_class_without_inputs(info: object) -> None:
    catalogue = read_catalogue({"Odd": info}, {"vae": ("ae.safetensors",)}, {})

    assert catalogue.capabilities.classes == ("Odd",)
    assert catalogue.loaders == {}


def test_the_source_of_custom_nodes_is_no_model_file() -> None:
    listed = {"custom_nodes": ("foo/__pycache__/nodes.cpython-311.pyc",), "vae": ("ae.safetensors",)}

    assert read_catalogue({}, listed, {}).capabilities.models == {"vae": ("ae.safetensors",)}
