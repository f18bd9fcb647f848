"""What a page needs to play takes: where their files are, which frames the shot shows, how they are numbered.

The page's behaviour is static/shotfarm/review/; this is all it is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import NOBODY, Act
from apps.projects.selectors import assigned_to, standings_of
from apps.projects.stages import Stage
from apps.review.conforming import lengths_of
from apps.review.drawings import COLOURS
from apps.review.gallery import media_url, with_files
from apps.review.models import Artifact, Playlist, Take
from apps.review.numbering import first_number
from apps.review.selectors import is_client
from apps.review.states import Review

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
VIDEOS: Final = frozenset({"video/mp4"})
"""What every browser shows in place."""
NOWHERE: Final = {
    "url": "",
    "kind": "",
    "fps": 24.0,
    "start": 0,
    "end": 1,
    "speed": 0.0,
    "width": 16,
    "height": 9,
}

Signed = Callable[[Artifact], str]


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """One page that plays takes, for templates/review/viewer.html. ``config`` is JSON for the script."""

    config: str
    items: Sequence[Mapping[str, Any]]
    may_review: bool
    may_comment: bool
    guest: bool = False
    strip: bool = True
    side_template: str = ""
    before_words: str = ""
    after_words: str = ""
    colours: Sequence[str] = COLOURS
    verdict_words: Sequence[tuple[str, str]] = field(
        default_factory=lambda: [(str(value), str(label)) for value, label in Review.choices]
    )


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How a page opens: which takes are A and B, how they stand, and whether the row plays through.

    ``before`` and ``after``: addresses of the shots beside this one.
    """

    a: int = 0
    b: int | None = None
    mode: str = "one"
    reel: bool = False
    before: str = ""
    after: str = ""


def viewer_for(
    takes: Sequence[Take],
    *,
    reader: User,
    opening: Opening,
    playlist: Playlist | None = None,
    strip: bool = True,
    side_template: str = "",
) -> Viewer:
    """Make the page of takes of one project for a member; two queries for files, three for what they may."""
    with_files(list(takes))
    project = takes[0].project if takes else playlist.project if playlist else None
    rights = _rights(reader, project, takes)
    client = project is not None and is_client(reader, project.pk)
    items = [
        item_of(take, lambda artifact: media_url(artifact.pk, reader))
        | {"page": "" if client else reverse("admin:review_take_change", args=[take.pk]), "may": right}
        for take, right in zip(takes, rights, strict=True)
    ]
    able = {act: any(right[act] for right in rights) for act in ("review", "comment")}
    config = _config(items, opening, fps=project.fps if project else 24.0) | {
        "urls": {
            "list": f"{reverse('api:note-list')}?take=TAKE&limit=500",
            "add": reverse("api:note-list"),
            "one": f"{reverse('api:note-list')}/NOTE",
            "still": f"{reverse('api:note-list')}/NOTE/still",
            "review": f"{reverse('api:take-list')}/TAKE/review",
            "select": f"{reverse('api:take-list')}/TAKE/select",
        },
        "may": able | {"resolve": able["comment"] and not client},
        "playlist": str(playlist.pk) if playlist else "",
    }
    return Viewer(
        config=json.dumps(config),
        items=items,
        may_review=able["review"],
        may_comment=able["comment"],
        guest=client,
        strip=strip and len(items) > 1,
        side_template=side_template,
        before_words=_("the shot or take before"),
        after_words=_("the shot or take after"),
    )


def _rights(reader: User, project: Project | None, takes: Sequence[Take]) -> list[dict[str, bool]]:
    """What a member may do to each take, in two queries. What a client is shown was shared with them."""
    if project is None or reader.is_superuser:
        return [{"review": True, "comment": True} for _take in takes]
    standing = standings_of(reader, project).get(project.pk, NOBODY)
    own = set(
        assigned_to(reader).filter(pk__in=[take.shot_id for take in takes]).values_list("pk", flat=True)
    )

    def may(act: Act, take: Take) -> bool:
        return standing.may(act, stage=take.stage, assigned=lambda: take.shot_id in own, shared=True)

    return [{"review": may(Act.REVIEW, take), "comment": may(Act.COMMENT, take)} for take in takes]


def guest_viewer(
    takes: Sequence[Take], *, playlist: Playlist, signed: Signed, urls: Mapping[str, str], may_comment: bool
) -> Viewer:
    """Make the page of a playlist for a guest: it plays and takes notes, and leads nowhere else."""
    with_files(list(takes))
    hidden = {"page": "", "verdict": "", "verdict_label": "", "selected": False, "stale": False}
    items = [
        item_of(take, signed) | hidden | {"may": {"review": False, "comment": may_comment}} for take in takes
    ]
    config = _config(items, Opening(reel=True), fps=playlist.project.fps) | {
        "urls": {"review": "", "select": "", "still": "", **urls},
        "may": {"review": False, "comment": may_comment, "resolve": False},
        "playlist": "",
    }
    return Viewer(
        config=json.dumps(config),
        items=items,
        may_review=False,
        may_comment=may_comment,
        guest=True,
        strip=len(items) > 1,
        before_words=_("the shot or take before"),
        after_words=_("the shot or take after"),
    )


def _config(items: Sequence[Mapping[str, Any]], opening: Opening, *, fps: float) -> dict[str, Any]:
    return {
        "fps": fps,
        "items": items,
        "a": opening.a,
        "b": opening.b,
        "mode": opening.mode,
        "reel": opening.reel,
        "ways": {"before": opening.before, "after": opening.after},
    }


def item_of(take: Any, signed: Signed) -> dict[str, Any]:
    """Tell a take to the page. It has its files (gallery.with_files), shot and project at hand."""
    return {
        "take": str(take.pk),
        "code": take.shot.full_code,
        "stage": take.stage,
        "what": f"{Stage(take.stage).label} {take.number}",
        "first": first_number(take),
        "frames": clip_of(take, "")["frames"],
        "clip": clip_of(take, signed(shown) if (shown := playable(take)) else ""),
        "thumb": signed(take.thumb) if take.thumb else "",
        "verdict": str(take.review_state),
        "verdict_label": str(take.get_review_state_display()),
        "selected": take.selected,
        "stale": take.stale_since is not None,
        "simulated": take.simulated,
    }


def playable(take: Any) -> Artifact | None:
    """The file a browser shows of this take: the proxy where there is one, else an original it can read."""
    shown: Artifact | None = take.shown
    return shown if shown is not None and shown.media_type in PICTURES | VIDEOS else None


def clip_of(take: Any, url: str) -> dict[str, Any]:
    """Say which frames of a take's file the shot shows; see clip.js for what the names mean."""
    shown = playable(take)
    held = _held_frames(take.shot, take.length)
    if shown is None:
        return NOWHERE | {"frames": held}
    size = {"url": url, "width": shown.width, "height": shown.height}
    if shown.media_type in PICTURES:
        return NOWHERE | size | {"kind": "image", "frames": held}
    fps = shown.fps or take.shot.project.fps
    told = lengths_of(take, take.original) if take.original else None
    start, end, speed, frames = 0, shown.frames, fps / take.shot.project.fps, 0
    if told is not None:
        start, end, speed = told.conform.start, told.conform.end, float(told.conform.speed)
        frames = 0 if told.conform.missing else told.conform.length.total
    # The proxy has every frame of the original; one that is shorter is shown as far as it goes.
    end = max(start + 1, min(end, shown.frames))
    length = frames or max(1, round((end - start) / speed if speed else 1))
    return size | {
        "kind": "video",
        "fps": fps,
        "start": start,
        "end": end,
        "speed": speed,
        "frames": length,
    }


def frames_of(take: Take) -> int | None:
    """Return how many frames of a take its page plays; None where no file tells yet."""
    (own,) = with_files([take])
    if playable(own) is None:
        return None
    frames: int = clip_of(own, "")["frames"]
    return frames


def _held_frames(shot: Shot, length: Mapping[str, Any]) -> int:
    """How long a picture stands: as long as its shot, handles and all."""
    wanted = (length or {}).get("wanted") or {}
    if wanted:
        return int(wanted["frames"]) + int(wanted.get("head", 0)) + int(wanted.get("tail", 0))
    return shot.frames + 2 * shot.handles
