"""Bring the packaged workflows into the database, version by version, and back into templates."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.ledger.services.recording import changing
from apps.workflows.models import Origin, WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.saidwords import error_in_words, in_words
from workflows.bind import classes_needed
from workflows.errors import WorkflowError
from workflows.load import Template, all_templates, template_from
from workflows.manifest import Manifest
from workflows.validate import check_manifest

logger = logging.getLogger(__name__)

_KEPT: Final = 500
"""Templates a process remembers, the last ones parsed; more than a studio offers."""
_CONTENT: Final = frozenset({"graph", "manifest"})
_templates: dict[str, Template] = {}


@dataclass(frozen=True)
class Synced:
    """Slugs, by what happened to them."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


@transaction.atomic
def sync_templates(templates: Iterable[Template] | None = None) -> Synced:
    """Make the packaged templates (or the given ones) the current ones; a second run changes nothing.

    New content becomes a new version, known content (after a rollback) the current one again; old
    versions stay as they are. Whether a template is offered, and which older version somebody made the
    current one, is the studio's to say and is not touched. Raises Refused, with nothing written, when a
    manifest does not fit its graph, or when the studio has imported a template under the same name.
    """
    packaged = _packaged() if templates is None else list(templates)
    problems = [
        Problem(f"{template.slug} manifest", finding.node or "", in_words(finding.message), code=finding.code)
        for template in packaged
        for finding in check_manifest(template)
    ]
    problems += _clashes(packaged)
    if problems:
        raise Refused(*problems)
    outcome: dict[str, list[str]] = {"created": [], "changed": [], "unchanged": []}
    known = WorkflowTemplate.objects.filter(slug__in=[template.slug for template in packaged])
    with changing(WorkflowTemplate, known.values_list("pk", flat=True), actor=None):
        for template in packaged:
            outcome[_sync(template)].append(template.slug)
    return Synced(**{what: tuple(slugs) for what, slugs in outcome.items()})


def template_of(version: WorkflowTemplateVersion) -> Template:
    """Return a version's graph and parsed manifest; parsed once per process. Do not change its graph."""
    known = _templates.get(version.content_hash)
    if known is None:
        unread = version.get_deferred_fields() & _CONTENT
        if unread:
            version.refresh_from_db(fields=sorted(_CONTENT))
        known = template_from(version.graph, version.manifest)
        while len(_templates) >= _KEPT:
            _templates.pop(next(iter(_templates)), None)
        _templates[version.content_hash] = known
    return known


def remember(versions: Iterable[WorkflowTemplateVersion]) -> None:
    """Read the templates of many versions that this process has not parsed yet, in one query."""
    missing = [version.pk for version in versions if version.content_hash not in _templates]
    for version in WorkflowTemplateVersion.objects.filter(pk__in=missing) if missing else ():
        template_of(version)


def _packaged() -> list[Template]:
    try:
        return all_templates()
    except WorkflowError as error:
        raise Refused(Problem(error.field, str(error.value), error_in_words(error))) from error


def _clashes(packaged: Iterable[Template]) -> list[Problem]:
    """Names that releases and imports both want: an import is never overwritten."""
    imported = WorkflowTemplate.objects.filter(
        origin=Origin.IMPORTED, slug__in=[template.slug for template in packaged]
    )
    told = _("an imported template has this name; the package cannot bring its own until that one is renamed")
    return [
        Problem("template", slug, told, code="slug_clash") for slug in imported.values_list("slug", flat=True)
    ]


def _sync(template: Template) -> str:
    about = about_of(template.manifest)
    row, created = WorkflowTemplate.objects.select_for_update().get_or_create(
        slug=template.slug, defaults=about
    )
    version = WorkflowTemplateVersion.objects.filter(content_hash=template.sha256).first()
    if version is None:
        version = add_version(row, template)
    elif version.template_id != row.pk:
        raise Refused(_same_content(version, template.slug))
    chosen = version if not row.chosen_by else row.current
    if row.current == chosen and all(getattr(row, name) == value for name, value in about.items()):
        return "unchanged"
    for name, value in about.items():
        setattr(row, name, value)
    row.current = chosen
    row.row_version += 1
    row.save()
    return "created" if created else "changed"


def about_of(manifest: Manifest) -> Mapping[str, Any]:
    """What a template's row repeats of its manifest."""
    return {"title": manifest.title["en"], "title_ko": manifest.title.get("ko", ""), "kind": manifest.kind}


def _same_content(version: WorkflowTemplateVersion, slug: str) -> Problem:
    told = _("this very content is there already: %s; change something, or use that one")
    return Problem("template", slug, told % version, code="same_content")


def add_version(row: WorkflowTemplate, template: Template) -> WorkflowTemplateVersion:
    """Add the content as a version; its number only grows, and is never below the manifest's.

    Raises Refused if this very content is a version of some template already.
    """
    there = WorkflowTemplateVersion.objects.filter(content_hash=template.sha256).first()
    if there is not None:
        raise Refused(_same_content(there, template.slug))
    newest = row.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = WorkflowTemplateVersion.objects.create(
        template=row,
        number=max(newest + 1, template.manifest.version),
        content_hash=template.sha256,
        graph=template.graph,
        manifest=template.document,
        classes=list(classes_needed(template)),
        models_needed=[
            {"folder": file.folder, "name": file.name, "precision": file.precision}
            for file in template.manifest.models
        ],
    )
    logger.info(
        "template version added",
        extra={"template": row.slug, "version": version.number, "sha256": template.sha256},
    )
    return version
