"""Where the staff pages about requests are, and small ways to read them."""

import re
from html import unescape

from django.contrib.messages import get_messages
from django.urls import reverse

QUEUE = "/admin/intake/consultationrequest/"
MARKER = "Zorblaxia"


def url(name, *args):
    return reverse(f"admin:intake_consultationrequest_{name}", args=args)


def lead_url(lead):
    return url("change", lead.pk)


def text_of(response):
    html = re.sub(r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.S)
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
    return re.sub(r" ([,.:;])", r"\1", text)


def title_of(response):
    return unescape(re.search(r"<title>(.*?)</title>", response.content.decode(), re.S)[1]).strip()


def messages_of(response):
    """The lines above a page; none where the answer is no page."""
    if not hasattr(response, "context_data"):
        return []
    return [(message.level_tag, str(message)) for message in get_messages(response.wsgi_request)]


def references_in(response):
    return [lead.reference for lead in response.context_data["cl"].result_list]
