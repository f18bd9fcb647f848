"""Point each template to its current version, and let the database refuse changed versions."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

TABLE = "workflows_workflowtemplateversion"
NAME = "template_version_is_frozen"
MESSAGE = "Template versions are never changed; sync_workflows adds new ones."

FREEZE = {
    "sqlite": [
        f"CREATE TRIGGER {NAME} BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    ],
    "postgresql": [
        f"CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING MESSAGE = '{MESSAGE}', ERRCODE = '23000'; END $$",
        f"CREATE TRIGGER {NAME} BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {NAME}()",
    ],
}
THAW = {
    "sqlite": [f"DROP TRIGGER IF EXISTS {NAME}"],
    "postgresql": [f"DROP TRIGGER IF EXISTS {NAME} ON {TABLE}", f"DROP FUNCTION IF EXISTS {NAME}()"],
}


def freeze(_apps: Any, schema_editor: Any) -> None:
    for statement in FREEZE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def thaw(_apps: Any, schema_editor: Any) -> None:
    for statement in THAW[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    # A later migration that alters this table on SQLite rebuilds it without its trigger: freeze again there.
    dependencies = [("workflows", "0001_initial")]

    operations = [
        migrations.AddField(
            "workflowtemplate",
            "current",
            models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="workflows.workflowtemplateversion",
                verbose_name="current version",
            ),
        ),
        migrations.RunPython(freeze, thaw),
    ]
