"""Section 1.3.2: the numerical gradient, and the power of the check that is built on it."""

import types

import numpy as np
import pytest
from helpers import normal, seeds, untouched
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from mlcore import (
    Add,
    Affine,
    MatMul,
    Multiply,
    Sequential,
    Sigmoid,
    gradient_check,
    numerical_gradient,
    relative_error,
)


@given(seeds, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
def test_numerical_gradient_of_a_cubic(seed, shape):
    x, a = normal(seed, shape), normal(seed + 1, shape)
    with untouched(x):
        gradient = numerical_gradient(lambda x: (a * x**3).sum(), x)
    np.testing.assert_allclose(gradient, 3 * a * x**2, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("dtype", "band"), [(np.float16, 3e-2), (np.float32, 1e-3), (np.float64, 1e-9)])
def test_step_fits_the_dtype(dtype, band):
    for x in np.array([0.5, 2.0, -30.0, 1000.0], dtype):
        gradient = numerical_gradient(lambda x: float(x) ** 2, x)
        assert gradient.dtype == dtype
        assert gradient == pytest.approx(2 * float(x), rel=band)


def test_step_is_the_cube_root_of_epsilon_and_grows_with_the_number():
    seen = []
    numerical_gradient(lambda x: seen.append(x[0]) or 0.0, np.array([100.0]))
    numerical_gradient(lambda x: seen.append(x[0]) or 0.0, np.array([0.01]))
    h = np.finfo(float).eps ** (1 / 3)
    assert seen == pytest.approx([100 + 100 * h, 100 - 100 * h, 0.01 + h, 0.01 - h], rel=1e-15)


def test_it_takes_two_evaluations_an_element():
    calls = []
    numerical_gradient(lambda x: calls.append(1) or 0.0, np.zeros((3, 4)))
    assert len(calls) == 24


@pytest.mark.parametrize("x", [3, [3, 4], np.array([3, 4], np.uint8), np.array([True])])
def test_integers_count_as_float64(x):
    gradient = numerical_gradient(lambda x: (x**2).sum(), x)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, 2 * np.asarray(x, float), rtol=1e-9)


def test_known_answer_of_baydins_function():
    def f(x):
        return 64 * x * (1 - x) * (1 - 2 * x) ** 2 * (1 - 8 * x + 8 * x**2) ** 2

    assert numerical_gradient(f, 0.2) == pytest.approx(9.0660864, abs=5e-8)


def test_f_may_write_into_what_it_gets_and_keep_it():
    kept = []

    def f(x):
        kept.append(x)
        value = float((x**2).sum())
        x[...] = 7
        return value

    x = np.array([1.0, 2.0])
    with untouched(x):
        assert numerical_gradient(f, x) == pytest.approx([2, 4])
    assert len({id(k) for k in kept}) == 4 and all((k == 7).all() for k in kept)


def test_read_only_and_strided_points_will_do():
    x = np.arange(6.0).reshape(2, 3).T[::2]
    x.flags.writeable = False
    np.testing.assert_allclose(numerical_gradient(lambda x: (x**2).sum(), x), 2 * x, atol=1e-8)


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda: numerical_gradient(np.sum, ["a"]), TypeError, "numerical_gradient: .*<U1"),
        (lambda: numerical_gradient(np.sum, [np.nan]), ValueError, "x must be finite"),
        (lambda: numerical_gradient(np.sum, [np.inf]), ValueError, "x must be finite"),
        (lambda: numerical_gradient(lambda x: x, [1.0, 2.0]), ValueError, r"one real number; got shape \(2,\)"),
        (lambda: numerical_gradient(lambda x: x, [1.0]), ValueError, r"one real number; got shape \(1,\)"),
        (lambda: numerical_gradient(lambda x: 1j, [1.0]), ValueError, "dtype complex"),
        (lambda: numerical_gradient(lambda x: None, [1.0]), ValueError, "dtype object"),
        (lambda: relative_error([1.0], [[1.0]]), ValueError, r"shapes differ: \(1,\) and \(1, 1\)"),
        (lambda: relative_error([1.0], 1.0), ValueError, r"shapes differ: \(1,\) and \(\)"),
        (lambda: relative_error([1.0], ["a"]), TypeError, "relative_error: .*<U1"),
        (lambda: relative_error([None], [1.0]), TypeError, "relative_error: .*object"),
    ],
)
def test_bad_input_is_refused(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


@pytest.mark.parametrize("kind", [bool, np.bool_, np.uint8, np.int16, int, np.float32])
def test_what_f_returns_is_subtracted_as_a_float(kind):
    width = 2 * np.finfo(float).eps ** (1 / 3)
    assert numerical_gradient(lambda x: kind(x < 1), 1.0) == pytest.approx(-1 / width)


@pytest.mark.parametrize("bad_above", [True, False])
def test_f_must_return_one_number_on_both_sides(bad_above):
    with pytest.raises(ValueError, match=r"f must return one real number; got shape \(1,\)"):
        numerical_gradient(lambda x: x if (x[0] > 1) == bad_above else 1.0, [1.0])


# -- relative_error --


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([], [], 0.0),
        ([3.0, -4.0], [3.0, -4.0], 0.0),
        ([1.0], [-1.0], 2.0),
        ([0.0], [1e-300], 1.0),
        ([100.0, 1.0], [100.0, 2.0], 0.01),
        ([-1.0, 0.0], [-5.0, 0.0], 0.8),
        ([2, 0], [4, 0], 0.5),
        (1.0, 2.0, 0.5),
    ],
)
def test_relative_error_is_the_largest_difference_over_the_largest_entry(a, b, error):
    assert relative_error(a, b) == relative_error(b, a) == error
    assert type(relative_error(a, b)) is float


@pytest.mark.parametrize(("a", "b"), [([np.nan], [0.0]), ([np.nan], [np.nan]), ([np.nan, 1.0], [1.0, 1.0])])
def test_relative_error_lets_no_nan_pass(a, b):
    assert np.isnan(relative_error(a, b)) and np.isnan(relative_error(b, a))


def test_relative_error_of_what_overflows_is_infinite_or_nan_without_a_warning():
    assert relative_error([1.5e308], [-1.5e308]) == np.inf
    assert np.isnan(relative_error([np.inf], [np.inf]))


# -- gradient_check: it passes what is right, and nothing else --


class Wrong(Multiply):
    """A product whose backward pass can be spoilt."""

    def __init__(self, spoil):
        super().__init__()
        self.spoil = spoil

    def backward(self, dz):
        return self.spoil(dz, *super().backward(dz))


def test_a_right_layer_passes_and_is_left_as_it_was():
    layer, x, y = Wrong(lambda dz, dx, dy: (dx, dy)), normal(0, 3), normal(1, (2, 3))
    layer.forward(2 * x, y)
    with untouched(layer.x, layer.y, x, y):
        errors = gradient_check(layer, x, y)
    assert list(errors) == ["inputs[0]", "inputs[1]"] and max(errors.values()) < 1e-9
    assert gradient_check(layer, x, y, rng=0) == errors
    np.testing.assert_array_equal(layer.backward(np.ones((2, 3)))[1], np.tile(2 * x, (2, 1)))  # its pass is still there


class Thrifty:
    """y = a x / z, with one array for all its outputs; it clears its gradients in forward."""

    def __init__(self):
        self.params, self.grads = [np.array([2.0])], [np.zeros(1)]
        self.out = np.zeros(3)

    def forward(self, x, z):
        self.x, self.z = x.copy(), z.copy()
        self.grads[0][...] = 0
        np.divide(x, z, out=self.out)
        self.out *= self.params[0]
        return self.out

    def backward(self, dy):
        self.grads[0][...] = (dy * self.x / self.z).sum()
        return dy * self.params[0] / self.z, -dy * self.params[0] * self.x / self.z**2


def test_a_layer_may_use_its_arrays_again_and_the_order_of_its_inputs_counts():
    layer, x, z = Thrifty(), normal(0, 3), 2 + abs(normal(1, 3))
    errors = gradient_check(layer, x, z)
    assert len(errors) == 3 and max(errors.values()) < 1e-8


def test_a_layer_that_writes_into_its_input_does_not_reach_the_callers():
    class Faulty(Thrifty):
        def forward(self, x, z):
            x += 1
            return super().forward(x, z)

    x, z = np.ones(3), np.ones(3)
    with untouched(x, z):
        gradient_check(Faulty(), x, z)


def test_large_outputs_do_not_drown_the_small_ones():
    errors = gradient_check(Add(), [0.0, 2.0**30], [0.0, 2.0**30])
    assert max(errors.values()) < 1e-9


def test_the_check_itself_overflows_without_a_warning():
    errors = gradient_check(Multiply(), [1e200], [1e200])
    assert not all(np.isfinite(error) for error in errors.values())


@pytest.mark.parametrize("name", ["forward", "backward"])
def test_half_a_layer_is_none(name):
    with pytest.raises(TypeError, match="expected a layer with forward and backward"):
        gradient_check(types.SimpleNamespace(**{name: abs}), [1.0])


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (lambda dz, dx, dy: (-dx, dy), "inputs[0]"),
        (lambda dz, dx, dy: (dx, dy * 1.001), "inputs[1]"),
        (lambda dz, dx, dy: (dy, dx), "inputs[0]"),
        (lambda dz, dx, dy: (dx * dz, dy), "inputs[0]"),  # right for an upstream gradient of 1 only
        (lambda dz, dx, dy: (dx / dz, dy), "inputs[0]"),
        (lambda dz, dx, dy: (dx * np.nan, dy), "inputs[0]"),
        (lambda dz, dx, dy: (np.append(dx[:-1], 0), dy), "inputs[0]"),  # one single entry is wrong
    ],
)
def test_a_wrong_backward_is_found_and_located(spoil, key):
    error = gradient_check(Wrong(spoil), normal(0, 3), normal(1, 3))[key]
    assert not error < 1e-4


def test_a_gradient_of_another_shape_is_refused():
    layer = Wrong(lambda dz, dx, dy: (dx[np.newaxis], dy))
    with pytest.raises(ValueError, match=r"inputs\[0\] has shape \(1, 3\), expected \(3,\)"):
        gradient_check(layer, normal(0, 3), normal(1, 3))


class WrongWeights(MatMul):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0] *= 1.01
        return dx


def test_a_wrong_gradient_of_a_parameter_is_found():
    errors = gradient_check(WrongWeights(normal(0, (3, 2))), normal(1, (4, 3)))
    assert errors["inputs[0]"] < 1e-9 and errors["params[0]"] == pytest.approx(0.01, rel=0.02)


def test_a_shared_parameter_is_checked_against_the_sum_of_its_gradients():
    W = normal(0, (3, 3))
    errors = gradient_check(Sequential(MatMul(W), Sigmoid(), MatMul(W)), normal(1, (4, 3)))
    assert list(errors) == ["inputs[0]", "params[0]", "params[1]"] and max(errors.values()) < 1e-8


@given(st.integers(0, 5))
def test_the_upstream_gradient_is_random_and_reproducible(seed):
    seen = []
    layer = Wrong(lambda dz, dx, dy: seen.append(dz.copy()) or (dx, dy))
    args = normal(0, 3), normal(1, 3)
    assert gradient_check(layer, *args, rng=seed) == gradient_check(layer, *args, rng=seed)
    gradient_check(layer, *args, rng=seed + 1)
    gradient_check(layer, *args, rng=np.random.default_rng(seed))
    copies = layer.spoil.__closure__[0].cell_contents
    assert len(np.unique(copies[0])) == 3
    np.testing.assert_array_equal(copies[0], copies[1])
    np.testing.assert_array_equal(copies[0], copies[3])
    assert (copies[0] != copies[2]).all()


def test_inputs_for_which_backward_returns_none_are_not_checked():
    layer = Wrong(lambda dz, dx, dy: (dx, None))
    assert list(gradient_check(layer, normal(0, 3), normal(1, 3))) == ["inputs[0]"]


def test_parameters_are_moved_back_to_the_last_bit():
    class Watched(Affine):
        def forward(self, x):
            log.append([p.copy() for p in self.params])
            return super().forward(x)

    log = []
    layer = Watched(normal(0, (2, 2)), normal(1, 2))
    gradient_check(layer, normal(2, (3, 2)))
    moved = [sum((p != q).sum() for p, q in zip(now, layer.params, strict=True)) for now in log]
    assert max(moved) == 1  # never two entries at once: each is back before the next one moves
