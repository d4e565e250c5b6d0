"""Server entry point. Refuses to serve from an unsafe or unfinished installation."""

import os

import django
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_site.settings")
django.setup(set_prefix=False)

from clinic_site.checks import refuse_unready_start  # noqa: E402  (needs the loaded applications)

refuse_unready_start()
application = get_wsgi_application()

from django.conf import settings  # noqa: E402

from clinic_site.brand import with_addresses  # noqa: E402
from clinic_site.page_cache import warm  # noqa: E402
from conditions.addresses import public_paths  # noqa: E402

if settings.WARM_PAGES:
    warm(application, with_addresses(public_paths))
