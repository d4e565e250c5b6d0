"""The public form: what is asked, how it is laid out, what is let through."""

from collections.abc import Iterable, Mapping
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field, Fieldset, Layout, Submit
from crispy_forms.utils import TEMPLATE_PACK
from django import forms
from django.http import QueryDict
from django.template import Context
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from clinic_site.models import Clinic
from conditions.models import Kind

from .consent import consent_text
from .form_fields import SLUG, EmailAddress, Interest, Line, Listed, PainArea, Paragraphs, PhoneNumber, RedFlags
from .models import (
    NO_RED_FLAG,
    BestTime,
    ContactChannel,
    Imaging,
    OnBehalfOf,
    ReferralSource,
    YesNo,
    pain_area_choices,
    red_flag_choices,
)
from .published_pages import PublishedPage
from .tokens import SubmissionToken

MESSAGE_LENGTH = 2000


def _choose(label: Any, choices: Iterable[tuple[str, Any]], **kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=list(choices), widget=forms.RadioSelect, required=False, **kwargs)


class OptionalPart(Div):
    """Questions that may be left alone, folded away. Opens by itself where one of them holds an error or an answer."""

    template = "clinic/layout/optional.html"

    def __init__(self, heading: Any, hint: Any, *fields: Any) -> None:
        super().__init__(*fields)
        self.heading, self.hint = heading, hint

    def render(self, form: "ConsultationForm", context: Context, template_pack: str = TEMPLATE_PACK, **kwargs: Any) -> SafeString:
        self.is_open = any(pointer.name in form.in_sight for pointer in self.get_field_names())
        return super().render(form, context, template_pack, **kwargs)


class ConsultationForm(forms.Form):
    """Ask for a consultation. Required: a name, one way to reach the person, and consent.

    Beside the fields it carries hidden values, see `intake/hidden.html`: the signed
    one-time id, the page it came from, whether the warning was read, and whether an
    earlier press of it was `in_doubt`.
    `kept` is what was typed so far, to be shown again and not yet sent.
    """

    name = Line(
        label=_("Full name"),
        max_length=120,
        error_messages={"required": _("Enter your full name")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    phone = PhoneNumber(
        label=_("Phone number"),
        max_length=40,
        required=False,
        help_text=_("Give a number, an email, or both. Add the country code if it is not in the US."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    email = EmailAddress(
        label=_("Email"),
        max_length=254,
        required=False,
        help_text=_("We will send a note that we have your request"),
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "email", "inputmode": "email", "spellcheck": "false"}),
    )
    red_flags = RedFlags(label=_("Do you have any of these right now?"), widget=forms.CheckboxSelectMultiple, required=False)
    consent = forms.BooleanField(error_messages={"required": _("Tick the box if you agree that we may contact you")})

    on_behalf_of = _choose(_("Who is this request for?"), OnBehalfOf.choices, initial=OnBehalfOf.ME)
    patient_name = Line(
        label=_("Name of the person who needs care"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("We will call you, at the number or address above."),
    )
    relation = Line(
        label=_("You are their"), max_length=60, required=False, help_text=_("For example: daughter, partner, guardian")
    )
    patient_is_minor = forms.BooleanField(label=_("They are under 18"), required=False)
    preferred_contact = _choose(_("How should we answer?"), ContactChannel.choices)
    best_time = _choose(_("Best time to call"), BestTime.choices, initial=BestTime.ANY)
    may_leave_voicemail = forms.BooleanField(label=_("You may leave a voicemail that names the clinic"), required=False)
    interest = Interest(label=_("What would you like to talk about?"), required=False)
    pain_area = PainArea(label=_("Where is the main problem?"), widget=forms.RadioSelect, required=False)
    message = Paragraphs(
        label=_("Anything else we should know?"),
        max_length=MESSAGE_LENGTH,
        required=False,
        help_text=_("For example, how long it has lasted and what makes it worse. Up to 2,000 characters."),
        widget=forms.Textarea(attrs={"class": "input", "rows": 4}),
    )
    imaging = forms.MultipleChoiceField(
        label=_("Scans you already have"), choices=Imaging.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    referral_source = forms.ChoiceField(
        label=_("How did you hear of us?"), choices=[("", _("Choose if you like")), *ReferralSource.choices], required=False
    )
    spoken_language = Line(
        label=_("Language you speak best"),
        max_length=60,
        required=False,
        help_text=_("We call you in it, at no cost, with an interpreter"),
    )
    needs_interpreter = forms.BooleanField(label=_("I would like an interpreter, also a sign language one"), required=False)
    access_needs = Line(
        label=_("Help you need to visit or talk to us"),
        max_length=300,
        required=False,
        help_text=_("For example: wheelchair, large print, calls by relay"),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        clinic: Clinic,
        pages: Mapping[str, PublishedPage],
        origin: str = "",
        submission_token: str = "",
        warning_token: str = "",
        honeypot: str = "",
        in_doubt: bool = False,
        kept: QueryDict | None = None,
    ) -> None:
        self.origin = origin if SLUG.fullmatch(origin) else ""
        self.origin_page = pages.get(self.origin)
        self.submission_token = submission_token or SubmissionToken.issue()
        self.warning_token, self.honeypot, self.in_doubt = warning_token, honeypot, in_doubt
        interests = _interests(pages)
        super().__init__(data, initial={"interest": origin if origin in dict(interests) else ""})
        lists = {
            "interest": (_grouped(interests), bool(pages)),
            "pain_area": (pain_area_choices(clinic), bool(clinic.regions)),
            "red_flags": (red_flag_choices(clinic), bool(clinic.signs)),
        }
        self.fields["consent"].label = consent_text(clinic.name)
        for name, field in self.fields.items():
            if isinstance(field, Listed):
                field.choices, field.is_list_known = lists[name]
            if isinstance(field, forms.ChoiceField):
                field.error_messages["invalid_choice"] = _("Choose one of the answers in the list")
            if name in ("interest", "referral_source"):
                field.widget.attrs["class"] = "input"
        self.is_kept = kept is not None
        self.kept_answers: set[str] = set()
        if kept is not None:
            self._keep(kept)
        self.helper = self._laid_out()

    def _keep(self, typed: QueryDict) -> None:
        """Show what was typed again, right or wrong, and judge none of it."""
        answers = {name: field.widget.value_from_datadict(typed, MultiValueDict(), name) for name, field in self.fields.items()}
        self.kept_answers = {
            name for name, field in self.fields.items() if field.has_changed(self.get_initial_for_field(field, name), answers[name])
        }
        self.initial = {**self.initial, **answers}

    def _laid_out(self) -> FormHelper:
        helper = FormHelper()
        helper.form_id = "consultation-form"
        helper.form_class = "form"
        helper.form_action = "intake:consultation"
        helper.attrs = {"novalidate": "", "data-once": ""}
        helper.layout = Layout(
            HTML("{% include 'intake/hidden.html' %}"),
            Fieldset(
                _("About you"),
                "name",
                Div("phone", "email", css_class="form__row"),
                css_class="form__section",
            ),
            *self._red_flags(),
            Fieldset(
                _("Optional: helps us prepare"),
                OptionalPart(
                    _("Who it is for, and how to answer"),
                    _("For someone else, best time to call, voicemail"),
                    Field("on_behalf_of", wrapper_class="choices--row"),
                    Div("patient_name", "relation", "patient_is_minor", css_class="reveals form__section", data_reveals="other"),
                    Field("preferred_contact", wrapper_class="choices--row"),
                    Field("best_time", wrapper_class="choices--row"),
                    "may_leave_voicemail",
                ),
                OptionalPart(
                    _("What troubles you"),
                    _("Where it is, your own words, scans you have"),
                    "interest",
                    Field("pain_area", template="intake/fields/pain_area.html", wrapper_class="choices--row choices--tall"),
                    "message",
                    Field("imaging", wrapper_class="choices--row"),
                ),
                OptionalPart(
                    _("Language and access"),
                    _("An interpreter, help with your visit"),
                    "spoken_language",
                    "needs_interpreter",
                    "access_needs",
                    "referral_source",
                ),
                css_class="form__section form__parts",
            ),
            Field("consent", template="intake/fields/consent.html"),
            Div(
                Submit("send", "{{ submit_label }}", css_id="id_send", data_busy=_("Sending your request")),
                HTML("{% include 'intake/send_hint.html' %}"),
                css_class="flow-s",
            ),
        )
        return helper

    def _red_flags(self) -> list[Field]:
        """The question about warning signs, where the clinic's record lists any."""
        known = len(self.fields["red_flags"].choices) > 1
        return [Field("red_flags", template="intake/fields/red_flags.html", wrapper_class="choices--pairs")] if known else []

    @property
    def in_sight(self) -> set[str]:
        """The fields with an error or an answer, which must not be folded away."""
        return {*self.changed_data, *self.errors} if self.is_bound else self.kept_answers

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Every error with the id of the place to go to, in the order of the page."""
        if not self.is_bound:
            return []
        general = [("id_send", str(message)) for message in self.non_field_errors()]
        in_order = [pointer.name for pointer in self.helper.layout.get_field_names()]
        return general + [
            (self[name].id_for_label or self[name].auto_id, str(message))
            for name in in_order
            for message in self.errors.get(name, [])
        ]

    def clean(self) -> dict[str, Any]:
        """Rules over several fields: one way to reach the person, no field sent twice with different answers."""
        data = super().clean() or self.cleaned_data
        self._refuse_repeated()
        if not data.get("phone") and not data.get("email") and not {"phone", "email"} & set(self.errors):
            self.add_error("phone", _("Enter a phone number or an email, so that we can answer you"))
        if data.get("preferred_contact") == ContactChannel.EMAIL and not data.get("email") and "email" not in self.errors:
            self.add_error("email", _("Enter your email, or choose to be called"))
        return data

    def _refuse_repeated(self) -> None:
        if not hasattr(self.data, "getlist"):
            return
        for name, field in self.fields.items():
            if not isinstance(field, forms.MultipleChoiceField) and len(set(self.data.getlist(name))) > 1:
                self.add_error(name, _("This was sent twice with different answers. Please give one."))

    def answers(self) -> dict[str, str]:
        """The valid answers as they are stored: text, codes of several choices joined by commas."""
        given = self.cleaned_data
        answers = {name: str(value) for name, value in given.items() if isinstance(value, str)}
        answers["red_flags"] = _without_none(given["red_flags"], NO_RED_FLAG)
        answers["imaging"] = _without_none(given["imaging"], Imaging.NONE)
        for name in ("may_leave_voicemail", "patient_is_minor", "needs_interpreter"):
            answers[name] = YesNo.YES.value if given[name] else YesNo.NO.value
        if answers["on_behalf_of"] != OnBehalfOf.OTHER:
            answers |= {"patient_name": "", "relation": "", "patient_is_minor": ""}
        return answers

    @property
    def has_red_flag(self) -> bool:
        """Whether a valid form says that something needs an emergency room."""
        return any(flag != NO_RED_FLAG for flag in self.cleaned_data["red_flags"])


def _without_none(codes: list[str], none: str) -> str:
    return ",".join(code for code in codes if code != none) or ",".join(codes)


def _interests(pages: Mapping[str, PublishedPage]) -> list[tuple[str, PublishedPage]]:
    return [(slug, page) for slug, page in pages.items() if page.kind in {Kind.PROCEDURE, Kind.CONDITION}]


def _grouped(interests: list[tuple[str, PublishedPage]]) -> list[tuple[str, Any]]:
    groups: list[tuple[Any, Any]] = [
        (heading, [(slug, page.name) for slug, page in interests if page.kind == kind])
        for kind, heading in ((Kind.PROCEDURE, _("Procedures")), (Kind.CONDITION, _("Conditions")))
    ]
    return [("", _("Something else, or not sure")), *(group for group in groups if group[1])]
