"""What can go wrong on a node outside ComfyUI. ComfyUI's own errors are in ``workers.comfy.errors``.

::

    NodeError                carries the failure class that decides what happens next
    ├── InputUnusable        a file the order needs is missing, changed or of a wrong size
    ├── OutputWrong          what was rendered is not what was ordered, or does not decode
    ├── OrderUnreadable      the order's graph or paths make no sense
    ├── KeyAbsent            the order needs a service's key that this node does not hold
    ├── StoreUnavailable     the artifact store does not answer
    │   └── StoreFull        it has no room
    ├── ScratchUnavailable   this node's disk for files on their way fails or has no room
    └── SpoolUnavailable     this node's own disk cannot remember the attempt
    Dropped                  the claim was refused or unanswered: nothing was rendered
    Cancelled                the order was cancelled before its prompt was queued
    SpoolTaken               another process is this node already
"""

from __future__ import annotations

from typing import ClassVar

from farm.contracts import Failure, FailureClass


class NodeError(Exception):
    """An attempt failed here, and ``failure_class`` says whose fault that is."""

    failure_class: ClassVar[FailureClass]
    code: ClassVar[str]

    def to_failure(self) -> Failure:
        """Say it in the words of the report."""
        return Failure(
            failure_class=self.failure_class,
            code=self.code,
            message=str(self),
            exception_type=type(self.__cause__).__name__ if self.__cause__ else "",
            detail=str(self.__cause__ or ""),
        )


class InputUnusable(NodeError):
    """A file the order needs is missing, changed or of a wrong size. Rendering again will not help."""

    failure_class = FailureClass.INPUT_MISSING
    code = "input_unusable"


class OutputWrong(NodeError):
    """What was rendered is not what was ordered, or does not decode."""

    failure_class = FailureClass.OUTPUT_INVALID
    code = "output_wrong"


class OrderUnreadable(NodeError):
    """The order's graph or paths make no sense. Rendering again will not help."""

    failure_class = FailureClass.REJECTED_GRAPH
    code = "order_unreadable"


class KeyAbsent(NodeError):
    """The order needs a service's key that this node does not hold. Another node may."""

    failure_class = FailureClass.MISSING_MODEL
    code = "key_absent"


class StoreUnavailable(NodeError):
    """The artifact store does not answer."""

    failure_class = FailureClass.INFRASTRUCTURE
    code = "store_unavailable"


class StoreFull(StoreUnavailable):
    """The artifact store has no room."""

    code = "store_full"


class ScratchUnavailable(NodeError):
    """This node's disk for files on their way fails or has no room."""

    failure_class = FailureClass.INFRASTRUCTURE
    code = "scratch_unavailable"


class SpoolUnavailable(NodeError):
    """This node's own disk cannot remember the attempt."""

    failure_class = FailureClass.INFRASTRUCTURE
    code = "spool_unavailable"


class Dropped(Exception):
    """The claim was refused or unanswered: nothing was rendered."""


class Cancelled(Exception):
    """The order was cancelled before its prompt was queued."""


class SpoolTaken(Exception):
    """Another process has this node's spool: it is this node already."""
