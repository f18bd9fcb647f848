from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workflows", "0004_door_imports")]

    operations = [
        migrations.AlterField(
            model_name="workflowtemplate",
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
