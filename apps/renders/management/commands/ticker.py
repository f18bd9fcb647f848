"""``manage.py ticker``: the dispatcher. Run as many as you like; one leads."""

from __future__ import annotations

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from apps.common.stopping import asked_to_stop
from apps.renders.services.ticker import Ticker
from farm.logs import name_process


class Command(BaseCommand):
    help = "Dispatch ready jobs to GPU nodes and look after what got lost, until stopped."
    requires_system_checks = (Tags.security,)  # the others look at pages, which are loaded for them alone

    def handle(self, *args: Any, **options: Any) -> None:
        name_process("ticker")
        Ticker(asked_to_stop()).run()
