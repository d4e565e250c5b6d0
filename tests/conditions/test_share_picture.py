"""What other sites show beside a link to a page."""

import io
import re
from pathlib import Path

import pytest
from django.test import Client
from PIL import Image

from clinic_site import site_record
from clinic_site.models import BrandFile, Clinic
from conditions.models import Page, Physician, Status
from conditions.share_picture import Card, draw
from tests.factories import UserFactory

pytestmark = [pytest.mark.once, pytest.mark.django_db, pytest.mark.usefixtures("content")]
PICTURE = "/procedures/spinal-osteotomy/share.png"


def named_in(client, path):
    page = client.get(path).content.decode()
    return {
        name: re.search(f'<meta property="og:image{name}" content="([^"]*)"', page)[1] for name in ("", ":width", ":height", ":alt")
    }


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/procedures/",
        "/procedures/spinal-osteotomy/",
        "/conditions/kyphosis/",
        "/symptoms/neck-pain/",
        "/guides/first-consultation/",
        "/privacy/",
        "/physicians/sample-surgeon-a/",
        "/consultation/",
        "/es/",
        "/es/procedimientos/osteotomia-vertebral/",
    ],
)
def test_every_page_names_a_picture_of_the_promised_size(client, path):
    found = named_in(client, path)
    answer = client.get(found[""].removeprefix("http://testserver"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.format == "PNG" and picture.size == (1200, 630) == (int(found[":width"]), int(found[":height"]))
    assert len(answer.content) < 200_000 and found[":alt"]
    assert answer["Cache-Control"].startswith("public") and answer["X-Content-Type-Options"] == "nosniff"


def test_each_page_and_language_has_a_picture_of_its_own(client):
    spanish = Page.objects.get(slug="spinal-osteotomy").slug_es
    assert named_in(client, f"/es/procedimientos/{spanish}/")[""].endswith(f"/es/procedimientos/{spanish}/share.png")
    pictures = {
        client.get(path).content for path in (PICTURE, f"/es/procedimientos/{spanish}/share.png", "/share.png", "/es/share.png")
    }
    assert len(pictures) == 4


def test_the_same_words_give_the_same_bytes():
    card = Card("Condition", "Kyphosis", "Sample clinic", "Sample site", regions=("thoracic",))
    assert draw(card) == draw(card)
    others = [Card("Condition", "Scoliosis", "Sample clinic"), Card("Condition", "Kyphosis", "Sample clinic", regions=("lumbar",))]
    assert len({draw(card), *map(draw, others)}) == 3


@pytest.mark.parametrize("title", ["", "W" * 80, "Descompresión " * 8, "A" * 20 + " " + "B" * 60, "Łódź 北京 🙂"])
def test_any_title_can_be_drawn(title):
    assert Image.open(io.BytesIO(draw(Card("Guide", title, "Name " * 30, "Sample site", regions=("knee",))))).size == (1200, 630)


def test_a_picture_is_drawn_once_until_something_changes(client, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(site_record, "REFRESH_SECONDS", 3600)
    first = client.get(PICTURE)
    with django_assert_num_queries(0):
        again = client.get(PICTURE, headers={"Accept-Encoding": "gzip, br"})
    assert again.content == first.content and "Content-Encoding" not in again
    assert client.get(PICTURE, headers={"If-None-Match": first["ETag"]}).status_code == 304
    Page.objects.filter(slug="spinal-osteotomy").update(title_en="Another title")
    Clinic.bump_content_revision()
    site_record.forget()
    assert client.get(PICTURE).content != first.content


def test_a_real_clinic_has_no_sample_note(client):
    sample = client.get(PICTURE).content
    Clinic.objects.update(is_sample=False)
    Clinic.bump_content_revision()
    site_record.forget()
    assert client.get(PICTURE).content != sample


def test_the_picture_has_the_colours_and_the_drawings_of_the_clinic(client):
    house = client.get("/conditions/kyphosis/share.png").content
    Clinic.objects.update(theme={"light": {"paper": "#fff0f0"}}, body_map="")
    Clinic.bump_content_revision()
    site_record.forget()
    theirs = Image.open(io.BytesIO(client.get("/conditions/kyphosis/share.png").content)).convert("RGB")
    assert theirs.getpixel((10, 10)) == (0xFF, 0xF0, 0xF0)
    assert Image.open(io.BytesIO(house)).convert("RGB").crop((700, 100, 1000, 600)) != theirs.crop((700, 100, 1000, 600))


KNEE = Path("conditions/sample_packs/knee/brand")


def bring(key, name):
    file = BrandFile(key=key, content=(KNEE / name).read_bytes() if isinstance(name, str) else name)
    file.clean_fields()
    file.save()


def shown(client, path="/conditions/kyphosis/share.png"):
    Clinic.bump_content_revision()
    site_record.forget()
    return Image.open(io.BytesIO(client.get(path).content)).convert("RGB")


def test_the_picture_is_set_in_the_clinics_fonts_beside_its_logo(client):
    house = shown(client)
    bring("atkinson", "atkinson.woff2")
    bring("logo", "logo.svg")
    Clinic.objects.update(theme={"light": {"accent": "#5b2b63"}})
    with_logo = shown(client)
    assert (0x5B, 0x2B, 0x63) in {colour for _count, colour in with_logo.crop((80, 60, 160, 140)).getcolors(9999)}
    assert (0x0F, 0x4C, 0x53) in {colour for _count, colour in house.crop((80, 60, 160, 150)).getcolors(9999)}
    Clinic.objects.update(heading_font="atkinson", text_font="atkinson")
    title = (80, 180, 604, 500)
    assert shown(client).crop(title).tobytes() != with_logo.crop(title).tobytes()
    for built_in in ("serif", "system"):
        Clinic.objects.update(heading_font=built_in)
        shown(client)


def test_a_logo_may_be_a_png_and_one_that_is_damaged_costs_only_itself(client):
    out = io.BytesIO()
    Image.new("RGB", (300, 100), "#0000ff").save(out, "PNG")
    bring("logo", out.getvalue())
    assert shown(client).getpixel((180, 90)) == (0, 0, 255)
    BrandFile.objects.all().delete()
    bring("logo", out.getvalue()[:60])
    assert shown(client).size == (1200, 630)


def test_the_clinics_own_drawing_stands_in_the_picture_of_its_page(client):
    bring(
        "kyphosis",
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" preserveAspectRatio="xMidYMid slice">'
        b'<rect width="9" height="9" fill="#00ff00"/></svg>',
    )
    assert shown(client).getpixel((900, 300)) == (0, 255, 0)
    assert shown(client, "/conditions/scoliosis/share.png").getpixel((900, 300)) != (0, 255, 0)
    bring("hero", "hero.svg")
    before = shown(client, "/conditions/scoliosis/share.png")
    Clinic.objects.update(body_map="")
    assert shown(client, "/conditions/scoliosis/share.png").tobytes() != before.tobytes()


def test_a_query_does_not_have_it_drawn_again(client):
    answer = client.get(PICTURE + "?n=1")
    assert (answer.status_code, answer["Location"]) == (302, PICTURE)


def test_what_the_public_may_not_see_has_no_picture(client):
    Page.objects.filter(slug="kyphosis").update(status=Status.DRAFT)
    Physician.objects.filter(slug="sample-surgeon-a").update(is_published=False)
    staff = Client()
    staff.force_login(UserFactory(is_superuser=True))
    for path in (
        "/conditions/kyphosis/share.png",
        "/conditions/no-such-page/share.png",
        "/procedures/kyphosis/share.png",
        "/physicians/sample-surgeon-a/share.png",
        "/procedures/share.png",
    ):
        assert client.get(path).status_code == staff.get(path).status_code == 404, path


def test_the_whole_spine_is_marked_where_a_page_is_about_all_of_it():
    words = {"eyebrow": "Condition", "title": "Leaning", "clinic_name": "Sample clinic"}
    every = draw(Card(**words, regions=("cervical", "thoracic", "lumbar", "sacral")))
    assert draw(Card(**words, regions=("whole",))) == draw(Card(**words, regions=("lumbar", "whole"))) == every


def test_a_clinic_that_treats_no_spine_gets_no_drawing_of_one():
    words = {"eyebrow": "Procedure", "title": "Fusion", "clinic_name": "Sample clinic", "is_spine": False}
    assert draw(Card(**words, art="spinal-fusion", regions=("lumbar",))) == draw(Card(**words))
