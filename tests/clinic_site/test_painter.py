"""A clinic's own drawing looks in a picture as it does on a page."""

import pytest
from PIL import Image

from clinic_site.painter import paint

pytestmark = pytest.mark.once

WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)


def painted(shapes, view="0 0 40 40", ratio="", size=(80, 80), tokens=None):
    picture = Image.new("RGB", size, WHITE)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" preserveAspectRatio="{ratio}">{shapes}</svg>'
    paint(picture, svg, (0, 0, *size), tokens or {})
    return picture


@pytest.mark.parametrize(
    "shape",
    [
        '<rect x="10" y="10" width="20" height="20" fill="#f00"/>',
        '<rect x="10" y="10" width="20" height="20" rx="3" fill="red"/>',
        '<circle cx="20" cy="20" r="12" fill="#ff0000"/>',
        '<ellipse cx="20" cy="20" rx="12" ry="11" fill="#ff0000"/>',
        '<polygon points="8 8 32 8 32 32 8 32" fill="#ff0000"/>',
        '<path d="M10 10C10 10 30 10 30 10V30H10z" fill="#ff0000"/>',
        '<path d="M8 20A12 12 0 0 1 32 20A12 12 0 0 1 8 20z" fill="#ff0000"/>',
        '<line x1="20" y1="10" x2="20" y2="30" stroke="#ff0000" stroke-width="20"/>',
        '<polyline points="10,20 30,20" fill="none" stroke="#ff0000" stroke-width="20"/>',
        '<g fill="#ff0000"><g transform="translate(10 10) scale(2)"><rect width="10" height="10"/></g></g>',
        '<rect x="-10" y="-10" width="20" height="20" fill="#ff0000" transform="matrix(1 0 0 1 20 20)"/>',
        '<rect x="10" y="10" width="20" height="20" fill="#ff0000" transform="rotate(90 20 20)"/>',
        '<rect x="10" y="10" width="20" height="20" fill="var(--coral, #00ff00)"/>',
        '<rect x="10" y="10" width="20" height="20" fill="var(--none-such, #ff0000)"/>',
    ],
)
def test_every_kind_of_shape_is_painted_where_it_stands(shape):
    picture = painted(shape, tokens={"coral": "#ff0000"})
    assert (picture.getpixel((40, 40)), picture.getpixel((4, 4))) == (RED, WHITE)


def test_holes_stay_open():
    outer, reverse, same = "M4 4H36V36H4z", "M12 12V28H28V12z", "M12 12H28V28H12z"
    for path, rule, middle in (
        (outer + reverse, "nonzero", WHITE),
        (outer + same, "nonzero", RED),
        (outer + same, "evenodd", WHITE),
    ):
        picture = painted(f'<path fill="#ff0000" fill-rule="{rule}" d="{path}"/>')
        assert (picture.getpixel((40, 40)), picture.getpixel((16, 16))) == (middle, RED)


def test_later_shapes_cover_earlier_ones_and_opacity_lets_them_through():
    below = '<rect width="40" height="40" fill="#ff0000"/>'
    assert painted(below + '<rect width="40" height="40" fill="#0000ff"/>').getpixel((40, 40)) == BLUE
    red, _green, blue = painted(below + '<g opacity=".5"><rect width="40" height="40" fill="#0000ff"/></g>').getpixel((40, 40))
    assert abs(red - 128) < 3 and abs(blue - 128) < 3


def test_a_dashed_line_has_gaps():
    picture = painted('<path d="M0 20H40" stroke="#ff0000" stroke-width="4" stroke-dasharray="10 10"/>')
    assert [picture.getpixel((x, 40)) for x in (10, 30, 50, 70)] == [RED, WHITE, RED, WHITE]


def test_a_drawing_stands_whole_in_its_box_or_fills_it_where_it_may_be_cut():
    half = '<rect width="40" height="20" fill="#ff0000"/>'
    assert painted(half, view="0 0 40 20").getpixel((40, 4)) == WHITE
    assert painted(half, view="0 0 40 20", ratio="xMidYMid slice").getpixel((40, 4)) == RED


@pytest.mark.parametrize(
    "shape",
    [
        '<path d="M1 1 nonsense" fill="#0000ff"/>',
        '<circle cx="a" r="1e999" fill="#0000ff"/>',
        '<rect width="40" height="40" fill="nosuchcolour"/>',
        '<rect width="40" height="40" transform="matrix(1 2)" fill="#0000ff"/>',
        '<path d="M-1e9 1H1e9" stroke="#0000ff" stroke-width="1" stroke-dasharray=".1 .1"/>',
        '<path d="" fill="#0000ff"/>',
    ],
)
def test_what_is_no_shape_is_left_out_and_the_rest_is_painted(shape):
    picture = painted(shape + '<rect x="10" y="10" width="20" height="20" fill="#ff0000"/>')
    assert picture.getpixel((40, 40)) == RED


def test_a_drawing_without_a_size_leaves_the_picture_as_it_was():
    assert painted('<rect width="9" height="9"/>', view="0 0 0 0").getcolors() == [(6400, WHITE)]
