"""Which processes make a farm, and what each is told by its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from farm.demo.home import Home
from farm.demo.ports import LOOPBACK
from farm.demo.supervisor import Program

ROOT: Final = Path(__file__).resolve().parents[2]
PRIVATE: Final = ("DJANGO_", "SHOTFARM_", "REDIS_", "DATABASE_", "COMFYUI_", "FLOWER_", "CELERY_", "DEMO_")
"""Variables of these families come from us alone; the rest of the environment is passed on."""

_WORKER: Final = (sys.executable, "-m", "farm.demo.worker")


@dataclass(frozen=True, kw_only=True)
class GpuNode:
    """One GPU worker and its ComfyUI. ``vram_gb`` and ``knobs`` are those of a stand-in that we start;
    None: the server is there already. ``simulated``: it says of itself that it is a stand-in.
    """

    name: str
    comfyui_url: str
    vram_gb: int | None = None
    knobs: tuple[str, ...] = ()
    simulated: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything the processes need to find each other.

    ``database_url``: "" is SQLite in the folder. ``store`` is the artifact store, by default a folder of the
    home; ``node_store`` the same as nodes see it. ``more`` are further variables of every process.
    """

    home: Home
    broker_url: str = field(repr=False)
    web_port: int
    flower_port: int
    nodes: tuple[GpuNode, ...]
    database_url: str = field(default="", repr=False)
    store: str = ""
    node_store: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether any node's ComfyUI is the stand-in."""
        return any(node.simulated for node in self.nodes)

    @property
    def borrowed(self) -> bool:
        """Whether ComfyUI is somebody else's, so that we do not know what it can do."""
        return any(node.vram_gb is None for node in self.nodes)

    @property
    def web_url(self) -> str:
        return f"http://{LOOPBACK}:{self.web_port}"

    @property
    def flower_url(self) -> str:
        return f"http://{LOOPBACK}:{self.flower_port}"


def simulated_nodes(
    sizes_gb: Sequence[int], ports: Sequence[int], *, knobs: Sequence[str] = ()
) -> tuple[GpuNode, ...]:
    """One node per stand-in card; ``knobs`` are further arguments of ``workers.comfysim``."""
    return tuple(
        GpuNode(
            name=f"gpu{size}-sim",
            comfyui_url=f"http://{LOOPBACK}:{port}",
            vram_gb=size,
            knobs=tuple(knobs),
            simulated=True,
        )
        for size, port in zip(sizes_gb, ports, strict=True)
    )


def plain_environment() -> dict[str, str]:
    """Our own environment without what configures a farm."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}


def coordinator_environment(plan: Plan) -> dict[str, str]:
    """What web, coordinator, media, ticker, notices and Flower are told."""
    return plain_environment() | {
        "DJANGO_SETTINGS_MODULE": "farm.settings",
        "DJANGO_SECRET_KEY": plan.home.secrets.django_key,
        "SHOTFARM_VAR": str(plan.home.folder),
        "SHOTFARM_ARTIFACTS": plan.store or str(plan.home.artifacts),
        "SHOTFARM_HOSTS": f"{LOOPBACK},localhost",
        "SHOTFARM_URL": plan.web_url,
        "SHOTFARM_HTTPS": "0",
        "SHOTFARM_SIMULATED": "1" if plan.simulated else "0",
        "SHOTFARM_LOG": "json",
        "REDIS_URL": plan.broker_url,
        "DATABASE_URL": plan.database_url,
        **plan.more,
    }


def node_environment(plan: Plan, node: GpuNode) -> dict[str, str]:
    """What a GPU node is told: three addresses, and nothing of the database."""
    return plain_environment() | {
        "REDIS_URL": plan.broker_url,
        "COMFYUI_URL": node.comfyui_url,
        "SHOTFARM_ARTIFACTS": plan.node_store or plan.store or str(plan.home.artifacts),
        "SHOTFARM_NODE": node.name,
        "SHOTFARM_SPOOL": str(plan.home.folder / "spool"),
        "SHOTFARM_LOG": "json",
        **({"SHOTFARM_SIMULATED": "1"} if node.simulated else {}),
        **plan.more,
    }


def programs(plan: Plan) -> list[Program]:
    """Every process but the broker."""
    ours = coordinator_environment(plan)
    celery = (sys.executable, "-m", "celery", "-A")
    worker = (*_WORKER, "farm", "--loglevel", "INFO", "--without-gossip", "--without-mingle")
    flower = ours | {"FLOWER_BASIC_AUTH": f"admin:{plan.home.secrets.flower}"}
    manage = (sys.executable, str(ROOT / "manage.py"))
    return [
        Program(
            name="web",
            env=ours,
            command=(
                sys.executable,
                "-m",
                "uvicorn",
                "farm.asgi:application",
                "--host",
                LOOPBACK,
                "--port",
                str(plan.web_port),
                "--timeout-graceful-shutdown",
                "3",
            ),
        ),
        Program(
            name="coordinator",
            env=ours,
            command=(
                *worker,
                "-P",
                "threads",
                "-c",
                "16",
                "-Q",
                "claims,reports",
                "-n",
                "coordinator@%h",
            ),
        ),
        Program(name="media", env=ours, command=(*worker, "-P", "solo", "-Q", "media", "-n", "media@%h")),
        Program(name="ticker", env=ours, command=(*manage, "ticker")),
        Program(name="notices", env=ours, command=(*manage, "notices")),
        Program(
            name="flower",
            env=flower,
            command=(
                *celery,
                "farm.flower",
                "flower",
                f"--address={LOOPBACK}",
                f"--port={plan.flower_port}",
            ),
        ),
        *(program for node in plan.nodes for program in _node_programs(plan, node)),
    ]


def _node_programs(plan: Plan, node: GpuNode) -> list[Program]:
    env = node_environment(plan, node)
    worker = Program(
        name=node.name,
        env=env,
        command=(
            *_WORKER,
            "workers",
            "--loglevel",
            "INFO",
            "-n",
            f"{node.name}@%h",
        ),
    )
    if node.vram_gb is None:
        return [worker]
    stand_in = Program(
        name=f"comfyui-{node.name}",
        env=plain_environment(),
        command=(
            sys.executable,
            "-m",
            "workers.comfysim",
            "--port",
            node.comfyui_url.rpartition(":")[2],
            "--vram",
            str(node.vram_gb),
            "--base-dir",
            str(plan.home.folder / "comfyui" / node.name),
            *node.knobs,
        ),
    )
    return [stand_in, worker]
