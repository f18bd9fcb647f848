"""Every way ComfyUI can disappoint. The class carries the decision (``failure_class``), the fields the words.

::

    ComfyError
    ├── Unreachable            infrastructure   nothing listens, or a gateway answers in its place
    │   └── ConnectionCut      infrastructure   the connection broke before the whole answer was here
    ├── SlowAnswer             infrastructure   connected, but no answer in time
    ├── BadAnswer              unknown          an answer ComfyUI should never give here
    ├── UploadRefused          input missing    ComfyUI will not take this file
    ├── GraphRejected          rejected graph   validation failed; ``problems`` in ComfyUI's words
    │   ├── MissingNodeClass   missing model    a custom node is not installed on this server
    │   ├── MissingModel       missing model    a model file is not on this server
    │   ├── InputMissing       input missing    a picture, clip or sound to load is not there
    │   └── OutputsDropped     rejected graph   accepted, but without some of its outputs
    ├── ExecutionFailed        unknown          a node raised
    │   ├── OutOfMemory        out of memory    the GPU's memory did not suffice
    │   └── InputUnreadable    input missing    a loader node could not read its file
    ├── Interrupted            interrupted      stopped before its end
    ├── TimedOut               timed out        executing for longer than the order allows
    ├── Hung                   ComfyUI hung     executing without progress
    │   ├── ExecutorDead       ComfyUI hung     work is pending and nothing runs
    │   └── InterruptIgnored   ComfyUI hung     asked to stop, it went on
    ├── BehindHang             infrastructure   taken back, for another prompt hangs in front of it
    ├── BehindOthers           infrastructure   taken back, for somebody else has had ComfyUI for too long
    ├── MadeWay                unknown          taken out of the queue before it began, as asked
    ├── Vanished               ComfyUI crashed  ComfyUI no longer knows the prompt, or is gone
    └── OutputInvalid          output invalid   what was rendered cannot be used
        ├── OutputMissing      output invalid   a listed file is not there
        └── UnsafePath         output invalid   a listed file has a name that leaves its folder
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from farm.contracts import Failure, FailureClass
from workers.comfy.text import NAME_LIMIT, beginning, ending


class ComfyError(Exception):
    """Base of all. ``message`` is for people; ``detail`` is a traceback excerpt or more of the answer."""

    failure_class: ClassVar[FailureClass] = FailureClass.UNKNOWN
    code: ClassVar[str] = "comfy_error"

    def __init__(
        self,
        message: str,
        *,
        node_id: str = "",
        node_type: str = "",
        exception_type: str = "",
        detail: str = "",
    ) -> None:
        self.message = beginning(message)
        super().__init__(self.message)
        self.node_id = beginning(node_id, NAME_LIMIT)
        self.node_type = beginning(node_type, NAME_LIMIT)
        self.exception_type = beginning(exception_type, NAME_LIMIT)
        self.detail = ending(detail)

    def to_failure(self) -> Failure:
        """Return the same facts as they travel in a RenderReport."""
        return Failure(
            failure_class=self.failure_class,
            code=self.code,
            message=self.message,
            node_id=self.node_id,
            node_type=self.node_type,
            exception_type=self.exception_type,
            detail=self.detail,
        )


class Unreachable(ComfyError):
    """Nothing answers at ComfyUI's address. The request was not carried out."""

    failure_class = FailureClass.INFRASTRUCTURE
    code = "unreachable"


class ConnectionCut(Unreachable):
    """The connection broke before the whole answer was here. The request may have been carried out."""

    code = "connection_cut"


class SlowAnswer(ComfyError):
    """No answer in time. The request may have been carried out, or may yet be."""

    failure_class = FailureClass.INFRASTRUCTURE
    code = "slow_answer"


class BadAnswer(ComfyError):
    """A status or body that ComfyUI does not give here."""

    code = "bad_answer"


class UploadRefused(ComfyError):
    """ComfyUI will not take this file, now or later."""

    failure_class = FailureClass.INPUT_MISSING
    code = "upload_refused"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing ComfyUI's validation found wrong. ``kind`` is its own type, ``value_not_in_list`` say."""

    kind: str
    message: str
    details: str = ""
    node_id: str = ""
    node_type: str = ""
    input_name: str = ""
    value: str = ""

    def __str__(self) -> str:
        place = f"{self.node_type} #{self.node_id}: " if self.node_id else ""
        details = f" ({self.details})" if self.details else ""
        return f"{place}{self.message}{details}"


class GraphRejected(ComfyError):
    """ComfyUI's validation refused the graph."""

    failure_class = FailureClass.REJECTED_GRAPH
    code = "graph_rejected"

    def __init__(self, problems: tuple[Problem, ...], *, detail: str = "") -> None:
        first = problems[0]
        super().__init__(
            "; ".join(str(problem) for problem in problems),
            node_id=first.node_id,
            node_type=first.node_type,
            exception_type=first.kind,
            detail=detail,
        )
        self.problems = problems


class MissingNodeClass(GraphRejected):
    """A node class of the graph is not installed on this server. Another node may have it."""

    failure_class = FailureClass.MISSING_MODEL
    code = "missing_node_class"


class MissingModel(GraphRejected):
    """A model file of the graph is not on this server. Another node may have it."""

    failure_class = FailureClass.MISSING_MODEL
    code = "missing_model"


class InputMissing(GraphRejected):
    """A file the graph loads is not in ComfyUI's input folder."""

    failure_class = FailureClass.INPUT_MISSING
    code = "input_missing"


class OutputsDropped(GraphRejected):
    """ComfyUI accepted the graph but dropped outputs from it (HTTP 200 with node_errors)."""

    code = "outputs_dropped"


class ExecutionFailed(ComfyError):
    """A node raised."""

    code = "execution_failed"


class OutOfMemory(ExecutionFailed):
    """The GPU's memory did not suffice."""

    failure_class = FailureClass.OUT_OF_MEMORY
    code = "out_of_memory"


class InputUnreadable(ExecutionFailed):
    """A loader node found its file but could not read it: the upload is not what its name says."""

    failure_class = FailureClass.INPUT_MISSING
    code = "input_unreadable"


class Interrupted(ComfyError):
    """The prompt was stopped before its end: because we asked, or by someone at ComfyUI itself."""

    failure_class = FailureClass.INTERRUPTED
    code = "interrupted"


class TimedOut(ComfyError):
    """The prompt executed for longer than its order allows."""

    failure_class = FailureClass.TIMED_OUT
    code = "timed_out"


class Hung(ComfyError):
    """The prompt executes and shows no progress."""

    failure_class = FailureClass.COMFY_HUNG
    code = "hung"


class ExecutorDead(Hung):
    """Work is pending and nothing runs: HTTP is alive, the executor is not."""

    code = "executor_dead"


class InterruptIgnored(Hung):
    """ComfyUI was asked to stop the prompt and went on with it."""

    code = "interrupt_ignored"


class BehindHang(ComfyError):
    """The prompt waited behind one that hangs, and was taken out of the queue before it began."""

    failure_class = FailureClass.INFRASTRUCTURE
    code = "behind_hang"


class BehindOthers(ComfyError):
    """The prompt waited for too long behind somebody else's, and was taken out of the queue."""

    failure_class = FailureClass.INFRASTRUCTURE
    code = "behind_others"


class MadeWay(ComfyError):
    """The prompt was asked to make way while it waited, and was taken out of the queue before it began."""

    code = "made_way"


class Vanished(ComfyError):
    """ComfyUI went away with the prompt, or came back without it."""

    failure_class = FailureClass.COMFY_CRASHED
    code = "vanished"


class OutputInvalid(ComfyError):
    """What was rendered cannot be used."""

    failure_class = FailureClass.OUTPUT_INVALID
    code = "output_invalid"


class OutputMissing(OutputInvalid):
    """ComfyUI lists a file that it does not have."""

    code = "output_missing"


class UnsafePath(OutputInvalid):
    """ComfyUI lists a file under a name that is no plain name inside its folder."""

    code = "unsafe_path"
