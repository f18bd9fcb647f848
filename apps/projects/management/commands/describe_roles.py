"""``manage.py describe_roles``: write docs/roles.md from the table of roles."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.projects.rolespage import PAGE, roles_page


class Command(BaseCommand):
    """The command's door; apps.projects.rolespage is the room."""

    help = "Write docs/roles.md from the table in apps/projects/roles.py."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Write the page."""
        PAGE.write_text(roles_page(), encoding="utf-8")
        self.stdout.write(f"{PAGE.name} is written")
