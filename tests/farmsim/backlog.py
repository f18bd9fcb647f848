"""A backlog of any size, at once: copies of jobs that the real ``submit`` made, in PostgreSQL's own hands.

Every column is copied from a submitted job, but for those that tell jobs apart (:data:`OWN`), so whatever
submit learns to write, the backlog has too. ``tests/integration/farmsim/test_backlog.py`` compares them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.common.codes import next_number, next_numbers
from apps.common.models import StateEvent
from apps.productions.models import Shot
from apps.renders.models import Job
from apps.renders.services import bus
from apps.renders.services.lanes import wake
from apps.renders.services.making import FARM_SCOPE

SEED: Final = "((p.seed + 1000 * t.take) %% 9007199254740991)"
OWN: Final = {
    # A UUIDv7 whose time grows with the place in the sequence, so that keys are written in order.
    "id": "(lpad(to_hex((%(began)s::bigint + t.n / 100)), 12, '0') || '7'"
    " || lpad(to_hex(t.n %% 4096), 3, '0') || '8' || substr(md5(random()::text), 1, 15))::uuid",
    # to_char would fill with # beyond six digits, lpad cut
    "code": "'J' || CASE WHEN %(code)s + t.n < 1000000 THEN lpad((%(code)s + t.n)::text, 6, '0')"
    " ELSE (%(code)s + t.n)::text END",
    "take_number": "t.take",
    "seed": SEED,
    "values": f"CASE WHEN p.values ? 'seed' THEN jsonb_set(p.values, '{{seed}}', to_jsonb({SEED}))"
    " ELSE p.values END",
    "created_at": "now()",
    "updated_at": "now()",
    "ready_at": "now() + t.n * interval '1 microsecond'",
}
"""How each column of a copy differs from its pattern ``p``, where ``t.n`` counts from 1."""

Submit = Callable[..., list[str]]


@transaction.atomic
def fill(project: str, sequence: Sequence[str], *, submit: Submit, priority: int = 10) -> list[str]:
    """Make a job per template in ``sequence``; return their ids in order. PostgreSQL only.

    First a job per template and shot is submitted, as patterns. They wait, too, and are not returned. All
    happens in one transaction: a pattern that had been dispatched meanwhile would be copied as it is then.
    """
    if connection.vendor != "postgresql":
        raise NotImplementedError(
            f"a backlog is made by PostgreSQL; this farm's database is {connection.vendor}"
        )
    patterns: dict[str, list[Job]] = {}
    for template in dict.fromkeys(sequence):
        shots = _shots_of(project)
        ids = submit(project, template, shots, priority=priority)
        patterns[template] = list(Job.objects.filter(pk__in=ids).order_by("code"))
    return _copy(sequence, patterns)


def _shots_of(project: str) -> int:
    return Shot.objects.filter(project__code=project).count()


def _copy(sequence: Sequence[str], patterns: dict[str, list[Job]]) -> list[str]:
    chosen = [
        patterns[template][number % len(patterns[template])] for number, template in enumerate(sequence)
    ]
    takes = _take_numbers(chosen)
    first_code = next_number(scope=FARM_SCOPE, kind="job", step=len(chosen)) - len(chosen)
    columns = [str(field.column) for field in Job._meta.concrete_fields]
    quoted = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(OWN.get(column, f'p."{column}"') for column in columns)
    rows = "unnest(%(patterns)s::uuid[], %(takes)s::int[]) WITH ORDINALITY AS t(pattern, take, n)"
    table = Job._meta.db_table
    statement = (
        f'INSERT INTO "{table}" ({quoted}) SELECT {values} FROM {rows}'  # noqa: S608 - our own names
        f' JOIN "{table}" p ON p.id = t.pattern ORDER BY t.n RETURNING id, code'
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT (extract(epoch FROM now()) * 1000)::bigint")
        began = cursor.fetchone()[0]
        cursor.execute(
            statement,
            {
                "patterns": [job.pk for job in chosen],
                "takes": takes,
                "code": first_code,
                "began": began,
            },
        )
        made = sorted(cursor.fetchall(), key=lambda row: (len(row[1]), row[1]))
        _tell_events(cursor, [row[0] for row in made], [job.pk for job in chosen])
    wake({job.lane_id for job in chosen})
    transaction.on_commit(bus.poke)
    return [str(row[0]) for row in made]


def _take_numbers(chosen: list[Job]) -> list[int]:
    """Reserve take numbers, as submit does."""
    wanted: dict[str, Counter[UUID]] = {}
    for job in chosen:
        wanted.setdefault(job.kind, Counter())[job.shot_id] += 1
    free = {
        (shot, kind): last - counts[shot]
        for kind, counts in wanted.items()
        for shot, last in next_numbers(f"take:{kind}", counts).items()
    }
    takes = []
    for job in chosen:
        free[job.shot_id, job.kind] += 1
        takes.append(free[job.shot_id, job.kind])
    return takes


def _tell_events(cursor: CursorWrapper, ids: list[UUID], patterns: list[UUID]) -> None:
    """Copy the pattern's event, about the copy."""
    columns = [str(field.column) for field in StateEvent._meta.concrete_fields if field.column != "id"]
    own = {"story": "t.job", "subject": "t.job", "at": "now()"}
    quoted = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(own.get(column, f'e."{column}"') for column in columns)
    table = StateEvent._meta.db_table
    cursor.execute(
        f'INSERT INTO "{table}" ({quoted}) SELECT {values}'  # noqa: S608 - our own names
        " FROM unnest(%(ids)s::uuid[], %(patterns)s::uuid[]) AS t(job, pattern)"
        f" JOIN \"{table}\" e ON e.subject = t.pattern AND e.machine = 'job' AND e.from_state = ''",
        {"ids": ids, "patterns": patterns},
    )
