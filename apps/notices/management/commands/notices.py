"""``manage.py notices``: tells people what happened. Run as many as you like."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from apps.notices.services.office import Office
from farm.logs import name_process


class Command(BaseCommand):
    help = "Turn state changes into notices, and send mails and webhooks, until stopped."
    requires_system_checks = (Tags.security,)  # the others look at pages, which are loaded for them alone

    def handle(self, *args: Any, **options: Any) -> None:
        name_process("notices")
        stopped = False

        def stop(number: int, frame: FrameType | None) -> None:
            nonlocal stopped
            stopped = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        Office(lambda: stopped).run()
