"""What may go wrong for those who set the book up: said in one line, and without harm to a site that is there."""

import errno
import importlib
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers import unavailable

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def set_up(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    tool = importlib.import_module("set_up")
    monkeypatch.setattr(tool, "BIN", Path(sys.executable).parent)
    return tool


@pytest.fixture
def build_site(set_up, tmp_path, monkeypatch):
    """The tool that builds the site, with a folder of its own and a site that is there."""
    tool = importlib.import_module("build_site")
    for where in (set_up, tool):
        monkeypatch.setattr(where, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "SITE", tmp_path / "_build")
    monkeypatch.setattr(tool, "NEW", tmp_path / "_build/new")
    monkeypatch.setattr(tool, "OLD", tmp_path / "_build/old")
    monkeypatch.setattr(tool, "STAMP", tmp_path / "_build/made-of.txt")
    (tmp_path / "_build/html").mkdir(parents=True)
    (tmp_path / "_build/html/index.html").write_text("old")
    return tool


def test_of_the_settings_of_pip_only_how_packages_are_reached_is_kept(set_up, monkeypatch):
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    configuration = (
        ":env:.proxy='http://second'\n:env:.target='/elsewhere'\nglobal.extra-index-url='a\\nb'\nglobal.proxy='http://first'\n"
        "global.user='true'\ninstall.target='/elsewhere'\ninstall.no_index='1'\nglobal.constraint='c.txt'\n"
    )
    environment = set_up.pip_environment(configuration)
    assert {name: value for name, value in environment.items() if name.startswith("PIP_")} == {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_EXTRA_INDEX_URL": "a\nb",
        "PIP_NO_INDEX": "1",
        "PIP_PROXY": "http://second",
    }
    assert environment["PATH"] == os.environ["PATH"]


def test_the_set_up_takes_only_what_has_a_hash_of_the_lock(set_up, tmp_path, monkeypatch):
    monkeypatch.setattr(set_up, "ROOT", tmp_path)
    commands = []
    monkeypatch.setattr(set_up, "python", lambda *command, **options: commands.append(command) or "")
    monkeypatch.setattr(set_up.venv, "create", lambda *arguments, **options: None)
    monkeypatch.setattr(set_up, "STAMP", tmp_path / "ready.txt")
    monkeypatch.setattr(set_up, "fingerprint", lambda: "this")
    set_up.set_up()
    lock, own = (command for command in commands if "install" in command)
    assert lock[-3:] == ("--require-hashes", "--requirement", "requirements.txt") and "--no-deps" in lock
    assert own[-2:] == ("--editable", ".") and {"--no-deps", "--no-build-isolation"} <= set(own)
    assert ("-m", "pip", "check") in commands


@pytest.mark.parametrize(
    "said, told",
    [
        ("NewConnectionError: Name or service not known", "The packages cannot be fetched: is there a network?"),
        ("no matching distribution for x (from versions: none)", "The packages cannot be fetched: is there a network?"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "THESE PACKAGES DO NOT MATCH THE HASHES"),
    ],
)
def test_a_failure_of_pip_is_told_without_a_traceback(set_up, said, told):
    with pytest.raises(SystemExit) as stopped:
        set_up.python("-c", f"import sys; sys.exit({said!r})")
    assert stopped.value.code.startswith(told) and "Traceback" not in stopped.value.code


@pytest.mark.parametrize(
    "error, told",
    [
        (KeyboardInterrupt(), "Interrupted. Run the command again"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/.venv.lock"), "Cannot write to /x/.venv.lock"),
        (OSError(errno.EROFS, "Read-only file system", "/x/.venv.lock"), "Cannot write to /x/.venv.lock"),
    ],
)
def test_what_may_happen_to_anybody_is_told_in_one_line(set_up, error, told):
    with pytest.raises(SystemExit) as stopped, set_up.friendly():
        raise error
    assert stopped.value.code.startswith(told) and "\n" not in stopped.value.code


def test_make_is_deaf_to_modules_from_elsewhere():
    if not shutil.which("make"):
        unavailable("make is not installed")
    show = 'show: ; @echo "[$$PYTHONPATH$$PYTHONHOME]"'
    environment = os.environ | {"PYTHONPATH": "/foreign", "PYTHONHOME": "/foreign"}
    command = ["make", "--no-print-directory", f"--eval={show}", "show"]  # this may be run by make itself
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.stdout == "[]\n"


def fake_build(code):
    """A program that takes the place of Jupyter Book: it makes a site, after which `code` runs."""
    program = "import sys, time, pathlib; new = pathlib.Path(sys.argv[1], '_build/html'); new.mkdir(parents=True);"
    return lambda target: [sys.executable, "-c", program + code, str(target)]


def build(tool):
    with pytest.raises(SystemExit) as stopped:
        tool.main()
    return stopped.value.code


def test_a_build_that_fails_leaves_the_old_site(build_site, monkeypatch):
    monkeypatch.setattr(build_site, "command", fake_build("(new / 'index.html').write_text('half'); sys.exit(3)"))
    assert build(build_site) == 3
    assert (build_site.SITE / "html/index.html").read_text() == "old"


def test_the_old_site_is_there_while_the_new_one_is_built(build_site, monkeypatch):
    code = "(new / 'index.html').write_text('not ' + pathlib.Path('_build/html/index.html').read_text())"
    monkeypatch.setattr(build_site, "command", fake_build(code))
    assert build(build_site) == 0
    assert (build_site.SITE / "html/index.html").read_text() == "not old"
    assert sorted(path.name for path in build_site.SITE.iterdir()) == ["html", "made-of.txt"]


def test_a_site_is_built_anew_whatever_has_changed(build_site, monkeypatch, tmp_path):
    monkeypatch.setattr(build_site, "command", fake_build("(new / 'index.html').write_text(str(time.time_ns()))"))
    site, page = build_site.SITE / "html", tmp_path / "book" / "page.md"
    page.parent.mkdir()

    def is_built_anew():
        before = (site / "index.html").read_text()
        assert build(build_site) == 0
        return (site / "index.html").read_text() != before

    assert is_built_anew() and not is_built_anew()
    for change in (
        lambda: page.write_text("1"),
        lambda: page.write_text("2"),
        lambda: page.rename(page.with_name("other.md")),
        lambda: monkeypatch.setenv("BOOK_ADDRESS", "https://example.org/"),
        lambda: monkeypatch.setattr(sys, "version", "another Python"),
        lambda: (site / "index.html").write_text("by hand"),
        lambda: (site / "more.html").write_text(""),
        lambda: (build_site.SITE / "made-of.txt").unlink(),
    ):
        change()
        assert is_built_anew() and not is_built_anew()
    changes = fake_build(
        "(new / 'index.html').write_text('1'); pathlib.Path('book/other.md').write_text('while it is built')"
    )
    monkeypatch.setattr(build_site, "command", changes)
    page.write_text("3")
    assert is_built_anew()
    monkeypatch.setattr(build_site, "command", fake_build("(new / 'index.html').write_text(str(time.time_ns()))"))
    assert is_built_anew() and not is_built_anew()
    for name in ("_build/more", ".venv/more", "build/more", "mlcore/__pycache__/more", ".coverage"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert not is_built_anew()


def test_after_a_build_that_fails_there_is_another(build_site, monkeypatch):
    for code in ("", "sys.exit(3)", "(new / 'index.html').write_text('new')"):
        (build_site.ROOT / "page.md").write_text(code)
        monkeypatch.setattr(build_site, "command", fake_build(code))
        assert build(build_site) == (3 if "exit" in code else 0)
    assert (build_site.SITE / "html/index.html").read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="no lock there, nor make")
def test_two_builds_at_once_wait_for_each_other(build_site, monkeypatch):
    code = "time.sleep(0.3); (new / 'index.html').write_text('new'); (new / 'rest.html').write_text('')"
    monkeypatch.setattr(build_site, "command", fake_build(code))
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(build(build_site))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0]
    assert sorted(path.name for path in (build_site.SITE / "html").iterdir()) == ["index.html", "rest.html"]
