"""A draft that a person has completed becomes a template, or the next version of one."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.common.machines import move
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.workflows.catalogues import catalogue_or_recorded
from apps.workflows.models import Origin, WorkflowImport, WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.saidwords import error_in_words, in_words
from apps.workflows.services.importing import closed
from apps.workflows.services.managing import require_import
from apps.workflows.services.shape import misshapen
from apps.workflows.services.sync import about_of, add_version
from apps.workflows.states import IMPORT, ImportState
from workflows.catalogue import ObjectInfo, with_packs
from workflows.errors import TemplateInvalid, WorkflowError
from workflows.load import Template, template_from
from workflows.problems import Problem as Finding
from workflows.problems import without_missing_models
from workflows.validate import check_graph, check_manifest
from workflows.values import checked

logger = logging.getLogger(__name__)

RESERVED: Final = frozenset({"import", "schema"})
"""Names that stand beside those of templates in the API's addresses."""

_WHERE: Final[Mapping[str, str]] = {
    "no_vram": "vram",
    "default_uncovered": "vram",
    "vram_order": "vram",
    "no_precision": "precision",
    "primary_output": "outputs",
    "not_an_output": "outputs",
    "output_kind": "outputs",
    "native_fps": "native_fps",
    "slate": "kind",
    "lora_base": "base_model",
    "lora_prompt": "bindings.positive",
    "lora_expert": "loras",
    "lora_shared": "loras",
    "lora_untaken": "loras",
    "lora_late": "loras",
}
"""The field of the manifest that a finding without a place of its own is about."""


def confirm(
    row: WorkflowImport,
    document: Mapping[str, Any],
    *,
    user: User,
    into: WorkflowTemplate | None = None,
    row_version: int | None = None,
) -> WorkflowTemplateVersion:
    """Make a template of a draft and its manifest, or with ``into`` the next version of an imported one.

    The new version is the current one at once. ``row_version``: of the draft as it was read; None where the
    caller has claimed it. Raises NotAllowed; Refused with every problem, each at its field; Stale where
    somebody filled in something else since; Conflict if the draft is closed or somebody took the name.
    """
    require_import(user)
    try:
        with changing(WorkflowImport, [row.pk], actor=user):
            if row_version is not None:
                require_unchanged(row, row_version, "manifest")
            return _confirm(row, document, user, into)
    except IntegrityError as exc:
        told = _("somebody took this name just now; choose another")
        raise Conflict(Problem("slug", str(document.get("slug", "")), told, code="slug_taken")) from exc


def _confirm(
    row: WorkflowImport, document: Mapping[str, Any], user: User, into: WorkflowTemplate | None
) -> WorkflowTemplateVersion:
    if row.state != ImportState.DRAFT:
        raise closed(row)
    if faults := misshapen(document):
        raise Refused(*faults)
    document = _numbered(document, into)
    problems = [*_name_problems(document, into), *problems_of(row, document)]
    if problems:
        raise Refused(*problems)
    return _write(row, template_from(row.graph, document), user, into)


def problems_of(row: WorkflowImport, document: Mapping[str, Any]) -> list[Problem]:
    """Return what keeps a draft with this manifest from being used, each at its field. Model files that the
    catalogue's server lacks do not: another node may have them."""
    try:
        template = template_from(row.graph, dict(document))
    except TemplateInvalid as exc:
        return [_of_error(exc)]
    object_info = with_packs(catalogue_or_recorded(row.catalogue), template.manifest)
    return [*_default_problems(template), *_findings(template, object_info)]


def _write(
    row: WorkflowImport, template: Template, user: User, into: WorkflowTemplate | None
) -> WorkflowTemplateVersion:
    with changing(WorkflowTemplate, [into.pk] if into else [], actor=user) as change:
        about = about_of(template.manifest)
        if into is None:
            into = WorkflowTemplate.objects.create(slug=template.slug, origin=Origin.IMPORTED, **about)
            change.born(into)
        else:
            into = WorkflowTemplate.objects.select_for_update(no_key=True, of=("self",)).get(pk=into.pk)
            for name, value in about.items():
                setattr(into, name, value)
        version = add_version(into, template)
        into.current, into.chosen_by = version, ""
        into.row_version += 1
        into.save()
    actor = user.get_username()
    moved = move(
        IMPORT,
        row,
        from_=(ImportState.DRAFT,),
        to=ImportState.CONFIRMED,
        actor=actor,
        data={"version": str(version)},
        changes={"version_id": version.pk, "manifest": template.document},
    )
    if not moved:
        raise closed(row)
    logger.info("import confirmed", extra={"import": row.pk, "version": str(version), "by": actor})
    return version


def _numbered(document: Mapping[str, Any], into: WorkflowTemplate | None) -> dict[str, Any]:
    """The manifest with the number and the name it gets; whatever stood there was a draft's."""
    made = copy.deepcopy(dict(document))
    if into is None:
        made["version"] = 1
    else:
        newest = into.versions.order_by("-number").values_list("number", flat=True).first() or 0
        made |= {"version": newest + 1, "slug": into.slug}
    return made


def _name_problems(document: Mapping[str, Any], into: WorkflowTemplate | None) -> Iterator[Problem]:
    if into is not None:
        if into.origin != Origin.IMPORTED:
            told = _("this template comes with Shotfarm, whose releases bring its versions; give a new name")
            yield Problem("into", into.slug, told, code="packaged")
        return
    slug = str(document.get("slug", ""))
    try:
        validate_slug(slug)
    except ValidationError:
        told = _("write a name of small letters, digits, '_' and '-'")
        yield Problem("slug", slug, told, code="invalid")
        return
    if slug in RESERVED:
        told = _("the API has an address of this name, which would hide the template; choose another")
        yield Problem("slug", slug, told, code="reserved")
    elif len(slug) > 50:
        yield Problem("slug", slug[:60], _("give at most 50 characters"), code="invalid")
    elif WorkflowTemplate.objects.filter(slug=slug).exists():
        told = _("a template has this name; choose another, or make this a new version of an imported one")
        yield Problem("slug", slug, told, code="slug_taken")


def _default_problems(template: Template) -> Iterator[Problem]:
    manifest = template.manifest
    for role, value in manifest.defaults.items():
        binding = manifest.bindings.get(role)
        if binding is None:
            continue  # check_manifest says it
        try:
            checked(binding, value, manifest)
        except WorkflowError as exc:
            yield Problem(f"defaults.{role}", str(value), error_in_words(exc), code="bad_default")


def _findings(template: Template, object_info: ObjectInfo) -> Iterator[Problem]:
    """Say each once: a missing input is found by both checks, of the graph and of the manifest."""
    said: set[tuple[str, str]] = set()
    for found in check_manifest(template, object_info):
        if found.code != "bad_default":
            field, told = _field_of(template, found), in_words(found.message)
            if (field, told) not in said:
                said.add((field, told))
                yield Problem(field, found.node or "", told, code=found.code)
    for found in without_missing_models(check_graph(template.graph, object_info)):
        yield Problem("graph", found.node or "", in_words(found.message), code=found.code)


def _field_of(template: Template, found: Finding) -> str:
    if found.code in _WHERE:
        return _WHERE[found.code]
    if found.code == "unnamed_output":
        return "bindings.filename_prefix"
    for index, model in enumerate(template.manifest.models):
        if found.code == "model_differs" and (model.node, model.input) == (found.node, found.input):
            return f"models[{index}]"
    for role, binding in template.manifest.bindings.items():
        if any((target.node, target.input) == (found.node, found.input) for target in binding.targets):
            return f"bindings.{role}"
    if found.code == "unbound_default":
        return "defaults"
    return "graph" if found.node else "manifest"


def _of_error(error: WorkflowError) -> Problem:
    field = error.field.removeprefix("manifest.")
    shown = str(error.value)
    value = shown if len(shown) <= 80 else f"{shown[:77]}…"
    return Problem(field, "" if error.value is None else value, error_in_words(error))
