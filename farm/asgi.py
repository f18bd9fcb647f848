"""The web side's door for an ASGI server."""

import os

from django.core.asgi import get_asgi_application

from farm.logs import name_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
name_process("web")
application = get_asgi_application()
