"""Why a demo cannot go on."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot start or go on; the message says why and what to do. Exit status 1."""


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""
