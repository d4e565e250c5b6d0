"""What staff can rely on when they make the site their clinic's: its look, its parts of the body, its warning signs."""

import io
import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from clinic_site import site_record
from clinic_site.models import BodyRegion, BrandFile, Clinic
from conditions.models import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]

FORM = "/admin/clinic_site/clinic/1/change/"


def filled(html):
    """Every field of a form as a browser would post it back."""
    fields = {}
    for tag in re.findall(r"<input\b[^>]*>", html):
        name, value = (re.search(rf'\b{key}="([^"]*)"', tag) for key in ("name", "value"))
        kind = re.search(r'\btype="(\w+)"', tag)
        if not name or kind[1] in ("submit", "file") or kind[1] in ("checkbox", "radio") and " checked" not in tag:
            continue
        fields[name[1]] = unescape(value[1]) if value else "on"
    for name, text in re.findall(r'<textarea\b[^>]*?\bname="([^"]+)"[^>]*>\r?\n?(.*?)</textarea>', html, flags=re.S):
        fields[name] = unescape(text)
    for name, options in re.findall(r'<select\b[^>]*?\bname="([^"]+)"[^>]*>(.*?)</select>', html, flags=re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = unescape(chosen[1]) if chosen else ""
    return {name: value for name, value in fields.items() if "__prefix__" not in name and name != "_addanother"}


def saved(boss, **changes):
    """Open the record, change some of it, and press Save."""
    fields = filled(boss.get(FORM).content.decode())
    answer = boss.post(FORM, fields | changes)
    site_record.forget()
    return answer


def errors_of(answer):
    return [str(line) for lines in answer.context_data["adminform"].form.errors.values() for line in lines]


def picture(side=64, format="PNG", **extra):
    drawn = io.BytesIO()
    Image.new("RGB", (side, side), "#5b2b63").save(drawn, format, **extra)
    return SimpleUploadedFile("logo.png", drawn.getvalue(), "image/png")


def test_saving_the_record_unchanged_changes_nothing(boss):
    before = Clinic.objects.values().get()
    assert saved(boss).status_code == 302
    after = Clinic.objects.values().get()
    before.pop("content_revision"), after.pop("content_revision")
    assert {key for key in before if before[key] != after[key]} <= {"directions_en", "directions_es", "directions"}
    assert after["theme"] == {}


def test_words_of_the_record_name_their_language(boss):
    html = boss.get(FORM).content.decode()
    assert "Tagline (English)" in html and "Tagline (Spanish)" in html and "[en]" not in html


def test_opening_hours_are_shown_without_seconds(boss):
    html = boss.get(FORM).content.decode()
    assert 'value="08:00"' in html and "08:00:00" not in html


def test_a_colour_that_is_picked_is_on_the_site(boss, client):
    assert saved(boss, theme_light_accent="#5b2b63").status_code == 302
    assert Clinic.objects.get().theme == {"light": {"accent": "#5b2b63"}}
    sheet = re.search(r'href="(/brand/\w+/theme\.css)"', client.get("/").content.decode())[1]
    assert "--petrol: #5b2b63" in client.get(sheet).content.decode()


def test_a_colour_too_faint_to_read_is_refused_and_named(boss):
    answer = saved(boss, theme_light_muted="#b0a0b5")
    assert answer.status_code == 200
    assert "light: muted on paper has a contrast of 2.3 to 1; it needs 4.5." in errors_of(answer)
    assert Clinic.objects.get().theme == {}


def test_a_logo_stands_beside_the_name_until_it_is_taken_away(boss, client):
    assert saved(boss, logo=picture()).status_code == 302
    address = re.search(r'<img class="mark" src="(/brand/\w+/logo\.png)"', client.get("/").content.decode())[1]
    assert client.get(address)["Content-Type"] == "image/png"
    assert saved(boss, remove_logo="on").status_code == 302
    assert "/brand/" not in client.get("/").content.decode()


def test_nothing_that_was_hidden_in_a_logo_is_kept(boss):
    upload = picture()
    upload.file.seek(0, io.SEEK_END)
    upload.file.write(b"<script>alert(1)</script>")
    upload.file.seek(0)
    upload.size += 25
    assert saved(boss, logo=upload).status_code == 302
    assert b"script" not in bytes(BrandFile.objects.get(key="logo").content)


@pytest.mark.parametrize(
    "upload",
    [
        SimpleUploadedFile("logo.png", b"<svg onload='alert(1)'/>", "image/png"),
        SimpleUploadedFile("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(80), "image/png"),
        SimpleUploadedFile("logo.png", bytes(300_000), "image/png"),
    ],
    ids=["drawing", "broken", "large"],
)
def test_what_is_no_small_png_is_refused_as_a_logo(boss, upload):
    upload.seek(0)
    answer = saved(boss, logo=upload)
    assert errors_of(answer) == ["This is no PNG picture of up to 2000 by 2000 pixels and 200 KB."]
    assert not BrandFile.objects.exists()


def test_a_picture_of_too_many_pixels_or_another_kind_is_refused(boss):
    assert errors_of(saved(boss, logo=picture(2001)))
    assert errors_of(saved(boss, logo=picture(format="GIF")))


def test_a_part_of_the_body_is_renamed_everywhere_at_once(boss, client):
    number = next(n for n, region in enumerate(BodyRegion.objects.all()) if region.key == "lumbar")
    assert saved(boss, **{f"body_regions-{number}-name_en": "Small of the back"}).status_code == 302
    assert "Small of the back" in client.get("/").content.decode()
    assert "Small of the back" in client.get("/consultation/").content.decode()
    assert "Small of the back" in client.get("/symptoms/").content.decode()


def test_editors_tick_the_parts_of_the_body_of_a_page(editor):
    page = Page.objects.get(slug="kyphosis")
    html = editor.get(f"/admin/conditions/condition/{page.pk}/change/").content.decode()
    for region in BodyRegion.objects.all():
        tag = re.search(rf'<input type="checkbox" name="regions" value="{region.key}"[^>]*>', html)[0]
        assert (" checked" in tag) == (region.key in page.regions)


def test_a_time_zone_that_does_not_exist_is_refused(boss):
    answer = saved(boss, time_zone="America/Springfield")
    assert errors_of(answer) == ["There is no time zone of this name. Write one like America/Chicago."]
    assert Clinic.objects.get().time_zone == "America/New_York"
