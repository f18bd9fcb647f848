"""``manage.py notices``: tells people what happened. Run as many as you like."""

from __future__ import annotations

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from apps.common.stopping import asked_to_stop
from apps.notices.services.office import Office
from farm.logs import name_process


class Command(BaseCommand):
    help = "Turn state changes into notices, and send mails and webhooks, until stopped."
    requires_system_checks = (Tags.security,)  # the others look at pages, which are loaded for them alone

    def handle(self, *args: Any, **options: Any) -> None:
        name_process("notices")
        Office(asked_to_stop()).run()
