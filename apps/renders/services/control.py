"""What a person does to jobs: cancel, requeue, steer, pause. It acts at once, down to ComfyUI."""

from __future__ import annotations

from apps.renders.services.cancelling import cancel, cancel_batch, cancel_jobs
from apps.renders.services.pausing import pause_batch
from apps.renders.services.requeueing import requeue, requeue_batch, requeue_jobs
from apps.renders.services.steering import (
    change_batch,
    change_job,
    change_jobs,
    pause,
    prioritise,
)

__all__ = [
    "cancel",
    "cancel_batch",
    "cancel_jobs",
    "change_batch",
    "change_job",
    "change_jobs",
    "pause",
    "pause_batch",
    "prioritise",
    "requeue",
    "requeue_batch",
    "requeue_jobs",
]
