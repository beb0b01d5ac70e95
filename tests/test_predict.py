"""The page asks for a prediction before it shows what comes out. Run `make site` first."""

import json

import numpy as np
import pytest
from test_live import ROOT, SITE, Reader, serve, shown_output, stored_output

from mlcore.teaching.practice import predict

PAGE = "notebooks/1_3_2_gradient"


def predictions():
    """(cell, what is known of it) of all chapters."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if "prediction" in cell["metadata"]:
                yield f"{path.stem}: {cell['id']}", cell["metadata"]["prediction"]


def value(known):
    """The value of which a page knows this."""
    if isinstance(known, dict):
        return np.array(known["float"]).astype(float)
    return tuple(map(value, known)) if isinstance(known, list) else known


def guesses(truth):
    """What readers may predict: right, nearly right, wrong, and of another kind."""
    truth = value(truth)
    yield from (truth, "falls", 0, True, [0, 0], 1e9)
    if not isinstance(truth, str) and np.asarray(truth).dtype.kind in "if":
        array = np.asarray(truth, float)
        yield from (
            array * 1.005,
            array * 0.992,
            array * 1.03,
            array + 1,
            -array,
            array.tolist() + [1] if array.ndim else [array],
        )


def written(guess):
    """As a reader would type it."""
    guess = guess.tolist() if isinstance(guess, np.ndarray | np.generic) else guess
    if isinstance(guess, list | tuple):
        return "[" + ", ".join(map(written, guess)) + "]"
    return repr(guess)


@pytest.fixture(scope="module")
def local():
    if not (SITE / f"{PAGE}.html").is_file():
        pytest.fail("There is no built site: run `make site` first.")
    with serve(SITE) as server:
        yield server


@pytest.fixture
def reader(browser, local):
    someone = Reader(browser, f"{local.address}{PAGE}.html")
    yield someone
    assert someone.said == []
    someone.context.close()


def test_the_page_judges_as_predict_does(reader, capsys):
    cases, right = [], []
    for _, known in predictions():
        for guess in guesses(known["truth"]):
            text = written(guess)
            predict(eval(text, {"inf": np.inf}), value(known["truth"]), known["within"])
            right.append(capsys.readouterr().out.startswith("Right"))
            cases.append([text, known["truth"], known["within"]])
    found = reader.tab.evaluate(
        "cases => cases.map(([t, ...known]) => predictions.agrees(predictions.read(t), ...known))", cases
    )
    assert [case for case, a, b in zip(cases, found, right, strict=True) if a != b] == []
    assert 100 < sum(right) < len(right) - 100


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0.5", 0.5), (".5", 0.5), ("-.5", -0.5), ("5.", 5), ("1_000", 1000), ("1e-7", 1e-7), ("−2", -2),
        ("(4,)", [4]), ("(3, 2)", [3, 2]), ("3, 2", [3, 2]), ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("True", True), ("'falls'", "falls"), ("falls", "falls"), ("(a", None), ("", None),
    ],
)  # fmt: skip
def test_what_a_reader_may_write(reader, text, read):
    assert reader.tab.evaluate("text => predictions.read(text) ?? null", text) == read


def test_nothing_is_shown_before_the_reader_has_predicted(reader):
    cell = reader.cell("valley")
    field, output = cell.get_by_label("Your prediction"), cell.locator("details.predicted > div")
    assert not output.is_visible() and reader.tab.locator("details.predicted[open]").count() == 0
    cell.get_by_role("button", name="Compare").click()
    assert not output.is_visible()  # nothing was predicted
    field.fill("(")
    cell.get_by_role("button", name="Compare").click()
    assert "as in Python" in cell.get_by_role("status").inner_text() and not output.is_visible()
    field.fill("60")
    field.press("Enter")
    assert cell.get_by_role("status").inner_text() == "Not so: you predicted 60, and it is 39.3."
    assert output.inner_text().strip() == shown_output("1_3_2_gradient", "valley") == "It is 39.3."
    reader.tab.reload()
    assert "you predicted 60" in cell.get_by_role("status").inner_text() and output.is_visible()
    figure = reader.cell("ends-figure").locator("details.predicted.later > div")  # of the folded cell that goes on
    assert not figure.is_visible()
    reader.cell("ends-run").get_by_role("button", name="Show me").click()
    assert figure.is_visible()
    reader.cell("ends-run").get_by_role("button", name="Ask me again").click()
    assert not figure.is_visible()
    reader.cell("ends-figure").locator("details.predicted.later > summary").click()  # which asks for nothing any more
    assert reader.cell("ends-run").get_by_role("button", name="Ask me again").is_visible() and figure.is_visible()
    reader.cell("ends-run").get_by_role("button", name="Ask me again").click()
    reader.button("ends-figure", "Run").click()
    reader.cell("ends-run").get_by_text("Predict first, or press Show me.").wait_for()
    for event, shown in (("own", True), ("book", False)):  # the reader's own code is not asked for, nor what goes on
        asked = reader.cell("ends-run").locator("details.predicted")
        asked.evaluate("(fold, event) => fold.dispatchEvent(new Event(event))", event)
        assert figure.is_visible() == asked.locator("> div").is_visible() == shown
    cell.get_by_role("button", name="Ask me again").click()
    assert not output.is_visible()
    field.fill("39")
    field.press("Enter")
    assert cell.get_by_role("status").inner_text() == "Right: it is 39.3."
    cell.get_by_role("button", name="Ask me again").click()
    reader.tab.reload()
    assert not output.is_visible()
    cell.get_by_role("button", name="Show me").click()
    assert cell.get_by_role("status").inner_text() == "It is 39.3." and output.is_visible()


def test_a_prediction_that_cannot_be_kept_still_counts(browser, local):
    someone = Reader(browser, local.address + "book/index.html")
    someone.context.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); }")
    someone.tab.goto(f"{local.address}{PAGE}.html")
    someone.cell("valley").get_by_label("Your prediction").fill("39")
    someone.cell("valley").get_by_role("button", name="Compare").click()
    assert "Right" in someone.cell("valley").get_by_role("status").inner_text()
    someone.context.close()


def test_without_javascript_the_output_is_in_a_closed_fold(browser, local):
    someone = Reader(browser, f"{local.address}{PAGE}.html", java_script_enabled=False)
    fold = someone.cell("valley").locator("details.predicted")
    assert fold.locator("> div").is_hidden()
    fold.locator("summary").click()
    assert fold.locator("> div").inner_text().strip() == stored_output("1_3_2_gradient", "valley")
    someone.context.close()


def test_no_page_and_no_download_gives_a_prediction_away(local):
    pages = {name.partition(":")[0] for name, _ in predictions()}
    assert len(pages) >= 8
    for name in pages:
        text = (SITE / f"notebooks/{name}.html").read_text(encoding="utf-8")
        cells = json.loads((SITE / f"_sources/notebooks/{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        asked = [cell for cell in cells if "prediction" in cell["metadata"]]
        assert text.count('<details class="predicted"') == len(asked) > 0
        assert [cell["id"] for cell in asked if cell["outputs"]] == []


def test_run_asks_for_the_prediction_first_and_an_edited_cell_shows_what_it_does(reader):
    cell = reader.cell("valley")
    reader.button("valley", "Run").click()
    cell.get_by_text("Predict first, or press Show me.").wait_for()
    assert reader.tab.evaluate("document.activeElement.tagName") == "INPUT"
    assert not any("pyodide" in address for address in reader.requests)
