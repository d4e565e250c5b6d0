"""What a person can rely on who changes the language of a form: nothing typed is lost, and nothing is sent."""

import re

import pytest
from django.test import Client

from intake import services, views
from intake.models import ConsultationRequest
from intake.tokens import SubmissionToken
from tests.factories import form_data
from tests.intake.test_views import _clinic, assert_not_stored_anywhere, page, post  # noqa: F401
from tests.live import hidden_values


def switched(client, to="es", **answers):
    """What comes of the button in the header that asks for the other language."""
    here, there = ("/consultation/", "/es/consulta/") if to == "es" else ("/es/consulta/", "/consultation/")
    text = page(client.get(f"{here}?about=spinal-osteotomy"))
    assert f'formaction="{there}" formnovalidate' in text
    hidden = hidden_values(text)
    return hidden, client.post(there, hidden | {"switch_language": to} | answers)


TYPED = {
    "name": "Ana Núñez <b>",
    "phone": "703 55",
    "email": "no address",
    "red_flags": ["fever", "injury"],
    "consent": "on",
    "on_behalf_of": "other",
    "patient_name": "Luz Núñez",
    "patient_is_minor": "on",
    "interest": "laminectomy-decompression",
    "pain_area": "lumbar",
    "message": "First line\nsecond line",
    "imaging": ["mri", "ct"],
    "referral_source": "friend",
}


@pytest.mark.parametrize("to", ["es", "en"])
def test_the_other_language_keeps_all_that_was_typed_and_sends_nothing(client, to):
    hidden, response = switched(client, to, **TYPED)
    text = page(response)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store, private"
    assert f'<html lang="{to}">' in text
    for typed in ("Ana Núñez &lt;b&gt;", "703 55", "no address", "Luz Núñez"):
        assert f'value="{typed}"' in text
    assert re.search(r"First line\s+second line</textarea>", text)
    for name, codes in {name: [TYPED[name]] if isinstance(TYPED[name], str) else TYPED[name] for name in CHOSEN}.items():
        assert re.findall(rf'<input type="(?:radio|checkbox)" name="{name}" value="(\w+)"[^>]* checked', text) == sorted(
            codes, key=list(ORDER).index
        ), name
    for name in ("consent", "patient_is_minor"):
        assert re.search(rf'name="{name}"[^>]* checked', text), name
    for value in (TYPED["interest"], TYPED["referral_source"]):
        assert f'<option value="{value}" selected>' in text
    assert {name: hidden_values(text)[name] for name in ("submission", "origin")} == {
        name: hidden[name] for name in ("submission", "origin")
    }
    assert text.count('<details class="optional" open>') == 3
    assert "field--invalid" not in text and "error-summary" not in text
    assert not ConsultationRequest.objects.exists()
    assert_not_stored_anywhere(response)


CHOSEN = ("red_flags", "on_behalf_of", "pain_area", "imaging")
ORDER = ("injury", "fever", "other", "lumbar", "mri", "ct")


def test_a_form_switched_twice_is_sent_once_in_the_language_it_is_sent_in(client):
    hidden, response = switched(client, "es", **{**TYPED, "phone": "703 555 0142", "email": "", "red_flags": []})
    back = client.post("/consultation/", hidden_values(page(response)) | {"switch_language": "en", "name": "Ana Núñez"})
    form = form_data(client, name="Ana Núñez") | {name: hidden_values(page(back))[name] for name in ("submission", "origin")}
    first = client.post("/es/consulta/", form)
    assert first.status_code == 303
    lead = ConsultationRequest.objects.get()
    assert (lead.name, lead.language, lead.origin_page.slug) == ("Ana Núñez", "es", "spinal-osteotomy")


def test_an_empty_form_in_the_other_language_is_as_a_fresh_one(client):
    _, response = switched(client, on_behalf_of="me", best_time="any", interest="spinal-osteotomy")
    assert page(response).count('<details class="optional">') == 3
    assert "error-summary" not in page(response)


def test_an_old_form_in_the_other_language_gets_a_new_number_and_no_complaint(client):
    response = client.post("/es/consulta/", {"switch_language": "es", "submission": "altered", "name": "Ana"})
    assert response.status_code == 200
    assert 'value="Ana"' in page(response)
    assert SubmissionToken.read(hidden_values(page(response))["submission"])


def test_enter_in_a_field_still_sends(client):
    text = page(client.get("/consultation/"))
    buttons = re.findall(r'<button[^>]*form="consultation-form"[^>]*>', text)
    assert "formaction" not in buttons[0]
    assert "formaction" in buttons[1]


def test_the_other_language_needs_the_csrf_token_too():
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/es/consulta/", {"switch_language": "es", "name": "Ana"}).status_code == 403


@pytest.mark.parametrize("template", ["422", "warning", "429", "503"])
def test_every_page_that_shows_the_form_again_offers_the_other_language(client, settings, monkeypatch, template):
    answers = {"422": {"consent": ""}, "warning": {"red_flags": "bladder"}}.get(template, {})
    if template == "429":
        settings.FLOOD_LIMIT = 0
    if template == "503":
        monkeypatch.setattr(views, "submit_consultation_request", lambda *a, **k: (_ for _ in ()).throw(services.NotStored))
    text = page(post(client, **answers))
    assert 'formaction="/es/consulta/" formnovalidate' in text


def test_the_receipt_has_its_twin_in_the_other_language(client):
    address = post(client).headers["Location"]
    twin = re.search(r'<a href="(/es/[^"]+)" lang="es"', page(client.get(address)))[1]
    assert page(client.get(twin)).count('<html lang="es">') == 1
    reference = re.search(r'ticket__ref">([^<]+)<', page(client.get(address)))[1]
    assert reference in page(client.get(twin))
