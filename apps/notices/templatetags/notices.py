"""Notices in words, for templates."""

from __future__ import annotations

from django import template

from apps.notices.words import fault_in_words, sentence

register = template.Library()

register.filter("told", sentence)
register.filter("fault", fault_in_words)
