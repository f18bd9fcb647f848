"""From a job to the message a node needs: graph bound, inputs named, outputs promised, key given."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.files.storage import default_storage

from apps.prompts.slate import slate_png
from apps.renders.models import Attempt, Job
from apps.renders.services.casting import loras_from
from apps.renders.services.files import Stored, stored_files
from apps.renders.services.keys import attempt_key, input_grant
from apps.renders.services.rules import current
from apps.renders.services.shot_values import SLATE_IMAGE
from apps.renders.services.sources import pictures_beside, primary_artifact, role_of
from apps.review.models import Artifact
from apps.review.services.keeping import keep
from apps.workflows.services import template_of
from farm.contracts import FailureClass, LatentForm, OrderInput, OrderOutput, RenderOrder, pack_graph
from workflows.bind import BoundGraph, bind, slate_size
from workflows.errors import WorkflowError
from workflows.load import Template
from workflows.manifest import Manifest, Output, Value
from workflows.roles import FORMER_ROLES, LATENT, PICTURES


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
    values = job.values | _prompts(job, template) | {role: some[0].key for role, some in files.items()}
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
        outputs=_outputs(job, template, pictures=len(files.get(PICTURES, ()))),
        artifact_folder=f"attempts/{job.project.code}/{attempt.pk}",
        report_key=attempt_key(attempt.pk),
        execution_timeout_s=manifest.timeouts.execution_s,
        hang_s=manifest.timeouts.hang_s,
        key=manifest.remote.key if manifest.remote else "",
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


def _files(job: Job, template: Template) -> dict[str, list[_File]]:
    """The files of each role: one, or all pictures of a take."""
    files = {}
    for role in _roles_of_takes(job, template):
        files[role] = _files_for(job, role)
    if SLATE_IMAGE in template.manifest.bindings:
        width, height = slate_size(template, width=job.width, height=job.height)
        slate = slate_png(job.shot, take=job.take_number, width=width, height=height)
        files[SLATE_IMAGE] = [_stored(slate)]
    return files


def _roles_of_takes(job: Job, template: Template) -> list[str]:
    """The inputs that take other jobs' files: whatever the job names, or the template's own."""
    named = {*job.values, *job.dependencies.exclude(role="").values_list("role", flat=True)}
    named |= {FORMER_ROLES[role] for role in named if role in FORMER_ROLES}
    files = [role for role in template.manifest.file_roles if role in named]
    own = role_of(template.manifest)
    return files or ([own] if own else [])


def _files_for(job: Job, role: str) -> list[_File]:
    """The file of a take or of a character that fills this input, or all pictures of a take.

    Raises Unorderable if it is gone.
    """
    names = [role, *(former for former, now in FORMER_ROLES.items() if now == role)]
    dependency = job.dependencies.filter(role__in=names).select_related("depends_on").first()
    named = [job.values[name] for name in names if name in job.values]
    found: Artifact | Stored | None
    if dependency:
        found = primary_artifact(dependency.depends_on)
    else:
        found = next(iter(stored_files(named).values()), None)
    if found is None:
        raise Unorderable(
            FailureClass.INPUT_MISSING,
            f"{role}: the take this starts from has no file any more; render it again",
        )
    some = pictures_beside(found.pk) if role == PICTURES else [found]
    return [_File(each.key, each.sha256, each.bytes) for each in some]


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


def _inputs(attempt: Attempt, bound: BoundGraph, files: dict[str, list[_File]]) -> tuple[OrderInput, ...]:
    return tuple(
        OrderInput(
            node=wanted.node,
            input=wanted.input,
            key=file.key,
            sha256=file.sha256,
            bytes=file.bytes,
            grant=input_grant(attempt.pk, file.key),
            number=number if wanted.role == PICTURES else 0,
        )
        for wanted in bound.inputs
        for number, file in enumerate(files[wanted.role], start=1)
    )


def _frames(job: Job, template: Template, output: Output, *, pictures: int) -> int:
    """How many frames are promised; 0: nobody knows before. ``pictures``: of so many a clip is made."""
    if output.kind == "image" or pictures:
        return pictures or 1
    unknown = template.manifest.follows is not None and job.frames == 1  # its source was not rendered yet
    return 0 if unknown else job.frames


def _outputs(job: Job, template: Template, *, pictures: int) -> tuple[OrderOutput, ...]:
    """What is promised of each; nothing but the kind where a service decides."""
    if template.manifest.remote:
        return tuple(
            OrderOutput(node=output.node, kind=output.kind, width=0, height=0, frames=0)
            for output in template.manifest.outputs
        )
    form = latent_form(template.manifest)
    return tuple(
        OrderOutput(
            node=output.node,
            kind=output.kind,
            width=job.width,
            height=job.height,
            frames=_frames(job, template, output, pictures=pictures),
            fps=job.fps if output.kind == "video" else None,
            form=form if output.kind == LATENT else None,
        )
        for output in template.manifest.outputs
    )


def latent_form(manifest: Manifest) -> LatentForm | None:
    """How a template's latents are laid out, as its node is told."""
    told = manifest.latents
    return LatentForm(channels=told.channels, stride=told.stride, scale=told.scale) if told else None
