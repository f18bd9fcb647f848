"""What stands on the stage before the first render: tables, static files, a production, people."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from apps.accounts.models import User
from apps.common.errors import Refused
from apps.presets.services import load_presets
from apps.productions.importing import import_workbook
from apps.productions.render_plan import DEMO_WORKBOOK
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from apps.review.services.store_marker import ensure_store_marker
from apps.workflows.services import sync_templates
from farm.demo.errors import DemoError
from farm.demo.home import Secrets

PRODUCTION: Final = "SNOW"
"""The code of the film in the demo's workbook."""


def set_up(secrets: Secrets) -> Project:
    """Make tables, library, production and people, and mark the store.

    What people have changed of the production since an earlier run stays.
    """
    call_command("migrate", verbosity=0, interactive=False)
    ensure_store_marker()
    sync_templates()
    load_presets()
    project = Project.objects.filter(code=PRODUCTION).first() or _production()
    _people(secrets, project)
    return project


def _production() -> Project:
    try:
        return Project.objects.get(code=import_workbook(DEMO_WORKBOOK).project)
    except Refused as exc:
        raise DemoError(f"The demo production was refused: {exc}") from exc


def collect_static() -> None:
    """Gather what the browser needs, once per folder, and again where ours has changed since."""
    gathered = Path(settings.STATIC_ROOT) / "staticfiles.json"
    ours = (path.stat().st_mtime for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*"))
    if not gathered.exists() or max(ours) > gathered.stat().st_mtime:
        call_command("collectstatic", verbosity=0, interactive=False)


@transaction.atomic
def _people(secrets: Secrets, project: Project) -> None:
    _person("admin", secrets.admin, superuser=True)
    for name, role, password in (
        ("coordinator", Role.COORDINATOR, secrets.coordinator),
        ("viewer", Role.ARTIST, secrets.viewer),  # without a shot: reads everything and changes nothing
    ):
        user = _person(name, password)
        Membership.objects.get_or_create(project=project, user=user, defaults={"role": role})


def _person(name: str, password: str, *, superuser: bool = False) -> User:
    user, born = User.objects.get_or_create(
        username=name, defaults={"is_staff": True, "is_superuser": superuser}
    )
    if born:
        user.set_password(password)
        user.save(update_fields=["password"])
    return user
