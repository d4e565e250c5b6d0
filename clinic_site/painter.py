"""Paints a clinic's own drawing (the SVG that brand_files.py lets in) into a picture. Pure functions.

Only shapes and plain values are let in, so this needs no SVG library: outlines are
taken apart by fontTools, surfaces and lines are set by Pillow. What cannot be read
as a shape is left out.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import dist, sqrt
from xml.etree import ElementTree

from fontTools.misc.transform import Identity, Transform
from fontTools.pens.basePen import BasePen
from fontTools.pens.transformPen import TransformPen
from fontTools.svgLib.path import parse_path
from fontTools.svgLib.path.shapes import PathBuilder
from PIL import Image, ImageChops, ImageColor, ImageDraw

from .paper import resolved

Point = tuple[float, float]
SMOOTH = 3  # drawn this much larger, then made smaller
CURVE_STEPS = 14
MOST_DASHES = 2000
STEP = re.compile(r"([a-zA-Z]+)\s*\(([^()]*)\)")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.I)
UNREADABLE = (ValueError, IndexError, KeyError, TypeError, ArithmeticError, AttributeError)


@dataclass(frozen=True)
class _Style:
    """What shapes take from the groups around them."""

    fill: str = "#000000"
    stroke: str = "none"
    width: float = 1.0
    cap: str = "butt"
    dashes: tuple[float, ...] = ()
    rule: str = "nonzero"
    opacity: float = 1.0
    fill_opacity: float = 1.0
    stroke_opacity: float = 1.0


def paint(picture: Image.Image, svg: str, box: tuple[int, int, int, int], tokens: Mapping[str, str]) -> None:
    """Paint the drawing into a box of an RGB picture; one that is sliced fills the box, any other stands whole in its middle."""
    root = ElementTree.fromstring(svg)
    left, top, wide, high = _numbers(root.get("viewBox", ""))[:4]
    if wide <= 0 or high <= 0:
        return
    ground = picture.crop(box)
    width, height = (side * SMOOTH for side in ground.size)
    fit = max if "slice" in root.get("preserveAspectRatio", "") else min
    scale = fit(width / wide, height / high)
    place = Transform(scale, 0, 0, scale, (width - wide * scale) / 2 - left * scale, (height - high * scale) / 2 - top * scale)
    sheet = ground.resize((width, height))
    _paint(sheet, root, _Style(), place, tokens)
    picture.paste(sheet.resize(ground.size, Image.Resampling.LANCZOS), box[:2])


def _paint(sheet: Image.Image, element: ElementTree.Element, style: _Style, place: Transform, tokens: Mapping[str, str]) -> None:
    try:
        style = _style_of(element, style, tokens)
        place = place.transform(_transform(element.get("transform", "")))
        if outlines := list(_outlines(element, place)):
            _fill(sheet, outlines, style)
            _stroke(sheet, outlines, style, sqrt(abs(place[0] * place[3] - place[1] * place[2])))
    except UNREADABLE:
        return
    for child in element:
        _paint(sheet, child, style, place, tokens)


def _style_of(element: ElementTree.Element, style: _Style, tokens: Mapping[str, str]) -> _Style:
    get = element.get
    changed: dict[str, str | float | tuple[float, ...]] = {}
    for name in ("fill", "stroke"):
        if value := get(name):
            changed[name] = resolved(value, tokens)
    for name, attribute in (("cap", "stroke-linecap"), ("rule", "fill-rule")):
        if value := get(attribute):
            changed[name] = value
    for name, attribute in (("width", "stroke-width"), ("fill_opacity", "fill-opacity"), ("stroke_opacity", "stroke-opacity")):
        if value := get(attribute):
            changed[name] = float(value)
    if value := get("stroke-dasharray"):
        changed["dashes"] = tuple(_numbers(value))
    return replace(style, opacity=style.opacity * float(get("opacity", 1)), **changed)  # type: ignore[arg-type]


def _numbers(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]


def _transform(text: str) -> Transform:
    found = Identity
    for name, values in STEP.findall(text):
        numbers = _numbers(values)
        match name:
            case "matrix":
                found = found.transform(tuple(numbers))
            case "translate":
                found = found.translate(*numbers)
            case "scale":
                found = found.scale(*numbers)
            case "rotate":
                x, y = numbers[1:] or (0, 0)
                found = found.translate(x, y).rotate(numbers[0] * 0.017453292519943295).translate(-x, -y)
    return found


class _Outline(BasePen):
    """Collects contours as points, curves as short lines; each with whether it is closed."""

    def __init__(self) -> None:
        super().__init__(None)
        self.contours: list[tuple[list[Point], bool]] = []

    def _moveTo(self, pt: Point) -> None:  # noqa: N802  (the names are fontTools')
        self.contours.append(([pt], False))

    def _lineTo(self, pt: Point) -> None:  # noqa: N802
        self.contours[-1][0].append(pt)

    def _curveToOne(self, pt1: Point, pt2: Point, pt3: Point) -> None:  # noqa: N802
        points = self.contours[-1][0]
        start = points[-1]
        for step in range(1, CURVE_STEPS + 1):
            t = step / CURVE_STEPS
            shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            x, y = (sum(share * at[axis] for share, at in zip(shares, (start, pt1, pt2, pt3), strict=True)) for axis in (0, 1))
            points.append((x, y))

    def _closePath(self) -> None:  # noqa: N802
        self.contours[-1] = (self.contours[-1][0], True)


def _outlines(element: ElementTree.Element, place: Transform) -> Iterator[tuple[list[Point], bool]]:
    builder = PathBuilder()
    # It knows one kind of transform alone, so all are in `place`.
    kept = {name: value for name, value in element.attrib.items() if name != "transform"}
    builder.add_path_from_element(ElementTree.Element(element.tag, kept))
    for path in builder.paths:
        outline = _Outline()
        parse_path(path, TransformPen(outline, place))
        yield from outline.contours


def _fill(sheet: Image.Image, outlines: list[tuple[list[Point], bool]], style: _Style) -> None:
    colour = _colour(style.fill)
    if colour is None:
        return
    # How often each point is wound around, 128 for never: holes are drawn the other way round.
    wound = Image.new("L", sheet.size, 128)
    for points, _closed in outlines:
        if len(points) < 3:
            continue
        shape = Image.new("L", sheet.size)
        ImageDraw.Draw(shape).polygon(points, fill=1)
        turn = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise([*points, points[0]]))
        wound = (ImageChops.add if turn > 0 else ImageChops.subtract)(wound, shape)
    strength = round(255 * style.opacity * style.fill_opacity)
    is_even_odd = style.rule == "evenodd"
    sheet.paste(colour, (0, 0), wound.point([strength if (n % 2 if is_even_odd else n != 128) else 0 for n in range(256)]))


def _stroke(sheet: Image.Image, outlines: list[tuple[list[Point], bool]], style: _Style, scale: float) -> None:
    colour, width = _colour(style.stroke), style.width * scale
    if colour is None or width <= 0:
        return
    mask = Image.new("L", sheet.size)
    pen, strength = ImageDraw.Draw(mask), round(255 * style.opacity * style.stroke_opacity)
    for points, closed in outlines:
        line = [*points, points[0]] if closed else points
        for part in _dashed(line, [dash * scale for dash in style.dashes]):
            pen.line(part, fill=strength, width=max(1, round(width)), joint="curve")
            if style.cap == "round" or closed:
                for x, y in (part[0], part[-1]):
                    pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=strength)
    sheet.paste(colour, (0, 0), mask)


def _dashed(line: list[Point], dashes: list[float]) -> Iterator[list[Point]]:
    """The line, or its dashes."""
    if not dashes or min(dashes) < 0 or sum(dashes) < 1:
        yield line
        return
    pattern, number, left = dashes if len(dashes) % 2 == 0 else dashes * 2, 0, dashes[0]
    part = [line[0]]
    for start, end in pairwise(line):
        at, rest = start, dist(start, end)
        while rest > left and number < MOST_DASHES:
            share = left / rest
            at = (at[0] + (end[0] - at[0]) * share, at[1] + (end[1] - at[1]) * share)
            rest -= left
            if number % 2 == 0:
                yield [*part, at]
            number += 1
            left, part = pattern[number % len(pattern)], [at]
        left -= rest
        part.append(end)
    if number % 2 == 0 and len(part) > 1:
        yield part


def _colour(value: str) -> tuple[int, ...] | None:
    try:
        return ImageColor.getrgb(value)[:3]
    except ValueError:
        return None
