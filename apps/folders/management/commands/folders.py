"""``manage.py folders PROJECT [--confirm]``: a project's folders, as they are and as they would be."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.errors import Refused
from apps.folders.services.layouts import hold
from apps.folders.services.making import make
from apps.folders.services.planning import Fate, Planner
from apps.folders.subjects import of_project, of_shots
from apps.productions.models import Shot
from apps.projects.models import Project


class Command(BaseCommand):
    """The command's door."""

    help = (
        "Show which folders and records of a project exist, which would be made, which are refused and why; "
        "--confirm makes them. Confirming twice changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare PROJECT, --confirm and --json."""
        parser.add_argument("project", metavar="PROJECT", help="the project's code")
        parser.add_argument("--confirm", action="store_true", help="make what is new")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show, or make and say what was made."""
        project = Project.objects.filter(code=options["project"]).first()
        if project is None:
            known = ", ".join(Project.objects.values_list("code", flat=True)[:20]) or "none"
            raise CommandError(f"There is no project {options['project']}; there are: {known}.")
        try:
            self._confirm(project, options) if options["confirm"] else self._show(project, options)
        except Refused as exc:
            raise CommandError(str(exc)) from exc
        except OSError as exc:
            raise CommandError(f"The store of published files failed: {exc}") from exc

    def _show(self, project: Project, options: dict[str, Any]) -> None:
        planner, counts, listed = Planner(project), Counter[str](), []
        for subjects in ([of_project(project)], of_shots(project, Shot.objects.filter(project=project))):
            for some in subjects:
                planner.forget()
                for entry in planner.entries(some):
                    counts[entry.fate.value] += 1
                    if options["json"]:
                        listed.append({"path": entry.path, "what": entry.what, "fate": entry.fate.value,
                                       "why": str(entry.why)})  # fmt: skip
                    elif entry.fate is not Fate.EXISTS or options["verbosity"] > 1:
                        self.stdout.write(
                            f"{entry.fate.value:8} {entry.path}{f'  ({entry.why})' if entry.why else ''}"
                        )
        told = {fate.value: counts[fate.value] for fate in Fate if fate is not Fate.KEPT}
        if options["json"]:
            self.stdout.write(
                json.dumps({"layout": str(planner.template), "counts": told, "entries": listed})
            )
        else:
            shown = ", ".join(f"{count} {fate}" for fate, count in told.items())
            self.stdout.write(f"{project.code}, layout {planner.template}: {shown} (nothing was made)")

    def _confirm(self, project: Project, options: dict[str, Any]) -> None:
        hold(project)
        made = make(project, who="farm")
        if options["json"]:
            self.stdout.write(json.dumps(made.as_json()))
            return
        for refused in made.refused:
            self.stderr.write(f"refused  {refused['path']}  ({refused['why']})")
        self.stdout.write(
            f"{project.code}: {made.folders} folders and {made.records} records made, {made.updated} records "
            f"brought up to date, {made.exists} were there, {made.refusals} refused"
        )
