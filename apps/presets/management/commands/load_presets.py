"""Load the shipped preset library."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.errors import Refused
from apps.presets.services import load_presets


class Command(BaseCommand):
    """Load what is new in the library; running it twice changes nothing."""

    help = "Load the cinematic preset library (new and changed rows only)."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            loaded = load_presets()
        except Refused as refused:
            raise CommandError("\n".join(str(problem) for problem in refused.problems)) from refused
        self.stdout.write(f"{loaded.created} created, {loaded.changed} changed, {loaded.unchanged} unchanged")
