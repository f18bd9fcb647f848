"""What happened before there were notices is not told: the cursor stands at the end, ended batches as told."""

from django.db import connection, migrations

NO_LIMIT = 2**63 - 1


def begin(apps, schema_editor):
    xact, event = 0, 0
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1")
            xact, event = cursor.fetchone()[0], NO_LIMIT
    else:
        last = apps.get_model("common", "StateEvent").objects.order_by("-id").first()
        event = last.pk if last else 0
    apps.get_model("notices", "Cursor").objects.create(pk=1, xact=xact, event=event)
    end = apps.get_model("notices", "BatchEnd")
    open_jobs = apps.get_model("renders", "Job").objects.filter(
        state__in=("blocked", "ready", "dispatched", "running")
    )
    ended = apps.get_model("renders", "RenderBatch").objects.exclude(pk__in=open_jobs.values("batch"))
    end.objects.bulk_create(
        (end(batch_id=key) for key in ended.values_list("pk", flat=True).iterator()), batch_size=1000
    )


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_initial"), ("common", "0002_notices_event_transaction")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
