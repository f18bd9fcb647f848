"""Why a delivery did not arrive, in the language of whoever reads it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from apps.common import phrases
from apps.notices.services import addresses, mail, webhook
from apps.notices.words import FAULTS, fault_in_words


def every_fault(settings: Any) -> list[str]:
    settings.MAIL_READY = False
    unset = mail.send("kay@example.com", subject="", text="", message_id="1").error
    settings.MAIL_READY = True
    lost = mail.send("", subject="", text="", message_id="1").error
    name = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return [
        unset,
        lost,
        webhook._fault_of(302),
        webhook._named(TimeoutError(), "https://hooks.example/", 0.0),
        webhook._named(name, "https://hooks.example/", 0.0),
        "whoever this is for may not see it any more",
        str(addresses._refused("hooks.invalid")),
    ]


def test_every_fault_of_the_farms_own_is_said_in_the_readers_language(settings: Any) -> None:
    faults = every_fault(settings)
    said = [FAULTS.say(fault, lambda told: f"<{told}>") for fault in faults]
    assert said == [f"<{fault}>" for fault in faults]


@pytest.mark.parametrize("words", ("HTTP 500", "ConnectionRefusedError: [Errno 111] Connection refused", ""))
def test_what_a_server_said_stays_as_it_is(words: str) -> None:
    assert fault_in_words(words) == words


def test_a_sentence_with_two_facts_keeps_them_apart() -> None:
    known = phrases.Phrases(("%(node)s lacks %(model)s", "gone"))
    assert (
        known.say("gpu-1 lacks a (b).safetensors", lambda told: f"!{told}")
        == "!gpu-1 lacks a (b).safetensors"
    )
    assert known.say("gone\nand more") == "gone\nand more"
