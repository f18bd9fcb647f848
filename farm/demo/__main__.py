"""``python -m farm.demo``: start a whole farm here, render the demo production, keep serving."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from types import FrameType

import django

from farm.demo import broker
from farm.demo.display import Display
from farm.demo.errors import DemoError, Stopped
from farm.demo.home import Home
from farm.demo.options import SIZES_GB, Options, check_comfyui
from farm.demo.ports import choose
from farm.demo.processes import (
    ROOT,
    GpuNode,
    Plan,
    coordinator_environment,
    plain_environment,
    programs,
    simulated_nodes,
)
from farm.demo.supervisor import Program, Supervisor


class Interrupts:
    """Counts the requests to stop. Nothing is torn down inside a signal handler."""

    def __init__(self) -> None:
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


def main() -> int:
    """Run the demo; return the exit status."""
    began = time.monotonic()
    interrupts = Interrupts()
    try:
        options = Options.read(os.environ)
        borrowed = _borrowed(options)
        home = Home.open(options.folder, fresh=options.leave)
        return _play(options, borrowed, home, interrupts, began)
    except DemoError as exc:
        sys.stderr.write(f"\n{exc}\n")
        return 1
    except Stopped:
        sys.stdout.write("\nStopped.\n")
        return 130


def _borrowed(options: Options) -> tuple[GpuNode, ...]:
    """Name the node of a ComfyUI that is there already, having made sure that it is."""
    if not options.comfyui_url:
        return ()
    simulated = check_comfyui(options.comfyui_url)
    return (GpuNode(name="gpu1", comfyui_url=options.comfyui_url, simulated=simulated),)


def _play(
    options: Options, borrowed: tuple[GpuNode, ...], home: Home, interrupts: Interrupts, began: float
) -> int:
    plan, cast = _plan(options, borrowed, home)
    display = Display()
    supervisor = Supervisor(cast, folder=ROOT, logs=home.logs, say=display.say)
    try:
        if not options.redis_url:
            supervisor.start("broker")
        broker.await_answer(plan.broker_url)
        os.environ.update(coordinator_environment(plan), SHOTFARM_LOG="line", SHOTFARM_LOG_LEVEL="WARNING")
        os.environ.pop("DATABASE_URL", None)  # the demo's database is its own
        django.setup()
        # It needs Django's apps, which need the environment above.
        run = importlib.import_module("farm.demo.run")
        playing = run.Run(
            plan=plan,
            supervisor=supervisor,
            display=display,
            stopping=lambda: interrupts.count > 0,
            began=began,
            leave=options.leave,
        )
        status: int = playing.play()
        return status
    finally:
        already = interrupts.count
        supervisor.stop(hurry=lambda: interrupts.count > already)


def _plan(options: Options, borrowed: tuple[GpuNode, ...], home: Home) -> tuple[Plan, list[Program]]:
    """Choose ports and nodes; list every process, the broker first if it is ours."""
    taken: set[int] = set()
    web, flower, redis, *comfyui = (
        choose(usual, taken=taken) for usual in (8000, 5555, 6390, *range(8188, 8188 + len(SIZES_GB)))
    )
    plan = Plan(
        home=home,
        broker_url=options.redis_url or broker.url(redis, home.secrets.broker),
        web_port=web,
        flower_port=flower,
        nodes=borrowed or simulated_nodes(SIZES_GB, comfyui),
    )
    cast = programs(plan)
    if not options.redis_url:
        own = broker.program(
            home.folder / "broker", port=redis, password=home.secrets.broker, env=plain_environment()
        )
        cast.insert(0, own)
    return plan, cast


if __name__ == "__main__":
    sys.exit(main())
