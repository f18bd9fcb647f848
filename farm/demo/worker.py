"""``celery -A APP worker …`` without Celery's other commands.

    python -m farm.demo.worker APP …

The ``celery`` command loads every command there is, a shell and Flower among them: a third of what a worker
would import at its start, and it uses none of it.
"""

from __future__ import annotations

import sys

from celery.app.utils import find_app
from celery.bin.base import CLIContext
from celery.bin.worker import worker


def main() -> None:
    """Start a worker of the app that the first argument names; the others are those of ``celery worker``."""
    app, *arguments = sys.argv[1:]
    sys.argv[0] = "celery"  # what log lines call a process until it has said its name
    context = CLIContext(app=find_app(app), no_color=False, workdir=None)
    worker.main(args=arguments, prog_name="celery worker", obj=context)


if __name__ == "__main__":
    main()
