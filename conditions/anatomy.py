"""The usual sections of each kind of page, in the order of the style guide, and what machines call such a page."""

from typing import NamedTuple

from .models import Kind, SectionKind


class UsualSection(NamedTuple):
    """A heading in both languages, its place in addresses, and how the text under it is shown."""

    anchor: str
    heading: str
    heading_es: str
    kind: SectionKind = SectionKind.PROSE


GLANCE = UsualSection("glance", "At a glance", "De un vistazo", SectionKind.GLANCE)
EMERGENCY = UsualSection("emergency", "When to get emergency help", "Cuándo buscar ayuda de emergencia", SectionKind.EMERGENCY)
WHAT_IT_IS = UsualSection("what-it-is", "What it is", "Qué es")
TODAY = UsualSection("today", "Call us or your doctor today if", "Llámenos o llame a su médico hoy si", SectionKind.TODAY)
APPOINTMENT = UsualSection("appointment", "Make an appointment if", "Haga una cita si", SectionKind.APPOINTMENT)
QUESTIONS = UsualSection("questions", "Questions to ask", "Preguntas para hacer", SectionKind.QUESTIONS)

USUAL_SECTIONS = {
    Kind.CONDITION: [
        GLANCE,
        EMERGENCY,
        WHAT_IT_IS,
        UsualSection("symptoms", "Symptoms", "Síntomas"),
        UsualSection("causes", "Causes and risk", "Causas y riesgo"),
        UsualSection("diagnosis", "How it is found", "Cómo se detecta"),
        UsualSection("treatment", "Treatment, from simple to surgical", "Tratamiento, de lo sencillo a la cirugía"),
        UsualSection("over-time", "What happens over time", "Qué pasa con el tiempo"),
        UsualSection("living", "Living with it", "La vida diaria"),
        TODAY,
        APPOINTMENT,
        QUESTIONS,
    ],
    Kind.PROCEDURE: [
        GLANCE,
        WHAT_IT_IS,
        UsualSection("candidate", "Is it for you?", "¿Es para usted?"),
        UsualSection("options", "Other options", "Otras opciones"),
        UsualSection("prepare", "Getting ready", "Cómo prepararse"),
        UsualSection("operation", "The operation", "La operación", SectionKind.STEPS),
        UsualSection("benefits", "Benefits and limits", "Beneficios y límites"),
        UsualSection("risks", "Risks in plain numbers", "Riesgos en números claros", SectionKind.RISKS),
        UsualSection("recovery", "Recovery", "Recuperación", SectionKind.TIMELINE),
        EMERGENCY,
        TODAY,
        QUESTIONS,
    ],
    Kind.SYMPTOM: [
        UsualSection("feels-like", "What it feels like", "Cómo se siente"),
        EMERGENCY,
        UsualSection("causes", "What may be behind it", "Qué puede haber detrás"),
        UsualSection("try", "What you can try", "Qué puede probar"),
        TODAY._replace(anchor="call-today"),
        APPOINTMENT,
        UsualSection("how-we-find-it", "How we find the cause", "Cómo buscamos la causa"),
    ],
    Kind.GUIDE: [
        UsualSection("purpose", "What this page is for", "Para qué es esta página"),
        UsualSection("before", "The weeks before", "Las semanas antes", SectionKind.CHECKLIST),
        UsualSection("day", "The day itself", "El día mismo", SectionKind.CHECKLIST),
        EMERGENCY,
        QUESTIONS,
    ],
    Kind.NOTICE: [UsualSection("about", "What this page says", "Qué dice esta página")],
}

# What schema.org calls a page of each kind, until an editor says it more precisely.
USUAL_TYPES = {
    Kind.CONDITION: "MedicalCondition",
    Kind.PROCEDURE: "MedicalProcedure",
    Kind.SYMPTOM: "MedicalSymptom",
    Kind.GUIDE: "MedicalWebPage",
    Kind.NOTICE: "WebPage",
}
