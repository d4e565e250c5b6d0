"""Public pages. Each view finds its rows and hands them to a template; nothing is decided here."""

from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from clinic_site.models import BodyMap
from clinic_site.site_record import current_clinic

from . import addresses, comparison, content_pack, graph, structured_data
from . import search as site_search
from .glossary import all_terms
from .handout import Busy, Unavailable, handout_pdf
from .models import SPANISH, GlossaryTerm, Kind, Location, Packet, Page, Physician, Testimonial
from .presentation import present
from .search import misses
from .search.words import fold
from .share_picture import Card, Look, draw, own_drawing

INDEX_WORDS: dict[Kind, tuple[str | Promise, str | Promise]] = {
    Kind.PROCEDURE: (_("Procedures"), _("What happens, who it may help, what else you can do, and what can go wrong.")),
    Kind.CONDITION: (
        _("Conditions"),
        _("Each page says what the condition is, how it feels, what usually helps, and when to see someone."),
    ),
    Kind.SYMPTOM: (_("Symptoms"), _("Start from what you feel. Each page says what may be behind it and when it cannot wait.")),
    Kind.GUIDE: (
        _("Patient guides"),
        _("Step by step: your first visit, getting ready for surgery, going home, and when to get help."),
    ),
}
# Kinds of page that name the doctors of the clinic, and under which heading.
DOCTORS_HEADING = {Kind.PROCEDURE: _("Doctors who offer this"), Kind.CONDITION: _("Doctors who treat this")}
# The page about the clinic that tells where it is.
CONTACT_SLUG = "about"
CACHED_PUBLIC = {"public": True, "max_age": 60, "stale_while_revalidate": 600}
cached_public = cache_control(**CACHED_PUBLIC)
cached_picture = cache_control(public=True, max_age=86400)


def _respond(request: HttpRequest, template: str, context: dict[str, Any], nav: str = "") -> HttpResponse:
    if "alternates" not in context:
        context = {"alternates": addresses.in_both_languages(request.path), **context}
    return render(request, template, {"nav_current": nav, **context})


@require_safe
@cached_public
def home(request: HttpRequest) -> HttpResponse:
    """The front page."""
    return _respond(
        request,
        "conditions/home.html",
        {
            "procedures": Page.objects.published().filter(kind=Kind.PROCEDURE, home_position__gt=0).order_by("home_position"),
            "regions": [region for region in current_clinic().regions if region.hint],
            "physicians": Physician.objects.filter(is_published=True).select_related("portrait"),
            "testimonials": Testimonial.objects.shown()[:3],
            "first_visit": Page.objects.published().filter(slug="first-consultation").first(),
            "structured_data": structured_data.for_home(),
        },
        "home",
    )


@require_safe
@cached_public
def page_index(request: HttpRequest, kind: Kind) -> HttpResponse:
    """All published pages of a kind, filtered by `?region=`; symptoms of a part go on to what may be behind them."""
    heading, lead = INDEX_WORDS[kind]
    if kind == Kind.CONDITION:
        heading = current_clinic().conditions_heading or heading
    current = request.GET.get("region", "")
    in_record = current_clinic().regions
    if current not in {region.key for region in in_record}:
        current = ""
    pages = list(Page.objects.published().of_kind(kind))
    regions = [region for region in in_record if any(region.key in page.regions for page in pages)]
    shown = [page for page in pages if not current or current in page.regions]
    return _respond(
        request,
        "conditions/page_index.html",
        {
            "kind": kind,
            "heading": heading,
            "lead": lead,
            "regions": regions,
            "current_region": current,
            "pages": shown,
            "groups": _in_groups(shown),
            "causes": graph.behind(shown, current) if current and kind == Kind.SYMPTOM else [],
            "comparable": Page.objects.comparable() if kind == Kind.PROCEDURE else [],
            "structured_data": structured_data.for_index(kind, str(heading), shown),
        },
        kind.value,
    )


def _in_groups(pages: list[Page]) -> list[tuple[str | Promise, list[Page]]]:
    """Pages under their stages, in order; else surgery after other treatments. Pages of one sort stand under no heading."""
    if any(page.stage for page in pages):
        stages = dict.fromkeys(page.stage for page in pages if page.stage)
        groups: list[tuple[str | Promise, list[Page]]] = [
            (stage, [page for page in pages if page.stage == stage]) for stage in stages
        ]
        rest = [page for page in pages if not page.stage]
        return [*groups, (_("More guides"), rest)] if rest else groups
    other = [page for page in pages if not page.is_surgery]
    surgery = [page for page in pages if page.is_surgery]
    return [(_("Treatments other than surgery"), other), (_("Surgery"), surgery)] if other and surgery else [("", pages)]


def _page_at(request: HttpRequest, kind: Kind, slug: str) -> tuple[Page | None, str]:
    """The page that stands at an address or left it; or, for one without Spanish, none and its English address. Raises Http404."""
    pages = Page.objects.visible_to(request.user).filter(kind=kind)
    pages = pages.select_related("reviewed_by", "facts").prefetch_related("sections", "figures__photo")
    spanish = get_language() == SPANISH
    # One page's English address may be another's Spanish one.
    page = (pages.filter(slug_es=slug).first() if spanish else None) or pages.filter(slug=slug).first()
    if page is None and spanish and (in_english := addresses.in_english_only(kind, slug)):
        return None, in_english
    page = page or addresses.moved(kind, slug)
    if page is None:
        raise Http404
    return page, ""


@require_safe
def page_detail(request: HttpRequest, kind: Kind, slug: str) -> HttpResponse:
    """One page. Staff see drafts too, marked, uncached and kept from search engines."""
    page, in_english = _page_at(request, kind, slug)
    if page is None:
        return HttpResponseRedirect(in_english)
    if page.get_absolute_url() != request.path:
        return _moved(page.get_absolute_url())
    presented = present(page)
    context = {
        "page": page,
        "presented": presented,
        "alternates": addresses.of_page(page),
        "is_behind_english": get_language() == SPANISH and content_pack.is_behind_english(page),
        "is_preview": not page.is_published,
        "review_overdue": page.is_review_overdue(timezone.localdate()),
        "breadcrumbs": _breadcrumbs(page),
        "locations": Location.objects.all() if page.slug == CONTACT_SLUG else [],
        "doctors": page.physicians.filter(is_published=True) if kind in DOCTORS_HEADING else [],
        "doctors_heading": DOCTORS_HEADING.get(kind, ""),
        "testimonials": page.testimonials.shown() if kind == Kind.PROCEDURE else [],
        "packets": Packet.objects.filter(page=page).prefetch_related("physicians") if kind == Kind.GUIDE else [],
        **graph.related(page),
    }
    if kind == Kind.PROCEDURE:
        alternatives, treated = ([entry.page for entry in context[name]] for name in ("alternatives", "treats"))
        context["comparison_url"] = comparison.address_beside_others(page, alternatives, treated)
    context["structured_data"] = structured_data.for_page(page, presented, context)
    response = _respond(request, "conditions/page_detail.html", context, kind.value)
    if page.is_published:
        patch_cache_control(response, **CACHED_PUBLIC)
    else:
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
@cached_public
def compare(request: HttpRequest) -> HttpResponse:
    """Two or three procedures side by side, named by `?with=`; otherwise the list to choose from, saying what is wrong."""
    asked = list(dict.fromkeys(request.GET.getlist("with")))
    known = {page.slug: page for page in Page.objects.comparable().select_related("facts", "reviewed_by")}
    if len(known) < 2:
        raise Http404
    chosen = [known[slug] for slug in asked if slug in known]
    is_unknown = len(chosen) < len(asked)
    is_fit = not is_unknown and 2 <= len(chosen) <= comparison.MOST
    heading = _("Compare procedures side by side")
    trail = [(_("Procedures"), reverse("conditions:procedure_index")), (heading, request.path)]
    own_address = f"?{request.GET.urlencode()}" if asked else ""
    both = addresses.in_both_languages(request.path)
    response = _respond(
        request,
        "conditions/compare.html",
        {
            "alternates": {language: path + own_address for language, path in both.items()},
            "canonical_url": settings.SITE_URL + request.path + own_address,
            "heading": heading,
            "lead": _("What is done, what you go through, and what can go wrong, in the same words and the same order."),
            "compared": comparison.compare(chosen) if is_fit else None,
            "comparable": known.values(),
            "chosen": {page.slug for page in chosen},
            "is_unknown": is_unknown,
            "is_asked": bool(asked),
            "most": comparison.MOST,
            "structured_data": structured_data.for_crumbs(trail),
        },
        Kind.PROCEDURE.value,
    )
    # As with the consultation form: a choice that cannot be shown is an answer to correct.
    response.status_code = 200 if is_fit or not asked or (len(chosen) == 1 and not is_unknown) else 422
    return response


@require_safe
@cached_picture
def page_share(request: HttpRequest, kind: Kind, slug: str) -> HttpResponseBase:
    """What other sites show beside a link to a published page."""
    named = {"slug_es": slug} if get_language() == SPANISH else {"slug": slug}
    page = get_object_or_404(Page.objects.published(), kind=kind, **named)
    return _share(request, page.get_kind_display(), page.title, page.slug, tuple(page.regions))


@require_safe
@cached_picture
def physician_share(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What other sites show beside a link to a doctor's profile."""
    physician = get_object_or_404(Physician, slug=slug, is_published=True)
    name = ", ".join(part for part in (physician.name, physician.credentials) if part)
    return _share(request, physician.role, name)


@require_safe
@cached_picture
def home_share(request: HttpRequest) -> HttpResponseBase:
    """What other sites show beside a link to the front page, or to a page without a picture of its own."""
    clinic = current_clinic()
    return _share(request, "", clinic.tagline or clinic.name, "hero")


def _share(request: HttpRequest, eyebrow: str, title: str, art: str = "", regions: tuple[str, ...] = ()) -> HttpResponseBase:
    # A query would miss the kept picture and have it drawn again.
    if request.META["QUERY_STRING"]:
        return HttpResponseRedirect(request.path)
    clinic = current_clinic()
    badge = _("Sample site") if clinic.is_sample else ""
    card = Card(
        eyebrow=str(eyebrow),
        title=title,
        clinic_name=clinic.name,
        badge=str(badge),
        drawing=own_drawing(clinic, art),
        art=art,
        regions=regions,
        is_spine=clinic.body_map == BodyMap.SPINE,
        look=Look.of(clinic),
    )
    return HttpResponse(draw(card), content_type="image/png")


def _stands_or_stood_at(slug: str) -> Q:
    """The profile of that address, or the one that left it where nobody took it since."""
    stands = Physician.objects.filter(slug=slug).exists()
    return Q(slug=slug) if stands else Q(former_addresses__slug=slug)


def _moved(path: str) -> HttpResponse:
    """301, kept by browsers no longer than a page: another page may take the address."""
    response = HttpResponsePermanentRedirect(path)
    patch_cache_control(response, **CACHED_PUBLIC)
    return response


def _breadcrumbs(page: Page) -> structured_data.Trail:
    trail: list[tuple[str | Promise, str]] = [(_("Home"), reverse("conditions:home"))]
    if page.kind in INDEX_WORDS:
        heading, _lead = INDEX_WORDS[Kind(page.kind)]
        trail.append((heading, reverse(f"conditions:{page.kind}_index")))
    return [*trail, (page.name, page.get_absolute_url())]


@require_safe
def handout(request: HttpRequest, kind: Kind, slug: str, physician: str = "") -> HttpResponse:
    """A page as a PDF; in English where there is no Spanish text yet. The web page is the one for search engines.

    Of a packet also the copy for the patients of one of its surgeons.
    """
    page, in_english = _page_at(request, kind, slug)
    if page is None:
        return HttpResponseRedirect(f"{in_english}{physician or 'handout'}.pdf")
    surgeon = get_object_or_404(Physician, _stands_or_stood_at(physician), packets__page=page) if physician else None
    address = f"{page.get_absolute_url()}{surgeon.slug}.pdf" if surgeon else page.pdf_url
    if address != request.path:
        return _moved(address)
    try:
        content = handout_pdf(page, surgeon)
    except (Busy, Unavailable) as refusal:
        response = render(request, "conditions/pdf_unavailable.html", {"page": page}, status=503)
        response["Cache-Control"] = "no-store"
        if isinstance(refusal, Busy):
            response["Retry-After"] = "5"
        return response
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{slug}.pdf"'
    response["Cache-Control"] = "public, max-age=60" if page.is_published else "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
@cached_public
def physician_index(request: HttpRequest) -> HttpResponse:
    """The people who see patients."""
    physicians = Physician.objects.filter(is_published=True).select_related("portrait").prefetch_related("hours")
    context = {"physicians": physicians, "structured_data": structured_data.for_crumbs([(_("Physicians"), request.path)])}
    return _respond(request, "conditions/physician_index.html", context, "physicians")


@require_safe
@cached_public
def physician_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One doctor: what they treat, how they work, packets for their patients."""
    found = Physician.objects.select_related("portrait").prefetch_related("hours__location")
    physician = get_object_or_404(found, _stands_or_stood_at(slug), is_published=True)
    if physician.slug != slug:
        return _moved(physician.get_absolute_url())
    interests = list(physician.interests.all() & Page.objects.published())
    return _respond(
        request,
        "conditions/physician_detail.html",
        {
            "physician": physician,
            "conditions": [page for page in interests if page.kind == Kind.CONDITION],
            "procedures": [page for page in interests if page.kind == Kind.PROCEDURE],
            "packets": physician.packets.select_related("page").filter(page__in=Page.objects.published()),
            "structured_data": structured_data.for_physician(physician, interests),
        },
        "physicians",
    )


@require_safe
@cached_public
def glossary(request: HttpRequest) -> HttpResponse:
    """Every term, by letter."""
    terms = sorted(all_terms(), key=lambda term: fold(term.term))
    letters = [(letter, list(starting)) for letter, starting in groupby(terms, _letter)]
    heading = str(_("Medical words in plain words"))
    context = {"letters": letters, "structured_data": structured_data.for_glossary(heading, terms)}
    return _respond(request, "conditions/glossary.html", context, "glossary")


def _letter(term: GlossaryTerm) -> str:
    """The letter under which a term stands; its own first sign where it has none of the alphabet."""
    return (fold(term.term) or term.term)[0].upper()


@require_safe
@cached_public
def glossary_terms(request: HttpRequest) -> JsonResponse:
    """Every term and its meaning by anchor, for the script that shows a meaning where the word stands."""
    terms = {term.slug: [term.term, term.definition] for term in all_terms()}
    response = JsonResponse({"more": _("See the glossary"), "terms": terms}, json_dumps_params={"ensure_ascii": False})
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
@cache_control(private=True, no_store=True)
def search(request: HttpRequest) -> HttpResponse:
    """Results for `?q=`, best first, with a filter by kind. Needs no database once a process has its index."""
    query = " ".join(request.GET.get("q", "").replace("\0", "")[:100].split())
    kind = request.GET.get("kind", "")
    if kind not in Kind.values:
        kind = ""
    found = site_search.search(query, kind)
    context = {
        "alternates": addresses.of_view("conditions:search", found.languages),
        "nav_current": "search",
        "query": query,
        "found": found,
        "kinds": [(value, label, found.kinds[value]) for value, label in Kind.choices if found.kinds[value]],
        "current_kind": kind,
    }
    response = render(request, "conditions/search.html", context)
    if query and found.is_miss and request.method == "GET":
        language = get_language() or "en"
        # Closed once the answer is with the person, so a slow or missing database holds nobody up.
        response._resource_closers.append(lambda: misses.record(query, language, timezone.localdate()))
    return response
