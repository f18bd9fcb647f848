"""Write a shot's prompt by hand, and give it back to the composer."""

from __future__ import annotations

import unicodedata
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.ledger.services.recording import changing
from apps.productions.locking import require_unlocked
from apps.productions.models import Shot
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.prompts.aspects import aspects_of
from apps.prompts.models import PromptEdit, Spoken
from apps.prompts.selectors import houses_of, inputs_for

LONGEST: Final = 20_000
"""Characters of a text written by hand: no encoder reads a tenth of it."""


def edit_prompt(
    shot: Shot,
    *,
    user: User,
    channel: str,
    positive: str | None,
    negative: str | None,
    row_version: int = 0,
) -> PromptEdit:
    """Keep what somebody wrote for this channel; it renders in place of the composed text.

    None leaves a text to the composer; an empty negative is none at all. ``row_version``: of the edit that
    was read, 0 if there was none.
    Raises NotAllowed, Refused for what cannot be a prompt, Conflict if somebody else has written meanwhile.
    """
    require(user, Act.PLAN, shot.project, shot=shot.pk)
    require_unlocked(shot)
    _check(channel, positive, negative)
    house = houses_of([shot])[shot.project_id]
    facts = inputs_for([shot])[shot.pk]
    said = {
        "positive": _tidy(positive),
        "negative": _tidy(negative),
        "language": house.language,
        "basis": aspects_of(facts, channel=channel, language=house.language),
        "edited_by": user.get_username(),
    }
    kept = PromptEdit.objects.filter(shot=shot, channel=channel)
    with changing(PromptEdit, kept.values_list("pk", flat=True), actor=user) as change:
        if row_version:
            changed = kept.filter(row_version=row_version).update(
                **said, row_version=row_version + 1, updated_at=timezone.now()
            )
            if not changed:
                raise _stale(kept.first(), row_version)
            return kept.get()
        try:
            with transaction.atomic():
                edit = PromptEdit.objects.create(shot=shot, channel=channel, row_version=1, **said)
        except IntegrityError as exc:
            raise _stale(kept.first(), row_version) from exc
        change.born(edit)
        return edit


def drop_edit(shot: Shot, *, user: User, channel: str, row_version: int) -> bool:
    """Give a channel's text back to the composer; return False if nobody had written any.

    Raises NotAllowed, Conflict if somebody else has written meanwhile.
    """
    require(user, Act.PLAN, shot.project, shot=shot.pk)
    require_unlocked(shot)
    kept = PromptEdit.objects.filter(shot=shot, channel=channel)
    with changing(PromptEdit, kept.values_list("pk", flat=True), actor=user):
        gone, _by_model = kept.filter(row_version=row_version).delete()
        if gone:
            return True
        there = kept.first()
        if there is not None:
            raise _stale(there, row_version)
    return False


def _check(channel: str, positive: str | None, negative: str | None) -> None:
    problems: list[Problem] = []
    if channel not in Spoken.values:
        problems.append(Problem("channel", channel, _("use one of %s") % ", ".join(Spoken.values)))
    if positive is None and negative is None:
        told = _("write a positive or a negative text, or drop the edit")
        problems.append(Problem("positive", "", told, code="required"))
    if positive is not None and not positive.strip():
        told = _("write something, or leave the positive text to the composer")
        problems.append(Problem("positive", "", told, code="required"))
    for name, text in (("positive", positive), ("negative", negative)):
        if text is not None and len(text) > LONGEST:
            told = _("write at most %d characters") % LONGEST
            problems.append(Problem(name, f"{text[:40]}…", told, code="too_long"))
    if problems:
        raise Refused(*problems)


def _tidy(text: str | None) -> str | None:
    """Composed Unicode, no blanks at the ends of lines; what stands between is the writer's."""
    if text is None:
        return None
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def _stale(there: PromptEdit | None, row_version: int) -> Conflict:
    if there is None:
        told = _("somebody has given this text back to the composer meanwhile; look at it again")
    else:
        told = _("%(user)s has written this text meanwhile (version %(version)d); look at it again")
        told %= {"user": there.edited_by, "version": there.row_version}
    return Conflict(Problem("row_version", str(row_version), told, code="stale"))
