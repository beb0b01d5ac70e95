"""Every chapter runs in JupyterLab from its first cell to its last, as a reader sees it: in a browser.

Where there is no browser to be had the tests are skipped, but not in a gate (the environment variable CI).
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
CHAPTERS = [path for name, path in NOTEBOOKS.items() if name.removesuffix("_practice") not in NOTEBOOKS.keys() - {name}]
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


SWITCH_ON_CONTROLS = """() => {
    const notebook = jupyterapp.shell.currentWidget.content;
    const cells = [...notebook.model.cells], index = cells.findIndex(cell => cell.id === "race-controls");
    const source = cells[index].sharedModel;
    source.setSource(source.getSource().replace("live = False", "live = True"));
    notebook.activeCellIndex = index;
    return jupyterapp.commands.execute("notebook:run-cell"); }"""


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
    assert {c.id: shape(c) for c in ran.cells} == {c.id: shape(c) for c in stored.cells}
    sliders = page.locator(".mlcore-frames input[type=range]")  # the player's script makes them
    assert sliders.count() == sum("mlcore-frames" in str(cell.get("outputs")) for cell in stored.cells)
    for slider in sliders.all():
        before = slider.get_attribute("aria-valuetext")
        slider.press("ArrowRight" if slider.input_value() != slider.get_attribute("max") else "ArrowLeft")
        assert slider.get_attribute("aria-valuetext") != before
    if any(cell.id == "race-controls" for cell in ran.cells):
        controls_draw_anew(page)
    page.close()


def controls_draw_anew(page):
    """Choose another surface and another rate: the race below the controls is another one, and a player again."""
    page.evaluate(SWITCH_ON_CONTROLS)
    panel = page.locator(".jp-OutputArea-output:has(.widget-dropdown)")
    text = panel.locator(".mlcore-texts > p")
    at_first = text.inner_text()
    assert "SGD 0.4 at 0.00" in at_first
    panel.locator("select").select_option("saddle")
    text.filter(has_text="SGD 0.4 out of the picture").wait_for()
    panel.get_by_role("slider").nth(4).press("ArrowRight")  # after x1, x2, mu, steps
    text.filter(has_text="SGD 0.5 out of the picture").wait_for()
    panel.get_by_role("button", name="Previous").click()
    text.filter(has_text="step = 21").wait_for()
