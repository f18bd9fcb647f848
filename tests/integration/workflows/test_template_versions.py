"""Which version is rendered: chosen, deprecated, withdrawn; releases leave a person's choice alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.selectors import current_version, offered
from apps.workflows.services import sync_templates
from apps.workflows.services.versions import deprecate, make_current, offer_again, set_offered
from tests.factories import UserFactory
from tests.integration.workflows.test_sync_workflows import with_title

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db: None) -> User:
    made: User = UserFactory.create(username="root", is_superuser=True)
    return made


@pytest.fixture
def versions(db: None) -> tuple[WorkflowTemplateVersion, WorkflowTemplateVersion]:
    """plain_slate as it ships, and a later release of it, which is current."""
    sync_templates()
    first = current_version("plain_slate")
    sync_templates([with_title("Board")])
    return first, current_version("plain_slate")


Both = tuple[WorkflowTemplateVersion, WorkflowTemplateVersion]


def test_an_older_version_made_current_stays_so_after_the_next_release(root: User, versions: Both) -> None:
    first, second = versions
    assert make_current(first, user=root)
    assert not make_current(first, user=root)
    sync_templates([with_title("Board")])
    assert current_version("plain_slate") == first
    sync_templates([with_title("Slate board")])
    assert current_version("plain_slate") == first
    third = second.template.versions.get(number=3)
    make_current(third, user=root)
    sync_templates([with_title("Board")])
    assert current_version("plain_slate") == second


def test_a_deprecated_version_is_not_offered_until_it_is_offered_again(root: User, versions: Both) -> None:
    first, second = versions
    assert deprecate(second, reason="the frame is crooked", user=root)
    assert not deprecate(second, reason="again", user=root)
    assert "plain_slate" not in offered().values_list("slug", flat=True)
    make_current(first, user=root)
    assert current_version("plain_slate") == first
    with pytest.raises(Refused, match="deprecated"):
        make_current(second, user=root)
    assert offer_again(second, user=root)
    assert make_current(second, user=root)


def test_a_deprecation_takes_a_reason_that_its_story_keeps(root: User, versions: Both) -> None:
    with pytest.raises(Refused, match="say why"):
        deprecate(versions[0], reason="  ", user=root)
    deprecate(versions[0], reason="old", user=root)
    (event,) = StateEvent.objects.filter(machine="template_version")
    assert (event.to_state, event.reason, event.actor) == ("deprecated", "old", "root")
    assert event.story == versions[0].template_id


def test_a_withdrawn_template_is_offered_again(root: User, versions: Both) -> None:
    template = versions[0].template
    assert set_offered(template, offered=False, user=root)
    assert not set_offered(template, offered=False, user=root)
    assert "plain_slate" not in offered().values_list("slug", flat=True)
    assert set_offered(template, offered=True, user=root)
    assert current_version("plain_slate") == versions[1]


def test_managing_versions_takes_the_permission(versions: Both) -> None:
    somebody = UserFactory.create(is_staff=True)
    deeds: tuple[Callable[[], bool], ...] = (
        lambda: make_current(versions[0], user=somebody),
        lambda: deprecate(versions[0], reason="x", user=somebody),
        lambda: offer_again(versions[0], user=somebody),
        lambda: set_offered(versions[0].template, offered=False, user=somebody),
    )
    for deed in deeds:
        with pytest.raises(NotAllowed, match=r"workflows\.change_workflowtemplate"):
            deed()
