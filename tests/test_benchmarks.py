"""The stored benchmark and what the page on speed says of it."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REPORT = json.loads((ROOT / "benchmarks/results.json").read_text(encoding="utf-8"))
SIZES = ["2-10-3", "64-64-10", "784-256-10", "784-1024-1024-10"]


def ratios(what, rival):
    found = [row["ratio"] for row in REPORT["rows"] if re.search(what, row["what"]) and row["rival"].startswith(rival)]
    assert found, f"no row {what} against {rival}"
    return found


def test_the_table_is_that_of_the_report():
    table = (ROOT / "benchmarks/results.md").read_text(encoding="utf-8")
    for row in REPORT["rows"]:
        assert "| {what} | {rival} | {mlcore (µs):.0f} | {ratio:.2f} | {quartiles} |".format_map(row) in table
        low, high = map(float, row["quartiles"].split("–"))
        assert low <= row["ratio"] <= high
    assert all(str(value) in table for value in REPORT["machine"].values())


@pytest.mark.parametrize("size", SIZES)
def test_a_step_is_faster_than_in_pytorch(size):
    assert min(ratios(f"step {size},", "PyTorch")) > 1


def test_the_smaller_the_network_the_larger_the_lead_over_pytorch():
    first, *_, last = [min(ratios(f"step {size},", "PyTorch")) for size in SIZES]
    assert first > last


def test_the_textbook_version_is_faster_on_the_two_small_networks_but_for_adam_in_float64():
    for kind in ("textbook, float64", "textbook, float32"):
        smallest, second, *larger = [ratios(f"step {size},", kind) for size in SIZES]
        assert max(smallest) < 1 and 0.5 < ratios(f"step {SIZES[0]},.*SGD", kind)[0] < 0.6
        assert [ratio > 1 for ratio in second] == [False, kind.endswith("64")]  # SGD, Adam
        assert min(min(ratios) for ratios in larger) > (2 if kind.endswith("64") else 1)


def test_a_large_update_comes_close_to_the_floor_of_numpy():
    assert min(ratios("update 1,?0?00,000 numbers", "NumPy, in place")) >= 0.895  # nine tenths, rounded


def test_the_rest_of_a_large_step_is_small_beside_its_products():
    (ratio,) = ratios(f"step {SIZES[-1]},", "products only")
    assert 0.7 < ratio < 1


def test_an_update_is_faster_for_few_numbers_and_slower_for_a_million():
    assert min(ratios("update 1,000 numbers", "PyTorch")) > 1
    assert max(ratios("update 1,000,000 numbers", "PyTorch")) < 1


def test_the_exponents_are_those_that_the_page_explains():
    exponents = {name: series["exponent"] for name, series in REPORT["scaling"].items()}
    assert 0.8 < exponents["depth"] < 1.1
    assert 0.5 < exponents["batch"] < 1.1
    assert exponents["batch"] < exponents["width"] < 2.1
