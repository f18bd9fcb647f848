"""Notices in words, for templates."""

from __future__ import annotations

from django import template

from apps.notices.words import sentence

register = template.Library()

register.filter("told", sentence)
