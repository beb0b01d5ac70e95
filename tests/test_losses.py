"""Sections 1.3.1 and 1.3.5: both losses, in all forms of labels, with gradients that are exact at the limits too."""

import inspect

import numpy as np
import pytest
from helpers import FLOATS, assert_gradients, distinct_memory, distributions, leading_axes, normal, seeds, untouched
from hypothesis import given
from hypothesis import strategies as st

from mlcore import (
    Sequential,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    numerical_gradient,
    relative_error,
    sigmoid,
    sigmoid_cross_entropy,
    softmax,
    softmax_cross_entropy,
)

dtypes = st.sampled_from([np.float32, np.float64])
LOSSES = [(SoftmaxWithLoss, (4, 3), [0, 2, 1, 1]), (SigmoidWithLoss, (4,), [0, 1, 1, 0])]
each_loss = pytest.mark.parametrize(("kind", "shape", "t"), LOSSES, ids=["SoftmaxWithLoss", "SigmoidWithLoss"])

CLASS_LABELS = {
    "index": lambda labels, classes, seed: labels,
    "small index": lambda labels, classes, seed: labels.astype(np.uint8),
    "one-hot int": lambda labels, classes, seed: np.eye(classes, dtype=int)[labels],
    "one-hot bool": lambda labels, classes, seed: np.eye(classes, dtype=bool)[labels],
    "one-hot float": lambda labels, classes, seed: np.eye(classes)[labels],
    "soft": lambda labels, classes, seed: distributions(seed + 1, (*labels.shape, classes)),
    "lists": lambda labels, classes, seed: labels.tolist(),
}
BINARY_LABELS = {
    "int": lambda t: (t > 0.5).astype(int),
    "bool": lambda t: t > 0.5,
    "float": lambda t: (t > 0.5).astype(float),
    "soft": lambda t: t,
    "lists": lambda t: (t > 0.5).tolist(),
}


def gradient(loss, x, t, dout=1):
    loss.forward(x, t)
    return loss.backward(dout)


# -- SoftmaxWithLoss --


@pytest.mark.parametrize("form", CLASS_LABELS.values(), ids=CLASS_LABELS.keys())
@given(seeds, leading_axes, st.integers(1, 4), dtypes)
def test_gradient_of_softmax_with_loss(form, seed, lead, classes, dtype):
    x = normal(seed, (*lead, classes), dtype)
    t = form(np.random.default_rng(seed).integers(0, classes, lead), classes, seed)
    assert_gradients(SoftmaxWithLoss(), x, t, dtype=dtype, rng=seed)


@given(seeds, leading_axes, st.integers(1, 4))
def test_softmax_with_loss_is_mean_cross_entropy_and_its_gradient_p_minus_t(seed, lead, classes):
    x, labels = normal(seed, (*lead, classes)), np.random.default_rng(seed).integers(0, classes, lead)
    n = labels.size
    for form in CLASS_LABELS.values():
        t, loss = form(labels, classes, seed), SoftmaxWithLoss()
        value = loss.forward(x, t)
        assert type(value) is float and value == softmax_cross_entropy(x, t)
        target = np.eye(classes)[labels] if np.shape(t) == lead else t
        np.testing.assert_allclose(loss.backward(3.0), 3 * (softmax(x) - target) / n, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("dtype", FLOATS)
def test_softmax_with_loss_at_plus_and_minus_1000(dtype):
    x = np.array([[1000, -1000], [1000, -1000]], dtype)
    loss = SoftmaxWithLoss()
    assert loss.forward(x, [1, 0]) == 1000
    np.testing.assert_array_equal(loss.backward(), np.array([[0.5, -0.5], [0, 0]], dtype), strict=True)


@pytest.mark.parametrize("t", [[0, 1], [[1, 0, 0], [0, 1, 0]], [[0.5, 0.5, 0], [0.1, 0.9, 0]]])
def test_a_score_of_minus_infinity_is_a_class_that_is_not_there(t):
    x = np.array([[1.0, 2.0, -np.inf], [3.0, 0.0, -np.inf]])
    with_class, without = SoftmaxWithLoss(), SoftmaxWithLoss()
    assert with_class.forward(x, t) == without.forward(x[:, :2], t if np.ndim(t) == 1 else np.array(t)[:, :2])
    np.testing.assert_array_equal(with_class.backward(), np.pad(without.backward(), [(0, 0), (0, 1)]))


@pytest.mark.parametrize("gap", [5.0, 15.0, 16.2, 30.0, 100.0, 1000.0])
def test_forward_and_backward_agree_however_wrong_the_prediction_is(gap):
    assert_gradients(SoftmaxWithLoss(), [[gap, 0.0], [0.0, gap]], [1, 0])
    assert_gradients(SigmoidWithLoss(), [gap, -gap], [0, 1])


# -- SigmoidWithLoss --


@pytest.mark.parametrize("form", BINARY_LABELS.values(), ids=BINARY_LABELS.keys())
@given(seeds, leading_axes, dtypes)
def test_gradient_of_sigmoid_with_loss(form, seed, shape, dtype):
    x, t = normal(seed, shape, dtype), np.random.default_rng(seed).uniform(0, 1, shape)
    assert_gradients(SigmoidWithLoss(), x, form(np.asarray(t)), dtype=dtype, rng=seed)


@given(seeds, leading_axes)
def test_sigmoid_with_loss_is_mean_cross_entropy_and_its_gradient_p_minus_t(seed, shape):
    x, soft = normal(seed, shape), np.asarray(np.random.default_rng(seed).uniform(0, 1, shape))
    for form in BINARY_LABELS.values():
        t, loss = form(soft), SigmoidWithLoss()
        value = loss.forward(x, t)
        assert type(value) is float and value == sigmoid_cross_entropy(x, t)
        np.testing.assert_allclose(loss.backward(3.0), 3 * (sigmoid(x) - t) / x.size, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("x_shape", [(5,), (5, 1)])
@pytest.mark.parametrize("t_shape", [(5,), (5, 1)])
def test_a_column_and_a_vector_mean_the_same(x_shape, t_shape):
    x, t = normal(0, 5), np.array([0, 1, 1, 0, 1])
    loss = SigmoidWithLoss()
    assert loss.forward(x.reshape(x_shape), t.reshape(t_shape)) == sigmoid_cross_entropy(x, t)
    assert loss.t.shape == loss.y.shape == x_shape
    dx = loss.backward()
    assert dx.shape == x_shape
    np.testing.assert_allclose(dx.ravel(), (sigmoid(x) - t) / 5, rtol=1e-14)


@pytest.mark.parametrize("dtype", FLOATS)
def test_sigmoid_with_loss_at_plus_and_minus_1000(dtype):
    loss = SigmoidWithLoss()
    assert loss.forward(np.array([1000, 1000, -1000, -1000], dtype), [0, 1, 0, 1]) == 500
    np.testing.assert_array_equal(loss.backward(), np.array([0.25, 0, 0, -0.25], dtype), strict=True)


# -- both --


@each_loss
@pytest.mark.parametrize("dtype", FLOATS)
def test_the_dtype_of_the_logits_goes_out(kind, shape, t, dtype):
    for upstream in (1, 1.0, np.float64(2), np.array(3)):
        dx = gradient(kind(), normal(0, shape, dtype), t, upstream)
        assert dx.dtype == dtype and dx.shape == shape


@each_loss
def test_low_precision_agrees_with_high_precision(kind, shape, t):
    x = normal(0, shape, np.float16)
    exact = gradient(kind(), x.astype(float), t)
    for dtype in (np.float16, np.float32):
        assert relative_error(gradient(kind(), x.astype(dtype), t), exact) < 4 * np.finfo(dtype).eps


@each_loss
def test_integer_logits_count_as_float64(kind, shape, t):
    x = np.arange(np.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(gradient(kind(), x, t), gradient(kind(), x.astype(float), t), strict=True)


@each_loss
def test_upstream_gradient_scales_the_gradient(kind, shape, t):
    x = normal(0, shape)
    by_differences = numerical_gradient(lambda x: -2.5 * kind().forward(x, t), x)
    assert relative_error(gradient(kind(), x, t, -2.5), by_differences) < 1e-8
    np.testing.assert_array_equal(gradient(kind(), x, t), gradient(kind(), x, t, 1))


@each_loss
def test_inputs_are_left_alone_and_copied(kind, shape, t):
    x, soft = normal(0, shape), distributions(1, shape)
    for target in (np.array(t), soft):
        loss = kind()
        with untouched(x, target):
            expected = gradient(loss, x, target)
        moved_x, moved_t = x.copy(), target.copy()
        loss.forward(moved_x, moved_t)
        assert not any(np.shares_memory(a, b) for a in (loss.y, loss.t) for b in (moved_x, moved_t))
        moved_x += 1
        moved_t[...] = 0
        np.testing.assert_array_equal(loss.backward(), expected)


@each_loss
def test_the_memory_layout_of_the_logits_makes_no_difference(kind, shape, t):
    x, soft = normal(0, (2, *shape)), distributions(1, (2, *shape))
    layouts = [np.asfortranarray(x), x[::-1].copy()[::-1], np.repeat(x, 2, axis=-1)[..., ::2]]
    for target in (np.array([t, t]), soft):
        expected = gradient(kind(), x, target)
        for same in layouts:
            assert kind().forward(same, target) == pytest.approx(kind().forward(x, target), rel=1e-15)
            np.testing.assert_allclose(gradient(kind(), same, target), expected, rtol=1e-14)


@each_loss
def test_gradients_of_two_passes_are_separate_arrays(kind, shape, t):
    loss, x = kind(), normal(0, shape)
    first = gradient(loss, x, t)
    loss.forward(x, t)
    y, before = loss.y, loss.y.copy()
    second = loss.backward()
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(y, before)  # whoever kept the probabilities still has them
    assert distinct_memory([first, second, y])


@each_loss
def test_y_and_t_are_there_between_forward_and_backward(kind, shape, t):
    loss = kind()
    assert loss.params == loss.grads == [] and loss.y is None and loss.t is None
    loss.forward(normal(0, shape), t)
    assert loss.y.shape == shape
    np.testing.assert_array_equal(loss.t, t)
    loss.backward()
    assert loss.y is None and loss.t is None


@each_loss
def test_backward_needs_a_forward_of_its_own(kind, shape, t):
    loss = kind()
    message = f"{kind.__name__}.backward: there is no forward pass"
    with untouched(loss), pytest.raises(RuntimeError, match=message):
        loss.backward()
    gradient(loss, normal(0, shape), t)
    with untouched(loss), pytest.raises(RuntimeError, match=message):
        loss.backward()


@each_loss
@pytest.mark.parametrize(
    ("dout", "exception"), [([1.0], ValueError), (np.ones(4), ValueError), ("1", TypeError), (None, TypeError)]
)
def test_the_upstream_gradient_of_a_loss_is_one_number(kind, shape, t, dout, exception):
    loss = kind()
    loss.forward(normal(0, shape), t)
    with untouched(loss), pytest.raises(exception, match=rf"{kind.__name__}\.backward: "):
        loss.backward(dout)
    loss.backward()


SOFTMAX_BAD = {
    "empty": (np.ones((0, 3)), np.ones(0, int), ValueError, r"empty batch.*\(0, 3\)"),
    "NaN": ([[0.0, np.nan]], [0], ValueError, r"nan at index \(0, 1\)"),
    "infinite": ([[0.0, np.inf]], [0], ValueError, r"inf at index \(0, 1\)"),
    "-inf for the right class": ([[0.0, -np.inf]], [1], ValueError, r"-inf at index \(0, 1\)"),
    "text": ([["a"]], [0], TypeError, "expected real numbers"),
    "labels (N, 1)": (np.ones((3, 2)), [[0], [1], [0]], ValueError, r"\(3, 2\).*\(3, 1\)"),
    "too few labels": (np.ones((3, 2)), [0, 1], ValueError, r"\(3, 2\).*\(2,\)"),
    "a number as label": (np.ones((3, 2)), 0, ValueError, r"\(3, 2\).*\(\)"),
    "label C": (np.ones((3, 2)), [0, 1, 2], ValueError, r"0\.\.1; got 0\.\.2"),
    "label -1": (np.ones((3, 2)), [0, 1, -1], ValueError, r"0\.\.1; got -1\.\.1"),
    "float labels": (np.ones((3, 2)), [0.0, 1.0, 0.0], ValueError, "index labels must be integers; got dtype float64"),
    "no distribution": (np.ones((1, 2)), [[0.5, 0.6]], ValueError, "t must sum to 1; .*1.1"),
    "negative": (np.ones((1, 2)), [[1.5, -0.5]], ValueError, "t must be probabilities"),
    "label text": (np.ones((1, 2)), ["a"], TypeError, "expected real numbers"),
    "one number": (1.0, 0, ValueError, "single number"),
}
SIGMOID_BAD = {
    "empty": ([], [], ValueError, r"empty batch.*\(0,\)"),
    "NaN": ([0.0, np.nan], [0, 1], ValueError, r"nan at index \(1,\)"),
    "wrong for ever": ([0.0, np.inf], [0, 0], ValueError, r"inf at index \(1,\)"),
    "right for ever": ([0.0, -np.inf], [0, 0], ValueError, r"-inf at index \(1,\)"),
    "(N, 1) and (M,)": (np.ones((3, 1)), [0, 1], ValueError, r"\(3, 1\).*\(2,\)"),
    "(N, 1) and (1, N)": (np.ones((3, 1)), np.ones((1, 3)), ValueError, r"\(3, 1\).*\(1, 3\)"),
    "(N, 2) and (N,)": (np.ones((3, 2)), [0, 1, 1], ValueError, r"\(3, 2\).*\(3,\)"),
    "(N,) and ()": ([0.0, 1.0], 1, ValueError, r"\(2,\).*\(\)"),
    "2": ([0.0, 1.0], [0, 2], ValueError, r"in \[0, 1\]; got 0\.\.2"),
    "-1": ([0.0, 1.0], [-1, 1], ValueError, r"in \[0, 1\]; got -1\.\.1"),
    "target NaN": ([0.0, 1.0], [0, np.nan], ValueError, r"in \[0, 1\]"),
    "text": ([0.0], ["a"], TypeError, "expected real numbers"),
}


@pytest.mark.parametrize(("x", "t", "exception", "message"), SOFTMAX_BAD.values(), ids=SOFTMAX_BAD.keys())
def test_bad_input_of_softmax_with_loss_is_refused(x, t, exception, message):
    assert_refused(SoftmaxWithLoss(), normal(0, (2, 2)), [0, 1], x, t, exception, message)


@pytest.mark.parametrize(("x", "t", "exception", "message"), SIGMOID_BAD.values(), ids=SIGMOID_BAD.keys())
def test_bad_input_of_sigmoid_with_loss_is_refused(x, t, exception, message):
    assert_refused(SigmoidWithLoss(), normal(0, 2), [0, 1], x, t, exception, message)


def assert_refused(loss, good_x, good_t, x, t, exception, message):
    """The error names the layer, and an earlier forward pass is still there to go back through."""
    loss.forward(good_x, good_t)
    with untouched(loss, x, t), pytest.raises(exception, match=rf"^{type(loss).__name__}: .*{message}"):
        loss.forward(x, t)
    loss.backward()


@each_loss
def test_an_infinite_upstream_gradient_passes_without_a_warning(kind, shape, t):
    loss = kind()
    loss.forward(2000 * np.ones(shape) * [1, 0, 0] if kind is SoftmaxWithLoss else [-2000.0, 2000, 1, 1], t)
    dx = loss.backward(np.inf)
    assert np.isnan(dx).any() and np.isinf(dx).any()  # 0 * inf where the prediction is right


@pytest.mark.parametrize("kind", [SoftmaxWithLoss, SigmoidWithLoss])
def test_a_mean_in_half_precision_is_added_up_in_full(kind):
    rows = 3001
    x, t = (np.zeros((rows, 2), np.float16), [0] * rows) if kind is SoftmaxWithLoss else (np.zeros(rows), [1] * rows)
    each = float(np.log(np.array(2, np.float32 if kind is SoftmaxWithLoss else np.float64)))
    assert kind().forward(x, t) == pytest.approx(each, rel=1e-12)


def test_a_mean_whose_sum_overflows_is_a_plain_number_too():
    value = SigmoidWithLoss().forward(np.full(3, 1e308), [0, 0, 0])
    assert value == pytest.approx(1e308) and type(value) is float


def test_the_first_logit_that_is_not_finite_is_named():
    x = np.zeros((3, 2))
    x[1, 1] = x[2, 0] = np.nan
    with pytest.raises(ValueError, match=r"found nan at index \(1, 1\)"):
        SoftmaxWithLoss().forward(x, [0, 0, 0])


# -- known answers --


def test_cs231n_gradient_of_the_middle_class():
    dx = gradient(SoftmaxWithLoss(), np.log([[0.2, 0.3, 0.5]]), [1])
    assert dx[0] == pytest.approx([0.2, -0.7, 0.5], abs=1e-15)


@pytest.mark.parametrize(("w", "b", "after"), [(0.6, 0.9, 0.0120), (2.0, 2.0, 0.0124)])
def test_nielsens_neuron_with_cross_entropy_learns_from_any_start(w, b, after):
    """Input 1, target 0, learning rate 0.15, 300 steps: with squared error the second start is at 0.20 by then."""
    loss = SigmoidWithLoss()
    for _ in range(300):
        dx = gradient(loss, [w + b], [0])[0]
        w, b = w - 0.15 * dx, b - 0.15 * dx
    assert sigmoid(w + b) == pytest.approx(after, abs=5e-4)


@pytest.mark.parametrize("kind", [SoftmaxWithLoss, SigmoidWithLoss, Sequential])
def test_what_ends_in_a_loss_says_what_it_is_sent_by_default(kind):
    assert inspect.signature(kind.backward).parameters["dout"].default == 1
