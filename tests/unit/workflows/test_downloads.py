"""Lines to copy that fetch models: they do what they say, and nothing that a name or address wants."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from workflows.downloads import TOOLS, Download, as_rows, as_text

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HUGGING_FACE = "https://huggingface.co/Comfy-Org/flux1-dev/resolve/main/split/ae.safetensors"
AE = Download(folder="vae", name="ae.safetensors", url=HUGGING_FACE, size=len(CONTENT), sha256=SHA256)

HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    "a; touch pwned",
    "a'; touch pwned; '",
    'a" && touch pwned && "',
    "a\ntouch pwned",
    "a\r\ntouch pwned",
    "-o /etc/passwd",
    "../../pwned",
    "/etc/passwd",
    "a\\..\\pwned",
    "\u202egnp.sh",
    "C:pwned",
    "",
)


class Shell:
    """A machine where the tools that fetch are stand-ins: each writes CONTENT, or what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder / "work", folder / "bin"
        self.folder.mkdir()
        self.bin.mkdir()
        self.log = folder / "log"
        self.serves(CONTENT)

    def serves(self, content: bytes) -> None:
        (self.bin / "content").write_bytes(content)
        here = self.bin
        fetch = (
            f'#!/bin/sh\necho "$0 $@" >> {self.log}\nwhile [ "$1" != -o ] && [ "$1" != -O ]; do shift; done\n'
        )
        for tool in ("curl", "wget"):
            self._put(tool, f'{fetch}cat {here}/content > "$2"\n')
        self._put("huggingface-cli", f'#!/bin/sh\necho "$0 $@" >> {self.log}\necho {here}/content\n')

    def _put(self, tool: str, script: str) -> None:
        (self.bin / tool).write_text(script)
        (self.bin / tool).chmod(0o755)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=self.folder,
            env={"PATH": f"{self.bin}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


SHELLS = [tool for tool in TOOLS if tool != "aria2"]


@pytest.mark.parametrize("tool", SHELLS)
def test_the_script_puts_a_file_where_comfyui_looks_for_it(shell: Shell, tool: str) -> None:
    ended = shell.run(as_text([AE], tool, title="all"))
    assert (ended.returncode, shell.files()) == (0, {"models/vae/ae.safetensors": CONTENT}), ended.stderr


@pytest.mark.parametrize("tool", SHELLS)
@pytest.mark.parametrize("wrong", [b"WEIGHTS", b"half"])
def test_a_file_with_another_hash_or_size_never_gets_its_name(shell: Shell, tool: str, wrong: bytes) -> None:
    shell.serves(wrong)
    ended = shell.run(as_text([AE], tool, title="all"))
    assert ended.returncode == 1
    assert "wrong s" in ended.stderr
    assert shell.files() == {}


@pytest.mark.parametrize("tool", SHELLS)
def test_what_is_there_already_is_fetched_only_if_it_is_another(shell: Shell, tool: str) -> None:
    script = as_text([AE, Download(folder="vae", name="any", url=HUGGING_FACE)], tool, title="all")
    vae = shell.folder / "models/vae"
    vae.mkdir(parents=True)
    (vae / "ae.safetensors").write_bytes(b"WEIGHTS")
    (vae / "any").write_bytes(b"mine")
    for _again in range(2):
        assert shell.run(script).returncode == 0
    assert shell.files() == {"models/vae/ae.safetensors": CONTENT, "models/vae/any": b"mine"}
    assert len(shell.log.read_text().splitlines()) == 1


@pytest.mark.parametrize("tool", SHELLS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_addresses_and_notes_run_nothing_and_lead_nowhere(
    shell: Shell, tool: str, text: str
) -> None:
    files = [
        Download(folder="vae", name=text, url=HUGGING_FACE),
        Download(folder=text, name="ae", url=HUGGING_FACE),
        Download(folder="vae", name="ae", url=f"https://example.org/{text}"),
        Download(folder="vae", name="ae", url=f"https://huggingface.co/a/b/resolve/main/{text}"),
        Download(folder="vae", name="ae", url=text, license_note=text, why=text, sha256=text),
    ]
    shell.run(as_text(files, tool, title=text))
    everything = [path for path in shell.folder.parent.rglob("*") if path.name == "pwned"]
    assert not everything
    assert all(name.startswith("models/") for name in shell.files())


@pytest.mark.parametrize("text", HOSTILE)
def test_an_input_file_for_aria2_gains_no_line_by_a_name_or_address(text: str) -> None:
    files = [
        Download(folder="vae", name=text, url=HUGGING_FACE, license_note=text),
        Download(folder="vae", name="ae", url=f"https://example.org/{text}"),
    ]
    lines = as_text(files, "aria2", title=text).split("\n")
    assert all(line.startswith(("#", "https://", "  dir=models/", "  out=")) for line in lines if line)


def test_aria2_is_told_folder_name_and_hash() -> None:
    text = as_text([AE], "aria2", title="all")
    assert f"{HUGGING_FACE}\n  dir=models/vae\n  out=ae.safetensors\n  checksum=sha-256={SHA256}\n" in text


def test_hugging_faces_own_command_is_given_repository_path_and_revision(shell: Shell) -> None:
    shell.run(as_text([AE], "huggingface-cli", title="all"))
    asked = "huggingface-cli download Comfy-Org/flux1-dev split/ae.safetensors --revision main"
    assert asked in shell.log.read_text()


def test_what_lies_elsewhere_is_fetched_by_curl_instead(shell: Shell) -> None:
    elsewhere = Download(folder="vae", name="ae", url="https://example.org/ae")
    shell.run(as_text([elsewhere], "huggingface-cli", title="all"))
    assert shell.files() == {"models/vae/ae": CONTENT}


def test_a_file_nobody_says_where_to_get_is_named_and_left_out() -> None:
    text = as_text([Download(folder="loras", name="gerda.safetensors")], "curl", title="all")
    assert "# loras/gerda.safetensors, size unknown, sha256 unknown" in text
    assert "# left out: nobody says where it is to be had" in text


def test_tools_read_the_same_as_objects() -> None:
    (row,) = as_rows([AE])
    assert (row["path"], row["sha256"], row["problem"]) == ("models/vae/ae.safetensors", SHA256, "")
