"""Read templates: from their folders, or from a graph and a manifest kept elsewhere."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workflows.errors import TemplateInvalid, TemplateNotFound
from workflows.graph import Graph
from workflows.manifest import Manifest
from workflows.parse import parse
from workflows.soundness import is_sound
from workflows.wording import said as _

LIBRARY: Final = Path(__file__).resolve().parent
"""The folder of the templates that ship with the farm; each sub-folder with a manifest is one."""


@dataclass(frozen=True, slots=True)
class Template:
    """A graph with its manifest. ``document`` is the manifest as written, to be stored or hashed.

    ``sha256`` is taken over the canonical JSON of both, so two templates with one hash are the same.
    """

    graph: Graph
    manifest: Manifest
    document: dict[str, Any]
    sha256: str

    @property
    def slug(self) -> str:
        return self.manifest.slug


def load(slug_or_path: str | Path) -> Template:
    """Read one template by its slug, or from any folder given as a path.

    Raises TemplateNotFound if there is no such template, TemplateInvalid if its files are not readable.
    """
    folder = slug_or_path if isinstance(slug_or_path, Path) else _folder_of(slug_or_path)
    if not (folder / "manifest.json").is_file():
        raise TemplateNotFound(
            "template",
            str(slug_or_path),
            problem=_("is not a workflow template"),
            remedy=_(
                "choose one of %(slugs)s, or give a folder with graph.json and manifest.json",
                slugs=", ".join(slugs()),
            ),
        )
    return template_from(_json(folder / "graph.json"), _json(folder / "manifest.json"))


def all_templates() -> list[Template]:
    """Read every template that ships with the farm, by slug."""
    return [load(LIBRARY / slug) for slug in slugs()]


def slugs() -> list[str]:
    """List the slugs of the templates that ship with the farm."""
    return sorted(path.parent.name for path in LIBRARY.glob("*/manifest.json"))


def template_from(graph: object, document: object) -> Template:
    """Make a template of a graph and a manifest already read. Raises TemplateInvalid."""
    manifest = parse(document)
    _refuse_unsound(manifest)
    if not isinstance(graph, dict) or not isinstance(document, dict):
        raise TemplateInvalid(
            "graph", graph, problem=_("is not a JSON object"), remedy=_("export it in API format")
        )
    try:
        digest = hashlib.sha256(canonical_json({"graph": graph, "manifest": document})).hexdigest()
    except (ValueError, RecursionError) as exc:
        raise TemplateInvalid(
            "graph",
            None,
            problem=_("holds what JSON cannot (%(why)s)", why=str(exc)),
            remedy=_("write no NaN and no Infinity"),
        ) from exc
    return Template(graph=graph, manifest=manifest, document=document, sha256=digest)


def _refuse_unsound(manifest: Manifest) -> None:
    """Refuse a custom class that is described in a form nobody reads; {} says that nobody knew."""
    for index, pack in enumerate(manifest.packs):
        for name, told in pack.classes.items():
            if told and not is_sound(told):
                raise TemplateInvalid(
                    f"manifest.packs[{index}].classes",
                    name,
                    problem=_("is described in a form that no ComfyUI writes"),
                    remedy=_("write what /object_info says of the class, or {}"),
                )


def canonical_json(value: object) -> bytes:
    """Write ``value`` as the one JSON text its content has: keys sorted, no spaces, UTF-8, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _folder_of(slug: str) -> Path:
    """The folder of a slug; a text that looks like a path is taken for one."""
    return Path(slug) if "/" in slug or "\\" in slug else LIBRARY / slug


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise TemplateInvalid(
            path.name, str(path), problem=_("cannot be read"), remedy=_("check that the file is there")
        ) from exc
    except ValueError as exc:
        raise TemplateInvalid(
            path.name,
            str(path),
            problem=_("is not JSON (%(why)s)", why=str(exc)),
            remedy=_("export it again"),
        ) from exc
