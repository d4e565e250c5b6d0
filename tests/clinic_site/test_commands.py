"""Commands for whoever runs the site."""

import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.utils import timezone

from clinic_site import checks, staff_groups
from clinic_site.management.commands import new_key, prepare
from conditions.models import Page
from intake import integrity, spool
from intake.models import ConsultationRequest, Outbox, OutboxState
from tests.factories import UserFactory, submission, submitted
from tests.live import ROOT, SiteServer


def run(*arguments, **options):
    output = StringIO()
    call_command(*arguments, stdout=output, **options)
    return output.getvalue()


def doctor():
    """The report's lines by subject, and the exit code."""
    output, code = StringIO(), 0
    try:
        call_command("doctor", stdout=output)
    except SystemExit as end:
        code = end.code
    lines = [line.split(maxsplit=1) for line in output.getvalue().splitlines()]
    return {text.partition(":")[0]: (level, text) for level, text in lines}, code


def test_new_key_works_before_there_are_settings():
    done = subprocess.run([sys.executable, "manage.py", "new_key"], cwd=ROOT, env={}, capture_output=True, text=True, check=True)
    Fernet(done.stdout.strip())
    assert done.stderr == ""


def test_new_keys_differ_and_secrets_are_long():
    assert run("new_key") != run("new_key")
    assert len(run("new_key", "--secret").strip()) >= 50


def test_local_environment_is_written_once_for_this_user_alone(tmp_path):
    path = tmp_path / "var" / "local.env"
    assert "Made" in run("new_key", "--local-env", str(path))
    before = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run("new_key", "--local-env", str(path)) == ""
    assert path.read_text() == before
    assert [file.name for file in path.parent.iterdir()] == ["local.env"]


def test_local_environment_never_replaces_keys_made_meanwhile(tmp_path, monkeypatch):
    path = tmp_path / "local.env"
    make = new_key.new_secret
    monkeypatch.setattr(new_key, "new_secret", lambda: path.write_text("another process was faster") and make())
    assert not new_key.write_local_env(path)
    assert path.read_text() == "another process was faster"


def test_first_account_may_sign_in_with_the_printed_password(db):
    printed = run("first_account", username="dana")
    password = re.search(r"password\s+(\S+)", printed)[1]
    account = get_user_model().objects.get(username="dana")
    assert account.check_password(password)
    assert account.is_staff and account.is_superuser
    assert len(password) >= 20


def test_first_account_is_made_once(db):
    run("first_account")
    assert "password  " not in run("first_account")
    assert get_user_model().objects.count() == 1


def test_first_account_says_in_a_line_that_its_name_is_taken_by_one_that_cannot_sign_in(db):
    UserFactory(username="staff", is_active=False)
    with pytest.raises(CommandError, match=r"named staff.*--username"):
        run("first_account")
    assert "password  " in run("first_account", username="other")


def test_prepare_says_what_it_did_and_the_second_time_changes_nothing(content):
    assert "unchanged" in run("prepare")
    assert run("prepare").count("\n") <= 2


def test_an_update_gives_staff_what_is_new_and_nothing_that_was_taken_from_them(db, monkeypatch):
    staff_groups.ensure_groups()
    desk, editors = (Group.objects.get(name=name) for name in (staff_groups.FRONT_DESK, staff_groups.EDITORS))
    editors.permissions.remove(editors.permissions.get(codename="change_clinic"))

    def migrate(*args, **options):
        leaflets = ContentType.objects.create(app_label="conditions", model="leaflet")
        Permission.objects.create(content_type=leaflets, codename="change_leaflet", name="Can change leaflet")

    monkeypatch.setattr(prepare.MigrationExecutor, "migration_plan", lambda executor, targets: ["one"])
    monkeypatch.setattr(prepare, "call_command", migrate)
    prepare.Command(stdout=StringIO()).migrate()
    assert editors.permissions.filter(codename="change_leaflet").exists()
    assert not editors.permissions.filter(codename="change_clinic").exists()
    assert desk.permissions.count() == 2


def test_prepare_names_a_database_that_cannot_be_reached(monkeypatch, db):
    def away(connection):
        raise prepare.OperationalError("secret details")

    monkeypatch.setattr(prepare, "MigrationExecutor", away)
    with pytest.raises(CommandError, match="DATABASE_URL") as refusal:
        run("prepare")
    assert "secret" not in str(refusal.value)


def test_static_digest_changes_with_a_file(settings, tmp_path):
    settings.STATICFILES_DIRS = [tmp_path]
    from django.contrib.staticfiles.finders import get_finder

    get_finder.cache_clear()
    before = prepare.static_digest()
    (tmp_path / "new.css").write_text("a {}")
    get_finder.cache_clear()
    assert prepare.static_digest() != before
    get_finder.cache_clear()


def test_doctor_is_content_with_a_fresh_site(content):
    findings, code = doctor()
    assert code == 0
    assert findings["database"][0] == findings["content"][0] == findings["outbox"][0] == findings["spool"][0] == "ok"
    assert findings["samples"][0] == "note"


def test_doctor_reports_failed_mail_late_mail_and_waiting_files(content):
    submitted()
    Outbox.objects.update(due_at="2026-01-01T00:00Z")
    assert doctor()[0]["outbox"][0] == "TROUBLE"
    assert "Is the worker running?" in doctor()[0]["outbox"][1]
    Outbox.objects.update(state=OutboxState.FAILED)
    findings, code = doctor()
    assert (findings["outbox"][0], code) == ("TROUBLE", 1)

    spool.write(submission(name="Zoe Zebra"))
    spool.set_aside(spool.write(submission(name="Yan Yak")))
    findings, _ = doctor()
    assert findings["spool"][0] == "TROUBLE"
    assert "1 waiting" in findings["spool"][1] and "1 unreadable" in findings["spool"][1]
    assert "Zebra" not in str(findings)


def test_doctor_asks_for_a_backup_once_there_is_something_to_lose(content):
    submitted(received_at=timezone.now())
    assert doctor()[0]["backup"][0] == "note"
    ConsultationRequest.objects.update(received_at=timezone.now() - timedelta(days=2))
    findings, code = doctor()
    assert (findings["backup"][0], code) == ("TROUBLE", 1)


def test_doctor_believes_no_backup_and_no_check_of_a_time_to_come(content, tmp_path):
    ahead = timezone.now() + timedelta(days=400)
    integrity.check_and_report(ahead)
    (tmp_path / "last-backup").write_text(ahead.isoformat())
    findings, code = doctor()
    assert (findings["integrity"][0], findings["backup"][0], code) == ("TROUBLE", "TROUBLE", 1)
    assert all("9600 hours from now" in findings[name][1] for name in ("integrity", "backup"))


def test_doctor_goes_on_without_a_database(content, monkeypatch):
    monkeypatch.setattr("clinic_site.management.commands.doctor.database_answers", lambda: False)
    findings, code = doctor()
    assert findings["database"] == ("TROUBLE", "database: not reachable")
    assert code == 1
    assert "spool" in findings
    assert findings["start"] == ("ok", "start: folders can be written")


def test_before_go_live_a_sample_review_of_the_spanish_alone_counts_too(content):
    Page.objects.filter(status="published").update(status="draft")
    findings, _code = doctor()
    assert findings["content"][1].endswith(" 0 drafts")
    warned = [warning.msg for warning in checks.no_samples_before_go_live()]
    assert any("published pages with a sample review" in warning for warning in warned)


def test_doctor_misses_pages(db, monkeypatch):
    monkeypatch.setattr(type(Page.objects), "published_anywhere", lambda self: self.none())
    assert doctor()[0]["content"][0] == "TROUBLE"


def test_doctor_tells_what_the_daily_check_found_and_when_none_is_made_any_more(content):
    assert doctor()[0]["integrity"][0] == "note"
    now = timezone.now()
    integrity.check_and_report(now)
    assert doctor()[0]["integrity"][0] == "ok"
    integrity.check_and_report(now - timedelta(hours=30))
    assert "Is the worker running?" in doctor()[0]["integrity"][1]
    lead = submitted(name="Zoe Zebra")
    Outbox.objects.filter(request=lead).delete()
    integrity.check_and_report(now)
    findings, code = doctor()
    assert (findings["integrity"][0], code) == ("TROUBLE", 1)
    assert "1 requests without their mails" in findings["integrity"][1]
    assert "Zebra" not in str(findings)


def modes(folder):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.name.startswith("clinic.sqlite3")}


def test_migrate_alone_makes_a_database_that_only_its_user_reads(tmp_path):
    site = SiteServer(tmp_path)
    site.manage("migrate", "-v0")
    assert modes(tmp_path) == {"clinic.sqlite3": 0o600}
    with closing(sqlite3.connect(site.database)) as held:
        # SQLite keeps its files beside the database for as long as somebody reads.
        held.execute("SELECT count(*) FROM intake_consultationrequest").fetchone()
        site.manage("first_account")
        assert modes(tmp_path) == dict.fromkeys(["clinic.sqlite3", "clinic.sqlite3-wal", "clinic.sqlite3-shm"], 0o600)


def test_migrate_closes_a_database_that_others_could_read(tmp_path):
    site = SiteServer(tmp_path)
    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"clinic.sqlite3{ending}").touch(0o644)
    site.manage("migrate", "-v0")
    assert set(modes(tmp_path).values()) == {0o600}


def test_migrate_says_in_a_line_that_the_data_folder_is_missing(tmp_path):
    site = SiteServer(tmp_path, DATA_DIR=str(tmp_path / "gone"))
    done = site.manage("migrate", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "DATA_DIR" in done.stderr
