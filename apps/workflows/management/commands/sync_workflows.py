"""Bring the packaged workflow templates into the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.errors import Refused
from apps.workflows.services import sync_templates


class Command(BaseCommand):
    """Add a version for each packaged template whose content is new; running it twice changes nothing."""

    help = "Bring the workflow templates of workflows/ into the database."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            synced = sync_templates()
        except Refused as refused:
            raise CommandError("\n".join(str(problem) for problem in refused.problems)) from refused
        for what in ("created", "changed", "unchanged"):
            slugs = getattr(synced, what)
            if slugs:
                self.stdout.write(f"{what}: {', '.join(slugs)}")
