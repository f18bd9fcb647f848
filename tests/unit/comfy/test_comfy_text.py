"""ComfyUI's JSON may hold what UTF-8 and PostgreSQL refuse; it is taken out where it is read."""

from __future__ import annotations

import io
import json

import pytest
import requests

from workers.comfy.errors import BadAnswer, ComfyError, ConnectionCut
from workers.comfy.stats import read_stats
from workers.comfy.text import NAME_LIMIT, TEXT_LIMIT, beginning, ending
from workers.comfy.wire import Wire, json_list, json_object

EUC_KR = "\udcb0\udca1.safetensors"
"""A file name as Python lists it on Linux, and as ComfyUI's JSON gives it."""


def answer(body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = 200, "http://127.0.0.1:8188/models/loras"
    response.raw = io.BytesIO(body)
    return response


def test_lone_surrogates_and_nul_characters_do_not_come_in() -> None:
    said = {EUC_KR: [{"message": f"Invalid\0 file {EUC_KR}"}], "그림": "😀"}

    body = json_object(answer(json.dumps(said).encode()))

    assert body == {
        "\ufffd\ufffd.safetensors": [{"message": "Invalid file \ufffd\ufffd.safetensors"}],
        "그림": "😀",
    }
    json.dumps(body, ensure_ascii=False).encode()


def test_numbers_that_are_no_json_do_not_come_in() -> None:
    assert json_list(answer(b"[NaN, Infinity, 1e999, 1.5]")) == [None, None, None, 1.5]


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"[" + b"9" * 5_000 + b"]"])
def test_what_cannot_be_read_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer, match="answered no JSON"):
        json_list(answer(body))


def test_a_body_that_is_not_coded_as_it_says_is_a_cut_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: object, **__: object) -> requests.Response:
        raise requests.exceptions.ContentDecodingError("not gzip")

    monkeypatch.setattr(requests.Session, "request", send)

    with pytest.raises(ConnectionCut, match="not gzip"):
        Wire("http://127.0.0.1:8188", timeout_s=5).get("/queue")


def test_an_errors_texts_are_clean_and_bounded() -> None:
    error = ComfyError(EUC_KR * 1000, node_id="n" * 999, exception_type="\0", detail="x" * 9000 + "end\0")

    failure = error.to_failure()

    assert len(failure.message) == TEXT_LIMIT
    assert len(failure.node_id) == NAME_LIMIT
    assert (failure.exception_type, failure.detail[-4:]) == ("", "xend")
    (str(error) + failure.message).encode()


def test_a_message_keeps_its_beginning_and_a_traceback_its_end() -> None:
    assert (beginning("abcdef", 4), ending("abcdef", 4)) == ("abc…", "cdef")
    assert (beginning("abcd", 4), ending("abcd", 4)) == ("abcd", "abcd")


@pytest.mark.parametrize(
    ("stats", "field"),
    [
        ({"system": None, "devices": []}, r"\$\.system"),
        ({"system": {}, "devices": None}, r"\$\.devices"),
        ({"system": {}, "devices": [7]}, r"\$\.devices\[0\]"),
        ({"system": {}, "devices": [{"vram_total": "24 GB"}]}, r"\$\.devices\[0\]\.vram_total"),
        ({"system": {}, "devices": [{"vram_total": 10**30}]}, r"\$\.devices\[0\]\.vram_total"),
        ({"system": {}, "devices": [{"index": -1}]}, r"\$\.devices\[0\]\.index"),
        ({}, "system"),
    ],
)
def test_system_stats_of_an_odd_shape_name_the_field(stats: object, field: str) -> None:
    with pytest.raises(BadAnswer, match=field):
        read_stats(stats)
