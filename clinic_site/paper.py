"""How paper looks: the style sheet of PDFs, and drawings as the PDF library needs them, both in the clinic's look.

On the web a drawing takes its colours from the site's style sheets and shares
shapes with the drawing beside it. On paper each SVG is complete in itself: the
rules and the shapes that it uses are put into it, with all colours worked out.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import cssselect2
import tinycss2
from django.conf import settings
from django.template.loader import render_to_string
from PIL import ImageColor

from . import brand
from .models import Clinic

SHEETS = ("css/site.css", "css/drawings.css")
WEIGHTS = (400, 700)
SVG = re.compile(r"<svg\b.*?</svg>", re.S)
REFERENCE = re.compile(r"""url\(["']?#([\w-]+)["']?\)""")
VARIABLE = re.compile(r"var\(\s*--([\w-]+)\s*(?:,\s*([^()]*))?\)")
MIX = re.compile(r"color-mix\(in srgb,\s*([#\w]+) ([\d.]+)%,\s*([#\w]+)\)")
SPRITE = re.compile(r'href="[^"#]*/(img/\w+)(?:\.\w+)?\.svg#')
FONT = re.compile(r"(\d+) ([\d.]+px) (.+)")
Declarations = list[tuple[str, str]]
Rule = tuple[str, Declarations]
Nodes = list[tinycss2.ast.Node]


def tokens_of(clinic: Clinic) -> dict[str, str]:
    """The variables of site.css in the light scheme, as this clinic has them."""
    return house_tokens() | clinic.tokens


def style_sheet(clinic: Clinic) -> str:
    """The sheet of PDFs with the clinic's colours and fonts in it."""
    faces, families = [], {}
    for token, role in (("display", "heading_font"), ("text", "text_font")):
        name, content = brand.drawn_font(clinic, role)
        source = base64.b64encode(content).decode()
        faces += [
            f'@font-face {{ font-family: "{name}"; font-weight: {weight};'
            f' src: url("data:font/woff2;base64,{source}") format("woff2") }}'
            for weight in WEIGHTS
        ]
        families[token] = f'"{name}", sans-serif'
    return "\n".join(dict.fromkeys(faces)) + resolved(_text("css/print-handout.css"), tokens_of(clinic) | families)


def on_paper(html: str, tokens: Mapping[str, str], *, name: str, alt: str) -> str:
    """The markup of a drawing with every SVG in it made complete, its variables taken from `tokens`.

    `name` keeps what it defines apart from what other drawings on the paper do;
    an SVG that has no title of its own gets `alt`.
    """
    sprites = [_parsed(_text(f"{sprite}.svg")) for sprite in sorted(set(SPRITE.findall(html)))]
    html = SPRITE.sub('href="#', html)
    drawings = [_parsed(found) for found in SVG.findall(html)]
    shared = _by_id([_parsed(render_to_string("art/defs.html")), *sprites, *drawings])
    complete = iter([_complete(drawing, shared, tokens, f"{name}-{n}", alt) for n, drawing in enumerate(drawings)])
    return SVG.sub(lambda _found: next(complete), html)


def _parsed(drawing: str) -> ElementTree.Element:
    """The tree of an SVG, of whose own attributes paper needs these two. The first of two classes counts, as in HTML."""
    head, _end, inside = drawing.partition(">")
    kept = {name: found[1] for name in ("viewBox", "class") if (found := re.search(rf'\b{name}="([^"]*)"', head))}
    return ElementTree.fromstring("<svg " + " ".join(f'{name}="{value}"' for name, value in kept.items()) + ">" + inside)


def _complete(
    drawing: ElementTree.Element, shared: dict[str, ElementTree.Element], tokens: Mapping[str, str], name: str, alt: str
) -> str:
    drawing = deepcopy(drawing)
    if drawing.find("title") is None:
        title = ElementTree.Element("title")
        title.text = alt
        drawing.insert(0, title)
    definitions = ElementTree.Element("defs")
    drawing.insert(1, definitions)
    tokens = _own_tokens(drawing, tokens)
    rules = _rules_for(drawing, shared, tokens)
    own = _by_id([drawing])
    wanted = list(_references(drawing, rules))
    while wanted:
        one = wanted.pop()
        if one not in own and one in shared:
            own[one] = deepcopy(shared[one])
            definitions.append(own[one])
            wanted += _references(own[one], [])
    _simplify(drawing)
    for element in drawing.iter():
        for key, value in element.attrib.items():
            element.set(key, _named(key, resolved(value, tokens), name))
    style = ElementTree.Element("style")
    style.text = "\n".join(
        f"{selector} {{ {'; '.join(f'{key}: {_named(key, value, name)}' for key, value in declared)} }}"
        for selector, declared in rules
    )
    drawing.insert(1, style)
    return ElementTree.tostring(drawing, encoding="unicode")


def _named(key: str, value: str, name: str) -> str:
    """A value in which every definition has the drawing's name before its own."""
    if key == "id":
        return f"{name}-{value}"
    return f"#{name}-{value[1:]}" if key == "href" else REFERENCE.sub(rf"url(#{name}-\1)", value)


def _by_id(trees: list[ElementTree.Element]) -> dict[str, ElementTree.Element]:
    return {element.attrib["id"]: element for tree in trees for element in tree.iter() if "id" in element.attrib}


def _references(tree: ElementTree.Element, rules: list[Rule]) -> Iterator[str]:
    for element in tree.iter():
        for name, value in element.attrib.items():
            yield from REFERENCE.findall(value)
            if name == "href":
                yield value.removeprefix("#")
    for _selector, declared in rules:
        for _name, value in declared:
            yield from REFERENCE.findall(value)


def _simplify(drawing: ElementTree.Element) -> None:
    """Take away what is not shown yet, and let what fades end at an edge: the library draws no masks."""
    for parent in list(drawing.iter()):
        for child in list(parent):
            if "is-off" in child.get("class", "").split():
                parent.remove(child)
    for element in drawing.iter():
        if element.tag == "mask":
            element.tag, element.attrib = "clipPath", {"id": element.attrib["id"]}
        if faded := element.attrib.pop("mask", ""):
            element.set("clip-path", faded)


def _rules_for(drawing: ElementTree.Element, shared: dict[str, ElementTree.Element], tokens: Mapping[str, str]) -> list[Rule]:
    """The sheets' rules that can apply to the drawing or to what it shares, in order, without variables."""
    used = {name for tree in (drawing, *shared.values()) for element in tree.iter() for name in element.get("class", "").split()}
    rules = [rule for rule in _sheet_rules() if not (named := _classes(rule[0])) or named & used]
    return [(selector, kept) for selector, declared in rules if (kept := list(_plain(declared, tokens)))]


def _own_tokens(drawing: ElementTree.Element, tokens: Mapping[str, str]) -> dict[str, str]:
    """The tokens, and the variables that the drawing's own class sets."""
    own, classes = dict(tokens), set(drawing.get("class", "").split())
    for selector, declared in _sheet_rules():
        if _classes(selector) & classes:
            own |= {name[2:]: value for name, value in declared if name.startswith("--")}
    return own


def _classes(selector: str) -> set[str]:
    return set(re.findall(r"\.([\w-]+)", selector))


def _plain(declared: Declarations, tokens: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in declared:
        if name.startswith("--"):
            continue
        found = resolved(value, tokens)
        if name == "font" and (parts := FONT.fullmatch(found)):
            yield from zip(("font-weight", "font-size", "font-family"), parts.groups(), strict=True)
        else:
            yield name, found


def resolved(value: str, tokens: Mapping[str, str]) -> str:
    """A value, or a whole sheet, with its variables and mixed colours worked out."""
    while VARIABLE.search(value):
        value = VARIABLE.sub(lambda found: tokens.get(found[1], found[2] or "none"), value)
    while MIX.search(value):
        value = MIX.sub(lambda found: _mixed(found[1], float(found[2]) / 100, found[3]), value)
    return value


def _mixed(one: str, share: float, other: str) -> str:
    channels = zip(ImageColor.getrgb(one), ImageColor.getrgb(other), strict=True)
    return "#" + "".join(f"{round(mine * share + theirs * (1 - share)):02x}" for mine, theirs in channels)


@cache
def _sheet_rules() -> list[Rule]:
    """The rules of the sheets' art layer, in order, without those for a medium or a mode."""
    return [
        (selector, declared)
        for sheet in SHEETS
        for selector, declared in _rules_in(_layer(sheet, "art"))
        if "&" not in selector and _is_understood(selector)
    ]


@cache
def house_tokens() -> dict[str, str]:
    """The variables of site.css in the light scheme."""
    rules = _rules_in(_layer("css/site.css", "tokens"))
    return {name[2:]: value for selector, declared in rules if selector == ":root" for name, value in declared}


def _text(sheet: str) -> str:
    return (Path(settings.BASE_DIR) / "static" / sheet).read_text()


def _layer(sheet: str, layer: str) -> Nodes:
    found: Nodes = []
    for rule in tinycss2.parse_stylesheet(_text(sheet), skip_comments=True, skip_whitespace=True):
        is_layer = rule.type == "at-rule" and rule.at_keyword == "layer" and rule.content
        if is_layer and tinycss2.serialize(rule.prelude).strip() == layer:
            found += tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
    return found


def _rules_in(nodes: Nodes) -> Iterator[Rule]:
    for node in nodes:
        if node.type == "qualified-rule":
            inside = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
            declared = [(one.name, tinycss2.serialize(one.value).strip()) for one in inside if one.type == "declaration"]
            yield tinycss2.serialize(node.prelude).strip(), declared


def _is_understood(selector: str) -> bool:
    try:
        cssselect2.compile_selector_list(selector)
    except cssselect2.SelectorError:
        return False
    return True
