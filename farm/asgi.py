"""The web side's door for an ASGI server."""

import os

from django.core.asgi import get_asgi_application

from farm.limits import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
application = BodyLimit(get_asgi_application())
