from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("renders", "0011_inventory_proofs")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="kind",
            field=models.CharField(
                choices=[
                    ("keyframe", "keyframe"),
                    ("clip", "clip"),
                    ("frames", "frames"),
                    ("slate", "slate"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
    ]
