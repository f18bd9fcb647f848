"""What a worker tells of its ComfyUI's whole node catalogue."""

from __future__ import annotations

import copy
from typing import Any

from farm.contracts import unpack_catalogue
from workers.catalogue import read_catalogue
from workflows.catalogue import recorded


def _told(object_info: dict[str, Any]) -> dict[str, Any]:
    whole = read_catalogue(object_info, {}, {}).whole
    assert whole is not None
    return unpack_catalogue(whole.packed)


def test_it_is_told_whole() -> None:
    told = _told(dict(recorded()))
    assert told["KSampler"] == recorded()["KSampler"]
    assert told.keys() == recorded().keys()


def test_an_upload_does_not_make_it_another_and_a_model_does() -> None:
    before, uploaded, model = (copy.deepcopy(dict(recorded())) for _ in range(3))
    uploaded["LoadImage"]["input"]["required"]["image"][0].append("a1b2.png")
    uploaded["LoadVideo"]["input"]["required"]["file"][1]["options"].append("a1b2.mp4")
    model["VAELoader"]["input"]["required"]["vae_name"][0].append("ae.safetensors")
    assert _told(uploaded) == _told(before)
    assert _told(model) != _told(before)
    assert uploaded["LoadImage"]["input"]["required"]["image"][0][-1] == "a1b2.png"  # as it was read


def test_a_catalogue_beyond_all_bounds_is_not_told() -> None:
    assert read_catalogue({str(index): {} for index in range(20_001)}, {}, {}).whole is None
