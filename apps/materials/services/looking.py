"""The media worker looks at a video or sound: decodes it to its end, and makes what a browser can show.

A store that fails is no verdict about the file: the error goes up, and sweep asks again.
"""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.machines import move
from apps.materials.formats import Format, format_of
from apps.materials.models import Material, Medium
from apps.materials.services.adding import forget_files
from apps.materials.sounds import listen
from apps.materials.states import MATERIAL
from apps.review.decoding import Undecodable, look
from apps.review.models import ArtifactRole
from apps.review.previews import make_previews
from apps.review.services.keeping import fetch, keep
from apps.review.states import Media

logger = logging.getLogger(__name__)

ACTOR: Final = "media"
MOST_FRAMES: Final = 20_000
"""Of a driving video: a quarter of an hour."""
MOST_PIXELS: Final = 40_000_000_000
"""Of all its frames together: a minute of 8K, a quarter of an hour of 1080p. It bounds the worker's time."""


def process_material(material_id: UUID) -> None:
    """Look at a material that is PROCESSING, and say whether jobs may be given it.

    A second call changes nothing. OSError from the artifact store goes up and leaves it as it is.
    """
    material = Material.objects.filter(pk=material_id, state=Media.PROCESSING).first()
    if material is None:
        logger.info("no material to look at", extra={"material": str(material_id)})
        return
    with TemporaryDirectory(prefix="shotfarm-material-") as folder:
        try:
            facts = _examine(material, Path(folder))
        except Undecodable as exc:
            _close(material, Media.BROKEN, {"problem": str(exc)})
            return
    _close(material, Media.READY, facts)


def _examine(material: Material, folder: Path) -> dict[str, Any]:
    copy = folder / "original"
    try:
        found = fetch(material.key, copy)
    except FileNotFoundError as exc:
        raise Undecodable(_("it is not in the artifact store any more")) from exc
    if found != material.sha256:
        raise Undecodable(_("it was changed in the artifact store"))
    with copy.open("rb") as file:
        expected = format_of(file.read(64))
    if expected is None:
        raise Undecodable(_("it is none of the files the farm takes"))
    return (
        _heard(copy, expected) if material.medium == Medium.AUDIO else _seen(material, copy, expected, folder)
    )


def _heard(copy: Path, expected: Format) -> dict[str, Any]:
    return {"seconds": round(listen(copy, expected), 3)}


def _seen(material: Material, copy: Path, expected: Format, folder: Path) -> dict[str, Any]:
    facts = look(copy)
    if facts.format != expected.reader:
        raise Undecodable(
            _("its bytes say %(said)s, but it is %(found)s") % {"said": expected.title, "found": facts.format}
        )
    most = min(MOST_FRAMES, max(1, MOST_PIXELS // (facts.width * facts.height)))
    made = {one.role: one for one in make_previews(copy, folder, fps=None, most_frames=most)}
    proxy = made[ArtifactRole.PROXY]
    keep(made[ArtifactRole.THUMBNAIL].path, material.thumb_key)
    keep(proxy.path, material.proxy_key)
    fps = float(facts.fps) if facts.fps else proxy.fps
    return {
        "width": facts.width,
        "height": facts.height,
        "frames": proxy.frames,
        "fps": fps and round(fps, 3),
        "seconds": round(proxy.frames / fps, 3) if fps else None,
    }


def _close(material: Material, to: Media, facts: dict[str, Any]) -> None:
    reason = facts.get("problem", "")
    move(MATERIAL, material, from_=(Media.PROCESSING,), to=to, actor=ACTOR, reason=reason, changes=facts)
    if not Material.objects.filter(pk=material.pk).exists():
        forget_files(material)  # taken away meanwhile: what was made of it since would stay for ever
    logger.info("material looked at", extra={"material": str(material.pk), "state": str(to), "why": reason})
