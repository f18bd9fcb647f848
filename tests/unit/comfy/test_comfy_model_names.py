"""Model names are written as the node's own system lists them."""

from __future__ import annotations

from workers.comfy.model_names import fit_model_names

WINDOWS = {"loras": ("noir\\rain.safetensors", "plain.safetensors"), "vae": ("flux\\ae.safetensors",)}
LINUX = {"loras": ("noir/rain.safetensors", "plain.safetensors")}


def _lora(name: str) -> dict[str, object]:
    return {
        "1": {"class_type": "LoraLoader", "inputs": {"lora_name": name, "model": ["2", 0], "strength": 0.8}}
    }


def test_slashes_become_what_a_windows_node_lists() -> None:
    assert fit_model_names(_lora("noir/rain.safetensors"), WINDOWS) == _lora("noir\\rain.safetensors")


def test_backslashes_become_what_a_linux_node_lists() -> None:
    assert fit_model_names(_lora("noir\\rain.safetensors"), LINUX) == _lora("noir/rain.safetensors")


def test_a_name_the_node_lists_stays() -> None:
    assert fit_model_names(_lora("plain.safetensors"), WINDOWS) == _lora("plain.safetensors")


def test_a_name_the_node_does_not_list_stays_for_its_validation_to_refuse() -> None:
    assert fit_model_names(_lora("noir/fog.safetensors"), WINDOWS) == _lora("noir/fog.safetensors")


def test_the_given_graph_is_not_changed() -> None:
    graph = _lora("noir/rain.safetensors")
    fit_model_names(graph, WINDOWS)

    assert graph == _lora("noir/rain.safetensors")
