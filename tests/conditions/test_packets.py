"""A packet of several surgeons: one text, and for the patients of each what that surgeon does otherwise."""

import datetime
import io
import re

import pytest
from django.utils import timezone
from pypdf import PdfReader

from clinic_site import site_record
from clinic_site.models import Clinic
from conditions import handout
from conditions.content_pack import PackError, export_pack, load_pack
from conditions.content_pack.states import page_state, store_state
from conditions.models import Packet, Page, Physician, Section

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
PATH = "/guides/two-surgeons/"
OSTEOTOMY_IN_SPANISH = "/es/procedimientos/osteotomia-vertebral/"


@pytest.fixture
def packet():
    """A short packet of two surgeons, with a rule of each about driving."""
    texts = {"title_en": "Two surgeons", "name_en": "Two surgeons", "summary_en": "A packet.", "status": "published"}
    spanish = {"slug_es": "dos-cirujanos", "title_es": "Dos cirujanos", "name_es": "Dos cirujanos", "status_es": "published"}
    page = Page.objects.create(kind="guide", slug="two-surgeons", **texts, **spanish)
    one, other = Physician.objects.get(slug="sample-surgeon-a"), Physician.objects.get(slug="sample-surgeon-c")
    for position, (anchor, surgeon) in enumerate((("for-all", None), ("driving", one), ("driving-too", other))):
        words = {"heading_en": f"Part {anchor}", "heading_es": f"Parte {anchor}"}
        body = {"body_en": f"<p>Words of {anchor}.</p>", "body_es": f"<p>Palabras de {anchor}.</p>"}
        Section.objects.create(page=page, position=position, anchor=anchor, physician=surgeon, **words, **body)
    packet = Packet.objects.create(page=page, label_en="Two surgeons", label_es="Dos cirujanos", intro_en="For surgery.")
    packet.physicians.set([one, other])
    return packet


def printed(client, path):
    response = client.get(path)
    assert response.status_code == 200, path
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages).split())


def test_the_web_page_has_every_part_and_says_whose_patients_it_is_for(client, packet):
    page = client.get(PATH).content.decode()
    for anchor, name in (("driving", "Sample Surgeon A"), ("driving-too", "Sample Surgeon C")):
        part = re.search(rf'<h2 id="{anchor}">.*?Words of {anchor}\.', page, re.S)[0]
        assert f"For patients of {name}" in part
    assert "For patients of" not in re.search(r'<h2 id="for-all">.*?Words of for-all', page, re.S)[0]
    for slug in ("sample-surgeon-a", "sample-surgeon-c"):
        assert f'href="{PATH}{slug}.pdf"' in page
    assert f'href="{PATH}sample-surgeon-c.pdf"' in client.get("/physicians/sample-surgeon-c/").content.decode()


def test_the_pdf_of_a_surgeon_leaves_out_what_another_does(client, packet):
    text = printed(client, f"{PATH}sample-surgeon-c.pdf")
    assert "Words of for-all." in text and "Words of driving-too." in text and "Words of driving." not in text
    assert "Sample Surgeon C" in text and "Sample Surgeon A" not in text
    text = printed(client, "/es/guias/dos-cirujanos/sample-surgeon-a.pdf")
    assert "Palabras de driving." in text and "Palabras de driving-too." not in text
    text = printed(client, f"{PATH}handout.pdf")
    assert "Words of driving." in text and "Words of driving-too." in text and "For patients of Sample Surgeon C" in text


def test_there_is_a_pdf_for_the_surgeons_of_the_packet_alone(client, packet):
    assert client.get(f"{PATH}sample-physician-b.pdf").status_code == 404
    assert client.get("/guides/preparing-for-spine-surgery/sample-surgeon-a.pdf").status_code == 404
    moved = client.get("/es/guias/two-surgeons/sample-surgeon-a.pdf")
    assert (moved.status_code, moved["Location"]) == (301, "/es/guias/dos-cirujanos/sample-surgeon-a.pdf")


@pytest.mark.parametrize(("state", "path"), [("status", "/procedures/spinal-osteotomy/"), ("status_es", OSTEOTOMY_IN_SPANISH)])
def test_a_packet_that_is_a_draft_is_offered_on_no_page(client, state, path):
    offered = '<aside class="download wide"'
    assert offered in client.get(path).content.decode()
    Page.objects.filter(slug="spinal-deformity-packet").update(**{state: "draft"})
    Clinic.bump_content_revision()
    site_record.forget()
    assert offered not in client.get(path).content.decode()


def test_a_spanish_pdf_says_that_its_text_awaits_a_reviewer_and_is_behind(client, packet):
    address = "/es/guias/dos-cirujanos/sample-surgeon-a.pdf"
    assert "Aún espera la revisión" in printed(client, address)
    Page.objects.filter(pk=packet.page_id).update(review_state_es="reviewed", english_digest="of other words")
    Section.objects.filter(page=packet.page_id).update(body_es="<p>Nuevo.</p>")
    packet.page.refresh_from_db()
    text = printed(client, "/es/guias/dos-cirujanos/sample-surgeon-c.pdf")
    assert "Aún espera la revisión" not in text and "La página en inglés cambió" in text


def test_a_pdf_says_from_the_first_day_that_its_review_is_late_and_is_as_new_as_its_words(client, packet):
    day = timezone.localdate()
    surgeon = Physician.objects.get(slug="sample-surgeon-a")
    review = {"review_state": "sample", "reviewed_by": surgeon, "reviewed_on": day, "next_review_on": day}
    revised = {"revised_at": datetime.datetime(2026, 3, 9, 12, tzinfo=datetime.UTC)}
    packet.delete()
    Page.objects.filter(slug="two-surgeons").update(**review, **revised)
    text = printed(client, f"{PATH}handout.pdf")
    assert "Next review" in text and "Review overdue since" not in text and "March 9, 2026" in text
    Page.objects.filter(slug="two-surgeons").update(next_review_on=day - datetime.timedelta(days=1))
    handout.forget()
    assert "Review overdue since" in printed(client, f"{PATH}handout.pdf")


def test_whose_a_section_is_travels_in_files_and_in_the_history(packet, tmp_path):
    export_pack(tmp_path)
    written = tmp_path / "pages" / "two-surgeons.en.md"
    assert "own_sections: {driving: sample-surgeon-a, driving-too: sample-surgeon-c}" in written.read_text()
    state = page_state(packet.page)
    Section.objects.filter(page=packet.page_id).update(physician=None)
    store_state(packet.page, state)
    assert Section.objects.get(page=packet.page_id, anchor="driving").physician.slug == "sample-surgeon-a"
    written.write_text(written.read_text().replace("driving: sample-surgeon-a", "no-such: sample-surgeon-a"))
    with pytest.raises(PackError, match="#no-such, which is no section"):
        load_pack(tmp_path)


def test_staff_say_in_the_form_whose_a_section_is(admin_client, packet):
    form = admin_client.get(f"/admin/conditions/guide/{packet.page_id}/change/").content.decode()
    chosen = re.findall(r'<select name="sections-\d-physician".*?</select>', form, re.S)
    assert [re.findall(r"selected>\s*(.*?)\s*</option>", box) for box in chosen] == [
        ["---------"],
        ["Sample Surgeon A"],
        ["Sample Surgeon C"],
    ]
    other = Page.objects.filter(kind="condition").first()
    assert 'name="sections-0-physician"' not in admin_client.get(f"/admin/conditions/condition/{other.pk}/change/").content.decode()
