from django.db import migrations, models


class Migration(migrations.Migration):
    """Takes whose media are made: looked for every second, among all takes there ever were."""

    dependencies = [("review", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="take",
            index=models.Index(
                condition=models.Q(("media_state", "processing")),
                fields=["updated_at"],
                name="takes_in_processing",
            ),
        ),
    ]
