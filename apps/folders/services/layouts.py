"""Layouts get new versions, and projects choose one."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Changed, Problem, Refused, Stale, lacks_permission
from apps.common.validation import clean
from apps.folders.language.layout import LayoutError, parse_layout
from apps.folders.models import PathTemplate, ProjectFolders, PublishWhen
from apps.folders.selectors import held_by
from apps.ledger.selectors import history_of
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.workflows.saidwords import in_words

logger = logging.getLogger(__name__)

CHANGE = "folders.change_pathtemplate"


def check_layout(text: str) -> None:
    """Raise Refused with everything that is wrong with a layout, by line and column."""
    try:
        parse_layout(text)
    except LayoutError as exc:
        lines = text.splitlines()
        raise Refused(
            *(
                Problem(
                    "text",
                    lines[fault.line - 1].strip() if fault.line <= len(lines) else "",
                    _place(fault.line, fault.column) + in_words(fault.told),
                    code="invalid_layout",
                )
                for fault in exc.faults
            )
        ) from exc


@transaction.atomic
def save_version(
    *,
    slug: str,
    name: str,
    text: str,
    user: User | None,
    name_ko: str = "",
    row_version: int | None = None,
) -> PathTemplate:
    """Write the next version of a layout, or the first of a new one; the versions before stay as they are.

    What the newest version says already, names and all, makes no new one. ``row_version``: of the newest
    version as somebody read it; None for a new layout, or for the farm. Raises Refused, Stale, NotAllowed.
    """
    if user is not None and not user.has_perm(CHANGE):
        raise lacks_permission(user, CHANGE)
    kept = "\n".join(line.rstrip() for line in text.splitlines()).strip() + "\n"
    name, name_ko = name.strip(), name_ko.strip()
    check_layout(kept)
    rows = PathTemplate.objects.filter(slug=slug)
    newest = rows.select_for_update().order_by("-number").first()
    number, version = 1, 0
    if newest is not None:
        if user is not None:
            _require_newest(newest, row_version)
        number, version = newest.number + 1, newest.row_version + 1
        if (newest.text, newest.name, newest.name_ko) == (kept, name, name_ko):
            return newest
        rows.update(row_version=F("row_version") + 1)
    made = PathTemplate(slug=slug, number=number, name=name, name_ko=name_ko, text=kept)
    made.row_version, made.saved_by = version, user.username if user else ""
    clean(made)
    made.save(force_insert=True)
    logger.info("layout saved", extra={"layout": str(made)})
    return made


def _require_newest(newest: PathTemplate, row_version: int | None) -> None:
    if row_version is None:
        told = _("there is a layout of this name; send the row_version of its newest version")
        raise Refused(Problem("row_version", "", told, code="required"))
    if row_version == newest.row_version:
        return
    before = PathTemplate.objects.filter(slug=newest.slug, number__lt=newest.number).first()
    changed = [
        Changed(field=field, was=was, now=now, by=newest.saved_by, at=newest.created_at)
        for field in ("name", "name_ko", "text")
        if before and (was := getattr(before, field)) != (now := getattr(newest, field))
    ]
    raise Stale(sent=row_version, now=newest.row_version, changed=tuple(changed))


def choose_layout(
    project: Project,
    template: PathTemplate,
    *,
    user: User | None,
    publish: str = "",
    row_version: int | None = None,
) -> ProjectFolders:
    """Let a project hold this version. What was published stays where it is; what comes next goes by it.

    ``row_version``: of what it holds, as somebody read it; None while nobody chose, or for the farm. Raises
    Refused for an unknown ``publish``; Stale; NotAllowed unless ``user`` manages the project.
    """
    if user is not None:
        require(user, Act.MANAGE, project)
    if publish and publish not in PublishWhen.values:
        told = _("choose one of: %s") % ", ".join(PublishWhen.values)
        raise Refused(Problem("publish", publish, told, code="unknown_choice"))
    with transaction.atomic(), changing(Project, [project.pk], actor=user):
        folders = hold(project)
        changes = {"template": template, **({"publish": publish} if publish else {})}
        with changing(ProjectFolders, [folders.pk], actor=user):
            if row_version is not None:
                require_unchanged(folders, row_version, "template", "publish")
            elif user is not None and history_of(ProjectFolders, folders.pk).exists():
                told = _("somebody chose a layout before; send the row_version of what is held")
                raise Refused(Problem("row_version", "", told, code="required"))
            ProjectFolders.objects.filter(pk=folders.pk).update(
                **changes, row_version=F("row_version") + 1, updated_at=Now()
            )
        Project.objects.filter(pk=project.pk).exclude(path_template=template.slug).update(
            path_template=template.slug, row_version=F("row_version") + 1, updated_at=Now()
        )
    folders.refresh_from_db()
    logger.info("layout chosen", extra={"project": project.code, "layout": str(template)})
    return folders


def hold(project: Project) -> ProjectFolders:
    """Let a project hold the version that it would use now, if it holds none."""
    folders, _made = ProjectFolders.objects.get_or_create(
        project=project, defaults={"template_id": held_by(project).pk}
    )
    return folders


def mark_used(template: PathTemplate) -> None:
    """Something was made by this version."""
    PathTemplate.objects.filter(pk=template.pk, used_at__isnull=True).update(used_at=Now())


def _place(line: int, column: int) -> str:
    if column:
        return _("line %(line)d, column %(column)d: ") % {"line": line, "column": column}
    return _("line %(line)d: ") % {"line": line}
