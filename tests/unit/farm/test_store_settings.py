"""Where the coordinator side keeps its artifacts, and when a disk counts as full."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from farm import env

FOLDER = Path("/var/farm/artifacts")


@pytest.mark.parametrize(
    ("address", "backend", "options"),
    [
        ("", "FileSystemStorage", {"location": str(FOLDER)}),
        ("/mnt/farm", "FileSystemStorage", {"location": "/mnt/farm"}),
        ("file:///mnt/farm", "FileSystemStorage", {"location": "/mnt/farm"}),
        ("s3://films/frost", "ObjectStorage", {"url": "s3://films/frost"}),
    ],
)
def test_an_address_becomes_a_storage(
    monkeypatch: pytest.MonkeyPatch, address: str, backend: str, options: dict[str, str]
) -> None:
    monkeypatch.setenv("STORE", address)
    found = env.store("STORE", FOLDER)
    assert import_string(str(found["BACKEND"])).__name__ == backend
    assert found["OPTIONS"] == options


@pytest.mark.parametrize("address", ["https://farm.studio", "ftp://nas/films"])
def test_an_address_that_only_a_node_could_use_is_refused_with_what_to_set(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("STORE", address)
    with pytest.raises(ImproperlyConfigured, match=r"^STORE begins with .* use a folder or s3://BUCKET"):
        env.store("STORE", FOLDER)


def test_keys_in_the_address_are_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", "s3://AKIA1:hush@films/frost")
    with pytest.raises(ImproperlyConfigured, match=r"^STORE holds keys; leave them out") as refused:
        env.store("STORE", FOLDER)
    assert "hush" not in str(refused.value)


def test_a_number_is_a_whole_number_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.number("FREE", 512, low=0, high=1000) == 512
    monkeypatch.setenv("FREE", " 64 ")
    assert env.number("FREE", 512, low=0, high=1000) == 64
    for wrong in ("-1", "64 MB", "0.5", "²", "1001"):
        monkeypatch.setenv("FREE", wrong)
        with pytest.raises(ImproperlyConfigured, match=r"^FREE is .* a whole number from 0 to 1000"):
            env.number("FREE", 512, low=0, high=1000)
