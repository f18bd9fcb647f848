"""A node's environment: what is missing or wrong is said in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.settings import SettingsError, read

ENOUGH = {"REDIS_URL": "redis://:secret@farm:6379/0", "SHOTFARM_ARTIFACTS": "/mnt/farm"}


def test_broker_and_store_are_enough() -> None:
    settings = read(ENOUGH)

    assert settings.comfyui_url == "http://127.0.0.1:8188"
    assert settings.spool == Path("~/.local/state/shotfarm/spool").expanduser()
    assert (settings.node, settings.gpu, settings.simulated, settings.json_log) == ("", "", False, False)
    assert settings.comfyui_restart == ()


def test_everything_can_be_set() -> None:
    settings = read(
        {
            **ENOUGH,
            "COMFYUI_URL": "http://10.0.0.7:8188/",
            "SHOTFARM_COMFYUI_RESTART": "ssh gpu7 'systemctl restart comfyui'",
            "SHOTFARM_NODE": "render-07",
            "SHOTFARM_SPOOL": "/var/spool/shotfarm",
            "SHOTFARM_GPU": "1",
            "SHOTFARM_SIMULATED": "1",
            "SHOTFARM_LOG": "json",
        }
    )

    assert settings.comfyui_url == "http://10.0.0.7:8188"
    assert settings.comfyui_restart == ("ssh", "gpu7", "systemctl restart comfyui")
    assert (settings.node, settings.gpu, settings.simulated) == ("render-07", "1", True)
    assert settings.json_log


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"REDIS_URL": ""}, "REDIS_URL is not set; set it to the farm's broker"),
        ({"SHOTFARM_ARTIFACTS": ""}, "SHOTFARM_ARTIFACTS is not set; set it to the artifact store"),
        ({"REDIS_URL": "amqp://:secret@farm"}, "REDIS_URL begins with 'amqp'; use one of redis, rediss"),
        ({"COMFYUI_URL": "127.0.0.1:8188"}, "COMFYUI_URL begins with"),
        ({"COMFYUI_URL": "http://:secret@:8188"}, "COMFYUI_URL names no host and port"),
        ({"COMFYUI_URL": "http://user:secret/8188@gpu"}, "COMFYUI_URL names no host and port"),
        (
            {"SHOTFARM_COMFYUI_RESTART": "sh -c 'no end"},
            'SHOTFARM_COMFYUI_RESTART is "sh -c \'no end": No closing',
        ),
        ({"SHOTFARM_MIN_FREE_MB": "1 GB"}, "SHOTFARM_MIN_FREE_MB is '1 GB'; set it to a whole number"),
        ({"SHOTFARM_SIMULATED": "yes"}, "SHOTFARM_SIMULATED is 'yes'; set it to 0 or 1"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_set(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read({**ENOUGH, **change})

    assert str(refusal.value).startswith(sentence)
    assert "secret" not in str(refusal.value)


def test_the_brokers_password_is_not_shown() -> None:
    assert "secret" not in repr(read(ENOUGH))


def test_the_key_of_api_nodes_is_read_from_a_file_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "comfy.key"
    file.write_text("comfyui-0123456789abcdef\n")
    settings = read({**ENOUGH, "SHOTFARM_COMFY_API_KEY_FILE": str(file)})
    assert settings.comfy_key == "comfyui-0123456789abcdef"
    assert "0123456789" not in repr(settings)
    assert read(ENOUGH).comfy_key == ""


@pytest.mark.parametrize(
    ("content", "more", "sentence"),
    [
        (None, {}, "SHOTFARM_COMFY_API_KEY_FILE cannot be read"),
        ("\n", {}, "which begins with no key; write it there"),
        ("k", {"SHOTFARM_COMFY_API_KEY": "k"}, "are both set; keep the file"),
    ],
)
def test_a_key_file_that_is_of_no_use_is_named(
    tmp_path: Path, content: str | None, more: dict[str, str], sentence: str
) -> None:
    file = tmp_path / "comfy.key"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=sentence):
        read({**ENOUGH, "SHOTFARM_COMFY_API_KEY_FILE": str(file), **more})
