from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("nodes", "0004_nodeside_misheard")]

    operations = [
        migrations.AddField(
            model_name="node",
            name="keys",
            field=models.JSONField(blank=True, default=list, verbose_name="keys"),
        ),
    ]
