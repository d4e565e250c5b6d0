"""Rich text as editors write it: what is allowed in, and small transforms on the way out.

Bodies are stored as cleaned HTML of a few elements. `clean` is the only door in,
and its output is regular enough for the patterns below to rely on.
"""

import html
import re
from collections.abc import Iterator

import nh3

# The editor's buttons; each stands for elements that `clean` lets through.
EXTENSIONS = {
    "Bold": True,
    "Italic": True,
    "BulletList": True,
    "OrderedList": True,
    "ListItem": True,
    "HardBreak": True,
    "Link": {"enableTarget": False, "protocols": ["http", "https", "mailto", "tel"]},
    "Table": True,
    "TableRow": True,
    "TableHeader": True,
    "TableCell": True,
    "Passages": True,
    "History": True,
    "HTML": True,
}

_TAGS = {"p", "br", "ul", "ol", "li", "strong", "em", "a", "table", "thead", "tbody", "tr", "th", "td"}
_ATTRIBUTES = {
    "a": {"href", "lang", "hreflang"},
    "p": {"lang", "dir"},
    "li": {"lang", "dir"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
}
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel=None,
    clean_content_tags={"script", "style", "title", "xml"},
)

ITEM = re.compile(r"<li[^>]*>(.*?)</li>", re.S)
LEAD = re.compile(r"^\s*(?:<p>)?\s*<strong>(.*?)</strong>\s*(.*?)(?:</p>)?\s*$", re.S)
PLACE = re.compile(r"<p>\s*\[(figure|packet):([a-z0-9-]+)\]\s*</p>")
LIST = re.compile(r"<(ul|ol)>(.*?)</\1>", re.S)
# What the editor puts inside every item and cell; written by hand, they hold their text directly.
_LONE_PARAGRAPH = re.compile(r"<(li|td|th)([^>]*)>\s*<p>((?:(?!</?(?:p|ul|ol|table)\b).)*)</p>\s*</\1>", re.S)
# Word leaves room with lines that hold a space.
_EMPTY = re.compile(r"<p[^>]*>(?:\s|&nbsp;|<br>)*</p>\n?")
_PLAIN_SPAN = re.compile(r' (?:colspan|rowspan)="1"')
INTERNAL_LINK = re.compile(r'href="(/[^"]*)"')
LINK = re.compile(r'<a\b[^>]*href="([^"]*)"[^>]*>(.*?)</a>', re.S)
_TAG = re.compile(r"<[^>]+>")
# X-ray, C-shaped, 1-800 and what follows: a letter or a number left behind at the end of a line means nothing.
# Nor is 911 to stand apart from the word that says what to do with it.
_ONE_AND_MORE = re.compile(r"(<[^>]*>)|(?<![\w.-])(?:\w|\d+)-\w[\w-]*(?<!-)|\b\w+\s911\b")
_HYPHENED = re.compile(r"(<[^>]*>)|\w+(?:-\w+)+")


def clean(value: str) -> str:
    """The value with only the allowed elements and attributes, one block element a line.

    Idempotent: cleaning twice changes nothing. Empty paragraphs count as nothing,
    and a paragraph alone in an item or a cell as that item's or cell's own text.
    """
    value = _CLEANER.clean((value or "").replace("\r\n", "\n")).strip()
    value = _LONE_PARAGRAPH.sub(r"<\1\2>\3</\1>", _PLAIN_SPAN.sub("", value))
    value = _EMPTY.sub("", value).strip()
    if not _TAG.sub("", value).strip():
        return ""
    value = re.sub(r">\s*\n\s*<", ">\n<", value)
    value = re.sub(r"(</(?:p|ul|ol|li|table|thead|tbody|tr)>)(?=<)", r"\1\n", value)
    value = re.sub(r"(<(?:ul|ol|table|thead|tbody)>)(?=<)", r"\1\n", value)
    return re.sub(r"\n{2,}", "\n", value)


def plain_text(value: str) -> str:
    """The words of a body, blocks set apart by a space, entities resolved."""
    return " ".join(html.unescape(_TAG.sub(" ", value or "")).split())


def unbroken(value: str, *, every: bool = False) -> str:
    """HTML in which no line ends within a word such as X-ray, or before 911; with `every`, within no word that has a hyphen."""
    words = _HYPHENED if every else _ONE_AND_MORE
    return words.sub(lambda match: match[1] or f'<span class="nowrap">{match[0]}</span>', value)


def items(body: str) -> list[str]:
    """The inner HTML of each list item of a body."""
    return [match.strip() for match in ITEM.findall(body or "")]


def lead_and_rest(item: str) -> tuple[str, str]:
    """Split `<strong>Lead</strong> rest` in two; an item without a bold lead has an empty one."""
    match = LEAD.match(item)
    return (match[1].strip(), match[2].strip()) if match else ("", item.strip())


def around_list(body: str) -> tuple[str, list[str], str]:
    """What stands before the first list of a body, its items, and what stands after it."""
    match = LIST.search(body or "")
    if not match:
        return body or "", [], ""
    return body[: match.start()].strip(), items(match[0]), body[match.end() :].strip()


def pieces(body: str) -> Iterator[tuple[str, str]]:
    """The body cut at its placed figures and packets: ("html", text), ("figure", key), ("packet", slug)."""
    position = 0
    for match in PLACE.finditer(body or ""):
        if text := body[position : match.start()].strip():
            yield "html", text
        yield match[1], match[2]
        position = match.end()
    if text := (body or "")[position:].strip():
        yield "html", text


def with_scoped_headers(body: str) -> str:
    """Table headers say which way they head: columns in `thead`, rows in `tbody`."""
    body = re.sub(
        r"<tbody>\s*(<tr>(?:(?!</tr>).)*<th(?:(?!</tr>).)*<th.*?</tr>)", r"<thead>\1</thead><tbody>", body, count=1, flags=re.S
    )

    def scope(section: re.Match[str]) -> str:
        way = "col" if section[1] == "thead" else "row"
        return re.sub(r"<th(?=[ >])(?![^>]*scope)", f'<th scope="{way}"', section[0])

    return re.sub(r"<(thead|tbody)>.*?</\1>", scope, body, flags=re.S)
