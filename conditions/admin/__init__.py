"""Editing what patients read. Admin finds here what each module registers."""

from . import kinds, lists, pages, people, pictures, records

__all__ = ["kinds", "lists", "pages", "people", "pictures", "records"]
