"""The web side's door for an ASGI server."""

import os
from importlib import import_module

from django.core.asgi import get_asgi_application

from farm.handover import Handover
from farm.limits import BodyLimit
from farm.logs import name_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
name_process("web")
application = BodyLimit(Handover(get_asgi_application()))
import_module("farm.urls")  # now, and not while the first visitor waits
