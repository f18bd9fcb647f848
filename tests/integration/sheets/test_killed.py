"""A process that writes an import is killed half-way: nothing of it stands, and the same import goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.utils import timezone

from apps.common.models import StateEvent
from apps.ledger.models import Activity, Batch
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.sheets.models import ImportBatch, Work
from apps.sheets.services import doing
from apps.sheets.services.doing import PATIENCE, ask_again, do_work
from apps.sheets.states import BatchState
from tests.integration.sheets.film import bring, csv_of, everything, make_film

ROOT = Path(__file__).resolve().parents[3]

DYING = """
import sys, time
import django
django.setup()
from django.db import connection
from apps.accounts.models import User
from apps.sheets.models import ImportBatch
from apps.sheets.services.asking import confirm

def half_way(execute, sql, params, many, context):
    done = execute(sql, params, many, context)
    if sql.startswith('INSERT INTO "productions_shot"'):
        sys.stdout.write("half way\\n")
        sys.stdout.flush()
        time.sleep(600)
    return done

batch = ImportBatch.objects.select_related("project", "by").get()
with connection.execute_wrapper(half_way):
    confirm(batch, user=batch.by)
"""
"""Press Confirm; when the shots are written, and before anything is committed, stand still."""


def database_url() -> str:
    """The database of this test, for another process."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite://{told['NAME']}"
    where = f":{told['PASSWORD']}@{told['HOST']}:{told['PORT']}" if told["HOST"] else "@"
    return f"postgresql://{told['USER']}{where}/{told['NAME']}?{urlencode({'host': told['OPTIONS']['host']})}"


def written() -> list[Any]:
    """All that an import writes."""
    counts = [model._default_manager.count() for model in (Activity, Batch, StateEvent)]
    return [everything(), counts]


@pytest.mark.django_db(transaction=True)
def test_an_import_whose_process_is_killed_half_way_leaves_nothing_and_is_written_afterwards(
    artifact_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_film()
    rows = [["SQ010", f"SH{number:04}", f"shot {number}", 49] for number in range(100, 400, 10)]
    content = csv_of([["sequence", "code", "description", "frames"], *rows])
    batch = bring(Project.objects.get(), user, content, "shots.csv", create=True)
    assert batch.state == BatchState.PLANNED
    before = written()

    process = subprocess.Popen(
        [sys.executable, "-c", DYING],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "farm.settings",
            "DATABASE_URL": database_url(),
            "SHOTFARM_ARTIFACTS": str(artifact_root),
            "SHOTFARM_VAR": str(tmp_path / "var"),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half way\n"
        process.kill()

    assert written() == before
    batch.refresh_from_db()
    assert (batch.state, batch.work) == (BatchState.PLANNED, Work.APPLY)

    asked: list[Any] = []
    monkeypatch.setattr(doing, "request_work", asked.append)
    ImportBatch.objects.update(begun_at=timezone.now() - 2 * PATIENCE)
    ask_again(timedelta(seconds=30))
    assert asked == [batch.pk]
    do_work(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.problems) == (BatchState.APPLIED, [])
    assert Shot.objects.filter(description__startswith="shot ").count() == len(rows)
