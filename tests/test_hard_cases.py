"""Every public callable on stored hard cases: the right answer, or an error that names it and leaves all as it was."""

from decimal import Decimal, getcontext

import numpy as np
import pytest
from hard_cases import CALLS, FLOATS, FORMS, NOT_REAL, PARAMETER_FORMS, RIGHT_LABELS, WRONG_LABELS, X, edge
from helpers import untouched

from mlcore import (
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    accuracy,
    cross_entropy_error,
    log_softmax,
    sigmoid,
    sigmoid_cross_entropy,
    softmax,
    softmax_cross_entropy,
)


def names_of(call):
    """Who may speak in an error: the callable, or the layer in which it happens."""
    name = call.partition(",")[0]
    return {"Sequential": "^(Affine|SigmoidWithLoss)", "fit": "^(fit|Affine)", "Sigmoid": "^[sS]igmoid"}.get(name, name)


def outcome(call, arrays):
    """All that a call returns, as native arrays."""
    result = call(*arrays)
    parts = result if isinstance(result, list) else [result]
    return [np.array(a, np.asarray(a).dtype.newbyteorder("=")) for a in parts]


def assert_same(actual, expected, dtype):
    """The same to a few roundings: where the order of sums is free, or exp has one way for each stride."""
    for a, e in zip(actual, expected, strict=True):
        assert a.dtype == e.dtype and a.shape == e.shape
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a, e, rtol=16 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)
        else:
            np.testing.assert_array_equal(a, e)


def flags(x):
    return (x.dtype, x.shape, x.strides, x.flags.writeable) if isinstance(x, np.ndarray) else None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("call", CALLS)
def test_how_numbers_are_stored_makes_no_difference(call, form):
    function, plain, parameters = CALLS[call]
    for dtype in FLOATS:
        arrays = [a.astype(dtype) for a in plain]
        expected = outcome(function, [a.copy() for a in arrays])
        for k in range(len(arrays)):
            if k in parameters and form not in PARAMETER_FORMS:
                continue
            given = [FORMS[form](a) if i == k else a.copy() for i, a in enumerate(arrays)]
            before = [flags(a) for a in given]
            read = [a for i, a in enumerate(given) if i not in parameters]
            with untouched(*read):
                assert_same(outcome(function, given), expected, dtype)
            assert [flags(a) for a in given] == before


@pytest.mark.parametrize("wrong", NOT_REAL)
@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_array_of_real_numbers_is_refused_by_name(call, wrong):
    function, plain, parameters = CALLS[call]
    for k in range(len(plain)):
        given = [NOT_REAL[wrong] if i == k else a.copy() for i, a in enumerate(plain)]
        with untouched(*given), pytest.raises(TypeError, match=names_of(call)):
            function(*given)


# -- numbers at the edge of each type, against decimal arithmetic with 60 digits --

getcontext().prec, getcontext().Emax, getcontext().Emin = 60, 10**7, -(10**7)
UNDERFLOW = Decimal(-20_000)  # exp of less is 0 in every type


def exact(x):
    """A float of any type as a Decimal."""
    above, below = x.as_integer_ratio()
    return Decimal(above) / Decimal(below)


def exp(x):
    return x.exp() if x > UNDERFLOW else Decimal(0)


def close(actual, expected, dtype, roundings):
    """Whether a float is the Decimal up to some roundings, or up to as many of the smallest steps next to 0."""
    f = np.finfo(dtype)
    error = abs(exact(actual) - expected)
    return error <= roundings * max(abs(expected) * exact(f.eps), exact(f.smallest_subnormal))


each_float = pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: dtype.__name__)


@each_float
def test_sigmoid_and_its_slope_at_the_edge(dtype):
    x = edge(dtype)
    layer = Sigmoid()
    y, slope = layer.forward(x), layer.backward(np.ones_like(x))
    for xi, yi, si in zip(x, y, slope, strict=True):
        s = 1 / (1 + exp(-exact(xi))) if xi >= 0 else exp(exact(xi)) / (1 + exp(exact(xi)))
        assert close(yi, s, dtype, 3), xi
        assert close(si, exact(yi) * (1 - exact(yi)), dtype, 3), xi
    np.testing.assert_array_equal(y, sigmoid(x))


@each_float
def test_softmax_at_the_edge(dtype):
    """All pairs of edge numbers: the gap is rounded once, so exp may be wrong by its relative error."""
    x = edge(dtype)
    pairs = np.array([(a, b) for a in x for b in x])
    y, logy = softmax(pairs), log_softmax(pairs)
    largest, eps = exact(np.finfo(dtype).max), exact(np.finfo(dtype).eps)
    for pair, yi, li in zip(pairs, y, logy, strict=True):
        shifted = [exact(v) - exact(max(pair)) for v in pair]
        e = [exp(s) for s in shifted]
        for value, log, ek, s in zip(yi, li, e, shifted, strict=True):
            assert close(value, ek / sum(e), dtype, 4 - 2 * int(max(s, UNDERFLOW))), pair
            if s < -largest * (1 + eps):
                assert log == -np.inf
            else:
                assert abs(exact(log) - (s - sum(e).ln())) <= 4 * eps * max(1, -s), pair


@each_float
@pytest.mark.parametrize("loss", [sigmoid_cross_entropy, lambda x, t: SigmoidWithLoss().forward(x, t)])
def test_binary_cross_entropy_at_the_edge(loss, dtype):
    for x in edge(dtype):
        for t in (0, 1):
            z = exact(x) if t == 0 else -exact(x)
            e = exp(-abs(z))
            expected = max(z, Decimal(0)) + ((1 + e).ln() if e > Decimal("1e-40") else e)
            value = loss(np.array([x]), [t])
            if expected > exact(np.finfo(float).max):  # a long double: losses are computed in float64
                assert value == np.inf
            else:
                assert close(value, expected, min(dtype, np.float64, key=lambda kind: np.finfo(kind).bits), 4), (x, t)


@each_float
def test_the_mean_of_the_largest_losses_is_their_size_and_not_infinite(dtype):
    largest = np.finfo(dtype).max
    x = np.array([largest, -largest])
    if largest <= np.finfo(float).max:
        assert SigmoidWithLoss().forward(x, [0, 1]) == sigmoid_cross_entropy(x, [0, 1]) == largest
        assert SoftmaxWithLoss().forward(np.stack([x, 0 * x], axis=1), [1, 0]) == largest


NOT_FINITE = [np.nan, np.inf, -np.inf]


@each_float
@pytest.mark.parametrize("bad", NOT_FINITE)
@pytest.mark.parametrize("where", [(0, 0), (1, 2)])
@pytest.mark.parametrize(
    "call",
    [
        *(name for name in CALLS if CALLS[name][0] in (sigmoid_cross_entropy, cross_entropy_error)),
        *("SigmoidWithLoss", "numerical_gradient", "fit"),
    ],
)
def test_a_number_that_is_not_finite_is_refused_where_it_has_no_meaning(call, where, bad, dtype):
    function, (x, *others), _ = CALLS[call]
    x, others = x.astype(dtype), [o.astype(dtype) for o in others]
    x[where] = bad
    with untouched(x, others), pytest.raises((ValueError, RuntimeError), match=names_of(call)):
        function(x, *others)


def plain_sigmoid(x, d):
    y = 1 / (1 + np.exp(-x))
    return [y, d * y * (1 - y)]


BY_HAND = {
    "Add": lambda x, y, d: [x + y, d, d.sum(axis=0)],
    "Multiply": lambda x, y, d: [x * y, d * y, (d * x).sum(axis=0, keepdims=True)],
    "Branch": lambda x, d, e: [x, x, d + e],
    "Repeat": lambda x, d: [x[:, [0, 0, 1, 1]], d[:, ::2] + d[:, 1::2]],
    "Sum": lambda x, d: [x.sum(axis=1, keepdims=True), d[:, [0, 0, 0]]],
    "MatMul": lambda x, w, d: [np.einsum(*i) for i in (("nd,dh->nh", x, w), ("nh,dh->nd", d, w), ("nd,nh->dh", x, d))],
    "Affine": lambda x, w, b, d: [BY_HAND["MatMul"](x, w, d)[0] + b, *BY_HAND["MatMul"](x, w, d)[1:], d.sum(axis=0)],
    "Sigmoid": plain_sigmoid,
}


@each_float
@pytest.mark.parametrize("number", [*NOT_FINITE, "max", "tiny", "smallest_subnormal"])
@pytest.mark.parametrize("call", BY_HAND)
def test_nodes_and_layers_let_every_number_go_the_way_of_ieee_arithmetic(call, number, dtype):
    function, plain, _ = CALLS[call]
    for k in range(len(plain)):
        arrays = [a.astype(dtype) for a in plain]
        arrays[k].flat[0] = getattr(np.finfo(dtype), number) if isinstance(number, str) else number
        with np.errstate(all="ignore"):
            expected = BY_HAND[call](*arrays)
        assert_same(outcome(function, arrays), expected, dtype)


# -- labels --

WITH_CLASSES = {
    "cross_entropy_error": lambda x, t: cross_entropy_error(softmax(x), t),
    "softmax_cross_entropy": softmax_cross_entropy,
    "SoftmaxWithLoss": lambda x, t: SoftmaxWithLoss().forward(x, t),
    "accuracy": accuracy,
}
each_with_classes = pytest.mark.parametrize("name", WITH_CLASSES)


@each_with_classes
@pytest.mark.parametrize("form", RIGHT_LABELS)
def test_every_form_of_labels_means_the_same(name, form):
    t = RIGHT_LABELS[form]
    with untouched(X, t):
        value = WITH_CLASSES[name](X, t)
    rows = softmax(X)[[0, 1], [2, 0]]
    assert value == pytest.approx(0.5 if name == "accuracy" else -np.log(rows).mean(), rel=1e-14)


@each_with_classes
@pytest.mark.parametrize("form", WRONG_LABELS)
def test_wrong_labels_are_refused_by_name(name, form):
    t = WRONG_LABELS[form]
    if name == "accuracy" and np.shape(t) == X.shape and not np.isnan(t).any():
        assert accuracy(X, t) in (0, 0.5)  # of rows only the largest entry counts
        return
    with untouched(X, t), pytest.raises(ValueError, match=f"^{name}: "):
        WITH_CLASSES[name](X, t)


def test_labels_are_looked_at_before_they_are_cut_to_the_word_of_the_machine(monkeypatch):
    """2**32 would be class 0 where an index has 32 bits."""
    monkeypatch.setattr(np, "intp", np.int32)
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.2; got 0\.\.4294967296"):
        softmax_cross_entropy(X, np.array([2**32, 0], np.int64))


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_cross_entropy", "SoftmaxWithLoss"])
def test_half_precision_says_that_it_cannot_add_up_so_many_classes(name):
    call = {"softmax": lambda x, t: softmax(x), "log_softmax": lambda x, t: log_softmax(x), **WITH_CLASSES}[name]
    call(np.zeros(65504, np.float16), 7)
    with pytest.raises(ValueError, match=rf"^{name}: float16 .* 65504 classes; got \(65505,\), so use float32"):
        call(np.zeros(65505, np.float16), 7)
    call(np.zeros(65505, np.float32), 7)


@pytest.mark.parametrize("scores", [[[np.nan, 1.0], [0.0, 1.0]], [np.nan, 1.0], [[np.nan], [1.0]]])
def test_accuracy_refuses_scores_that_are_no_numbers(scores):
    with pytest.raises(ValueError, match="^accuracy: scores and targets must not be NaN"):
        accuracy(scores, [1, 1])
