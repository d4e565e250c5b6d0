"""Every address of the site."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path, re_path
from django.utils.translation import gettext_lazy as _

from conditions.sitemaps import SITEMAPS

from . import brand, views
from .health import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("sitemap.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
    path("robots.txt", views.robots, name="robots"),
    path("site.webmanifest", views.manifest, name="manifest"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("brand/<slug:digest>/theme.css", brand.sheet, name="brand_sheet"),
    re_path(r"^brand/(?P<digest>[0-9a-f]{16})/(?P<key>[\w-]+)\.(?P<format>svg|png|woff2)$", brand.file, name="brand_file"),
    path("health/", health, name="health"),
    re_path(r"^media/(?P<path>.+)$", views.media, name="media"),
]
# English stands at the top, Spanish under /es/ with addresses of its own.
urlpatterns += i18n_patterns(
    path(_("consultation/"), include("intake.urls")),
    path("", include("conditions.urls")),
    prefix_default_language=False,
)

handler400 = "clinic_site.views.bad_request"
handler403 = "clinic_site.views.permission_denied"
handler404 = "clinic_site.views.page_not_found"
handler500 = "clinic_site.views.server_error"
