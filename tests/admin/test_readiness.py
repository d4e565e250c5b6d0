"""What editors see of readiness: needs with their places, a check that saves nothing, a gate that keeps what was typed."""

import datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from clinic_site import staff_groups
from clinic_site.models import Clinic
from conditions import services
from conditions.models import Figure, Page, PlannedOverride, ProcedureFacts, PublishOverride, Section
from tests.admin.addresses import text_of
from tests.admin.conftest import member, signed_in
from tests.admin.forms import form_values
from tests.factories import signed_draft

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
SLUG = "kyphosis"
CURE = "<p>This is a cure.</p><p>[figure:rounded-upper-back]</p>"


@pytest.fixture
def kyphosis():
    """A finished, signed draft."""
    return signed_draft(SLUG)


@pytest.fixture
def lead(db):
    """The browser of an editor who may publish despite problems."""
    user = member(staff_groups.EDITORS, username="lead", first_name="Lea", last_name="Lead")
    user.user_permissions.add(Permission.objects.get(codename="publish_despite_problems"))
    return signed_in(user)


def address(page, name="change"):
    return f"/admin/conditions/condition/{page.pk}/{name}/"


def filled(client, page, **changes):
    """What a browser would send after someone opened the form and changed some of it."""
    return form_values(client.get(address(page))) | changes


def body_of(values, anchor):
    row = next(name.removesuffix("-anchor") for name, value in values.items() if name.endswith("-anchor") and value == anchor)
    return f"{row}-body_en"


def spoilt(client, page, **changes):
    values = filled(client, page, **changes)
    return values | {body_of(values, "what-it-is"): CURE}


def stored():
    return Page.objects.get(slug=SLUG)


def stored_body():
    return Section.objects.get(page__slug=SLUG, anchor="what-it-is").body_en


# --- the list of needs


def test_a_finished_page_needs_nothing_but_its_spanish(editor, kyphosis):
    needs = editor.get(address(kyphosis)).context_data["needs"]
    assert [need.message for need in needs.to_mend] == ["There is no published Spanish text."]
    assert needs.for_people == []
    assert needs.count == "1 thing to mend"


def test_each_need_leads_to_its_place_in_the_form(editor, kyphosis):
    Section.objects.filter(page=kyphosis, anchor="what-it-is").update(body_en=CURE)
    Page.objects.filter(pk=kyphosis.pk).update(title_en="T" * 70, review_state="unreviewed")
    response = editor.get(address(kyphosis))
    html = response.content.decode()
    needs = response.context_data["needs"]
    places = {need.message: need.href for need in (*needs.to_mend, *needs.for_people)}
    index = list(Section.objects.filter(page=kyphosis).values_list("anchor", flat=True)).index("what-it-is")
    assert places["Promise nothing: leave out “cure”."] == f"#sections-{index}"
    assert places["No physician has reviewed this page."] == "#id_review_state"
    assert places["Title: 70 characters; at most 60."] == "#id_title_en"
    for href in filter(None, places.values()):
        assert f'id="{href[1:]}"' in html


def test_a_need_of_a_picture_or_a_fact_leads_there_too(boss, content):
    page = Page.objects.get(slug="spinal-osteotomy")
    Figure.objects.filter(page=page, position=0).update(caption_en="A miracle.")
    ProcedureFacts.objects.filter(page=page).update(stay_en="A miracle.")
    response = boss.get(f"/admin/conditions/procedure/{page.pk}/change/")
    found = [need for need in response.context_data["needs"].to_mend if "miracle" in need.message]
    title = page.figures.get(position=0).title
    assert {(need.place, need.href) for need in found} == {
        (title, "#id_figures-0-caption_en"),
        ("Facts to compare, hospital stay", "#id_facts-0-stay_en"),
    }
    for need in found:
        assert f'id="{need.href[1:]}"' in response.content.decode()


def test_signatures_stand_apart_from_what_can_be_mended(editor, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(review_state="unreviewed")
    needs = editor.get(address(kyphosis)).context_data["needs"]
    assert [need.message for need in needs.for_people] == ["No physician has reviewed this page."]
    assert needs.count == "1 thing to mend, 1 thing that needs a person"


def test_a_new_page_can_be_begun_without_a_list(editor):
    assert "as unfinished as you like" in text_of(editor.get("/admin/conditions/condition/add/"))


# --- the check while typing


def test_the_check_sees_what_was_typed_and_saves_nothing(editor, kyphosis):
    revision = Clinic.objects.get().content_revision
    before, versions = stored_body(), kyphosis.revisions.count()
    values = spoilt(editor, kyphosis, title_en="Another title")
    versions = kyphosis.revisions.count()
    answer = editor.post(address(kyphosis, "check"), values)
    assert answer.json()["count"] == "4 things to mend"
    assert "leave out “cure”" in answer.json()["list"]
    assert stored_body() == before
    assert stored().title_en == kyphosis.title_en
    assert stored().changed_at == kyphosis.changed_at
    assert kyphosis.revisions.count() == versions
    assert Clinic.objects.get().content_revision == revision
    assert "no-store" in answer["Cache-Control"]


def test_the_check_finds_a_new_section_by_its_anchor(editor, kyphosis):
    values = filled(editor, kyphosis)
    total = int(values["sections-TOTAL_FORMS"])
    row = f"sections-{total}"
    values |= {f"{row}-position": "99", f"{row}-level": "2", f"{row}-kind": "prose", f"{row}-heading_en": "News", f"{row}-id": ""}
    values |= {f"{row}-anchor": "news", f"{row}-body_en": "<p>A miracle.</p>", "sections-TOTAL_FORMS": str(total + 1)}
    found = editor.post(address(kyphosis, "check"), values).json()["list"]
    assert f'href="#{row}"' in found
    assert "News: Promise nothing: leave out “miracle”." in found
    assert not Section.objects.filter(anchor="news").exists()


def test_the_check_of_an_incomplete_form_names_its_faults(editor, kyphosis):
    found = editor.post(address(kyphosis, "check"), filled(editor, kyphosis, title_en="")).json()
    assert found["count"].startswith("Fill in the marked fields first")
    assert "required" in found["list"]


def test_a_page_that_is_not_stored_yet_can_be_checked(editor):
    values = form_values(editor.get("/admin/conditions/condition/add/"))
    values |= {"title_en": "A new condition", "name_en": "New", "slug": "a-new-condition"}
    found = editor.post("/admin/conditions/condition/add/check/", values).json()
    assert "things to mend" in found["count"]
    assert not Page.objects.filter(slug="a-new-condition").exists()


def test_the_check_does_not_publish(editor, kyphosis):
    editor.post(address(kyphosis, "check"), filled(editor, kyphosis, status="published"))
    assert stored().status == "draft"


def test_the_check_is_for_those_who_may_edit(client, desk, newcomer, editor, kyphosis):
    values = filled(editor, kyphosis)
    assert client.post(address(kyphosis, "check"), values).status_code == 302
    assert desk.post(address(kyphosis, "check"), values).status_code == 403
    assert newcomer.post(address(kyphosis, "check"), values).status_code == 403
    assert editor.get(address(kyphosis, "check")).status_code == 405


def test_the_check_refuses_a_form_from_elsewhere(editor, kyphosis):
    values = filled(editor, kyphosis)
    del values["csrfmiddlewaretoken"]
    editor.handler.enforce_csrf_checks = True
    assert editor.post(address(kyphosis, "check"), values).status_code == 403


# --- the gate


def test_a_ready_page_is_published_from_its_form(editor, kyphosis):
    editor.post(address(kyphosis), filled(editor, kyphosis, status="published"))
    assert stored().status == "published"
    assert stored().first_published_on


def test_a_page_that_is_not_ready_comes_back_with_the_list_and_everything_typed(editor, kyphosis):
    response = editor.post(address(kyphosis), spoilt(editor, kyphosis, status="published", name_en="Typed name"))
    assert response.status_code == 200
    text = text_of(response)
    assert text.count("Nothing was saved") == 1
    assert "Nothing was saved: the page is not ready" in text and "Please correct the error" not in text
    assert "<title>Error: " in response.content.decode()
    assert "Promise nothing: leave out “cure”." in text
    assert form_values(response)["name_en"] == "Typed name"
    assert CURE in form_values(response).values()
    assert stored().status == "draft"
    assert "cure" not in stored_body()
    assert "Preview draft" in text and "View on site" not in text


def test_a_draft_is_saved_with_any_problem(editor, kyphosis):
    assert editor.post(address(kyphosis), spoilt(editor, kyphosis)).status_code == 302
    assert "cure" in stored_body()


def test_a_published_page_with_old_problems_can_still_be_mended(editor, kyphosis):
    Section.objects.filter(page=kyphosis, anchor="what-it-is").update(body_en=CURE)
    Page.objects.filter(pk=kyphosis.pk).update(status="published", review_state="unreviewed")
    assert editor.post(address(kyphosis), filled(editor, kyphosis, card_en="A better line.")).status_code == 302
    assert stored().card_en == "A better line."


def test_a_published_page_gets_no_new_problem(editor, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(status="published", review_state="unreviewed")
    response = editor.post(address(kyphosis), spoilt(editor, kyphosis))
    assert response.status_code == 200
    assert [need.message for need in response.context_data["needs"].to_mend] == ["Promise nothing: leave out “cure”."]
    assert "cure" not in stored_body()


def test_an_edit_of_the_english_may_leave_the_published_spanish_behind(editor, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(status="published", status_es="published")
    values = filled(editor, kyphosis)
    name = body_of(values, "living")
    editor.post(address(kyphosis), values | {name: values[name] + "<p>One more line.</p>"})
    assert "One more line." in Section.objects.get(page=kyphosis, anchor="living").body_en


def test_only_those_who_may_see_how_to_override(editor, lead, kyphosis):
    assert "override_reason" not in editor.get(address(kyphosis)).content.decode()
    assert "override_reason" in lead.get(address(kyphosis)).content.decode()


def test_an_override_is_recorded_and_shown_on_the_page(lead, editor, kyphosis):
    lead.post(address(kyphosis), spoilt(lead, kyphosis, status="published", override_reason="Counsel agreed on Monday."))
    assert stored().status == "published"
    assert PublishOverride.objects.get().by_name == "Lea Lead"
    for text in (text_of(editor.get(address(kyphosis))), text_of(editor.get("/admin/conditions/publishoverride/"))):
        assert "Counsel agreed on Monday." in text


def test_a_reason_does_not_help_those_who_may_not_override(editor, kyphosis):
    values = spoilt(editor, kyphosis, status="published", override_reason="Please.")
    assert editor.post(address(kyphosis), values).status_code == 200
    assert stored().status == "draft"


def test_records_are_read_and_never_changed(boss, kyphosis):
    override = PublishOverride.objects.create(page=kyphosis, language="en", by_name="Lea", reason="Why not.", problems=[])
    assert boss.get("/admin/conditions/publishoverride/add/").status_code == 403
    assert boss.post(f"/admin/conditions/publishoverride/{override.pk}/change/", {"reason": "x"}).status_code == 403
    assert boss.post(f"/admin/conditions/publishoverride/{override.pk}/delete/", {"post": "yes"}).status_code == 403
    assert boss.get("/admin/conditions/reviewreminder/").status_code == 200
    boss.post(address(kyphosis, "delete"), {"post": "yes"})
    assert not Page.objects.filter(pk=kyphosis.pk).exists()


# --- from the list


def act(client, action, *pages):
    data = {"action": action, "_selected_action": [page.pk for page in pages]}
    return text_of(client.post("/admin/conditions/page/", data, follow=True))


def test_ready_pages_are_published_from_the_list_and_others_named_with_the_reason(editor, kyphosis):
    other = Page.objects.get(slug="scoliosis")
    Page.objects.filter(pk=other.pk).update(status="draft", review_state="unreviewed")
    text = act(editor, "publish", kyphosis, other)
    assert "1 page published." in text
    assert "Scoliosis is not ready: No physician has reviewed this page." in text
    assert stored().status == "published"
    assert Page.objects.get(pk=other.pk).status == "draft"


def test_the_spanish_has_actions_of_its_own(editor, kyphosis):
    act(editor, "publish_spanish", kyphosis)
    assert (stored().status, stored().status_es) == ("draft", "published")
    services.publish(stored(), "en", by=None)
    assert "The Spanish of 1 page is a draft now." in act(editor, "unpublish_spanish", kyphosis)
    assert (stored().status, stored().status_es) == ("published", "draft")


def test_publishing_a_published_page_again_is_no_complaint(editor, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(status="published", review_state="unreviewed")
    assert "is not ready" not in act(editor, "publish", kyphosis)


# --- schedule


def test_times_are_typed_and_shown_in_the_clinics_time(editor, kyphosis):
    Clinic.objects.update(time_zone="America/Los_Angeles")
    editor.post(address(kyphosis), filled(editor, kyphosis, publish_at_0="2027-01-15", publish_at_1="08:30:00"))
    assert stored().publish_at == datetime.datetime(2027, 1, 15, 16, 30, tzinfo=datetime.UTC)
    assert filled(editor, kyphosis)["publish_at_1"] == "08:30:00"
    assert "Goes out on 01/15/2027 8:30 a.m." in text_of(editor.get("/admin/conditions/page/", {"schedule": "planned"}))


PLAN = {"publish_at_0": "2027-01-15", "publish_at_1": "08:30"}


def test_leave_given_with_the_time_is_recorded_and_the_form_says_what_will_happen(lead, editor, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(review_state="unreviewed")
    assert lead.post(address(kyphosis), filled(lead, kyphosis, **PLAN, override_reason="Counsel agreed.")).status_code == 302
    leave = PlannedOverride.objects.get()
    assert (leave.page, leave.language, leave.by_name, leave.due_at) == (kyphosis, "en", "Lea Lead", stored().publish_at)
    said = text_of(editor.get(address(kyphosis)))
    assert "English will go out on 01/15/2027 8:30 a.m. with 1 open problem, by leave of Lea Lead" in said
    assert "Counsel agreed." in said
    listed = text_of(editor.get("/admin/conditions/condition/", {"schedule": "planned"}))
    assert "Goes out on 01/15/2027 8:30 a.m. with problems, by leave of Lea Lead" in listed
    editor.post(address(kyphosis), spoilt(editor, kyphosis))
    said = text_of(editor.get(address(kyphosis)))
    assert "English will stay a draft on 01/15/2027 8:30 a.m.: 1 problem was not open when Lea Lead gave leave" in said


def test_a_new_time_needs_leave_anew(lead, editor, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(review_state="unreviewed")
    lead.post(address(kyphosis), filled(lead, kyphosis, **PLAN, override_reason="Counsel agreed."))
    editor.post(address(kyphosis), filled(editor, kyphosis, publish_at_1="09:30"))
    said = text_of(editor.get(address(kyphosis)))
    assert "English will stay a draft on 01/15/2027 9:30 a.m. unless 1 open problem is mended by then." in said


def test_leave_that_ended_is_said(lead, editor, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(review_state="unreviewed")
    lead.post(address(kyphosis), filled(lead, kyphosis, **PLAN, override_reason="Counsel agreed."))
    get_user_model().objects.filter(username="lead").delete()
    assert "Lea Lead gave leave, but may not publish despite problems any more" in text_of(editor.get(address(kyphosis)))


def test_the_form_says_that_a_ready_page_goes_out_and_that_one_lacking_the_least_does_not(lead, editor, kyphosis):
    editor.post(address(kyphosis), filled(editor, kyphosis, **PLAN))
    assert "English will go out on 01/15/2027 8:30 a.m.: nothing is open." in text_of(editor.get(address(kyphosis)))
    lead.post(address(kyphosis), filled(lead, kyphosis, summary_en="", override_reason="It is short."))
    said = text_of(editor.get(address(kyphosis)))
    assert "English will stay a draft on 01/15/2027 8:30 a.m.: A published page needs a title and a summary." in said


def test_nobody_else_gives_leave(editor, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(review_state="unreviewed")
    assert editor.post(address(kyphosis), filled(editor, kyphosis, **PLAN, override_reason="Please.")).status_code == 302
    assert not PlannedOverride.objects.exists()


def test_a_page_cannot_leave_before_it_comes(editor, kyphosis):
    times = {"publish_at_0": "2027-01-15", "publish_at_1": "08:30", "unpublish_at_0": "2027-01-14", "unpublish_at_1": "08:30"}
    assert "A page is taken off the site after it is published" in text_of(
        editor.post(address(kyphosis), filled(editor, kyphosis, **times))
    )


def test_a_time_that_was_missed_is_said_until_there_is_a_new_one(editor, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(publish_failed_at=datetime.datetime(2026, 11, 24, 15, tzinfo=datetime.UTC))
    assert "was not ready. It stays a draft" in text_of(editor.get(address(kyphosis)))
    assert "1 condition" in text_of(editor.get("/admin/conditions/condition/", {"schedule": "failed"}))
    editor.post(address(kyphosis), filled(editor, kyphosis, publish_at_0="2027-01-15", publish_at_1="08:30"))
    assert stored().publish_failed_at is None


def test_publishing_by_hand_drops_the_plan(editor, kyphosis):
    values = filled(editor, kyphosis, status="published", publish_at_0="2027-01-15", publish_at_1="08:30")
    editor.post(address(kyphosis), values)
    assert stored().publish_at is None
