from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conditions", "0013_position_and_stage"),
    ]

    operations = [
        migrations.AlterField(
            model_name="location",
            name="state",
            field=models.CharField(
                blank=True, help_text="Left empty where the country has none.", max_length=40, verbose_name="state"
            ),
        ),
    ]
