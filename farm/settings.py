"""All settings of the web and coordinator side, from the environment, each read once."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from whitenoise.compress import Compressor

from farm import content_policy, env, logs, unfold_settings

django_stubs_ext.monkeypatch()  # so that ModelForm[Shot] and the like mean something at run time too

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(env.text("SHOTFARM_VAR", str(BASE_DIR / "var")))

DEBUG = env.flag("DJANGO_DEBUG", default=False)
SECRET_KEY = env.text("DJANGO_SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "DJANGO_SECRET_KEY is not set. Set it to 50 random characters: "
            "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    SECRET_KEY = "insecure-and-only-for-DJANGO_DEBUG=1"  # noqa: S105 - refused unless DEBUG

ALLOWED_HOSTS = env.words("SHOTFARM_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.words("SHOTFARM_ORIGINS")

SIMULATED_ALLOWED = env.flag("SHOTFARM_SIMULATED", default=False)
"""Whether simulated nodes may be given jobs. Every take they make is labelled."""

MIN_FREE_BYTES = env.number("SHOTFARM_MIN_FREE_MB", 512, low=0, high=10_000_000) * 1024**2
"""A store that is a folder counts as full when less than this is free: databases and logs live there, too."""
SLATE_FONT = env.file("SHOTFARM_FONT")
"""A font for slates, best one with Hangul; unset: apps/prompts/fonts.py searches."""
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0" if DEBUG else "")
_broker = env.address("REDIS_URL", REDIS_URL)
if _broker.scheme not in {"redis", "rediss", "unix"}:
    raise ImproperlyConfigured(
        f"REDIS_URL is {_broker.scheme or 'not set'!r}; set it to the farm's broker, "
        "such as redis://:password@host:6379/0 (for TLS: rediss://…?ssl_cert_reqs=required)."
    )
logs.hide(SECRET_KEY, *logs.password_in(REDIS_URL), *logs.password_in(env.text("DATABASE_URL", "")))
logs.hide_keys_in(os.environ)
os.environ.setdefault("REDIS_URL", REDIS_URL)  # celeryconfig.py reads it on both sides

ACCEPT_SECONDS = 20.0
"""An order not accepted for this long goes back to READY. A worker claims within milliseconds and waits
10 s for the answer; an order found later is stale, and its claim refused."""
MODEL_LOAD_SECONDS = env.number("SHOTFARM_LOAD_SECONDS", 20, low=0, high=3600)
"""What loading a model costs (WAN 2.2, Qwen-Image: cold less warm render, 23 to 26 s on a 4090): how long the
dispatcher leaves a job to nodes that hold its models."""
LEASE_SECONDS = 30.0
"""An accepted attempt is given up this long after its node's last report (sent every 5 s)."""
OFFLINE_SECONDS = 30.0
SILENCE_SECONDS = 10.0
"""With no word from any node for this long the road is down, not the nodes: leases get one grace."""
BLOCK_FAILURES, BLOCK_JOBS, BLOCK_SECONDS = 3, 2, 5 * 3600.0
"""So many failures of one template in a row on one node, in so many jobs at the least (one job that fails
everywhere is its own fault), keep the pair apart for so long."""
SICK_JOBS = 2
"""A node that fails so many jobs without a success between is SICK."""
PROBE_SECONDS = 60.0
"""A SICK node whose probe failed is asked for another after this long."""
SICK_SECONDS = 600.0
"""A SICK node that knows no probes may try again after this long."""
CANARY_IDLE_SECONDS = 20.0
"""A node that is idle for so long while work waits for its tier is asked whether it hears …"""
CANARY_SECONDS = 20.0
"""… and is DEAF if it does not say so within this long, while it reports …"""
CANARY_EVERY_SECONDS = 60.0
"""… at most once in this time."""
CRASHES_TO_QUARANTINE = 3
PROVE_AFTER_CHANGE = env.flag("SHOTFARM_PROVE_AFTER_CHANGE", default=False)
"""Whether a node renders its golden renders again when its software, or a model of theirs, has changed."""
MIN_PROVE_MINUTES, MAX_PROVE_MINUTES = 2, 10_080
PROVE_MINUTES = env.number("SHOTFARM_PROVE_MINUTES", 60, low=MIN_PROVE_MINUTES, high=MAX_PROVE_MINUTES)
"""A golden render is given up that waited, or rendered, for so long; a node may have its own bound."""

INSTALLED_APPS = [
    "apps.desk",
    "unfold.apps.BasicAppConfig",  # with a site of our own
    "farm.admin_pages.AdminPages",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_filters",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "apps.common",
    "apps.accounts",
    "apps.ledger",
    "apps.projects",
    "apps.nodes",
    "apps.workflows",
    "apps.characters",
    "apps.presets",
    "apps.productions",
    "apps.sheets",
    "apps.prompts",
    "apps.review",
    "apps.materials",
    "apps.renders",
    "apps.folders",
    "apps.recipes",
    "apps.notices",
    "apps.keeping",
]

MIDDLEWARE = [
    "farm.requests.log_requests",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "farm.headers.PermissionsPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.PreferredLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.common.middleware.ProblemPages",
]

ROOT_URLCONF = "farm.urls"
ASGI_APPLICATION = "farm.asgi.application"

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
            ],
        },
    },
]

DATABASES = {"default": env.database("DATABASE_URL", VAR / "shotfarm.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = env.text("SHOTFARM_LANGUAGE", "en")
LANGUAGES = [("en", "English"), ("ko", "한국어")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.text("SHOTFARM_TIME_ZONE", "UTC")
USE_TZ = True
FORMAT_MODULE_PATH = "farm.formats"

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": env.store("SHOTFARM_ARTIFACTS", VAR / "artifacts"),
    "published": env.store_beside("SHOTFARM_PUBLISHED", "SHOTFARM_ARTIFACTS", VAR / "published"),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
"""Source maps are a third of the work of compressing, and only a debugger asks for them."""
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a whole batch ticked in the admin's list of jobs

HTTPS = env.flag("SHOTFARM_HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
_host = next((host.lstrip(".") for host in ALLOWED_HOSTS if host != "*"), "localhost")
FARM_URL = env.site("SHOTFARM_URL", f"{'https' if HTTPS else 'http'}://{_host}")
"""Where people open these pages: links in mails and webhooks begin with it."""
WEBHOOK_PRIVATE = env.flag("SHOTFARM_WEBHOOK_PRIVATE", default=False)
"""Whether webhooks may go to private addresses, such as a chat server inside the studio."""
_mail = env.mail_server("SHOTFARM_SMTP")
MAIL_READY = "EMAIL_HOST" in _mail
logs.hide(_mail.get("EMAIL_HOST_PASSWORD", ""), *logs.password_in(env.text("SHOTFARM_SMTP", "")))
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = _mail.get("EMAIL_TIMEOUT", 10)
DEFAULT_FROM_EMAIL = env.sender("SHOTFARM_MAIL_FROM", needed_by="SHOTFARM_SMTP") or "shotfarm@localhost"
MEDIA_URL_SECONDS = env.number("SHOTFARM_MEDIA_SECONDS", 3600, low=60, high=7 * 24 * 3600)
"""How long the signed address of a picture or clip can be used (at least; see apps.accounts.signatures)."""
ARCHIVE_DAYS = env.number("SHOTFARM_ARCHIVE_DAYS", 7, low=1, high=365)
"""How long the archive of a project lies in the store to be fetched."""
ACTIVITY_DAYS = env.number("SHOTFARM_ACTIVITY_DAYS", 0, low=0, high=36_500)
"""Activity that is older goes, a little every few seconds; 0: it stays for ever."""
if 0 < ACTIVITY_DAYS < 30:
    raise ImproperlyConfigured(
        f"SHOTFARM_ACTIVITY_DAYS is {ACTIVITY_DAYS}; keep at least 30 days, so that mistakes can be undone. "
        "0 keeps everything."
    )
CONTENT_SECURITY_POLICY = {"DIRECTIVES": content_policy.DIRECTIVES}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["apps.common.parsers.BoundedJson"],
    "DEFAULT_RENDERER_CLASSES": ["apps.common.api_versions.TellsVersion"],
    "DEFAULT_FILTER_BACKENDS": ["apps.common.filters.FilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "apps.common.api.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {"login": "10/min"},
    # The address that connects is the address throttled; uvicorn's --proxy-headers puts the client's there.
    "NUM_PROXIES": 0,
    "EXCEPTION_HANDLER": "apps.common.problems.problem_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {
    "SECURE_HASH_ALGORITHM": "hashlib.sha512",
    "AUTH_TOKEN_CHARACTER_LENGTH": 64,
    "TOKEN_TTL": timedelta(days=30),
    "TOKEN_LIMIT_PER_USER": 20,
    "AUTO_REFRESH": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Shotfarm",
    "DESCRIPTION": "Shots rendered by a farm of GPU nodes on ComfyUI. Errors are application/problem+json.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",  # operations are grouped and named by what they are about: shots_list
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.common.api.document_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "JobState": "apps.renders.states.JobState",
        "PromptChannel": "apps.prompts.models.Spoken",
        "PresetChannel": "apps.presets.models.Channel",
        "ImportState": "apps.workflows.states.ImportState",
        "LanguageEnum": [("ko", "한국어"), ("en", "English")],
        "AttemptState": "apps.renders.states.AttemptState",
        "Desired": "apps.nodes.states.Desired",
        "Observed": "apps.nodes.states.Observed",
        "MediaState": "apps.review.states.Media",
        "ReviewState": "apps.review.states.Review",
        "ArtifactRole": "apps.review.models.ArtifactRole",
        "GpuFactSource": "apps.nodes.models.Source",
        "Priority": "apps.renders.models.Priority",
        "Kind": "apps.workflows.models.Kind",
        "PresetRuleKind": "apps.presets.models.RuleKind",
        "PlaylistKind": "apps.review.models.PlaylistKind",
        "MaterialKind": "apps.materials.models.MaterialKind",
        "NoticeKind": "apps.notices.kinds.Kind",
        "NoticeRoad": "apps.notices.models.Road",
        "DeliveryState": "apps.notices.models.DeliveryState",
        "ShotStatus": "apps.productions.states.SHOT.states",
        "ProjectRole": "apps.projects.roles.Role",
        "Stage": "apps.projects.stages.Stage",
        "ArchiveState": "apps.keeping.states.ArchiveState",
        "SheetState": "apps.sheets.states.BatchState",
        "AutomationTrigger": "apps.productions.models.Trigger",
        "AutomationDeed": "apps.productions.models.Deed",
    },
}

UNFOLD = unfold_settings.UNFOLD

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "farm.logs.JsonLines"}, "line": {"()": "farm.logs.WordsAndFacts"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": env.text("SHOTFARM_LOG", "line" if DEBUG else "json"),
        }
    },
    "root": {"handlers": ["stderr"], "level": env.text("SHOTFARM_LOG_LEVEL", "INFO")},
    "loggers": {
        # Uvicorn and Django set up handlers of their own; everything speaks in one form here.
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.error": {"handlers": [], "propagate": True},
        # farm.requests writes the line of a request, with its id and without its query.
        "uvicorn.access": {"handlers": [], "level": "WARNING", "propagate": True},
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
    },
}
