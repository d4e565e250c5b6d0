"""Whether this installation may serve: what settings.py cannot see because it needs files or the database."""

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

# What the PDF library loads, and the Debian packages that hold it.
PDF_LIBRARIES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")
PDF_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")


def refuse_unready_start() -> None:
    """End the process with one line when a folder cannot be written or the installation is not prepared.

    A database that cannot be reached is no reason to refuse: pages come from
    the last good copy and requests go to the spool until it is back.
    """
    problem = next(start_up_problems(), None)
    connection.close()  # the server's workers must not inherit it
    if problem:
        sys.exit(f"clinic_site will not start: {problem}")


def start_up_problems() -> Iterator[str]:
    """What keeps this installation from serving, one line each, the variable first."""
    from intake.rotation import keys_that_do_not_fit

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        path = Path(database["NAME"])
        if not _is_writable(path.parent) or (path.exists() and not os.access(path, os.W_OK)):
            yield f"DATABASE_URL names a file that cannot be written ({path}). Give this user write access or another path."
            return
    for variable in ("MEDIA_ROOT", "SPOOL_DIR"):
        if not _is_writable(Path(getattr(settings, variable))):
            yield f"{variable} cannot be written. Give this user write access or set another folder."
    if not settings.DEBUG and not (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        yield f"STATIC_ROOT holds no collected files ({settings.STATIC_ROOT}). Run: python manage.py prepare"
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        problems = [] if waiting else list(keys_that_do_not_fit())
    except Error:
        return
    if waiting:
        yield f"DATABASE_URL names a database with {len(waiting)} unapplied migrations. Run: python manage.py prepare"
    yield from problems


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def missing_pdf_libraries() -> list[str]:
    """Which of Pango's libraries this machine lacks; packets have no PDF without them."""
    missing = []
    for library in PDF_LIBRARIES:
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(library)
    return missing


@register("golive", deploy=True)
def no_samples_before_go_live(**kwargs: object) -> list[CheckMessage]:
    """`manage.py check --deploy` warns of every sample that a real clinic must replace."""
    from conditions.models import Location, Page, Photo, Physician, ReviewState, Testimonial

    from .models import Clinic

    counts = {
        "the clinic's own record": Clinic.objects.filter(is_sample=True).count(),
        "published sample physicians": Physician.objects.filter(is_sample=True, is_published=True).count(),
        "published sample testimonials": Testimonial.objects.filter(is_sample=True, is_published=True).count(),
        "published pages with a sample review": Page.objects.published_anywhere().filter(review_state=ReviewState.SAMPLE).count(),
        "sample locations": Location.objects.filter(is_sample=True).count(),
        "sample pictures": Photo.objects.filter(is_sample=True).count(),
    }
    return [
        Warning(f"Before go-live, replace sample data: {what} ({count}).", id=f"clinic_site.W{number:03}")
        for number, (what, count) in enumerate(counts.items(), 1)
        if count
    ]
