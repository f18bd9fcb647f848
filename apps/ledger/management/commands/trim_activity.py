"""Delete activity that is older than some days."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from apps.ledger.services.trimming import trim


class Command(BaseCommand):
    """``manage.py trim_activity --days 730``; SHOTFARM_ACTIVITY_DAYS has the farm do it by itself."""

    help = "Delete activity older than so many days. What is trimmed is neither restored nor undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kept = settings.ACTIVITY_DAYS or None
        told = "Keep this many days, at least 30; by default SHOTFARM_ACTIVITY_DAYS."
        parser.add_argument("--days", type=int, required=kept is None, default=kept, help=told)

    def handle(self, *_args: Any, **options: Any) -> None:
        days: int = options["days"]
        if days < 30:
            raise CommandError(f"--days {days}: keep at least 30, or yesterday's mistakes cannot be undone.")
        gone = trim(timezone.now() - timedelta(days=days))
        self.stdout.write(f"{gone} rows of activity deleted.")
