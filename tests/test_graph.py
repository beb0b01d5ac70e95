"""Section 1.3.4: the graph against central differences and by hand; pictures and words against the run."""

import copy
import inspect
import itertools
import re
import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pytest
from helpers import normal, seeds, untouched
from hypothesis import given
from hypothesis import strategies as st

from mlcore import (
    Add,
    Affine,
    Branch,
    MatMul,
    Multiply,
    Power,
    ReLU,
    Sequential,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    Tanh,
    Variable,
    apply,
    graph,
    layers,
    losses,
    nodes,
    numerical_gradient,
    relative_error,
    sigmoid,
)
from mlcore.teaching import graph_drawing

SVG = "{http://www.w3.org/2000/svg}"


def variables(*values, names="abcdefg"):
    return [Variable(value, name) for value, name in zip(values, names, strict=False)]


def micrograd(a, b):
    """The expression of the README of micrograd."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


# -- values and gradients --


def test_the_expression_of_micrograd():
    a, b = variables(-4.0, 2.0)
    g = micrograd(a, b)
    g.backward()
    assert [f"{x:.4f}" for x in (g.value, a.grad, b.grad)] == ["24.7041", "138.8338", "645.5773"]


def test_the_expression_of_micrograd_is_wrong_where_the_last_gradient_wins():
    a, b = variables(-4.0, 2.0)
    micrograd(a, b).backward(accumulate=False)
    assert (a.grad, b.grad) == (-7, -7)  # what comes back through a + b, the first use of both: about (e - 10 / e ** 3)


@pytest.mark.parametrize(("accumulate", "gradients"), [(True, (4, 2, 1)), (False, (1, 1, 1))])
def test_a_doubled_double(accumulate, gradients):
    a = Variable(3.0)
    b = a + a
    c = b + b
    c.backward(accumulate=accumulate)
    assert c.value == 12 and (a.grad, b.grad, c.grad) == gradients


def plain(x, name):
    """The same function for a variable and for a number."""
    if isinstance(x, Variable):
        return getattr(x, name)()
    return {"relu": lambda x: max(x, 0.0), "sigmoid": sigmoid}[name](x)


OPERATIONS = [
    lambda x, y, c: x + y,
    lambda x, y, c: x - y,
    lambda x, y, c: x * y,
    lambda x, y, c: x / (y * y + 1),
    lambda x, y, c: c - x * c,
    lambda x, y, c: -x / c + c,
    lambda x, y, c: c / (x**2 + 1) - c,
    lambda x, y, c: plain(x, "relu" if abs(number(x)) > 0.01 else "sigmoid"),  # away from the kink
    lambda x, y, c: plain(x, "sigmoid"),
]


def number(x):
    return float(getattr(x, "value", x))


def random_expression(xs, seed, n):
    """n operations, each on any values before it; what would leave the ordinary numbers is squashed."""
    rng, pool = np.random.default_rng(seed), list(xs)
    for _ in range(n):
        x, y = (pool[k] for k in rng.integers(len(pool), size=2))
        z = OPERATIONS[rng.integers(len(OPERATIONS))](x, y, float(rng.uniform(0.5, 2)))
        pool.append(z if abs(number(z)) < 3 else plain(z, "sigmoid"))
    return pool[-1]


@given(seeds, st.integers(1, 25))
def test_random_expressions(seed, n):
    start = normal(seed, 3)
    xs = variables(*start)
    y = random_expression(xs, seed, n)
    assert y.value == pytest.approx(random_expression(start.tolist(), seed, n), rel=1e-12)
    y.backward()
    numerical = numerical_gradient(lambda values: random_expression(values.tolist(), seed, n), start)
    np.testing.assert_allclose([x.grad if x.grad is not None else 0 for x in xs], numerical, rtol=1e-6, atol=1e-6)


@given(seeds, st.integers(1, 3), st.integers(1, 3))
def test_random_expressions_of_arrays(seed, n, d):
    """Products, broadcasting, sums and repeats, with constants on both sides and values that are used again."""
    A, b, X = normal(seed, (2, n)), normal(seed + 1, d), normal(seed + 2, (n, d))

    def expression(X, W, b):
        h = (A @ (X @ W) + b).sigmoid()
        h = (h * h.sum().repeat(2) - b / 2).relu() + [0.5] * d + np.ones(d) @ W
        return (h.sum(axis=1) ** 2).sum()

    start = [X, normal(seed + 3, (d, d)), b]
    xs = variables(*start)
    y = expression(*xs)
    assert y.value.shape == (1, 1)
    y.backward()
    for k, x in enumerate(xs):

        def f(value, k=k):
            return float(expression(*map(Variable, [*start[:k], value, *start[k + 1 :]])).value[0, 0])

        assert x.grad.shape == x.value.shape
        assert relative_error(x.grad, numerical_gradient(f, start[k])) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("upstream", [None, 8.0, np.float64(8)])
def test_gradients_have_the_type_of_the_values(dtype, upstream):
    x = Variable(dtype(3), "x")
    y = x * x.sigmoid()
    y.backward(upstream)
    assert {x.grad.dtype, y.grad.dtype, y.value.dtype} == {np.dtype(dtype)}


def test_an_upstream_gradient_of_any_shape():
    x, u = Variable(normal(0, (2, 3))), normal(1, (2, 3))
    (x * x).backward(u)
    np.testing.assert_array_equal(x.grad, 2 * x.value * u)


@pytest.mark.parametrize("loss", [SoftmaxWithLoss, SigmoidWithLoss])
def test_a_network_has_the_gradients_of_sequential(loss):
    x, t = normal(0, (4, 2)), np.array([0, 1, 1, 0])
    width = 2 if loss is SoftmaxWithLoss else 1
    parts = [Affine(normal(1, (2, 3)), normal(2, 3)), Sigmoid(), Affine(normal(3, (3, width)), normal(4, width))]
    net = Sequential(*copy.deepcopy(parts), loss=loss())
    expected = net.forward(x, t), net.backward()
    h = X = Variable(x)
    for part in parts:
        h = apply(part, h)
    y = apply(loss(), h, t)
    y.backward()
    assert y.value == expected[0]
    np.testing.assert_array_equal(X.grad, expected[1])
    for actual, wanted in zip([g for part in parts for g in part.grads], net.grads, strict=True):
        np.testing.assert_array_equal(actual, wanted)


class Counted(Add):
    calls = Counter()

    def forward(self, x, y):
        self.calls["forward"] += 1
        return super().forward(x, y)

    def backward(self, dz):
        self.calls["backward"] += 1
        return super().backward(dz)


def test_each_node_is_visited_once_however_many_paths_lead_through_it():
    Counted.calls.clear()
    x = y = Variable(1.0)
    for _ in range(40):
        y = apply(Counted(), y, y)
    y.backward()
    assert y.value == x.grad == 2.0**40
    assert Counted.calls == {"forward": 40, "backward": 40}


def test_a_long_graph_needs_no_deep_recursion():
    x = y = Variable(1.0)
    for _ in range(5000):
        y = y + 1
    y.backward()
    assert y.value == 5001 and x.grad == 1


def test_a_branch_has_several_outputs_of_which_some_may_not_be_used():
    x = Variable([1.0, 2.0])
    p, q, _ = apply(Branch(3), x)
    (p * q).backward([10.0, 100.0])
    np.testing.assert_array_equal(x.grad, [20, 400])
    assert p.step is q.step


def test_a_variable_that_is_its_own_graph():
    x = Variable(3.0)
    x.backward()
    x.backward(5.0)
    assert x.grad == 5 and "begins with dy = 5" in repr(x.draw())


# -- what a variable promises --


def test_a_variable_is_a_copy_that_nobody_can_write_into():
    array = np.array([1, 2])
    x = Variable(array, "x")
    array[0] = 7
    assert x.value.tolist() == [1, 2] and x.value.dtype == float and x.grad is None and x.step is None
    with pytest.raises(ValueError, match="read-only"):
        x.value[0] = 7
    assert repr(x) == "Variable(array([1., 2.]), 'x')"


def test_operands_and_constants_are_left_alone():
    array, (x, y) = np.array([1.0, 2.0]), variables([3.0, 4.0], [5.0, 6.0])
    with untouched(array, x.value, y.value):
        for z in (array + x, x - array, array * x, x / array, array / x, array - x, x @ np.eye(2), x * y):
            assert isinstance(z, Variable)
            z.backward([1.0, 1.0])


@pytest.mark.parametrize("constant", [3, 3.0, True, np.uint8(3), np.int64(3), np.array(3, np.uint8), np.float16(3)])
def test_a_constant_may_be_any_number(constant):
    x, c = Variable(0.5), float(constant)
    results = [x + constant, x - constant, x * constant, x / constant]
    results += [constant + x, constant - x, constant * x, constant / x]
    expected = [0.5 + c, 0.5 - c, 0.5 * c, 0.5 / c, c + 0.5, c - 0.5, c * 0.5, c / 0.5]
    assert [float(y.value) for y in results] == pytest.approx(expected, rel=1e-3)


def test_float32_stays_float32():
    x, y = Variable(np.float32(2)), Variable(np.float32(3))
    z = (x * y + x).sigmoid()
    z.backward()
    assert {v.dtype for v in (z.value, x.grad, y.grad)} == {np.dtype(np.float32)}


def test_a_plain_number_takes_the_type_of_the_variable_that_it_meets():
    x = Variable(np.ones(2, np.float32))
    results = [-x, x + 1, 1 + x, 2.5 * x, x * 2, x - 1, x - 0.5, 1 - x, x / 3, 2 / x]
    assert {y.value.dtype for y in results} == {np.dtype(np.float32)}
    assert (x + np.ones(2)).value.dtype == np.float64
    assert (Variable([1.5]) - 1).value == 0.5


def test_a_variable_owns_its_value():
    array = np.ones(2)
    x = Variable(array)
    array[0] = 5
    assert x.value.tolist() == [1, 1]


def test_operands_stay_in_the_order_in_which_they_are_written():
    x = Variable(2.0)
    assert (1 + x).step.inputs[1] is x and (3 * x).step.inputs[1] is x
    assert (x + 1).step.inputs[0] is x and (x * 3).step.inputs[0] is x


def test_two_outputs_are_two_variables():
    first, second = apply(Branch(2), Variable(3.0))
    assert first is not second and first.value == second.value == 3


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_half_a_node_is_refused(method):
    half = type("Half", (), {method: lambda self, x: x})()
    with pytest.raises(TypeError, match="forward and backward"):
        apply(half, Variable(1.0))


def test_an_earlier_gradient_is_replaced_and_not_added_to():
    a, b = variables(2.0, 3.0)
    (a * b).backward()
    assert (a.grad, b.grad) == (3, 2)
    (a + a).backward()
    assert (a.grad, b.grad) == (2, 2)


# -- what is refused --


def test_a_second_backward_is_refused_and_leaves_the_gradients_as_they_are():
    a, b = variables(2.0, 3.0)
    p = a * b
    y, z = p + a, p + b
    y.backward()
    for again in (y, z):
        with pytest.raises(RuntimeError, match=r"^Variable\.backward: Multiply does not remember this forward pass"):
            again.backward()
    assert (a.grad, b.grad, z.grad) == (4, 2, None)


def test_a_node_that_has_run_again_is_refused():
    node, (a, b) = Multiply(), variables(2.0, 3.0)
    first, second = apply(node, a, a), apply(node, b, b)
    for y in (first, first + second):
        with pytest.raises(RuntimeError, match="make two nodes that share their parameters"):
            y.backward()
    second.backward()
    assert b.grad == 6 and a.grad is None


def test_nodes_are_told_apart_by_who_they_are():
    class Same(Add):
        def __eq__(self, other):
            return True  # and without a hash

    a, b = variables(1.0, 2.0)
    y = apply(Same(), apply(Same(), a, b), b)
    y.backward()
    assert (a.grad, b.grad) == (1, 2)


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda x: x + "1", TypeError, "^Add: expected real numbers"),
        (lambda x: "1" * x, TypeError, "^Multiply: expected real numbers"),
        (lambda x: x - "1", TypeError, "^Variable: expected real numbers"),
        (lambda x: x / None, TypeError, "^Variable: expected real numbers"),
        (lambda x: x**x, TypeError, r"^Power: n must be a number; got Variable\("),
        (lambda x: 2**x, TypeError, "unsupported operand"),
        (lambda x: np.exp(x), TypeError, "does not support ufuncs"),
        (lambda x: Variable(x), TypeError, "^Variable: expected real numbers"),
        (lambda x: Variable([1j]), TypeError, "^Variable: expected real numbers"),
        (lambda x: x + [1.0, 2.0, 3.0], ValueError, r"^Add\.forward: shapes"),
        (lambda x: x @ x, ValueError, "^MatMul: W must have 2 axes"),
        (lambda x: x @ "W", TypeError, "^MatrixProduct: expected real numbers"),
        (lambda x: x.sum(axis=1), ValueError, r"^Sum\.forward: there is no axis 1"),
        (lambda x: x.repeat(0), ValueError, "^Repeat: n must be at least 1"),
        (lambda x: apply(Add, x, x), TypeError, "^apply: expected a node with forward and backward; got <class"),
        (lambda x: apply(abs, x), TypeError, "^apply: expected a node with forward and backward; got <built-in"),
        (lambda x: x.backward(), ValueError, r"^Variable\.backward: a value of shape \(2,\) is no single loss"),
        (lambda x: x.steps(), ValueError, r"^Variable\.backward: a value of shape \(2,\) is no single loss"),
        (lambda x: x.backward(1.0), ValueError, r"^Variable\.backward: upstream has shape \(\), expected \(2,\)"),
        (lambda x: x.backward(["a", "b"]), TypeError, r"^Variable\.backward: expected real numbers"),
        (
            lambda x: apply(SigmoidWithLoss(), [0.0, 0.0], x).backward(),
            ValueError,
            "^SigmoidWithLoss has no gradient for one of its inputs: give that as an array",
        ),
    ],
)
def test_bad_input_is_refused(call, exception, message):
    x = Variable([0.5, 0.25], "x")
    with pytest.raises(exception, match=message):
        call(x)
    assert x.grad is None


# -- pictures and words --


def two_paths():
    a, b = variables(3.0, 4.0)
    return a * b + a


def products():
    X, W = Variable([[1.0, 2.0]], "X"), Variable(normal(0, (2, 4)), "W")
    h = apply(Affine(normal(1, (4, 2)), np.zeros(2)), (X @ W).relu())
    return apply(SoftmaxWithLoss(), apply(MatMul(np.eye(2)), h).repeat(3).sum() * 0.5, [1])


def branches():
    p, q, _ = apply(Branch(3), Variable([1.0, 2.0], "x"))
    return apply(SigmoidWithLoss(), p * q - p, [0, 1])


class Twice:
    """A node that the tables do not know."""

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


def deep():
    return micrograd(*variables(-4.0, 2.0))


def unknown():
    return apply(Twice(), Variable(-1.5, "x")) - 0.0


def alone():
    return Variable(-0.0, "x")


GRAPHS = [two_paths, products, branches, deep, unknown, alone]
each_graph = pytest.mark.parametrize("make", GRAPHS)


def numbers(words):
    """Every number in a text, but not those in names such as v1, in d before them, and in exponents."""
    return set(re.findall(r"(?<![\w.^])-?\d+(?:\.\d+)?(?:e[+-]\d+)?", words))


def parse(picture):
    root = ET.fromstring(picture)
    return root, [t.text for t in root.iter(f"{SVG}text")]


@each_graph
@pytest.mark.parametrize("backward", [False, True])
def test_picture_and_text_hold_every_number_of_the_run_and_no_other(make, backward):
    y = make()
    if backward:
        y.backward()
    drawing = y.draw()
    _, shown = parse(drawing._repr_svg_())
    steps = y.topological_order()
    everything = {x: None for step in steps for x in (*step.variables, *step.outputs)} or {y: None}
    values = [x.value for x in everything] + [x.grad for x in everything if backward and x.grad is not None]
    for value in values:
        if value.ndim == 0:
            assert any(f"= {value + 0:.4g}" in line for line in shown)
        elif value.size > 6:
            assert any(line.endswith(f" {value.shape}") for line in shown)
        else:
            rows = [", ".join(f"{v + 0:.4g}" for v in row) for row in value.reshape(-1, value.shape[-1])]
            assert all(any(f"[{row}]" in line for line in shown) for row in rows)
            assert f", shape {value.shape}" in repr(drawing)
    assert any(line.startswith("d") for line in shown) == backward
    assert numbers(" ".join(shown)) <= numbers(repr(drawing))
    assert len(re.findall(" = .* = | = array", repr(drawing).partition("Backward")[0])) >= len(steps)
    lines = repr(drawing).splitlines()
    assert len(lines) == 1 + len(steps) + backward * (
        len(everything) - (make is branches)
    )  # one output has no gradient


def test_the_numbers_follow_the_inputs():
    (a, b), (c, d) = variables(3.0, 4.0), variables(5.0, 4.0)
    assert "da = 1 + 4 = 5." in repr(run(a * b + a).draw()) and "v1 = a · b = 5 · 4 = 20." in repr(
        run(c * d + c).draw()
    )
    before, after = (set(parse(y.draw()._repr_svg_())[1]) for y in (run(a * b + a), run(c * d + c)))
    assert before - after == {"a = 3", "v1 = 12", "y = 15", "db = 3"}
    assert after - before == {"a = 5", "v1 = 20", "y = 25", "db = 5"}


def run(y, **options):
    y.backward(**options)
    return y


def test_the_text_of_a_graph():
    assert repr(two_paths().draw()) == (
        "Inputs: a = 3; b = 4.\nMultiply: v1 = a · b = 3 · 4 = 12.\nAdd: y = v1 + a = 12 + 3 = 15."
    )
    assert repr(run(two_paths()).draw()).splitlines()[3:] == [
        "Backward begins with dy = 1.",
        "dv1 = 1.",
        "da = 1 + 4 = 5.",
        "db = 3.",
    ]
    wrong = repr(run(two_paths(), accumulate=False).draw())
    assert "da = 4, the last of 1, 4: they were not added up." in wrong


def test_negative_numbers_stand_in_brackets_where_they_are_operands():
    a = Variable(-2.0, "a")
    text = repr(run(a.relu() + a.sigmoid() - a).draw())
    assert "v1 = relu(a) = relu(-2) = 0." in text and "v4 = (-1) · a = (-1) · (-2) = 2." in text
    assert "da = (-1) + 0.105 + 0 = -0.895." in text


def test_names_are_told_apart():
    a, other, v1 = variables(1.0, 2.0, 3.0, names=["a", "a", "v1"])
    y = (a + other) * v1
    text = repr(y.draw())
    assert "Inputs: a = 1; a′ = 2; v1 = 3." in text and "v2 = a + a′ = 1 + 2 = 3." in text and "y = v2 · v1 =" in text
    z = Variable(1.0, "y") + 1
    assert "v1 = y + 1" in repr(z.draw())


def test_the_player_goes_forward_and_then_backward():
    frames = two_paths().steps()
    assert repr(frames).splitlines() == [
        "start: Inputs: a = 3; b = 4. Nothing is computed yet.",
        "forward 1 of 2: Multiply: v1 = a · b = 3 · 4 = 12.",
        "forward 2 of 2: Add: y = v1 + a = 12 + 3 = 15.",
        "upstream: Backward begins with dy = 1.",
        "backward 1 of 2: Add: y = v1 + a. Upstream dy = 1. Local derivative with respect to v1: 1; "
        "upstream · local = 1 · 1 = 1. Local derivative with respect to a: 1; "
        "upstream · local = 1 · 1 = 1. da = 1 so far: a is used 2 times.",
        "backward 2 of 2: Multiply: v1 = a · b. Upstream dv1 = 1. Local derivative with respect to a: b = 4; "
        "upstream · local = 1 · 4 = 4. Local derivative with respect to b: a = 3; "
        "upstream · local = 1 · 3 = 3. da = 1 + 4 = 5.",
    ]
    shown = [parse(picture)[1] for _, _, picture in frames.frames]
    titles = ["a · b", "v1 + a"]
    assert sorted(shown[0]) == sorted(["a = 3", "b = 4", *titles])
    new = [set(b) - set(a) for a, b in itertools.pairwise(shown)]
    assert new == [{"v1 = 12"}, {"y = 15"}, {"dy = 1"}, {"dv1 = 1", "da = 1", "1"}, {"da = 5", "db = 3", "4"}]


def test_the_player_shows_the_backward_that_was_run():
    a = Variable(3.0, "a")
    y = run(a * a, upstream=10.0, accumulate=False)
    assert a.grad == 30
    last = repr(y.steps()).splitlines()[-1]
    assert "Upstream dy = 10." in last and last.endswith("da = 30, the last of 30, 30: they were not added up.")
    (a + a).backward()  # changes a.grad, but not what was seen before
    assert a.grad == 2 and repr(y.steps()).splitlines()[-1] == last


@each_graph
def test_the_frames_of_any_graph(make):
    y = make()
    frames = y.steps()
    n = len(y.topological_order())
    assert len(frames.frames) == 2 * n + 2
    for k, (label, words, picture) in enumerate(frames.frames):
        root, shown = parse(picture)
        active = [e for e in root.iter() if "a" in e.get("class", "").split()]
        assert (len(active) > 0) == (label.split()[0] in ("forward", "backward"))
        assert all(e.tag == f"{SVG}path" or e.tag == f"{SVG}rect" for e in active)
        assert (k <= n) == (not any(line.startswith("d") for line in shown))
        assert words == html_free(words)
    assert parse(frames.frames[-1][2])[1] == parse(y.draw()._repr_svg_())[1]


def html_free(words):
    return re.sub("[<&]", "", words)


def test_the_rule_of_arrays_in_words():
    x, b = Variable([[1.0, 2.0], [3.0, 4.0]], "x"), Variable([1.0, 1.0], "b")
    words = repr(run(x * b, upstream=[[1.0, 0.0], [0.0, 2.0]]).steps()).splitlines()[-1]
    assert "To x goes upstream · local, element by element, with local = b: [[1, 0], [0, 2]]." in words
    assert (
        "To b goes upstream · local, element by element, added up where it was repeated, with local = x: [1, 8]."
        in words
    )
    words = repr(products().steps())
    assert "To v3 goes dv4 @ Wᵀ" in words and "The gradients of its parameters are in its grads." in words
    assert "To x goes what its backward returns: 2." in repr(unknown().steps())
    assert "Upstream dv1 = [" in repr(branches().steps()).splitlines()[-1]


# -- the words are true --

WORDS = str.maketrans({"·": "*", "−": "-", "^": "**"} | {"ᵀ": ".T"})


def value_of(words, **names):
    return eval(words.translate(WORDS), {}, names)


def test_every_node_layer_and_loss_has_its_words():
    own = [
        thing
        for module in (nodes, layers, losses)
        for thing in vars(module).values()
        if inspect.isclass(thing) and thing.__module__ == module.__name__
    ]
    assert {*own, graph.MatrixProduct} == {*graph_drawing.LOCAL, *graph_drawing.WHOLE}
    assert not {*graph_drawing.LOCAL} & {*graph_drawing.WHOLE}


@pytest.mark.parametrize("node", [Add(), Multiply(), Power(3), Power(-1), Power(0.5), ReLU(), Sigmoid(), Tanh()])
def test_the_words_of_elementwise_nodes_are_what_the_nodes_do(node):
    inputs = variables(0.75, -1.5)[: 2 if isinstance(node, (Add, Multiply)) else 1]
    y = run(apply(node, *inputs), upstream=3.0)
    drawing = y.draw()
    formula, *local = graph_drawing.LOCAL[type(node)]
    assert len(local) == len(inputs)
    names = {x.name: x.value for x in inputs} | {
        "y": y.value,
        "sigmoid": sigmoid,
        "relu": lambda x: max(x, 0),
        "tanh": np.tanh,
    }
    assert value_of(drawing.formula(y.step), **names) == pytest.approx(y.value)
    for k, x in enumerate(inputs):
        words = local[k].format(*(x.name for x in inputs), y="y", node=node)
        assert 3 * value_of(words, **names) == pytest.approx(x.grad)
        number = value_of(words, **names)
        assert f"{number:.4g}; upstream · local = 3 · " in drawing.tell_backward(y.step, 1)


def test_the_words_of_matrix_products_are_what_the_nodes_do():
    W = normal(1, (3, 2))
    X, V, dy = Variable(normal(0, (2, 3)), "X"), Variable(W, "V"), normal(2, (2, 2))
    for node, inputs in [(graph.MatrixProduct(), (X, V)), (MatMul(W), (X,)), (Affine(W, np.zeros(2)), (X,))]:
        y = run(apply(node, *inputs), upstream=dy)
        formula, *rules = graph_drawing.WHOLE[type(node)]
        names = {"X": X.value, "V": W, "W": W, "b": 0, "dy": dy}
        np.testing.assert_allclose(value_of(formula.format("X", "V"), **names), y.value)
        for x, rule in zip(inputs, rules, strict=True):
            np.testing.assert_allclose(value_of(rule.format("X", "V", y="y"), **names), x.grad)


# -- layout --


def boxes(root):
    rects = [r for r in root.iter(f"{SVG}rect") if "t" not in r.get("class", "").split() and r.get("x")]
    return [tuple(float(r.get(k)) for k in ("x", "y", "width", "height")) for r in rects]


@each_graph
@pytest.mark.parametrize("down", [False, True, None])
def test_boxes_lie_apart_inside_the_picture_and_lines_join_them(make, down):
    y = run(make())
    root, shown = parse(y.draw(down)._repr_svg_())
    width, height = (float(root.get(k)) for k in ("width", "height"))
    assert root.get("viewBox") == f"0 0 {width:.0f} {height:.0f}"
    places, steps = boxes(root), y.topological_order()
    for a, b, w, h in places:
        assert min(a, b) >= 0 and a + w <= width and b + h <= height
    for (a, b, w, h), (c, d, v, g) in itertools.combinations(places, 2):
        assert a + w < c or c + v < a or b + h < d or d + g < b
    lines = [p for p in root.iter(f"{SVG}path") if p.get("class")]
    inputs = sum(len(step.variables) for step in steps)
    assert Counter(p.get("class") for p in lines) == ({"f": inputs, "b": inputs} if inputs else {})
    wide = float(parse(y.draw(down=False)._repr_svg_())[0].get("width")) > graph_drawing.PAGE
    assert wide == (make in (branches, deep, products))
    flow = int(wide if down is None else down)  # 1: downward
    for line in lines:
        points = [tuple(map(float, p)) for p in re.findall(r"(-?\d+) (-?\d+)", line.get("d"))]
        along = [p[flow] for p in points]
        assert along == sorted(along)
        assert any(abs(along[0] - (box[flow] + box[flow + 2])) <= 1 for box in places)
        assert any(abs(along[-1] - box[flow]) <= 1 for box in places)


def curve(line):
    """Points along a line, from the first to the last of its smooth pieces."""
    p = np.array(re.findall(r"(-?\d+) (-?\d+)", line.get("d")), float)
    t = np.linspace(0, 1, 30)[:, np.newaxis]
    pieces = [p[k : k + 4, np.newaxis] for k in range(0, len(p) - 3, 3)]
    return [(1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d for a, b, c, d in pieces]


@each_graph
@pytest.mark.parametrize("down", [False, True])
def test_lines_go_around_boxes_and_do_not_cross_before_a_box(make, down):
    root, _ = parse(run(make()).draw(down)._repr_svg_())
    ends = {}
    for line in root.iter(f"{SVG}path"):
        if line.get("class") == "f":
            pieces = curve(line)
            for x, y in np.concatenate(pieces):
                assert not any(a < x < a + w and b < y < b + h for a, b, w, h in boxes(root))
            (x, y), across = pieces[-1][-1], 0 if down else 1
            box = next(b for b in boxes(root) if b[0] <= x <= b[0] + b[2] and b[1] <= y <= b[1] + b[3])
            ends.setdefault(box, []).append((pieces[-1][0][across], pieces[-1][-1][across]))
    assert all(sorted(pairs) == sorted(pairs, key=lambda pair: pair[1]) for pairs in ends.values())


def test_a_box_stands_in_the_middle_of_its_neighbours():
    x = Variable(1.0, "x")
    places = boxes(parse((x.relu() + x.sigmoid()).draw()._repr_svg_())[0])
    first, above, below, last = (b + h / 2 for _, b, _, h in places)
    assert [first, last] == pytest.approx([(above + below) / 2] * 2, abs=1)


@each_graph
@pytest.mark.parametrize("down", [False, True])
def test_every_text_lies_inside_the_picture_and_in_one_box_or_none(make, down):
    root, _ = parse(run(make()).draw(down)._repr_svg_())
    width, height = (float(root.get(k)) for k in ("width", "height"))
    labels, kinds = 0, [e.tag.removeprefix(SVG) for e in root]
    assert kinds[: kinds.index("text")].count("path") == kinds.count("path")  # no line runs through a text
    for t in root.iter(f"{SVG}text"):
        extent = 7.8 * len(t.text)
        left = float(t.get("x")) - extent * {None: 0, "middle": 0.5, "end": 1}[t.get("text-anchor")]
        right, bottom = left + extent, float(t.get("y"))
        assert left >= 0 and right <= width and bottom - 10 >= 0 and bottom + 4 <= height
        inside = [a <= left and right <= a + w and b <= bottom - 10 and bottom <= b + h for a, b, w, h in boxes(root)]
        beside = [right < a or a + w < left or bottom < b or b + h < bottom - 10 for a, b, w, h in boxes(root)]
        assert sum(inside) + sum(beside) == len(inside) and sum(inside) <= 1
        labels += not any(inside)
    assert (labels > 0) == (make in (two_paths, deep))  # where they are short enough


def test_values_and_gradients_differ_by_more_than_colour():
    root, _ = parse(run(two_paths()).draw()._repr_svg_())
    style = root.find(f"{SVG}style").text
    assert "font-style:italic" in re.search(r"\.g\{[^}]*\}", style).group()
    assert "stroke-dasharray" in re.search(r"\.b\{[^}]*\}", style).group()
    assert "font-style" not in re.search(r"\.v\{[^}]*\}", style).group()
    for t in root.iter(f"{SVG}text"):
        kind = t.get("class")
        assert kind == ("g" if re.match(r"d|\d", t.text) else "v" if "=" in t.text else "")
    for p in root.iter(f"{SVG}path"):
        if p.get("class"):
            assert (p.get("marker-start") is None) == (p.get("class") == "f") == (p.get("marker-end") is not None)


def test_a_picture_is_the_same_every_time_and_small():
    first, second = (run(two_paths()).draw()._repr_svg_() for _ in range(2))
    assert first == second and len(first) < 4000
    assert len(run(deep()).draw()._repr_svg_()) < 20_000


class Doubled:
    """A node that inherits nothing."""

    params, grads = [], []

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


def test_the_values_and_passes_of_a_node_that_promises_nothing_are_kept_as_well():
    x = Variable([1.0, 2.0])
    y = apply(Doubled(), x)
    with pytest.raises(ValueError, match="read-only"):
        y.value[0] = 5
    y.backward([1.0, 1.0])
    assert x.grad.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="does not remember this forward pass"):
        y.backward([1.0, 1.0])
