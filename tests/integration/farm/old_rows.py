"""Run by test_migrations in a process of its own: old rows go through every migration of data.

A database (SQLite, named by DATABASE_URL) is brought to the state before the first of them, gets the rows a
farm may have had then, and is migrated to the newest: on the old road, one migration after the other, without
those that replace others. Prints what became of the rows, one JSON object; also what ``migrate`` would apply
halfway, and at the end.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final
from uuid import uuid4

import django

django.setup()

# Models can be had once Django is set up.
from django.apps import apps as now  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import DatabaseError, connection, transaction  # noqa: E402
from django.db.migrations.executor import MigrationExecutor  # noqa: E402
from django.db.models import QuerySet  # noqa: E402

from tests.squashing import OldRoad  # noqa: E402

OLD: Final = [
    ("characters", "0002_lora_expert"),
    ("common", "0001_initial"),
    ("productions", "0001_initial"),
    ("projects", "0002_paused_by"),
    ("presets", "0001_initial"),
    ("workflows", "0001_initial"),
]
MIDDLE: Final = [
    *(("characters", "0002_lora_expert"), ("projects", "0002_paused_by"), ("prompts", "0001_initial")),
    *(("renders", "0004_farm_engine"), ("review", "0002_takes_in_processing")),
]


def before_statuses(old: Any) -> None:
    """A studio had named a status its own way, and written presets, before either was seeded."""
    old.get_model("productions", "ShotStatus").objects.create(slug="ready", name="Go!", order=1)
    category = old.get_model("presets", "PresetCategory").objects.create(slug="ours", name="Ours", order=999)
    preset = old.get_model("presets", "CinematicPreset")
    preset.objects.create(category=category, slug="haze", name="Our haze", prompt_fragment="haze", order=1)


def before_the_rest(old: Any) -> None:
    """A film with figures that are not allowed any more, jobs without lanes, takes without stages."""

    def make(model: str, **values: Any) -> Any:
        return old.get_model(*model.split(".")).objects.create(**values)

    film = make("projects.Project", code="FILM", name="Film", fps=23.976)
    make("projects.Project", code="PLAIN", name="Plain", fps=24.0)
    user = make("accounts.User", username="vera")
    make("projects.Membership", project=film, user=user, role="viewer")
    gerda = make("characters.Character", code="CH0001", name="Gerda", project=film)
    for weight in (-0.5, 0.8, 3.0):
        file = f"{weight}.safetensors"
        make("characters.CharacterLora", character=gerda, base_model="flux", file=file, weight=weight)
    sequence = make("productions.Sequence", code="SQ010", name="One", project=film)
    shot = make(
        "productions.Shot", code="SH0010", project=film, sequence=sequence, handles=5_000, frames=200_000
    )
    make("productions.ShotCharacter", shot=shot, character=gerda, lora_weight=2.5)
    versions = {}
    for kind, bindings in (("keyframe", {}), ("clip", {}), ("finish", {"video": [{"node": "1"}]})):
        template = make("workflows.WorkflowTemplate", slug=kind, title=kind, kind="clip")
        manifest = {
            "kind": "clip" if kind != "keyframe" else "keyframe",
            "bindings": {role: {"node": "1"} for role in bindings},
        }
        versions[kind] = make(
            "workflows.WorkflowTemplateVersion",
            template=template, number=1, content_hash=kind, graph={}, manifest=manifest,
        )  # fmt: skip
    ended, held = (
        make(
            "renders.RenderBatch", code=f"B{place}", idempotency_key=str(place), request_hash="", project=film
        )
        for place in range(2)
    )
    type(held).objects.filter(pk=held.pk).update(paused=True)
    for place, (name, state, need) in enumerate(
        (("keyframe", "succeeded", 20.0), ("clip", "ready", 20.0), ("finish", "succeeded", 0.0))
    ):
        kind = "clip" if name == "finish" else name
        job = make(
            "renders.Job", code=f"J{place}", kind=kind, take_number=place + 1, state=state, width=64,
            height=64, seed=1, need_gb=need, priority=20, project=film, shot=shot,
            template_version=versions[name],
            batch=held if state == "ready" else ended,
        )  # fmt: skip
        if state == "succeeded":
            make(
                "review.Take", project=film, shot=shot, job_id=job.pk, attempt_id=uuid4(), kind=kind,
                number=place + 1, template=name, node="n",
            )  # fmt: skip
    prompt = {"channel": "image", "language": "en", "composer": "1", "positive": "a", "segments": []}
    make("prompts.PromptBuild", shot=shot, content_hash="h", **prompt)
    make("common.StateEvent", story=shot.pk, machine="shot", subject=shot.pk, to_state="ready", actor="vera")


def stays(model: str, **changes: Any) -> bool:
    """Tell whether the database refuses to change a row of this model."""
    try:
        with transaction.atomic():
            QuerySet(now.get_model(model)).update(**changes)
    except DatabaseError:
        return True
    return False


def became() -> dict[str, Any]:
    """What stands there now."""

    def rows(model: str, *fields: str, **asked: Any) -> list[Any]:
        found = now.get_model(model)._default_manager.filter(**asked).order_by(*fields)
        return [list(one) for one in found.values_list(*fields)]

    return {
        "rates": rows("projects.Project", "code", "fps_num", "fps_den"),
        "roles": rows("projects.Membership", "role"),
        "loras": rows("characters.CharacterLora", "weight"),
        "casting": rows("productions.ShotCharacter", "lora_weight"),
        "shots": rows("productions.Shot", "handles", "frames"),
        "statuses": rows("productions.ShotStatus", "slug", "state", "name", "is_default", "is_done"),
        "jobs": rows("renders.Job", "code", "stage", "rank", "held", "lane__project__code"),
        "lanes": rows("renders.Lane", "project__code", "template_version__template__slug"),
        "needs": rows("renders.Need", "declared_gb", "tier_gb", "explore_gb"),
        "takes": rows("review.Take", "template", "stage"),
        "ended": rows("notices.BatchEnd", "batch__code"),
        "told": rows("notices.Cursor", "event"),
        "presets": rows("presets.CinematicPreset", "name", category__slug="ours"),
        "shipped": now.get_model("presets.CinematicPreset")._default_manager.count() - 1,
        "looks": now.get_model("presets.Look")._default_manager.count(),
        "rules": now.get_model("presets.PresetRule")._default_manager.count(),
        "builds stay": stays("prompts.PromptBuild", positive="b"),
        "versions stay": stays("workflows.WorkflowTemplateVersion", graph={"1": {}}),
    }


def go_to(targets: list[tuple[str, str]]) -> None:
    """Go on, on the old road; no targets: to its end."""
    executor = MigrationExecutor(connection)
    executor.loader = OldRoad(connection)
    executor.migrate(targets or executor.loader.graph.leaf_nodes())


def planned() -> list[str]:
    """Name what ``migrate`` would apply now."""
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    return [str(one) for one, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def main() -> None:
    """Go the whole way."""
    for targets, write in ((OLD, before_statuses), (MIDDLE, before_the_rest)):
        go_to(targets)
        loader = OldRoad(connection)
        write(loader.project_state(list(loader.applied_migrations)).apps)
    halfway = planned()
    go_to([])
    end = planned()
    call_command("migrate", verbosity=0)
    sys.stdout.write(json.dumps({**became(), "halfway": halfway, "end": end}))


if __name__ == "__main__":
    main()
