"""Whose inbox holds what, and whose subscriptions are whose."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.notices.models import Delivery, Notice, Subscription
from apps.projects.roles import Act
from apps.projects.selectors import Person, projects_for


def inbox_of(person: Person) -> QuerySet[Notice]:
    """A person's notices, but those of projects they do not see any more."""
    if isinstance(person, AnonymousUser):
        return Notice.objects.none()
    rows = Notice.objects.filter(recipient=person)
    if person.is_superuser:
        return rows
    return rows.filter(Q(project__isnull=True) | Q(project__in=projects_for(person)))


def unread_count(person: Person) -> int:
    """How many of them are unread; one query."""
    return inbox_of(person).filter(read_at__isnull=True).count()


def subscriptions_of(person: Person) -> QuerySet[Subscription]:
    """A person's own, and the channels of projects they manage; a superuser's: every channel."""
    if not isinstance(person, User):
        return Subscription.objects.none()
    channels = Q(owner__isnull=True)
    if not person.is_superuser:
        channels &= Q(project__in=projects_for(person, Act.MANAGE))
    return Subscription.objects.filter(Q(owner=person) | channels)


def deliveries_of(person: Person) -> QuerySet[Delivery]:
    """What went out by a person's subscriptions."""
    return Delivery.objects.filter(subscription__in=subscriptions_of(person))
