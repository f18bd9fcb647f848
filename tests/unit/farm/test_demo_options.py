"""What the demo is asked by environment variables."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from farm.demo.errors import DemoError
from farm.demo.options import Options, check_comfyui
from farm.demo.ports import choose


def test_nothing_set_means_keep_serving_with_stand_ins_and_our_own_broker() -> None:
    options = Options.read({})
    assert (options.leave, options.comfyui_url, options.redis_url) == (False, "", "")
    assert options.folder.parts[-2:] == ("var", "demo")


def test_a_password_in_redis_url_is_not_shown() -> None:
    assert "hunter2" not in repr(Options.read({"REDIS_URL": "redis://:hunter2@broker:6379/0"}))


@pytest.mark.parametrize(
    ("name", "value"), [("DEMO_EXIT", "yes"), ("REDIS_URL", "http://broker"), ("REDIS_URL", "broker:6379")]
)
def test_a_senseless_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(DemoError, match=name):
        Options.read({name: value})


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "localhost:8188", "ftp://127.0.0.1", "http://"])
def test_an_unreachable_comfyui_is_named_with_variable_and_value(url: str) -> None:
    with pytest.raises(DemoError, match="COMFYUI_URL") as caught:
        check_comfyui(url)
    assert repr(url) in str(caught.value)


@pytest.fixture
def server_saying() -> Iterator[dict[str, object]]:
    said: dict[str, object] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(said["body"]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        said["url"] = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield said
        server.shutdown()
        thread.join()


def test_something_else_at_comfyui_url_is_told_apart(server_saying: dict[str, object]) -> None:
    server_saying["body"] = ["hello"]
    with pytest.raises(DemoError, match="not ComfyUI"):
        check_comfyui(str(server_saying["url"]))


def test_a_server_that_answers_system_stats_is_accepted(server_saying: dict[str, object]) -> None:
    server_saying["body"] = {"system": {}, "devices": []}
    check_comfyui(str(server_saying["url"]))


def test_a_taken_port_is_replaced_by_a_free_one(server_saying: dict[str, object]) -> None:
    busy = int(str(server_saying["url"]).rpartition(":")[2])
    taken: set[int] = set()
    port = choose(busy, taken=taken)
    assert port != busy
    assert taken == {port}
