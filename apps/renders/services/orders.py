"""From a job to the message a node needs: graph bound, inputs named, outputs promised, key given."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.files.storage import default_storage

from apps.prompts.slate import slate_png
from apps.renders.models import Attempt, Job
from apps.renders.services.casting import loras_from
from apps.renders.services.keys import attempt_key, input_grant
from apps.renders.services.rules import current
from apps.renders.services.shot_values import SLATE_IMAGE
from apps.renders.services.sources import primary_artifact, role_of
from apps.review.models import Artifact
from apps.review.services.keeping import keep
from apps.workflows.services import template_of
from farm.contracts import FailureClass, OrderInput, OrderOutput, RenderOrder, pack_graph
from workflows.bind import BoundGraph, bind, slate_size
from workflows.errors import WorkflowError
from workflows.load import Template
from workflows.manifest import FORMER_ROLES, Value


class Unorderable(Exception):
    """This job cannot be sent to any node: ``failure_class`` says why, the message what to do."""

    def __init__(self, failure_class: FailureClass, message: str) -> None:
        super().__init__(message)
        self.failure_class = failure_class


def order_for(attempt: Attempt) -> RenderOrder:
    """Build the order of an attempt. The same attempt gives the same order. Raises Unorderable."""
    job = attempt.job
    template = template_of(job.template_version)
    files = _files(job, template)
    values = job.values | _prompts(job, template) | {role: file.key for role, file in files.items()}
    prefix = f"shotfarm/{attempt.pk}/{job.shot.full_code}"
    try:
        bound = bind(template, values, filename_prefix=prefix, loras=loras_from(job.loras))
    except WorkflowError as exc:
        raise Unorderable(FailureClass.REJECTED_GRAPH, str(exc)) from exc
    manifest = template.manifest
    return RenderOrder(
        attempt_id=str(attempt.pk),
        job_id=str(job.pk),
        token=attempt.token,
        label=job.label,
        template=str(job.template_version),
        tier_gb=attempt.tier_gb,
        need_gb=job.need_gb,
        graph_z=pack_graph(bound.graph),
        inputs=_inputs(attempt, bound, files),
        outputs=_outputs(job, template),
        artifact_folder=f"attempts/{job.project.code}/{attempt.pk}",
        report_key=attempt_key(attempt.pk),
        execution_timeout_s=manifest.timeouts.execution_s,
        hang_s=manifest.timeouts.hang_s,
        free_first=bool(job.failure_class) and current().empties_caches_after(job.failure_class),
    )


class _File:
    """A file in the artifact store that a node must upload."""

    def __init__(self, key: str, sha256: str, size: int) -> None:
        self.key, self.sha256, self.bytes = key, sha256, size


def _prompts(job: Job, template: Template) -> dict[str, Value]:
    build = job.prompt_build
    texts = {"positive": build.positive, "negative": build.negative} if build else {}
    return {role: text for role, text in texts.items() if role in template.manifest.bindings}


def _files(job: Job, template: Template) -> dict[str, _File]:
    files = {}
    if role := role_of(template.manifest):
        artifact = _start_artifact(job, role)
        files[role] = _File(artifact.key, artifact.sha256, artifact.bytes)
    if SLATE_IMAGE in template.manifest.bindings:
        width, height = slate_size(template, width=job.width, height=job.height)
        files[SLATE_IMAGE] = _stored(slate_png(job.shot, take=job.take_number, width=width, height=height))
    return files


def _start_artifact(job: Job, role: str) -> Artifact:
    names = (role, *(former for former, now in FORMER_ROLES.items() if now == role))
    dependency = job.dependencies.filter(role__in=names).select_related("depends_on").first()
    if dependency:
        artifact = primary_artifact(dependency.depends_on)
    else:
        given = [str(job.values[name]) for name in names if name in job.values]
        artifact = Artifact.objects.filter(pk__in=given).first()
    if artifact is None:
        raise Unorderable(
            FailureClass.INPUT_MISSING,
            f"{role}: the take this starts from has no file any more; render it again",
        )
    return artifact


def _stored(png: bytes) -> _File:
    """Put a drawn input into the store under its content's name; equal pictures are one file."""
    digest = hashlib.sha256(png).hexdigest()
    key = f"inputs/{digest}.png"
    if not default_storage.exists(key) or default_storage.size(key) != len(png):
        with NamedTemporaryFile(suffix=".png") as drawn:
            drawn.write(png)
            drawn.flush()
            keep(Path(drawn.name), key)
    return _File(key, digest, len(png))


def _inputs(attempt: Attempt, bound: BoundGraph, files: dict[str, _File]) -> tuple[OrderInput, ...]:
    return tuple(
        OrderInput(
            node=wanted.node,
            input=wanted.input,
            key=files[wanted.role].key,
            sha256=files[wanted.role].sha256,
            bytes=files[wanted.role].bytes,
            grant=input_grant(attempt.pk, files[wanted.role].key),
        )
        for wanted in bound.inputs
    )


def _outputs(job: Job, template: Template) -> tuple[OrderOutput, ...]:
    return tuple(
        OrderOutput(
            node=output.node,
            kind=output.kind,
            width=job.width,
            height=job.height,
            frames=job.frames if output.kind == "video" else 1,
            fps=job.fps if output.kind == "video" else None,
        )
        for output in template.manifest.outputs
    )
