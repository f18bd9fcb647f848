"""The stage on which a recording is heard: one server, one client, and the words for what it learnt."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.integration.comfy.recorded_server import TERMINAL, Exchange, Message, RecordedComfy, Script
from workers.comfy.client import ComfyClient
from workers.comfy.errors import ComfyError, GraphRejected, Problem
from workers.comfy.follow import Finished, follow
from workers.comfy.outputs import OutputFile
from workers.comfy.progress import ProgressSocket
from workers.comfy.standing import Ending, Standing

Recording = dict[str, Any]

_CHANGING: Final = re.compile(
    r"^ComfyUI( at 127\.0\.0\.1:\d+)?|^outputs\.3\.images\.|/?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
"""What many errors begin with, and ids that are new each time."""

FASTER: Final = 20.0
"""The follower's clock against ours: its two seconds of silence pass in a tenth."""


class Listener:
    """Checks that progress never falls."""

    def __init__(self) -> None:
        self.fraction = 0.0
        self.begun = False

    def queued(self) -> None:
        assert not self.begun

    def started(self) -> None:
        assert not self.begun
        self.begun = True

    def cached(self, nodes: tuple[str, ...]) -> None:
        pass

    def progress(self, fraction: float, doing: str) -> None:
        assert fraction >= self.fraction
        self.fraction = fraction


@dataclass
class Stage:
    """A server, a client and whether ``/api/jobs`` is there."""

    server: RecordedComfy
    client: ComfyClient
    has_jobs: bool

    def put_on(self, **script: Any) -> None:
        self.server.play(Script(has_jobs=self.has_jobs, **script))

    def told(self, door: Callable[..., object], *said: Any, **more: Any) -> str:
        """What a door gave when asked, or the error it raised, in words."""
        try:
            return words(door(*said, **more))
        except ComfyError as error:
            return error_words(error)

    def follow(self, prompt_id: str, graph: object, *, hang_s: float = 1e6) -> Finished:
        """Submit and follow as a worker does, by a faster clock."""
        graph = graph if isinstance(graph, dict) else {}
        listener = Listener()
        with ProgressSocket(self.client, prompt_id) as socket:
            self.client.submit(graph, prompt_id)
            finished = follow(
                self.client,
                prompt_id,
                socket=socket,
                graph=graph,
                listener=listener,
                should_stop=lambda: False,
                execution_timeout_s=1e6,
                hang_s=hang_s,
                interrupt_s=4.0,
                lost_s=1e6,
                clock=lambda: time.monotonic() * FASTER,
            )
        assert (listener.begun, listener.fraction) == (True, 1.0)
        return finished


def says(body: object, status: int = 200) -> Exchange:
    """An exchange of which only the answer's body is recorded."""
    return {"status": status, "headers": {}, "body": body}


def accepts(prompt_id: str) -> Exchange:
    """The answer to a good prompt."""
    return says({"prompt_id": prompt_id, "number": 0, "node_errors": {}})


def derived_entry(messages: list[Message]) -> dict[str, Any]:
    """The history that follows from messages, where a recording holds none."""
    texts = [message["text"] for message in messages if "text" in message]
    ends = [[text["type"], text["data"]] for text in texts if text["type"] in TERMINAL]
    shown = [text["data"] for text in texts if text["type"] == "executed"]
    success = not ends or ends[-1][0] == "execution_success"
    return {
        "outputs": {data["node"]: data["output"] for data in shown},
        "status": {"status_str": "success" if success else "error", "messages": ends},
    }


def words(value: object) -> str:
    match value:
        case Finished(outputs=files) | Standing(error=None, ending=Ending.SUCCEEDED, outputs=files):
            words = [file_words(file) for file in files]
            if len(words) < 2:
                return f"succeeded: {words[0] if words else 'no file'}"
            return "\n".join([f"succeeded: {len(words)} files", *words])
        case Standing(error=ComfyError() as error):
            return error_words(error)
        case Standing():
            return str(value.state)
        case None:
            return "accepted"
        case _:
            return str(value)


def file_words(file: OutputFile) -> str:
    odd = "" if file.listed_under in (f"{file.kind}s", file.kind) else f" under {file.listed_under}"
    path = f"{file.subfolder}/{file.filename}" if file.subfolder else file.filename
    return f"{file.kind} {path} of #{file.node_id}{odd}"


def error_words(error: ComfyError) -> str:
    name, failure_class = type(error).__name__, error.failure_class
    if isinstance(error, GraphRejected):
        return "\n".join([f"{name} → {failure_class}", *map(_problem_words, error.problems)])
    if error.node_type:
        why = f"{error.exception_type.rpartition('.')[2] or 'stopped'} at #{error.node_id} {error.node_type}"
    else:
        why = " ".join(_CHANGING.sub("", error.message.partition("; ")[0]).split())
    return f"{name} ({why}) → {failure_class}"


def _problem_words(problem: Problem) -> str:
    where = f" at #{problem.node_id} {problem.node_type}" if problem.node_id else ""
    return f"{problem.kind}{where}" + (f".{problem.input_name}" if problem.input_name else "")
