from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic_site", "0004_brand"),
    ]

    operations = [
        migrations.AlterField(
            model_name="clinic",
            name="state",
            field=models.CharField(
                blank=True, help_text="Left empty where the country has none.", max_length=40, verbose_name="state"
            ),
        ),
    ]
