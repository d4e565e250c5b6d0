"""What a site holds, read by a process that has nothing to do with the server. Run in the site's environment: prints JSON."""

import json
import sys

import django


def main():
    """Every stored request, opened, and what belongs to it."""
    django.setup()
    from intake import integrity, spool
    from intake.models import ConsultationRequest

    leads = ConsultationRequest.objects.prefetch_related("notices", "events").order_by("pk")
    found = [
        {
            "marker": lead.message,
            "reference": lead.reference,
            "notices": sorted(notice.kind for notice in lead.notices.all()),
            "arrivals": sum(event.kind in {"received", "replayed"} for event in lead.events.all()),
        }
        for lead in leads
    ]
    json.dump(
        {"requests": found, "spool": spool.depth(), "disagreements": [str(finding) for finding in integrity.check()]}, sys.stdout
    )


if __name__ == "__main__":
    main()
