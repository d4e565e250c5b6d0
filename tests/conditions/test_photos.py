"""Pictures that staff upload: what is taken, what is refused, what is kept, and what visitors get."""

import io
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageFile
from pypdf import PdfReader

from conditions import photos, services
from conditions.content_pack import PackError, export_pack, load_pack
from conditions.content_pack.files import as_yaml
from conditions.models import Figure, Packet, PackRecord, Page, Photo, Physician, Testimonial
from tests.conditions.test_content_pack import PAGE
from tests.factories import UserFactory
from tests.pictures import HTML, JPEG, REFUSED, TAKEN, encoded, with_exif, x_ray

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]
ADD = "/admin/conditions/photo/add/"
FORM = {"key": "front-door", "alt_en": "The front door, with a ramp.", "alt_es": "", "credit": "", "focal_x": 50, "focal_y": 50}


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    """A media folder and a folder for temporary files that hold nothing yet."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "temp"
    for folder in (settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR):
        folder.mkdir()
    return settings.MEDIA_ROOT


@pytest.fixture
def boss():
    client = Client()
    client.force_login(UserFactory(username="boss", is_superuser=True))
    return client


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*"))


def upload(client, data, name="holiday.jpg", path=ADD, **changes):
    return client.post(path, FORM | {"picture": SimpleUploadedFile(name, data, "image/jpeg")} | changes)


def kept(**values):
    """A photo on the site."""
    picture = values.pop("picture", None) or photos.put(photos.only_pixels(SimpleUploadedFile("a.jpg", encoded(size=(1400, 1000)))))
    photo = Photo(**{"key": "front-door", "alt_en": "The front door, with a ramp.", "picture": picture} | values)
    photo.save()
    return photo


def test_a_damaged_picture_is_refused_also_once_a_pdf_was_made(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as the PDF library leaves it
    with pytest.raises(ValidationError, match="damaged"):
        photos.only_pixels(SimpleUploadedFile("a.jpg", REFUSED["half a JPEG"]))


@pytest.mark.once
@pytest.mark.parametrize("name", TAKEN)
def test_what_cameras_and_programs_save_is_taken_and_only_its_pixels_are_kept(boss, media, name):
    assert upload(boss, TAKEN[name]).status_code == 302
    photo = Photo.objects.get()
    stored = (media / photo.picture.name).read_bytes()
    picture = Image.open(io.BytesIO(stored))
    assert photos.is_only_pixels(stored)
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (photo.width, photo.height))
    assert max(picture.size) <= photos.LONGEST_SIDE
    for path in media.rglob("*.*"):
        shown = Image.open(path)
        assert not shown.getexif() and not {"comment", "icc_profile", "exif", "xmp"} & set(shown.info), path


def test_a_turned_photo_is_kept_upright_without_place_and_comment(boss, media):
    upload(boss, with_exif(), name="IMG_0001.HEIC.jpg")
    photo = Photo.objects.get()
    picture = Image.open(media / photo.picture.name)
    assert (photo.width, photo.height) == (700, 900)
    assert picture.getpixel((350, 100))[0] > 200 and picture.getpixel((350, 800))[2] > 200
    for path in media.rglob("*.*"):
        assert b"Secret comment" not in path.read_bytes() and b"Exif" not in path.read_bytes()


def test_the_grey_of_a_scan_or_x_ray_stays_as_seen():
    shown = Image.open(io.BytesIO(photos.only_pixels(SimpleUploadedFile("a.png", x_ray()))))
    assert [abs(shown.getpixel((300, y))[0] - y * 255 // 600) < 4 for y in (30, 150, 300, 450, 570)] == [True] * 5


def test_a_picture_too_narrow_to_be_shown_is_refused():
    with pytest.raises(ValidationError, match="too long and narrow"):
        photos.only_pixels(SimpleUploadedFile("a.jpg", encoded(size=(480, 9600))))
    photos.only_pixels(SimpleUploadedFile("a.jpg", encoded(size=(480, 3200))))


def test_signs_that_stand_in_a_photo_by_chance_are_no_code():
    photos.only_pixels(SimpleUploadedFile("a.jpg", encoded() + b"\x91<sVg\x07\xfe"))
    with pytest.raises(ValidationError, match="more than a picture"):
        photos.only_pixels(SimpleUploadedFile("a.jpg", encoded() + b"<sVg\nonload=x>"))


@pytest.mark.once
@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_gets_a_message_and_leaves_nothing_behind(boss, media, settings, name):
    answer = upload(boss, REFUSED[name], name="../../holiday.php.jpg")
    assert answer.status_code == 200
    errors = answer.context_data["adminform"].form.errors
    assert list(errors) == ["picture"] and len(errors["picture"]) == 1
    assert str(errors["picture"][0]) in answer.content.decode().replace("&#x27;", "'")
    assert Photo.objects.count() == 0
    assert everything(media) == [] and everything(settings.FILE_UPLOAD_TEMP_DIR) == []


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x.jpg", "photo.php.jpg", "a.html", "x" * 300 + ".jpg", "<script>.svg", "con\x00.jpg"]
)
def test_the_name_of_an_upload_is_of_no_account(boss, media, name):
    upload(boss, JPEG, name=name)
    stored = Photo.objects.get().picture.name
    assert Path(stored).parent.name == "photos" and Path(stored).suffix == ".jpg" and len(Path(stored).stem) == 32
    assert not {part for path in everything(media) for part in Path(path).parts} & {"etc", "cron.d", "a.html"}


@pytest.mark.parametrize("changes", [{"alt_en": ""}, {"key": "not a key"}, {"focal_x": 101}, {"focal_y": ""}])
def test_a_good_picture_in_a_form_with_a_mistake_is_not_kept(boss, media, changes):
    assert upload(boss, JPEG, **changes).status_code == 200
    assert Photo.objects.count() == 0 and [path for path in media.rglob("*") if path.is_file()] == []


def test_a_picture_that_cannot_be_kept_leaves_no_part_of_itself(boss, media, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pictures.models.PillowPicture.save", full)
    with pytest.raises(OSError, match="No space"):
        upload(boss, JPEG)
    assert Photo.objects.count() == 0 and [path for path in media.rglob("*") if path.is_file()] == []


def test_who_may_not_add_photos_makes_no_file(media):
    client = Client()
    client.force_login(UserFactory())
    assert upload(client, JPEG).status_code == 403
    assert upload(Client(), JPEG).status_code == 302
    assert everything(media) == []


def test_every_photo_says_what_it_shows(media):
    with pytest.raises(IntegrityError, match="photo_has_alternative_text"), transaction.atomic():
        kept(alt_en="")
    with pytest.raises(IntegrityError, match="photo_focal_point"), transaction.atomic():
        kept(focal_x=101)


def test_another_picture_takes_the_place_of_the_first_and_its_files(boss, media, django_capture_on_commit_callbacks):
    photo = kept()
    first = photo.picture.name
    with django_capture_on_commit_callbacks(execute=True):
        assert upload(boss, encoded(size=(800, 800)), path=f"/admin/conditions/photo/{photo.pk}/change/").status_code == 302
    photo.refresh_from_db()
    assert (photo.width, photo.height) == (800, 800)
    assert photo.picture.name != first
    assert not [path for path in everything(media) if Path(first).stem in path]


def test_a_replacement_with_a_mistake_leaves_the_picture_as_it_was(boss, media):
    photo = kept()
    before = everything(media)
    answer = upload(boss, encoded(size=(800, 800)), path=f"/admin/conditions/photo/{photo.pk}/change/", alt_en="")
    assert answer.status_code == 200 and 'viewBox="0 0 1400 1000"' in answer.content.decode()
    photo.refresh_from_db()
    assert photo.width == 1400 and everything(media) == before


def test_words_can_change_without_sending_the_picture_again(boss, media):
    photo = kept()
    before = everything(media)
    answer = boss.post(f"/admin/conditions/photo/{photo.pk}/change/", FORM | {"alt_en": "A door.", "focal_x": 20})
    photo.refresh_from_db()
    assert answer.status_code == 302 and (photo.alt_en, photo.focal_x) == ("A door.", 20)
    assert everything(media) == before


def test_a_deleted_photo_takes_its_files_with_it(boss, media, django_capture_on_commit_callbacks):
    one, two = kept(), kept(key="hall")
    with django_capture_on_commit_callbacks(execute=True):
        boss.post(f"/admin/conditions/photo/{one.pk}/delete/", {"post": "yes"})
        boss.post("/admin/conditions/photo/", {"action": "delete_selected", "_selected_action": [two.pk], "post": "yes"})
    assert Photo.objects.count() == 0
    assert [path for path in media.rglob("*") if path.is_file()] == []


def test_a_photo_in_use_is_not_deleted(boss, media):
    photo = kept()
    Physician.objects.update(portrait=photo)
    boss.post(f"/admin/conditions/photo/{photo.pk}/delete/", {"post": "yes"})
    assert Photo.objects.exists() and (media / photo.picture.name).exists()


def test_a_change_that_is_taken_back_keeps_the_files(media):
    photo = kept()
    with pytest.raises(RuntimeError), transaction.atomic():
        services.delete_photo(photo)
        raise RuntimeError
    assert (media / Photo.objects.get().picture.name).exists()


def test_a_portrait_comes_in_every_size_and_type_with_its_measures(client, media):
    Physician.objects.filter(slug="sample-surgeon-a").update(portrait=kept(focal_x=30, focal_y=0, is_sample=True, credit="Lee"))
    page = client.get("/physicians/sample-surgeon-a/").content.decode()
    picture = page[page.index("<picture>") : page.index("</picture>")]
    assert 'type="image/avif"' in picture and 'type="image/webp"' in picture
    assert 'width="1400" height="1000"' in picture and 'alt="The front door, with a ramp."' in picture
    assert "focal-x3 focal-y0" in picture and "style=" not in picture and "lazy" not in picture
    assert "Sample picture" in page and "Photo: Lee" in page
    for address in {word for word in picture.replace('"', " ").replace(",", " ").split() if word.startswith("/media/")}:
        answer = client.get(address)
        kind = {"avif": "image/avif", "webp": "image/webp", "jpeg": "image/jpeg"}[address.rpartition(".")[2]]
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert abs(Image.open(io.BytesIO(answer.getvalue())).width - int(Path(address).stem.removesuffix("w"))) <= 1
    assert 'loading="lazy"' in client.get("/physicians/").content.decode()


def test_a_picture_opened_by_itself_can_do_nothing(client, media):
    answer = client.get("/media/" + kept().picture.name)
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Content-Type"] == "image/jpeg"


def test_media_serves_pictures_and_nothing_else(client, media):
    (media / "page.html").write_bytes(HTML)
    (media / "drawing.svg").write_bytes(b"<svg/>")
    for path in ("page.html", "drawing.svg", "", "photos/", "../test.sqlite3", "%2e%2e/settings.jpg"):
        assert client.get(f"/media/{path}").status_code in (400, 404), path


def a_figure(photo):
    page = Page.objects.get(slug="kyphosis")
    section = page.sections.filter(kind="prose").first()
    section.body_en += "\n<p>[figure:door]</p>"
    section.save()
    return Figure.objects.create(page=page, key="door", title_en="The door", alt_en="A wide door.", caption_en="Wide.", photo=photo)


def test_a_figure_shows_its_photo_in_place_of_a_drawing(client, media):
    a_figure(kept(is_sample=True))
    page = client.get("/conditions/kyphosis/").content.decode()
    figure = page[page.index("<picture>") :]
    figure = figure[: figure.index("</figure>")]
    assert 'alt="A wide door."' in figure and 'loading="lazy"' in figure and "Sample picture" in figure
    assert "Our own drawing" not in figure


def test_a_figure_shows_its_photo_on_paper_too(client, media):
    a_figure(kept(is_sample=True, credit="A. Person"))
    Page.objects.get(slug="kyphosis").sections.exclude(body_en__contains="[figure:door]").delete()
    reader = PdfReader(io.BytesIO(client.get("/conditions/kyphosis/handout.pdf").content))
    pictures = [image for page in reader.pages for image in page.images]
    assert len({image.data for image in pictures}) == 1 and pictures[0].image.width > pictures[0].image.height
    text = " ".join(page.extract_text() for page in reader.pages)
    assert "The door" in text and "Sample picture" in text and "A. Person" in text
    assert b"A wide door." in b"".join(str(each.get("/Alt", "")).encode() for each in structure(reader))


def structure(reader):
    """Every element of a PDF's structure tree."""
    return [found for number in range(1, reader.trailer["/Size"]) if isinstance(found := reader.get_object(number), dict)]


def test_photos_travel_in_the_content_pack_byte_by_byte(media, tmp_path, django_capture_on_commit_callbacks):
    photo = kept(credit="Lee", focal_x=10, alt_es="La puerta.")
    a_figure(photo)
    Physician.objects.filter(slug="sample-surgeon-a").update(portrait=photo)
    first, second = tmp_path / "first", tmp_path / "second"
    export_pack(first)
    stored = (media / photo.picture.name).read_bytes()
    assert (first / "photos/front-door.jpg").read_bytes() == stored
    for model in (Testimonial, Packet, Page, Physician):
        model.objects.all().delete()
    PackRecord.objects.all().delete()  # as on a site that never had them
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_photo(photo)
    load_pack(first)
    again = Photo.objects.get()
    assert Physician.objects.get(portrait=again).slug == "sample-surgeon-a" and again.figures.get().key == "door"
    assert (media / again.picture.name).read_bytes() == stored
    export_pack(second)
    for path in first.rglob("*.*"):
        assert (second / path.relative_to(first)).read_bytes() == path.read_bytes(), path
    files = everything(media)
    assert not load_pack(first).updated
    assert everything(media) == files


def test_a_pack_whose_picture_holds_more_than_pixels_is_refused(media, tmp_path):
    kept()
    export_pack(tmp_path)
    picture = tmp_path / "photos/front-door.jpg"
    for bad in (with_exif(), picture.read_bytes() + HTML, HTML, b"", picture.read_bytes()[:3]):
        picture.write_bytes(bad)
        with pytest.raises(PackError, match="no picture as the site keeps it"):
            load_pack(tmp_path)
    picture.unlink()
    with pytest.raises(PackError, match="there is no picture"):
        load_pack(tmp_path)


def test_a_pack_that_fails_late_leaves_no_picture_and_takes_none(media, tmp_path, django_capture_on_commit_callbacks):
    (tmp_path / "pages").mkdir()
    (tmp_path / "photos").mkdir()
    page, picture = tmp_path / "pages" / "a-test-guide.en.md", tmp_path / "photos" / "door.jpg"
    page.write_text(PAGE)
    facts = {"key": "door", "alt": "A door.", "credit": "", "focal_x": 50, "focal_y": 50, "is_sample": True}
    (tmp_path / "photos.yaml").write_text(as_yaml({"photos": [facts]}))
    for size in (600, 500):
        picture.write_bytes(photos.only_pixels(SimpleUploadedFile("a.jpg", encoded(size=(size, size)))))
        before, photo = everything(media), Photo.objects.first()
        page.write_text(PAGE.replace("status: published", "links:\n- {relation: read_next, to: nowhere}"))
        with pytest.raises(PackError, match="nowhere"), django_capture_on_commit_callbacks(execute=True):
            load_pack(tmp_path)
        assert [path for path in everything(media) if "." in path] == [path for path in before if "." in path]
        page.write_text(PAGE)
        with django_capture_on_commit_callbacks(execute=True):
            load_pack(tmp_path)
        assert Photo.objects.get().width == size
        assert not photo or not [path for path in everything(media) if Path(photo.picture.name).stem in path]


def test_the_list_and_form_of_photos_work(boss, media):
    photo = kept()
    assert b"front-door" in boss.get(reverse("admin:conditions_photo_changelist")).content
    form = boss.get(f"/admin/conditions/photo/{photo.pk}/change/").content.decode()
    assert "data-focal-point" in form and "style=" not in form[form.index("data-focal-point") :][:1500]
