"""What editors can rely on: a history they can read and go back in, and no save that silently undoes a colleague's."""

import re
import threading
from functools import partial

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from clinic_site import staff_groups
from conditions import services
from conditions.content_pack import export_pack, load_pack
from conditions.content_pack.states import page_state
from conditions.models import Page, PageRevision, RevisionAction, Section, Status
from tests.admin.addresses import text_of
from tests.admin.conftest import member, signed_in
from tests.admin.forms import form_values
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]

SLUG = "sciatica-radiculopathy"
# A section that a page on the site can do without.
SPARE = "appointment"


@pytest.fixture
def whole_page(content):
    """A draft, so that what is asked of published pages does not stand in the way of a test's edits."""
    Page.objects.filter(slug=SLUG).update(status=Status.DRAFT, status_es=Status.DRAFT)
    return with_history_from_here(Page.objects.get(slug=SLUG))


@pytest.fixture
def page(whole_page):
    """The same with few sections, which takes less time."""
    whole_page.sections.exclude(anchor__in=[*anchors(whole_page)[:5], SPARE]).delete()
    return with_history_from_here(whole_page)


def with_history_from_here(page):
    page.revisions.all().delete()
    services.record_revision(page, by=None, action=RevisionAction.LOADED)
    return page


@pytest.fixture
def ada(db):
    """Another editor."""
    return signed_in(member(staff_groups.EDITORS, username="ada", first_name="Ada", last_name="Sample"))


def address(page, rest="change/"):
    return f"/admin/conditions/condition/{page.pk}/{rest}"


def opened(client, page):
    """The form, as somebody opens it."""
    return form_values(client.get(address(page)))


def send(client, page, values, **changes):
    return client.post(address(page), values | {"_continue": "1"} | changes)


def index_of(values, anchor):
    return next(name.split("-")[1] for name, value in values.items() if name.endswith("-anchor") and value == anchor)


def new_section(values, **fields):
    total = int(values["sections-TOTAL_FORMS"])
    fields = {"position": "99", "level": "2", "kind": "prose", "body_en": "<p>New.</p>"} | fields
    return {f"sections-{total}-{name}": value for name, value in fields.items()} | {"sections-TOTAL_FORMS": str(total + 1)}


def body_of(page, anchor="what-it-is"):
    return Section.objects.get(page=page, anchor=anchor).body_en


def anchors(page):
    return [section.anchor for section in page.sections.all()]


# --- history -------------------------------------------------------------------------------------


def test_a_save_that_changes_nothing_is_no_version(editor, page):
    before = page_state(page)
    assert send(editor, page, opened(editor, page)).status_code == 302
    assert page_state(page) == before
    assert page.revisions.count() == 1


def test_the_history_says_who_changed_how_much_and_why(ada, page):
    values = opened(ada, page)
    changes = {"card_en": "Another line.", f"sections-{index_of(values, anchors(page)[0])}-body_en": "<p>Other words.</p>"}
    send(ada, page, values, history_note="Plainer words", **changes)
    text = text_of(ada.get(address(page, "history/")))
    assert "Ada Sample Saved Plainer words 2 What changed" in text
    assert "Content files Loaded from files First version" in text


def test_a_version_shows_added_and_removed_words_each_in_its_place(ada, page):
    anchor = anchors(page)[0]
    Section.objects.filter(page=page, anchor=anchor).update(body_en="<p>Most people get better.</p>", heading_es="Qué es")
    values = opened(ada, page)
    row = f"sections-{index_of(values, anchor)}"
    send(ada, page, values, **{f"{row}-body_en": "<p>Many people get better slowly.</p>", f"{row}-heading_es": "Otro"})
    revision = page.revisions.first()
    html = ada.get(address(page, f"history/{revision.pk}/")).content.decode()
    text = " ".join(html.split())
    assert '<del><span class="visually-hidden">[removed: </span>Most<span' in text
    assert '<ins><span class="visually-hidden">[added: </span>Many<span' in text
    assert text.index(">English") < text.index("Many") < text.index(">Spanish") < text.index("Otro")


def test_sections_that_came_went_or_moved_are_named(ada, page):
    values = opened(ada, page)
    second, third = SPARE, anchors(page)[2]
    heading = Section.objects.get(page=page, anchor=third).heading_en
    gone = Section.objects.get(page=page, anchor=second).heading_en
    changes = new_section(values, heading_en="A new part", anchor="a-new-part")
    changes |= {f"sections-{index_of(values, second)}-DELETE": "on", f"sections-{index_of(values, third)}-position": "98"}
    assert send(ada, page, values, **changes).status_code == 302
    text = text_of(ada.get(address(page, f"history/{page.revisions.first().pk}/")))
    assert "Section “A new part” Added." in text
    assert f"Section “{gone}” Removed." in text
    assert f"Section “{heading}” Moved to another place." in text


def test_a_version_is_restored_after_a_look_at_what_that_changes(ada, editor, page):
    before = page_state(page)
    first = page.revisions.get()
    values = opened(ada, page)
    send(ada, page, values, title_en="A worse title", **{f"sections-{index_of(values, SPARE)}-DELETE": "on"})
    shown = text_of(editor.get(address(page, f"history/{first.pk}/restore/")))
    assert "Restore this version?" in shown and "A worse title" in shown
    assert page_state(page) != before
    assert editor.post(address(page, f"history/{first.pk}/restore/"), follow=True).status_code == 200
    assert page_state(page) == before
    newest = page.revisions.first()
    assert (newest.action, newest.author, page.revisions.count()) == ("restored", "eddie", 3)


def test_a_version_belongs_to_its_page_and_to_those_who_may_see_it(editor, desk, client, page):
    revision = page.revisions.get()
    other = Page.objects.get(slug="scoliosis")
    for rest in (f"history/{revision.pk}/", f"history/{revision.pk}/restore/"):
        assert editor.get(address(other, rest)).status_code == 404
        assert editor.get(address(page, rest)).status_code == 200
        assert desk.get(address(page, rest)).status_code == 403
        assert client.get(address(page, rest)).status_code == 302
    assert desk.post(address(page, f"history/{revision.pk}/restore/")).status_code == 403
    assert desk.get(address(page, "history/")).status_code == 403


def test_who_may_only_look_sees_the_history_and_changes_nothing(page):
    viewer = UserFactory(username="viewer")
    viewer.user_permissions.add(Permission.objects.get(codename="view_page"), Permission.objects.get(codename="view_condition"))
    browser = signed_in(viewer)
    assert "opened_on" not in browser.get(address(page)).content.decode()
    text = text_of(browser.get(address(page, "history/")))
    assert "First version" in text and "Restore" not in text
    first = page.revisions.get()
    assert browser.get(address(page, f"history/{first.pk}/")).status_code == 200
    assert browser.post(address(page, f"history/{first.pk}/restore/")).status_code == 403


def test_a_long_history_is_shown_in_pages_and_read_in_few_queries(editor, page, kept_clinic, django_assert_max_num_queries):
    for number in range(45):
        Page.objects.filter(pk=page.pk).update(card_en=f"Line {number}")
        services.keep_present(Page.objects.get(pk=page.pk))
    editor.get(address(page))
    with django_assert_max_num_queries(10):
        text = text_of(editor.get(address(page, "history/"), {"p": 2}))
    assert "Page 2 of 3" in text
    assert text.count("What changed") == 20


# --- two editors at once ---------------------------------------------------------------------------


def test_a_save_over_an_unseen_change_is_refused_with_everything_typed_kept(ada, editor, page):
    anchor = anchors(page)[0]
    hers, his = opened(ada, page), opened(editor, page)
    assert send(ada, page, hers, title_en="Her title").status_code == 302
    response = send(editor, page, his, **{f"sections-{index_of(his, anchor)}-body_en": "<p>His words.</p>"})
    assert response.status_code == 200
    page.refresh_from_db()
    assert page.title_en == "Her title" and "His words" not in body_of(page, anchor)
    assert "His words" in form_values(response)[f"sections-{index_of(his, anchor)}-body_en"]
    text = text_of(response)
    assert "Somebody else changed this page while you had it open" in text
    assert "Please correct the error" not in text and "<title>Error: " in response.content.decode()
    assert "Saved by Ada Sample" in text and "[added: Her title end]" in text
    assert page.revisions.count() == 2


def test_saving_over_a_change_is_possible_on_purpose_and_recorded(ada, editor, page):
    hers, his = opened(ada, page), opened(editor, page)
    send(ada, page, hers, title_en="Her title")
    refused = form_values(send(editor, page, his, card_en="His line."))
    assert send(editor, page, refused, save_over="on").status_code == 302
    page.refresh_from_db()
    assert (page.title_en, page.card_en) == (his["title_en"], "His line.")
    newest, older = page.revisions.all()[:2]
    assert newest.comment.startswith("Saved over: Saved by Ada Sample")
    assert older.data["page"]["title"] == "Her title"


def test_saving_over_brings_back_what_the_colleague_took_out_and_leaves_out_what_they_added(ada, editor, page):
    before = anchors(page)
    gone = SPARE
    hers, his = opened(ada, page), opened(editor, page)
    changes = new_section(hers, heading_en="Hers", anchor="hers")
    send(ada, page, hers, **changes, **{f"sections-{index_of(hers, gone)}-DELETE": "on"})
    assert gone not in anchors(page) and "hers" in anchors(page)
    refused = form_values(send(editor, page, his, **{f"sections-{index_of(his, gone)}-body_en": "<p>His words.</p>"}))
    assert "hers" in anchors(page)
    assert send(editor, page, refused, save_over="on").status_code == 302
    assert anchors(page) == before
    assert body_of(page, gone) == "<p>His words.</p>"


def test_saving_over_is_refused_where_the_opened_version_cannot_stand_any_more(ada, editor, page):
    hers, his = opened(ada, page), opened(editor, page)
    send(ada, page, hers, slug="moved-away")
    Page.objects.create(kind="condition", slug=SLUG, title_en="Took the address", name_en="Took it")
    response = send(editor, page, his, save_over="on", card_en="His line.")
    assert "It cannot be saved over what changed" in text_of(response)
    page.refresh_from_db()
    assert (page.slug, page.card_en) == ("moved-away", hers["card_en"])


def test_a_mistake_in_the_form_saves_nothing_also_when_saving_over(ada, editor, page):
    hers, his = opened(ada, page), opened(editor, page)
    send(ada, page, hers, title_en="Her title")
    assert send(editor, page, his, save_over="on", name_en="").status_code == 200
    page.refresh_from_db()
    assert page.title_en == "Her title"
    assert page.revisions.count() == 2


def test_what_a_colleague_planned_is_not_undone_unseen(ada, editor, page):
    hers, his = opened(ada, page), opened(editor, page)
    assert send(ada, page, hers, unpublish_at_0="2030-01-02", unpublish_at_1="03:04").status_code == 302
    response = send(editor, page, his, card_en="His line.")
    assert "Somebody else changed this page" in text_of(response) and "2030-01-02" in text_of(response)
    page.refresh_from_db()
    assert page.unpublish_at


def test_a_load_of_the_content_files_in_between_counts_as_a_change(editor, page, tmp_path):
    export_pack(tmp_path)
    load_pack(tmp_path)
    his = opened(editor, page)
    file = tmp_path / "pages" / f"{SLUG}.en.md"
    file.write_text(re.sub(r"^title: .*$", "title: From the file", file.read_text(), count=1, flags=re.M))
    load_pack(tmp_path)
    response = send(editor, page, his, card_en="His line.")
    assert "Loaded from files by Content files" in text_of(response)
    page.refresh_from_db()
    assert page.title_en == "From the file"


def test_a_form_that_does_not_say_what_it_was_opened_on_saves_nothing(editor, page):
    values = opened(editor, page)
    del values["opened_on"]
    assert send(editor, page, values, title_en="Unseen").status_code == 200
    page.refresh_from_db()
    assert page.title_en != "Unseen"


def test_a_form_opened_before_a_restore_still_saves_when_the_words_are_the_same(ada, editor, page):
    first = page.revisions.get()
    his = opened(editor, page)
    values = opened(ada, page)
    send(ada, page, values, **{f"sections-{index_of(values, anchors(page)[1])}-DELETE": "on"})
    ada.post(address(page, f"history/{first.pk}/restore/"))
    assert send(editor, page, his, card_en="His line.").status_code == 302
    page.refresh_from_db()
    assert page.card_en == "His line."


def at_once(posts):
    """The statuses of posts that are sent in the same instant, each from a thread and connection of its own."""
    gate, statuses = threading.Barrier(len(posts)), {}

    def run(number):
        try:
            gate.wait()
            statuses[number] = posts[number]().status_code
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(posts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [statuses[number] for number in range(len(posts))]


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_the_same_instant_one_is_kept_and_one_is_refused(content):
    page = Page.objects.get(slug=SLUG)
    clients = [signed_in(member(staff_groups.EDITORS, username=name)) for name in ("one", "two")]
    forms = [(client, page, opened(client, page)) for client in clients]
    for attempt in range(2):
        statuses = at_once([partial(send, *each, title_en=f"Title {attempt} {number}") for number, each in enumerate(forms)])
        assert sorted(statuses) == [200, 302]
        page.refresh_from_db()
        assert page.title_en == f"Title {attempt} {statuses.index(302)}"
        forms = [(client, page, opened(client, page)) for client in clients]
    assert PageRevision.objects.filter(page=page, action="saved").count() == 2


def test_whoever_may_not_see_a_page_leaves_no_trace_in_its_history(page, newcomer):
    Page.objects.filter(pk=page.pk).update(title_en="Changed by hand")
    before = list(PageRevision.objects.values_list("pk", flat=True))
    assert newcomer.get(address(page)).status_code == 403
    assert list(PageRevision.objects.values_list("pk", flat=True)) == before
