"""Where and when doctors see patients, in both languages, and testimonials that end when their authorisation does."""

import datetime
import json
import re
import shutil
import time

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from clinic_site import site_record
from clinic_site.models import Clinic, Holiday
from conditions.content_pack import FOLDER, PackError, export_pack, load_pack, read_pack
from conditions.models import Location, Page, Physician, PhysicianHours, Testimonial
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
PROFILE = "/physicians/sample-surgeon-a/"
SPANISH_PROFILE = "/es/medicos/sample-surgeon-a/"


@pytest.fixture
def boss():
    client = Client()
    client.force_login(UserFactory(is_superuser=True))
    return client


def text_of(client, path):
    page = client.get(path)
    assert page.status_code == 200, path
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def test_a_profile_says_where_and_when_the_doctor_sees_patients(client):
    Location.objects.filter(key="north").update(phone="+17035550147")
    profile = text_of(client, PROFILE)
    assert "Monday, Tuesday and Thursday" in profile
    assert "Main clinic" in profile and "Monday and Tuesday, 9 a.m. to 4 p.m." in profile
    assert "North office" in profile and "25 Sample Road" in profile and "Thursday, 8:30 a.m. to noon" in profile
    assert "(703) 555-0147" in profile


def test_a_profile_is_all_spanish_in_spanish(client):
    profile = text_of(client, SPANISH_PROFILE)
    assert "Lunes y martes" in profile and "Consultorio norte" in profile
    assert "Subespecialidad en cirugía de la deformidad" in profile and "consejo que certifica" in profile
    assert "Fellowship" not in profile and "Main clinic" not in profile and "Monday" not in profile


def test_pages_name_the_doctors_who_treat_what_they_are_about_and_profiles_name_the_pages(client):
    surgeon = Physician.objects.get(slug="sample-surgeon-a")
    for path in ("/conditions/kyphosis/", "/procedures/spinal-osteotomy/", "/es/enfermedades/cifosis/"):
        page = client.get(path).content.decode()
        doctors = re.search(r'<h2 id="doctors">.*?</ul>', page, re.S)[0]
        assert surgeon.name in doctors and ("Sample profile" in doctors or "Perfil de ejemplo" in doctors), path
        assert "Sample Physician B" not in doctors, path
        assert '<a href="#doctors">' in page
        profile = re.search(r'href="([^"]*sample-surgeon-a/)"', doctors)[1]
        assert f'href="{path}"' in client.get(profile).content.decode()


def test_the_former_address_of_a_profile_leads_to_it_until_somebody_takes_it(client):
    surgeon = Physician.objects.get(slug="sample-surgeon-a")
    surgeon.slug = "sample-surgeon-z"
    surgeon.save()
    for old, new in (
        (PROFILE, "/physicians/sample-surgeon-z/"),
        (SPANISH_PROFILE, "/es/medicos/sample-surgeon-z/"),
        ("/guides/spinal-deformity-packet/sample-surgeon-a.pdf", "/guides/spinal-deformity-packet/sample-surgeon-z.pdf"),
    ):
        moved = client.get(old)
        assert (moved.status_code, moved["Location"]) == (301, new)
    other = Physician.objects.get(slug="sample-surgeon-c")
    other.slug = "sample-surgeon-a"
    other.save()
    Clinic.bump_content_revision()
    site_record.forget()
    assert "Sample Surgeon C" in text_of(client, PROFILE)
    surgeon.slug = "sample-surgeon-y"
    surgeon.save()
    assert client.get("/physicians/sample-surgeon-z/")["Location"] == "/physicians/sample-surgeon-y/"


def test_a_doctor_who_left_stands_on_no_page_and_guides_name_none(client):
    Physician.objects.update(is_published=False)
    assert 'id="doctors"' not in client.get("/conditions/kyphosis/").content.decode()
    assert 'id="doctors"' not in client.get("/guides/preparing-for-spine-surgery/").content.decode()


@pytest.mark.parametrize("path", [PROFILE, "/", "/about/"])
def test_hours_tell_of_the_holidays_ahead_and_of_no_others(client, path):
    today = timezone.localdate()
    Holiday.objects.all().delete()
    past, near, far = (today + datetime.timedelta(days=days) for days in (-1, 10, 90))
    for date in (past, near, far):
        Holiday.objects.create(clinic=Clinic.objects.get(), name="Closed", date=date)
    Clinic.bump_content_revision()
    site_record.forget()
    page = text_of(client, path)
    shown = [date for date in (past, near, far) if f"{date:%A}, {date:%B} {date.day} " in page]
    assert shown == [near] and page.count("Closed on:") == 1


def test_machines_are_told_of_the_holidays_ahead(client):
    day = timezone.localdate() + datetime.timedelta(days=3)
    Holiday.objects.all().delete()
    Holiday.objects.create(clinic=Clinic.objects.get(), name="Closed", date=day)
    Clinic.bump_content_revision()
    site_record.forget()
    page = client.get("/").content.decode()
    graph = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])["@graph"]
    closed = graph[0]["specialOpeningHoursSpecification"]
    assert [(entry["validFrom"], entry["opens"], entry["closes"]) for entry in closed] == [(str(day), "00:00", "00:00")]


def test_the_list_of_doctors_names_their_days(client):
    assert "Monday, Tuesday and Thursday" in text_of(client, "/physicians/")
    assert "lunes, martes y jueves" in text_of(client, "/es/medicos/").lower()


def test_a_profile_links_to_the_way_there_where_the_clinic_has_a_page_that_tells_it(client):
    about = Page.objects.get(slug="about")
    assert f'href="/es/{about.slug_es}/#location-main"' in client.get(SPANISH_PROFILE).content.decode()
    Page.objects.filter(pk=about.pk).update(status="draft", status_es="draft")
    site_record.forget()
    assert "#location-main" not in client.get(PROFILE).content.decode()


def test_a_note_stands_beside_the_hours_or_in_their_place(client):
    Physician.objects.filter(slug="sample-surgeon-a").update(days_en="Every second Friday too")
    PhysicianHours.objects.filter(physician__slug="sample-surgeon-c").delete()
    Physician.objects.filter(slug="sample-surgeon-c").update(days_en="By arrangement")
    assert "Every second Friday too" in text_of(client, PROFILE)
    profile = text_of(client, "/physicians/sample-surgeon-c/")
    assert "By arrangement" in profile and "Where and when" not in profile


def test_the_contact_page_says_how_to_get_to_each_place(client):
    page = client.get("/about/").content.decode()
    assert 'id="location-main"' in page and 'id="location-north"' in page
    assert "get off at Sample Library" in page and "with a ramp at the side door" in page
    assert 'href="/about/#location-north"' in client.get(PROFILE).content.decode()
    assert "planta baja" in text_of(client, "/es/" + Page.objects.get(slug="about").slug_es + "/")


def test_machines_are_told_of_the_places_and_hours_of_a_real_doctor(client):
    Physician.objects.filter(slug="sample-surgeon-a").update(is_sample=False)
    page = client.get(PROFILE).content.decode()
    graph = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])["@graph"]
    person = next(entry for entry in graph if entry["@type"] == "Physician")
    assert {"@type": "SurgicalProcedure", "name": "Spinal osteotomy"}.items() <= person["availableService"][2].items()
    assert [place["name"] for place in person["location"]] == ["Main clinic", "North office"]
    assert person["location"][1]["address"]["streetAddress"] == "25 Sample Road"
    assert {"dayOfWeek": "https://schema.org/Thursday", "opens": "08:30", "closes": "12:00"}.items() <= person[
        "openingHoursSpecification"
    ][2].items()


def test_hours_end_after_they_start_and_start_once(db):
    surgeon = Physician.objects.get(slug="sample-surgeon-a")
    main = Location.objects.get(key="main")
    at = datetime.time
    for weekday, opens, closes, constraint in (
        (4, at(12), at(9), "physician_hours_in_order"),
        (9, at(9), at(12), "physician_hours_weekday"),
        (0, at(9), at(10), "physician_hours_once|UNIQUE"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            PhysicianHours.objects.create(physician=surgeon, location=main, weekday=weekday, opens_at=opens, closes_at=closes)


def test_staff_set_hours_in_the_profile_and_keep_a_place_in_use(boss):
    surgeon = Physician.objects.get(slug="sample-surgeon-a")
    form = boss.get(f"/admin/conditions/physician/{surgeon.pk}/change/").content.decode()
    assert form.count('name="hours-0-') >= 4
    boss.post(f"/admin/conditions/location/{Location.objects.get(key='main').pk}/delete/", {"post": "yes"})
    assert Location.objects.filter(key="main").exists()


def test_a_pack_whose_hours_name_no_place_is_refused(tmp_path):
    export_pack(tmp_path)
    path = tmp_path / "physicians.yaml"
    path.write_text(path.read_text().replace("location: north", "location: nowhere", 1))
    with pytest.raises(PackError, match="nowhere"):
        load_pack(tmp_path)


@pytest.mark.parametrize(
    "training", ["[a fellowship]", "[{what: A fellowship}]", "[{what: W, where: W, grade: A}]", "a fellowship"]
)
def test_training_that_no_profile_could_show_is_refused_with_its_line(tmp_path, training):
    shutil.copy(FOLDER / "physicians.yaml", tmp_path)
    path = tmp_path / "physicians.yaml"
    path.write_text(re.sub(r"  training:\n(  - .*\n)+", f"  training: {training}\n", path.read_text(), count=1))
    with pytest.raises(PackError, match=r"physicians.yaml, line 2\d: `training` must"):
        read_pack(tmp_path)


def test_a_withdrawn_testimonial_is_gone_everywhere_within_a_second(client, boss):
    quote = Testimonial.objects.shown().filter(pages__isnull=False).first()
    page = quote.pages.filter(kind="procedure").first()
    places = ["/", "/es/", f"/procedures/{page.slug}/", f"/es/procedimientos/{page.slug_es}/"]
    assert [path for path in places if quote.display_name in text_of(client, path)] == places
    form = boss.get(f"/admin/conditions/testimonial/{quote.pk}/change/").context_data["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value is not None and value is not False}
    data |= {"pages": [page.pk for page in quote.pages.all()], "consent_withdrawn_on": "2026-11-25"}
    saved = boss.post(f"/admin/conditions/testimonial/{quote.pk}/change/", data)
    assert saved.status_code == 302, saved.context_data["adminform"].form.errors
    time.sleep(site_record.REFRESH_SECONDS)
    assert [path for path in places if quote.display_name in text_of(client, path)] == []


def test_a_doctor_whom_staff_gave_another_address_is_not_made_again_by_a_load(tmp_path):
    export_pack(tmp_path)
    doctor = Physician.objects.get(slug="sample-surgeon-a")
    doctor.slug, doctor.name, doctor.is_sample = "jane-real", "Jane Real", False
    doctor.save()
    # A page of an update that is new here, and still names the doctor by the old address.
    path = tmp_path / "pages" / "spinal-osteotomy.en.md"
    assert "reviewed_by: sample-surgeon-a" in path.read_text()
    new = path.with_name("a-new-page.en.md")
    new.write_text(path.read_text().replace("slug: spinal-osteotomy", "slug: a-new-page", 1))
    report = load_pack(tmp_path)
    assert report.added == ["page:a-new-page"] and "physician:sample-surgeon-a" in report.kept
    assert not Physician.objects.filter(slug="sample-surgeon-a").exists()
    assert Page.objects.get(slug="a-new-page").reviewed_by == doctor


def test_a_quote_that_staff_made_a_real_patients_outlives_a_load_of_the_files_that_hold_its_sample(tmp_path):
    export_pack(tmp_path)
    quote = Testimonial.objects.get(pk=Testimonial.objects.first().pk)
    quote.quote_en, quote.is_sample, quote.consent_recorded_on, quote.consent_scope = "Mine.", False, "2026-11-20", "The website"
    quote.save()
    assert load_pack(tmp_path).kept == [f"testimonial:{quote.key}"]
    quote.refresh_from_db()
    assert (quote.quote_en, quote.is_sample) == ("Mine.", False)
    # Real words stand with their authorisation, in no file.
    export_pack(tmp_path)
    assert quote.key not in (tmp_path / "testimonials.yaml").read_text()
