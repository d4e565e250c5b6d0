"""The content graph around one page: stored edges one way, derived ones the other."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from operator import attrgetter

from django.db.models import Q

from .models import HowOften, Kind, Page, PageLink, Relation, Role

READ_NEXT_SHOWN = 4
TREATMENTS_SHOWN = 3


@dataclass(frozen=True)
class Related:
    """A page beside this one, and how it stands to it in a few words."""

    page: Page
    note: str = ""
    # Where the note stands among its like: treatments tried first, and frequent causes, come before the others.
    rank: int = 0


def related(page: Page) -> dict[str, list[Related]]:
    """Everything near the page, by the names the templates use. One query.

    Symptoms of a procedure are those of the conditions it treats; treatments of
    a symptom are reached only through its conditions.
    """
    links = _links_of(page)
    own = [link for link in links if page.pk in (link.source_id, link.target_id)]
    near: dict[str, list[Related]] = {
        "treats": [],
        "treatments": [],
        "symptoms": [],
        "causes": [],
        "alternatives": [],
        "related_conditions": [],
        "read_next": [],
    }
    for link in own:
        outward = link.source_id == page.pk
        other = link.target if outward else link.source
        if not other.is_published:
            continue
        if link.relation == Relation.TREATS:
            near["treats" if outward else "treatments"].append(Related(other, _role(link), _rank(link)))
        elif link.relation == Relation.CAUSES_SYMPTOM:
            near["symptoms" if outward else "causes"].append(Related(other, _often(link), _rank(link)))
        elif link.relation == Relation.ALTERNATIVE_TO:
            near["alternatives"].append(Related(other))
        elif link.relation == Relation.RELATED_CONDITION:
            near["related_conditions"].append(Related(other))
        elif outward:
            near["read_next"].append(Related(other, other.card or ""))
    near["treatments"].sort(key=attrgetter("rank"))
    near["causes"].sort(key=attrgetter("rank"))
    near["read_next"] = near["read_next"][:READ_NEXT_SHOWN]
    # Which way round these are stored does not matter, and editors of both pages may have done it.
    for name in ("alternatives", "related_conditions"):
        near[name] = list({entry.page.pk: entry for entry in near[name]}.values())
    if page.kind == Kind.PROCEDURE:
        treated = {entry.page.pk for entry in near["treats"]}
        near["symptoms"] = _symptoms_of([link for link in links if link.source_id in treated])
    return near


@dataclass(frozen=True)
class Cause:
    """A condition that may be behind symptoms, with the first procedures to ask about; its page has all of them."""

    page: Page
    treatments: list[Related]


def behind(symptoms: Collection[Page], region: str) -> list[Cause]:
    """Conditions of a part of the body that can cause these symptoms, the likeliest first, and what treats them. Two queries."""
    causing = PageLink.objects.filter(target__in=symptoms, relation=Relation.CAUSES_SYMPTOM).select_related("source")
    weights: Counter[int] = Counter()
    conditions: dict[int, Page] = {}
    for link in causing:
        if region in link.source.regions and link.source.is_published:
            conditions[link.source_id] = link.source
            weights[link.source_id] += 2 if link.how_often == HowOften.COMMON else 1
    treatments: dict[int, list[Related]] = {pk: [] for pk in conditions}
    for link in PageLink.objects.filter(target__in=conditions, relation=Relation.TREATS).select_related("source"):
        if link.source.is_published:
            treatments[link.target_id].append(Related(link.source, _role(link), _rank(link)))
    for entries in treatments.values():
        entries.sort(key=lambda entry: (entry.rank, entry.page.name))
    likeliest = sorted(conditions.values(), key=lambda page: (-weights[page.pk], page.name))
    return [Cause(page, treatments[page.pk][:TREATMENTS_SHOWN]) for page in likeliest]


def _links_of(page: Page) -> list[PageLink]:
    """The page's own edges, and for a procedure those from the conditions it treats to their frequent symptoms."""
    wanted = Q(source=page) | Q(target=page, relation__in=set(Relation) - {Relation.READ_NEXT})
    if page.kind == Kind.PROCEDURE:
        treated = PageLink.objects.filter(source=page, relation=Relation.TREATS).values("target")
        wanted |= Q(source__in=treated, relation=Relation.CAUSES_SYMPTOM, how_often=HowOften.COMMON)
    return list(PageLink.objects.filter(wanted).select_related("source", "target").order_by("position", "pk"))


def _symptoms_of(links: list[PageLink]) -> list[Related]:
    counted: dict[int, tuple[int, Page]] = {}
    for link in links:
        if link.relation == Relation.CAUSES_SYMPTOM and link.how_often == HowOften.COMMON:
            count, _page = counted.get(link.target_id, (0, link.target))
            counted[link.target_id] = (count + 1, link.target)
    ordered = sorted(counted.values(), key=lambda entry: (-entry[0], entry[1].name))
    return [Related(symptom) for _count, symptom in ordered if symptom.is_published]


def _role(link: PageLink) -> str:
    return str(Role(link.role).label) if link.role else ""


def _often(link: PageLink) -> str:
    return str(HowOften(link.how_often).label) if link.how_often else ""


def _rank(link: PageLink) -> int:
    values, value = (Role.values, link.role) if link.relation == Relation.TREATS else (HowOften.values, link.how_often)
    return values.index(value) if value in values else len(values)
