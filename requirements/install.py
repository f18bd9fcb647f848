"""Make a virtual environment and put a lock file's packages into it: once per content of the lock.

    python3 requirements/install.py .venv requirements.txt

Needs Python 3.11 and nothing else. Where Debian's python3-venv is missing (no ensurepip), pip itself
comes from the package index, checked against a hash written below. pip's own settings (``PIP_*``
variables, pip.conf) hold; fetching pip looks at ``PIP_INDEX_URL`` and ``PIP_CERT`` only.

A lock that has uv in it is installed by uv, in a fraction of pip's time: pip fetches it by the lock's hash,
and it is told what pip is told. Where pip is told what uv does not know, or uv fails, pip installs all.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.request
import venv
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urldefrag, urljoin

OLDEST = (3, 11)
PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
PYPI = "https://pypi.org/simple"
FOR_UV = {
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "extra-index-url": "UV_INDEX",
    "index-url": "UV_DEFAULT_INDEX",
    "proxy": "ALL_PROXY HTTP_PROXY HTTPS_PROXY",  # the last two would go before the first
    "timeout": "UV_HTTP_TIMEOUT",
    "trusted-host": "UV_INSECURE_HOST",
}
"""pip's settings, and the variables by which uv is told the same."""
NOT_FOR_UV = {
    "config-file",  # pip has read it
    "constraint",  # a lock names one version of each, by its hash
    "disable-pip-version-check",
    "find-links",  # a lock was made from an index
    "no-input",
    "no-color",
    "progress-bar",
    "root-user-action",
}
"""What changes nothing of what a lock brings."""


def main(folder: Path, lock: Path) -> None:
    """Bring ``folder`` to what ``lock`` says; do nothing if it is there already."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python {sys.version.split()[0]} is too old; set PYTHON to a Python 3.11 or newer.")
    stamp = folder / f".installed-{lock.stem}"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    python = folder / "bin" / "python"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if not _has_pip(python):
        sys.stdout.write(f"Making {folder} …\n")
        venv.create(folder, with_pip=False, symlinks=True)
        _bootstrap_pip(python)
    sys.stdout.write(f"Installing {lock} into {folder} …\n")
    sys.stdout.flush()
    for old in folder.glob(".installed-*"):
        old.unlink()  # another lock's packages may be replaced now
    if not _install_by_uv(python, lock):
        _install_by_pip(python, lock)
    _compile(python, folder / "lib")
    stamp.write_text(wanted)


def _install_by_pip(python: Path, lock: Path) -> None:
    install = [*_pip(python), "install", "--quiet", "--no-deps", "--require-hashes", "--no-compile"]
    _run([*install, "-r", str(lock)])


def _install_by_uv(python: Path, lock: Path) -> bool:
    """Tell whether all is there now."""
    pinned = re.search(r"^uv==(?:.*\\\n)*.*\n", lock.read_text(), re.MULTILINE)
    if pinned is None:
        return False
    told = _settings_of_pip(python)
    if not told.keys() <= FOR_UV.keys() | NOT_FOR_UV:
        return False
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / "uv.txt"
        alone.write_text(pinned[0])
        _install_by_pip(python, alone)
    install = ["pip", "install", "--python", str(python), "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run(
        [str(python.with_name("uv")), *install, "--index-strategy", "unsafe-best-match", "-r", str(lock)],
        env=os.environ | {to: value for name, value in told.items() for to in FOR_UV.get(name, "").split()},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stdout.write(f"uv could not, so pip installs:\n{done.stderr}")
        sys.stdout.flush()
    return done.returncode == 0


def _settings_of_pip(python: Path) -> Mapping[str, str]:
    """What pip is told, in variables and files, by its names; a setting of several values has spaces.

    An empty one says nothing, as to pip.
    """
    listed = subprocess.run([*_pip(python), "config", "list"], capture_output=True, text=True, check=True)
    told: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        section, _, name = name.rpartition(".")
        if section in told and (values := str(ast.literal_eval(value)).split()):
            told[section][name] = " ".join(values)
    return told["global"] | told["install"] | told[":env:"]


def _has_pip(python: Path) -> bool:
    return python.exists() and _works([*_pip(python), "--version"])


def _bootstrap_pip(python: Path) -> None:
    """Use ensurepip, or where there is none, a pip wheel."""
    if _works([str(python), "-m", "ensurepip", "--default-pip"]):
        return
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / PIP_WHEEL
        wheel.write_bytes(_fetch_pip())
        _run([str(python), str(wheel / "pip"), "install", "--quiet", "--no-index", str(wheel)])


def _fetch_pip() -> bytes:
    index = (os.environ.get("PIP_INDEX_URL") or PYPI).rstrip("/") + "/pip/"
    for link in re.findall(r'href="([^"]+)"', _get(index).decode()):
        address = urldefrag(urljoin(index, link)).url
        if address.endswith("/" + PIP_WHEEL):
            wheel = _get(address)
            if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
                sys.exit(f"{address} is not the file we know (SHA-256 {PIP_SHA256}); nothing was installed.")
            return wheel
    sys.exit(f"{index} does not list {PIP_WHEEL}. Install it yourself: sudo apt-get install -y python3-venv")


def _get(address: str) -> bytes:
    trust = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    try:
        with urllib.request.urlopen(address, timeout=60, context=trust) as answer:
            content: bytes = answer.read()
            return content
    except OSError as exc:
        sys.exit(f"{address} cannot be read: {exc}. Set PIP_INDEX_URL to a package index you can reach.")


def _pip(python: Path) -> list[str]:
    return [str(python), "-m", "pip", "--disable-pip-version-check"]


def _compile(python: Path, packages: Path) -> None:
    """Compile on all cores, which pip does on one. What does not compile is what some package tests with."""
    _works([str(python), "-m", "compileall", "-q", "-j", "0", str(packages)])


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(command: list[str]) -> None:
    code = subprocess.run(command, check=False).returncode
    if code:
        sys.exit(f"{' '.join(command)} failed with status {code}; see above.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
