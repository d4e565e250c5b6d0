"""The whole site as the content pack makes it, each page opened and parsed once in a process."""

from functools import cached_property
from xml.etree.ElementTree import Element

import html5lib
import pytest
from django.test import Client

from clinic_site.models import Clinic


def tree_of(response):
    """The tree of an answer, whether or not its markup is valid."""
    return html5lib.parse(response.content.decode(), namespaceHTMLElements=False)


def text_of(element):
    """The words in an element, with single spaces."""
    return " ".join("".join(element.itertext()).split())


def within(element, name):
    """Elements of a name below this one; pictures stand in the SVG namespace."""
    return [found for found in element.iter() if str(found.tag).rsplit("}", 1)[-1] == name]


def texts(tree, tag):
    """The words of each element of that name."""
    return [text_of(element) for element in tree.iter(tag)]


def links(tree):
    """Words and address of each link."""
    return [(text_of(a), a.get("href", "")) for a in tree.iter("a")]


class Read:
    """A page as a visitor without a session got it."""

    def __init__(self, path):
        self.path = path
        self.response = Client().get(path)
        self.status = self.response.status_code

    @property
    def text(self) -> str:
        """The page's markup."""
        return self.response.content.decode()

    @cached_property
    def tree(self) -> Element:
        """The page's tree; raises html5lib's ParseError where the markup is not valid."""
        # Strict mode checks the tree; html5lib knows neither popover nor details-name attributes as errors.
        return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(self.text)


_pages: dict[str, Read] = {}


@pytest.fixture
def read(content):
    """Opens a page of the site: `read("/procedures/")`. Kept for later tests, so only for those that change nothing."""
    loaded = Clinic.objects.values_list("content_revision", flat=True).get()

    def page(path):
        if path not in _pages:
            _pages[path] = Read(path)
        return _pages[path]

    yield page
    assert Clinic.objects.values_list("content_revision", flat=True).get() == loaded
