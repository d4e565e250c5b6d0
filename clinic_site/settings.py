"""Every setting of the site, read from the environment and closed by default.

`.env.example` explains each variable. An unsafe or unreadable value ends the
process at once with one line that names the variable and says what to set.
"""

import base64
import binascii
import sys
import warnings
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django_prose_editor.config import html_tags
from js_asset import static_lazy
from sentry_sdk.utils import BadDsn, Dsn
from whitenoise.compress import Compressor

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (env_file := env.str("ENV_FILE", default="")) and Path(env_file).is_file():
    environ.Env.read_env(env_file)


def refuse(variable: str, advice: str) -> NoReturn:
    """End the process with one line that names the variable and what to set."""
    sys.exit(f"clinic_site will not start: {variable} {advice}")


def read_bool(variable: str, default: bool) -> bool:
    """An on/off value; anything else but the usual spellings is refused."""
    raw = env.str(variable, default="").strip().lower()
    if not raw:
        return default
    if raw in {"1", "true", "on", "yes"}:
        return True
    if raw in {"0", "false", "off", "no"}:
        return False
    return refuse(variable, "must be one of: on, off, true, false, yes, no, 1, 0.")


def read_int(variable: str, default: int, least: int = 0) -> int:
    """A whole number of `least` or more."""
    raw = env.str(variable, default="").strip()
    if not raw:
        return default
    if not raw.isdecimal() or int(raw) < least:
        refuse(variable, f"must be a whole number of {least} or more, for example {default}.")
    return int(raw)


def read_list(variable: str, default: str = "") -> list[str]:
    """Comma-separated values, without empty ones."""
    return [part.strip() for part in env.str(variable, default=default).split(",") if part.strip()]


# --- where and how the site runs -------------------------------------------------
SITE_MODE = env.str("SITE_MODE", default="production")
if SITE_MODE not in {"production", "local"}:
    refuse("SITE_MODE", "must be production or local.")
PRODUCTION = SITE_MODE == "production"

DEBUG = read_bool("DEBUG", default=False)
if PRODUCTION and DEBUG:
    refuse("DEBUG", "is on. Remove it or set it to off: error pages would show settings and answers.")

SECRET_KEY = env.str("SECRET_KEY", default="")
if len(SECRET_KEY) < 50:
    refuse("SECRET_KEY", "is missing or shorter than 50 characters. Set it to a long random value.")


def read_keys(variable: str) -> list[str]:
    """Fernet keys, newest first; each 32 random bytes in URL-safe base64."""
    keys = read_list(variable)
    if not keys:
        refuse(variable, "is missing. Set it to the output of: python manage.py new_key")
    for key in keys:
        try:
            good = len(base64.urlsafe_b64decode(key.encode())) == 32
        except (binascii.Error, ValueError):
            good = False
        if not good:
            refuse(variable, "holds a malformed key. Set it to the output of: python manage.py new_key")
    return keys


ENCRYPTION_KEYS = read_keys("ENCRYPTION_KEYS")
SEARCH_KEY = read_keys("SEARCH_KEY")[0]
for key in [*ENCRYPTION_KEYS, SEARCH_KEY]:
    if key == SECRET_KEY or key in SECRET_KEY:
        refuse("ENCRYPTION_KEYS", "repeats SECRET_KEY. Make a key of its own: python manage.py new_key")
if SEARCH_KEY in ENCRYPTION_KEYS:
    refuse("SEARCH_KEY", "repeats an encryption key. Make a key of its own: python manage.py new_key")

ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", default="" if PRODUCTION else "localhost,127.0.0.1,[::1]")
if not ALLOWED_HOSTS:
    refuse("ALLOWED_HOSTS", "is missing. Set it to the site's host names, for example www.example.org")
if any("*" in host or host.startswith(".") for host in ALLOWED_HOSTS):
    refuse("ALLOWED_HOSTS", "holds a wildcard. List each host name in full.")

# The public address, used for canonical links, the sitemap and staff notices.
SITE_URL = env.str("SITE_URL", default="https://" + ALLOWED_HOSTS[0]).rstrip("/")
if urlsplit(SITE_URL).scheme not in {"http", "https"} or not urlsplit(SITE_URL).netloc:
    refuse("SITE_URL", "must be the site's full address, for example https://www.example.org")

CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS")
if any(not origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS):
    refuse("CSRF_TRUSTED_ORIGINS", "holds an origin that is not https://. List https:// origins only.")

# How many proxies in front of the site add to X-Forwarded-For. 0 = none is trusted.
TRUSTED_PROXIES = read_int("TRUSTED_PROXIES", default=0)
SECURE_SSL_REDIRECT = read_bool("HTTPS_REDIRECT", default=PRODUCTION)
if PRODUCTION and not SECURE_SSL_REDIRECT and not TRUSTED_PROXIES:
    refuse("HTTPS_REDIRECT", "is off and TRUSTED_PROXIES is 0. Turn it on, or declare the proxy that serves HTTPS.")
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^health/$"]

# --- files and database ------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "media"))).resolve()
SPOOL_DIR = Path(env.str("SPOOL_DIR", default=str(DATA_DIR / "spool"))).resolve()
HANDOUT_DIR = DATA_DIR / "handouts"  # PDFs of published pages; may be emptied at any time
MEDIA_URL = "/media/"

try:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # its warnings quote the address with the password
        DATABASE = env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'clinic.sqlite3'}")
except Exception:  # django-environ raises several kinds; each means the same here
    refuse("DATABASE_URL", "is malformed. Example: postgresql://user:password@host:5432/name")
if DATABASE.get("ENGINE") not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"} or not DATABASE["NAME"]:
    refuse("DATABASE_URL", "must start with sqlite:/// or postgresql:// and name a database.")
DATABASES = {"default": DATABASE}
# One connection a thread, kept open: a new one for each request costs SQLite three disk flushes.
DATABASE["CONN_MAX_AGE"] = None
DATABASE["CONN_HEALTH_CHECKS"] = True
DATABASE["ATOMIC_REQUESTS"] = False
if DATABASE["ENGINE"].endswith("sqlite3"):
    # FULL is what "received" rests on: the answer leaves after the disk has the row.
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": read_int("DATABASE_TIMEOUT", default=5),
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;",
    }
else:
    DATABASE["ENGINE"] = "clinic_site.postgres"
    # What the address asks for, such as ?sslmode=verify-full, holds beside what "received" rests on.
    DATABASE["OPTIONS"] = DATABASE.get("OPTIONS", {}) | {
        "connect_timeout": 3,
        "options": "-c statement_timeout=15000 -c lock_timeout=5000 -c synchronous_commit=on",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- mail --------------------------------------------------------------------------
if PRODUCTION and not env.str("EMAIL_URL", default=""):
    refuse("EMAIL_URL", "is missing. Example: smtp+tls://user:password@mail.example.org:587")
try:
    vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
except Exception:  # as above
    refuse("EMAIL_URL", "is malformed. Example: smtp+tls://user:password@mail.example.org:587")
if PRODUCTION and not vars()["EMAIL_BACKEND"].endswith(("smtp.EmailBackend", "filebased.EmailBackend")):
    refuse("EMAIL_URL", "names no mail server. Example: smtp+tls://user:password@mail.example.org:587")
EMAIL_TIMEOUT = read_int("EMAIL_TIMEOUT", default=15, least=1)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="" if PRODUCTION else "clinic@localhost")
STAFF_NOTICE_EMAIL = read_list("STAFF_NOTICE_EMAIL", default="" if PRODUCTION else "frontdesk@localhost")
if not DEFAULT_FROM_EMAIL:
    refuse("DEFAULT_FROM_EMAIL", "is missing. Set the address that notices are sent from.")
if not STAFF_NOTICE_EMAIL:
    refuse("STAFF_NOTICE_EMAIL", "is missing. Set the address that is told of new requests.")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- the application ---------------------------------------------------------------
# The content pack: the clinic's record, its look and its pages.
CONTENT_PACK = Path(env.str("CONTENT_PACK", default=str(BASE_DIR / "conditions" / "content"))).resolve()
if not (CONTENT_PACK / "pages").is_dir():
    refuse("CONTENT_PACK", "names no content pack. Set it to a folder that holds clinic.yaml and pages/.")

INSTALLED_APPS = [
    "modeltranslation",
    "clinic_site",
    "conditions",
    "intake",
    "clinic_site.staff_site.StaffSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "crispy_forms",
    "csp",
    "axes",
    "django_prose_editor",
    "js_asset",
    "pictures",
]
MIDDLEWARE = [
    "clinic_site.middleware.PathLog",
    "clinic_site.middleware.ClinicTime",
    "clinic_site.middleware.OwnHeaders",
    "clinic_site.middleware.Compression",
    "clinic_site.page_cache.PageCache",
    "clinic_site.middleware.SampleSite",
    "clinic_site.middleware.Integrity",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "intake.middleware.ReceiptStands",
    "clinic_site.middleware.ReadableBody",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "clinic_site.accounts.OwnPasswordFirst",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "clinic_site.urls"
WSGI_APPLICATION = "clinic_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic_site.context_processors.clinic",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
# Our own part of the text editor; what may be stored is decided in conditions/rich_text.py alone.
DJANGO_PROSE_EDITOR_EXTENSIONS = [{"js": [static_lazy("js/admin-passages.js")], "extensions": {"Passages": html_tags([])}}]
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "clinic"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
MODELTRANSLATION_DEFAULT_LANGUAGE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="America/New_York")
USE_I18N = USE_TZ = True
PHONE_REGION = env.str("PHONE_REGION", default="US")

# --- static files ------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))).resolve()
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
# Source maps, for developers of the editor alone, would take longer to compress than all the rest.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]

# --- pictures that staff upload ------------------------------------------------------
PICTURES = {
    "FILE_TYPES": ["AVIF", "WEBP", "JPEG"],
    "BREAKPOINTS": {"s": 640, "m": 992, "l": 1600},
    # Widths are named in `srcset`, so a dense screen asks for a wider file by itself.
    "PIXEL_DENSITIES": [1],
    "USE_PLACEHOLDERS": False,
    "PROCESSOR": "conditions.photos.make_sizes",
}

# --- accounts ----------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "clinic_site.accounts.OwnPassword"},
]
LOGIN_URL = "admin:login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_CLIENT_IP_CALLABLE = "clinic_site.network.client_address"
AXES_DISABLE_ACCESS_LOG = True
SESSION_COOKIE_AGE = 60 * 60 * 10
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# --- headers and cookies -------------------------------------------------------------
SECURE_HSTS_SECONDS = 63_072_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Lax, so that a link from elsewhere neither finds a signed-in nurse signed out nor spoils a form that is open in another tab.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if PRODUCTION:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
CSRF_FAILURE_VIEW = "clinic_site.views.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: []
    for feature in (
        "accelerometer",
        "autoplay",
        "camera",
        "display-capture",
        "encrypted-media",
        "fullscreen",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
        "xr-spatial-tracking",
    )
}

# --- requests ------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
# Whether a starting server renders every public page once, so that all of them outlive the database.
WARM_PAGES = read_bool("WARM_PAGES", default=True)
# Consultation requests a network may send in an hour before it is asked to phone instead.
FLOOD_LIMIT = read_int("FLOOD_LIMIT", default=60, least=1)

# Errors may be reported to a service; only their kind and place, see clinic_site/error_reports.py.
SENTRY_DSN = env.str("SENTRY_DSN", default="")
if SENTRY_DSN:
    try:
        scheme = Dsn(SENTRY_DSN).scheme
    except (BadDsn, ValueError):
        refuse("SENTRY_DSN", "is malformed. Copy the DSN from the settings of your project there.")
    if PRODUCTION and scheme != "https":
        refuse("SENTRY_DSN", "must start with https://")

# --- logs: paths only; no query string, no answer, no exception message ----------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "clinic_site.logs.SafeFormatter", "format": "{asctime} {levelname} {name} {message}", "style": "{"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # Its messages quote the Host header and the Referer; the access line tells of the refusal.
        "django.security": {"level": "CRITICAL"},
        "axes": {"level": "WARNING"},
        # Otherwise a PDF writes some thirty lines about its fonts and steps.
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "WARNING"},
    },
}
