"""What a page needs before it may be published. Each rule is one function from a page to the problems it sees.

Rules stand by what they look at: `structure`, `words`, `numbers`, `people`,
`spanish`. Pages come with sections, figures, outgoing links, testimonials and
reviewer prefetched (`pages_to_check`), so that rules ask the database nothing of
their own; what they need to know about the rest of the site is in `Site`.
"""

from collections import Counter
from collections.abc import Iterable

from django.db.models import QuerySet

from conditions.models import Page, PlannedOverride

from . import numbers, people, spanish, structure, words  # noqa: F401  each puts its rules on the list
from .problems import RULES, Problem, Site

__all__ = [
    "RULES",
    "Problem",
    "Site",
    "in_language",
    "needs_a_person",
    "new_problems",
    "not_covered",
    "pages_to_check",
    "problems_of",
]

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


def in_language(problems: Iterable[Problem], language: str) -> list[Problem]:
    """Those that keep a page from being published in a language."""
    return [problem for problem in problems if problem.language in ("", language)]


def new_problems(problems: Iterable[Problem], known: Iterable[Problem]) -> list[Problem]:
    """Those that a published page did not have before. That its Spanish falls behind an edit of the English is none."""
    fresh = _beyond(problems, [problem.kind for problem in known])
    return [problem for problem in fresh if problem.rule not in FOLLOWS_ENGLISH]


def not_covered(problems: Iterable[Problem], leave: PlannedOverride) -> list[Problem]:
    """Problems that were not open when the leave was given."""
    return _beyond(problems, [tuple(kind) for kind in leave.problems])


def _beyond(problems: Iterable[Problem], kinds: Iterable[tuple[str, ...]]) -> list[Problem]:
    left = Counter(kinds)
    fresh = []
    for problem in problems:
        if left[problem.kind]:
            left[problem.kind] -= 1
        else:
            fresh.append(problem)
    return fresh
