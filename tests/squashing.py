"""The two roads to a farm's tables (docs/adr/0065), and how the short one is written.

``python -m tests.squashing APP …`` writes a migration that replaces all that the app has. What migrations did
beside tables (rows they seed, triggers) is added to it by hand; the tests compare where both roads end.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration, SwappableTuple
from django.db.migrations.operations import CreateModel
from django.db.migrations.writer import MigrationWriter

from apps.common.creating import CreateModels

if TYPE_CHECKING:
    from django.db.migrations.state import ModelState, ProjectState

USER_MODEL = "migrations.swappable_dependency(settings.AUTH_USER_MODEL)"


class OldRoad(MigrationLoader):
    """Knows no migrations that replace others."""

    def load_disk(self) -> None:
        """Read the files; leave those out."""
        super().load_disk()
        self.disk_migrations = {key: one for key, one in self.disk_migrations.items() if not one.replaces}


def write(app: str) -> Path:
    """Write the app's squashed migration; return its file. It ends in the state the old road ends in."""
    road = OldRoad(None, ignore_no_migrations=True)
    old = [one for key, one in sorted(road.disk_migrations.items()) if key[0] == app]
    name = f"0001_squashed_{old[-1].name}"
    made = {
        "initial": True,
        "replaces": [(app, one.name) for one in old],
        "dependencies": _dependencies(app, old),
        "operations": [_tables(app, road.project_state())],
    }
    migration = type("Migration", (Migration,), made)(name, app)
    text = MigrationWriter(migration, include_header=False).as_string()
    file = Path(sys.modules[type(old[-1]).__module__].__file__ or "").with_name(f"{name}.py")
    file.write_text(text.replace("('accounts', '__first__')", USER_MODEL), encoding="utf-8")
    return file


def _dependencies(app: str, old: list[Migration]) -> list[Any]:
    """What the old ones needed of other apps, the newest of each. By the old names: Django knows what has
    replaced them, and each app is on its own road."""
    plain: dict[str, str] = {}
    swappable: list[Any] = []
    for one in (one for migration in old for one in migration.dependencies):
        if isinstance(one, SwappableTuple):
            swappable = [one]
        elif one[0] != app:
            plain[one[0]] = max(plain.get(one[0], ""), one[1])
    return [*sorted(plain.items()), *swappable]


def _tables(app: str, state: ProjectState) -> CreateModels:
    """All models at once, those first that others point to; columns in the order in which they were added."""
    left = {name: model for (its, name), model in state.models.items() if its == app}
    models = []
    while left:
        free = (name for name, model in left.items() if not _points_to(model) & (left.keys() - {name}))
        model = left.pop(next(free, next(iter(left))))
        options = {key: value for key, value in model.options.items() if value not in ([], ())}
        models.append(
            CreateModel(model.name, list(model.fields.items()), options, tuple(model.bases), model.managers)
        )
    return CreateModels(models)


def _points_to(model: ModelState) -> set[str]:
    related = (getattr(field, "remote_field", None) for field in model.fields.values())
    named = (str(end) for one in related if one for end in (one.model, getattr(one, "through", None)) if end)
    return {
        name.lower().partition(".")[2] for name in named if name.lower().startswith(f"{model.app_label}.")
    }


def main() -> None:
    """Write one for each app named."""
    django.setup()
    for app in sys.argv[1:]:
        sys.stdout.write(f"{write(app)}\n")


if __name__ == "__main__":
    main()
