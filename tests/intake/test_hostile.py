"""Whatever is posted, the form answers in words, and works again at once."""

from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.forms import ConsultationForm
from intake.models import ConsultationRequest
from tests.factories import form_data

ANSWERED = {200, 303, 400, 403, 422, 429}
NASTY = [
    "\x00", "\r\nBcc: all@example.org", "‮evil", "{{ settings.SECRET_KEY }}", "{% load x %}", "' OR 1=1 --", "<svg onload=alert(1)>",
    "=cmd|' /C calc'!A0", "%00%0d%0a", "😀" * 50, "a" * 20_000, "٠" * 40, "-1", "true", "[]", "../../etc/passwd", "ﷺ" * 100,
]  # fmt: skip
KEYS = [
    *ConsultationForm.base_fields,
    "submission",
    "origin",
    "warning",
    "website",
    "csrfmiddlewaretoken",
    "pk",
    "status",
    "__proto__",
]
values = st.one_of(st.sampled_from(NASTY), st.text(max_size=60), st.binary(max_size=30))
pairs = st.lists(st.tuples(st.sampled_from(KEYS), values), max_size=12)


def encoded(pairs):
    return b"&".join(
        key.encode()
        + b"="
        + quote_from_bytes(value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")).encode()
        for key, value in pairs
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=pairs, is_real_form=st.booleans())
def test_no_generated_form_is_answered_with_an_error_of_ours(client, content, pairs, is_real_form):
    base = encoded(form_data(client).items()) + b"&" if is_real_form else b""
    response = client.post("/consultation/", base + encoded(pairs), content_type="application/x-www-form-urlencoded")
    assert response.status_code in ANSWERED
    assert b"<svg onload" not in response.content
    assert b"alert(1)>" not in response.content


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400), boundary=st.sampled_from(["x", "", "--", "x" * 300, "é"]))
def test_no_generated_multipart_body_is_answered_with_an_error_of_ours(client, content, body, boundary):
    for content_type in (f"multipart/form-data; boundary={boundary}", "application/x-www-form-urlencoded"):
        assert client.generic("POST", "/consultation/", body, content_type=content_type).status_code in ANSWERED


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "cp037", "nonsense", "", "utf-8; charset=utf-16"])
def test_an_odd_charset_is_refused(client, content, charset):
    content_type = f"application/x-www-form-urlencoded; charset={charset}"
    assert client.generic("POST", "/consultation/", b"name=Sam", content_type=content_type).status_code in {400, 422}


def test_a_valid_request_still_works_after_all_that(client, content):
    for nasty in NASTY:
        client.post("/consultation/", form_data(client, name=nasty, message=nasty, email=nasty))
    ConsultationRequest.objects.all().delete()
    assert client.post("/consultation/", form_data(client)).status_code == 303
    assert ConsultationRequest.objects.count() == 1
