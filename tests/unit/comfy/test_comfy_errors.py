"""The error tree carries decisions and travels as a Failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.contracts import Failure, FailureClass
from workers.comfy import errors
from workers.comfy.client import ComfyClient
from workers.comfy.errors import ComfyError, OutOfMemory


def _tree(root: type[ComfyError]) -> Iterator[type[ComfyError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in _tree(ComfyError)]

    assert len(codes) == len(set(codes)) > 20


def test_every_error_stands_in_the_drawn_tree() -> None:
    assert errors.__doc__ is not None
    assert [error.__name__ for error in _tree(ComfyError) if error.__name__ not in errors.__doc__] == []


def test_an_error_travels_as_a_failure_in_comfyuis_words() -> None:
    error = OutOfMemory("Allocation on device", node_id="3", node_type="KSampler", detail="x" * 9000 + "end")

    failure = error.to_failure()

    assert failure == Failure(
        failure_class=FailureClass.OUT_OF_MEMORY,
        code="out_of_memory",
        message="Allocation on device",
        node_id="3",
        node_type="KSampler",
        detail=failure.detail,
    )
    assert failure.detail.endswith("end")
    assert len(failure.detail) < 9000


@pytest.mark.parametrize(
    ("base_url", "client_id", "timeout_s", "words"),
    [
        ("127.0.0.1:8188", "a", 10.0, "base_url '127.0.0.1:8188'"),
        ("ftp://host", "a", 10.0, "base_url 'ftp://host'"),
        ("http://host:8188", "", 10.0, "client_id is empty"),
        ("http://host:8188", "a", 1.0, "timeout_s 1.0: expected at least 5"),
    ],
)
def test_a_client_that_cannot_work_is_refused_with_the_remedy(
    base_url: str, client_id: str, timeout_s: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        ComfyClient(base_url, client_id=client_id, timeout_s=timeout_s)


def test_a_prompt_id_that_comfyui_would_refuse_is_refused_here() -> None:
    client = ComfyClient("http://127.0.0.1:1", client_id="a")

    with pytest.raises(ValueError, match="lower-case UUID"):
        client.submit({}, "0812D169-D549-4D6C-B46C-947193F639E6")
