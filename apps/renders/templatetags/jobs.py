"""The living cells of jobs and batches, for templates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.common.models import StateEvent
from apps.common.show import badge, state_badge
from apps.nodes.gpus import gpu_line, memory_bar, source_badge
from apps.productions.models import Shot
from apps.renders import cells
from apps.renders.holding import use_bar
from apps.renders.jobstory import log_text
from apps.renders.models import Job, RenderBatch
from apps.renders.progress import Tally, tally_cell
from apps.renders.waitwords import clock_text
from apps.renders.words import FAILURES, changes_in_words, reason_in_words, state_label

register = template.Library()

register.simple_tag(gpu_line, name="gpu_facts")
register.simple_tag(memory_bar, name="gpu_memory")
register.simple_tag(source_badge, name="gpu_source")


register.simple_tag(log_text, name="log_lines")
register.simple_tag(use_bar, name="limit_use")
register.filter("at_work", cells.at_work)


@register.filter
def clock(at: datetime | None) -> str:
    """Say when: 14:20 today, else with the date."""
    return clock_text(at) if at else ""


@register.simple_tag
def job_cell(name: str, job: Job) -> SafeString:
    """Draw one living cell of a job."""
    return cells.cell(name, job)


@register.simple_tag
def batch_cell(batch: RenderBatch, tally: Tally) -> SafeString:
    """Draw the living progress of a batch."""
    return tally_cell(batch, tally)


@register.filter
def in_words(reason: str) -> str:
    """Say the reason of an event in the reader's language."""
    return reason_in_words(reason)


@register.filter
def wished(event: StateEvent) -> str:
    """Say what a person's wish changed, in the reader's language; "" for other events."""
    return changes_in_words(event.data)


@register.simple_tag
def state_word(event: StateEvent) -> SafeString:
    """Show the state an event led to."""
    return state_badge(event.to_state, state_label(event.machine, event.to_state))


@register.simple_tag
def follow(jobs: Iterable[Job], batch: RenderBatch | None = None, more: str = "") -> SafeString:
    """Keep the state, node and take cells of these jobs alive, and the batch's progress.

    ``more``: other cells that the page shows.
    """
    open_jobs = [job for job in jobs if cells.is_open(job)]
    return _poll(open_jobs, (*cells.CELLS, *more.split()), [batch] if batch else [])


@register.simple_tag
def follow_newest(shots: Iterable[Shot]) -> SafeString:
    """Keep the newest job of each shot alive."""
    newest = [getattr(shot, "newest", None) for shot in shots]
    return _poll([job for job in newest if job and cells.is_open(job)], ("state",), [])


@register.simple_tag
def follow_batches(batches: Iterable[RenderBatch]) -> SafeString:
    """Keep the progress of open batches alive."""
    return _poll([], (), [batch for batch in batches if getattr(batch, "tally", Tally({})).open])


@register.simple_tag
def failure(failure_class: str) -> SafeString:
    """Say in which class of failure an attempt ended."""
    return badge(FAILURES.get(failure_class, failure_class), "red")


@register.filter
def failure_word(failure_class: str) -> str:
    """Say a class of failure in the reader's language."""
    return str(FAILURES.get(failure_class, failure_class))


def _poll(jobs: list[Job], names: Iterable[str], batches: list[RenderBatch]) -> SafeString:
    """Ask for these cells when news of them comes; nothing, while nothing is open."""
    if not jobs and not batches:
        return SafeString("")
    asked = {
        "cells": ",".join(names),
        "ids": ",".join(str(job.pk) for job in jobs),
        "batches": ",".join(str(batch.pk) for batch in batches),
    }
    address = f"{reverse('desk:live-jobs')}?{urlencode(asked, safe=',')}"
    return format_html(
        '<div hx-get="{}" hx-trigger="news" hx-swap="none" data-news="job waits" data-about="{}"></div>',
        address,
        " ".join(str(row.pk) for row in (*jobs, *batches)),
    )
