"""The gate itself: nothing of what must be tested can drop out of it unseen."""

import importlib
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from helpers import unavailable

ROOT = Path(__file__).resolve().parent.parent

# What must be tested. A new file is added here; one that goes, goes here too, with a reason in the commit's message.
TESTS = [
    "benchmarks", "confirmed", "contract", "course", "dark", "datasets", "endurance", "figures", "formulas", "found",
    "functions", "gate", "gradients", "graph", "hard_cases", "inherited_faults", "interrupt", "layers", "losses",
    "network", "nodes", "numbers", "optimizers", "outcomes", "overview", "own_copy", "package", "pages",
    "parent_programs",
    "planted", "playground", "practice", "project", "pytorch_step", "runner", "set_up", "storage", "tools",
    "tuning", "visual", "ways", "workflows",
]  # fmt: skip
IN_THE_BROWSER = [
    "live",
    "controls",
    "pyodide",
    "lab",
    "search",
    "slim",
    "predict",
    "editor",
    "accessible",
    "narrow",
    "paper",
    "offline",
]
ON_THE_SITE = ["site"]

# The tags that a cell may carry. nbval skips or ignores cells by others (nbval-skip, nbval-ignore-output, skip).
TAGS = {
    "hide-input": "the page folds the code; it runs and is compared all the same",
    "hide-output": "the same with what it puts out",
}
SWITCHES_OFF = re.compile(r"^\s*#\s*(NBVAL_|PYTEST_VALIDATE)", re.MULTILINE)

GATE = ["make book", "make test", "make browser"]
PARTS = ["lint", "unit", "verify", "site", "check-site"]


def files():
    """The texts that make up the gate."""
    names = ["Makefile", ".ci/run", ".github/workflows/test.yml", "pyproject.toml", "tools/nbval.cfg"]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names}


def of(names):
    return {f"tests/test_{name}.py" for name in names}


def recipe(makefile, target, folder):
    """What make would run for a target, with its variables filled in; not what `setup` runs."""
    if not shutil.which("make"):
        unavailable("make is not installed")
    path = folder / "Makefile"
    path.write_text(makefile, encoding="utf-8")
    command = ["make", "--dry-run", "--file", str(path), "--old-file", "setup", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.replace("\\\n", "")


def faults(texts, folder):
    """What has dropped out of the gate."""
    makefile, settings = texts["Makefile"], tomllib.loads(texts["pyproject.toml"])["tool"]
    test = re.search(r"^test:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE).group(1)
    if re.findall(r"^\t@\$\(MAKE\) --no-print-directory ([a-z-]+)$", test, re.MULTILINE) != PARTS:
        yield "make test does not run its parts"
    if re.search(r"^\t[@+]*-|\|\| *(true|:)", makefile, re.MULTILINE):
        yield "a failure is passed over in the Makefile"
    unit, verify, browser, site = (recipe(makefile, t, folder) for t in ("unit", "verify", "browser", "check-site"))
    if set(re.findall(r"--ignore=(\S+)", unit)) != of(IN_THE_BROWSER + ON_THE_SITE) or "pytest --cov " not in unit:
        yield "make unit leaves something out"
    if set(re.findall(r"tests/test_\w+\.py", browser)) != of(IN_THE_BROWSER):
        yield "make browser leaves something out"
    if "pytest tests/test_site.py\n" not in site:
        yield "make check-site leaves something out"
    wanted = [
        "pytest --nbval --nbval-current-env --nbval-sanitize-with tools/nbval.cfg -p tools.nbval_figures",
        " notebooks\n",
    ]
    if any(words not in re.sub(r"[ \t]+", " ", verify) for words in wanted):
        yield "make verify does not compare every notebook"
    if any(re.search(r" (-k|-m|--deselect|-x)\b", command.partition("-m pytest")[2]) for command in (unit, verify)):
        yield "tests are chosen"
    script = [line.removeprefix("time ") for line in texts[".ci/run"].splitlines()]
    if [line for line in script if line in GATE] != GATE or not {"set -euo pipefail", "make clean"} <= set(script):
        yield ".ci/run does not run the gate"
    if not re.search(r"^export CI=1\b", texts[".ci/run"], re.MULTILINE):
        yield ".ci/run lets tests be skipped"
    if re.findall(r"^      - run: (make .*)$", texts[".github/workflows/test.yml"], re.MULTILINE) != GATE:
        yield "the workflow does not run the gate"
    coverage = settings["coverage"]
    if coverage["run"] != {"branch": True, "source": ["mlcore"]} or coverage["report"]["fail_under"] != 100:
        yield "the bar of the coverage is not 100, or something is left out of it"
    if set(coverage["report"]) != {"fail_under", "show_missing", "skip_covered"}:
        yield "lines are left out of the coverage"
    pytests = settings["pytest"]["ini_options"]
    if pytests["testpaths"] != ["mlcore", "tests"] or "--doctest-modules" not in pytests["addopts"]:
        yield "docstrings or tests are not looked for"
    if pytests["filterwarnings"][0] != "error" or not pytests["xfail_strict"] or len(pytests["addopts"]) > 3:
        yield "warnings or expected failures are passed over"


def test_nothing_has_dropped_out_of_the_gate(tmp_path):
    assert list(faults(files(), tmp_path)) == []


LIST = "$(addprefix --ignore=,$(BROWSER_TESTS))"
PLANTED = [
    ("Makefile", "\t@$(MAKE) --no-print-directory verify\n", "", "parts"),
    ("Makefile", "\t@$(MAKE) --no-print-directory unit\n", "\t-@$(MAKE) --no-print-directory unit\n", "passed over"),
    ("Makefile", LIST, LIST + " --ignore=tests/test_outcomes.py", "make unit"),
    ("Makefile", "pytest --cov ", "pytest ", "make unit"),
    ("Makefile", "pytest --cov ", "pytest --cov -k easy ", "chosen"),
    ("Makefile", "tests/test_lab.py ", "", "make browser"),
    ("Makefile", "pytest --nbval ", "pytest --nbval-lax ", "make verify"),
    ("Makefile", " -p tools.nbval_figures", "", "make verify"),
    ("Makefile", "loadscope notebooks", "loadscope notebooks/1_3_overview.ipynb", "make verify"),
    ("Makefile", "pytest tests/test_site.py", "pytest tests/test_site.py -k alt", "make check-site"),
    (".ci/run", "make browser\n", "", ".ci/run"),
    (".ci/run", "make test\n", "make test || true\n", ".ci/run"),
    (".ci/run", "set -euo pipefail", "set -uo pipefail", ".ci/run"),
    (".ci/run", "export CI=1", "# CI", "skipped"),
    (".github/workflows/test.yml", "      - run: make test\n", "", "workflow"),
    ("pyproject.toml", "fail_under = 100", "fail_under = 10", "bar"),
    ("pyproject.toml", 'source = ["mlcore"]', 'source = ["mlcore"]\nomit = ["mlcore/nodes.py"]', "bar"),
    ("pyproject.toml", "show_missing = true", 'exclude_also = ["def"]', "lines"),
    ("pyproject.toml", '"--doctest-modules", ', "", "docstrings"),
    ("pyproject.toml", '["error", ', "[", "warnings"),
]


@pytest.mark.parametrize("name, old, new, said", PLANTED)
def test_what_drops_out_is_noticed(name, old, new, said, tmp_path):
    texts = files()
    assert old in texts[name]
    texts[name] = texts[name].replace(old, new)
    assert said in "\n".join(faults(texts, tmp_path))


def test_what_must_be_tested_is_there_and_listed():
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    listed = of(TESTS + IN_THE_BROWSER + ON_THE_SITE)
    assert sorted(listed - found) == [], "tests that are gone"
    assert sorted(found - listed) == [], "tests that this file must list"


def test_no_line_of_the_core_is_left_out_of_the_coverage():
    assert [p.name for p in (ROOT / "mlcore").rglob("*.py") if "pragma: no" in p.read_text(encoding="utf-8")] == []


def unverified(notebook):
    """The cells that nbval may not compare, and why."""
    for cell in notebook["cells"]:
        name, source = cell["id"], "".join(cell["source"])
        yield from (f"{name}: {tag}" for tag in cell["metadata"].get("tags", []) if tag not in TAGS)
        if cell["cell_type"] == "code" and SWITCHES_OFF.search(source):
            yield f"{name}: a comment for nbval"


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_cell_is_compared(path):
    assert list(unverified(json.loads(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "tags, source",
    [(["nbval-skip"], "1"), (["nbval-ignore-output"], "1"), (["raises-exception"], "1"), (["skip"], "1")]
    + [([], "# NBVAL_IGNORE_OUTPUT\n1"), ([], "1\n#PYTEST_VALIDATE_IGNORE_OUTPUT"), ([], "  # NBVAL_SKIP")],
)
def test_a_cell_that_is_not_compared_is_found(tags, source):
    cell = {"id": "a", "cell_type": "code", "source": source, "metadata": {"tags": tags}}
    assert len(list(unverified({"cells": [cell]}))) == 1
    assert not list(unverified({"cells": [cell | {"source": "1", "metadata": {"tags": ["hide-input"]}}]}))


def test_other_versions_are_tried_with_all_that_needs_no_site(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    tool = importlib.import_module("try_versions")
    assert set(tool.LEFT_OUT) == set(IN_THE_BROWSER + ON_THE_SITE)
    assert list(tool.admitted()) == tool.TRIED
    assert all(re.fullmatch(r"[a-z]+>=[\d.]+", requirement) for requirement in tool.admitted().values())


@pytest.mark.parametrize(
    "answer, code, said",
    [
        (
            '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}',
            0,
            "No vulnerability is known in 1 packages.",
        ),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X-1"}]}]}', 1, "a 1: X-1"),
        ('{"dependencies": [{"name": "a", "skip_reason": "not found"}]}', 2, "says nothing about a"),
        ('{"dependencies": []}', 2, "says nothing about any package"),
        ("", 2, "did not answer"),
    ],
)
def test_an_audit_that_was_not_answered_is_none(answer, code, said, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    found, words = importlib.import_module("audit").verdict(answer)
    assert found == code and said in words
