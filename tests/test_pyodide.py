"""Every cell of every notebook runs in the reader's browser as it ran here: the Python of the page, tried in Node.

The folder with Pyodide is PYODIDE_DIR, or it is downloaded once, into `build`, from where the site says. Where there is
no Node or no Pyodide to be had the tests are skipped, but not in a gate (the environment variable CI).

In the gate the longest notebook runs in part, and the checks of every third exercise are compared; all are where
BOOK_IN_FULL is set.

A cell that by its nature puts out something else there carries the reason in its metadata, as `differs_in_browser`;
its page says it.
"""

import configparser
import contextlib
import difflib
import gzip
import hashlib
import inspect
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest
import yaml
from helpers import IN_FULL, unavailable

from mlcore.teaching import dark

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools"))
import slim_matplotlib  # noqa: E402

LIVE = ROOT / "book" / "assets" / "live"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CORE = ["pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"]
LONG = {} if IN_FULL else {"1_5_in_practice": "start"}  # what trains for minutes runs up to this cell only
EVERY = 1 if IN_FULL else 3  # exercise
RICHEST_FIRST = {"text/html": "html", "image/svg+xml": "svg", "text/markdown": "markdown", "text/plain": "text"}


# -- Node and Pyodide --


def node():
    """The Node that comes with Playwright, or the system's."""
    return slim_matplotlib.node() or unavailable("neither Playwright nor Node is installed")


def pyodide():
    """The folder with Pyodide."""
    if folder := os.environ.get("PYODIDE_DIR"):
        return Path(folder)
    source = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]["live_python"]
    if "://" not in source:
        return ROOT / "book" / "assets" / source.removeprefix("_static/")
    folder = ROOT / "build" / f"pyodide-{lock()['info']['version']}"
    folder.mkdir(parents=True, exist_ok=True)
    sums = {package["file_name"]: package["sha256"] for package in lock()["packages"].values()}
    sums[slim_matplotlib.NAME] = slim_matplotlib.SHA256
    for name in [*CORE, *sums]:
        if not (folder / name).exists():
            download(source + name, folder / name, sums.get(name))
    return folder


def lock():
    return json.loads((LIVE / "pyodide-lock.json").read_text(encoding="utf-8"))


def download(address, target, checksum):
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            content = answer.read()
    except OSError as error:
        unavailable(f"PYODIDE_DIR is not set, and {address} does not answer: {error}")
    assert checksum in (None, hashlib.sha256(content).hexdigest()), f"{address} is not the file that was locked"
    part = target.with_suffix(f".{os.getpid()}")  # several tests may download at a time
    part.write_bytes(content)
    part.replace(target)


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    """The folder of what the site itself serves to run cells."""
    folder = tmp_path_factory.mktemp("page") / "live"
    shutil.copytree(LIVE, folder)
    shutil.make_archive(str(folder / "mlcore"), "zip", ROOT, "mlcore")
    return folder


@pytest.fixture(scope="session")
def browser_python(page):
    """Runs the cells of a notebook: from their sources to what each puts out."""
    command = [node(), str(Path(__file__).with_name("pyodide_run.mjs")), str(pyodide()), str(page)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:

        def run(sources):
            process.stdin.write(json.dumps(sources) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, "Pyodide has ended; what it said stands above"
            return json.loads(line)

        yield run


def sizes(folder, own):
    """{name: bytes} of all that a first plot needs, from Pyodide's folder and the site's own, as servers send it."""
    paths = [folder / name for name in [*CORE, *(package["file_name"] for package in lock()["packages"].values())]]
    paths += [path for path in own.iterdir() if path.is_file()]
    return {path.name: len(gzip.compress(path.read_bytes(), 6)) for path in paths}


# -- what is compared --


def sanitised(text):
    """A drawing by Matplotlib has to be there, but may differ: the same rules as those of nbval."""
    rules = configparser.RawConfigParser()
    rules.read(ROOT / "tools" / "nbval.cfg")
    for rule in rules.sections():
        text = re.sub(rules[rule]["regex"], lambda found, to=rules[rule]["replace"]: to, text)
    return text


def joined(outputs):
    """[kind, text] of what a cell puts out, with what it prints in a row in one piece."""
    result = []
    for kind, text in outputs:
        if kind in ("controls", "moved", "settled"):
            continue  # what they show at the start is compared, and they are tried in test_controls.py
        kind = "svg" if kind == "figure" else kind
        if result and result[-1][0] == kind in ("stdout", "stderr"):
            result[-1][1] += text
        else:
            result.append([kind, text])
    add = {"svg": dark.in_dark, "html": dark.frames_in_dark}  # the page shows drawings for dark pages too
    return [[kind, sanitised(add.get(kind, str)(text))] for kind, text in result]


def stored(cell):
    """[kind, text] of what a notebook stores for a cell: of each value the form that a page shows."""
    outputs = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            outputs.append([output["name"], "".join(output["text"])])
        else:
            data = output.get("data", {})
            outputs += [[kind, "".join(data[name])] for name, kind in RICHEST_FIRST.items() if name in data][:1]
    return joined(outputs)


def lines(outputs):
    return [f"{kind}: {line}" for kind, text in outputs for line in text.splitlines()]


def differences(cells, ran):
    """What is wrong, for each cell that does not do in the browser what its notebook says."""
    wrong = []
    for cell, outputs in zip(cells, ran, strict=True):
        here, there, reason = stored(cell), joined(outputs), cell["metadata"].get("differs_in_browser")
        if reason and (here == there or len(reason) < 20 or "error" in dict(there)):
            wrong.append(f"{cell['id']} says why it differs, but does not differ, or fails, or the reason is none")
        elif not reason and here != there:
            wrong.append("\n".join(difflib.unified_diff(lines(here), lines(there), cell["id"], "in the browser", n=0)))
    return wrong


# -- the tests --


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_does_in_the_browser_what_the_notebook_says(path, browser_python):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    cells = itertools.takewhile(lambda cell: cell["id"] != LONG.get(path.stem), cells)
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    ran = browser_python(["".join(cell["source"]) for cell in cells])
    assert not (wrong := differences(cells, ran)), "\n\n".join(wrong)


DRAW = "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])"
PICTURE = {"output_type": "display_data", "data": {"image/svg+xml": '<?xml version="1.0"?><svg></svg>'}}
PRINTED = {"output_type": "stream", "name": "stdout", "text": "1\n"}
VALUE = {"output_type": "execute_result", "data": {"text/plain": "'a'"}}


@pytest.mark.parametrize(
    "source, output",
    [("print(1)", PRINTED), ("'a'", VALUE), (DRAW, PICTURE)],
)
def test_a_cell_that_differs_is_found(source, output, browser_python):
    def found(source, outputs, **metadata):
        cell = {"id": "c", "outputs": outputs, "metadata": metadata}
        return differences([cell], browser_python([source]))

    assert found(source, [output]) == []
    assert found(source, [])
    assert found("", [output])
    assert found(f"import warnings\nwarnings.warn('careful')\n{source}", [output])
    assert found(f"1 / 0\n{source}", [output])
    assert output is PICTURE or found(source.translate({ord("1"): "2", ord("a"): "b"}), [output])
    assert found("", [output], differs_in_browser="A reason that can be read.") == []
    assert found("", [output], differs_in_browser="no reason")
    assert found("1 / 0", [output], differs_in_browser="A reason that can be read.")
    assert found(source, [output], differs_in_browser="A reason that can be read.")


def print_feedback(every):
    """What the checks say of the answers that every first, second ... exercise knows, right and wrong ones."""
    from mlcore.teaching.practice import exercises, feedback

    for name, exercise in list(exercises().items())[::every]:
        for answer in [exercise.solution, getattr(exercise, "same", ...), *exercise.wrong.values()]:
            print(name, feedback(exercise, answer))


def printed_here_and_there(function, browser_python, *arguments):
    """What a function prints in this Python, and in that of the page."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        function(*arguments)
    (outputs,) = browser_python([f"{inspect.getsource(function)}\n{function.__name__}{arguments}"])
    return joined([["stdout", printed.getvalue()]]), joined(outputs)


def test_the_checks_of_exercises_say_the_same_in_the_page(browser_python):
    def plain(line):
        """Whole numbers have 32 bits there, a difference has other last digits, and a matrix product never warns."""
        line = re.sub(r" Python warns: \w+ encountered in matmul\.", "", line.replace("int64", "int32"))
        return re.sub(r"\d\.\d{11,}", lambda number: f"{float(number[0]):.9g}", line)

    here, there = printed_here_and_there(print_feedback, browser_python, EVERY)
    assert list(map(plain, lines(here))) == list(map(plain, lines(there)))


def print_fonts():
    """In which fonts Matplotlib draws the signs of formulas, and words that are not in its usual style."""
    import io
    import re

    import matplotlib.pyplot as plt

    letters = r"x \mathcal{L} \mathscr{L} \mathbb{R} \mathfrak{g} \mathbf{w} \mathtt{x} \mathrm{d} \ell \hat{y} \theta"
    signs = r"f' \sum_i \nabla \odot \top \mapsto \int \sqrt{x} \left(\frac{\frac{1}{x}}{2}\right) \left\|x\right\|"
    texts = [(f"${sign}$", {}) for sign in f"{letters} {signs}".split()]
    for text, style in [*texts, ("code", {"family": "monospace"}), ("title", {"weight": "bold"})]:
        figure, drawn = plt.figure(), io.StringIO()
        figure.text(0.5, 0.5, text, **style)
        figure.savefig(drawn, format="svg")
        plt.close(figure)
        print(text, *sorted(set(re.findall(r'<path id="([\w-]+)-[0-9a-f]+"', drawn.getvalue()))))


def test_the_page_has_the_fonts_of_all_signs(browser_python):
    here, there = printed_here_and_there(print_fonts, browser_python)
    assert here == there


def contents(wheel):
    """{file: what is in it} and the note of a wheel."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}, archive.comment


def test_the_matplotlib_of_the_page_is_the_public_one_without_fonts_and_data_and_compiled():
    if not (path := pyodide() / slim_matplotlib.NAME).exists():
        pytest.skip("the public wheel of Matplotlib is not there: who serves Python does not need it")
    public = path.read_bytes()
    assert hashlib.sha256(public).hexdigest() == slim_matplotlib.SHA256
    node()
    files, note = contents((LIVE / slim_matplotlib.NAME).read_bytes())
    slim = slim_matplotlib.slim(public)
    assert (files, note) == contents(slim_matplotlib.compiled(slim, pyodide()))
    assert "matplotlib/pyplot.pyc" in files and "matplotlib/pyplot.py" not in files
    record = files["matplotlib-3.8.4.dist-info/RECORD"].decode()
    assert sorted(line.split(",")[0] for line in record.splitlines()) == sorted(files)
    gone = contents(public)[0].keys() - contents(slim)[0].keys()
    kept = [name for name in gone if name.endswith((".py", ".so")) or "LICENSE" in name]
    assert not [name for name in kept if not re.search("backends/|_ttconv|sphinxext/|testing/", name)]
    assert not [name for name in gone if re.search(r"_(agg|svg|mixed|template)\b.*(py|so)$", name)]


def test_a_first_plot_costs_at_most_15_and_a_half_megabytes(page):
    assert sum(sizes(pyodide(), page).values()) < 15.5e6
