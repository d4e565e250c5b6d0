"""Make every stored request be found again under a new SEARCH_KEY."""

from intake.rotation import rebuild_search_keys

from . import reencrypt


class Command(reencrypt.Command):
    """When SEARCH_KEY is lost or to be changed: set a new one, stop the site, start this, start the site, wait for its end."""

    help = __doc__
    work = staticmethod(rebuild_search_keys)
    changed = "made to be found again"
    left = "have answers that no key opens, listed above; search finds them by the others alone."
    finished = "Every request is found under SEARCH_KEY."
