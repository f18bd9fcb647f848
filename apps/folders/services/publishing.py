"""The media worker brings a file to its published path, whole or not at all."""

from __future__ import annotations

import logging
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.errors import Refused
from apps.common.machines import move
from apps.folders.language.names import fold
from apps.folders.models import Publication
from apps.folders.selectors import layout_of
from apps.folders.services.wanting import free_version
from apps.folders.states import PUBLICATION, Published
from apps.folders.store import Root, Taken, the_root
from apps.workflows.saidwords import in_words
from workflows.wording import Said

logger = logging.getLogger(__name__)

ACTOR: Final = "media"
MOST_TRIES: Final = 50


def publish(publication_id: UUID) -> None:
    """Bring one file to its path. A second call changes nothing.

    Where somebody else's file stands at the path, the next free version is taken; nothing is overwritten.
    OSError from a store goes up and leaves the row as it is: the leader asks again.
    """
    row = (
        Publication.objects.filter(pk=publication_id, state=Published.WANTED)
        .select_related("template")
        .first()
    )
    if row is None:
        logger.info("nothing to publish", extra={"publication": str(publication_id)})
        return
    root = the_root()
    for _try in range(MOST_TRIES):
        try:
            how = _land(root, row)
        except FileNotFoundError:
            _close(row, Published.FAILED, problem=_("%s is not in the artifact store.") % row.source_key)
            return
        except ValueError as exc:
            _close(row, Published.FAILED, problem=str(exc))
            return
        except Taken as taken:
            if not _next_version(row):
                told = taken.told
                _close(row, Published.FAILED, problem=in_words(told) if isinstance(told, Said) else str(told))
                return
            root.forget()
        else:
            _close(row, Published.PUBLISHED, how=how, published_at=timezone.now())
            return
    _close(row, Published.FAILED, problem=_("Files of somebody else stand at this path and the next ones."))


def _land(root: Root, row: Publication) -> str:
    if root.stands(row.path) == "file" and root.sum_of(row.path) == row.sha256:
        return row.how or "there"  # it was brought before, and the word of it was lost
    return root.land(row.source_key, row.path, sha256=row.sha256)


def _next_version(row: Publication) -> bool:
    """Give the row the next version that is free; False where the path has none to count."""
    rule = layout_of(row.template).file(row.stage)
    values = rule.read(row.path) if rule else None
    if rule is None or values is None:
        return False
    try:
        version, path = free_version(rule, dict(values), row.version + 1)
        with transaction.atomic():
            Publication.objects.filter(pk=row.pk, state=Published.WANTED).update(
                version=version, path=path, path_key=fold(path)
            )
    except (Refused, IntegrityError):
        return False
    row.version, row.path = version, path
    return True


def _close(row: Publication, to: Published, **changes: Any) -> None:
    move(
        PUBLICATION,
        row,
        from_=(Published.WANTED,),
        to=to,
        actor=ACTOR,
        reason=changes.get("problem", ""),
        story=row.take.job_id if row.take else None,
        data={"path": row.path},
        changes=changes,
    )
    logger.info(
        "published" if to is Published.PUBLISHED else "not published", extra={"path": row.path, **changes}
    )
