"""Reading aids in a real browser: meanings in place and the contents list, by mouse, by keyboard and without script."""

import re
import time
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from .tabs import DESKTOP, PHONE, SHIFTS, follow
from .test_accessibility import violations

OSTEOTOMY = "/procedures/spinal-osteotomy/"


def test_a_word_shows_its_meaning_where_it_stands_and_gives_the_way_back(open_tab):
    tab, watch = open_tab()
    asked = []
    tab.on("request", lambda request: asked.append(request.url) if request.url.endswith("terms.json") else None)
    tab.goto(OSTEOTOMY)
    assert not asked
    word = tab.locator("a.term").first
    card = tab.locator("#meaning")
    word.focus()
    tab.keyboard.press("Enter")
    card.wait_for(state="visible")
    assert word.get_attribute("aria-expanded") == "true"
    assert card.inner_text().startswith(word.inner_text().capitalize()[:6])
    assert violations(tab) == []
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "See the glossary"
    tab.keyboard.press("Escape")
    card.wait_for(state="hidden")
    assert word.get_attribute("aria-expanded") == "false"
    assert tab.evaluate("document.activeElement.className") == "term"
    tab.keyboard.press("Space")
    card.wait_for(state="visible")
    tab.keyboard.press("Space")
    card.wait_for(state="hidden")
    tab.keyboard.press("Space")
    card.wait_for(state="visible")
    card.get_by_text(re.compile(" ")).first.click()
    expect(card).to_be_visible()
    card.get_by_role("link").focus()
    tab.keyboard.press("Tab")
    card.wait_for(state="hidden")
    assert len(asked) == 1
    assert tab.url.endswith(OSTEOTOMY) and watch.is_clean()


def test_a_second_press_or_a_press_beside_it_closes_the_meaning(open_tab):
    tab, _ = open_tab(PHONE)
    tab.goto("/es/procedimientos/osteotomia-vertebral/")
    first, second = tab.locator("a.term").nth(2), tab.locator("a.term").nth(3)
    card = tab.locator("#meaning")
    first.click()
    card.wait_for(state="visible")
    first.click()
    card.wait_for(state="hidden")
    second.click()
    card.wait_for(state="visible")
    assert (first.get_attribute("aria-expanded"), second.get_attribute("aria-expanded")) == ("false", "true")
    box = card.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    tab.mouse.click(5, 5)
    card.wait_for(state="hidden")


def test_without_script_and_without_an_answer_a_word_is_a_link_to_the_glossary(open_tab):
    tab, _ = open_tab(javascript=False)
    tab.goto(OSTEOTOMY)
    follow(tab.locator("a.term").first)
    assert "/glossary/#" in tab.url
    tab, _ = open_tab()
    tab.route("**/terms.json", lambda route: route.abort())
    tab.goto(OSTEOTOMY)
    tab.locator("a.term").first.click()
    tab.wait_for_url("**/glossary/#*")


def test_the_contents_list_follows_the_reader(open_tab):
    tab, watch = open_tab(DESKTOP)
    tab.goto(OSTEOTOMY)
    for anchor in ("risks", "recovery"):
        tab.locator(f".toc a[href='#{anchor}']").click()
        tab.locator(f".toc a[href='#{anchor}'][aria-current]").wait_for()
        assert tab.locator(".toc [aria-current]").count() == 1
    tab.evaluate("scrollTo(0, 0)")
    tab.locator(".toc [aria-current]").wait_for(state="detached")
    assert watch.is_clean()


def test_on_a_phone_the_contents_list_opens_by_keyboard_and_closes_after_use(open_tab):
    tab, _ = open_tab(PHONE)
    tab.goto(OSTEOTOMY)
    summary = tab.locator(".toc summary")
    summary.focus()
    tab.keyboard.press("Enter")
    link = tab.locator(".toc a[href='#recovery']")
    link.wait_for(state="visible")
    link.press("Enter")
    link.wait_for(state="hidden")
    expect(tab).to_have_url(re.compile("#recovery$"))
    assert abs(tab.locator("#recovery").bounding_box()["y"]) < PHONE["height"] / 2


def test_without_script_the_contents_list_works(open_tab):
    for size in (PHONE, DESKTOP):
        tab, _ = open_tab(size, javascript=False)
        tab.goto(OSTEOTOMY)
        if size is PHONE:
            tab.locator(".toc summary").click()
        tab.locator(".toc a[href='#risks']").click()
        expect(tab).to_have_url(re.compile("#risks$"))


def test_a_wide_table_is_read_row_by_row_on_a_phone_and_stays_a_table(open_tab):
    tab, watch = open_tab(PHONE)
    tab.goto(OSTEOTOMY)
    table = tab.get_by_role("table", name="Osteotomy Techniques", exact=True)
    assert table.get_by_role("columnheader").count() == 4
    row = table.get_by_role("row").filter(has=tab.get_by_role("rowheader", name="Pedicle subtraction"))
    head, *cells = row.locator("th, td").all()
    places = [cell.bounding_box() for cell in (head, *cells)]
    assert all(above["y"] + above["height"] <= below["y"] + 1 for above, below in pairwise(places))
    assert all(place["x"] + place["width"] <= PHONE["width"] for place in places)
    named = "cell => getComputedStyle(cell, '::before').content"
    assert "Often used for" in cells[-1].evaluate(named)
    assert watch.is_clean()


def test_a_narrow_table_on_a_phone_breaks_no_word_and_gives_its_heads_room(open_tab):
    tab, watch = open_tab(PHONE)
    tab.goto("/procedures/physical-therapy/")
    head = tab.get_by_role("rowheader", name="A compression fracture")
    # A line for each of the last two words, none in the middle of one.
    assert head.evaluate("head => head.getClientRects()[0].width") > 0.4 * (PHONE["width"] - 40)
    words = head.evaluate("""head => {
        const range = document.createRange(), text = head.querySelector('a').firstChild
        return [...text.data.matchAll(/\\S+/g)].map(word => {
            range.setStart(text, word.index); range.setEnd(text, word.index + word[0].length)
            return range.getClientRects().length })}""")
    assert words and set(words) == {1}
    assert watch.is_clean()


def test_cards_of_one_row_begin_on_one_line(open_tab):
    tab, _ = open_tab()
    tab.goto("/symptoms/low-back-pain/")
    first, second, third = [tab.locator(".rel .links li").nth(n).bounding_box() for n in range(3)]
    assert first["y"] == second["y"] == third["y"]
    assert first["height"] == second["height"] == third["height"]


def test_a_physician_stands_beside_the_portrait_on_a_phone(open_tab):
    tab, watch = open_tab(PHONE)
    tab.goto("/physicians/")
    portrait = tab.locator(".portrait").first.bounding_box()
    name = tab.get_by_role("heading", level=2).first.bounding_box()
    assert portrait["x"] + portrait["width"] < name["x"]
    assert portrait["y"] <= name["y"] < portrait["y"] + portrait["height"]
    assert watch.is_clean()


def test_procedures_are_chosen_and_compared_with_and_without_script_and_open_to_all(open_tab):
    for size, scheme, javascript in ((PHONE, "dark", False), (DESKTOP, "light", True)):
        tab, watch = open_tab(size, scheme=scheme, javascript=javascript)
        tab.goto("/procedures/")
        for name in ("Spinal fusion", "Physical therapy"):
            tab.get_by_role("checkbox", name=name).check()
        follow(tab.get_by_role("button", name="Compare"))
        assert tab.url.endswith("/procedures/compare/?with=physical-therapy&with=spinal-fusion")
        table = tab.get_by_role("table", name="Procedures side by side")
        assert table.get_by_role("columnheader").count() == 2
        assert table.get_by_role("rowheader", name="Main risks").count() == 1
        assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert watch.is_clean()
    assert violations(tab) == []
    tab.goto("/procedures/compare/?with=nothing")
    assert violations(tab) == []


def test_a_comparison_is_a_table_on_paper(open_tab):
    # A sheet of Letter within its margins is narrower than a tablet.
    tab, _ = open_tab({"width": 695, "height": 900})
    tab.emulate_media(media="print")
    tab.goto("/procedures/compare/?with=spinal-fusion&with=disc-replacement")
    head, first, second = [place.bounding_box() for place in tab.locator(".versus tbody tr").first.locator("th, td").all()]
    assert head["y"] == first["y"] == second["y"]
    assert head["x"] < first["x"] < second["x"]
    tab.goto("/es/procedimientos/comparar/?with=spinal-fusion&with=disc-replacement&with=physical-therapy")
    assert tab.evaluate(BROKEN_WORDS, "main tbody th") == []


def test_a_comparison_on_a_phone_is_open_to_all(open_tab):
    tab, _ = open_tab(PHONE, scheme="dark")
    tab.goto("/es/procedimientos/comparar/?with=spinal-fusion&with=disc-replacement&with=spinal-osteotomy")
    assert violations(tab) == []


BROKEN_WORDS = """(places) => [...document.querySelectorAll(places)].flatMap((cell) => {
  const text = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), broken = [];
  for (let node; (node = text.nextNode()); ) for (const word of node.data.matchAll(/[\\p{L}]+/gu)) {
    const range = new Range();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(word[0]);
  }
  return broken;
})"""


def test_no_word_is_broken_in_the_first_column_of_a_table_on_a_phone(open_tab):
    tab, _ = open_tab(PHONE)
    for path in ("/es/sintomas/dificultad-para-caminar/", "/es/sintomas/dolor-en-la-parte-media-de-la-espalda/"):
        tab.goto(path)
        assert tab.locator("main tbody th").count()
        assert tab.evaluate(BROKEN_WORDS, "main tbody th") == []


def test_words_to_press_stay_whole_on_a_small_phone_with_text_at_twice_the_size(open_tab):
    tab, _ = open_tab({"width": 180, "height": 320})
    for path in ("/es/", "/procedures/spinal-osteotomy/", "/es/consulta/"):
        tab.goto(path)
        tab.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
        assert tab.evaluate(BROKEN_WORDS, ".map-list a, .btn, .optional label, .optional summary") == [], path
        assert tab.evaluate("document.documentElement.scrollWidth") <= 180, path


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_moves_when_letters_come_late(open_tab, size):
    tab, _watch = open_tab(size)
    late = []

    def hold(route):
        time.sleep(0.4)
        late.append(route.request.url)
        route.continue_()

    tab.route("**/*.woff2", hold)
    for path in ("/", "/conditions/kyphosis/", "/physicians/sample-surgeon-a/", "/es/"):
        late.clear()
        tab.goto(path)
        assert tab.evaluate(SHIFTS) == 0, path
        assert late, path
