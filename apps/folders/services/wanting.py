"""Which files of which takes are to be published, and where: the row comes first, the file follows."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.machines import move, record_event
from apps.folders.language.fields import Value
from apps.folders.language.names import fold
from apps.folders.language.template import Template, Unwritable
from apps.folders.models import PathTemplate, ProjectFolders, Publication, PublishWhen
from apps.folders.selectors import layout_of
from apps.folders.services.layouts import hold, mark_used
from apps.folders.services.queueing import request_folders, request_publication
from apps.folders.states import PUBLICATION, Published
from apps.folders.subjects import values_of
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.states import Media, Review
from apps.workflows.saidwords import in_words

logger = logging.getLogger(__name__)

FARM: Final = "farm"
PATIENCE: Final = timedelta(seconds=60)
LONG_PATIENCE: Final = timedelta(minutes=15)
MOST_VERSIONS: Final = 1000
_ENDING: Final = re.compile(r"\.([a-z0-9]{1,8})\Z")


def publish_take(take: Take, *, user: User | None, actor: str = FARM) -> list[Publication]:
    """Have a take's originals brought to their published paths; what failed is tried again.

    Twice is once: a file has one published path for good. Raises Refused where the layout or the take allows
    none, NotAllowed unless ``user`` plans the shot (None: the farm itself).
    """
    if user is not None:
        require(user, Act.PLAN, take.project, shot=take.shot_id, stage=take.stage)
        actor = user.get_username()
    if take.media_state in {Media.BROKEN, Media.MISSING}:
        told = _("this take's file is %s; there is nothing to publish") % take.get_media_state_display()
        raise Refused(Problem("take", str(take), told, code="no_media"))
    originals = list(take.artifacts.filter(role=ArtifactRole.PRIMARY).order_by("key"))
    if not originals:
        raise Refused(Problem("take", str(take), _("this take has no file to publish"), code="no_media"))
    return [_want(take, original, place, actor) for place, original in enumerate(originals, start=1)]


def _want(take: Take, original: Artifact, place: int, actor: str) -> Publication:
    known = Publication.objects.filter(artifact_id=original.pk).first()
    if known is None:
        return _first_time(take, original, place, actor)
    again = known.state == Published.FAILED and move(
        PUBLICATION, known, from_=(Published.FAILED,), to=Published.WANTED, actor=actor,
        story=take.job_id, changes={"problem": ""},
    )  # fmt: skip
    if again:
        transaction.on_commit(partial(request_publication, known.pk))
        known.refresh_from_db()
    return known


def _first_time(take: Take, original: Artifact, place: int, actor: str) -> Publication:
    template = hold(take.project).template
    rule = _rule(template, take)
    values = _values(take, original, place)
    try:
        with transaction.atomic():
            version, path = free_version(rule, values, take.number)
            made = Publication.objects.create(
                project=take.project,
                shot=take.shot,
                take=take,
                artifact_id=original.pk,
                source_key=original.key,
                template=template,
                stage=take.stage,
                version=version,
                path=path,
                path_key=fold(path),
                bytes=original.bytes,
                sha256=original.sha256,
                asked_by=actor,
            )
            record_event(PUBLICATION, made.pk, to=Published.WANTED, actor=actor, story=take.job_id)
            mark_used(template)
            transaction.on_commit(partial(request_publication, made.pk))
    except IntegrityError:  # somebody else asked for this file at the same moment, or took the path
        known = Publication.objects.filter(artifact_id=original.pk).first()
        return known or _first_time(take, original, place, actor)
    return made


def free_version(rule: Template, values: dict[str, Value | None], first: int) -> tuple[int, str]:
    """Return the first version from ``first`` on whose path nothing was given to, with that path.

    Raises Refused where the values make no path.
    """
    for version in range(first, first + MOST_VERSIONS):
        try:
            path = rule.write({**values, "version": version})
        except Unwritable as exc:
            raise Refused(Problem("path", rule.source, in_words(exc.told), code="unwritable")) from exc
        if not Publication.objects.filter(path_key=fold(path)).exists():
            return version, path
    raise Refused(Problem("version", str(first), _("no version from here on is free"), code="taken"))


def _rule(template: PathTemplate, take: Take) -> Template:
    rule = layout_of(template).file(take.stage)
    if rule is None:
        told = _("the layout %(layout)s says nothing about files of this stage; add a line: file %(stage)s …")
        facts = {"layout": template, "stage": take.stage}
        raise Refused(Problem("stage", take.stage, told % facts, code="no_rule"))
    return rule


def _values(take: Take, original: Artifact, place: int) -> dict[str, Value | None]:
    ending = _ENDING.search(original.key.lower())
    if ending is None:
        told = _("its name has no ending that a file could have, such as .png or .mp4")
        raise Refused(Problem("file", original.key, told, code="no_ending"))
    return {
        **values_of(take.shot),
        "stage": take.stage,
        "take": take.number,
        "ext": ending[1],
        "suffix": f"{place:02}" if place > 1 else None,
    }


def hear_verdict(sender: Any, *, take: UUID, verdict: str, actor: str, **_told: Any) -> None:
    """An approved take is published, where its project wants that."""
    if verdict == Review.APPROVED:
        publish_if_wanted(take, (PublishWhen.APPROVED,), actor)


def hear_selection(sender: Any, *, take: UUID | None, actor: str, **_told: Any) -> None:
    """A selected take is published, where its project wants that."""
    if take is not None:
        publish_if_wanted(take, (PublishWhen.SELECTED, PublishWhen.APPROVED), actor)


def publish_if_wanted(take_id: UUID, when: Iterable[str], actor: str) -> bool:
    """Publish a take where its project wants that now; False, and logged, where it cannot be published."""
    wanted = ProjectFolders.objects.filter(
        project__takes=take_id, publish__in=list(when), confirmed_at__isnull=False
    )
    if not wanted.exists():
        return True
    take = Take.objects.select_related("project", "shot__sequence__episode", "shot__project").get(pk=take_id)
    try:
        publish_take(take, user=None, actor=actor)
    except Refused as refused:
        logger.warning("take not published", extra={"take": str(take_id), "why": str(refused)})
        return False
    return True


def ask_again() -> None:
    """Repeat what was asked of the media worker and is not done: the message may be lost."""
    now = timezone.now()
    waiting = Publication.objects.filter(state=Published.WANTED, updated_at__lt=now - PATIENCE)
    for key in list(waiting.order_by("updated_at").values_list("pk", flat=True)[:100]):
        Publication.objects.filter(pk=key).update(updated_at=now)
        request_publication(key)
    late = ProjectFolders.objects.filter(wanted_at__isnull=False, asked_at__lt=now - LONG_PATIENCE)
    for project in list(late.values_list("project", flat=True)[:20]):
        ProjectFolders.objects.filter(project=project).update(asked_at=now)
        request_folders(project)
