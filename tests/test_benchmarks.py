"""The stored benchmark and what the page on speed says of it."""

import importlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

import mlcore
from mlcore import SoftmaxWithLoss

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
        assert abs(row["rival (µs)"] / row["mlcore (µs)"] / row["ratio"] - 1) < 0.1  # of medians, and median of ratios
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


def test_an_exponent_is_that_of_the_last_three_points():
    for series in REPORT["scaling"].values():
        points = [np.log(series[name][-3:]) for name in ("values", "seconds")]
        assert abs(np.polyfit(*points, 1)[0] - series["exponent"]) <= 0.0051


@pytest.mark.parametrize("rule", ["SGD", "Adam"])
def test_the_rival_written_here_takes_the_same_steps(rule, monkeypatch):
    """Two networks by the same program, but for the library: after five steps they have the same parameters."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    rivals = importlib.import_module("rivals")
    weights, x, t = rivals.data((4, 5, 3), 6, np.float64)
    ours = mlcore.Sequential(*rivals.stack(mlcore, [(W.copy(), b.copy()) for W, b in weights]), loss=SoftmaxWithLoss())
    theirs = rivals.textbook.Network(rivals.stack(rivals.textbook, weights), rivals.textbook.SoftmaxWithLoss())
    for network, library in ((ours, mlcore), (theirs, rivals.textbook)):
        optimizer = getattr(library, rule)()
        for _ in range(5):
            loss = network.forward(x, t)
            network.backward()
            optimizer.update(network.params, network.grads)
        assert 0.5 < loss < 2
    for own, other in zip(ours.params, theirs.params, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-9, atol=1e-12)
        assert np.ptp(own) > 0


def test_the_exponents_are_those_that_the_page_explains():
    exponents = {name: series["exponent"] for name, series in REPORT["scaling"].items()}
    assert 0.8 < exponents["depth"] < 1.1
    assert 0.5 < exponents["batch"] < 1.1
    assert exponents["batch"] < exponents["width"] < 2.1
