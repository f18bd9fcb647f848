"""What a GPU node is told by its environment, read once and typed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

BROKER_SCHEMES: Final = ("redis", "rediss", "redis+socket", "sentinel")
DEFAULT_COMFYUI: Final = "http://127.0.0.1:8188"
DEFAULT_MIN_FREE_MB: Final = 512
DEFAULT_MAX_RSS_MB: Final = 4096
DEFAULT_OTHERS_S: Final = 600
COMFY_KEY: Final = "SHOTFARM_COMFY_API_KEY"
COMFY_KEY_FILE: Final = "SHOTFARM_COMFY_API_KEY_FILE"
DEFAULT_SPOOL: Final = "~/.local/state/shotfarm/spool"


class SettingsError(RuntimeError):
    """A variable is missing or makes no sense; the message says what to set."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A node's settings.

    ``comfyui_restart``: the words of the command that restarts ComfyUI, empty if there is none.
    ``node`` is empty where the Celery node name is to be used. ``gpu`` is an NVML index or a UUID,
    empty where the machine has one GPU. ``spool`` holds one folder per node name. ``min_free``: bytes
    below which a disk counts as full. ``models``: folders under which ComfyUI's model folders are seen here,
    empty where its own paths are right. ``max_rss_mib``: memory of the worker above which it is started anew;
    ``min_ram_mib``: free memory of ComfyUI's machine below which the node takes no work; ``others_s``: how
    long somebody else's prompts in this ComfyUI are waited for. 0: no limit. ``comfy_key``: the key of the
    account at comfy.org by which API nodes work, empty where there is none.
    """

    redis_url: str = field(repr=False)
    comfyui_url: str
    comfyui_restart: tuple[str, ...]
    artifacts: str
    min_free: int
    max_rss_mib: int
    min_ram_mib: int
    others_s: int
    node: str
    spool: Path
    models: tuple[Path, ...]
    gpu: str
    visible_gpus: str
    simulated: bool
    json_log: bool
    comfy_key: str = field(default="", repr=False)


@cache
def from_environment() -> Settings:
    """Read this process's settings once. Raises SettingsError."""
    return read(os.environ)


def read(environ: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingsError naming the variable and what to set."""
    return Settings(
        redis_url=_url(
            _needed(environ, "REDIS_URL", "the farm's broker, such as redis://:password@farm:6379/0"),
            "REDIS_URL",
            BROKER_SCHEMES,
        ),
        comfyui_url=_url(
            environ.get("COMFYUI_URL") or DEFAULT_COMFYUI, "COMFYUI_URL", ("http", "https")
        ).rstrip("/"),
        comfyui_restart=_command(environ, "SHOTFARM_COMFYUI_RESTART"),
        artifacts=_needed(
            environ,
            "SHOTFARM_ARTIFACTS",
            "the artifact store: a shared folder, s3://BUCKET/PREFIX, or the farm's own https address",
        ),
        min_free=_number(environ, "SHOTFARM_MIN_FREE_MB", DEFAULT_MIN_FREE_MB) * 1024**2,
        max_rss_mib=_number(environ, "SHOTFARM_MAX_RSS_MB", DEFAULT_MAX_RSS_MB),
        min_ram_mib=_number(environ, "SHOTFARM_MIN_RAM_MB", 0),
        others_s=_number(environ, "SHOTFARM_OTHERS_SECONDS", DEFAULT_OTHERS_S),
        node=environ.get("SHOTFARM_NODE", "").strip(),
        spool=Path(environ.get("SHOTFARM_SPOOL") or DEFAULT_SPOOL).expanduser(),
        models=_folders(environ, "SHOTFARM_MODELS"),
        gpu=environ.get("SHOTFARM_GPU", "").strip(),
        visible_gpus=environ.get("CUDA_VISIBLE_DEVICES", "").strip(),
        simulated=_switch(environ, "SHOTFARM_SIMULATED"),
        json_log=_choice(environ, "SHOTFARM_LOG", ("line", "json")) == "json",
        comfy_key=_comfy_key(environ),
    )


def _comfy_key(environ: Mapping[str, str]) -> str:
    """The key itself, or the first line of a file that only the worker may read."""
    path = environ.get(COMFY_KEY_FILE, "").strip()
    if not path:
        return environ.get(COMFY_KEY, "").strip()
    if environ.get(COMFY_KEY, "").strip():
        raise SettingsError(f"{COMFY_KEY} and {COMFY_KEY_FILE} are both set; keep the file, clear the other")
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as exc:
        raise SettingsError(f"{COMFY_KEY_FILE} cannot be read ({exc}); name a file with the key") from exc
    if not (key := lines[0].strip()):
        raise SettingsError(f"{COMFY_KEY_FILE} is {path!r}, which begins with no key; write it there")
    return key


def _needed(environ: Mapping[str, str], name: str, meaning: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set; set it to {meaning}")
    return value


def _url(value: str, name: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes:
        # The value may hold a password, so only its scheme is shown.
        raise SettingsError(
            f"{name} begins with {parts.scheme or 'no scheme'!r}; use one of {', '.join(schemes)}"
        )
    if parts.scheme in ("http", "https"):
        try:
            usable = bool(parts.hostname) and parts.port != 0
        except ValueError:  # its words quote what was taken for a port: often a piece of a password
            usable = False
        if not usable:
            raise SettingsError(
                f"{name} names no host and port; set it to an address such as {DEFAULT_COMFYUI}"
            )
    return value


def _folders(environ: Mapping[str, str], name: str) -> tuple[Path, ...]:
    """Folders as in PATH, divided by the system's own sign."""
    folders = tuple(Path(one).expanduser() for one in environ.get(name, "").split(os.pathsep) if one.strip())
    for folder in folders:
        if not folder.is_absolute():
            raise SettingsError(
                f"{name} names {str(folder)!r}; set it to absolute paths such as /mnt/comfyui/models"
            )
    return folders


def _command(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    value = environ.get(name, "")
    try:
        return tuple(shlex.split(value))
    except ValueError as exc:
        example = "systemctl --user restart comfyui"
        raise SettingsError(f"{name} is {value!r}: {exc}; set it to a command such as {example!r}") from exc


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name, "").strip()
    if value and not (value.isascii() and value.isdigit()):
        raise SettingsError(f"{name} is {value!r}; set it to a whole number, such as {default}")
    return int(value) if value else default


def _switch(environ: Mapping[str, str], name: str) -> bool:
    return _choice(environ, name, ("0", "1")) == "1"


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = environ.get(name, "").strip() or choices[0]
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; set it to {' or '.join(choices)}")
    return value
