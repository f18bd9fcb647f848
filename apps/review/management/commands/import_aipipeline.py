"""``manage.py import_aipipeline DIR|DB``: take over a project of the prototype."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.errors import Refused
from apps.productions.prototype import import_aipipeline
from apps.review.services.taking_over import take_over


class Command(BaseCommand):
    """The command's door; prototype.import_aipipeline and taking_over.take_over are the rooms."""

    help = (
        "Import a project of AIPipeline, from its folder (with data.json) or its SQLite database, and report "
        "everything that was mended, left out or doubtful. Running it twice changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare SOURCE and the options."""
        parser.add_argument(
            "source", type=Path, metavar="DIR|DB", help="the project's folder, or the database"
        )
        parser.add_argument("--project", default="", metavar="CODE", help="the project's code here")
        parser.add_argument("--name", default="", metavar="NAME", help="which of several projects")
        parser.add_argument("--files", type=Path, metavar="DIR", help="the project's folder, for a database")
        parser.add_argument("--dry-run", action="store_true", help="report, and write nothing")
        parser.add_argument(
            "--without-takes", action="store_true", help="leave the shots' pictures and videos where they are"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, make takes of the files of shots, and print the report."""
        try:
            report = import_aipipeline(
                options["source"],
                project=options["project"],
                name=options["name"],
                files=options["files"],
                dry_run=options["dry_run"],
            )
            if not options["without_takes"]:
                take_over(report)
        except Refused as exc:
            lines = [str(problem) for problem in exc.problems]
            raise CommandError("\n".join([*lines, "Nothing was written."])) from exc
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write(str(report))
