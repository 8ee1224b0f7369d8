"""Rules of the house that a reviewer would otherwise have to remember.

Belongs here: what can be seen in the files themselves. Does not belong here: what the code does, nor what the catalogue
refuses when it loads. Import direction and complexity are held by import-linter and ruff (`make check`).
"""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SQL_ROOT = ROOT / "dbt_like_sql"
ROOMS = ("resources", "assets", "pipelines", "demo")
TEXT = {".py", ".sql", ".yml", ".yaml", ".toml", ".md", ".csv", ".lock", ".txt", ".cfg", ".sh", ".j2", ".css", ""}
SKIPPED = {".git", ".venv", "var", "build", "__pycache__"}
MAX_LINES = 330  # about 300: room for what belongs together

# Written in pieces, so that this file does not hold what it looks for.
FORBIDDEN = {
    "an absolute path of a machine": re.compile(
        # /opt/ketenimpact is where deploy/ puts the product on a server.
        r"(?<![\w./~$}])/(?!opt/ketenimpact)(?:"
        + "|".join(("home", "Users", "root", "work", "opt", "mnt", "tmp"))
        + r")/\w"
        + r"|\b[A-Z]:\\Users"
    ),
    "the address of a package registry": re.compile(
        r"--(?:extra-)?index"
        + r"-url|\bpypi\."
        + r"org|files\.python"
        + r"hosted|registry\.npm"
        + r"js|/simp"
        + r"le/[a-z]"
    ),
    "a mark of unfinished work": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b"),
}


@cache
def _text_files() -> tuple[Path, ...]:
    """Files that are tracked or about to be; in a copy without git, all that tools did not make."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    found = [ROOT / n for n in names if n] or [p for p in ROOT.rglob("*") if not _is_made(p)]
    return tuple(sorted(p for p in found if p.is_file() and p.suffix in TEXT))


def _is_made(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return any(p in SKIPPED or p.endswith((".egg-info", "_cache")) or p == ".hypothesis" for p in parts)


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _python_files() -> list[Path]:
    return [p for p in _text_files() if p.suffix == ".py"]


def _indicators() -> list[Path]:
    """Every indicator by the stem of its files: both halves are looked for, so that neither can be missing."""
    folder = SQL_ROOT / "indicators"
    return sorted({p.with_suffix("") for p in folder.glob("*/*") if p.suffix in (".yml", ".sql")})


def _models() -> list[Path]:
    return sorted(
        {p.with_suffix("") for s in ("ledger", "bi") for p in (SQL_ROOT / s).glob("*") if p.suffix in (".yml", ".sql")}
    )


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_a_docstring_and_no_second_way_in(room: str) -> None:
    tree = ast.parse((ROOT / room / "__init__.py").read_text("utf-8"))
    assert ast.get_docstring(tree), f"{room}/__init__.py: say what belongs in this room and what does not"
    assert len(tree.body) == 1, f"{room}/__init__.py: holds more than its docstring; import from the modules themselves"


@pytest.mark.parametrize("path", _python_files(), ids=_named)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), f"{_named(path)}: begin with a docstring"


@pytest.mark.parametrize("path", [p for p in _python_files() if _named(p).split("/")[0] != "tests"], ids=_named)
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= MAX_LINES, f"{_named(path)}: {lines} lines; split it where it does a second thing"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    hits = [
        f"{_named(path)}:{number}: {line.strip()[:100]}"
        for path in _text_files()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if FORBIDDEN[what].search(line)
    ]
    assert not hits, f"{what}: {hits}"


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("an absolute path of a machine", "x = '/" + "home/anna/keten'"),
        ("an absolute path of a machine", "C:" + r"\Users\anna"),
        ("the address of a package registry", "--index" + "-url https://example.org"),
        ("the address of a package registry", "https://pypi." + "org/project/x"),
        ("a mark of unfinished work", "# TO" + "DO: later"),
    ],
)
def test_the_search_finds_what_it_is_for(what: str, text: str) -> None:
    assert FORBIDDEN[what].search(text)


@pytest.mark.parametrize(
    "text", ["https://example.org/home/x", "$KETEN_HOME/work/x", "./tmp/x", "methods", "data/opt/x"]
)
def test_the_search_leaves_innocent_text_alone(text: str) -> None:
    assert not [what for what, pattern in FORBIDDEN.items() if pattern.search(text)]


@pytest.mark.parametrize("stem", [*_models(), *_indicators()], ids=_named)
def test_a_model_is_two_files_and_tells_its_grain_or_names_its_module(stem: Path) -> None:
    sql, declaration = stem.with_suffix(".sql"), stem.with_suffix(".yml")
    assert declaration.is_file(), f"{_named(declaration)} is missing"
    if maker := re.search(r"^made_by: (\S+)$", declaration.read_text("utf-8"), re.MULTILINE):
        module = ROOT / (maker[1].replace(".", "/") + ".py")
        assert module.is_file(), f"{_named(declaration)}: made_by: {maker[1]} does not exist"
        return
    assert sql.is_file(), f"{_named(sql)} is missing"
    assert sql.read_text("utf-8").startswith("-- Grain: "), f"{_named(sql)}: begin with `-- Grain: one row per ...`"


@pytest.mark.parametrize("stem", _indicators(), ids=_named)
def test_an_indicator_has_a_golden_case(stem: Path) -> None:
    case = ROOT / "tests" / "golden" / f"{stem.name}.yml"
    assert case.is_file(), f"{_named(case)} is missing: write input rows and the value they must give"


@pytest.mark.parametrize("path", [p for p in _text_files() if p.suffix == ".md"], ids=_named)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", path.read_text("utf-8"))
    for target, heading in links:
        page = (path.parent / target).resolve() if target else path
        assert page.exists(), f"{_named(path)}: {target} does not exist"
        if heading:
            titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", t).lower().replace(" ", "-") for t in titles}, (
                f"{_named(path)}: #{heading}"
            )


@pytest.mark.parametrize("stem", [s for s in _models() if s.parent.name == "bi"], ids=_named)
def test_a_published_table_is_in_the_list_that_bi_developers_read(stem: Path) -> None:
    page = (ROOT / "docs" / "how-it-works.md").read_text("utf-8")
    listed = page[page.index("## What BI reads") :]
    assert f"`{stem.name}`" in listed, f"docs/how-it-works.md: say what one row of {stem.name} is"
