"""The form of an admin page as a browser would send it."""

import html5lib


def form_values(response, wanted="post"):
    """Names and values of the page's own form; what is not yet a row (`__prefix__`) is left out."""
    tree = html5lib.parse(response.content.decode(), namespaceHTMLElements=False)
    form = next(form for form in tree.iter("form") if (form.get("id") or "").endswith("_form") and form.get("method") == wanted)
    values = {}
    for field in form.iter():
        name = field.get("name")
        if not name or "__prefix__" in name or field.get("disabled") is not None:
            continue
        if field.tag == "textarea":
            values[name] = (field.text or "").removeprefix("\n")
        elif field.tag == "select":
            chosen = [option.get("value", "") for option in field.iter("option") if option.get("selected") is not None]
            values[name] = chosen[0] if chosen else ""
        elif field.tag == "input" and field.get("type") in ("checkbox", "radio"):
            if field.get("checked") is not None:
                values.setdefault(name, []).append(field.get("value", "on"))
        elif field.tag == "input" and field.get("type") != "submit":
            values[name] = field.get("value", "")
    return values
