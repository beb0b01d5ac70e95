"""The tools that run and compare notebooks: they must notice what they are there to notice."""

import dataclasses
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
DATA = "figure-data"
START = "import matplotlib.pyplot as plt\nfrom mlcore.teaching import visual\nvisual.use_style()\n"
DRAW = START + "plt.plot([1, 2])\nplt.show()"
FRAMES = "draw = lambda h: plt.plot([0, h]) and f'A line to {h}.'\nvisual.frames(draw, [0.1 + 0.2, 1], 'h')"


def write(path, *sources, tags=()):
    cells = [new_code_cell(s, id=f"c{i}", metadata={"tags": list(tags)}) for i, s in enumerate(sources)]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def execute(*arguments):
    command = [sys.executable, str(ROOT / "tools/execute_notebooks.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def verify(path):
    """Run nbval as `make verify` does; return its exit code: 0 for equal, 1 for a difference; and what it says."""
    options = [
        "--nbval",
        "--nbval-current-env",
        "--nbval-sanitize-with",
        "tools/nbval.cfg",
        "-p",
        "tools.nbval_figures",
    ]
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", *options, "-p", "no:cacheprovider", str(path)]
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    return run.returncode, run.stdout


def test_two_runs_give_the_same_bytes(tmp_path):
    widget = "from ipywidgets import IntSlider, VBox\nVBox([IntSlider(value=i) for i in range(12)])"
    path = write(tmp_path / "a.ipynb", "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)", widget)
    assert execute(path).returncode == 0
    first = path.read_bytes()
    assert execute(path).stdout.startswith("unchanged")
    assert path.read_bytes() == first
    assert b"IntSlider" in first


def test_a_failing_notebook_is_left_as_it_was(tmp_path):
    path = write(tmp_path / "a.ipynb", "print(1)", "1 / 0")
    before = path.read_bytes()
    run = execute(path)
    assert run.returncode == 1
    assert "ZeroDivisionError" in run.stdout
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.ipynb"]


def test_an_expected_error_is_stored(tmp_path):
    path = write(tmp_path / "a.ipynb", "1 / 0", tags=["raises-exception"])
    assert execute(path).returncode == 0
    assert "ZeroDivisionError" in path.read_text()


def test_checking_tells_and_writes_nothing(tmp_path):
    path = write(tmp_path / "a.ipynb", "print(1)")
    before = path.read_bytes()
    run = execute("--check", path)
    assert (run.returncode, run.stdout.split()[0]) == (1, "DIFFERS")
    assert path.read_bytes() == before


@pytest.fixture(scope="module")
def drawing(tmp_path_factory):
    """A notebook whose stored output is text, a drawing, and drawings among frames with a slider."""
    path = write(tmp_path_factory.mktemp("drawing") / "a.ipynb", f"print(0.1 + 0.2)\n{DRAW}\n{FRAMES}")
    assert execute(path).returncode == 0
    return path


def picture(outputs):
    return next(output for output in outputs if "image/svg+xml" in output.get("data", {}))


def in_the_frames(outputs, old, new):
    """Change what shows the frames, but not their plain text."""
    (data,) = (output["data"] for output in outputs if "text/html" in output.get("data", {}))
    data["text/html"] = "".join(data["text/html"]).replace(old, new)


def nothing(outputs):
    pass


def in_the_data(output, old, new):
    output["metadata"][DATA] = [line.replace(old, new) for line in output["metadata"][DATA]]


def drawn_elsewhere(outputs):
    """Another version of Matplotlib draws the same in other lines."""
    for output in outputs:
        if DATA in output.get("metadata", {}):
            in_the_data(output, "Matplotlib ", "Matplotlib 0.")
    data = picture(outputs)["data"]
    data["image/svg+xml"] = "".join(data["image/svg+xml"]).replace("stroke-width", "stroke-dashoffset")
    in_the_frames(outputs, "stroke-width", "stroke-dashoffset")


def another_drawing(outputs):
    data = picture(outputs)["data"]
    data["image/svg+xml"] = "".join(data["image/svg+xml"]).replace("stroke-width", "stroke-dashoffset")


def another_drawing_in_a_frame(outputs):
    in_the_frames(outputs, "stroke-width", "stroke-dashoffset")


def other_data(outputs):
    in_the_data(picture(outputs), "y 0.0455 0.9545", "y 0.0455 0.9445")


def other_data_of_a_frame(outputs):
    (frames,) = (output for output in outputs if "text/html" in output.get("data", {}))
    in_the_data(frames, "limits", "limits 1")


def no_data(outputs):
    del picture(outputs)["metadata"][DATA]


def another_digit(outputs):
    outputs[0]["text"] = ["0.30000000000000003\n"]


def no_drawing(outputs):
    outputs.remove(picture(outputs))


def another_text_of_a_frame(outputs):
    in_the_frames(outputs, 'alt="A line to 1."', 'alt="A line to 2."')


def no_drawing_in_a_frame(outputs):
    in_the_frames(outputs, "data:image/svg+xml", "data:none")


PICTURES = int(sys.platform == "linux")  # only there pictures are compared, besides what they show
CHANGES = [
    (nothing, 0, ""),
    (drawn_elsewhere, 0, ""),
    (
        another_drawing,
        PICTURES,
        "cell c0: the figure differs: figure 1: picture 1 that is stored is not",
    ),
    (another_drawing_in_a_frame, PICTURES, "figure 2: picture 1 that is stored is not drawn from these data"),
    (other_data, 1, "axes 1: line #0072b2 -, 2 points"),
    (other_data_of_a_frame, 1, "figure 2: frame 1, stored: axes 1: x axis '', linear, limits 1"),
    (no_data, 1, "figure 1: what it shows is not stored"),
    (another_digit, 1, "mismatch 'stdout'"),
    (no_drawing, 1, "the figure differs"),
    (another_text_of_a_frame, 1, "mismatch 'text/html'"),
    (no_drawing_in_a_frame, 1, "the figure differs"),
]


def test_the_comparison_notices_text_data_and_drawings(drawing, tmp_path):
    """All in one run: a cell for each change."""
    notebook = json.loads(drawing.read_text())
    (cell,) = notebook["cells"]
    notebook["cells"] = [cell | {"id": f"c{i}"} for i in range(len(CHANGES))]
    notebook = json.loads(json.dumps(notebook))
    for changed, (how, _, _) in zip(notebook["cells"], CHANGES, strict=True):
        how(changed["outputs"])
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook))
    _, said = verify(path)
    _, *pieces = re.split(r"::Cell (\d+) _+\n", said)
    parts = dict(zip(pieces[::2], pieces[1::2], strict=True))
    for i, (how, code, words) in enumerate(CHANGES):
        assert (str(i) in parts) == bool(code), how.__name__
        assert not code or words.replace("c0", f"c{i}") in parts[str(i)], parts[str(i)]


# -- mutants --

MODULE = '''"""Words."""

def share(x, n=2):
    """More words."""
    if x < 0:
        raise ValueError(f"x must be at least 0; got {x + 1}")
    return x / n
'''


def load_tool(name, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module(name)


def test_a_mutant_changes_one_thing_and_no_words(tmp_path, monkeypatch):
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    mutants = list(load_tool("mutants", monkeypatch).mutants_of(path))
    expected = ["2 → 3", "2 → 1", "x < 0 → True", "x < 0 → False", "x < 0 → x <= 0", "0 → 1", "0 → -1"]
    expected += ["removed", "ValueError → TypeError", "removed", "x / n → x * n"]
    assert sorted(m.change for m in mutants) == sorted(expected)
    assert len({m.text for m in mutants}) == len({m.key for m in mutants}) == len(expected)
    for mutant in mutants:
        assert mutant.function == "share" and mutant.source in MODULE
        namespace = {}
        exec(mutant.text, namespace)
        assert namespace["share"].__doc__ == "More words."


def test_a_mutant_is_known_again_when_lines_move(tmp_path, monkeypatch):
    mutants_of = load_tool("mutants", monkeypatch).mutants_of
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    before = [(m.key, m.digest) for m in mutants_of(path)]
    path.write_text(MODULE.replace("\n\n", "\n\n# A comment\n\n", 1))
    assert [(m.key, m.digest) for m in mutants_of(path)] == before


def test_a_mutant_knows_the_lines_of_its_statement(tmp_path, monkeypatch):
    path = tmp_path / "module.py"
    path.write_text("limit = 3\n\ndef f(x):\n    if x > limit and (\n        x > 5\n    ):\n        return x + 1\n")
    found = {(m.change, tuple(m.lines)) for m in load_tool("mutants", monkeypatch).mutants_of(path)}
    assert {("3 → 4", ()), ("x > 5 → x >= 5", (4, 5, 6)), ("x + 1 → x - 1", (7,))} <= found


def test_only_the_tests_that_reach_a_line_are_asked_first(tmp_path, monkeypatch):
    mutate = load_tool("mutate", monkeypatch)
    assert mutate.test_of("tests/test_x.py::test_a|run") == "tests/test_x.py::test_a"
    assert mutate.test_of("tests/test_x.py::test_a|setup") == mutate.test_of("") == ""
    items = [SimpleNamespace(nodeid=name) for name in "abc"]
    for others, left in ((False, "b"), (True, "ac")):
        chosen = list(items)
        mutate.Only({"b"}, others).pytest_collection_modifyitems(chosen)
        assert "".join(item.nodeid for item in chosen) == left


def test_reasons_are_kept_and_a_survivor_without_one_is_counted(tmp_path, monkeypatch):
    mutate = load_tool("mutate", monkeypatch)
    (tmp_path / "module.py").write_text(MODULE)
    mutants = list(load_tool("mutants", monkeypatch).mutants_of(tmp_path / "module.py"))
    results = {m.key: {"killer": "a test"} for m in mutants} | {m.key: {"killer": None} for m in mutants[:2]}
    monkeypatch.setattr(mutate, "REPORT", tmp_path / "MUTANTS.md")
    text, score, unexplained = mutate.report(mutants, results)
    assert unexplained == 2 and round(score) == 82
    mutate.REPORT.write_text(text.replace("|  |", "| because a \\| b is c |", 1))
    text, _, unexplained = mutate.report(mutants, results)
    assert unexplained == 1 and "| because a \\| b is c |" in text


def test_a_mutant_of_a_solution_is_handed_to_its_check(monkeypatch):
    tool = load_tool("mutate_exercises", monkeypatch)
    monkeypatch.setattr(tool.practice, "SECONDS", 10)  # which the tool changes
    judged = tool.judge("tanh-layer")
    assert len(judged) > 5 and all(said != "Right." for _, said in judged)
    judged = {(mutant.source, mutant.change): said for mutant, said in tool.judge("three-ways")}
    assert judged['"direct": 2**2,', "2**2 → 2 * 2"] == "Right."
    assert judged['"direct": 2**2,', "2 → 3"].startswith("Not yet: direct: ")
    exercise = tool.practice.exercises()["three-ways"]
    mutant = tool.mutants_of(exercise)[0]
    assert (mutant.module, mutant.function) == ("chain_rule", "three_ways")
    nonsense = dataclasses.replace(mutant, text=b"three_ways = 1 / 0")
    assert tool.verdict(exercise, nonsense) == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("page", ["MUTANTS.md", "MUTANTS_EXERCISES.md"])
def test_every_survivor_has_a_reason(page, monkeypatch):
    mutate = load_tool("mutate", monkeypatch)
    reasons = mutate.known_reasons(ROOT / "tests" / page)
    assert reasons and all(reasons.values())


@pytest.mark.parametrize("page", ["MUTANTS.md", "MUTANTS_EXERCISES.md"])
def test_the_table_of_mutants_adds_up(page):
    text = (ROOT / "tests" / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| \S+ \| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) % \|$", text, re.MULTILINE)
    *counts, total = [tuple(map(int, row[:3])) for row in rows]
    assert tuple(map(sum, zip(*counts, strict=True))) == total and text.count("\n| `") >= total[2]
    for (made, killed, survived), (*_, score) in zip([*counts, total], rows, strict=True):
        assert made == killed + survived and abs(100 * killed / made - float(score)) < 0.051


def test_what_is_to_be_predicted_is_stored_with_its_cell(tmp_path):
    start = "from mlcore.teaching.practice import predict\nguess = ...\n"
    path = write(tmp_path / "a.ipynb", start + "predict(guess, 0.5, within=0.1)", "predict(guess, (4, 4))", "1 + 1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].metadata["prediction"] = {"truth": "of an earlier version"}
    nbformat.write(notebook, path)
    assert execute(path).returncode == 0
    cells = nbformat.read(path, as_version=4).cells
    known = [cell.metadata.get("prediction") for cell in cells]
    assert known == [{"truth": {"float": "0.5"}, "within": 0.1}, {"truth": [4, 4], "within": None}, None]
    assert execute("--check", path).returncode == 0
