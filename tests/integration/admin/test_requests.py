"""Every request has an id, in its answer and in the lines logged for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.test import Client

from farm.logs import facts_of
from farm.requests import HEADER

pytestmark = pytest.mark.django_db


class Facts(logging.Handler):
    """Keeps what each line says."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[tuple[str, dict[str, object]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((record.levelname, facts_of(record)))


@pytest.fixture
def facts() -> Iterator[Facts]:
    handler, logger = Facts(), logging.getLogger("farm.requests")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_request_gets_an_id_and_one_line_without_its_query(client: Client, facts: Facts) -> None:
    answer = client.get("/admin/login/?next=/admin/&sig=hunter2pass")
    ((level, said),) = facts.said
    assert said["request"] == answer[HEADER]
    assert (said["method"], said["path"], said["status"]) == ("GET", "/admin/login/", 200)
    assert "hunter2pass" not in str(said)
    assert level == "INFO"


def test_a_proxys_id_is_taken_and_rubbish_is_not(client: Client) -> None:
    assert client.get("/healthz", headers={HEADER: "from-the-proxy-1"})[HEADER] == "from-the-proxy-1"
    for rubbish in ("short", "x" * 65, "a b c d e f g h", "<script>alert(1)</script>"):
        given = client.get("/healthz", headers={HEADER: rubbish})[HEADER]
        assert given != rubbish
        assert len(given) == 32


def test_probes_of_health_do_not_fill_the_log(client: Client, facts: Facts) -> None:
    client.get("/healthz")
    assert [level for level, _ in facts.said] == ["DEBUG"]


def test_an_id_is_let_go_with_its_request(client: Client, facts: Facts) -> None:
    first, second = (client.get("/healthz")[HEADER] for _ in range(2))
    assert first != second
    assert [said["request"] for _, said in facts.said] == [first, second]
