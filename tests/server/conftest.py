"""Real processes for every test of this folder."""

from tests.live import live_template, new_site, site_server, start_server

__all__ = ["live_template", "new_site", "site_server", "start_server"]
