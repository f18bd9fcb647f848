"""Make the dailies of the day, say every evening from cron."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.projects.models import Project
from apps.review.services.dailies import anything_new, make_dailies


class Command(BaseCommand):
    help = (
        "Make today's dailies of these projects, or add what came since; without a code: of every open one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("codes", nargs="*", metavar="CODE", help="a project's code, such as FROST")

    def handle(self, *args: Any, **options: Any) -> None:
        codes: list[str] = options["codes"]
        rows = Project.objects.filter(code__in=codes) if codes else Project.objects.filter(archived=False)
        projects = {project.code: project for project in rows.order_by("code")}
        unknown = [code for code in codes if code not in projects]
        if unknown:
            raise CommandError(f"There is no project {unknown[0]}; write codes such as FROST.")
        for code, project in projects.items():
            if not anything_new(project):
                self.stdout.write(f"{code}: nothing new")
                continue
            made, new = make_dailies(project)
            self.stdout.write(f"{code}: {made.name}, {new} new")
