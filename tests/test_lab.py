"""Chapters run in JupyterLab from the first cell to the last, as a reader sees them: in a browser. Three of them do in
the gate, and all where BOOK_IN_FULL is set.

Where there is no browser to be had the tests are skipped, but not in a gate (the environment variable CI).
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from helpers import IN_FULL

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
ALL_CHAPTERS = [
    path for name, path in NOTEBOOKS.items() if name.removesuffix("_practice") not in NOTEBOOKS.keys() - {name}
]
# nbval runs every chapter in a kernel. What JupyterLab adds is seen in the gate in three: the first page, the one in
# which most depends on scripts, and the one with controls.
IN_THE_GATE = {"1_3_overview", "1_3_4_computation_graph", "1_3_6_updating_weights"}
CHAPTERS = [path for path in ALL_CHAPTERS if IN_FULL or path.stem in IN_THE_GATE]
SECONDS = 150  # until a chapter has run, on a busy machine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a folder of its own, without anybody's settings: its address and the folder."""
    folder, own = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    environment |= {f"JUPYTER_{name}_DIR": str(own / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment |= {f"JUPYTERLAB_{name}_DIR": str(own / name) for name in ("SETTINGS", "WORKSPACES")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ServerApp.root_dir": folder,
        "ServerApp.token": "",
        "ServerApp.port": port,
        "ServerApp.allow_root": True,  # as a container's tests run
        "ServerApp.open_browser": False,
        "LabApp.expose_app_in_browser": True,  # for the tests to see when a kernel is there
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.news_url": None,
    }
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    with (own / "log.txt").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(f"{address}/api"), own / "log.txt")
            yield address, folder
        finally:
            server.terminate()
            server.wait(60)


def answers(address):
    try:
        return urllib.request.urlopen(address, timeout=5).close() is None
    except OSError:
        return False


def wait_until(done, log):
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, log.read_text() if log.exists() else log
        time.sleep(1)


def without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


ALL_HAVE_RUN = """() => [...jupyterapp.shell.currentWidget.content.model.cells].every(
    cell => cell.type !== "code" || cell.executionCount && cell.executionState === "idle")"""
KERNEL_IS_THERE = """async () => { const {sessionContext} = jupyterapp.shell.currentWidget;
    await sessionContext.ready; await sessionContext.session.kernel.info; }"""


CONTROLS = re.compile(r"^(visual\.controls|playground)\(", re.MULTILINE)


def run_all(page, path):
    """Choose "Run All Cells" in the menu, wait until all have run, save; return the notebook that was saved."""
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    page.evaluate(KERNEL_IS_THERE)  # what is run earlier is lost
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(ALL_HAVE_RUN)
    page.keyboard.press("Control+s")
    page.locator(".jp-mod-dirty").first.wait_for(state="detached")
    return nbformat.read(path, as_version=4)


def shape(cell):
    """What a cell puts out, without the pictures: kinds, and text that is printed."""
    return [
        (output.output_type, output.get("name"), sorted(output.get("data", [])), output.get("text"))
        for output in cell.get("outputs", [])
    ]


def test_the_chapters_of_the_gate_are_there():
    assert {path.stem for path in ALL_CHAPTERS} >= IN_THE_GATE


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_in_jupyterlab_from_the_first_cell_to_the_last(path, lab, browser):
    address, folder = lab
    copy = folder / path.name
    nbformat.write(without_outputs(path), copy)
    page = browser.new_page()
    page.set_default_timeout(SECONDS * 1000)
    page.goto(f"{address}/lab/workspaces/{path.stem}/tree/{path.name}")
    stored = nbformat.read(path, as_version=4)
    ran = run_all(page, copy)
    moved = {
        c.id for c in ran.cells if "widget-view" in str(c.get("outputs"))
    }  # a reader is there, so they have controls
    assert moved == {
        c.id for c in stored.cells if re.search(r"^(visual\.controls|playground)\(", c.source, re.MULTILINE)
    }
    kept = [{c.id: shape(c) for c in chapter.cells if c.id not in moved} for chapter in (ran, stored)]
    assert kept[0] == kept[1]
    sliders = page.locator(".mlcore-frames input[type=range]")  # the player's script makes them
    assert sliders.count() == sum("mlcore-frames" in str(cell.get("outputs")) for cell in stored.cells)
    for slider in sliders.all():
        before = slider.get_attribute("aria-valuetext")
        slider.press("ArrowRight" if slider.input_value() != slider.get_attribute("max") else "ArrowLeft")
        assert slider.get_attribute("aria-valuetext") != before
    if "race-controls" in moved:
        controls_draw_anew(page)
    if "playground" in moved:
        the_playground_steps_and_runs(page)
    page.close()


def controls_draw_anew(page):
    """Choose another surface, another start and another rate: the race below the controls is another one."""
    panel = page.locator(".jp-OutputArea-output:has(.widget-dropdown)")
    panel.get_by_text("Height: SGD 0.4 at 0.66").wait_for()
    panel.locator("select").select_option("saddle")
    panel.get_by_text("SGD 0.4 out of the picture").wait_for()
    panel.locator("input[type=number]").nth(1).fill("0")
    panel.locator("input[type=number]").nth(1).press("Enter")
    panel.get_by_text("SGD 0.4 at 0.00").wait_for()  # on the ridge there is no way down
    panel.get_by_role("slider").nth(2).press("ArrowRight")  # after mu and steps
    panel.get_by_text("SGD 0.5 at 0.00").wait_for()
    panel.locator("img, svg").first.wait_for()  # which comes after its text


def the_playground_steps_and_runs(page):
    panel = page.locator(".jp-OutputArea-output:has(.widget-button)")
    panel.get_by_text("before training").wait_for()
    panel.get_by_role("button", name="Step").click()
    panel.get_by_text("epoch 10: ").wait_for()
    panel.locator(".jupyter-widgets.widget-play button").first.click()
    panel.get_by_text("epoch 300: ").wait_for()  # the last, which stays
    panel.get_by_text("The program that this runs").click()
    assert "net = Sequential(*layers[:-1], loss=SoftmaxWithLoss())" in panel.locator("details pre").inner_text()
