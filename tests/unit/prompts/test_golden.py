"""What the composer writes, to the byte.

To accept new text, raise composer.COMPOSER, run this once with SHOTFARM_WRITE_GOLDEN=1 and read the
difference that git shows.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.prompts.order import ORDERS
from tests.unit.prompts.golden import CASTS, digest, written

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "data" / "prompts"


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("order", ORDERS)
def test_the_fixture_shot_reads_as_its_golden_file_to_the_byte(order: str, cast: str) -> None:
    path = GOLDEN / f"{order}_{cast}.json"
    text = written(order, cast)
    if os.environ.get("SHOTFARM_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", ["1", "4242"])
def test_another_process_with_another_hash_seed_writes_the_same_bytes(seed: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.unit.prompts.golden"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == digest()
