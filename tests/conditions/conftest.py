"""The site's pages, read once."""

from tests.reading import read

__all__ = ["read"]
