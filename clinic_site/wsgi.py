"""Server entry point. Refuses to serve from an unsafe or unfinished installation."""

import os

import django
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_site.settings")
django.setup(set_prefix=False)

from clinic_site.checks import refuse_unready_start  # noqa: E402  (needs the loaded applications)

refuse_unready_start()
application = get_wsgi_application()
