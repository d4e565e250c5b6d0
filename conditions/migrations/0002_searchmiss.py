from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conditions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchMiss",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("query", models.CharField(max_length=60, verbose_name="searched for")),
                ("language", models.CharField(max_length=2, verbose_name="language")),
                ("count", models.PositiveIntegerField(default=1, verbose_name="times")),
                ("first_on", models.DateField(verbose_name="first")),
                ("last_on", models.DateField(verbose_name="last")),
            ],
            options={
                "verbose_name": "search without results",
                "verbose_name_plural": "searches without results",
                "ordering": ["-count", "-last_on", "query"],
                "constraints": [models.UniqueConstraint(fields=("query", "language"), name="search_miss_once")],
            },
        ),
    ]
