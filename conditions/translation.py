"""Which columns exist once for each language (`title_en`, `title_es`)."""

from modeltranslation.translator import TranslationOptions, register

from .models import (
    Condition,
    Figure,
    GlossaryTerm,
    Guide,
    Location,
    Notice,
    Packet,
    Page,
    Photo,
    Physician,
    Procedure,
    ProcedureFacts,
    Section,
    Symptom,
    Testimonial,
)


@register([Page, Procedure, Condition, Symptom, Guide, Notice])
class PageTranslation(TranslationOptions):
    """Words of a page; its state and review in each language are columns of their own."""

    fields = (*Page.TEXTS, *Page.OPTIONAL_TEXTS, *Page.LISTS)
    required_languages = {"en": ("title", "name")}


@register(Section)
class SectionTranslation(TranslationOptions):
    """Heading and text of a section."""

    fields = ("heading", "body")
    required_languages = {"en": ("heading",)}


@register(Figure)
class FigureTranslation(TranslationOptions):
    """Everything a figure says in words."""

    fields = (*Figure.TEXTS, "callouts")
    required_languages = {"en": ("title", "alt", "caption")}


@register(Photo)
class PhotoTranslation(TranslationOptions):
    """What a photo shows, in words."""

    fields = ("alt",)
    required_languages = {"en": ("alt",)}


@register(Physician)
class PhysicianTranslation(TranslationOptions):
    """What a profile says; names and credentials stay as they are."""

    fields = ("role", "board", "lead", "bio", "days", "training")
    required_languages = {"en": ("role", "lead")}


@register(Location)
class LocationTranslation(TranslationOptions):
    """How to get to a place and into it."""

    fields = ("name", "access_note", "directions")
    required_languages = {"en": ("name",)}


@register(Testimonial)
class TestimonialTranslation(TranslationOptions):
    """A testimonial and the line under its name."""

    fields = ("quote", "descriptor")
    required_languages = {"en": ("quote", "descriptor")}


@register(Packet)
class PacketTranslation(TranslationOptions):
    """The label of a packet."""

    fields = ("label", "intro")
    required_languages = {"en": ("label",)}


@register(ProcedureFacts)
class ProcedureFactsTranslation(TranslationOptions):
    """Every fact."""

    fields = ProcedureFacts.SHOWN
    required_languages = {"en": ProcedureFacts.SHOWN}


@register(GlossaryTerm)
class GlossaryTermTranslation(TranslationOptions):
    """A term and its plain meaning."""

    fields = ("term", "definition")
    required_languages = {"en": ("term", "definition")}
