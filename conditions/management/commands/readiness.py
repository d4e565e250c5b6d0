"""Say which pages are ready for patients, and what the others need."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from conditions.readiness import Site, needs_a_person, pages_to_check, problems_of


class Command(BaseCommand):
    """Runs every readiness rule on every page."""

    help = "Check every page against the readiness rules. Exits 1 while any page has a problem."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which pages and which problems."""
        parser.add_argument("slugs", nargs="*", help="only these pages")
        parser.add_argument("--without-signatures", action="store_true", help="leave out what only a person can sign")

    def handle(self, *args: object, slugs: list[str], without_signatures: bool, **options: object) -> None:
        """Print each page's problems, then the count."""
        site = Site.now()
        pages = pages_to_check().order_by("kind", "slug")
        count = waiting = 0
        for page in pages.filter(slug__in=slugs) if slugs else pages:
            found = problems_of(page, site)
            waiting += sum(map(needs_a_person, found))
            shown = [problem for problem in found if not (without_signatures and needs_a_person(problem))]
            count += len(shown)
            for problem in shown:
                self.stdout.write(f"{page.kind} {page.slug}: {problem}")
        if without_signatures:
            self.stdout.write(f"{waiting} signatures of people are still to come.")
        if count:
            raise CommandError(f"{count} problems.")
        self.stdout.write("Every page is ready.")
