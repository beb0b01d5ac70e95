"""Section 1.3.1: every function against 60-digit arithmetic, in every float type, and at the limits."""

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from helpers import FLOATS, distributions, leading_axes, normal, seeds, untouched
from hypothesis import given
from hypothesis import strategies as st

from mlcore import (
    cross_entropy_error,
    log_softmax,
    sigmoid,
    sigmoid_cross_entropy,
    softmax,
    softmax_cross_entropy,
)
from mlcore.functions import mean

getcontext().prec = 60
dtypes = st.sampled_from(FLOATS)


# -- the same functions in decimal arithmetic, straight from their definitions --


def exact_sigmoid(x):
    return 1 / (1 + (-x).exp())


def exact_softmax(row):
    e = [x.exp() for x in row]
    return [x / sum(e) for x in e]


def exact_mean(values):
    return sum(values) / len(values)


def exact_softmax_cross_entropy(rows, targets):
    pairs = [zip(ts, exact_softmax(row), strict=True) for row, ts in zip(rows, targets, strict=True)]
    return exact_mean([-sum(t * p.ln() for t, p in pair) for pair in pairs])


def exact_sigmoid_cross_entropy(xs, ts):
    pairs = zip(xs, ts, strict=True)
    return exact_mean([-t * exact_sigmoid(x).ln() - (1 - t) * exact_sigmoid(-x).ln() for x, t in pairs])


def to_decimal(array):
    """An array as nested lists of Decimal, without rounding."""
    return [to_decimal(a) for a in array] if np.ndim(array) else Decimal(float(array))


def assert_close(actual, exact, dtype, rtol, atol=0.0):
    """Within `rtol` and `atol` machine epsilons, plus one step of what underflows gradually."""
    info = np.finfo(dtype)
    exact = np.asarray(exact, dtype=object)
    for a, e in zip(np.ravel(actual), exact.ravel(), strict=True):
        bound = float(info.eps) * (rtol * abs(float(e)) + atol) + 2 * float(info.smallest_subnormal)
        assert abs(Decimal(float(a)) - e) <= bound, (a, e)


def wide(seed, shape, dtype, largest=1000):
    """Numbers of all sizes up to `largest`, of both signs."""
    rng = np.random.default_rng(seed)
    x = np.asarray(rng.choice([-1, 1], shape) * largest ** rng.uniform(-1, 1, shape))
    return x.astype(dtype)


# -- against the exact values --


@given(seeds, dtypes)
def test_sigmoid_is_exact_to_a_few_roundings(seed, dtype):
    x = wide(seed, 20, dtype)
    assert_close(sigmoid(x), [exact_sigmoid(v) for v in to_decimal(x)], dtype, rtol=4)


@given(seeds, dtypes, st.integers(1, 6))
def test_softmax_is_exact_up_to_the_rounding_of_the_shift(seed, dtype, classes):
    x = wide(seed, (4, classes), dtype)
    gap = float(np.ptp(x.astype(float), axis=-1).max())
    assert_close(softmax(x), [exact_softmax(r) for r in to_decimal(x)], dtype, rtol=8 + gap)


@given(seeds, dtypes, st.integers(1, 6))
def test_log_softmax_is_exact_also_where_softmax_rounds_to_zero(seed, dtype, classes):
    x = wide(seed, (4, classes), dtype)
    exact = [[p.ln() for p in exact_softmax(r)] for r in to_decimal(x)]
    assert_close(log_softmax(x), exact, dtype, rtol=4, atol=8)


@given(seeds, dtypes, st.integers(1, 6))
def test_softmax_cross_entropy_is_exact(seed, dtype, classes):
    x, t = wide(seed, (4, classes), dtype), distributions(seed, (4, classes), dtype)
    assert_close(softmax_cross_entropy(x, t), exact_softmax_cross_entropy(to_decimal(x), to_decimal(t)), dtype, 8, 8)


@given(seeds, dtypes)
def test_sigmoid_cross_entropy_has_full_relative_precision(seed, dtype):
    x, t = wide(seed, 5, dtype), np.random.default_rng(seed).uniform(0, 1, 5).astype(dtype)
    exact = exact_sigmoid_cross_entropy(to_decimal(x), to_decimal(t))
    assert_close(sigmoid_cross_entropy(x, t), exact, dtype, rtol=16)


@given(seeds, dtypes)
def test_cross_entropy_error_is_exact(seed, dtype):
    y, t = distributions(seed, (3, 4), dtype), distributions(seed + 1, (3, 4), dtype)
    rows = zip(to_decimal(y), to_decimal(t), strict=True)
    exact = exact_mean([-sum(q * p.ln() for p, q in zip(*row, strict=True)) for row in rows])
    assert_close(cross_entropy_error(y, t), exact, dtype, rtol=8)


# -- properties --


@pytest.mark.parametrize("dtype", FLOATS)
def test_values_at_plus_and_minus_1000(dtype):
    x = np.array([-1000, 0, 1000], dtype)
    assert sigmoid(x).tolist() == [0, 0.5, 1]
    assert softmax(x).tolist() == [0, 0, 1]
    assert log_softmax(x).tolist() == [-2000, -1000, 0]
    assert softmax_cross_entropy(x, 0) == 2000
    assert sigmoid_cross_entropy(x[[0, 2]], [1, 0]) == 1000
    assert sigmoid_cross_entropy(x[[0, 2]], [0, 1]) == 0


@pytest.mark.parametrize("dtype", FLOATS)
def test_largest_float_overflows_nothing(dtype):
    big = np.finfo(dtype).max
    x = np.array([-big, big], dtype)
    assert sigmoid(x).tolist() == [0, 1]
    assert softmax(x).tolist() == [0, 1]
    assert softmax_cross_entropy(x, 1) == 0


@given(seeds, leading_axes, dtypes)
def test_dtype_and_leading_axes_are_kept(seed, lead, dtype):
    x = normal(seed, (*lead, 3), dtype)
    labels = np.random.default_rng(seed).integers(0, 3, lead)
    for f in (sigmoid, softmax, log_softmax):
        assert f(x).shape == x.shape and f(x).dtype == dtype
        for index in np.ndindex(lead):
            np.testing.assert_array_equal(f(x)[index], f(x[index]))
    losses = softmax_cross_entropy(x, labels), cross_entropy_error(softmax(x), labels), sigmoid_cross_entropy(x, x > 0)
    for loss in losses:
        assert loss.shape == () and loss.dtype == dtype


@pytest.mark.parametrize("x", [[0, 1], np.array([0, 1], np.int8), [False, True]])
def test_integers_and_booleans_count_as_float64(x):
    for f in (sigmoid, softmax, log_softmax):
        np.testing.assert_array_equal(f(x), f(np.array([0.0, 1.0])), strict=True)


def test_scalar_is_a_shape_too():
    assert sigmoid(0) == 0.5
    assert sigmoid_cross_entropy(0, 1) == pytest.approx(math.log(2), rel=1e-15)
    assert softmax_cross_entropy([0.0, 0.0], 1) == pytest.approx(math.log(2), rel=1e-15)


@given(seeds, leading_axes)
def test_softmax_rows_sum_to_one_and_do_not_notice_a_shift(seed, lead):
    x = normal(seed, (*lead, 4))
    np.testing.assert_allclose(softmax(x).sum(axis=-1), 1, rtol=1e-15)
    np.testing.assert_allclose(softmax(x + 100), softmax(x), rtol=1e-12)


@given(seeds)
def test_index_labels_mean_the_same_as_one_hot_rows(seed):
    x, t = normal(seed, (2, 3, 4)), np.random.default_rng(seed).integers(0, 4, (2, 3))
    for one_hot in (np.eye(4)[t], np.eye(4, dtype=int)[t], np.eye(4, dtype=bool)[t]):
        assert softmax_cross_entropy(x, t) == softmax_cross_entropy(x, one_hot)
        assert cross_entropy_error(softmax(x), t) == cross_entropy_error(softmax(x), one_hot)


@given(seeds)
def test_binary_is_two_classes_of_which_one_scores_0(seed):
    x, t = normal(seed, 5), np.random.default_rng(seed).integers(0, 2, 5)
    two = np.stack([np.zeros(5), x], axis=1)
    assert sigmoid_cross_entropy(x, t) == pytest.approx(softmax_cross_entropy(two, t), rel=1e-14)
    assert sigmoid_cross_entropy(x[:, np.newaxis], t) == sigmoid_cross_entropy(x, t[:, np.newaxis])


def test_certain_and_right_costs_positive_zero_and_impossible_costs_infinity():
    for loss in (cross_entropy_error([[1.0, 0.0]], [0]), softmax_cross_entropy([[1000.0, 0.0]], [0])):
        assert loss == 0 and not np.signbit(loss)
    assert cross_entropy_error([[1.0, 0.0], [0.5, 0.5]], [1, 0]) == np.inf
    assert cross_entropy_error([[1.0, 0.0]], [[1.0, 0.0]]) == 0  # 0 log 0 is 0


def test_minus_infinity_is_probability_0_and_nan_stays_visible():
    assert softmax([-np.inf, 0.0, 0.0]).tolist() == [0, 0.5, 0.5]
    assert sigmoid([-np.inf, np.inf]).tolist() == [0, 1]
    assert np.isnan(sigmoid(np.nan))


@pytest.mark.parametrize("wrong", [0.9, 1.1])
def test_rows_of_probabilities_may_be_rounded_by_hand_but_not_wrong(wrong):
    rounded = np.array([[0.333, 0.333, 0.3335]])
    assert cross_entropy_error(rounded, rounded) > 0
    with pytest.raises(ValueError, match="y must sum to 1; found a row that sums to (0.8|1.0)"):
        cross_entropy_error(rounded * wrong, [0])
    with pytest.raises(ValueError, match="t must sum to 1; found a row that sums to (0.8|1.0)"):
        softmax_cross_entropy(rounded, rounded * wrong)


@pytest.mark.parametrize("function", [softmax, log_softmax])
def test_one_row_without_a_finite_largest_score_is_enough_to_be_refused(function):
    with pytest.raises(ValueError, match="a row has no finite largest score"):
        function([[0.0, 1.0], [np.nan, 0.0]])


@pytest.mark.parametrize(
    ("row", "dtype", "message"),
    [
        ([0.5, 0.5009], np.float64, None),
        ([0.5, 0.5011], np.float64, "sum to 1"),
        ([1 + 10 * 2**-10, 0], np.float16, None),  # ten times the epsilon of float16, to the last bit
        ([0.5, 0.5 + 11 * 2**-10], np.float16, "sum to 1"),
        ([1.5, 0.0], np.float64, r"outside \[0, 1\]"),
        ([[0.95, 0.95], [0.4, 0.4]], np.float64, "a row that sums to 1.9$"),  # the worst of both
    ],
)
def test_a_distribution_may_be_wrong_by_a_thousandth_or_ten_roundings(row, dtype, message):
    p = np.array(row, dtype)
    labels = np.zeros(p.shape[:-1], int)
    if message is None:
        assert cross_entropy_error(p, labels) < 1
    else:
        with pytest.raises(ValueError, match=message):
            cross_entropy_error(p, labels)


def test_many_rows_in_half_precision_are_no_many_classes():
    assert softmax_cross_entropy(np.zeros((65505, 1), np.float16), np.zeros(65505, int)) == 0
    with pytest.raises(ValueError, match="65504 classes"):
        softmax(np.zeros((1, 65505), np.float16))


# -- known answers --


@pytest.mark.parametrize(
    ("count", "nll"), [(3, 1.0986122886681098), (10, 2.302585092994046)], ids=["three classes", "ten classes"]
)
def test_at_chance_the_loss_is_the_logarithm_of_the_number_of_classes(count, nll):
    assert softmax_cross_entropy(np.zeros((7, count)), np.zeros(7, int)) == pytest.approx(nll, rel=1e-15)


def test_scores_123_456_789_have_a_softmax():
    assert softmax([123, 456, 789]) == pytest.approx([5.75e-290, 2.40e-145, 1.0], rel=1e-2)


# -- what does not fit --

BOTH_SHAPES = r"\(2, 3\).*\(3,\)"
BAD = {
    "sigmoid of text": (lambda: sigmoid(["a"]), TypeError, "sigmoid: expected real numbers; got dtype <U1"),
    "sigmoid of complex": (lambda: sigmoid([1j]), TypeError, "complex"),
    "sigmoid of None": (lambda: sigmoid(None), TypeError, "object"),
    "ragged rows": (lambda: softmax([[1.0], [1.0, 2.0]]), TypeError, "softmax: .*rows of different lengths"),
    "masked rows": (lambda: softmax((np.ma.masked_array([1.0], [True]),)), TypeError, "softmax: masked arrays"),
    "masked array": (lambda: softmax(np.ma.masked_array([1.0], [True])), TypeError, "softmax: masked arrays"),
    "softmax of a number": (lambda: softmax(1.0), ValueError, r"softmax: .*got \(\)"),
    "softmax without classes": (lambda: softmax(np.ones((2, 0))), ValueError, r"softmax: .*got \(2, 0\)"),
    "softmax of NaN": (lambda: softmax([np.nan, 0]), ValueError, "softmax: a row has no finite largest"),
    "log_softmax of inf": (lambda: log_softmax([np.inf, 0]), ValueError, "log_softmax: a row has no finite"),
    "softmax of only -inf": (lambda: softmax([-np.inf, -np.inf]), ValueError, "softmax: a row has no finite"),
    "no probabilities": (lambda: cross_entropy_error([[2.0, -1.0]], [0]), ValueError, "y must be probabilities"),
    "probability above 1": (lambda: cross_entropy_error([[1e308, 1e308]], [0]), ValueError, "y must be prob"),
    "empty y": (lambda: cross_entropy_error(np.ones((0, 3)), []), ValueError, "empty batch"),
    "empty batch": (lambda: cross_entropy_error(np.ones((0, 3)), np.ones(0, int)), ValueError, r"empty.*\(0, 3\)"),
    "empty logits": (lambda: softmax_cross_entropy(np.ones((0, 3)), np.ones(0, int)), ValueError, r"\(0, 3\)"),
    "empty scores": (lambda: sigmoid_cross_entropy(np.ones(0), np.ones(0)), ValueError, r"empty.*\(0,\)"),
    "infinite logit": (lambda: softmax_cross_entropy([[0, np.inf]], [0]), ValueError, r"inf at index \(0, 1\)"),
    "NaN score": (lambda: sigmoid_cross_entropy([0, np.nan], [0, 1]), ValueError, r"nan at index \(1,\)"),
    "too many labels": (lambda: softmax_cross_entropy(np.ones((2, 3)), [0, 1, 2]), ValueError, BOTH_SHAPES),
    "labels (N, 1)": (lambda: softmax_cross_entropy(np.ones((2, 3)), [[0], [1]]), ValueError, r"\(2, 3\).*\(2, 1\)"),
    "label too large": (lambda: softmax_cross_entropy(np.ones((2, 3)), [0, 3]), ValueError, r"0\.\.2; got 0\.\.3"),
    "label negative": (lambda: softmax_cross_entropy(np.ones((2, 3)), [-1, 2]), ValueError, r"0\.\.2; got -1\.\.2"),
    "float labels": (lambda: softmax_cross_entropy(np.ones((2, 3)), [0.0, 1.0]), ValueError, "float64"),
    "bool labels": (lambda: softmax_cross_entropy(np.ones((2, 3)), [True, False]), ValueError, "bool"),
    "negative target": (lambda: softmax_cross_entropy(np.ones((1, 2)), [[-1.0, 2.0]]), ValueError, "t must be prob"),
    "NaN target": (lambda: softmax_cross_entropy(np.ones((1, 2)), [[np.nan, 1.0]]), ValueError, "t must be prob"),
    "huge target": (
        lambda: softmax_cross_entropy(np.ones((1, 2), np.float32), [[1e300, 0.0]]),
        ValueError,
        "t must be probabilities",
    ),
    "worst row": (lambda: softmax_cross_entropy(np.ones((2, 2)), [[0.5, 0.4], [0.5, 0.1]]), ValueError, "sums to 0.6$"),
    "two ones": (lambda: softmax_cross_entropy(np.ones((1, 2)), [[1, 1]]), ValueError, "sums to 2"),
    "one number": (lambda: softmax_cross_entropy(1.0, 0), ValueError, "got a single number|got \\(\\)"),
    "binary shapes": (lambda: sigmoid_cross_entropy(np.ones((2, 3)), np.ones(3)), ValueError, BOTH_SHAPES),
    "(N, 1), (M,)": (lambda: sigmoid_cross_entropy(np.ones((2, 1)), np.ones(3)), ValueError, r"\(2, 1\).*\(3,\)"),
    "target above 1": (lambda: sigmoid_cross_entropy([0, 0], [0, 2]), ValueError, r"in \[0, 1\]; got 0\.\.2"),
    "target below 0": (lambda: sigmoid_cross_entropy([0, 0], [0, -1]), ValueError, r"in \[0, 1\]; got -1\.\.0"),
    "target NaN": (lambda: sigmoid_cross_entropy([0.0], [np.nan]), ValueError, r"in \[0, 1\]"),
    "target text": (lambda: sigmoid_cross_entropy([0.0], ["a"]), TypeError, "sigmoid_cross_entropy: .*<U1"),
}


@pytest.mark.parametrize(("call", "exception", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


@given(seeds)
def test_functions_are_pure(seed):
    x, labels, t = normal(seed, (2, 3)), np.array([0, 2]), distributions(seed, (2, 3))
    with untouched(x, labels, t):
        for f in (sigmoid, softmax, log_softmax):
            assert not np.shares_memory(f(x), x)
        for target in (labels, t):
            softmax_cross_entropy(x, target)
            cross_entropy_error(softmax(x), target)
        sigmoid_cross_entropy(x, t)


def test_what_is_silent_keeps_its_name_and_its_text():
    assert softmax.__name__ == "softmax" and softmax.__doc__.startswith("Softmax over the last axis.")


def test_a_mean_is_a_float_also_where_only_the_sum_is_too_large():
    for values in (np.ones(3), np.full(4, 1e308)):
        with np.errstate(over="ignore"):
            assert type(mean(values)) is float and mean(values) == values[0]
