"""Events know the transaction that wrote them. PostgreSQL adds the column without writing the table anew."""

from django.db import migrations, models

import apps.common.transactions


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="stateevent",
            name="xact",
            field=models.BigIntegerField(
                db_default=apps.common.transactions.TransactionNumber(), editable=False
            ),
        ),
        migrations.AddIndex(
            model_name="stateevent",
            index=models.Index(fields=["xact", "id"], name="event_transaction"),
        ),
    ]
