"""Text files become pages, and pages text files, without losing anyone's work."""

import re
import shutil

import pytest
import yaml
from django.core.management import CommandError, call_command

from clinic_site.models import Clinic, WarningSign
from conditions.content_pack import FOLDER, PackError, export_pack, is_behind_english, load_pack, read_pack
from conditions.models import GlossaryTerm, Page, Section, Testimonial

pytestmark = pytest.mark.django_db

PAGE = """---
kind: guide
slug: a-test-guide
title: A test guide
name: Test guide
summary: What to do.
regions: [whole]
status: published
---
## First {#first}

<p>Plain words.</p>

### Second {#second .checklist}

<ul>
<li>Do this.</li>
</ul>
"""


@pytest.fixture
def pack(tmp_path):
    """A pack of one page."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a-test-guide.en.md").write_text(PAGE)
    return tmp_path


def rewrite(pack, old, new):
    path = pack / "pages" / "a-test-guide.en.md"
    path.write_text(path.read_text().replace(old, new))
    return path


def test_a_file_becomes_a_page_with_its_sections(pack):
    report = load_pack(pack)
    page = Page.objects.get(slug="a-test-guide")
    assert report.added == ["page:a-test-guide"]
    assert [(s.heading, s.level, s.kind) for s in page.sections.all()] == [("First", 2, "prose"), ("Second", 3, "checklist")]


def test_loading_twice_changes_nothing(pack):
    load_pack(pack)
    ids = list(Section.objects.values_list("pk", flat=True))
    report = load_pack(pack)
    assert (report.added, report.updated, report.unchanged) == ([], [], ["page:a-test-guide"])
    assert list(Section.objects.values_list("pk", flat=True)) == ids


def test_a_changed_file_changes_the_page(pack):
    load_pack(pack)
    rewrite(pack, "Plain words.", "Other words.")
    assert load_pack(pack).updated == ["page:a-test-guide"]
    assert "Other words." in Page.objects.get(slug="a-test-guide").sections.first().body


SPANISH = """---
slug: a-test-guide
slug_es: una-guia
title: Una guía
name: Guía
summary: Qué hacer.
status: published
---
## Primero {#first}

<p>Palabras sencillas.</p>

### Segundo {#second .checklist}

<ul>
<li>Haga esto.</li>
</ul>
"""


def test_a_changed_english_file_leaves_the_spanish_standing_and_says_it_is_behind(pack):
    (pack / "pages" / "a-test-guide.es.md").write_text(SPANISH)
    load_pack(pack)
    export_pack(pack)
    rewrite(pack, "Plain words.", "Other words.")
    report = load_pack(pack)
    page = Page.objects.get(slug="a-test-guide")
    assert "page:a-test-guide" in report.updated and not report.kept
    assert [section.body_en for section in page.sections.all()][0] == "<p>Other words.</p>"
    assert [section.heading_es for section in page.sections.all()] == ["Primero", "Segundo"]
    assert [section.body_es for section in page.sections.all()][0] == "<p>Palabras sencillas.</p>"
    assert is_behind_english(page)


def test_a_section_that_leaves_the_english_leaves_the_page(pack):
    load_pack(pack)
    rewrite(pack, "### Second {#second .checklist}\n\n<ul>\n<li>Do this.</li>\n</ul>\n", "")
    load_pack(pack)
    assert [section.anchor for section in Page.objects.get(slug="a-test-guide").sections.all()] == ["first"]


def test_a_page_that_staff_edited_is_kept_and_said(pack, capsys):
    load_pack(pack)
    Section.objects.filter(page__slug="a-test-guide", anchor="first").update(body_en="<p>Staff words.</p>")
    rewrite(pack, "Plain words.", "File words.")
    call_command("load_content", str(pack))
    assert Section.objects.get(page__slug="a-test-guide", anchor="first").body_en == "<p>Staff words.</p>"
    assert "kept page:a-test-guide: staff edited it" in capsys.readouterr().out


def test_a_page_that_staff_made_under_the_same_address_is_kept(pack):
    Page.objects.create(kind="guide", slug="a-test-guide", title_en="Ours", name_en="Ours", summary_en="Ours.")
    assert load_pack(pack).kept == ["page:a-test-guide"]
    assert Page.objects.get(slug="a-test-guide").title_en == "Ours"


def test_what_staff_took_away_stays_away_and_that_is_said(content, capsys):
    term, quote, sign = GlossaryTerm.objects.first(), Testimonial.objects.first(), WarningSign.objects.first()
    taken = {f"term:{term.slug}", f"testimonial:{quote.key}", f"sign:{sign.key}", "spanish:scoliosis"}
    for row in (term, quote, sign):
        row.delete()
    Page.objects.filter(slug="scoliosis").update(slug_es="", status_es="draft", title_es="Mine")
    assert set(load_pack().kept) == taken
    assert Page.objects.get(slug="scoliosis").title_es == "Mine"
    call_command("load_content")
    assert "kept spanish:scoliosis: staff edited it or took it away" in capsys.readouterr().out


def test_a_page_that_was_deleted_comes_back_with_its_spanish(content):
    Page.objects.filter(slug="accessibility").delete()
    assert set(load_pack().added) == {"page:accessibility", "spanish:accessibility"}


@pytest.mark.parametrize(
    ("old", "new", "line", "cause"),
    [
        ("kind: guide", "kind: recipe", 2, "kind"),
        ("title: A test guide", "title:", 4, "title"),
        ("summary: What to do.", "summary: [unclosed", 7, "YAML"),
        ("regions: [whole]", "regions: whole", 7, "must be a list"),
        ("status: published", "status: published\ncolour: red", 9, "unknown key"),
        ("slug: a-test-guide", "slug: another", 3, "must be named"),
        ("## First {#first}", "## First", 10, "heading must look like"),
        ("## First {#first}", "## First {#first .poem}", 10, "unknown section kind"),
        ("{#second .checklist}", "{#first}", 14, "stands twice"),
        ("## First {#first}", "Words before.\n## First {#first}", 10, "before the first"),
        ("status: published", "status: published\nreviewed_by: nobody", 9, "no physician"),
        ("status: published", "status: published\nreviewed_on: soon", 9, "no date"),
        ("status: published", "status: published\nreviewed_on: 2026-02-30", 9, "day is out of range"),
        ("status: published", "status: published\nlinks:\n- {relation: read_next, to: nowhere}", 9, "which is no page"),
        ("status: published", "status: published\nlinks:\n- {relation: cures, to: a-test-guide}", 9, "cures"),
        ("summary: What to do.", "summary:", 6, "summary"),
        ("status: published", "status: published\nfigures:\n- {key: k, title: t, caption: c}", 9, "needs key, title, alt"),
        ("status: published", "status: published\nfigures:\n- {key: k, title: t, alt: '', caption: c}", 9, "alt"),
        ("status: published", "status: published\nreview_state: not_needed", 8, "medical review"),
        ("<p>Plain words.</p>", "<p>Plain words. [NOBODY99]</p>", 12, "cites [NOBODY99]"),
        ("status: published", "status: live", 8, "'live' is not a valid choice"),
    ],
)
def test_a_malformed_file_names_file_line_and_cause_and_loads_nothing(pack, old, new, line, cause):
    before = set(Page.objects.values_list("slug", flat=True))
    (pack / "pages" / "z-good.en.md").write_text(PAGE.replace("a-test-guide", "z-good"))
    path = rewrite(pack, old, new)
    with pytest.raises(PackError) as caught:
        load_pack(pack)
    message = str(caught.value)
    assert message.startswith(f"{path}, line ") and cause in message
    assert abs(int(message.split("line ")[1].split(":")[0]) - line) <= 1
    assert set(Page.objects.values_list("slug", flat=True)) == before


def test_bytes_that_are_no_text_are_refused(pack):
    path = pack / "pages" / "a-test-guide.en.md"
    path.write_bytes(PAGE.encode() + b"\xff\xfe")
    with pytest.raises(PackError, match="not UTF-8"):
        load_pack(pack)


def test_the_command_fails_in_one_line(pack):
    rewrite(pack, "kind: guide", "kind: recipe")
    with pytest.raises(CommandError, match=r"line 2: .*Nothing was loaded"):
        call_command("load_content", str(pack))


def test_a_pack_without_pages_is_refused(tmp_path):
    with pytest.raises(PackError, match="no pages"):
        load_pack(tmp_path)


def test_scripts_and_styles_in_a_file_never_reach_the_database(pack):
    rewrite(
        pack, "<p>Plain words.</p>", '<p style="x" onclick="y">Safe <script>alert(1)</script><a href="javascript:z">link</a></p>'
    )
    load_pack(pack)
    body = Section.objects.get(page__slug="a-test-guide", anchor="first").body_en
    assert body == "<p>Safe <a>link</a></p>"


def test_load_export_load_gives_the_same_bytes(content, tmp_path):
    export_pack(tmp_path / "once")
    shutil.copytree(tmp_path / "once", tmp_path / "again")
    report = load_pack(tmp_path / "again")
    export_pack(tmp_path / "twice")
    assert not report.added and not report.updated and not report.kept
    once, twice = (
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in (tmp_path / "once", tmp_path / "twice")
    )
    assert once == twice


def test_the_projects_own_pack_is_in_the_form_that_export_writes(content, tmp_path):
    export_pack(tmp_path)
    ours = {p.relative_to(FOLDER): p.read_text() for p in FOLDER.rglob("*") if p.is_file()}
    written = {p.relative_to(tmp_path): p.read_text() for p in tmp_path.rglob("*") if p.is_file()}
    assert ours == written


@pytest.mark.parametrize("file", ["clinic.yaml", "physicians.yaml"])
@pytest.mark.parametrize(
    ("hours", "cause"),
    [
        ("day: 0, opens: '08:00', closes: 17:00", "`hours` has 1020; a time stands in quotes, like '17:00'"),
        ("day: 0, opens: '8 a.m.', closes: '17:00'", "`hours` has '8 a.m.'"),
        ("day: 0, opens: '08:00'", "`hours` must list"),
        ("day: 0, opens: '08:00', closes: '17:00', note: lunch", "`hours` must list"),
    ],
)
def test_hours_that_are_not_what_they_seem_are_refused_with_file_and_line(content, tmp_path, file, hours, cause):
    shutil.copy(FOLDER / file, tmp_path)
    path = tmp_path / file
    lines = path.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip() == "hours:")
    place = "location: main, " if file == "physicians.yaml" else ""
    lines[at + 1] = f"{lines[at + 1].partition('-')[0]}- {{{place}{hours}}}"
    path.write_text("\n".join(lines))
    with pytest.raises(PackError) as caught:
        read_pack(tmp_path)
    assert str(caught.value).startswith(f"{path}, line {at + 1}: {cause}")


@pytest.mark.parametrize("file", ["clinic.yaml", "locations.yaml", "physicians.yaml", "testimonials.yaml"])
def test_spanish_words_in_another_shape_than_the_english_are_refused_with_file_and_line(tmp_path, file):
    content = yaml.safe_load((FOLDER / file).read_text())
    first = content.get("clinic") or content[file.removesuffix(".yaml")][0]
    first["spanish"] = "en casa"
    (tmp_path / file).write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(PackError, match=rf"{file}, line \d+: `spanish` must be a mapping"):
        read_pack(tmp_path)


@pytest.mark.parametrize("holidays", ["[{date: 2026-12-25}]", "[2026-12-25]", "Christmas"])
def test_a_holiday_without_its_name_is_refused_with_file_and_line(tmp_path, holidays):
    path = tmp_path / "clinic.yaml"
    text = (FOLDER / "clinic.yaml").read_text()
    path.write_text(re.sub(r"  holidays:\n(  - .*\n)+", f"  holidays: {holidays}\n", text))
    with pytest.raises(PackError, match=r"clinic.yaml, line \d+: `holidays` must"):
        read_pack(tmp_path)


def test_a_page_keeps_its_place_and_stage_through_files_in_both_languages(pack, tmp_path):
    rewrite(pack, "status: published", "status: published\nposition: 3\nstage: Getting ready")
    (pack / "pages" / "a-test-guide.es.md").write_text(SPANISH.replace("status:", "stage: Prepararse\nstatus:"))
    load_pack(pack)
    page = Page.objects.get(slug="a-test-guide")
    assert (page.position, page.stage_en, page.stage_es) == (3, "Getting ready", "Prepararse")
    assert not is_behind_english(page)
    first, again = tmp_path / "first", tmp_path / "again"
    export_pack(first)
    load_pack(first)
    export_pack(again)
    for name in ("a-test-guide.en.md", "a-test-guide.es.md"):
        assert (first / "pages" / name).read_bytes() == (again / "pages" / name).read_bytes()
        assert "stage: " in (again / "pages" / name).read_text()
    english = again / "pages" / "a-test-guide.en.md"
    english.write_text(english.read_text().replace("stage: Getting ready", "stage: Before you come"))
    load_pack(again)
    assert is_behind_english(Page.objects.get(slug="a-test-guide"))


def test_a_place_that_is_no_number_is_refused_with_its_line(pack):
    path = rewrite(pack, "status: published", "status: published\nposition: first")
    with pytest.raises(PackError, match=path.name):
        load_pack(pack)
    assert not Page.objects.filter(slug="a-test-guide").exists()


def test_a_clinic_abroad_says_its_country_in_its_files(pack, tmp_path):
    text = (FOLDER / "clinic.yaml").read_text()
    assert "country:" not in text
    (pack / "clinic.yaml").write_text(text.replace("  postal_code:", "  country: GB\n  postal_code:"))
    load_pack(pack)
    assert Clinic.objects.get().country == "GB"
    export_pack(tmp_path / "back")
    assert "  country: GB\n" in (tmp_path / "back" / "clinic.yaml").read_text()


def test_a_clinic_where_there_are_no_states_has_none_in_its_address(pack, tmp_path, client):
    text = (FOLDER / "clinic.yaml").read_text()
    (pack / "clinic.yaml").write_text(re.sub(r"  state: .*\n", "  state: ''\n", text))
    load_pack(pack)
    clinic = Clinic.objects.get()
    clinic.full_clean()
    assert f"{clinic.city}, {clinic.postal_code}<" in client.get("/").content.decode()
    export_pack(tmp_path / "back")
    assert "  state: ''\n" in (tmp_path / "back" / "clinic.yaml").read_text()
