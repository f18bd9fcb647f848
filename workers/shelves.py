"""Where ComfyUI's model files lie on this machine, if they do.

ComfyUI names its folders; that a path of that name is here proves nothing while ComfyUI runs elsewhere. So
they are believed where ComfyUI runs on this machine, or where the operator says by SHOTFARM_MODELS under
which folders its models are seen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath


@dataclass(frozen=True, kw_only=True)
class Shelves:
    """``places``: ComfyUI's own paths by folder, in its order. ``roots``: what the operator named."""

    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    roots: tuple[Path, ...] = ()
    here: bool = False

    def look(self, folder: str, name: str) -> Path | None:
        """Return where a listed file would be loaded from: the first that is there; None if none is."""
        if not _is_plain(folder) or not _is_plain(name):
            return None
        return next((path for path in self._candidates(folder, name) if _is_there(path)), None)

    def _candidates(self, folder: str, name: str) -> Iterator[Path]:
        told = self.places.get(folder, ())
        for root in self.roots:
            # ComfyUI's "diffusion_models" may lie in models/unet, so the last words of its own paths count.
            lasts = dict.fromkeys((*(_last_word(place) for place in told), folder))
            yield from (root / last / name for last in lasts if _is_plain(last))
        if self.here and not self.roots:
            yield from (Path(place) / name for place in told if Path(place).is_absolute())


def _last_word(place: str) -> str:
    return (PureWindowsPath(place) if "\\" in place else PurePosixPath(place)).name


def _is_plain(name: str) -> bool:
    """Nothing that a node says is believed as a path: no way up, no root, no drive."""
    parts = name.replace("\\", "/").split("/")
    return (
        bool(name) and "\0" not in name and not any(part in ("", ".", "..") or ":" in part for part in parts)
    )


def _is_there(path: Path) -> bool:
    """Whether something is there, a broken link or a loop of links too: it is told as unreadable."""
    try:
        path.lstat()
    except (OSError, ValueError):
        return False
    return True
