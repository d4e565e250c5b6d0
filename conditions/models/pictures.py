"""Photos that staff uploaded, and the figures of a page."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pictures.models import PictureField

from .pages import Page


class Photo(models.Model):
    """A picture that staff uploaded. Its file holds pixels and nothing else: see photos.py."""

    key = models.SlugField(_("key"), max_length=60, unique=True, help_text=_("Names the picture in lists, for example front-door."))
    picture = PictureField(
        _("picture"), upload_to="photos", width_field="width", height_field="height", container_width=1600, grid_columns=4
    )
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    alt = models.CharField(_("alternative text"), max_length=125, help_text=_("What it shows and why, up to 125 characters."))
    credit = models.CharField(_("credit"), max_length=120, blank=True, help_text=_("Who took it, where that must be said."))
    focal_x = models.PositiveSmallIntegerField(
        _("focal point, from the left"),
        default=50,
        validators=[MaxValueValidator(100)],
        help_text=_("In percent. What is here stays in view where the picture is cropped."),
    )
    focal_y = models.PositiveSmallIntegerField(_("focal point, from the top"), default=50, validators=[MaxValueValidator(100)])
    is_sample = models.BooleanField(_("sample picture"), default=False)

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(alt_en="") & Q(alt_en__isnull=False),
                name="photo_has_alternative_text",
                violation_error_message=_("Describe this picture for people who cannot see it."),
            ),
            models.CheckConstraint(condition=Q(focal_x__lte=100, focal_y__lte=100), name="photo_focal_point"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def focal_class(self) -> str:
        """The classes of the style sheet that keep the focal point in view, in steps of ten percent."""
        return f"focal-x{(self.focal_x + 5) // 10} focal-y{(self.focal_y + 5) // 10}"

    @property
    def srcset(self) -> dict[str, str]:
        """The picture's addresses and widths, as HTML lists them, by type: `avif`, `webp`, `jpeg`."""
        return {
            file_type.lower(): ", ".join(f"{size.url} {width}w" for width, size in sorted(sizes.items()))
            for file_type, sizes in self.picture.aspect_ratios[None].items()
        }

    @property
    def url(self) -> str:
        """The address of a middling size that every program can show."""
        sizes = self.picture.aspect_ratios[None]["JPEG"]
        return max((size for size in sizes.values() if size.width <= 800), key=lambda size: size.width).url


class Figure(models.Model):
    """A drawing of the house or a photo in a page, placed by the paragraph `[figure:key]` in a section."""

    # Texts that exist once for each language.
    TEXTS = ("title", "alt", "caption", "long_description")

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="figures")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    key = models.SlugField(_("key"), max_length=40, help_text=_("Names the drawing of the house, and its place in the text."))
    photo = models.ForeignKey(
        Photo,
        verbose_name=_("photo"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="figures",
        help_text=_("Shown in place of a drawing."),
    )
    title = models.CharField(_("title"), max_length=120)
    alt = models.CharField(_("alternative text"), max_length=125, help_text=_("What it shows and why, up to 125 characters."))
    caption = models.TextField(_("caption"))
    long_description = models.TextField(_("long description"), blank=True)
    callouts = models.JSONField(_("numbered marks"), default=list, blank=True)

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        ordering = ["page", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["page", "key"], name="figure_key_once"),
            models.CheckConstraint(
                condition=~Q(alt_en="") & Q(alt_en__isnull=False),
                name="figure_has_alternative_text",
                violation_error_message=_("Describe this figure for people who cannot see it."),
            ),
        ]

    def __str__(self) -> str:
        return self.title
