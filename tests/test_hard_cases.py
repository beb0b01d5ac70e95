"""Every public callable on stored hard cases: the right answer, or an error that names it and leaves all as it was."""

import math
import re
import threading
from decimal import Decimal, getcontext
from types import SimpleNamespace

import numpy as np
import pytest
from hard_cases import (
    CALLS,
    FLOATS,
    FORMS,
    LABELS,
    NOT_REAL,
    PARAMETER_FORMS,
    RIGHT_LABELS,
    RULES,
    UP,
    WRONG_LABELS,
    B,
    P,
    W,
    X,
    edge,
    passed,
)
from helpers import untouched
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlcore import (
    SGD,
    Add,
    Affine,
    Branch,
    MatMul,
    Multiply,
    Power,
    ReLU,
    Repeat,
    Sequential,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    Sum,
    accuracy,
    cross_entropy_error,
    fit,
    gradient_check,
    load_spiral,
    log_softmax,
    numerical_gradient,
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
        slope = s * (1 - s) if dtype is np.float16 else exact(yi) * (1 - exact(yi))  # half is computed in single
        assert close(si, slope, dtype, 3), xi
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
    "Power": lambda x, d: [x * x * x, d * (3 * x * x)],
    "MatMul": lambda x, w, d: [np.einsum(*i) for i in (("nd,dh->nh", x, w), ("nh,dh->nd", d, w), ("nd,nh->dh", x, d))],
    "Affine": lambda x, w, b, d: [BY_HAND["MatMul"](x, w, d)[0] + b, *BY_HAND["MatMul"](x, w, d)[1:], d.sum(axis=0)],
    "Sigmoid": plain_sigmoid,
    "ReLU": lambda x, d: [np.where(x < 0, 0, x), np.where(x > 0, d, 0)],
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


@each_float
@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_needs_room_for_its_step(sign, dtype):
    x = np.array([1, sign * np.finfo(dtype).max], dtype)
    with untouched(x), pytest.raises(ValueError, match=r"^numerical_gradient: x must leave room .* at index \(1,\)"):
        numerical_gradient(lambda y: 0.0, x)


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
    with pytest.raises(ValueError, match=rf"^{name}: float16 .* 65504 classes; got \(65505,\): use float32"):
        call(np.zeros(65505, np.float16), 7)
    call(np.zeros(65505, np.float32), 7)


@pytest.mark.parametrize("scores", [[[np.nan, 1.0], [0.0, 1.0]], [np.nan, 1.0], [[np.nan], [1.0]]])
def test_accuracy_refuses_scores_that_are_no_numbers(scores):
    with pytest.raises(ValueError, match="^accuracy: scores and targets must not be NaN"):
        accuracy(scores, [1, 1])


# -- arguments that are no arrays --


@pytest.mark.parametrize(
    ("call", "message"),
    [
        *(
            (lambda p=p, g=g, rule=rule: rule().update(p, g), f"^{rule.__name__}.update: expected a list of parameters")
            for rule in RULES
            for p, g in [
                (None, []),
                ([], None),
                (X, [X]),
                ([X], X),
                (iter([X]), [X]),
                ([X], iter([X])),
                ({"W": X}, [X]),
            ]
        ),
        (lambda: fit(None, SGD(), X, [0, 1], epochs=1), "^fit: expected a network and an optimizer"),
        (lambda: fit(trainable(), None, X, [0, 1], epochs=1), "^fit: expected a network and an optimizer"),
        (lambda: fit(trainable(), SGD(), X, [0, 1], epochs=1, test=X), "^fit: test must be a pair"),
        (lambda: fit(trainable(), SGD(), X, [0, 1], epochs=1, test=(X,)), "^fit: test must be a pair"),
        (lambda: fit(trainable(), SGD(), X, [0, 1], epochs=1.0), "^fit: epochs must be an integer"),
        (lambda: fit(trainable(), SGD(), X, [0, 1], epochs=np.timedelta64(1)), "^fit: epochs must be an integer"),
        (lambda: fit(trainable(), SGD(), X, [0, 1], epochs=1, batch_size=True), "^fit: batch_size must be an integer"),
        (lambda: Sequential("W"), "^Sequential: expected layers with forward, backward, params, grads; got 'W'"),
        (lambda: Sequential(Sigmoid(), loss=abs), "^Sequential: expected layers with forward, backward; got"),
        (lambda: Sequential(SimpleNamespace(forward=abs, backward=abs)), "^Sequential: expected layers with"),
        (lambda: gradient_check(Sigmoid, X), "^gradient_check: expected a layer"),
        (lambda: gradient_check(None, X), "^gradient_check: expected a layer"),
        (lambda: numerical_gradient(X, X), "^numerical_gradient: f must be callable"),
        (lambda: Branch(np.timedelta64(2)), "^Branch: n must be an integer"),
        (lambda: Repeat(2, axis=None), "^Repeat: axis must be an integer"),
        (lambda: Sum(axis=(0, 1)), "^Sum: axis must be an integer"),
        (lambda: load_spiral(np.timedelta64(2)), "^load_spiral: seed must be an integer"),
        (lambda: load_spiral("0"), "^load_spiral: seed must be an integer"),
    ],
)
def test_an_argument_of_another_kind_is_refused_by_name(call, message):
    with untouched(X), pytest.raises(TypeError, match=message):
        call()


def trainable():
    return Sequential(Affine(W.copy(), B.copy()), loss=SoftmaxWithLoss())


# -- arrays that are also other arrays --


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_parameters_and_gradients_may_lie_anywhere_as_long_as_parameters_do_not_overlap(rule):
    """In one buffer, in turns, backwards; a gradient may lie on any parameter."""
    buffer = np.arange(24.0) - 7
    params = [buffer[0:6:2], buffer[1:6:2], buffer[11:5:-1].reshape(2, 3), buffer[12:18].reshape(3, 2).T]
    grads = [buffer[1:4], buffer[0:3], buffer[12:18].reshape(2, 3), buffer[6:12].reshape(2, 3)[::-1]]
    rest = buffer[18:].copy()
    copies = [p.copy() for p in params]
    other, optimizer = rule(lr=0.5), rule(lr=0.5)
    for _ in range(3):
        other.update(copies, [g.copy() for g in grads])
        optimizer.update(params, grads)
        for p, c in zip(params, copies, strict=True):
            np.testing.assert_array_equal(p, c)
    np.testing.assert_array_equal(buffer[18:], rest)


ALIASES = {
    "x is W": lambda a: (a, a, a[0]),
    "x is the transpose of W": lambda a: (a.T, a, a[0]),
    "b is a row of W": lambda a: (a + 1, a, a[1]),
    "b is a column of x": lambda a: (a, a + 1, a[:, 1]),
    "all are one, broadcast": lambda a: (np.broadcast_to(a[0], a.shape), a, a[0]),
}


@pytest.mark.parametrize("alias", ALIASES)
def test_what_a_layer_is_given_may_be_the_same_memory(alias):
    x, w, b = ALIASES[alias](np.arange(9.0).reshape(3, 3) - 4)
    expected = passed(Affine(w.copy(), b.copy()), [x.copy()], [x.copy()])
    with untouched(x, w, b):
        actual = passed(Affine(w, b), [x], [x])
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, e)
        assert not any(np.shares_memory(a, given) for given in (x, w, b))


# -- who owns which array --


@pytest.mark.parametrize("call", [name for name in CALLS if name not in {rule.__name__ for rule in RULES}])
def test_nothing_that_is_returned_shares_memory_with_what_was_given(call):
    function, plain, parameters = CALLS[call]
    given = [a.copy() for a in plain]
    with untouched(*given):
        parts = function(*given)
    for part in parts if isinstance(parts, list) else [parts]:
        assert not any(np.shares_memory(part, a) for a in given)


LAYERS = {
    "Add": (Add, [X, X], [X]),
    "Multiply": (Multiply, [X, X], [X]),
    "Branch": (lambda: Branch(2), [X], [X, X]),
    "Repeat": (lambda: Repeat(2), [X], [np.vstack([X, X])]),
    "Sum": (Sum, [X], [X[:1]]),
    "Power": (lambda: Power(-1), [X + 0.5], [X]),
    "MatMul": (lambda: MatMul(W), [X], [UP]),
    "Affine": (lambda: Affine(W, B), [X], [UP]),
    "Sigmoid": (Sigmoid, [X], [X]),
    "ReLU": (ReLU, [X], [X]),
    "SoftmaxWithLoss": (SoftmaxWithLoss, [X, P], []),
    "SoftmaxWithLoss, labels": (SoftmaxWithLoss, [X, LABELS], []),
    "SigmoidWithLoss": (SigmoidWithLoss, [X, P], []),
    "Sequential": (trainable, [X, LABELS // 2], []),
}


@pytest.mark.parametrize("form", [None, *PARAMETER_FORMS, "memory map", "subclass"])
@pytest.mark.parametrize("name", LAYERS)
def test_what_the_caller_does_to_arrays_between_forward_and_backward_changes_no_gradient(name, form):
    """Neither to the inputs nor, where they can be written into, to the outputs."""
    make, inputs, upstream = LAYERS[name]
    gradients = []
    for meddle in (False, True):
        layer, given = make(), [FORMS.get(form, np.copy)(a.copy()) for a in inputs]
        outputs = layer.forward(*given)
        writable = [o for o in (outputs if isinstance(outputs, tuple) else (outputs,)) if isinstance(o, np.ndarray)]
        for a in [*given, *writable] if meddle else []:
            if a.flags.writeable:
                a[...] = 77
        back = layer.backward(*upstream)
        gradients.append([*(back if isinstance(back, tuple) else (back,)), *layer.grads])
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_array_equal(a, b)


# -- shapes with 0, 1 and many --

SHAPES = [(), (0,), (1,), (3,), (0, 3), (1, 3), (3, 1), (2, 3), (3, 0), (2, 0, 3), (1, 1, 1), (2, 1, 3), (1, 2, 1, 3)]
by_hand = st.sampled_from(sorted({*BY_HAND} - {"Repeat", "Sum"}))


def shapes_for(call, shape):
    """The shapes of all that a call takes when its input has this one; None where it must refuse."""
    if call in ("MatMul", "Affine"):
        d = shape[-1] if shape else 0
        return [shape, (d, 2), *([(2,)] if call == "Affine" else []), (*shape[:-1], 2)] if shape else None
    return [shape] * len(CALLS[call][1])


REDUCED = {
    "Add": lambda x, y, d: [x + y, d, d],
    "Multiply": lambda x, y, d: [x * y, d * y, d * x],
    "MatMul": lambda x, w, d: [x @ w, d @ w.T, flat(x).T @ flat(d)],
    "Affine": lambda x, w, b, d: [x @ w + b, d @ w.T, flat(x).T @ flat(d), flat(d).sum(axis=0)],
}


def flat(x):
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


@given(
    call=by_hand,
    shape=st.sampled_from(SHAPES),
    dtypes=st.lists(st.sampled_from(FLOATS[:3]), min_size=4, max_size=4),
    forms=st.lists(st.sampled_from(PARAMETER_FORMS), min_size=4, max_size=4),
    seed=st.integers(0, 1000),
)
@settings(max_examples=300)
def test_any_shape_in_any_form_and_any_mixture_of_types(call, shape, dtypes, forms, seed):
    """Small whole numbers, so that every type gives the exact answer (but Sigmoid, which is not compared in bits)."""
    rng = np.random.default_rng(seed)
    wanted = shapes_for(call, shape)
    if wanted is None:
        with pytest.raises(ValueError, match=rf"^{call}\.forward: x has shape \(\), expected"):
            CALLS[call][0](np.array(1.0), *CALLS[call][1][1:])
        return
    plain = [rng.integers(-3, 4, s).astype(d) for s, d in zip(wanted, dtypes, strict=False)]
    given_arrays = [FORMS[f](a) if a.ndim and a.size else a for f, a in zip(forms, plain, strict=False)]
    with untouched(*given_arrays):
        actual = outcome(CALLS[call][0], given_arrays)
    expected = REDUCED.get(call, BY_HAND[call])(*(a.astype(float) for a in plain))
    for a, e in zip(actual, expected, strict=True):
        assert a.shape == np.shape(e) and a.dtype.kind == "f"
        if call == "Sigmoid":
            np.testing.assert_allclose(a, e, rtol=0, atol=8 * np.finfo(np.float16).eps)
        else:
            np.testing.assert_array_equal(a, e)


def numbers(dtype):
    """Anything that the type can hold, with the edges more often."""
    return st.sampled_from([*edge(dtype).tolist(), *NOT_FINITE]) | st.floats(width=16)


@given(st.data(), st.sampled_from(FLOATS[:3]), st.sampled_from(sorted(FORMS)))
@settings(max_examples=300)
def test_any_numbers_give_a_right_answer_or_an_error_that_names_the_loss(data, dtype, form):
    """Softmax and losses on any rows: finite where they can be, refused where they have no meaning, never NaN."""
    n, c = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 4)))
    x = data.draw(hnp.arrays(dtype, (n, c), elements=numbers(dtype).map(dtype)))
    t = data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, c - 1)))
    x = FORMS[form](x)
    with untouched(x, t):
        for name in WITH_CLASSES:
            try:
                value = WITH_CLASSES[name](x, t)
            except ValueError as error:
                assert re.match(f"{name}|softmax: ", str(error)) and not np.isfinite(x).all()
            else:
                assert value >= 0 and not np.isnan(value)
                with np.errstate(all="ignore"):
                    high = np.array(x, np.longdouble)
                    gap = high - high.max(axis=-1, keepdims=True)
                    loss = (np.log(np.exp(gap).sum(axis=-1)) - gap[np.arange(n), t]).mean()
                if name != "accuracy" and loss < 0.1 * float(np.finfo(dtype).max) and name != "cross_entropy_error":
                    scale = max(1, loss)
                    assert value == pytest.approx(float(loss), abs=float(16 * np.finfo(dtype).eps * scale))


# -- silence ends where our functions end --


def overflow():
    return np.array([1e308]) * 10


def test_the_callers_own_arithmetic_warns_as_before():
    """Also after an error in the middle of a pass, and inside a network nothing is silenced twice."""
    network = Sequential(Affine(np.ones((2, 2)), np.zeros(2)), loss=SoftmaxWithLoss())
    network.forward([[1.0, 2.0]], [0])
    with pytest.warns(RuntimeWarning, match="overflow"):
        overflow()
    with pytest.raises(ValueError, match="labels must lie in"):
        network.forward([[1.0, 2.0]], [7])
    with pytest.warns(RuntimeWarning, match="overflow"):
        overflow()


def test_a_layer_of_ones_own_is_silent_inside_a_network_alone():
    class Overflow:
        params, grads = [], []

        def forward(self, x):
            overflow()
            return x

        def backward(self, dout):
            overflow()
            return dout

    network = Sequential(Overflow(), loss=SoftmaxWithLoss())
    network.forward([[1.0, 2.0]], [0])
    network.backward()
    with pytest.warns(RuntimeWarning, match="overflow"):
        network.layers[0].forward([[1.0, 2.0]])


def test_silence_in_one_thread_is_none_in_another():
    entered, leave = threading.Event(), threading.Event()

    class Slow(SGD):
        def step(self, grad):
            entered.set()
            assert leave.wait(10)
            return super().step(grad)

    thread = threading.Thread(target=lambda: Slow().update([np.ones(2)], [np.ones(2)]))
    thread.start()
    assert entered.wait(10)
    with pytest.warns(RuntimeWarning, match="overflow"):
        overflow()
    assert Affine(np.full((1, 1), 1e308), np.zeros(1)).forward([[10.0]]) == np.inf
    leave.set()
    thread.join()
