"""``manage.py backup DIR``: make a backup, or check one."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.keeping.backups.copies import Findings
from apps.keeping.backups.making import check_backup, keep_newest, make_backup
from apps.keeping.backups.manifest import BackupError


class Command(BaseCommand):
    """The command's door; apps.keeping.backups is the room."""

    help = (
        "Back up the database into a new folder below DIR, with a list of every file it speaks of; "
        "with --check look whether a backup is well. Restore with manage.py restore."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", help="of all backups; with --check: one of them")
        parser.add_argument("--files", action="store_true", help="copy files, too: those not copied yet")
        parser.add_argument("--keep", type=int, metavar="N", help="delete all but the newest N afterwards")
        parser.add_argument(
            "--check", action="store_true", help="make none: verify one, and say what is missing"
        )
        parser.add_argument("--sums", action="store_true", help="with --check: read every file")

    def handle(self, *_args: Any, **options: Any) -> None:
        folder, keep = Path(options["folder"]), options["keep"]
        if keep is not None and keep < 1:
            raise CommandError(f"--keep {keep}: keep at least 1.")
        if options["check"] and (options["files"] or keep is not None):
            raise CommandError("--check makes no backup and deletes none: leave out --files and --keep.")
        if options["sums"] and not options["check"]:
            raise CommandError("--sums goes with --check.")
        try:
            if options["check"]:
                self._check(folder, sums=options["sums"])
            else:
                self._make(folder, files=options["files"], keep=keep)
        except (BackupError, OSError) as exc:
            raise CommandError(str(exc)) from exc

    def _make(self, folder: Path, *, files: bool, keep: int | None) -> None:
        made, findings = make_backup(folder, files=files)
        self.stdout.write(f"{made} is made.")
        if keep is not None:
            old, copies = keep_newest(folder, keep)
            self.stdout.write(f"{len(old)} old backups and {copies} copies deleted.")
        if findings is not None:
            self._tell(findings)
            lost = sum(findings.counts.values()) - findings.counts["copied"] - findings.counts["there"]
            if lost:
                raise CommandError(f"{lost} files could not be copied; the backup of the database is whole.")

    def _check(self, backup: Path, *, sums: bool) -> None:
        manifest, findings = check_backup(backup, sums=sums)
        rows = sum(manifest.tables.values())
        self.stdout.write(f"{backup}: {manifest.made_at}, Shotfarm {manifest.shotfarm}, {rows} rows: whole.")
        self._tell(findings)
        bad = findings.counts["lost"] + findings.counts["not copied"]
        if bad:
            raise CommandError(f"{bad} files are not safe.")

    def _tell(self, findings: Findings) -> None:
        for line in findings.named:
            self.stdout.write(line)
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(findings.counts.items()))
        self.stdout.write(f"Files: {told or 'none'}.")
