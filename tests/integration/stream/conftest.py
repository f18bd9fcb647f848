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
    """A web process, in which nothing went untold before.

    What other tests left untold to a broker that was away must not be made up for in this one.
    """
    monkeypatch.setattr(news._post, "_send", lambda told: True)
    monkeypatch.setattr(news, "_post", news._Post())
    settings.REDIS_URL = broker.url
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
