"""What the artifact store must be: each take's files in its attempt's own folder, and a manifest beside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from django.core.files.storage import default_storage

from apps.renders.services.keys import attempt_key
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services.takes import folder_of
from farm.contracts import MANIFEST_NAME, ContractError, RenderReport, from_json


def artifacts_in_their_own_folders(_: object) -> Iterator[str]:
    """Invariant 3: no two attempts share a file, and what a take names is there in full."""
    files = Artifact.objects.filter(role=ArtifactRole.PRIMARY).select_related("take__project")
    keys = Counter(files.values_list("key", flat=True))
    for key, count in keys.items():
        if count > 1:
            yield f"{key} belongs to {count} takes"
    for file in files:
        folder = folder_of(file.take.project.code, file.take.attempt_id)
        if not file.key.startswith(f"{folder}/"):
            yield f"{file.key} is not in {folder}"
        elif not default_storage.exists(file.key) or default_storage.size(file.key) != file.bytes:
            yield f"{file.key} is not there in full"


def takes_rebuilt_by_their_manifests(_: object) -> Iterator[str]:
    """Invariant 3: the manifest alone tells the take again, signed with its attempt's key."""
    for take in Take.objects.select_related("project").prefetch_related("artifacts"):
        name = f"{folder_of(take.project.code, take.attempt_id)}/{MANIFEST_NAME}"
        try:
            with default_storage.open(name) as file:
                report = from_json(RenderReport, json.load(file))
        except (OSError, ValueError, ContractError) as error:
            yield f"{name} of {take}: {error}"
            continue
        told = {fact.sha256 for fact in report.artifacts}
        stands = {file.sha256 for file in take.artifacts.all() if file.role == ArtifactRole.PRIMARY}
        if not report.is_signed_with(attempt_key(take.attempt_id)) or told != stands:
            yield f"{name} tells another take than {take}"
