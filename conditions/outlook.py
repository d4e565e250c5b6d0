"""What will happen to a page at its planned times, as far as it can be told from the page as it stands now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError

from . import readiness, services
from .models import Page, PlannedOverride, Status
from .readiness import Problem


@dataclass(frozen=True)
class Outlook:
    """One language of a page at its planned time: the problems open now, the leave given, and what that does not cover."""

    language: str
    at: datetime
    open: list[Problem]
    leave: PlannedOverride | None
    uncovered: list[Problem]
    leave_holds: bool
    lacks: str

    @property
    def goes_out(self) -> bool:
        """Whether the page would be published."""
        return not self.lacks and (not self.open or (self.leave_holds and not self.uncovered))


def outlooks(page: Page, problems: Iterable[Problem]) -> list[Outlook]:
    """For each language that is to go out at a time."""
    problems = list(problems)
    there = page.published_languages
    planned = [language for language, field in Page.PUBLISH_AT.items() if getattr(page, field) and language not in there]
    return [_outlook(page, language, readiness.in_language(problems, language)) for language in planned]


def _outlook(page: Page, language: str, found: list[Problem]) -> Outlook:
    leave = PlannedOverride.of(page, language)
    return Outlook(
        language,
        getattr(page, Page.PUBLISH_AT[language]),
        found,
        leave,
        readiness.not_covered(found, leave) if leave else found,
        bool(leave and leave.by and leave.by.has_perm(services.OVERRIDE)),
        _lacks(page, language),
    )


def _lacks(page: Page, language: str) -> str:
    """What the database asks of every published page and this one lacks: no leave helps there."""
    then = Page.objects.get(pk=page.pk)
    setattr(then, Page.STATUS[language], Status.PUBLISHED)
    try:
        then.validate_constraints()
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
