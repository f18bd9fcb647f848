"""``manage.py restore BACKUP``: put a backup back."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.keeping.backups.manifest import BackupError
from apps.keeping.backups.restoring import restore


class Command(BaseCommand):
    """The command's door; apps.keeping.backups.restoring is the room."""

    help = "Restore the database from a backup, all of it or nothing. Stop the farm first."
    requires_system_checks = []  # the database may be empty, or damaged
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("backup", metavar="BACKUP", help="a folder that manage.py backup made")
        parser.add_argument("--files", action="store_true", help="bring back files that the stores lack")
        parser.add_argument("--replace", action="store_true", help="delete what is in the database now")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            done = restore(Path(options["backup"]), replace=options["replace"], files=options["files"])
        except (BackupError, OSError) as exc:
            raise CommandError(str(exc)) from exc
        rows = sum(done.manifest.tables.values())
        self.stdout.write(f"The database is what it was at {done.manifest.made_at}: {rows} rows.")
        if done.pending:
            self.stdout.write(f"Run manage.py migrate: {len(done.pending)} migrations are to be applied.")
        if done.files is None:
            return
        for line in done.files.named:
            self.stdout.write(line)
        counts = done.files.counts
        self.stdout.write(f"Files: {counts['brought']} brought back, {counts['there']} there.")
        lost = counts["no copy"] + counts["damaged copy"]
        if lost:
            raise CommandError(f"{lost} files could not be brought back; the database is restored.")
