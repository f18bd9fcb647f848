"""A film as large as they come, written by the database itself: rows are copies of a sample, in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import Model

from apps.common.models import StateEvent
from apps.ledger.models import Activity
from apps.productions.models import Sequence, Shot, ShotCharacter, ShotPreset
from apps.renders.models import Job, RenderBatch
from apps.review.models import Artifact, ArtifactRole, Take
from tests.factories import ArtifactFactory
from tests.integration.admin.rows import everything_of

TAKES_PER_SHOT = 5
BATCHES = 2_000
NOW = "now() - n * interval '1 second'"


@contextmanager
def in_bulk() -> Iterator[None]:
    """Build indexes when all rows are there, and check no keys: what is copied has right ones."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c"
            " ON c.oid = indrelid WHERE c.relnamespace = 'public'::regnamespace AND NOT indisunique"
        )
        indexes = dict(cursor.fetchall())
        for name in indexes:
            cursor.execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for made_so in indexes.values():
                cursor.execute(made_so)
            cursor.execute("SET session_replication_role = DEFAULT")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as PostgreSQL does by itself, a minute later


def copies(sample: Model, source: str, **told: str) -> int:
    """Insert a copy of a row for each row of ``source``; return how many. ``told``: column → SQL for it."""
    table = sample._meta.db_table
    columns = [str(field.column) for field in sample._meta.concrete_fields]
    auto = sample._meta.pk.get_internal_type() == "BigAutoField"
    if auto:
        columns.remove("id")
    else:
        told = {"id": "gen_random_uuid()", **told}
    values = ", ".join(told.get(column, f's."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # joins are planned by how many rows there are now
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {values} FROM "{table}" s, {source} WHERE s.id = %s',
            [sample.pk],
        )
        return int(cursor.rowcount)


@in_bulk()
def grow(shot: Shot, *, sequences: int, shots: int) -> None:
    """Make a film of so many sequences of so many shots like this one, each with cast, presets, jobs, takes,
    files and a story.
    """
    made = everything_of(shot)
    sequence, take, job = made["sequence"], made["take"], made["job"]
    copies(
        sequence,
        f"generate_series(1, {sequences}) n",
        code="'SQ' || lpad(n::text, 5, '0')",
        order="n",
    )
    copies(
        shot,
        f"(SELECT q.id AS of, n FROM {Sequence._meta.db_table} q, generate_series(1, {shots}) n"
        f" WHERE q.project_id = '{shot.project_id}' AND q.id <> '{sequence.pk}') g",
        sequence_id="g.of",
        code="'SH' || lpad(n::text, 4, '0')",
        order="n",
        created_at=NOW,
    )
    ours = f"project_id = '{shot.project_id}' AND id <> '{shot.pk}'"
    every = f"(SELECT id AS of, row_number() OVER () AS n FROM {Shot._meta.db_table} WHERE {ours}) g"
    copies(ShotCharacter.objects.get(shot=shot), every, shot_id="g.of")
    copies(ShotPreset.objects.get(shot=shot), every, shot_id="g.of")
    story = Activity.objects.create(
        project=shot.project_id, actor="cora", verb="changed", kind="shot", object_id=str(shot.pk)
    )
    copies(story, every, object_id="g.of::text")
    batch = RenderBatch.objects.get(pk=job.batch_id)
    copies(
        batch,
        f"generate_series(1, {BATCHES}) n",
        code="'B' || n || right(s.id::text, 6)",
        idempotency_key="'grown ' || n",
        created_at=NOW,
    )
    each = (
        "(SELECT e.*, b.id AS batch FROM"
        f" (SELECT id AS of, k, row_number() OVER () AS n FROM {Shot._meta.db_table},"
        f" generate_series(1, {TAKES_PER_SHOT}) k WHERE {ours}) e JOIN"
        f" (SELECT id, row_number() OVER () AS m FROM {RenderBatch._meta.db_table}"
        f" WHERE project_id = '{shot.project_id}') b ON b.m = 1 + mod(e.n, {BATCHES})) g"
    )
    Job.objects.filter(pk=job.pk).update(state="succeeded", lane=None)
    copies(
        job,
        each,
        shot_id="g.of",
        batch_id="g.batch",
        code="'J' || lpad(n::text, 7, '0') || right(s.id::text, 6)",
        take_number="k",
        created_at=NOW,
    )
    done = (
        "(SELECT id AS job, shot_id AS of, take_number AS k, row_number() OVER () AS n"
        f" FROM {Job._meta.db_table} WHERE project_id = '{shot.project_id}' AND id <> '{job.pk}') g"
    )
    copies(
        take,
        done,
        shot_id="g.of",
        job_id="g.job",
        attempt_id="gen_random_uuid()",
        number="k",
        created_at=NOW,
        review_state="(ARRAY['pending', 'approved', 'retake'])[1 + mod(n, 3)]",
    )
    taken = (
        f"(SELECT id AS take FROM {Take._meta.db_table}"
        f" WHERE project_id = '{shot.project_id}' AND id <> '{take.pk}') g"
    )
    for role in (ArtifactRole.PRIMARY, ArtifactRole.THUMBNAIL):
        file = Artifact.objects.filter(take=take, role=role).first() or ArtifactFactory.create(
            take=take, role=role
        )
        copies(file, taken, take_id="g.take", key=f"'grown/{role}/' || g.take")
    event = StateEvent.objects.filter(story=job.pk).first()
    if event is not None:
        copies(event, done, story="g.job", subject="g.job", at=NOW)
