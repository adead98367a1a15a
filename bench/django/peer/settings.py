"""Settings of the peer, a reconstruction of the Django service that this project replaces.

Everything comes from the environment:

    DATABASE_URL   postgres://user:password@host:port/name or sqlite:////path (default: db.sqlite3 here)
    CONN_MAX_AGE   seconds that a database connection is kept; 0, Django's default, opens one per request
    BASIC_API_KEY  the key that clients send (default: the key of the recordings)
    MEDIA_ROOT     directory of uploaded files (default: media here)
    DEBUG          default false

Only the middleware that affects responses is enabled. A service in production has more
(log-in, CSRF, CORS), so measurements of this one flatter Django.
"""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

SECRET_KEY = env("SECRET_KEY", default="only-for-measurements-and-recordings")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = ["*"]
BASIC_API_KEY = env("BASIC_API_KEY", default="peer-key")

# Staff accounts are only stored. Nobody signs in here.
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django_filters",
    "rest_framework",
    "common",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "peer.urls"
WSGI_APPLICATION = "peer.wsgi.application"

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=0)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MEDIA_ROOT = env("MEDIA_ROOT", default=str(BASE_DIR / "media"))

USE_TZ = True
TIME_ZONE = "UTC"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["common.permissions.HasApiKey"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": None,
}
