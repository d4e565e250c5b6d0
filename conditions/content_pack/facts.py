"""The facts of a procedure in a page's front matter: `facts:`, one line for each, in English and in Spanish."""

from conditions.models import Kind, Page, ProcedureFacts

from .files import Data, Item, save


def read_facts(item: Item, front: Data) -> Data | None:
    """The facts that a file gives; None where it gives none. Raises PackError for a fact that is missing or unknown."""
    given = front.get("facts")
    if given is None:
        return None
    if not isinstance(given, dict) or set(given) != set(ProcedureFacts.SHOWN) or not all(given.values()):
        raise item.fail(f"`facts` must give each of: {', '.join(ProcedureFacts.SHOWN)}", "facts")
    return {key: str(given[key]).strip() for key in ProcedureFacts.SHOWN}


def facts_data(page: Page, language: str) -> Data | None:
    """The facts of a page in a language as the pack holds them; None where there are none."""
    facts = getattr(page, "facts", None)
    data = {key: getattr(facts, f"{key}_{language}") or "" for key in ProcedureFacts.SHOWN} if facts else {}
    return data if any(data.values()) else None


def store_facts(item: Item, page: Page, language: str) -> None:
    """Make the facts of a page in a language those of the item. The Spanish stands in the row of the English."""
    facts = ProcedureFacts.objects.filter(page=page).first()
    # Versions of a page from before there were facts have no such entry.
    given = item.data.get("facts")
    if given is None and facts and language == "en":
        facts.delete()
    if given is None or (facts is None and language != "en"):
        return
    if page.kind != Kind.PROCEDURE:
        raise item.fail("only a procedure has `facts`", "facts")
    facts = facts or ProcedureFacts(page=page)
    for key in ProcedureFacts.SHOWN:
        setattr(facts, f"{key}_{language}", given[key])
    save(item, facts, "facts")
