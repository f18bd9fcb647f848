"""``manage.py farm COMMAND``: the farm at the command line, for people and (``--json``) for tools."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.core.management.color import supports_color

from apps.common.errors import NotAllowed, Problem, Refused
from apps.desk.terminal.answer import FORM, NOTHING, problems_json
from apps.desk.terminal.arguments import declare
from apps.desk.terminal.commands import answer
from apps.desk.terminal.finding import job_named
from apps.desk.terminal.text import Paint, painted, plain

CLEAR: Final = "\x1b[H\x1b[2J"


class Command(BaseCommand):
    help = "See how the farm stands and why jobs wait; drain nodes, requeue, cancel, prioritise, hold."

    def add_arguments(self, parser: CommandParser) -> None:
        declare(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["command"] == "story":
            self._story(options)
        elif options.get("watch"):
            self._watch(options)
        elif code := self._once(options):
            sys.exit(code)

    def _once(self, options: Mapping[str, Any]) -> int:
        """Answer, and return the exit code."""
        try:
            told = answer(options, self._paint(options))
        except Refused as refused:
            return self._refuse(options, refused.problems)
        except NotAllowed as refused:
            return self._refuse(options, [Problem("", "", str(refused), code="not_allowed")])
        if options["json"]:
            self._tell(told.as_json(options["command"]))
        else:
            self._say(told.lines, told.problems)
        return told.code

    def _refuse(self, options: Mapping[str, Any], problems: Sequence[Problem]) -> int:
        if options["json"]:
            self._tell({"form": FORM, "command": options["command"], "problems": problems_json(problems)})
        else:
            self._say((), problems)
        return NOTHING

    def _say(self, lines: Sequence[str], problems: Sequence[Problem]) -> None:
        for line in lines:
            self.stdout.write(line)
        for problem in problems:
            self.stderr.write(str(problem))

    def _tell(self, told: Mapping[str, Any]) -> None:
        self.stdout.write(json.dumps(told, ensure_ascii=False, default=str))

    def _paint(self, options: Mapping[str, Any]) -> Paint:
        """Colour where somebody looks: on a terminal, unless told otherwise."""
        if options["json"] or options["no_color"] or "NO_COLOR" in os.environ:
            return plain
        looked_at = options["force_color"] or (self.stdout.isatty() and supports_color())
        return painted if looked_at else plain

    def _story(self, options: Mapping[str, Any]) -> None:
        try:
            job = job_named(options["job"])
        except Refused as refused:
            sys.exit(self._refuse(options, refused.problems))
        asked = [str(job.pk), *(["--json"] if options["json"] else [])]
        call_command("job_story", *asked, stdout=self.stdout, stderr=self.stderr)

    def _watch(self, options: Mapping[str, Any]) -> None:
        """Look again and again until interrupted; tools get one object a line."""
        try:
            while True:
                if not options["json"] and self.stdout.isatty():
                    self.stdout.write(CLEAR, ending="")
                self._once(options)
                self.stdout.flush()
                time.sleep(options["watch"])
        except KeyboardInterrupt:
            self.stdout.write("")
