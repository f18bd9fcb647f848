from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="last_project_id",
            field=models.UUIDField(blank=True, editable=False, null=True),
        ),
    ]
