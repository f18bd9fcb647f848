"""What can be asked of one ComfyUI server."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final
from urllib.parse import quote
from uuid import UUID

import requests

from workers.comfy.errors import (
    BadAnswer,
    ConnectionCut,
    GraphRejected,
    OutputMissing,
    Problem,
    SlowAnswer,
    Unreachable,
    UploadRefused,
)
from workers.comfy.outputs import OutputFile, safe_name, safe_subfolder
from workers.comfy.rejection import outputs_dropped, rejection
from workers.comfy.standing import (
    PENDING,
    RUNNING,
    UNKNOWN,
    Standing,
    State,
    standing_of_history,
    standing_of_job,
)
from workers.comfy.wire import EXCERPT, Wire, decoded, expect_ok, json_list, json_object

logger = logging.getLogger(__name__)

Graph = dict[str, Any]

SETTLE_S: Final = 1.5
"""How long an ambiguous POST may surface before it counts as lost: twice the longest stall seen (730 ms)."""

SETTLE_STEP_S: Final = 0.25
MIB: Final = 1 << 20
CHUNK_BYTES: Final = MIB


@dataclass(frozen=True, kw_only=True)
class Queue:
    """The prompt ids in ComfyUI's queue. A doubled id stands there twice."""

    running: tuple[str, ...]
    pending: tuple[str, ...]


class ComfyClient:
    """One thread's door to one server.

    Give each attempt its own ``client_id``: ComfyUI sends a prompt's events to the newest socket of
    that id alone, and without an id a fully cached prompt lists no outputs.
    """

    def __init__(self, base_url: str, *, client_id: str, timeout_s: float = 10.0) -> None:
        if not client_id:
            raise ValueError("client_id is empty; expected a name of its own for each attempt")
        self.wire = Wire(base_url, timeout_s=timeout_s)
        self.client_id = client_id
        self._has_jobs = True  # until it says otherwise

    def close(self) -> None:
        """Give the connections back."""
        self.wire.close()

    def system_stats(self) -> dict[str, Any]:
        """Return ``/system_stats``: versions, devices with memory in bytes."""
        return json_object(self.wire.get("/system_stats"))

    def object_info(self, node_class: str | None = None) -> dict[str, Any]:
        """Return the node catalogue: one class ({} if not installed), or all (1–2 MB, up to 1 s)."""
        path = f"/object_info/{quote(node_class, safe='')}" if node_class else "/object_info"
        return json_object(self.wire.get(path))

    def models(self, *, as_listed: bool = False) -> dict[str, tuple[str, ...]]:
        """Return the model files by folder. Names have ``/``; ``as_listed`` keeps a server's ``\\``."""
        found: dict[str, tuple[str, ...]] = {}
        for folder in json_list(self.wire.get("/models")):
            response = self.wire.get(f"/models/{quote(str(folder), safe='')}")
            if response.status_code == requests.codes.not_found:
                continue  # listed, but gone since
            names = tuple(str(name) for name in json_list(response))
            found[str(folder)] = names if as_listed else tuple(_plain(name) for name in names)
        return found

    def model_sizes(self, folders: Iterable[str]) -> dict[str, int]:
        """Return the bytes of the model files in these folders, by ``folder/name``; none where not told."""
        sizes: dict[str, int] = {}
        for folder in folders:
            response = self.wire.get(f"/experiment/models/{quote(folder, safe='')}")
            if response.status_code != requests.codes.ok:
                continue  # a version without it
            for file in json_list(response):
                name, size = (file.get("name"), file.get("size")) if isinstance(file, dict) else (None, None)
                if isinstance(name, str) and isinstance(size, int) and size > 0:
                    sizes[f"{folder}/{_plain(name)}"] = size
        return sizes

    def model_folders(self) -> dict[str, tuple[str, ...]]:
        """Return where ComfyUI looks for the files of each model folder, in its order; none if not told."""
        response = self.wire.get("/experiment/models")
        if response.status_code != requests.codes.ok:
            return {}
        told = ((row.get("name"), row.get("folders")) for row in json_list(response) if isinstance(row, dict))
        return {
            name: tuple(path for path in paths if isinstance(path, str))
            for name, paths in told
            if isinstance(name, str) and isinstance(paths, list)
        }

    def queue(self) -> Queue:
        """Return what runs and what waits, whoever queued it."""
        body = json_object(self.wire.get("/queue"))
        return Queue(running=_prompt_ids(body, "queue_running"), pending=_prompt_ids(body, "queue_pending"))

    def upload(self, name: str, data: IO[bytes]) -> str:
        """Upload an input file and return the name to use in LoadImage: ``name`` or ``subfolder/name``.

        ``name`` should contain the content's hash. The returned name differs when a file of that name
        with other bytes is there already. Raises UploadRefused, and what :class:`Wire` raises.
        """
        subfolder, _, filename = name.rpartition("/")
        response = self.wire.post_file(
            "/upload/image", filename, data, {"type": "input", "subfolder": subfolder}
        )
        if response.status_code == requests.codes.request_entity_too_large:
            raise UploadRefused(self._too_large(name), detail=response.text[:EXCERPT])
        if requests.codes.bad_request <= response.status_code < requests.codes.server_error:
            raise UploadRefused(
                f"ComfyUI refused the upload of {name!r} with {response.status_code}",
                detail=response.text[:EXCERPT],
            )
        body = json_object(response)
        stored = safe_name(body.get("name"), field="upload.name")
        folder = safe_subfolder(body.get("subfolder", ""), field="upload.subfolder")
        return f"{folder}/{stored}" if folder else stored

    def upload_limit(self) -> int | None:
        """Return how many bytes ComfyUI takes in one request; None if it does not say."""
        response = self.wire.get("/features")
        limit = _json_or_empty(response).get("max_upload_size")
        return limit if isinstance(limit, int) and limit > 0 else None

    def submit(
        self,
        graph: Graph,
        prompt_id: str,
        *,
        front: bool = False,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        """Queue ``graph`` under ``prompt_id`` (a lower-case UUID, written down by the caller before).

        ``front``: before all that waits. ``secrets``: keys of services for API nodes; ComfyUI keeps them out
        of its history.
        After an ambiguous POST the id is looked up before anything is sent again, and a doubled one is
        taken back: ComfyUI runs an id as often as it is posted. Raises GraphRejected and its kin, and what
        :class:`Wire` raises; after SlowAnswer or ConnectionCut ComfyUI may still hold the prompt: abandon it.
        """
        if str(UUID(prompt_id)) != prompt_id:
            raise ValueError(f"prompt_id {prompt_id!r}: expected a lower-case UUID with hyphens")
        try:
            return self._post_prompt(graph, prompt_id, front=front, secrets=secrets)
        except (SlowAnswer, ConnectionCut) as exc:
            logger.warning("ambiguous submit", extra={"prompt": prompt_id, "error": exc.message})
            if self._surfaces(prompt_id):
                return None
        self._post_prompt(graph, prompt_id, front=front, secrets=secrets)
        self._take_back_double(prompt_id)
        return None

    def lookup(self, prompt_id: str) -> Standing:
        """Tell where a prompt stands, by ``/api/jobs/{id}`` or, where that is missing, queue and history."""
        if not self._has_jobs:
            return self._lookup_without_jobs(prompt_id)
        response = self.wire.get(f"/api/jobs/{prompt_id}")
        if response.status_code == requests.codes.ok:
            return standing_of_job(json_object(response))
        if response.status_code != requests.codes.not_found:
            expect_ok(response)
        if _says_job_not_found(response):
            return UNKNOWN
        self._has_jobs = False
        return self._lookup_without_jobs(prompt_id)

    def withdraw(self, prompt_id: str) -> None:
        """Take the prompt out of the queue if it waits there; one that executes is left alone."""
        expect_ok(self.wire.post("/queue", {"delete": [prompt_id]}))

    def cancel(self, prompt_id: str) -> bool:
        """Take the prompt out of the queue or interrupt it, never another one. Repeat at will.

        Return True if ComfyUI no longer has it pending or running. A running one ends at its node's next
        check for interrupts, so False is the usual first answer.
        """
        response = self.wire.post(f"/api/jobs/{prompt_id}/cancel", {})
        if response.status_code in {requests.codes.not_found, requests.codes.method_not_allowed}:
            self._cancel_without_jobs(prompt_id)
        else:
            expect_ok(response)
        return self.lookup(prompt_id).state in {State.DONE, State.UNKNOWN}

    def abandon(self, prompt_id: str) -> None:
        """Cancel a prompt that will not be followed. No answer changes nothing: its outputs are unwanted."""
        try:
            self.cancel(prompt_id)
        except (Unreachable, SlowAnswer, BadAnswer) as exc:
            logger.warning("cancel unanswered", extra={"prompt": prompt_id, "error": exc.message})

    def free(self) -> None:
        """Ask ComfyUI to unload its models and forget its cache, before its next prompt."""
        expect_ok(self.wire.post("/free", {"unload_models": True, "free_memory": True}))

    @contextmanager
    def open_output(self, file: OutputFile) -> Iterator[Iterator[bytes]]:
        """Read a file in chunks of 1 MiB. Raises OutputMissing if ComfyUI does not have it (any more)."""
        params = {"filename": file.filename, "subfolder": file.subfolder, "type": file.folder}
        with self.wire.stream("/view", params) as response:
            if response.status_code != requests.codes.ok:
                raise OutputMissing(
                    f"ComfyUI lists {file.filename!r} of node {file.node_id} but answers "
                    f"{response.status_code} for it",
                    node_id=file.node_id,
                )
            yield response.iter_content(CHUNK_BYTES)

    def _too_large(self, name: str) -> str:
        limit = self.upload_limit()
        most = f" above {limit / MIB:g} MiB" if limit else " of this size"
        return f"ComfyUI takes no upload{most}: {name!r}; a higher --max-upload-size lets it through"

    def _post_prompt(
        self, graph: Graph, prompt_id: str, *, front: bool, secrets: Mapping[str, str] | None
    ) -> None:
        body: dict[str, Any] = {"prompt": graph, "prompt_id": prompt_id, "client_id": self.client_id}
        if front:
            body["front"] = True
        if secrets:
            body["extra_data"] = dict(secrets)
        response = self.wire.post("/prompt", body)
        if response.status_code == requests.codes.bad_request:
            raise rejection(_json_or_empty(response))
        if response.status_code == requests.codes.request_entity_too_large:
            raise GraphRejected((Problem(kind="too_large", message="The graph is too large for ComfyUI"),))
        answer = json_object(response)
        if node_errors := answer.get("node_errors"):
            self.abandon(prompt_id)
            raise outputs_dropped(node_errors if isinstance(node_errors, dict) else {})
        if answer.get("prompt_id") != prompt_id:
            raise BadAnswer(f"ComfyUI queued {prompt_id} under the id {answer.get('prompt_id')!r}")

    def _surfaces(self, prompt_id: str) -> bool:
        """Look an ambiguous POST up until it is found, or the server has denied it for SETTLE_S.

        A lookup without an answer denies nothing; what the last one raised is raised.
        """
        deadline = time.monotonic() + SETTLE_S
        while True:
            try:
                if self.lookup(prompt_id).state is not State.UNKNOWN:
                    return True
            except (ConnectionCut, SlowAnswer):
                if time.monotonic() >= deadline:
                    raise
            if time.monotonic() >= deadline:
                return False
            time.sleep(SETTLE_STEP_S)

    def _take_back_double(self, prompt_id: str) -> None:
        """Delete one of two equal ids: ``/queue`` deletes the first pending one it finds, never both."""
        queue = self.queue()
        if (queue.running + queue.pending).count(prompt_id) > 1:
            logger.warning("doubled submit taken back", extra={"prompt": prompt_id})
            self.withdraw(prompt_id)

    def _lookup_without_jobs(self, prompt_id: str) -> Standing:
        """Queue first, then history: the other order can miss a prompt that ends in between."""
        queue = self.queue()
        if prompt_id in queue.running:
            return RUNNING
        if prompt_id in queue.pending:
            return PENDING
        entry = json_object(self.wire.get(f"/history/{prompt_id}")).get(prompt_id)
        return standing_of_history(entry) if isinstance(entry, dict) else UNKNOWN

    def _cancel_without_jobs(self, prompt_id: str) -> None:
        """Servers before 0.3.5x ignore an interrupt's id: send it only while this very prompt runs."""
        self.withdraw(prompt_id)
        if prompt_id in self.queue().running:
            expect_ok(self.wire.post("/interrupt", {"prompt_id": prompt_id}))


def _plain(name: str) -> str:
    return name.replace("\\", "/")


def _says_job_not_found(response: requests.Response) -> bool:
    """A server with ``/api/jobs`` answers 404 as a JSON object; one without it, as anything else."""
    return "error" in _json_or_empty(response)


def _json_or_empty(response: requests.Response) -> dict[str, Any]:
    try:
        body = decoded(response)
    except BadAnswer:
        return {}
    return body if isinstance(body, dict) else {}


def _prompt_ids(queue: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return the ids in one list of ``/queue``, whose items are ``[number, prompt_id, …]``."""
    items = queue.get(name, [])
    if not isinstance(items, list) or not all(isinstance(item, list) and len(item) > 1 for item in items):
        raise BadAnswer(f"ComfyUI's /queue makes no sense: {name} is no list of [number, prompt id, …]")
    return tuple(str(item[1]) for item in items)
