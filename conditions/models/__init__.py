"""What patients read: pages and what they are made of.

One table of pages with a proxy for each kind, so that sections, links,
references, search, sitemap and "the page a request came from" each exist once.
English and Spanish live side by side in the same rows (`title_en`, `title_es`).
"""

from .history import PackRecord, PageRevision, PlannedOverride, PublishOverride, ReviewReminder, RevisionAction
from .kinds import Condition, Guide, Notice, Packet, Procedure, ProcedureFacts, Symptom
from .links import HowOften, PageLink, Relation, Role
from .lists import CITATION, GlossaryTerm, Reference
from .pages import ENGLISH, REVIEW_AHEAD, REVIEW_GRACE, SPANISH, FormerAddress, Kind, Page, PageQuerySet, ReviewState, Status
from .people import FormerProfileAddress, Location, Physician, PhysicianHours, Testimonial
from .pictures import Figure, Photo
from .search import SearchMiss
from .sections import Section, SectionKind

__all__ = [
    "CITATION",
    "ENGLISH",
    "REVIEW_AHEAD",
    "REVIEW_GRACE",
    "SPANISH",
    "Condition",
    "Figure",
    "FormerAddress",
    "FormerProfileAddress",
    "GlossaryTerm",
    "Guide",
    "HowOften",
    "Kind",
    "Location",
    "Notice",
    "PackRecord",
    "Packet",
    "Page",
    "PageLink",
    "PageQuerySet",
    "PageRevision",
    "Photo",
    "Physician",
    "PhysicianHours",
    "PlannedOverride",
    "Procedure",
    "ProcedureFacts",
    "PublishOverride",
    "Reference",
    "Relation",
    "ReviewReminder",
    "ReviewState",
    "RevisionAction",
    "Role",
    "SearchMiss",
    "Section",
    "SectionKind",
    "Status",
    "Symptom",
    "Testimonial",
]
