"""Every workflow: valid, pinned, with the rights that it needs and no more; and what publishes, and from where.

Two public tools judge a file (`make lint` runs them too), and the rules that are ours. Each is shown faults.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())
BIN = Path(sys.executable).parent

# The actions, each with a version and the commit that its tag names. Renew both together.
ACTIONS = {
    "actions/checkout": ("de0fac2e4500dabe0009e67214ff5f5447ce83dd", "v6.0.2"),
    "actions/setup-python": ("a309ff8b426b58ec0e2a45f0f869d46889d02405", "v6.2.0"),
    "actions/upload-pages-artifact": ("7b1f4a764d45c48632c6b24a0339c27f5614fb0b", "v4.0.0"),
    "actions/deploy-pages": ("d6db90164ac5ed86f2b6aed7e0febac5b3c0c03e", "v4.0.5"),
}
RIGHTS = {  # of each job in each file
    "release.yml": {"files": {"contents": "write"}},
    "test.yml": {
        "test": {"contents": "read"},
        "publish": {"pages": "write", "id-token": "write"},
        "colab": {"contents": "write"},
    },
    "full.yml": {"full": {"contents": "read"}},
    "versions.yml": {"try": {"contents": "read"}, "audit": {"contents": "read"}},
}
STARTED_BY = {
    "release.yml": {"release"},
    "test.yml": {"push", "pull_request", "workflow_dispatch"},
    "full.yml": {"schedule", "workflow_dispatch"},
    "versions.yml": {"schedule", "workflow_dispatch", "pull_request"},
}
PUBLISHES = ("actions/upload-pages-artifact", "actions/deploy-pages")
FROM_MAIN = "github.ref == 'refs/heads/main' && github.event_name != 'pull_request'"
TESTED = FROM_MAIN, "test"


def ours(path):
    """What is against our rules."""
    text = path.read_text(encoding="utf-8")
    workflow = yaml.load(text, yaml.BaseLoader)  # which takes the key `on` for a word
    uses = re.findall(r"\buses:\s*(.+)", text)
    lines = {f"{action}@{commit} # {version}" for action, (commit, version) in ACTIONS.items()}
    yield from (f"not one of the pinned actions: {line}" for line in uses if line not in lines)
    jobs = workflow["jobs"]
    if workflow.get("permissions") != {}:
        yield "gives a right to every job"
    if {name: job.get("permissions") for name, job in jobs.items()} != RIGHTS.get(path.name):
        yield "rights of jobs that are not listed here"
    if set(workflow["on"]) != set(STARTED_BY.get(path.name, ())):
        yield "is started by something that is not listed here"
    if re.search(r"\bsecrets\b|continue-on-error", text):
        yield "reads secrets, or goes on after a failure"
    for name, job in jobs.items():
        writes = (job.get("permissions") or {}).get("contents") == "write"
        if writes and (job.get("if"), job.get("needs")) != TESTED and set(workflow["on"]) != {"release"}:
            yield f"{name} writes to the repository what was not tested, or from elsewhere than main"
        steps = job.get("steps", [])
        publishing = [s for s in steps if s.get("uses", "").startswith(PUBLISHES)]
        if publishing and path.name != "test.yml":
            yield f"{name} publishes"
        for step in publishing:
            conditions = {job.get("if"), *re.split(" && (?=github.ref)", step.get("if", ""))}
            if FROM_MAIN not in conditions:
                yield f"{name} publishes from elsewhere than main"
            if step["uses"].startswith("actions/deploy-pages") and job.get("needs") != "test":
                yield f"{name} publishes what was not tested"


def says(program, *arguments):
    """What a tool complains about, or nothing."""
    run = subprocess.run([str(BIN / program), *arguments], capture_output=True, text=True)
    return [] if run.returncode == 0 else [f"{program}: {run.stdout}{run.stderr}"]


def faults(path):
    """All that is wrong with a workflow of valid form."""
    return [*ours(path), *says("zizmor", "--offline", "--quiet", "--no-progress", str(path))]


def test_lint_looks_at_every_workflow():
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1)
    assert "check-jsonschema --quiet --builtin-schema vendor.github-workflows $(wildcard .github/workflows/*)\n" in lint
    assert "zizmor --offline --quiet .github\n" in lint
    assert not list(ROOT.glob(".github/**/zizmor.y*ml")) and not list(
        ROOT.glob("zizmor.y*ml")
    )  # which could silence it


def test_all_workflows_are_listed():
    assert [path.name for path in WORKFLOWS] == sorted(RIGHTS) == sorted(STARTED_BY)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_fault(path):
    assert faults(path) == []
    assert "zizmor: ignore" not in path.read_text(encoding="utf-8")


CHECKOUT, PAGES = ACTIONS["actions/checkout"], ACTIONS["actions/deploy-pages"]
PLANTED = {
    "started by a stranger, with our rights": ("  pull_request:\n", "  pull_request_target:\n", "dangerous-triggers"),
    "credentials kept": ("        with:\n          persist-credentials: false\n", "", "artipacked"),
    "a stranger's text in a shell line": (
        "run: make book",
        'run: echo "${{ github.event.pull_request.title }}"',
        "template-injection",
    ),
    "a right too many": ("      pages: write", "      contents: write\n      pages: write", "rights of jobs"),
    "a right for every job": ("permissions: {}", "permissions:\n  contents: write", "a right to every job"),
    "a commit that is not the version": (f"# {CHECKOUT[1]}", "# v6.0.1", "not one of the pinned"),
    "another commit": (CHECKOUT[0], "0" * 40, "not one of the pinned"),
    "a tag": (f"@{CHECKOUT[0]} # {CHECKOUT[1]}", "@v6", "unpinned-uses"),
    "another action": ("actions/checkout", "stranger/checkout", "not one of the pinned"),
    "published from any branch": (f"    if: {FROM_MAIN}\n", "", "publishes from elsewhere"),
    "kept from any branch": (f"matrix.python == '3.11' && {FROM_MAIN}", "matrix.python == '3.11'", "from elsewhere"),
    "published untested": ("    needs: test\n", "", "publishes what was not tested"),
    "copies of what was not tested": ("Colab\n    needs: test\n", "Colab\n", "writes to the repository what was not"),
    "a failure passed over": ("- run: make test", "- continue-on-error: true\n        run: make test", "a failure"),
}  # fmt: skip


@pytest.mark.parametrize("old, new, said", PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_is_found(old, new, said, tmp_path):
    text = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / ".github/workflows/test.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert said in "\n".join(faults(path))


def test_a_misspelt_key_is_found(tmp_path):
    path = tmp_path / "test.yml"
    text = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    path.write_text(text.replace("timeout-minutes: 45", "timeout-minute: 45"), encoding="utf-8")
    (found,) = says("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path))
    assert "'timeout-minute' was unexpected" in found


def test_once_a_week_all_is_tried():
    full = yaml.safe_load((ROOT / ".github/workflows/full.yml").read_text(encoding="utf-8"))["jobs"]["full"]
    commands = {step["run"] for step in full["steps"] if "run" in step}
    assert commands == {"make book", "make planted", "make browser", "make stored", "make test-binder"}
    asked = {f"matrix.command == '{row['command']}'" for row in full["strategy"]["matrix"]["include"]}
    assert {step["if"] for step in full["steps"] if "if" in step} == asked and full["env"]["BOOK_IN_FULL"]


def test_a_second_file_that_nobody_has_listed_is_found(tmp_path):
    path = tmp_path / "other.yml"
    path.write_text((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"), encoding="utf-8")
    found = list(ours(path))
    assert "rights of jobs that are not listed here" in found and "publish publishes" in found
