#!/usr/bin/env python
"""Django's command line for the site."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic_site.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    if sys.argv[1:2] == ["new_key"]:
        # The settings can't be read before there are keys.
        settings.configure(INSTALLED_APPS=["clinic_site"])
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
