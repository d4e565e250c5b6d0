"""Procedures side by side, from their facts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from .models import CITATION, Page, ProcedureFacts, Reference, Relation
from .presentation import Citations, ShownReference

MOST = 3


@dataclass(frozen=True)
class Row:
    """One fact: its name, and what it is for each procedure, in the order of the columns."""

    label: str
    cells: list[tuple[Page, SafeString]]


@dataclass(frozen=True)
class Comparison:
    """Two or three procedures as a table, with the sources that it cites."""

    pages: list[Page]
    rows: list[Row]
    references: list[ShownReference]


def compare(pages: Sequence[Page]) -> Comparison:
    """The procedures, whose facts are at hand, side by side. One query, for the sources."""
    texts = [[getattr(page.facts, name) or "" for name in ProcedureFacts.SHOWN] for page in pages]
    keys = {key for facts in texts for text in facts for key in CITATION.findall(text)}
    citations = Citations({reference.key: reference for reference in Reference.objects.filter(key__in=keys)})
    rows = []
    for number, name in enumerate(ProcedureFacts.SHOWN):
        cells = [(page, _cell(facts[number], citations)) for page, facts in zip(pages, texts, strict=True)]
        rows.append(Row(str(ProcedureFacts._meta.get_field(name).verbose_name), cells))
    return Comparison(list(pages), rows, citations.numbered())


def address_beside_others(page: Page, alternatives: Collection[Page], treated: Collection[Page]) -> str:
    """Where a procedure stands beside others: its alternatives first, then what else treats the same conditions.

    Empty where there is nothing to compare it with. One query.
    """
    same = Q(links_out__relation=Relation.TREATS, links_out__target__in=treated)
    near = Page.objects.comparable().filter(Q(pk=page.pk) | Q(pk__in=[other.pk for other in alternatives]) | same)
    shared = near.annotate(shared=Count("links_out", filter=same, distinct=True)).order_by("-shared", "name")
    slugs = dict(shared.values_list("pk", "slug"))
    known = [other.pk for other in alternatives if other.pk in slugs]
    others = [slugs[pk] for pk in dict.fromkeys([*known, *slugs]) if pk != page.pk][: MOST - 1]
    return address([page.slug, *others]) if page.pk in slugs and others else ""


def address(slugs: Sequence[str]) -> str:
    """The address of a comparison, in the language in use."""
    return f"{reverse('conditions:compare')}?{urlencode([('with', slug) for slug in slugs])}"


def _cell(text: str, citations: Citations) -> SafeString:
    linked = CITATION.sub(citations.link, escape(text))
    return mark_safe(linked.replace(" <sup>", "<sup>"))
