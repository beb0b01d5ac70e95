"""Section 1.3.5: the layers against central differences, in every shape and dtype, and what they promise."""

import numpy as np
import pytest
from helpers import FLOATS, assert_gradients, distinct_memory, inner, leading_axes, normal, seeds, shapes, untouched
from hypothesis import given
from hypothesis import strategies as st

from mlcore import (
    SGD,
    Add,
    Affine,
    Dropout,
    MatMul,
    ReLU,
    Repeat,
    Sequential,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    Tanh,
    fit,
    sigmoid,
)

dtypes = st.sampled_from([np.float32, np.float64])
sizes = st.integers(0, 3)


def affine(seed=0, d=2, h=3, dtype=np.float64):
    return Affine(normal(seed, (d, h), dtype), normal(seed + 1, h, dtype))


def half_dropped():
    return Dropout(0.5, rng=3)


each_layer = pytest.mark.parametrize(
    "make", [Sigmoid, ReLU, Tanh, half_dropped, affine], ids=["Sigmoid", "ReLU", "Tanh", "Dropout", "Affine"]
)


# -- Sigmoid --


@given(seeds, shapes, dtypes)
def test_gradient_of_sigmoid(seed, shape, dtype):
    assert_gradients(Sigmoid(), normal(seed, shape, dtype), dtype=dtype, rng=seed)


def test_gradient_of_sigmoid_at_a_single_number():
    assert_gradients(Sigmoid(), 0.3)


@pytest.mark.parametrize("x", [-30.0, -12.0, 12.0])
def test_gradient_of_a_saturated_sigmoid_keeps_its_digits(x):
    layer = Sigmoid()
    layer.forward([x])
    assert layer.backward([1.0])[0] == pytest.approx(sigmoid(x) * sigmoid(-x), rel=1e-10)


@pytest.mark.parametrize("dtype", FLOATS)
def test_sigmoid_at_plus_and_minus_1000_has_no_slope_and_no_warning(dtype):
    layer = Sigmoid()
    assert layer.forward(np.array([-1000, 0, 1000], dtype)).tolist() == [0, 0.5, 1]
    assert layer.backward(np.array([8, 8, 8], dtype)).tolist() == [0, 2, 0]


@given(seeds, shapes, st.sampled_from(FLOATS))
def test_sigmoid_keeps_shape_and_dtype(seed, shape, dtype):
    layer, x = Sigmoid(), normal(seed, shape, dtype)
    y = layer.forward(x)
    dx = layer.backward(y)
    np.testing.assert_array_equal(y, sigmoid(x), strict=True)
    assert dx.shape == shape and dx.dtype == dtype


def test_sigmoids_output_is_read_only_so_that_the_gradient_cannot_be_spoilt():
    layer = Sigmoid()
    for x in (0.0, [0.0, 1.0]):
        y = layer.forward(x)
        with pytest.raises(ValueError, match="read-only"):
            y[...] = 7
        with pytest.raises(ValueError, match="read-only"):
            y += 1


def test_an_infinite_upstream_gradient_of_a_saturated_sigmoid_is_nan_without_a_warning():
    layer = Sigmoid()
    layer.forward([1000.0, 0.0])
    np.testing.assert_array_equal(layer.backward([np.inf, np.inf]), [np.nan, np.inf])


# -- ReLU --


@given(seeds, shapes, dtypes)
def test_gradient_of_relu(seed, shape, dtype):
    x = normal(seed, shape, dtype)
    assert_gradients(ReLU(), x + np.copysign(dtype(0.1), x), dtype=dtype, rng=seed)  # away from the kink


@pytest.mark.parametrize("dtype", FLOATS)
def test_relu_has_no_slope_where_its_input_is_not_positive(dtype):
    """Not even an infinite upstream gradient comes through a dead unit; and the smallest positive number is alive."""
    layer, least = ReLU(), np.finfo(dtype).smallest_subnormal
    x = np.array([-np.inf, -1, -least, -0.0, 0, least, 1, np.inf], dtype)
    np.testing.assert_array_equal(layer.forward(x), np.array([0] * 5 + [least, 1, np.inf], dtype))
    dx = layer.backward(np.full(8, np.inf, dtype))
    np.testing.assert_array_equal(dx, np.array([0] * 5 + [np.inf] * 3, dtype), strict=True)


def test_relu_lets_nan_through_so_that_the_loss_can_refuse_it():
    layer = ReLU()
    assert np.isnan(layer.forward([np.nan])).all() and layer.backward([1.0]) == 0


# -- Tanh and Dropout --


@given(seeds, shapes, dtypes)
def test_gradient_of_tanh(seed, shape, dtype):
    assert_gradients(Tanh(), normal(seed, shape, dtype), dtype=dtype, rng=seed)


def test_tanh_is_a_stretched_sigmoid():
    x = np.linspace(-30, 30, 61)
    layer = Tanh()
    np.testing.assert_allclose(layer.forward(x), 2 * sigmoid(2 * x) - 1, atol=1e-15)
    np.testing.assert_allclose(layer.backward(np.ones(61)), 4 * sigmoid(2 * x) * sigmoid(-2 * x), atol=1e-15)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("p", [0.0, 0.25, 0.9])
def test_dropout_leaves_out_its_share_and_keeps_the_mean(p, dtype):
    layer, x = Dropout(p, rng=1), np.ones((200, 200), dtype)
    y = layer.forward(x)
    left_out = (y == 0).mean()
    assert abs(left_out - p) < 4 * np.sqrt(p * (1 - p) / y.size) + 1e-12
    np.testing.assert_allclose(y[y != 0].astype(float), 1 / (1 - p), rtol=1e-3)
    assert y.dtype == dtype
    np.testing.assert_array_equal(layer.backward(x), y)  # what was left out gets nothing back
    assert (layer.forward(x) != y).any() or p == 0  # other elements each time


def test_dropout_goes_back_through_what_it_kept_and_predicts_with_all():
    net = Sequential(affine(), Dropout(0.5), affine(2, 3, 3), loss=SoftmaxWithLoss())
    x = normal(5, (6, 2))
    first, _, last = net.layers
    np.testing.assert_array_equal(net.predict(x), last.forward(first.forward(x)))
    before = net.layers[1].rng.bit_generator.state
    fit(net, SGD(0.1), x, [0, 1, 2] * 2, epochs=0, test=(x, [0, 1, 2] * 2))
    assert net.layers[1].rng.bit_generator.state == before  # looking draws nothing


@pytest.mark.parametrize(
    ("p", "exception"), [(1.0, ValueError), (-0.1, ValueError), ("a", TypeError), (np.nan, ValueError)]
)
def test_dropout_wants_a_probability_below_one(p, exception):
    with pytest.raises(exception, match="^Dropout: p must be"):
        Dropout(p)


# -- Affine --


@given(seeds, leading_axes, dtypes, sizes, sizes)
def test_gradients_of_affine(seed, lead, dtype, d, h):
    assert_gradients(affine(seed, d, h, dtype), normal(seed, (*lead, d), dtype), dtype=dtype, rng=seed)


@given(seeds, leading_axes)
def test_affine_is_made_of_the_nodes(seed, lead):
    """Affine = MatMul, then a bias that is repeated for each row and added."""
    layer, x, u = affine(seed), normal(seed + 2, (*lead, 2)), normal(seed + 3, (*lead, 3))
    W, b = layer.params
    n = x.size // 2
    product, repeat, add = MatMul(W), Repeat(n), Add()
    y = add.forward(product.forward(x.reshape(n, 2)), repeat.forward(b.reshape(1, 3)))
    np.testing.assert_allclose(layer.forward(x), y.reshape(*lead, 3), rtol=1e-13)
    d_product, d_bias = add.backward(u.reshape(n, 3))
    np.testing.assert_allclose(layer.backward(u), product.backward(d_product).reshape(x.shape), rtol=1e-13)
    np.testing.assert_allclose(layer.grads[0], product.grads[0], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(layer.grads[1], repeat.backward(d_bias).reshape(3), rtol=1e-12, atol=1e-13)


@given(seeds, leading_axes, sizes, sizes)
def test_affine_and_its_transpose(seed, lead, d, h):
    """Without bias the layer is linear in x; in (W, b) it is linear as it is."""
    layer, x, u = affine(seed, d, h), normal(seed + 2, (*lead, d)), normal(seed + 3, (*lead, h))
    W, b = layer.params
    y = layer.forward(x)
    dx = layer.backward(u)
    size = inner(abs(x) @ abs(W) + abs(b), abs(u))[0]
    by_parameters = inner(W, layer.grads[0])[0] + inner(b, layer.grads[1])[0]
    assert abs(inner(y, u)[0] - by_parameters) <= 1e-13 * size
    assert abs(inner(y - b, u)[0] - inner(x, dx)[0]) <= 1e-13 * size


def test_gradients_of_affine_for_an_empty_batch_are_zero():
    layer = affine()
    for grad in layer.grads:
        grad[...] = 7
    layer.forward(np.ones((0, 2)))
    assert layer.backward(np.ones((0, 3))).shape == (0, 2)
    assert not any(grad.any() for grad in layer.grads)


@pytest.mark.parametrize("x", [[[1, 0], [0, 2]], np.array([[1, 0], [0, 2]], np.int8), np.eye(2, dtype=bool)])
def test_integer_input_is_fine(x):
    layer = affine(dtype=np.float32)
    y = layer.forward(x)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, np.asarray(x, np.float32) @ layer.params[0] + layer.params[1])
    assert layer.backward(y).dtype == np.float32


@pytest.mark.parametrize("dtype", FLOATS)
def test_affine_keeps_the_dtype(dtype):
    layer, x = affine(dtype=dtype), normal(3, (4, 2), dtype)
    y = layer.forward(x)
    assert {a.dtype for a in (y, layer.backward(y), *layer.grads)} == {np.dtype(dtype)}


# -- both --


@each_layer
def test_arrays_are_separate(make):
    layer, x, u = make(), normal(5, (4, 2)), normal(6, (4, 3))
    y = layer.forward(x)
    u = u[:, : y.shape[1]].copy()
    dx = layer.backward(u)
    assert distinct_memory([x, y, u, dx, *layer.params, *layer.grads])


@each_layer
def test_inputs_parameters_and_upstream_gradient_are_left_alone(make):
    layer, x = make(), normal(5, (4, 2))
    with untouched(x, layer.params):
        y = layer.forward(x)
        with untouched(y):
            layer.backward(y)


@each_layer
def test_changing_the_input_after_forward_does_not_change_the_gradient(make):
    results = []
    for change in (0, 1):
        layer, x = make(), normal(5, (4, 2))
        y = layer.forward(x)
        x += change
        results.append([layer.backward(normal(6, y.shape)), *layer.grads])
    for kept, changed in zip(*results, strict=True):
        np.testing.assert_array_equal(kept, changed)


def test_parameters_stay_the_callers_arrays_and_grads_are_written_in_place():
    W, b = normal(0, (2, 3)), normal(1, 3)
    layer = Affine(W, b)
    grads = list(layer.grads)
    assert layer.params[0] is W and layer.params[1] is b and not any(g.any() for g in grads)
    for seed in range(2):
        x = normal(seed, (4, 2))
        layer.forward(x)
        layer.backward(np.ones((4, 3)))
        assert all(now is before for now, before in zip(layer.grads, grads, strict=True))
        np.testing.assert_allclose(grads[0], x.T @ np.ones((4, 3)))  # written, not added to
        np.testing.assert_allclose(grads[1], [4, 4, 4])


@each_layer
def test_backward_needs_a_forward_of_its_own(make):
    layer, x = make(), normal(5, (4, 2))
    message = f"{type(layer).__name__}.backward: there is no forward pass"
    u = make().forward(x)
    with untouched(layer), pytest.raises(RuntimeError, match=message):
        layer.backward(u)
    layer.forward(x)
    layer.backward(u)
    with untouched(layer), pytest.raises(RuntimeError, match=message):
        layer.backward(u)


@each_layer
def test_an_upstream_gradient_of_another_shape_is_refused_and_the_pass_can_go_on(make):
    layer = make()
    y = layer.forward(normal(5, (4, 2)))
    for wrong in (y[:1], y[0], y[..., :1], 1.0):
        message = rf"{type(layer).__name__}\.backward: the upstream gradient has shape .* expected \(4, {y.shape[1]}\)"
        with untouched(layer), pytest.raises(ValueError, match=message):
            layer.backward(wrong)
    with untouched(layer), pytest.raises(TypeError, match=f"{type(layer).__name__}.backward: expected real numbers"):
        layer.backward(y * 1j)
    layer.backward(y)


BAD = {
    "columns": (
        lambda: affine().forward(np.ones((2, 3))),
        ValueError,
        r"Affine\.forward: x has shape \(2, 3\).*\(2, 3\)",
    ),
    "a number": (lambda: affine().forward(1.0), ValueError, r"Affine\.forward: x has shape \(\)"),
    "text": (lambda: affine().forward(["a", "b"]), TypeError, "Affine: expected real numbers"),
    "sigmoid text": (lambda: Sigmoid().forward(["a"]), TypeError, "Sigmoid: expected real numbers"),
    "W a list": (lambda: Affine([[1.0]], np.ones(1)), TypeError, "Affine: W must be a NumPy array; got list"),
    "b a list": (lambda: Affine(np.ones((1, 1)), [1.0]), TypeError, "Affine: b must be a NumPy array; got list"),
    "W integer": (lambda: Affine(np.ones((1, 1), int), np.ones(1)), TypeError, "Affine: W must be floating"),
    "b integer": (lambda: Affine(np.ones((1, 1)), np.ones(1, int)), TypeError, "Affine: b must be floating"),
    "W 3-D": (lambda: Affine(np.ones((1, 1, 1)), np.ones(1)), ValueError, r"Affine: W must have 2 axes.*\(1, 1, 1\)"),
    "b 2-D": (lambda: Affine(np.ones((2, 3)), np.ones((1, 3))), ValueError, r"Affine: b must have 1 axes.*\(1, 3\)"),
    "b long": (
        lambda: Affine(np.ones((2, 3)), np.ones(2)),
        ValueError,
        r"b has shape \(2,\), expected \(3,\) .*\(2, 3\)",
    ),
    "b of one": (lambda: Affine(np.ones((2, 3)), np.ones(1)), ValueError, r"b has shape \(1,\), expected \(3,\)"),
}


@pytest.mark.parametrize(("call", "exception", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


def test_a_failed_forward_leaves_the_last_one_in_place():
    layer = affine()
    layer.forward(normal(5, (4, 2)))
    with untouched(layer), pytest.raises(ValueError, match="Affine.forward"):
        layer.forward(np.ones((4, 3)))


# -- known answers --


def test_cs231n_neuron():
    """w = (2, -3), b = -3 at x = (-1, -2): 0.73, with the gradients of the course notes."""
    layer, out = Affine(np.array([[2.0], [-3.0]]), np.array([-3.0])), Sigmoid()
    assert out.forward(layer.forward([[-1.0, -2.0]]))[0, 0] == pytest.approx(0.7311, abs=5e-5)
    dx = layer.backward(out.backward([[1.0]]))
    assert dx[0] == pytest.approx([0.3932, -0.5898], abs=5e-5)
    assert layer.grads[0][:, 0] == pytest.approx([-0.1966, -0.3932], abs=5e-5)
    assert layer.grads[1] == pytest.approx([0.1966], abs=5e-5)


# -- whole networks --


@given(seeds, st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_gradients_of_a_network(seed, n, hidden, classes):
    x, t = normal(seed + 9, (n, 2)) / 2, np.random.default_rng(seed).integers(0, classes, n)
    softmax_net = Sequential(
        affine(seed, 2, hidden), Sigmoid(), affine(seed + 2, hidden, classes), loss=SoftmaxWithLoss()
    )
    sigmoid_net = Sequential(
        affine(seed, 2, hidden), Sigmoid(), MatMul(normal(seed, (hidden, 1))), loss=SigmoidWithLoss()
    )
    assert_gradients(softmax_net, x, t, rng=seed, band=1e-6)
    assert_gradients(sigmoid_net, x, np.random.default_rng(seed).integers(0, 2, n), rng=seed, band=1e-6)


@given(seeds)
def test_gradients_of_a_network_whose_layers_share_their_parameters(seed):
    W, b = normal(seed, (3, 3)), normal(seed + 1, 3)
    net = Sequential(Affine(W, b), Sigmoid(), Affine(W, b), loss=SoftmaxWithLoss())
    assert_gradients(net, normal(seed + 2, (4, 3)), [0, 1, 2, 0], rng=seed)


def test_affine_takes_a_list_of_floats_as_the_float64_that_it_is():
    """Integers take the type of W; floats keep their own."""
    layer = Affine(np.ones((2, 3), np.float32), np.zeros(3, np.float32))
    assert layer.forward([[0.5, 1.5]]).dtype == np.float64
    assert layer.forward([[1, 2]]).dtype == np.float32


def test_dropout_draws_what_its_seed_says():
    x = np.ones(50)
    assert np.array_equal(Dropout(0.5).forward(x), Dropout(0.5, rng=0).forward(x))
    assert not np.array_equal(Dropout(0.5).forward(x), Dropout(0.5, rng=1).forward(x))
