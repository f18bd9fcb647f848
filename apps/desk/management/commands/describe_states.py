"""``manage.py describe_states``: write docs/states.md from the state machines."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.desk.statespage import PAGE, states_page


class Command(BaseCommand):
    """The command's door; apps.desk.statespage is the room."""

    help = "Write docs/states.md from the state machines in apps/*/states.py."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Write the page."""
        PAGE.write_text(states_page(), encoding="utf-8")
        self.stdout.write(f"{PAGE.name} is written")
