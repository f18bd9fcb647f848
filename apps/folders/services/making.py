"""Confirm: make what the dry run shows as new, bring records up to date, leave everything else alone."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.models import User
from apps.folders.models import ProjectFolders
from apps.folders.records import written
from apps.folders.services.layouts import hold, mark_used
from apps.folders.services.planning import Entry, Fate, Planner
from apps.folders.services.queueing import request_folders
from apps.folders.store import Taken
from apps.folders.subjects import Subject, of_project, of_shots
from apps.productions.models import Sequence, Shot
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require

logger = logging.getLogger(__name__)

AT_ONCE: Final = 300
"""With more shots than these the media worker makes the folders, and nobody waits for it."""
MOST_TOLD: Final = 100


@dataclass
class Made:
    """What a confirm did. ``refused``: path and why, in English, the first hundred of ``refusals``."""

    folders: int = 0
    records: int = 0
    updated: int = 0
    exists: int = 0
    refusals: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)

    def refuse(self, entry: Entry, why: str) -> None:
        """Note what was left alone."""
        self.refusals += 1
        if len(self.refused) < MOST_TOLD:
            told: Any = why.as_json() if hasattr(why, "as_json") else {}
            self.refused.append({"path": entry.path, "of": entry.of, "why": str(why), **told})

    def as_json(self) -> dict[str, Any]:
        """Return the report as it is kept and answered."""
        return {
            "folders": self.folders,
            "records": self.records,
            "updated": self.updated,
            "exists": self.exists,
            "refusals": self.refusals,
            "refused": self.refused,
        }


def confirm(project: Project, *, user: User | None, sequence: Sequence | None = None) -> Made | None:
    """Make a project's folders and records, or those of a sequence's shots; None: the media worker does it.

    Twice is once. Raises NotAllowed unless ``user`` plans the project, OSError from the store.
    """
    if user is not None:
        require(user, Act.PLAN, project)
    hold(project)
    who = user.get_username() if user else "farm"
    if sequence is None and user is not None and project.shots.count() > AT_ONCE:
        with transaction.atomic():
            now = timezone.now()
            ProjectFolders.objects.filter(project=project).update(wanted_at=now, asked_at=now, wanted_by=who)
            transaction.on_commit(lambda: request_folders(project.pk))
        return None
    return make(project, who=who, sequence=sequence)


def make_wanted(project_id: UUID) -> None:
    """Do what somebody confirmed, if it is not done yet."""
    folders = ProjectFolders.objects.select_related("project").filter(project=project_id).first()
    if folders is None or folders.wanted_at is None:
        logger.info("no folders wanted", extra={"project": str(project_id)})
        return
    make(folders.project, who=folders.wanted_by)
    ProjectFolders.objects.filter(pk=folders.pk, wanted_at=folders.wanted_at).update(wanted_at=None)


def make(project: Project, *, who: str, sequence: Sequence | None = None) -> Made:
    """Make them now."""
    planner, made = Planner(project), Made()
    mark_used(planner.template)
    if sequence is None:
        _make(planner, of_project(project), made)
    shots = (
        Shot.objects.filter(project=project) if sequence is None else Shot.objects.filter(sequence=sequence)
    )
    for some in of_shots(project, shots):
        planner.forget()
        _make(planner, some, made)
    ProjectFolders.objects.filter(project=project).update(
        confirmed_at=Now(), confirmed_by=who, report=made.as_json(), row_version=F("row_version") + 1
    )
    logger.info(
        "folders made", extra={"project": project.code, "by": who, "new": made.folders + made.records}
    )
    return made


def _make(planner: Planner, subjects: Iterable[Subject], made: Made) -> None:
    for entry in planner.entries(subjects):
        try:
            _carry_out(planner, entry, made)
        except Taken as exc:
            made.refuse(entry, exc.told)


def _carry_out(planner: Planner, entry: Entry, made: Made) -> None:
    match entry.fate:
        case Fate.EXISTS:
            made.exists += 1
        case Fate.REFUSED:
            made.refuse(entry, entry.why)
        case Fate.NEW if entry.what == "folder":
            planner.root.make(entry.path)
            made.folders += 1
        case Fate.NEW | Fate.UPDATE if entry.subject is not None:
            new = entry.fate is Fate.NEW
            subject = entry.subject
            planner.root.write(entry.path, written(subject.kind, subject.row, subject.facts), new=new)
            made.records += new
            made.updated += not new
