"""Faults in formulas, and in what figures show."""

from planted_faults import Fault, cell, of_json, swap

RULES = "tests/test_formulas.py::test_every_rule_gives_the_numbers_of_the_code"
KNOWN = "tests/test_formulas.py::test_every_equation_is_computed_or_it_is_said_why_not"
CURVES = "notebooks/1_3_1_loss_function.ipynb"
WEIGHTS = "notebooks/1_3_6_updating_weights.ipynb"
LAYERS = "notebooks/1_3_5_backward_propagation.ipynb"


def in_cell(id, old, new):
    """Exchange words of one cell."""

    def edit(notebook):
        found = cell(notebook, id)
        found["source"] = swap(old, new)("".join(found["source"])).splitlines(keepends=True)

    return of_json(edit)


def figures(notebook):
    """The outputs of a notebook that are figures, with their data."""
    outputs = [output for c in notebook["cells"] for output in c.get("outputs", [])]
    return [output for output in outputs if "figure-data" in output.get("metadata", {})]


def exchanged(notebook):
    """The pictures of two figures, each in the place of the other."""
    first, second = figures(notebook)[:2]
    first["data"], second["data"] = second["data"], first["data"]


def formula(name, file, change):
    return Fault(name, "formulas", file, change, RULES)


FAULTS = [
    formula(
        "loss-gradient-of-the-wrong-sign", "mlcore/losses.py",
        lambda text: text.replace(r"\frac{y - t}{N}", r"\frac{t - y}{N}", 1),
    ),
    formula(
        "momentum-that-climbs", "mlcore/optimizers.py",
        swap(r"- \eta g, \qquad \theta \leftarrow \theta + v", r"+ \eta g, \qquad \theta \leftarrow \theta + v"),
    ),
    formula("adam-without-its-correction", WEIGHTS, in_cell("adam", r"\hat m = \frac{m}{1-\beta_1^t}", r"\hat m = m")),
    formula("rmsprop-that-forgets-too-much", WEIGHTS, in_cell("rmsprop", r"(1-\rho)\,g^2", r"\rho\,g^2")),
    formula("adagrad-without-the-root", WEIGHTS, in_cell("adagrad-rule", r"\sqrt h", "h")),
    formula("product-not-transposed", LAYERS, in_cell("affine", r"G W^{\mathsf T};", "G W;")),
    formula("softmax-gradient-without-the-mean", LAYERS, in_cell("softmax", r"\frac{y - t}{N}", "y - t")),
    Fault(
        "equation-that-nobody-knows", "formulas", WEIGHTS,
        in_cell("sgd", "*Stochastic*", "$$q = \\theta^2$$\n\n*Stochastic*"), KNOWN,
    ),
    Fault(
        "curve-of-another-function", "figures", CURVES,
        in_cell("coin-figure", "1000 * likelihood,", "1000 * likelihood[::-1],"), f"nbval {CURVES}", "figure differs",
    ),
    Fault("figures-exchanged", "figures", CURVES, of_json(exchanged), f"nbval {CURVES}", "differs"),
]  # fmt: skip
