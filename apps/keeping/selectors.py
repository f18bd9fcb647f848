"""Archives to be looked at and fetched."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.signatures import sign
from apps.keeping.models import ProjectArchive
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import scoped


def archives_of(project: Project) -> QuerySet[ProjectArchive]:
    """A project's archives, the newest first, with who asked."""
    return ProjectArchive.objects.filter(project=project).select_related("project", "by")


def archives_for(person: User) -> QuerySet[ProjectArchive]:
    """The archives that this person may fetch: of projects whose whole plan is in their hands."""
    return scoped(ProjectArchive.objects.select_related("project"), person, act=Act.PLAN)


def archive_name(archive_id: object) -> str:
    """Name an archive in signatures."""
    return f"archive {archive_id}"


def archive_url(archive: ProjectArchive, reader: User) -> str:
    """Return the address at which this reader fetches it for a while; "" while there is nothing to fetch."""
    if not archive.downloadable:
        return ""
    return f"{reverse('project-archive-file', args=[archive.pk])}?{sign(reader, archive_name(archive.pk))}"
