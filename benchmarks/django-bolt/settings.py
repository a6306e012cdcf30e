"""The least that Django needs."""

SECRET_KEY = "only-for-the-benchmark"
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_bolt"]
ROOT_URLCONF = "urls"
USE_TZ = True
LOGGING_CONFIG = None
BOLT_API = ["api:api"]
