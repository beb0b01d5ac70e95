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
    assert all(str(value) in table for value in REPORT["machine"].values())


@pytest.mark.parametrize("size", SIZES)
def test_a_step_is_faster_than_in_pytorch(size):
    assert min(ratios(f"step {size},", "PyTorch")) > 1


def test_the_smaller_the_network_the_larger_the_lead_over_pytorch():
    first, *_, last = [min(ratios(f"step {size},", "PyTorch")) for size in SIZES]
    assert first > last


def test_the_textbook_version_is_faster_on_the_smallest_network_only():
    assert max(ratios(f"step {SIZES[0]},", "textbook, float64")) < 1
    assert all(min(ratios(f"step {size},", "textbook, float64")) > 1 for size in SIZES[1:])


def test_in_float32_the_textbook_version_is_faster_with_sgd_on_all_but_the_largest():
    *smaller, largest = [ratios(f"step {size},.*SGD", "textbook, float32") for size in SIZES]
    assert max(map(max, smaller)) < 1 < min(largest)


def test_in_float32_with_adam_the_textbook_version_is_no_more_than_a_tenth_faster():
    assert min(ratios("step .*Adam", "textbook, float32")) > 1 / 1.1


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
