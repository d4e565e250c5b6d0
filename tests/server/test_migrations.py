"""Every migration can be taken back, with rows in the tables, and applied again, on either database."""

import pytest

from tests.live import SiteServer
from tests.torture.site import run_python

THERE_AND_BACK = """
import io
import django; django.setup()
from django.core.management import call_command
from conditions.models import Page
from intake.models import ConsultationRequest
from tests.factories import submitted

call_command("migrate", verbosity=0)
call_command("load_content", stdout=io.StringIO())
submitted()
print(Page.objects.count() > 0, ConsultationRequest.objects.count())
for app in ("intake", "conditions", "clinic_site"):
    call_command("migrate", app, "zero", verbosity=0)
call_command("migrate", verbosity=0)
print(Page.objects.count(), ConsultationRequest.objects.count())
"""


@pytest.mark.once
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_migrations_run_forward_back_and_forward_again(request, tmp_path, database):
    environment = {"DJANGO_SETTINGS_MODULE": "clinic_site.settings"}
    if database == "postgres":
        environment["DATABASE_URL"] = request.getfixturevalue("loaded_postgres").databases.new_database()
    printed = run_python(SiteServer(tmp_path, **environment), "-c", THERE_AND_BACK)
    assert printed.splitlines() == ["True 1", "0 0"]
