"""What a page needs before it may be published. Each rule is one function from a page to the problems it sees.

Rules stand by what they look at: `structure`, `words`, `numbers`, `people`,
`spanish`. Pages come with sections, figures, outgoing links, testimonials and
reviewer prefetched (`pages_to_check`), so that rules ask the database nothing of
their own; what they need to know about the rest of the site is in `Site`.
"""

from django.db.models import QuerySet

from conditions.models import Page

from . import numbers, people, spanish, structure, words  # noqa: F401  each puts its rules on the list
from .problems import RULES, Problem, Site

__all__ = ["RULES", "Problem", "Site", "needs_a_person", "pages_to_check", "problems_of"]

# Only a person can satisfy these: a machine must never sign for them.
HUMAN_RULES = frozenset(
    {people.has_reviewer.__name__, people.shows_no_sample_people.__name__, spanish.spanish_has_reviewer.__name__}
)
# An edit of the English brings these about in the Spanish, which says so to its readers until it follows.
FOLLOWS_ENGLISH = frozenset({spanish.spanish_is_current.__name__, spanish.spanish_is_complete.__name__})


def pages_to_check() -> QuerySet[Page]:
    """All pages with what the rules look at."""
    return Page.objects.select_related("reviewed_by", "packet", "facts").prefetch_related(
        "sections", "figures", "links_out__target", "testimonials"
    )


def problems_of(page: Page, site: Site) -> list[Problem]:
    """Everything the rules see on a page, in both languages, in the order of the rules."""
    return [problem for check in RULES.values() for problem in check(page, site)]


def needs_a_person(problem: Problem) -> bool:
    """Whether only a human signature can clear the problem."""
    return problem.rule in HUMAN_RULES
