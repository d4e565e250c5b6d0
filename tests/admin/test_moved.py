"""An address once given out goes on leading to its page, in both languages, whatever editors rename."""

import pytest
from django.utils.translation import override

from conditions.models import SPANISH, FormerAddress, Kind, Page, Status
from conditions.readiness import Site, problems_of
from tests.admin.addresses import text_of
from tests.admin.forms import form_values

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("content")]


@pytest.fixture
def rename(editor, due_clinic):
    """Changes fields of a page in its change form, as an editor does; the second is over in which visitors may see the old one."""

    def act(page, **changes):
        form = f"/admin/conditions/{page.kind}/{page.pk}/change/"
        answer = editor.post(form, form_values(editor.get(form)) | changes)
        assert answer.status_code == 302, answer.context_data["errors"]
        page.refresh_from_db()
        due_clinic()

    return act


@pytest.fixture
def kyphosis():
    return Page.objects.get(slug="kyphosis")


def leads_to(client, path, target):
    answer = client.get(path)
    return (answer.status_code, answer.headers.get("Location")) == (301, target)


def test_a_renamed_page_is_reached_by_its_old_address_without_the_query(client, rename, kyphosis):
    rename(kyphosis, slug="rounded-back")
    assert client.get("/conditions/rounded-back/").status_code == 200
    assert leads_to(client, "/conditions/kyphosis/?utm_source=letter", "/conditions/rounded-back/")


def test_a_renamed_spanish_page_is_reached_by_its_old_address_and_its_english_word(client, rename, kyphosis):
    with override(SPANISH):
        old = kyphosis.get_absolute_url()
    rename(kyphosis, slug="rounded-back", slug_es="espalda-encorvada")
    new = old.replace(old.split("/")[-2], "espalda-encorvada")
    assert leads_to(client, old, new)
    assert leads_to(client, old.replace(old.split("/")[-2], "kyphosis"), new)


def test_a_page_that_changes_its_kind_is_reached_where_it_was(client, kyphosis):
    kyphosis.kind = Kind.SYMPTOM
    kyphosis.save()
    assert leads_to(client, "/conditions/kyphosis/", "/symptoms/kyphosis/")


def test_every_name_a_page_ever_had_leads_straight_to_it_and_back_again_never_loops(client, rename, kyphosis):
    for slug in ("second", "third", "kyphosis"):
        rename(kyphosis, slug=slug)
    assert client.get("/conditions/kyphosis/").status_code == 200
    for slug in ("second", "third"):
        assert leads_to(client, f"/conditions/{slug}/", "/conditions/kyphosis/")
    assert not FormerAddress.objects.filter(slug="kyphosis").exists()


def test_a_new_page_wins_over_the_old_name_of_another(client, rename, kyphosis):
    rename(kyphosis, slug="rounded-back")
    scoliosis = Page.objects.get(slug="scoliosis")
    rename(scoliosis, slug="kyphosis")
    answer = client.get("/conditions/kyphosis/")
    assert answer.status_code == 200 and scoliosis.title in answer.content.decode()
    assert leads_to(client, "/conditions/scoliosis/", "/conditions/kyphosis/")
    rename(scoliosis, slug="sideways-curve")
    assert leads_to(client, "/conditions/kyphosis/", "/conditions/sideways-curve/")


def test_a_packet_is_had_by_the_old_name_of_its_guide(client, rename):
    guide = Page.objects.get(slug="spinal-deformity-packet")
    rename(guide, slug="deformity-packet")
    assert leads_to(client, "/guides/spinal-deformity-packet/", "/guides/deformity-packet/")
    assert leads_to(client, "/guides/spinal-deformity-packet/handout.pdf", "/guides/deformity-packet/handout.pdf")


def test_nothing_leads_to_a_page_that_is_not_published(client, rename, kyphosis):
    rename(kyphosis, slug="rounded-back")
    Page.objects.filter(pk=kyphosis.pk).update(status=Status.DRAFT)
    assert client.get("/conditions/kyphosis/").status_code == 404


def test_names_of_a_page_that_was_never_public_are_forgotten(kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(status=Status.DRAFT, status_es=Status.DRAFT, first_published_on=None)
    kyphosis.refresh_from_db()
    kyphosis.slug = "working-title"
    kyphosis.save()
    assert not FormerAddress.objects.exists()


def test_a_page_renamed_while_it_is_off_the_site_is_still_reached_afterwards(client, rename, kyphosis):
    Page.objects.filter(pk=kyphosis.pk).update(status=Status.DRAFT)
    rename(kyphosis, slug="rounded-back")
    Page.objects.filter(pk=kyphosis.pk).update(status=Status.PUBLISHED)
    assert leads_to(client, "/conditions/kyphosis/", "/conditions/rounded-back/")


def test_editors_see_and_add_addresses_that_lead_to_a_page(client, rename, kyphosis):
    added = {"language": "en", "kind": "notice", "slug": "hunched-back", "id": "", "page": str(kyphosis.pk)}
    form = {f"former_addresses-0-{name}": value for name, value in added.items()}
    rename(kyphosis, **form, **{"former_addresses-TOTAL_FORMS": "1"})
    assert leads_to(client, "/hunched-back/", "/conditions/kyphosis/")


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("procedure", {"slug": "compare"}, "slug"),
        ("procedure", {"slug": "new-name", "slug_es": "comparar"}, "slug_es"),
        ("notice", {"slug": "glossary"}, "slug"),
        ("notice", {"slug": "es"}, "slug"),
        ("notice", {"slug": "static"}, "slug"),
    ],
)
def test_an_address_of_the_site_itself_is_refused_beside_its_field(editor, kind, changes, field):
    form = f"/admin/conditions/{kind}/add/"
    answer = editor.post(form, form_values(editor.get(form)) | {"title_en": "A title", "name_en": "Name"} | changes)
    assert answer.status_code == 200
    errors = answer.context_data["adminform"].form.errors
    assert errors == {field: ["The site itself has something at this address. Choose another."]}
    assert not Page.objects.filter(name_en="Name").exists()


def test_the_word_compare_is_no_page_of_the_site_elsewhere(rename, kyphosis, client):
    rename(kyphosis, slug="compare")
    assert client.get("/conditions/compare/").status_code == 200


def test_the_history_tells_which_address_a_page_left(editor, rename, kyphosis):
    rename(kyphosis, slug="rounded-back")
    newest = kyphosis.revisions.first()
    text = text_of(editor.get(f"/admin/conditions/condition/{kyphosis.pk}/history/{newest.pk}/"))
    assert "Former addresses [added: kyphosis end]" in text


def test_a_moved_page_costs_no_more_queries_than_any_other(client, rename, kyphosis, django_assert_max_num_queries):
    rename(kyphosis, slug="rounded-back")
    client.get("/conditions/rounded-back/")
    with django_assert_max_num_queries(12):
        client.get("/conditions/kyphosis/")


def test_links_inside_texts_go_on_working_in_each_language(client, rename, kyphosis):
    rename(kyphosis, slug="rounded-back")
    assert b'href="/conditions/kyphosis/"' in client.get("/procedures/spinal-fusion/").content
    with override(SPANISH):
        spanish = kyphosis.get_absolute_url()
    html = client.get("/es/procedimientos/fusion-vertebral/").content.decode()
    assert f'href="{spanish}"' in html and "/conditions/kyphosis/" not in html
    fusion = Page.objects.get(slug="spinal-fusion")
    assert not [problem for problem in problems_of(fusion, Site.now()) if problem.rule == "links_lead_somewhere"]
