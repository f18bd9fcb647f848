"""Delete activity that is older than some days."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from apps.ledger.services.trimming import trim


class Command(BaseCommand):
    """``manage.py trim_activity --days 730``; nothing trims by itself."""

    help = "Delete activity older than so many days. What is trimmed is neither restored nor undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, required=True, help="Keep this many days, at least 30.")

    def handle(self, *_args: Any, **options: Any) -> None:
        days: int = options["days"]
        if days < 30:
            raise CommandError(f"--days {days}: keep at least 30, or yesterday's mistakes cannot be undone.")
        gone = trim(timezone.now() - timedelta(days=days))
        self.stdout.write(f"{gone} rows of activity deleted.")
