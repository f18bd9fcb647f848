"""Make sure that Chromium is on this machine, for the browser tests and the screenshots.

    python3 requirements/browser.py

Where it is missing it comes from the system's packages (Debian and its kin), with a font that has
Hangul. That takes root, or sudo without a password; else it says what to install and fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PACKAGES = ("chromium", "fonts-noto-cjk")
BY_HAND = f"sudo apt-get install -y {' '.join(PACKAGES)}"


def main() -> None:
    """Do nothing where a browser stands already."""
    if any(map(shutil.which, NAMES)):
        return
    if shutil.which("apt-get") is None:
        sys.exit(f"The browser tests need Chromium. Install it so that one of {', '.join(NAMES)} is in PATH.")
    become_root = _root()
    if become_root is None:
        sys.exit(f"The browser tests need Chromium, and you are not root. Install it: {BY_HAND}")
    sys.stdout.write(f"Installing {' '.join(PACKAGES)} …\n")
    sys.stdout.flush()
    apt = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    for step in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        if subprocess.run([*apt, *step], check=False, stdout=subprocess.DEVNULL).returncode:
            sys.exit(f"apt-get {step[0]} failed; see above. Install it yourself: {BY_HAND}")


def _root() -> list[str] | None:
    """Return what to put before a command so that root runs it; None if we may not."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


if __name__ == "__main__":
    main()
