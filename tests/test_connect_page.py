"""The page "Connect a supplier in ten minutes" is run as it stands, so that it cannot rot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "connect-a-supplier.md"
_BLOCK = re.compile(r"^```(bash|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "=== block"


def plain(text: str) -> str:
    """Words with single blanks between, whatever the width of the terminal and the quotes."""
    return " ".join(text.replace("\u2018", "'").replace("\u2019", "'").split())


def test_every_command_of_the_page_does_what_the_page_shows(tmp_path: Path):
    """Each line of a text block stands in what the commands above it printed."""
    blocks = _BLOCK.findall(PAGE.read_text("utf-8"))
    script = "set -e\nexec 2>&1\n"
    for number, (kind, text) in enumerate(blocks):
        script += f"echo '{_MARK} {number}'\n{text}" if kind == "bash" else ""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "keten"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipelines.cli "$@"\n')
    command.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("KETEN_", "DAGSTER_"))}
    env |= {"PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "KETEN_AS_OF": "2025-05-01"}
    done = subprocess.run(["bash", "-c", script], cwd=work, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout
    printed = dict(re.findall(rf"{_MARK} (\d+)\n(.*?)(?={_MARK}|\Z)", done.stdout, re.DOTALL))
    shown = [
        (number, line) for number, (kind, text) in enumerate(blocks) if kind == "text" for line in text.splitlines()
    ]
    missing = [line for number, line in shown if plain(line) not in plain(printed[str(number - 1)])]
    assert shown and not missing, f"{missing}\n\n{done.stdout}"


def test_the_page_is_found_from_the_first_page():
    assert "docs/connect-a-supplier.md" in (ROOT / "README.md").read_text("utf-8")
