"""What the client makes of cut, slow and odd connections."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import pytest

from tests.comfysim_fixture import free_port
from tests.integration.comfy.scripted_server import Answer, Handler, ScriptedServer, cuts, says, stalls
from workers.comfy import client as client_module
from workers.comfy import wire as wire_module
from workers.comfy.client import ComfyClient
from workers.comfy.errors import (
    BadAnswer,
    ConnectionCut,
    OutputMissing,
    OutputsDropped,
    SlowAnswer,
    Unreachable,
    UploadRefused,
)
from workers.comfy.outputs import OutputFile
from workers.comfy.progress import ProgressSocket
from workers.comfy.standing import State

PROMPT = "5f3028af-b63f-495b-ae1e-14ccabc58a9d"
JOB = f"/api/jobs/{PROMPT}"
ACCEPTED = {"prompt_id": PROMPT, "number": 1, "node_errors": {}}
NO_JOB = says({"error": "Job not found"}, 404)
ITEM = [1, PROMPT, {}, {}, []]
FILE = OutputFile(
    node_id="9", listed_under="images", filename="a.png", subfolder="", folder="output", kind="image"
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setattr(client_module, "SETTLE_S", 0.05)
    monkeypatch.setattr(client_module, "SETTLE_STEP_S", 0.01)
    monkeypatch.setattr(wire_module, "LEAST_READ_TIMEOUT_S", 0.1)
    server = ScriptedServer()
    yield server
    server.stop()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[ComfyClient]:
    client = ComfyClient(server.url, client_id="a", timeout_s=0.3)
    yield client
    client.close()


def _queue(*, running: list[object] | None = None, pending: list[object] | None = None) -> dict[str, object]:
    return {"queue_running": running or [], "queue_pending": pending or []}


def test_a_cut_post_that_comfyui_took_is_not_sent_again(server: ScriptedServer, client: ComfyClient) -> None:
    server.script = {"POST /prompt": [cuts], f"GET {JOB}": [NO_JOB, says({"status": "pending"})]}

    client.submit({}, PROMPT)

    assert server.count("POST /prompt") == 1


def test_a_cut_post_that_comfyui_never_saw_is_sent_again_once(
    server: ScriptedServer, client: ComfyClient
) -> None:
    server.script = {
        "POST /prompt": [cuts, says(ACCEPTED)],
        f"GET {JOB}": [NO_JOB],
        "GET /queue": [says(_queue(pending=[ITEM]))],
    }

    client.submit({}, PROMPT)

    assert server.count("POST /prompt") == 2
    assert server.count("POST /queue") == 0


def test_a_post_cut_twice_is_given_up(server: ScriptedServer, client: ComfyClient) -> None:
    server.script = {"POST /prompt": [cuts], f"GET {JOB}": [NO_JOB]}

    with pytest.raises(ConnectionCut):
        client.submit({}, PROMPT)

    assert server.count("POST /prompt") == 2


def test_a_post_that_surfaces_after_it_was_sent_again_is_taken_back(
    server: ScriptedServer, client: ComfyClient
) -> None:
    deleted: list[object] = []

    def delete(handler: Handler) -> None:
        deleted.append(handler.body)
        handler.bytes(b"")

    server.script = {
        "POST /prompt": [cuts, says(ACCEPTED)],
        f"GET {JOB}": [NO_JOB],
        "GET /queue": [says(_queue(running=[ITEM], pending=[ITEM]))],
        "POST /queue": [delete],
    }

    client.submit({}, PROMPT)

    assert deleted == [{"delete": [PROMPT]}]


def test_a_post_without_an_answer_is_looked_up_before_anything_else(
    server: ScriptedServer, client: ComfyClient
) -> None:
    release = threading.Event()
    server.script = {
        "POST /prompt": [stalls(release)],
        f"GET {JOB}": [says({"status": "in_progress"})],
    }

    client.submit({}, PROMPT)
    release.set()

    assert server.requests == ["POST /prompt", f"GET {JOB}"]


def test_a_gateways_error_page_is_as_ambiguous_as_a_cut(server: ScriptedServer, client: ComfyClient) -> None:
    server.script = {"POST /prompt": [says("bad gateway", 502)], f"GET {JOB}": [says({"status": "pending"})]}

    client.submit({}, PROMPT)

    assert server.count("POST /prompt") == 1


def test_a_stall_as_comfyui_has_them_is_waited_out(server: ScriptedServer) -> None:
    stalled = threading.Event()

    def stall(handler: Handler) -> None:
        stalled.wait(0.5)
        handler.json(_queue(running=[ITEM]))

    server.script = {"GET /queue": [stall]}

    assert ComfyClient(server.url, client_id="a").queue().running == (PROMPT,)


def test_a_server_that_says_nothing_is_slow(server: ScriptedServer, client: ComfyClient) -> None:
    release = threading.Event()
    server.script = {"GET /queue": [stalls(release)]}

    with pytest.raises(SlowAnswer, match=r"no answer within 0\.3 s"):
        client.queue()
    release.set()


def test_nobody_at_the_address_is_unreachable_and_nothing_was_sent() -> None:
    client = ComfyClient(f"http://127.0.0.1:{free_port()}", client_id="a")

    with pytest.raises(Unreachable) as refused:
        client.submit({}, PROMPT)

    assert not isinstance(refused.value, ConnectionCut)
    with ProgressSocket(client, PROMPT) as socket:
        assert (socket.is_open, socket.next(0.01)) == (False, None)


def test_an_answer_that_is_no_json_is_named(server: ScriptedServer, client: ComfyClient) -> None:
    server.script = {"GET /queue": [lambda handler: handler.bytes(b"<html>login</html>")]}

    with pytest.raises(BadAnswer) as refused:
        client.queue()

    assert "/queue answered no JSON" in refused.value.message
    assert refused.value.detail == "<html>login</html>"


def test_accepted_with_dropped_outputs_is_a_failure_and_is_cancelled(
    server: ScriptedServer, client: ComfyClient
) -> None:
    problem = {"type": "required_input_missing", "message": "Required input is missing", "details": "images"}
    errors = {"9": {"class_type": "SaveImage", "errors": [problem]}}
    server.script = {
        "POST /prompt": [says({**ACCEPTED, "node_errors": errors})],
        f"POST {JOB}/cancel": [says({"cancelled": True})],
        f"GET {JOB}": [NO_JOB],
    }

    with pytest.raises(OutputsDropped, match="SaveImage #9: Required input is missing"):
        client.submit({}, PROMPT)

    assert server.count(f"POST {JOB}/cancel") == 1


def test_dropped_outputs_are_told_even_if_the_cancel_gets_no_answer(
    server: ScriptedServer, client: ComfyClient
) -> None:
    errors = {"9": {"class_type": "SaveImage", "errors": [{"type": "x", "message": "no"}]}}
    server.script = {
        "POST /prompt": [says({**ACCEPTED, "node_errors": errors})],
        f"POST {JOB}/cancel": [cuts],
    }

    with pytest.raises(OutputsDropped):
        client.submit({}, PROMPT)

    assert server.count("POST /prompt") == 1


@pytest.mark.parametrize(
    ("queue", "history", "state"),
    [
        (_queue(running=[ITEM]), {}, State.RUNNING),
        (_queue(pending=[ITEM]), {}, State.PENDING),
        (_queue(), {PROMPT: {"status": {"status_str": "success"}, "outputs": {}}}, State.DONE),
        (_queue(), {}, State.UNKNOWN),
    ],
)
def test_without_the_jobs_route_the_queue_is_asked_before_history(
    server: ScriptedServer,
    client: ComfyClient,
    queue: dict[str, object],
    history: dict[str, object],
    state: State,
) -> None:
    server.script = {"GET /queue": [says(queue)], f"GET /history/{PROMPT}": [says(history)]}

    assert client.lookup(PROMPT).state is state
    assert client.lookup(PROMPT).state is state
    assert server.count(f"GET {JOB}") == 1, "once is enough"
    asked = [request for request in server.requests if request != f"GET {JOB}"]
    once = (
        ["GET /queue"]
        if state in (State.RUNNING, State.PENDING)
        else ["GET /queue", f"GET /history/{PROMPT}"]
    )
    assert asked == once + once


@pytest.mark.parametrize(
    ("running", "interrupts"), [([ITEM], 1), ([[2, "somebody else's", {}, {}, []]], 0), ([], 0)]
)
def test_without_the_jobs_route_only_this_very_prompt_is_interrupted(
    server: ScriptedServer, client: ComfyClient, running: list[object], interrupts: int
) -> None:
    server.script = {
        "GET /queue": [says(_queue(running=running))],
        "POST /queue": [lambda handler: handler.bytes(b"")],
        "POST /interrupt": [lambda handler: handler.bytes(b"")],
        f"GET /history/{PROMPT}": [says({})],
    }

    ended = client.cancel(PROMPT)

    assert server.count("POST /interrupt") == interrupts
    assert ended is not bool(interrupts)


def test_a_refused_upload_names_the_file(server: ScriptedServer, client: ComfyClient) -> None:
    server.script = {"POST /upload/image": [lambda handler: handler.bytes(b"", 400)]}

    with pytest.raises(UploadRefused, match=r"'in/a\.png' with 400"):
        client.upload("in/a.png", io.BytesIO(b"png"))


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (says({"max_upload_size": 50 << 20}), "no upload above 50 MiB: 'a.mov'"),
        (says({}), "no upload of this size: 'a.mov'"),
        (says("404: Not Found", 404), "no upload of this size: 'a.mov'"),
    ],
)
def test_an_upload_that_is_too_large_is_told_the_limit_and_who_sets_it(
    server: ScriptedServer, client: ComfyClient, features: Answer, words: str
) -> None:
    server.script = {
        "POST /upload/image": [lambda handler: handler.bytes(b"Maximum request body size", 413)],
        "GET /features": [features],
    }

    with pytest.raises(UploadRefused, match=words) as refused:
        client.upload("a.mov", io.BytesIO(b"mov"))

    assert "--max-upload-size" in refused.value.message


def test_a_listed_file_that_is_gone_is_missing(server: ScriptedServer, client: ComfyClient) -> None:
    server.script = {"GET /view": [lambda handler: handler.bytes(b"", 404)]}

    with (
        pytest.raises(OutputMissing, match=r"lists 'a\.png' of node 9 but answers 404"),
        client.open_output(FILE) as chunks,
    ):
        list(chunks)


def test_a_download_that_breaks_off_is_not_taken_for_the_whole_file(
    server: ScriptedServer, client: ComfyClient
) -> None:
    def half(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x" * 500)
        handler.close_connection = True

    server.script = {"GET /view": [half]}

    with pytest.raises(ConnectionCut, match="broke off its answer"), client.open_output(FILE) as chunks:
        list(chunks)
