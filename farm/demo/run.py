"""A run of the demo, from an empty folder to takes on the screen."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from apps.projects.models import Project
from apps.renders.models import RenderBatch
from farm.demo import stage, summary, wishes
from farm.demo.display import Display
from farm.demo.errors import DemoError, Stopped
from farm.demo.processes import Plan
from farm.demo.progress import bar, look, takes_in_progress, waits
from farm.demo.supervisor import Supervisor

LOOK_EVERY_S: Final = 0.5
WEB_PATIENCE_S: Final = 60.0
STALL_S: Final = 120.0
"""With nothing moving for this long, the demo gives up and says what everything waits for."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run works with. ``stopping`` tells that somebody pressed Ctrl-C."""

    plan: Plan
    supervisor: Supervisor
    display: Display
    stopping: Callable[[], bool]
    began: float
    leave: bool

    def play(self) -> int:
        """Set up, render, show; return the exit status (unless it keeps serving until Ctrl-C).

        Raises DemoError when it cannot go on, Stopped when asked to.
        """
        project = self._prepare()
        batches = self._submit(project)
        self._render(batches)
        failures = self._show(batches)
        if self.leave:
            self._write_summary(batches)
            return 1 if failures else 0
        try:
            self._serve()
        except Stopped:
            return 0  # Ctrl-C is how serving ends

    def _prepare(self) -> Project:
        self.display.say("Setting up the database and the demo production …")
        project = stage.set_up(self.plan.home.secrets)
        stage.collect_static()
        self.display.say("Starting web, coordinator, media, ticker, Flower and GPU workers …")
        self.supervisor.start()
        self._await_web()
        return project

    def _await_web(self) -> None:
        deadline = time.monotonic() + WEB_PATIENCE_S
        while not _answers(f"{self.plan.web_url}/readyz"):
            if time.monotonic() > deadline:
                raise DemoError(
                    f"{self.plan.web_url} does not answer; see {self.plan.home.logs / 'web.log'}."
                )
            self._pause()

    def _submit(self, project: Project) -> list[RenderBatch]:
        slates = self.plan.borrowed and not wishes.plan_fits(pause=self._pause)
        if slates:
            self.display.say("This ComfyUI has no GPU, or not every model: rendering a slate of every shot.")
        return wishes.ask(project, slates=slates)

    def _render(self, batches: list[RenderBatch]) -> None:
        while True:
            snapshot = look(batches)
            self.display.progress(bar(snapshot), final=snapshot.done)
            if snapshot.done:
                return
            if self.display.still_for_s > STALL_S:
                raise DemoError(self._stall(batches))
            self._pause()

    def _stall(self, batches: list[RenderBatch]) -> str:
        lines = [f"Nothing has moved for {STALL_S:.0f} s.", *waits(batches), *takes_in_progress(batches)]
        for child in self.supervisor.children.values():
            if child.deaths:
                log = self.plan.home.logs / f"{child.program.name}.log"
                lines.append(
                    f"{child.program.name} died {len(child.deaths)} times, last {child.deaths[-1]}: {log}"
                )
        return "\n".join(lines)

    def _show(self, batches: list[RenderBatch]) -> list[str]:
        seconds = time.monotonic() - self.began
        takes = summary.takes_of(batches)
        self.display.say(f"\n{summary.table(takes)}\n\n{len(takes)} takes in {seconds:.0f} s.")
        if self.plan.simulated:
            self.display.say(
                "SIMULATED: these pictures were painted by the stand-in ComfyUI, not by a model."
            )
        failures = summary.failures(batches)
        for sentence in failures:
            self.display.say(f"FAILED: {sentence}")
        return failures

    def _write_summary(self, batches: list[RenderBatch]) -> None:
        self.supervisor.sample()
        summary.write(
            self.plan.home.summary,
            summary.content(
                batches,
                seconds=time.monotonic() - self.began,
                peak_rss_mb={name: child.peak_mb for name, child in self.supervisor.children.items()},
                simulated=self.plan.simulated,
            ),
        )
        self.display.say(f"Summary: {self.plan.home.summary}")

    def _serve(self) -> NoReturn:
        secrets = self.plan.home.secrets
        self.display.say(
            f"\nShotfarm   {self.plan.web_url}/admin/   admin / {secrets.admin}\n"
            f"           also coordinator / {secrets.coordinator} and viewer / {secrets.viewer}\n"
            f"Flower     {self.plan.flower_url}/   admin / {secrets.flower}\n"
            "Ctrl-C stops everything. The next make demo goes on from here."
        )
        while True:
            self._pause()

    def _pause(self) -> None:
        """Let time pass, tending the children. Raises Stopped when asked to stop."""
        self.supervisor.tend()
        if self.stopping():
            raise Stopped
        time.sleep(LOOK_EVERY_S)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
