"""What editors can rely on when they copy from Word: the words, lists and links arrive, nothing else does."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from conditions.rich_text import clean
from tests.admin.test_editor import EDITOR, make_draft, page_pk, section_body  # noqa: F401
from tests.browser.tabs import DESKTOP

WORD = (Path(__file__).parent / "word_clipboard.html").read_text(encoding="utf-8")
PASTE = """(editor, html) => {
    const data = new DataTransfer();
    data.setData("text/html", html);
    data.setData("text/plain", "plain");
    editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
WANTED = """<p>After the operation</p>
<p>You’ll feel “sore” for a <strong>few days</strong> – that is normal.</p>
<p>Ask about <a href="https://www.nih.gov/">pain medicine</a>.</p>
<ul>
<li><p>Walk a little each day.</p>
<ul>
<li>Indoors at first.</li>
</ul>
</li>
<li><strong>Lift nothing</strong> heavy.</li>
</ul>
<p>Then:</p>
<ol>
<li>Call us.</li>
<li>Bring your list.</li>
</ol>"""


def paste_and_save(tab, site_server, pk, slug, html):
    tab.goto(f"/admin/conditions/guide/{pk}/change/")
    editor = tab.locator("#sections-0").locator(EDITOR).first
    expect(editor).to_be_visible()
    editor.click()
    tab.keyboard.press("Control+A")
    tab.keyboard.press("Delete")
    editor.evaluate(PASTE, html)
    make_draft(tab)
    tab.locator("input[name=_continue]:visible").first.click()
    expect(tab.locator(".messagelist .success")).to_be_visible()
    anchor = tab.locator("#id_sections-0-anchor").input_value()
    return section_body(site_server, slug, anchor)


def test_a_paste_from_word_keeps_words_lists_links_and_quotes_alone(open_tab, sign_in, site_server, page_pk):  # noqa: F811
    tab, watch = open_tab(DESKTOP)
    sign_in(tab)
    slug = "first-consultation"
    stored = paste_and_save(tab, site_server, page_pk(slug), slug, WORD)
    assert stored == WANTED
    assert clean(stored) == stored
    assert watch.is_clean()


@pytest.mark.parametrize("html", [WORD, re.search(r"<!--StartFragment-->(.*)<!--EndFragment-->", WORD, re.S)[1]])
def test_words_from_word_that_never_saw_the_editor_are_clean_too(html):
    stored = clean(html)
    assert "You’ll feel “sore” for a few days – that is\nnormal." in stored.replace("<strong>", "").replace("</strong>", "")
    assert '<a href="https://www.nih.gov/">pain medicine</a>' in stored
    for waste in ("mso", "Mso", "o:p", "style", "class", "font", "<!", "WordDocument", "span", "&nbsp;</p>"):
        assert waste not in stored
    assert clean(stored) == stored
