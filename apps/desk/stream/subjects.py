"""What a piece of news is about: the kind people know, the project it belongs to, what it is part of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model

from apps.common.ids import uuid_in
from apps.common.news import MISSED, PERSONAL, STORY, News
from apps.folders.models import Publication
from apps.keeping.models import ProjectArchive
from apps.materials.models import Material
from apps.productions.models import Shot
from apps.renders.models import Job
from apps.review.models import Take
from apps.sheets.models import ImportBatch


@dataclass(frozen=True)
class Subject:
    """A kind of thing of a project. ``within``: columns with the keys of what it is part of."""

    kind: str
    model: type[Model]
    within: tuple[str, ...] = ()


_JOB: Final = Subject("job", Job, ("batch_id", "shot_id"))
_TAKE: Final = Subject("take", Take, ("shot_id", "job_id"))
OF_PROJECTS: Final[Mapping[str, Subject]] = {
    "job": _JOB,
    STORY: _JOB,
    "take_media": _TAKE,
    "take_review": _TAKE,
    "take_selection": _TAKE,
    "shot": Subject("shot", Shot, ("sequence_id",)),
    "material": Subject("material", Material, ("shot_id",)),
    "publication": Subject("publication", Publication),
    "import batch": Subject("import", ImportBatch),
    "archive": Subject("archive", ProjectArchive),
}
"""By the kinds that tellers use, without saying the project."""
OF_THE_FARM: Final[Mapping[str, str]] = {
    **dict.fromkeys(("node", "node_desired", "node_health", "node_software"), "node"),
    **{kind: kind for kind in ("farm", "waits", "proof", "template", "template_version", "shot_status")},
    **{kind: kind for kind in ("preset", "preset_category", "preset_rule", "look")},
}
"""What all projects share. What stands nowhere here, and names no project, is told to nobody."""


@dataclass(frozen=True)
class Change:
    """Things of one kind that changed in one project ("": the farm's), and keys of what they are part of.

    ``kind`` MISSED says that something is missing here; PERSONAL has the key of the one person who may hear.
    """

    kind: str
    project: str
    ids: tuple[str, ...]
    within: tuple[str, ...] = ()


def changes_in(entries: Sequence[Sequence[News]]) -> list[list[Change]]:
    """Find out what these entries are about; one query for each kind in them, however many there are."""
    known = _look_up(one for entry in entries for one in entry)
    return [[change for one in entry for change in _changes(one, known)] for entry in entries]


Known = Mapping[Subject, Mapping[str, tuple[str, tuple[str, ...]]]]
"""By subject and id: the project, and what it is part of."""


def _look_up(news: Iterable[News]) -> Known:
    asked: dict[Subject, set[str]] = defaultdict(set)
    for one in news:
        if not one.project and one.kind in OF_PROJECTS:
            asked[OF_PROJECTS[one.kind]].update(one.ids)
    return {subject: _read(subject, ids) for subject, ids in asked.items()}


def _read(subject: Subject, ids: Iterable[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    keys = [key for text in ids if (key := uuid_in(text)) is not None]
    rows: Any = subject.model._default_manager.filter(pk__in=keys).order_by()
    return {
        str(key): (str(project), tuple(str(one) for one in within if one))
        for key, project, *within in rows.values_list("pk", "project_id", *subject.within)
    }


def _changes(one: News, known: Known) -> Iterator[Change]:
    if one.kind == MISSED or one.project:
        yield Change(one.kind, one.project, one.ids)
    elif one.kind == PERSONAL:
        yield from (Change(PERSONAL, "", (person,)) for person in one.ids)
    elif one.kind in OF_THE_FARM:
        yield Change(OF_THE_FARM[one.kind], "", one.ids)
    elif subject := OF_PROJECTS.get(one.kind):
        found = known[subject]
        by_project: dict[str, list[str]] = defaultdict(list)
        for text in one.ids:
            if text in found:
                by_project[found[text][0]].append(text)
        for project, ids in by_project.items():
            within = dict.fromkeys(key for text in ids for key in found[text][1])
            yield Change(subject.kind, project, tuple(ids), tuple(within))
