"""The playground of 1.4: what is shown as its program is what runs."""

import contextlib
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mlcore.teaching.playground import DATA, SLICES, playground, program, train

START = {c.name: c.start for c in playground().controls}
OTHERS = [
    {},
    {"data": "moons", "hidden": 2, "rule": "Adam", "lr": 0.03, "activation": "Tanh"},
    {"data": "circles", "rule": "AdaGrad", "lr": 0.3},
    {"data": "XOR", "batch": 100, "rule": "Momentum", "lr": 0.1, "seed": 1},
    {"data": "XOR", "hidden": 0},
]


def printed(function):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        function()
    return text.getvalue().splitlines()


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_the_program_that_is_shown_prints_what_the_playground_does(other):
    settings = START | other
    *steps, last = train(**settings)
    assert len(steps) == SLICES
    lines = printed(lambda: exec(program(**settings), {}))
    assert len(lines) == SLICES and [lines[-1]] == printed(last)
    plt.close("all")
    right = float(lines[-1].split()[-2].rstrip("%"))
    assert right > 95 if settings["hidden"] else right < 65  # XOR needs a hidden layer


def test_each_state_is_drawn_as_it_is_when_it_is_yielded():
    going = train(**START)
    assert printed(next(going))[0].startswith("before training: loss ")
    plt.close("all")
    next(going)
    assert printed(next(going))[0].startswith("epoch 20: loss ")
    plane, *curves = plt.gcf().axes
    assert len(plane.get_legend_handles_labels()[1]) == 3
    for curve in curves:
        assert list(curve.lines[0].get_xdata()) == list(range(1, 21))
        low, high = curve.get_ylim()
        assert low == 0 and np.isfinite(curve.lines[0].get_ydata()).all()
    plt.close("all")


def test_every_choice_is_a_program():
    for control in playground().controls:
        for value in getattr(control, "values", [1]):
            compile(program(**START | {control.name: value}), "<program>", "exec")
    assert set(DATA) == set(playground().controls[0].values)
