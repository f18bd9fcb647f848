"""`python -m workers.comfysim --port 8188 --vram 24`: start a stand-in ComfyUI server."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from aiohttp import web

from workers.comfysim.faults import Fault
from workers.comfysim.knobs import Knobs
from workers.comfysim.server import create_app
from workers.comfysim.versions import NEWEST, VERSIONS


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser("python -m workers.comfysim", description=__doc__)
    options.add_argument("--port", type=int, default=8188, help="0 takes a free one and prints it")
    options.add_argument("--host", "--listen", default="127.0.0.1", help="address to listen on")
    options.add_argument("--vram", type=float, default=24, metavar="GB", help="size of the card; 0: no GPU")
    options.add_argument("--base-dir", "--base-directory", type=Path, help="holds input/, output/ and temp/")
    options.add_argument("--seconds-per-step", type=float, default=0.02, metavar="S")
    options.add_argument("--model-load-seconds", type=float, default=0.5, metavar="S")
    options.add_argument("--oom-above", type=float, metavar="GB", help="default: the size of the card")
    options.add_argument(
        "--models", type=Path, metavar="FILE.json", help='{"checkpoints": ["a.safetensors"]}'
    )
    options.add_argument(
        "--comfyui-version", choices=list(VERSIONS), default=NEWEST.name, help="the version to speak"
    )
    options.add_argument("--max-history", type=int, default=10_000, help="entries kept, oldest dropped first")
    options.add_argument(
        "--test-nodes", action="store_true", help="offer RecSleep, RecSleepDeaf and RecRaise"
    )
    options.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND:NAME=VALUE,…",
        help="let something go wrong, such as crash:at=step,after=3 (repeatable; see workers/README.md)",
    )
    options.add_argument(
        "--faults", action="store_true", help="let faults be armed over HTTP: POST /simulated/knobs"
    )
    return options


def read_models(path: Path) -> dict[str, list[str]]:
    """Model file names by folder; raises ValueError naming the file if it has another shape."""
    try:
        models = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ValueError(f"--models {path}: {exc}") from exc
    lists = models.values() if isinstance(models, dict) else [None]
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in lists):
        raise ValueError(f"--models {path}: must be an object of lists of file names")
    return dict(models)


async def serve(knobs: Knobs, host: str, port: int) -> None:
    """Serve until cancelled. SIGTERM is left to its default: the process ends at once, as ComfyUI does."""
    runner = web.AppRunner(create_app(knobs), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address = runner.addresses[0]
        sys.stdout.write(
            f"SIMULATED ComfyUI {knobs.comfyui_version}, {knobs.vram_gb:g} GB\n"
            f"To see the GUI go to: http://{address[0]}:{address[1]}\n"
        )
        sys.stdout.flush()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    scratch = Path(tempfile.mkdtemp(prefix="comfysim-")) if options.base_dir is None else None
    base_dir: Path = scratch or options.base_dir
    try:
        knobs = Knobs(
            base_dir=base_dir,
            vram_gb=options.vram,
            seconds_per_step=options.seconds_per_step,
            model_load_seconds=options.model_load_seconds,
            oom_above_gb=options.oom_above,
            test_nodes=options.test_nodes,
            max_history=options.max_history,
            comfyui_version=options.comfyui_version,
            models=read_models(options.models) if options.models else {},
            faults=tuple(map(Fault.parse, options.fault)),
            faults_open=bool(options.faults or options.fault),
            may_crash=True,
        )
        if scratch:
            _remove_at_sigterm(scratch)
        if not knobs.version.ends_on_sigint:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        asyncio.run(serve(knobs, options.host, options.port))
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
    return 0


def _remove_at_sigterm(scratch: Path) -> None:
    def leave(number: int, _frame: object) -> None:
        shutil.rmtree(scratch, ignore_errors=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, leave)


if __name__ == "__main__":
    raise SystemExit(main())
