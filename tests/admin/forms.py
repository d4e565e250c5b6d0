"""The form of an admin page as a browser would send it."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """Collects the fields of the page's own form; what is not yet a row (`__prefix__`) is left out."""

    def __init__(self, method):
        super().__init__()
        self.method = method
        self.values = {}
        self.inside = False
        self.field = None  # of a textarea or select that is open
        self.text = []

    def handle_starttag(self, tag, attrs):
        attrs = {name: value or "" for name, value in attrs}
        name = attrs.get("name")
        if tag == "form":
            self.inside = attrs.get("id", "").endswith("_form") and attrs.get("method") == self.method
        elif not self.inside:
            return
        elif tag == "option" and self.field:
            if "selected" in attrs:
                self.values[self.field] = self.values[self.field] or attrs.get("value", "")
        elif not name or "__prefix__" in name or "disabled" in attrs:
            return
        elif tag in ("textarea", "select"):
            self.field, self.text = name, []
            self.values[name] = ""
        elif tag == "input" and attrs.get("type") in ("checkbox", "radio"):
            if "checked" in attrs:
                self.values.setdefault(name, []).append(attrs.get("value", "on"))
        elif tag == "input" and attrs.get("type") != "submit":
            self.values[name] = attrs.get("value", "")

    def handle_data(self, data):
        self.text.append(data)

    def handle_endtag(self, tag):
        if tag == "textarea" and self.field:
            self.values[self.field] = "".join(self.text).removeprefix("\r").removeprefix("\n")
        if tag in ("textarea", "select"):
            self.field = None
        elif tag == "form":
            self.inside = False


def form_values(response, wanted="post"):
    """Names and values of the page's own form."""
    form = Form(wanted)
    form.feed(response.content.decode())
    form.close()
    assert form.values
    return form.values
