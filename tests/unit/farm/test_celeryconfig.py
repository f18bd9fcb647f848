"""celeryconfig.py serves both sides, so it may import neither. import-linter cannot root it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

CONFIG = Path(__file__).parents[3] / "celeryconfig.py"


def test_celeryconfig_imports_the_standard_library_only() -> None:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(CONFIG.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").partition(".")[0])
    assert modules, "nothing found: the test reads the wrong file"
    assert modules <= sys.stdlib_module_names
