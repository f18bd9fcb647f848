"""``manage.py import_production FILE``: bring a project to what a workbook says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.errors import Refused
from apps.productions.importing import import_workbook


class Command(BaseCommand):
    """The command's door; importing.import_workbook is the room."""

    help = (
        "Import a production from an XLSX workbook: all or nothing. Prints every problem with sheet, "
        "cell and remedy and exits 1, or counts what it changed. Running it twice changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare FILE, --dry-run and --project."""
        parser.add_argument("file", type=Path, metavar="FILE", help="the workbook (.xlsx)")
        parser.add_argument("--dry-run", action="store_true", help="show what would change, write nothing")
        parser.add_argument("--project", default="", metavar="CODE", help="import into this project instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, and say what happened."""
        try:
            result = import_workbook(options["file"], dry_run=options["dry_run"], project=options["project"])
        except Refused as exc:
            lines = [str(problem) for problem in exc.problems]
            raise CommandError("\n".join([*lines, f"{len(lines)} problem(s); nothing was written."])) from exc
        if result.dry_run or options["verbosity"] > 1:
            for difference in result.differences:
                self.stdout.write(str(difference))
        told = f"{result.project}: {result}"
        self.stdout.write(f"{told} (dry run: nothing was written)" if result.dry_run else told)
