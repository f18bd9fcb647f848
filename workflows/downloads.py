"""Lines to copy that fetch model files: by curl, wget, aria2 and huggingface-cli, with folder and hash check.

Names and addresses come from manifests and nodes, so from anybody: what could mean something else to a shell,
or begin a line of its own, is quoted, and what cannot be written safely is left out and named.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

TOOLS: Final = ("curl", "wget", "aria2", "huggingface-cli")

ROOT: Final = "$MODELS"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_HUGGING_FACE: Final = re.compile(r"/([\w.-]+/[\w.-]+)/(?:resolve|blob)/([\w.-]+)/(.+)")
_UNPRINTABLE: Final = re.compile(
    r"[^\x20-\x7e\u00a0-\u2027\u202f-\ud7ff\ue000-\ufffd]|[\u202a-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True, slots=True)
class Download:
    """A file to fetch into ComfyUI's ``models/folder``. ``size`` in bytes; "" and None are unknown.

    ``why``: why it is fetched, in words for a comment.
    """

    folder: str
    name: str
    url: str = ""
    size: int | None = None
    sha256: str = ""
    license_note: str = ""
    why: str = ""

    @property
    def path(self) -> str:
        """Where it goes, below ComfyUI's ``models``."""
        return f"{self.folder}/{self.name}"

    @property
    def problem(self) -> str:
        """Why no line can fetch it; "" if one can."""
        if not is_plain(self.folder) or not is_plain(self.name):
            return "its name is no plain path"
        if not self.url:
            return "nobody says where it is to be had"
        return "" if _is_address(self.url) else "its address is no plain http or https address"


def is_plain(name: str) -> bool:
    """Whether a name stays inside its folder on every system, and on its line."""
    parts = name.split("/")
    odd = "\\" in name or ":" in name or _UNPRINTABLE.search(name) is not None
    return (
        bool(name) and not odd and not any(part in ("", ".", "..") or part.strip() != part for part in parts)
    )


def as_text(files: Iterable[Download], tool: str, *, title: str) -> str:
    """Write a shell script (for aria2: its input file). Raises KeyError for a tool that is none of TOOLS."""
    write = _WRITERS[tool]
    lines = list(_head(tool, title))
    for file in files:
        lines += ["", *_about(file)]
        lines += [f"# left out: {file.problem}"] if file.problem else write(file)
    return "\n".join(lines) + "\n"


def as_rows(files: Iterable[Download]) -> list[dict[str, Any]]:
    """The same for tools: one object a file, ``problem`` where it cannot be fetched."""
    return [{**asdict(file), "path": f"models/{file.path}", "problem": file.problem} for file in files]


def comment(text: str, *, longest: int = 300) -> str:
    """A text that stays on its line, whatever it holds."""
    return _UNPRINTABLE.sub("\ufffd", text)[:longest]


def _head(tool: str, title: str) -> Iterator[str]:
    if tool == "aria2":
        yield f"# {comment(title)}"
        yield "# aria2c --continue=true --dir=/path/to/ComfyUI -i THIS_FILE"
        return
    yield "#!/bin/sh"
    yield f"# {comment(title)}"
    yield "# Run it beside ComfyUI's folder “models”, or say where that is:"
    yield "# MODELS=/path/to/ComfyUI/models sh THIS_FILE"
    yield "set -eu"
    yield ': "${MODELS:=models}"'


def _about(file: Download) -> Iterator[str]:
    size = f", {file.size} bytes" if file.size is not None else ", size unknown"
    hashed = f", sha256 {file.sha256}" if _SHA256.fullmatch(file.sha256) else ", sha256 unknown"
    yield f"# {comment(file.path)}{size}{hashed}"
    if file.why:
        yield f"# {comment(file.why)}"
    if file.license_note:
        yield f"# {comment(file.license_note)}"


def _curl(file: Download) -> Iterator[str]:
    yield from _fetched(file, lambda part: f"curl -fL --retry 5 -C - -o {part} -- {shlex.quote(file.url)}")


def _wget(file: Download) -> Iterator[str]:
    yield from _fetched(file, lambda part: f"wget -c -O {part} -- {shlex.quote(file.url)}")


def _hugging_face(file: Download) -> Iterator[str]:
    """Its own command where the file lies there; it prints where it has put it. Else curl."""
    place = _on_hugging_face(file.url)
    if place is None:
        yield "# not on Hugging Face, so with curl:"
        yield from _curl(file)
        return
    repository, revision, path = (shlex.quote(word) for word in place)
    yield from _fetched(
        file,
        lambda part: (
            f'cp -L -- "$(huggingface-cli download {repository} {path} --revision {revision})" {part}'
        ),
    )


def _aria2(file: Download) -> Iterator[str]:
    folder, _, name = f"models/{file.path}".rpartition("/")
    yield file.url
    yield f"  dir={folder}"
    yield f"  out={name}"
    if _SHA256.fullmatch(file.sha256):
        yield f"  checksum=sha-256={file.sha256}"


def _fetched(file: Download, fetch: Callable[[str], str]) -> Iterator[str]:
    """Fetch beside its place, check, and only then put it there: a half file is never loaded.

    What is there already is not fetched; what came wrong is thrown away, so that the next run begins anew.
    """
    final, folder = _below(file.path), _below(file.path.rpartition("/")[0])
    part = _below(f"{file.path}.part")
    there = " && ".join([f"[ -f {final} ]", *(check for _what, check in _checks(file, final))])
    yield f"if ! {{ {there}; }}; then"
    yield f"mkdir -p -- {folder}"
    yield fetch(part)
    for what, check in _checks(file, part):
        yield f"{check} || {{ echo {_quoted(file, f'wrong {what}')}; rm -f -- {part}; exit 1; }}"
    yield f"mv -- {part} {final}"
    yield "fi"


def _checks(file: Download, path: str) -> Iterator[tuple[str, str]]:
    """What is known of a file, and how a shell tests it."""
    if file.size is not None:
        yield "size", f'[ "$(wc -c < {path})" -eq {int(file.size)} ]'
    if _SHA256.fullmatch(file.sha256):
        yield "sha256", f'[ "$(sha256sum < {path} | cut -c1-64)" = {file.sha256} ]'


def _quoted(file: Download, problem: str) -> str:
    return shlex.quote(f"{file.path}: {problem}") + " >&2"


def _below(path: str) -> str:
    return f'"{ROOT}"/{shlex.quote(path)}'


def _is_address(url: str) -> bool:
    if not url.isascii() or _UNPRINTABLE.search(url) or any(sign in url for sign in " \t\"'<>\\"):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _on_hugging_face(url: str) -> tuple[str, str, str] | None:
    parts = urlsplit(url)
    found = _HUGGING_FACE.fullmatch(unquote(parts.path)) if parts.hostname == "huggingface.co" else None
    if found is None or found[3].startswith("-") or found[1].startswith("-") or found[2].startswith("-"):
        return None
    return (found[1], found[2], found[3]) if is_plain(found[3]) else None


_WRITERS: Final[dict[str, Callable[[Download], Iterator[str]]]] = {
    "curl": _curl,
    "wget": _wget,
    "aria2": _aria2,
    "huggingface-cli": _hugging_face,
}
