"""Run by tests.bench.sheets in a process of its own: prints what a shot list takes, one JSON object."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django

django.setup()

# Models can be had once Django is set up.
from django.db import connection  # noqa: E402
from openpyxl import load_workbook  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.characters.models import Character  # noqa: E402
from apps.presets.models import CinematicPreset  # noqa: E402
from apps.productions.models import Location, Sequence, Shot, ShotCharacter, ShotPreset  # noqa: E402
from apps.projects.models import Project  # noqa: E402
from apps.sheets.exporting import export  # noqa: E402
from apps.sheets.models import ImportBatch, Work  # noqa: E402
from apps.sheets.services.doing import do_work  # noqa: E402
from apps.sheets.services.uploading import upload  # noqa: E402
from tests.factories import MembershipFactory, ProjectFactory  # noqa: E402

SHOTS, PER_SEQUENCE, EVERY = 5_000, 50, 10
TEXT = "A girl walks along the quay while the ice groans; the camera keeps low. 한 소녀가 부두를 따라 걷는다."


def film() -> tuple[Project, User]:
    """A film of SHOTS shots, each framed and with a cast of one: twice as many rows."""
    project = ProjectFactory.create(code="BENCH")
    user: User = MembershipFactory.create(project=project).user
    place = Location.objects.create(project=project, code="LOC01", name="Harbour")
    gerda = Character.objects.create(project=project, code="CH0001", name="Gerda")
    presets = list(CinematicPreset.objects.order_by("category__order", "order")[:40])
    sequences = [
        Sequence(project=project, code=f"SQ{number:04}", name=f"Sequence {number}", order=number)
        for number in range(SHOTS // PER_SEQUENCE)
    ]
    Sequence.objects.bulk_create(sequences)
    shots = [
        Shot(
            project=project,
            sequence=sequences[number // PER_SEQUENCE],
            code=f"SH{number % PER_SEQUENCE:04}",
            order=number,
            status_id="ready",
            description=f"{number} {TEXT}",
            description_ko=TEXT,
            frames=48 + number % 100,
            location=place,
            weather="snow",
        )
        for number in range(SHOTS)
    ]
    Shot.objects.bulk_create(shots, batch_size=1000)
    casting = [ShotCharacter(shot=shot, character=gerda, action="walks") for shot in shots]
    ShotCharacter.objects.bulk_create(casting, batch_size=1000)
    used = [ShotPreset(shot=shot, preset=presets[place % 40]) for place, shot in enumerate(shots)]
    ShotPreset.objects.bulk_create(used, batch_size=1000)
    return project, user


def changed(content: bytes) -> bytes:
    """The same workbook, every tenth shot of another length."""
    workbook = load_workbook(io.BytesIO(content))
    sheet: Any = workbook["Shots"]
    frames = [cell.value for cell in sheet[1]].index("frames") + 1
    for row in range(2, sheet.max_row + 1, EVERY):
        sheet.cell(row, frames).value = 7
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def read_raw(content: bytes) -> float:
    """How long openpyxl takes to read every cell and do nothing."""
    begun = time.perf_counter()
    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    for sheet in workbook.worksheets:
        for _row in sheet.iter_rows(values_only=True):
            pass
    return time.perf_counter() - begun


@contextmanager
def peak() -> Iterator[list[float]]:
    """How much memory this process holds at most meanwhile, in MB."""
    most, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            held = int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
            most[0] = max(most[0], held)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()


def worked(batch: ImportBatch, work: Work) -> float:
    """Have the work done as the media worker does it; return the seconds."""
    ImportBatch.objects.filter(pk=batch.pk).update(work=work)
    begun = time.perf_counter()
    do_work(batch.pk)
    took = time.perf_counter() - begun
    batch.refresh_from_db()
    if batch.problems:
        raise RuntimeError(str(batch.problems[:3]))
    return took


def plan(content: Path) -> None:
    """Plan a workbook that stands in a file, and print seconds and memory; then write it."""
    user = User.objects.get(memberships__project__code="BENCH")
    with content.open("rb") as file:
        batch = upload(Project.objects.get(code="BENCH"), file, name="shots.xlsx", user=user)
    with peak() as most:
        plan_s = worked(batch, Work.PLAN)
    told = {"plan_s": plan_s, "peak_mb": most[0], "rows": batch.counts["rows"]}
    told |= {"changed": batch.counts["changed"], "bytes": batch.bytes}
    sys.stdout.write(json.dumps(told | {"apply_s": worked(batch, Work.APPLY)}) + "\n")


def measured(name: str, file: Path) -> dict[str, Any]:
    """Plan in a process that holds nothing of the film's making."""
    child = [sys.executable, "-m", "tests.bench.sheets.measuring", name, str(file)]
    told: dict[str, Any] = json.loads(subprocess.run(child, check=True, stdout=subprocess.PIPE).stdout)
    return told


def main() -> None:
    """Make the film in a database of its own and measure."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    project, user = film()
    begun = time.perf_counter()
    content = export(project, user=user).content
    export_s = time.perf_counter() - begun
    with TemporaryDirectory() as folder:
        file = Path(folder) / "shots.xlsx"
        file.write_bytes(changed(content))
        raw_s = read_raw(file.read_bytes())
        told = measured(str(connection.settings_dict["NAME"]), file)
    sys.stdout.write(json.dumps(told | {"raw_s": raw_s, "export_s": export_s}))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        connection.settings_dict["NAME"] = sys.argv[1]
        plan(Path(sys.argv[2]))
    else:
        main()
