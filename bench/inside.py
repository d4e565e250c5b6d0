"""What has to be done or measured in the site's own process. `bench.py` runs it with a site's environment."""

import argparse
import json
import random
import re
import statistics
import time
import tracemalloc

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils.translation import override  # noqa: E402

from clinic_site.models import Clinic  # noqa: E402
from clinic_site.site_record import current_clinic  # noqa: E402
from conditions.models import Kind, Page, Section, Status  # noqa: E402
from conditions.rich_text import plain_text  # noqa: E402
from conditions.search import index, search  # noqa: E402
from tests.conditions.search_queries import ENGLISH  # noqa: E402

SECTIONS = 12
SENTENCES_A_SECTION = 8
# One word in so many is an invented one, so that the vocabulary grows with the number of pages as a real one does.
RARE_WORD = 25
RARE_WORDS = 20_000
SYLLABLES = re.findall("..", "alandaenfigohoinkalominoorparesatiumvexazo")
PATHS = (
    "/",
    "/procedures/spinal-osteotomy/",
    "/conditions/kyphosis/",
    "/symptoms/low-back-pain/",
    "/guides/spinal-deformity-packet/",
    "/procedures/",
    "/symptoms/?region=lumbar",
    "/physicians/",
    "/glossary/",
    "/search/?q=sciatica",
    "/consultation/",
    "/es/",
)


@transaction.atomic
def fill(number: int) -> None:
    """Add pages made from the sentences of the real ones until so many are published."""
    chance = random.Random(5)
    rare = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 5))) for _ in range(RARE_WORDS)]
    bodies = [plain_text(body) for body in Section.objects.exclude(body_en="").values_list("body_en", flat=True)]
    sentences = [sentence for body in bodies for sentence in re.split(r"(?<=[.?!])\s+", body) if len(sentence.split()) > 3]
    names = list(Page.objects.published("en").values_list("name_en", flat=True))

    def text() -> str:
        words = " ".join(chance.choices(sentences, k=SENTENCES_A_SECTION)).split()
        return " ".join(chance.choice(rare) if not chance.randrange(RARE_WORD) else word for word in words)

    start = Page.objects.published("en").count()
    pages = [
        Page(
            kind=chance.choice([Kind.PROCEDURE, Kind.CONDITION, Kind.SYMPTOM, Kind.GUIDE]),
            slug=f"generated-{position}",
            title_en=f"{chance.choice(names)} with {chance.choice(rare)}"[:80],
            name_en=f"{chance.choice(rare)} {chance.choice(rare)}"[:60],
            summary_en=chance.choice(sentences)[:400],
            card_en=chance.choice(sentences)[:120],
            alternate_names_en=[chance.choice(rare) for _ in range(3)],
            search_terms_en=[f"{chance.choice(rare)} {chance.choice(rare)}" for _ in range(6)],
            regions=[chance.choice(["cervical", "thoracic", "lumbar", "sacral"])],
            status=Status.PUBLISHED,
        )
        for position in range(start, number)
    ]
    Page.objects.bulk_create(pages, batch_size=200)
    Section.objects.bulk_create(
        [
            Section(page=page, position=place, anchor=f"part-{place}", heading_en=chance.choice(names), body_en=f"<p>{text()}</p>")
            for page in pages
            for place in range(SECTIONS)
        ],
        batch_size=500,
    )
    Clinic.bump_content_revision()


def measure() -> dict[str, object]:
    """Queries of each page while nothing is kept, and the search index: how big, how long to build, how fast to ask."""
    client = Client(headers={"host": "127.0.0.1"})
    queries = {}
    for path in PATHS:
        client.get(path)
        current_clinic()
        uncached = path if "?" in path or path == "/consultation/" else f"{path}?uncached"
        with CaptureQueriesContext(
            connection,
        ) as captured:
            status = client.get(uncached).status_code
        if status == 200:
            queries[path] = len(captured)
    with override("en"):
        index.build("en", 0)
        started = time.perf_counter()
        index.build("en", 0)
        build_seconds = time.perf_counter() - started
        tracemalloc.start()
        index.forget()
        before = tracemalloc.get_traced_memory()[0]
        kept = index.current("en")
        kilobytes = (tracemalloc.get_traced_memory()[0] - before) / 1024
        tracemalloc.stop()
        times = []
        for query, _expected in ENGLISH * 3:
            started = time.perf_counter()
            search(query)
            times.append((time.perf_counter() - started) * 1000)
    return {
        "queries": queries,
        "pages": len(kept.documents),
        "words": len(kept.words),
        "build_seconds": build_seconds,
        "kilobytes": kilobytes,
        "search_p50": statistics.median(times),
        "search_p99": statistics.quantiles(times, n=100)[98],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fill", type=int, help="add pages until so many are published")
    given = parser.parse_args()
    if given.fill:
        fill(given.fill)
    else:
        print(json.dumps(measure()))
