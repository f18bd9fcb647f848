"""The mail server, its sender and the farm's own address, from the environment."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from farm import env


@pytest.mark.parametrize(
    ("raw", "host", "port", "ssl", "tls"),
    [
        ("smtps://farm:p%40ss@mail.example", "mail.example", 465, True, False),
        ("smtp+starttls://farm:p%40ss@mail.example", "mail.example", 587, False, True),
        ("smtp://farm:p%40ss@10.0.0.5:2525", "10.0.0.5", 2525, False, False),
    ],
)
def test_a_mail_server_is_read(
    monkeypatch: pytest.MonkeyPatch, raw: str, host: str, port: int, ssl: bool, tls: bool
) -> None:
    monkeypatch.setenv("MAIL", raw)
    read = env.mail_server("MAIL")
    assert (read["EMAIL_HOST"], read["EMAIL_PORT"]) == (host, port)
    assert (read["EMAIL_HOST_USER"], read["EMAIL_HOST_PASSWORD"]) == ("farm", "p@ss")
    assert (read["EMAIL_USE_SSL"], read["EMAIL_USE_TLS"]) == (ssl, tls)


def test_without_a_mail_server_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIL", raising=False)
    assert env.mail_server("MAIL") == {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}


@pytest.mark.parametrize(
    "raw", ["mail.example", "imap://mail.example", "smtp://", "smtp://user:se/cret@host:25"]
)
def test_a_wrong_mail_server_stops_the_start_and_its_password_is_not_told(
    monkeypatch: pytest.MonkeyPatch, raw: str
) -> None:
    monkeypatch.setenv("MAIL", raw)
    with pytest.raises(ImproperlyConfigured, match=r"^MAIL ") as refused:
        env.mail_server("MAIL")
    assert "cret" not in str(refused.value)


@pytest.mark.parametrize("raw", ["", "the farm"])
def test_a_mail_server_needs_a_sender(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("MAIL", "smtp://mail.example")
    monkeypatch.setenv("FROM", raw)
    with pytest.raises(ImproperlyConfigured, match=r"^FROM is .*; MAIL is set, so set it to"):
        env.sender("FROM", needed_by="MAIL")
    monkeypatch.setenv("FROM", "farm@studio.example")
    assert env.sender("FROM", needed_by="MAIL") == "farm@studio.example"
    monkeypatch.setenv("FROM", "")
    monkeypatch.setenv("MAIL", "")
    assert env.sender("FROM", needed_by="MAIL") == ""


def test_the_farms_own_address_is_read_without_a_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SITE", raising=False)
    assert env.site("SITE", "https://farm.example") == "https://farm.example"
    monkeypatch.setenv("SITE", "https://farm.studio.example:8443/")
    assert env.site("SITE", "https://farm.example") == "https://farm.studio.example:8443"


@pytest.mark.parametrize(
    "raw", ["farm.example", "https://farm.example/admin", "https://", "ftp://farm.example"]
)
def test_a_wrong_address_of_the_farm_stops_the_start(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("SITE", raw)
    with pytest.raises(ImproperlyConfigured, match=r"^SITE is .*; set it to an address such as https://"):
        env.site("SITE", "https://farm.example")
