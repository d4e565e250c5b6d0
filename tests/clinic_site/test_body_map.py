"""A clinic's own map of the body: whoever points at a part is led to its symptoms, with and without a script."""

import re
from xml.etree import ElementTree

import pytest

from clinic_site import site_record
from clinic_site.models import BrandFile, Clinic

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0h9"/>'
    b'<g class="part-lumbar"><path fill="var(--body, #eee)" d="M1 1h2v2z"/></g>'
    b'<g class="part-elbow"><path d="M5 5h2v2z"/></g></svg>'
)


@pytest.fixture
def own_map():
    file = BrandFile(clinic=Clinic.objects.get(), key="body-map", content=DRAWING)
    file.full_clean()
    file.save()
    Clinic.bump_content_revision()
    site_record.forget()


@pytest.fixture(autouse=True)
def _namespaces_of_other_libraries():
    """Whatever libraries agreed on with the XML module, as the one for PDFs does, the drawing stays one that pages can show."""
    ElementTree.register_namespace("drawn", "http://www.w3.org/2000/svg")


def map_of(client, path):
    [drawn] = re.findall(r'<svg[^>]*class="map-art.*?</svg>', client.get(path).content.decode(), re.S)
    return drawn


def test_each_part_that_the_clinic_treats_is_a_named_link(client, own_map):
    drawn = map_of(client, "/")
    [link] = re.findall(r"<a [^>]*>", drawn)
    assert 'href="/symptoms/?region=lumbar#list"' in link and 'aria-label="Lower back"' in link and 'class="map-region"' in link
    assert 'role="group"' in drawn and 'aria-label="Map of the body"' in drawn
    assert "part-elbow" in drawn and '<path d="M0 0h9"' in drawn


def test_it_is_named_in_the_language_of_the_page(client, own_map):
    drawn = map_of(client, "/es/")
    assert 'href="/es/sintomas/?region=lumbar#list"' in drawn and 'aria-label="Parte baja de la espalda"' in drawn
    assert 'aria-label="Mapa del cuerpo"' in drawn


def test_a_clinic_without_one_has_the_map_that_its_record_names(client):
    assert 'aria-label="Map of the spine"' in map_of(client, "/")
    Clinic.objects.update(body_map="")
    Clinic.bump_content_revision()
    site_record.forget()
    page = client.get("/").content.decode()
    assert "map-art" not in page and "pain-map--list" in page and "/symptoms/?region=lumbar" in page
