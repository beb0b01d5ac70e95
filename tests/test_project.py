"""What holds for the project as a whole: the lock, the wheel, the notebooks' form, the workflow, the documents."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from test_workflows import RIGHTS

import mlcore
from mlcore.teaching.visual import Frames

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_CELL = 20  # lines, without those of a long list of imports
LIST_OF_IMPORTS = re.compile(r"^from \w+ import \([^)]*\)$", re.MULTILINE)
FRAME = re.compile("<img src='data:[^']*' alt=\"([^\"]*)\">")  # one picture that visual.frames shows
MADE_BY_TOOLS = {"_build", "build", "dist", "my-notebooks", "course", "__pycache__"}


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def own_files(*suffixes):
    """The project's files, without what tools make and what others wrote (Temml)."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [d for d in folders if d not in MADE_BY_TOOLS | {"temml"} and not d.endswith(".egg-info")]
        folders[:] = [d for d in folders if not d.startswith(".") or d in (".github", ".ci")]
        yield from (Path(folder, name) for name in names if Path(name).suffix in suffixes)


# The locks: of the gate, and of the reader

LOCKS = ["requirements.txt", "binder/requirements.txt", "hub/requirements.txt"]
LOCK_LINE = re.compile(r"[a-z0-9._-]+==[\w.!+]+( ; [^#@]+?)?( --hash=sha256:[0-9a-f]{64})+")
HASHES = re.compile(r"( --hash=\S+)+$")


def lock_lines(name):
    lines = re.sub(r" \\\n +", " ", (ROOT / name).read_text()).splitlines()
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def locked(name):
    return [Requirement(HASHES.sub("", line)) for line in lock_lines(name)]


def lock(name="requirements.txt"):
    """{name: exact version}"""
    requirements = locked(name)
    return {canonicalize_name(r.name): next(iter(r.specifier)).version for r in requirements}


def direct_requirements():
    project = pyproject()["project"]
    listed = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    return [r for r in map(Requirement, listed) if r.name != project["name"]]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_exact_versions_with_hashes_and_no_place(name):
    assert [line for line in lock_lines(name) if not LOCK_LINE.fullmatch(line)] == []
    assert not re.search(r"https?:|file:|--(?!hash)|(?<![\w-])/\w", (ROOT / name).read_text())


HASH = f" --hash=sha256:{'0' * 64}"


@pytest.mark.parametrize(
    "line", [f"numpy>=2{HASH}", f"a @ file:///x{HASH}", "numpy==2.0 --hash=sha256:0", "numpy==2.0"]
)
def test_a_line_that_is_no_exact_version_is_found(line):
    assert not LOCK_LINE.fullmatch(line)
    assert LOCK_LINE.fullmatch(f"numpy==2.0{HASH}{HASH}") and LOCK_LINE.fullmatch(f"a==1 ; python_version < '4'{HASH}")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_one_version_of_each_package(name):
    counts = Counter(canonicalize_name(r.name) for r in locked(name))
    assert [name for name, count in counts.items() if count > 1] == []


def test_a_package_has_the_same_hashes_in_all_locks():
    hashes = [{line.split("==")[0]: sorted(re.findall(r"sha256:(\w+)", line)) for line in lock_lines(n)} for n in LOCKS]
    for name in set().union(*hashes):
        assert len({tuple(one[name]) for one in hashes if name in one}) == 1, name


def test_the_reader_gets_the_versions_that_the_gate_has_tried_and_only_what_the_notebooks_need():
    ours, readers = lock(), lock("binder/requirements.txt")
    assert readers == {name: ours[name] for name in readers}
    project = pyproject()["project"]
    wanted = map(Requirement, project["dependencies"] + project["optional-dependencies"]["visual"])
    assert {canonicalize_name(r.name) for r in wanted} | {"ipykernel"} <= readers.keys()
    assert not {"jupyterlab", "playwright", "pytest", "sphinx"} & readers.keys()


def needed_by(name):
    """What a package asks for on this machine, in the version that is installed here."""
    asked = map(Requirement, metadata.requires(name) or [])
    return {canonicalize_name(r.name) for r in asked if not r.marker or r.marker.evaluate({"extra": ""})}


def missing(names):
    """What the packages need and is not among them: then what is installed from this list alone does not work."""
    here = [name for name in names if any(metadata.distributions(name=name))]  # some are for other systems
    return {f"{name} needs {other}" for name in here for other in needed_by(name) - set(names)}


def imported(notebook):
    """The packages that the cells of a notebook import."""
    source = "\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code")
    return set(re.findall(r"^\s*(?:from|import) (\w+)", source, re.MULTILINE)) - sys.stdlib_module_names - {"mlcore"}


def test_what_binder_installs_is_complete_and_enough_for_every_notebook():
    names = lock("binder/requirements.txt").keys()
    assert missing(names) == set()
    assert missing(names - {"traitlets"}) and missing(names - {"python-dateutil"})  # the kernel, and a figure
    notebooks = [json.loads(path.read_text(encoding="utf-8")) for path in NOTEBOOKS]
    assert {canonicalize_name(name) for notebook in notebooks for name in imported(notebook)} <= names


def test_binder_has_a_python_that_the_lock_is_for_and_installs_the_package():
    assert re.fullmatch(r"python-3\.1[1-4]\n", (ROOT / "binder" / "runtime.txt").read_text())
    assert "pip install --no-cache-dir --no-deps --editable .\n" in (ROOT / "binder" / "postBuild").read_text()
    assert os.access(ROOT / "binder" / "postBuild", os.X_OK)


def test_the_image_of_a_hub_has_what_a_reader_has_and_installs_only_what_its_lock_holds():
    gate, readers, users = lock(), lock("binder/requirements.txt"), lock("hub/requirements.txt")
    assert users == users | readers and users == users | {name: gate[name] for name in users.keys() & gate.keys()}
    assert {"jupyterhub", "jupyterlab", "nbgitpuller", "nbgrader"} <= users.keys()
    dockerfile = (ROOT / "hub" / "Dockerfile").read_text()
    python = (ROOT / "binder" / "runtime.txt").read_text().strip().replace("-", ":")
    assert f"FROM {python}-slim\n" in dockerfile
    installs = re.findall(r"pip install --no-cache-dir (.+?)(?: \\)?\n", dockerfile)
    assert installs == ["--require-hashes -r hub/requirements.txt", "--no-deps ."]
    wanted = (ROOT / ".dockerignore").read_text().splitlines()
    assert all((ROOT / line[1:]).exists() for line in wanted if line.startswith("!") and "*" not in line)


def test_the_lock_satisfies_what_the_project_asks_for():
    locked = lock()
    for requirement in direct_requirements():
        assert Version(locked[canonicalize_name(requirement.name)]) in requirement.specifier


def test_the_book_is_not_built_by_a_version_that_ignores_its_configuration():
    assert Version(lock()["jupyter-book"]) < Version("2")


def test_the_environment_is_the_locked_one():
    from importlib.metadata import version

    names = [canonicalize_name(r.name) for r in direct_requirements()]
    assert {name: version(name) for name in names} == {name: lock()[name] for name in names}


# The name of the package belongs to somebody else on the public index.

INSTALLED_BY_NAME = re.compile(r"pip3?\s+install\s[^\n`\"']*\bmlcore\b|%pip\s+install[^\n]*\bmlcore\b")


@pytest.mark.parametrize("text", ["pip install mlcore", "python -m pip install -U mlcore", "%pip install -q mlcore"])
def test_an_installation_by_name_is_found(text):
    assert INSTALLED_BY_NAME.search(text)


def test_nothing_installs_the_package_by_its_name():
    files = [
        p for p in own_files(".md", ".ipynb", ".txt", ".toml", ".yml", ".py", ".cff") if p != Path(__file__).resolve()
    ]
    assert len(files) > 30
    assert [p.name for p in files if INSTALLED_BY_NAME.search(p.read_text(encoding="utf-8"))] == []
    assert "mlcore" not in lock()


def test_the_package_cannot_be_uploaded_to_the_public_index():
    assert "Private :: Do Not Upload" in pyproject()["project"]["classifiers"]


# The wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The project's wheel, built from a copy so that nothing is left behind in the tree."""
    source, made = tmp_path_factory.mktemp("source") / "project", tmp_path_factory.mktemp("wheel")
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "mlcore", source / "mlcore", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(made), str(source)], check=True)
    return next(made.glob("*.whl"))


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(wheel):
    files = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = [p for p in (ROOT / "mlcore").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert files == {p.relative_to(ROOT).as_posix() for p in package}
    assert any(name.startswith("mlcore/data/") for name in files)


def test_the_wheel_carries_its_licences(wheel):
    names = {Path(name).name for name in zipfile.ZipFile(wheel).namelist() if "/licenses/" in name}
    assert {"LICENSE", "LICENSE-TEXT", "LICENSE-digits"} <= names


def test_the_wheel_works_with_numpy_alone(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = (
        "import sys, mlcore\n"
        "mlcore.load_digits(), mlcore.load_spiral(0)\n"
        "print(mlcore.__file__)\n"
        "print({'matplotlib', 'tqdm', 'IPython'} & set(sys.modules))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    place, imported = run.stdout.splitlines()
    assert Path(place).is_relative_to(tmp_path)
    assert imported == "set()"


# Notebooks


def notebook_faults(notebook):
    """What is wrong with the form of a notebook, given as the parsed JSON of its file."""
    faults, count = [], 0
    ids = [cell.get("id") for cell in notebook["cells"]]
    if None in ids or len(set(ids)) < len(ids):
        faults.append("cell ids are missing or not unique")
    if not "".join(notebook["cells"][0]["source"]).startswith("# "):
        faults.append("does not begin with its heading")
    for cell in notebook["cells"]:
        source, where = "".join(cell["source"]), f"cell {cell.get('id')}"
        if not source.strip():
            faults.append(f"{where} is empty")
        if cell["cell_type"] != "code":
            if re.search(r"^\s*(```\{|:::)|\{[a-z:-]+\}`", source, re.MULTILINE):
                faults.append(f"{where} has a directive or role, which is noise outside the site")
            continue
        count += 1
        if cell["execution_count"] != count:
            faults.append(f"{where} was not run in order")
        if len(LIST_OF_IMPORTS.sub("", source).splitlines()) > LONGEST_CELL:
            faults.append(f"{where} has more than {LONGEST_CELL} lines")
        faults += [
            f"{where} {fault}" for output in cell["outputs"] for fault in output_faults(output, cell["metadata"])
        ]
    return faults


def output_faults(output, metadata):
    if output["output_type"] == "error" and "raises-exception" not in metadata.get("tags", []):
        yield "stores an error"
    if output.get("name") == "stderr":
        yield "stores a warning"
    data = output.get("data", {})
    shown = metadata.get("mystnb", {})
    alt = shown.get("image", {}).get("alt", "")
    frames = FRAME.findall("".join(data.get("text/html", "")))
    if any(len(of_frame) < 20 for of_frame in frames) or len(set(frames)) < len(frames):
        yield "has frames without an alternative text that tells and that is no other's"
    if frames or any(kind.startswith("image/") for kind in data):
        if not frames and "image/svg+xml" not in data:
            yield "has a picture that is no SVG"
        if len(alt) < 20:
            yield f"has a picture without a telling alternative text: {alt!r}"
        if not shown.get("figure", {}).get("caption") or not shown.get("figure", {}).get("name"):
            yield "has a figure without a caption or a name"
    text = "".join("".join(value) for kind, value in data.items() if kind.startswith("text/"))
    text += "".join(output.get("text", ""))
    if re.search(r"\b0x[0-9a-f]{6,}|ipykernel_\d+|/(home|root|tmp|Users)/", text):
        yield "shows an address or a path that differs from machine to machine"


def a_notebook(**changes):
    code = {"cell_type": "code", "id": "b", "source": "1", "execution_count": 1, "outputs": [], "metadata": {}}
    return {"cells": [{"cell_type": "markdown", "id": "a", "source": "# 1 Title"}, code | changes]}


PICTURE = {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}}
TEXT = {"output_type": "stream", "name": "stdout"}
FIGURE = {"mystnb": {"image": {"alt": "A line that turns with the value"}, "figure": {"caption": "c", "name": "n"}}}


def frames_with(*alts):
    """The output and the cell's metadata of a figure with frames."""
    pictures = "".join(f"<img src='data:image/svg+xml,%3Csvg/%3E' alt=\"{alt}\">" for alt in alts)
    return {"outputs": [{"output_type": "execute_result", "data": {"text/html": pictures}}], "metadata": FIGURE}


@pytest.mark.parametrize(
    "changes, fault",
    [
        ({"id": "a"}, "unique"),
        ({"source": " "}, "empty"),
        ({"source": "x\n" * 30}, "lines"),
        ({"execution_count": None}, "order"),
        ({"outputs": [{"output_type": "error"}]}, "error"),
        ({"outputs": [TEXT | {"name": "stderr", "text": "careful"}]}, "warning"),
        ({"outputs": [TEXT | {"text": "<object at 0x7f3a21b04e50>"}]}, "address"),
        ({"outputs": [PICTURE]}, "alternative text"),
        ({"outputs": [PICTURE], "metadata": {"mystnb": {"image": {"alt": "A loss that falls with x"}}}}, "caption"),
        ({"outputs": [PICTURE | {"data": {"image/png": "AA"}}]}, "no SVG"),
        (frames_with("A line that rises by 1.", "A line"), "frames"),
        (frames_with("A line that rises by 1.", "A line that rises by 1."), "frames"),
        (frames_with("A line that rises by 1.") | {"metadata": {}}, "caption"),
        ({"cell_type": "markdown", "source": "```{note}\nx\n```"}, "directive"),
    ],
)
def test_a_faulty_notebook_is_found(changes, fault):
    assert notebook_faults(a_notebook()) == []
    assert any(fault in found for found in notebook_faults(a_notebook(**changes)))


def test_frames_that_visual_shows_are_found_and_fine():
    picture = "<svg viewBox='0 0 1 1'/>".replace("'", '"')
    texts = ["A line that rises by 1, < 2.", 'A line that rises by 2, "so" more.']
    html = Frames([picture] * 2, texts, ["a", "b"], "h")._repr_html_()
    assert len(FRAME.findall(html)) == 2
    output = {"output_type": "execute_result", "data": {"text/html": html}}
    assert notebook_faults(a_notebook(outputs=[output], metadata=FIGURE)) == []


def test_every_notebook_has_the_right_form():
    assert NOTEBOOKS
    found = {path.name: notebook_faults(json.loads(path.read_text(encoding="utf-8"))) for path in NOTEBOOKS}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_names_of_figures_are_unique_in_the_book():
    cells = [cell for path in NOTEBOOKS for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    figures = [cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") for cell in cells]
    counts = Counter(name for name in figures if name)
    assert [name for name, count in counts.items() if count > 1] == []


# The documents and the machinery


def changelog_faults(text, version):
    """Whether the newest release of a changelog is another version, or its entries are out of order."""
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    releases = [heading.strip("[]").partition("]")[0] for heading in headings]
    numbers = [Version(release) for release in releases if release != "Unreleased"]
    if "Unreleased" in releases[1:] or numbers != sorted(set(numbers), reverse=True):
        yield "entries out of order"
    if [str(number) for number in numbers[:1]] != [version]:
        yield f"the newest release is not {version}"


def test_the_version_is_the_same_everywhere():
    version = pyproject()["project"]["version"]
    assert mlcore.__version__ == version
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert list(changelog_faults((ROOT / "CHANGELOG.md").read_text(), version)) == []


def test_a_changelog_that_is_ahead_of_the_version_is_found():
    fine = "# Changelog\n\n## [Unreleased]\n\n## [0.1.1] - 2026-11-01\n\n## [0.1.0]\n"
    assert list(changelog_faults(fine, "0.1.1")) == []
    assert list(changelog_faults(fine, "0.1.0")) == ["the newest release is not 0.1.0"]
    assert list(changelog_faults("## [0.1.0]\n## [Unreleased]\n## [0.2.0]\n", "0.1.0")) == ["entries out of order"]


def citation_faults(path):
    command = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.citation-file-format"]
    run = subprocess.run([*command, str(path)], capture_output=True, text=True)
    return run.stdout * (run.returncode != 0)


def test_the_citation_is_valid_and_an_invalid_one_is_found(tmp_path):
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert citation_faults(ROOT / "CITATION.cff") == ""
    for number, (old, new) in enumerate([("type: software", "type: book"), ("title:", "titel:")]):
        path = tmp_path / f"{number}.cff"
        path.write_text(text.replace(old, new), encoding="utf-8")
        assert citation_faults(path)
    citation = yaml.safe_load(text)
    assert set(citation["license"]) == set(pyproject()["project"]["license"].split(" AND "))


def make_targets():
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_command_in_the_documents_exists():
    documents = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    documents += (ROOT / ".ci/run").read_text() + (ROOT / ".github/workflows/test.yml").read_text()
    named = set(re.findall(r"(?:^|`|: )make ([a-z-]+)", documents, re.MULTILINE))
    assert {"book", "test", "lab", "help", "lock"} <= named
    assert named - make_targets() == set()


def anchors(path):
    """The places of a Markdown file, as code hosts name its headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings} | set(
        re.findall(r"^\(([\w-]+)\)=$", path.read_text(encoding="utf-8"), re.MULTILINE)
    )


def dead_links(path):
    """The links of a Markdown file that lead to no file, or to no heading in one."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)", text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, place = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (place and target.suffix == ".md" and place not in anchors(target)):
            yield link


# The pages of the book are looked at by tests/test_site.py, as built.
DOCUMENTS = [path for path in own_files(".md") if path.parent != ROOT / "book"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_somewhere(path):
    assert list(dead_links(path)) == []


SAYS_A_SECTION = re.compile(r"\[(1\.\d(?:\.\d)?)[^\]]*\]\(([^)#\s]+?)\.(?:ipynb|html)")


@pytest.mark.parametrize("path", list(own_files(".md", ".ipynb")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_link_that_names_a_section_leads_to_it(path):
    links = SAYS_A_SECTION.findall(path.read_text(encoding="utf-8"))
    assert [one for one in links if not one[1].rpartition("/")[2].startswith(one[0].replace(".", "_"))] == []


def test_the_documents_say_what_the_project_asks_for():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    least = settings["project"]["requires-python"].removeprefix(">=")
    for name in ("README.md", "book/ways.md"):
        told = re.findall(r"Python (3\.\d+) or newer", (ROOT / name).read_text(encoding="utf-8"))
        assert told and set(told) == {least}
    titles = {
        re.search("^title: (.*)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)[1]
        for name in ("CITATION.cff", "_config.yml")
    }
    assert len(titles) == 1
    jobs = [job for rights in RIGHTS.values() for job in rights.values()]
    assert sum("write" in job.values() for job in jobs) == 3  # as the next line says in words
    assert "only three may write" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "a.md").write_text("# A b: c\n[1](b.md) [2](a.md#a-b-c) [3](#a-b) [4](https://x.y) `[5](c.md)`\n")
    assert list(dead_links(tmp_path / "a.md")) == ["b.md", "#a-b"]
    assert len(DOCUMENTS) > 6


# What is shipped, and under which licence

TABLE = re.compile(r"^\| ([^|]+) \| ([^|]*`[^|]*) \| ([^|]+) \|$", re.MULTILINE)
BY_OTHERS = {".npz", ".woff", ".woff2", ".ttf", ".otf", ".whl", ".zip"}  # data, fonts and packages
FIRST_WORDS = {
    "CC BY 4.0": "Attribution 4.0",
    "MIT": "MIT License",
    "GUST Font License": "GUST Font License",
    "MPL 2.0": "Mozilla Public License, version 2.0",
    "SIL OFL 1.1": "SIL OPEN FONT LICENSE Version 1.1",
}


def shipped():
    """{file or pattern: licence} of LICENSES.md."""
    rows = TABLE.findall((ROOT / "LICENSES.md").read_text(encoding="utf-8"))
    return {name: licence for _, names, licence in rows for name in re.findall("`([^`]+)`", names)}


def test_what_others_made_is_listed_with_its_licence():
    listed = {name: licence for name, licence in shipped().items() if (ROOT / name).exists()}
    tracked = [p for folder in ("book", "mlcore", "tests/vendor") for p in (ROOT / folder).rglob("*") if p.is_file()]
    found = [p for p in tracked if p.suffix in BY_OTHERS or p.name.endswith(".min.js")]
    assert {p.relative_to(ROOT).as_posix() for p in found} == set(listed) and len(found) >= 5
    for name, licence in listed.items():
        if file := re.search(r"\[(.+)\]\((.+)\)", licence):
            assert FIRST_WORDS[file[1]] in (ROOT / file[2]).read_text(encoding="utf-8"), name
        else:
            names = {Path(n).name for n in zipfile.ZipFile(ROOT / name).namelist()}
            assert {"LICENSE", "LICENSE_DEJAVU", "LICENSE_STIX", "LICENSE_BAKOMA"} <= names


def test_every_module_is_in_the_reference():
    modules = {path.stem for path in (ROOT / "mlcore").glob("*.py") if not path.stem.startswith("_")}
    modules |= {"teaching.visual", "teaching.practice"}
    assert set(re.findall(r"automodule:: mlcore\.([\w.]+)", (ROOT / "book/api.md").read_text())) == modules


def test_the_gate_can_be_started():
    assert os.access(ROOT / ".ci/run", os.X_OK)
