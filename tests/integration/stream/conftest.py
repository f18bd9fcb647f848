"""A web side that hears of changes through a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from knox.models import AuthToken
from pytest_django import Settings

from apps.accounts.models import User
from apps.common import news
from tests.broker_fixture import Broker
from tests.integration.stream.ears import Ear, House

Listen = Callable[..., Ear]


@pytest.fixture
def house(
    transactional_db: None, broker: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """A web process, in which nothing went untold before."""
    settings.REDIS_URL = broker.url
    monkeypatch.setattr(news, "_post", news._Post())
    made = House()
    yield made
    assert news.all_told(10)
    made.close()


@pytest.fixture
def listen(house: House) -> Listen:
    """Let somebody listen with a token of their own; it is greeted already."""

    def begin(person: User, *, after: str = "") -> Ear:
        _row, secret = AuthToken.objects.create(user=person)
        headers = {"Authorization": f"Token {secret}", **({"Last-Event-ID": after} if after else {})}
        ear = house.listen(headers)
        assert ear.status.result() == 200
        return ear

    return begin
