"""From the front page to a stored request that staff see: in a real browser, with and without script, on phone and desktop."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from .tabs import PHONE, WAYS

HEADLINE = "Congratulations! You are taking the first step to overcome your neck or back pain."
THANKS = "Thank you for choosing Virginia Spine Institute!"
FOLLOW_UP = "A member of our new patient team will reach out to you shortly to discuss your care."


def fill_in(tab, name):
    tab.get_by_label("Full name").first.fill(name)
    tab.locator("[name=phone]").fill("(703) 555-0142")
    tab.locator("[name=consent]").check()


def send(tab):
    tab.get_by_role("button", name=re.compile("^Send my request")).click()


@pytest.mark.parametrize(("size", "javascript"), WAYS)
def test_from_the_front_page_to_the_lead_in_admin(open_tab, sign_in, size, javascript):
    name = f"Journey {uuid.uuid4().hex[:8]}"
    tab, watch = open_tab(size, javascript)
    tab.goto("/")
    tab.locator("main").get_by_role("link", name="Spinal osteotomy").first.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Spinal osteotomy for spinal deformity")
    tab.get_by_role("link", name="Learn if you are a candidate for this surgery").first.click()
    expect(tab).to_have_url(re.compile(r"/consultation/\?about=spinal-osteotomy$"))
    expect(tab.locator("main")).to_contain_text("Spinal osteotomy")
    fill_in(tab, name)
    send(tab)
    expect(tab.get_by_role("heading", level=1)).to_have_text(HEADLINE)
    expect(tab.locator("main")).to_contain_text(THANKS)
    expect(tab.locator("main")).to_contain_text(FOLLOW_UP)
    assert name not in tab.content() and "555-0142" not in tab.url
    reference = tab.locator(".ticket__ref").inner_text()
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", reference)
    tab.reload()
    expect(tab.locator(".ticket__ref")).to_have_text(reference)
    assert watch.is_clean()

    staff, staff_watch = open_tab(size)
    sign_in(staff)
    staff.goto("/admin/intake/consultationrequest/")
    row = staff.get_by_role("row").filter(has_text=reference)
    expect(row).to_contain_text(name)
    row.get_by_role("link", name=re.compile(reference)).first.click()
    expect(staff.locator("main")).to_contain_text(name)
    expect(staff.locator("main")).to_contain_text("703")
    expect(staff.locator("main")).to_contain_text("Spinal osteotomy")
    assert name not in staff.title() and name not in staff.url
    assert staff_watch.is_clean()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_mistake_is_named_at_the_top_and_at_its_field_and_all_typed_text_stays(open_tab, javascript):
    tab, watch = open_tab(PHONE, javascript)
    tab.goto("/consultation/")
    tab.get_by_label("Full name").first.fill("Ana Núñez")
    tab.locator("[name=phone]").fill("703 55")
    send(tab)
    assert tab.title().startswith("Error:")
    summary = tab.locator(".error-summary")
    expect(summary).to_be_visible()
    if javascript:
        expect(summary).to_be_focused()
    expect(tab.locator("[name=name]")).to_have_value("Ana Núñez")
    phone = tab.locator("[name=phone]")
    expect(phone).to_have_value("703 55")
    expect(phone).to_have_attribute("aria-invalid", "true")
    described = phone.get_attribute("aria-describedby").split()
    assert any("error" in part and tab.locator(f"#{part}").is_visible() for part in described)
    summary.get_by_role("link").first.click()
    # A refused form is answered with 422, which the browser reports as a failed resource; nothing else may be.
    assert watch.foreign == [] and all("422" in complaint for complaint in watch.complaints)


def test_a_double_click_stores_one_request(open_tab, site_server):
    name = f"Double {uuid.uuid4().hex[:8]}"
    tab, _ = open_tab()
    before = site_server.rows("select count(*) from intake_consultationrequest")[0][0]
    tab.goto("/consultation/")
    fill_in(tab, name)
    tab.get_by_role("button", name=re.compile("^Send my request")).dblclick()
    expect(tab.locator(".ticket__ref")).to_be_visible()
    assert site_server.rows("select count(*) from intake_consultationrequest")[0][0] == before + 1


def test_without_a_connection_or_with_one_that_was_stopped_nothing_typed_is_lost_and_the_next_press_sends(open_tab):
    tab, _ = open_tab(PHONE)
    tab.clock.install()
    tab.goto("/consultation/")
    fill_in(tab, "Olive Offline")
    tab.context.set_offline(True)
    send(tab)
    expect(tab.get_by_role("alert").filter(has_text="Nothing was sent")).to_be_visible()
    tab.context.set_offline(False)
    expect(tab.locator("[name=name]")).to_have_value("Olive Offline")

    tab.route("**/consultation/", lambda route: route.abort("aborted"))  # as when somebody presses Stop
    button = tab.locator("#id_send")
    button.click()
    expect(button).to_have_text("Sending your request")
    expect(tab.locator("[data-offline]")).to_be_hidden()
    tab.clock.fast_forward(16_000)
    expect(button).to_have_text("Send my request")
    tab.unroute_all()
    send(tab)
    expect(tab.locator(".ticket__ref")).to_be_visible()


def test_coming_in_again_from_a_search_engine_leaves_the_open_form_as_good_as_before(open_tab, site_server):
    tab, _ = open_tab(PHONE)
    tab.goto("/consultation/")
    fill_in(tab, "Tara Twotabs")
    second = tab.context.new_page()
    second.goto(site_server.url("/").replace("127.0.0.1", "localhost"))  # to a browser another site
    second.evaluate("address => location.assign(address)", site_server.url("/consultation/"))
    expect(second).to_have_url(site_server.url("/consultation/"))
    expect(second.locator("[name=name]")).to_be_visible()
    send(tab)
    expect(tab.locator(".ticket__ref")).to_be_visible()


@pytest.mark.parametrize("letters", ["ours", "wider"])
def test_the_receipt_is_one_sheet_of_paper(open_tab, letters):
    tab, _ = open_tab()
    if letters == "wider":
        tab.route("**/*.woff2", lambda route: route.abort())
    tab.goto("/es/consulta/")
    tab.locator("[name=name]").fill("Petra Papel")
    tab.locator("[name=phone]").fill("(703) 555-0142")
    tab.locator("[name=consent]").check()
    tab.locator("#id_send").click()
    expect(tab.locator(".ticket__ref")).to_be_visible()
    assert len(re.findall(rb"/Type /Page\b", tab.pdf(format="Letter"))) == 1


def test_going_back_after_sending_shows_nothing_that_was_typed(open_tab, site_server):
    name = f"Back {uuid.uuid4().hex[:8]}"
    tab, _ = open_tab()
    tab.goto("/consultation/")
    fill_in(tab, name)
    send(tab)
    expect(tab.locator(".ticket__ref")).to_be_visible()
    tab.go_back()
    expect(tab.locator("[name=name]")).to_have_value("")
    assert name not in tab.content()


def test_whoever_types_a_date_is_told_of_no_other_time_than_the_clinics(open_tab, sign_in):
    tab, _ = open_tab()
    sign_in(tab)
    tab.goto("/admin/clinic_site/clinic/1/change/")
    expect(tab.get_by_role("link", name="Today").first).to_be_visible()
    assert not [note for note in tab.get_by_text("server time").all() if note.is_visible()]


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_warning_sign_interrupts_once_with_911_and_still_lets_the_request_through(open_tab, site_server, javascript):
    name = f"Urgent {uuid.uuid4().hex[:8]}"
    tab, _ = open_tab(PHONE, javascript)
    tab.goto("/consultation/")
    fill_in(tab, name)
    flag = tab.locator("[name=red_flags]").first
    if not flag.is_visible():
        tab.locator("details:has([name=red_flags]) summary").first.click()
    said = tab.locator("form [role=status]")
    assert said.inner_text() == ""
    flag.check()
    expect(said).to_contain_text("Please call 911")
    send(tab)
    expect(tab.locator("main")).to_contain_text("911")
    expect(tab.locator(".ticket__ref")).to_have_count(0)
    tab.locator("form").get_by_role("button", name=re.compile("Send my request")).last.click()
    expect(tab.locator(".ticket__ref")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_the_other_language_keeps_what_was_typed_both_ways(open_tab, site_server, javascript):
    name = f"Lengua {uuid.uuid4().hex[:8]}"
    tab, watch = open_tab(PHONE, javascript)
    before = site_server.rows("select count(*) from intake_consultationrequest")[0][0]
    tab.goto("/consultation/?about=spinal-osteotomy")
    fill_in(tab, name)
    tab.locator("summary").filter(has_text="What troubles you").click()
    tab.locator("[name=message]").fill("First line\nsecond line")
    tab.locator("[name=imaging][value=mri]").check()
    for button, language, path in (("Español", "es", "/es/consulta/"), ("English", "en", "/consultation/")):
        tab.locator("header").get_by_role("button", name=button).click()
        expect(tab).to_have_url(site_server.url(path))
        expect(tab.locator("html")).to_have_attribute("lang", language)
        expect(tab.locator("[name=name]")).to_have_value(name)
        expect(tab.locator("[name=message]")).to_have_value("First line\nsecond line")
        expect(tab.locator("[name=imaging][value=mri]")).to_be_checked()
        expect(tab.locator("[name=consent]")).to_be_checked()
        expect(tab.locator("[name=interest]")).to_have_value("spinal-osteotomy")
        expect(tab.locator(".error-summary")).to_have_count(0)
        if javascript:
            expect(tab.locator(".notice:focus")).to_be_visible()  # so that it is read out
    assert site_server.rows("select count(*) from intake_consultationrequest")[0][0] == before
    tab.locator("[name=name]").press("Enter")
    expect(tab.locator(".ticket__ref")).to_be_visible()
    assert site_server.rows("select count(*) from intake_consultationrequest")[0][0] == before + 1
    assert watch.is_clean()


def test_the_menu_works_on_a_phone_without_script(open_tab):
    tab, watch = open_tab(PHONE, javascript=False)
    tab.goto("/")
    tab.get_by_role("button", name="Menu").click()
    tab.locator("#nav").get_by_role("link", name="Conditions").click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Conditions")
    assert watch.is_clean()


def test_the_menu_of_a_phone_takes_the_focus_and_never_hides_it(open_tab):
    tab, watch = open_tab(PHONE)
    tab.goto("/")
    menu = tab.locator("#nav")
    for last_key, then in (("Tab", "Request a consultation"), ("Shift+Tab", "Menu"), ("Escape", "Menu")):
        tab.get_by_role("button", name="Menu", exact=True).focus()
        tab.keyboard.press("Enter")
        expect(menu.get_by_role("button", name="Close menu")).to_be_focused()
        if last_key == "Tab":
            menu.get_by_role("link").last.focus()
        tab.keyboard.press(last_key)
        expect(menu).to_be_hidden()
        expect(tab.locator(":focus")).to_have_text(then)
    assert watch.is_clean()


def test_the_top_link_moves_focus_too(open_tab):
    tab, _ = open_tab()
    tab.goto("/procedures/spinal-osteotomy/")
    tab.get_by_role("link", name="Back to the Top").click()
    assert tab.evaluate("window.scrollY") == 0
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.getBoundingClientRect().top") < 200


def test_pages_do_not_scroll_sideways_at_320_pixels_or_at_twice_the_text(open_tab):
    tab, _ = open_tab({"width": 320, "height": 700})
    for path in ("/", "/procedures/spinal-osteotomy/", "/consultation/", "/conditions/", "/guides/spinal-deformity-packet/"):
        tab.goto(path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320, path
