"""Draw the art of the share pictures again, from the drawings of a running site: `python -m tests.share_art ADDRESS`.

Run it after `static/img/*.svg` or the drawings in `templates/art/` changed. Writes `static/img/share/*.webp`.
"""

import io
import re
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright

from tests.prerequisites import chromium

FOLDER = Path(__file__).parent.parent / "static/img/share"
SIZE = (560, 630)
VIEWS = {
    "cervical": "-235 -800 391 440",
    "thoracic": "-215 -560 391 440",
    "lumbar": "-215 -330 391 440",
    "sacral": "-200 -200 338 380",
}
WHOLE = "-420 -800 836 940"
OPERATIONS = ("spinal-osteotomy", "spinal-fusion", "microdiscectomy", "disc-replacement", "laminectomy-decompression")
OPERATION_VIEW = "-62 -150 118 133"
# Pages whose opening drawing is their picture, each with the part of it that is shown.
THING = "-345 -688 660 742"
OPENINGS = {
    "/guides/first-consultation/": THING,
    "/guides/possible-complications-of-spine-surgery/": THING,
    "/guides/preparing-for-spine-surgery/": THING,
    "/guides/recovery-from-spine-surgery/": THING,
    "/guides/spinal-deformity-packet/": THING,
    "/guides/when-to-get-emergency-help/": THING,
    "/symptoms/leg-pain-numbness/": "-300 336 600 675",
    "/symptoms/arm-pain-numbness/": "-290 -14 580 652",
    "/conditions/sciatica-radiculopathy/": "-470 -22 940 1057",
}
STYLE = "html, body { background: transparent; overflow: hidden } body > svg.art { display: block; width: 560px; height: 630px }"


def main(site: str) -> None:
    """Draw every layer with the site's own style sheet, on nothing."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        size = {"width": SIZE[0], "height": SIZE[1]}
        tab = browser.new_page(viewport=size, device_scale_factor=2, bypass_csp=True, color_scheme="light")
        tab.goto(f"{site}/")
        art = '.card:has(a[href$="/procedures/{}/"]) svg.art'
        operations = {slug: tab.locator(art.format(slug)).evaluate("(art) => art.outerHTML") for slug in OPERATIONS}
        spine, figure = (re.search(rf'[^"]*img/{name}[^"#]*\.svg', tab.content())[0] for name in ("spine", "figure"))
        definitions = tab.evaluate("[...document.querySelectorAll('body > svg')].map((part) => part.outerHTML).join('')")
        for region, view in VIEWS.items():
            keep(tab, region, definitions + spine_drawing(spine, figure, view, region))
            keep(tab, f"whole-{region}", definitions + spine_drawing(spine, figure, WHOLE, region, alone=True))
        keep(tab, "whole", definitions + spine_drawing(spine, figure, WHOLE))
        for slug, drawing in operations.items():
            keep(tab, slug, definitions + re.sub(r'viewBox="[^"]*"', f'viewBox="{OPERATION_VIEW}"', drawing))
        for path, view in OPENINGS.items():
            tab.goto(site + path)
            drawing = tab.locator(".panel svg.art").evaluate("(art) => art.outerHTML")
            keep(tab, path.strip("/").split("/")[-1], definitions + re.sub(r'viewBox="[^"]*"', f'viewBox="{view}"', drawing), 60)


def spine_drawing(spine: str, figure: str, view: str, marked: str = "", alone: bool = False) -> str:
    """The spine with a part marked; or that part alone, to be laid over the whole."""
    body = f'<use href="{figure}#rake"/><use fill="url(#skin)" href="{figure}#figure"/><use href="{spine}#nerve"/>'
    shown = [marked] if alone else ["sacral", "thoracic", "cervical", "lumbar"]
    parts = "".join(f'<use class="spine__{part}" href="{spine}#{part}"/>' for part in shown)
    return f'<svg class="art bones spine--{marked}" viewBox="{view}">{"" if alone else body}{parts}</svg>'


def keep(tab: Tab, name: str, markup: str, quality: int = 92) -> None:
    """Show the markup and write what it looks like."""
    tab.evaluate("(markup) => { document.body.innerHTML = markup }", markup)
    tab.add_style_tag(content=STYLE)
    tab.wait_for_timeout(400)
    seen = Image.open(io.BytesIO(tab.screenshot(omit_background=True)))
    seen.resize(SIZE, Image.Resampling.LANCZOS).save(FOLDER / f"{name}.webp", quality=quality, method=6)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
