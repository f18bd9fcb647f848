"""Change and delete what shots stand in: episodes, sequences, locations; delete an untouched shot."""

from __future__ import annotations

from typing import TypedDict, Unpack

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.numbering import CODE_RULE, is_code
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.ledger.services.removing import remove
from apps.ledger.services.versions import revise
from apps.productions.locking import require_unlocked
from apps.productions.models import Episode, Location, Sequence, Shot
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require


class LocationTexts(TypedDict, total=False):
    """What may be said of a new location beside code and name."""

    name_ko: str
    prompt: str
    prompt_ko: str


class OutlineFields(TypedDict, total=False):
    """What may be said of an episode, a sequence or a location; each has its own of these."""

    code: str
    name: str
    name_ko: str
    order: int
    episode: Episode | None
    prompt: str
    prompt_ko: str


def create_location(
    *, project: Project, code: str, name: str, user: User | None, **fields: Unpack[LocationTexts]
) -> Location:
    """Create a location under a typed code. Raises Refused for a bad or taken code, NotAllowed."""
    if user is not None:
        require(user, Act.PLAN, project)
    _check_code(code)
    location = Location(project=project, code=code, name=name.strip(), **fields)
    clean(location)
    with changing(Location, actor=user) as change:
        location.save(force_insert=True)
        change.born(location)
    return location


def update_outline(
    row: Episode | Sequence | Location, *, user: User, row_version: int, **fields: Unpack[OutlineFields]
) -> None:
    """Change what is named. Raises Stale if somebody changed it meanwhile, Refused, NotAllowed."""
    require(user, Act.PLAN, row.project)
    if "code" in fields:
        _check_code(fields["code"])
    episode = fields.get("episode")
    if episode is not None and episode.project_id != row.project_id:
        raise Refused(Problem("episode", episode.code, _("this episode belongs to another project")))
    revise(row, user=user, row_version=row_version, **fields)


def delete_outline(row: Episode | Sequence | Location, *, user: User, row_version: int) -> None:
    """Delete what no shot (or sequence) stands in. Raises Refused, naming what does; Stale; NotAllowed."""
    require(user, Act.MANAGE, row.project)
    remove(row, user=user, row_version=row_version)


def delete_shot(shot: Shot, *, user: User, row_version: int) -> None:
    """Delete a shot of which nothing was made yet. Refused otherwise: omit it then."""
    require(user, Act.MANAGE, shot.project)
    require_unlocked(shot)
    remove(shot, user=user, row_version=row_version)


def _check_code(code: str) -> None:
    if not is_code(code):
        raise Refused(Problem("code", code, CODE_RULE, code="invalid_code"))
