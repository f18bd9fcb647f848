"""``manage.py job_story J000012``: what happened to one job, in order, wherever it happened."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.errors import Refused
from apps.renders.joblogs import logged
from apps.renders.jobstory import Moment, attempts_of, find_job, headlines, in_order, moments_of
from farm.logs import one_line


class Command(BaseCommand):
    help = "Tell one job's story: events, attempts, node log lines, media work, take and review, in order."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", help="a job's code (J000012) or id, or the id of one of its attempts")
        parser.add_argument("--json", action="store_true", help="one JSON object per line")
        parser.add_argument(
            "--logs",
            type=Path,
            metavar="FOLDER",
            help="add the lines of JSON log files (*.log) in this folder that name the job",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            job = find_job(options["job"])
            attempts = attempts_of(job)
            moments = moments_of(job, attempts)
            if options["logs"]:
                moments = in_order([*moments, *logged(options["logs"], job, attempts)])
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        if options["json"]:
            for moment in moments:
                self.stdout.write(json.dumps(moment.as_json(), ensure_ascii=False, default=str))
            return
        for line in headlines(job, attempts):
            self.stdout.write(one_line(line))
        self.stdout.write("")
        width = max((len(moment.source) for moment in moments), default=0)
        for moment in moments:
            self.stdout.write(_line(moment, width))


def _line(moment: Moment, width: int) -> str:
    at = moment.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    mark = "" if moment.level == "info" else f"{moment.level.upper()} "
    number = f"#{moment.attempt}" if moment.attempt else ""
    unsure = " (node's clock)" if moment.clock == "node" else ""
    facts = " ".join(f"{name}={value}" for name, value in moment.facts.items() if name != "attempt")
    return one_line(
        f"{at}  {moment.source:<{width}}  {number:<3} {mark}{moment.text}{unsure}  {facts}".rstrip()
    )
