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
    Dropout,
    MatMul,
    Multiply,
    Node,
    ReLU,
    Sequential,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    gradient_check,
    gradients,
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


# -- the step shrinks where it is too long --


def evaluations(f, x):
    """The gradient, and how often `f` was called for it."""
    calls = []
    return numerical_gradient(lambda x: calls.append(1) or f(x), x), len(calls)


@pytest.mark.parametrize("x", [1e-20, 1e-12, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0, 1e3])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.log, lambda x: 1 / x),
        (lambda x: 1 / x, lambda x: -1 / x**2),
        (lambda x: -np.log(x + 1e-7), lambda x: -1 / (x + 1e-7)),
        (lambda x: x**-0.5, lambda x: -0.5 * x**-1.5),
    ],
)
def test_the_step_shrinks_near_a_pole_or_a_border(f, slope, x):
    assert numerical_gradient(f, x) == pytest.approx(slope(x), rel=1e-7)


def test_it_stops_to_shrink_where_rounding_takes_over():
    gradient, calls = evaluations(lambda x: 1 / x + 1e10 - 1e10, 1e-3)  # five digits are left of 1/x
    assert gradient == pytest.approx(-1e6, rel=2e-5) and calls < 12


def test_the_border_itself_may_be_a_step_away():
    assert numerical_gradient(lambda y: np.log(y + 1e-7), 0.0) == pytest.approx(1e7, rel=1e-8)


@pytest.mark.parametrize(
    ("f", "x", "most"),
    [
        (np.exp, 1.0, 2),
        (np.sin, 0.0, 2),
        (lambda x: x**3, 0.0, 2),
        (lambda x: 5 * x, 0.0, 2),
        (lambda x: np.maximum(0, x), 1e-6, 2),
        (lambda x: 1e9 * x, 1e-3, 4),  # steep, but straight
    ],
)
def test_a_smooth_function_costs_no_more(f, x, most):
    assert evaluations(f, x)[1] == most


def test_at_a_jump_no_slopes_agree_and_the_first_counts():
    assert numerical_gradient(np.sign, 0.0) == pytest.approx(np.finfo(float).eps ** (-1 / 3))


def test_where_f_has_no_value_there_is_no_slope():
    assert np.isnan(numerical_gradient(np.log, -1.0))


@pytest.mark.parametrize("kind", ["raise", "ignore"])
def test_a_step_out_of_the_domain_is_silent_unless_the_caller_wants_it_raised(kind):
    with np.errstate(invalid=kind):
        if kind == "raise":
            with pytest.raises(FloatingPointError):
                numerical_gradient(np.log, 1e-7)
        else:
            assert np.isfinite(numerical_gradient(np.log, 1e-7))
    assert np.isfinite(numerical_gradient(np.log, 1e-7))  # in the usual state too, in which warnings are errors here


@pytest.mark.parametrize("x", [0.3, 1.7, -2.2, 30.0])
@pytest.mark.parametrize(
    ("f", "slope"), [(np.exp, np.exp), (np.sin, np.cos), (lambda x: x**3, lambda x: 3 * x**2), (np.cosh, np.sinh)]
)
def test_a_long_double_is_never_less_exact_than_float64(f, slope, x):
    def error(function, kind):
        gradient = numerical_gradient(function, kind(x))
        assert gradient.dtype == kind
        return abs(gradient - slope(np.longdouble(x)))

    assert error(f, np.longdouble) <= error(f, np.float64)
    rounded = lambda x: float(f(float(x)))  # noqa: E731 - a long double goes in, a float comes out
    assert error(rounded, np.longdouble) <= error(f, np.float64) * (1 + 1e-3)


# -- gradient_check: what is not a gradient --


class Plain:
    """y = a x, with a backward pass to be spoilt; it owes nothing to the base class."""

    def __init__(self, returns=lambda dy, dx: dx):
        self.params, self.grads, self.returns = [np.array([2.0])], [np.zeros(1)], returns

    def forward(self, x, *labels):
        self.x = x
        return self.params[0] * x

    def backward(self, dy):
        self.grads[0][...] = (dy * self.x).sum()
        return self.returns(dy, self.params[0] * dy)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, 2])
def test_what_is_not_finite_is_an_infinite_error_in_any_idiom(bad, where):
    def spoil(dy, dx):
        dx[where] = bad
        return dx

    errors = gradient_check(Plain(spoil), normal(0, 3))
    assert errors["inputs[0]"] == np.inf and errors["params[0]"] < 1e-7
    assert not max(errors.values()) < 1e-7 and not max(reversed(errors.values())) < 1e-7
    assert not all(error < 1e-7 for error in errors.values()) and any(error > 1e-7 for error in errors.values())


@pytest.mark.parametrize(
    ("returns", "exception", "message"),
    [
        (lambda dy, dx: None, TypeError, "Plain.backward returned None: is the return missing"),
        (lambda dy, dx: [dx], TypeError, "Plain.backward returned a list; expected an array"),
        (lambda dy, dx: ([1.0, 2.0, 3.0],), TypeError, r"Plain.backward: the gradient of inputs\[0\] is a list"),
        (lambda dy, dx: ((dx, dx),), TypeError, r"Plain.backward: the gradient of inputs\[0\] is a tuple"),
        (lambda dy, dx: (), ValueError, "Plain.backward returned 0 gradients for 2 inputs"),
        (lambda dy, dx: (dx, dx, dx), ValueError, "Plain.backward returned 3 gradients for 2 inputs"),
        (lambda dy, dx: (None, dx), TypeError, r"Plain.backward returned None for inputs\[0\]; expected its"),
        (lambda dy, dx: dx + 1j, TypeError, r"Plain.backward: the gradient of inputs\[0\]: .*complex"),
        (lambda dy, dx: "dx", TypeError, r"Plain.backward: the gradient of inputs\[0\]: .*<U2"),
        (lambda dy, dx: dx.sum(), ValueError, r"Plain.backward: the gradient of inputs\[0\] has shape \(\), expected"),
    ],
)
def test_a_backward_that_returns_no_gradients_is_named(returns, exception, message):
    with pytest.raises(exception, match=f"^gradient_check: {message}"):
        gradient_check(Plain(returns), normal(0, 3), normal(1, 3))


def test_a_layer_of_ones_own_that_forgets_to_return_is_named():
    class Forgets(Node):
        def forward(self, x):
            return 2 * x

        def backward(self, dy):
            2 * dy

    with pytest.raises(TypeError, match="Forgets.backward returned None"):
        gradient_check(Forgets(), [1.0])


@pytest.mark.parametrize("others", [(None, None), (None, np.zeros(3)), ()])
def test_inputs_without_a_gradient_say_so_or_are_whole_numbers(others):
    layer = Plain(lambda dy, dx: (dx, *others))
    inputs = (normal(1, 3), normal(2, 3)) if others else ([1, 2, 3], [4, 5, 6])
    keys = ["inputs[0]", *(f"inputs[{k}]" for k, dx in enumerate(others, 1) if dx is not None), "params[0]"]
    errors = gradient_check(layer, normal(0, 3), *inputs)
    assert list(errors) == keys and max(errors.values()) < 1e-7


class Rows:
    """Rows of a table by their numbers, times a factor: the numbers have no gradient."""

    def __init__(self):
        self.params, self.grads = [normal(0, (4, 3))], [np.zeros((4, 3))]

    def forward(self, numbers, factor):
        self.numbers, self.factor = numbers, factor
        return self.params[0][numbers] * factor

    def backward(self, dy):
        self.grads[0][...] = 0
        np.add.at(self.grads[0], self.numbers, dy * self.factor)
        return None, (dy * self.params[0][self.numbers]).sum(axis=0)


def test_integers_may_have_no_gradient_and_the_others_keep_their_places():
    errors = gradient_check(Rows(), [0, 2, 2], normal(1, 3))
    assert list(errors) == ["inputs[1]", "params[0]"] and max(errors.values()) < 1e-7


@pytest.mark.parametrize(
    ("grads", "exception", "message"),
    [
        ([], ValueError, "Plain.backward left 0 gradients for 1 parameters"),
        ([np.zeros(1)] * 2, ValueError, "Plain.backward left 2 gradients for 1 parameters"),
        ([np.zeros(2)], ValueError, r"the gradient of params\[0\] has shape \(2,\), expected \(1,\)"),
        ([None], TypeError, r"the gradient of params\[0\]: .*object"),
    ],
)
def test_gradients_of_parameters_that_do_not_fit_are_named(grads, exception, message):
    class Spoilt(Plain):
        def backward(self, dy):
            self.grads = grads
            return self.params[0] * dy

    Spoilt.__name__ = "Plain"
    with pytest.raises(exception, match=message):
        gradient_check(Spoilt(), normal(0, 3))


def test_a_forward_that_returns_no_numbers_is_named():
    with pytest.raises(TypeError, match=r"gradient_check: SimpleNamespace.forward: .*object"):
        gradient_check(types.SimpleNamespace(forward=lambda x: None, backward=lambda dy: dy), [1.0])


# -- right code is not condemned, wrong code is found --


def deep(seed, scale, spoilt=None, layers=8, d=5):
    """Eight layers, of which one may be spoilt, and their input."""
    rng = np.random.default_rng(seed)
    steps = []
    for k in range(layers):
        W, b = scale * rng.standard_normal((d, d)), scale * rng.standard_normal(d)
        steps += [Affine(W, b), Doubled() if k == spoilt else Sigmoid()]
    return Sequential(*steps), rng.standard_normal((4, d))


class Doubled(Sigmoid):
    def backward(self, dout):
        return 2 * super().backward(dout)


class Stable:
    """The sigmoid as 1 / (1 + exp(-x)), its slope without cancellation: right to the last bit where y is 1."""

    def forward(self, x):
        self.x = x
        return 1 / (1 + np.exp(-x))

    def backward(self, dy):
        return dy * np.exp(-abs(self.x)) / (1 + np.exp(-abs(self.x))) ** 2


@pytest.mark.parametrize("x", [0, 1, 5, 10, 15, 20, 25, 30, 33, 36, 36.7, 37, 40, 100, -5, -30, -40, -100])
@pytest.mark.parametrize("kind", [Sigmoid, Stable])
def test_a_sigmoid_is_right_however_far_out(kind, x):
    for rng in range(5):
        assert max(gradient_check(kind(), [float(x)], rng=rng).values()) < 1e-7


@pytest.mark.parametrize("scale", [0.001, 0.01, 0.05, 0.2, 1, 5, 20])
def test_eight_layers_are_right_at_any_scale(scale):
    for seed in range(3):
        assert max(gradient_check(*deep(seed, scale)).values()) < 1e-7


@pytest.mark.parametrize("z", [1, 10, 20, 25, 30, 35, 40, 100, 800])
@pytest.mark.parametrize("t", [0, 1])
def test_a_loss_is_right_however_sure_its_scores(z, t):
    for rng in range(5):
        assert max(gradient_check(SoftmaxWithLoss(), [[z, 0, 0.5]], [t], rng=rng).values()) < 1e-7


def test_a_step_that_reaches_across_a_kink_is_made_shorter():
    assert max(gradient_check(ReLU(), [1e-6, 1.0]).values()) < 1e-7


def test_what_is_too_small_is_said():
    errors = gradient_check(Sigmoid(), [30.0])
    assert errors == {"inputs[0]": 0} and "too small to be measured" in repr(errors)
    assert repr(gradient_check(Sigmoid(), [1.0, 40.0])) == repr(dict(gradient_check(Sigmoid(), [1.0, 40.0])))


@pytest.mark.parametrize("x", [0, 1, 5, 10, 15, 20, -5, -10, -20, -30, -100])
def test_a_factor_of_two_is_found_wherever_it_can_be_measured(x):
    assert gradient_check(Doubled(), [float(x)])["inputs[0]"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("spoilt", [0, 3, 7])
@pytest.mark.parametrize("scale", [1, 5])
def test_a_factor_of_two_is_found_in_eight_layers(scale, spoilt):
    for seed in range(3):
        assert max(gradient_check(*deep(seed, scale, spoilt)).values()) > 0.4


@pytest.mark.parametrize("scale", [1e-100, 1e-12, 1e-6, 1, 1e6, 1e12])
@pytest.mark.parametrize(("factor", "wrong"), [(1, False), (2, True), (1.001, True), (1 + 1e-6, True), (-1, True)])
def test_the_scale_of_a_layer_neither_hides_nor_makes_a_fault(scale, factor, wrong):
    class Scaled(Sigmoid):
        def forward(self, x):
            return scale * super().forward(x)

        def backward(self, dout):
            return scale * factor * super().backward(dout)

    error = gradient_check(Scaled(), normal(0, (3, 2)))["inputs[0]"]
    assert (error > 1e-7) == wrong and error == pytest.approx(abs(1 - 1 / factor) if factor > 0 else 2, abs=1e-7)


class Squared:
    """The mean squared error, its gradient to be spoilt."""

    def __init__(self, spoil=lambda d, n: d / n):
        self.spoil = spoil

    def forward(self, x, t):
        self.d = x - t
        return (self.d**2).mean() / 2

    def backward(self, dout=1.0):
        return dout * self.spoil(self.d, self.d.size)


class SpoiltAffine(Affine):
    def __init__(self, W, b, spoil):
        super().__init__(W, b)
        self.spoil = spoil

    def backward(self, dout):
        return self.spoil(self, super().backward(dout), dout)


def without_bias(layer, dx, dout):
    layer.grads[1][...] = 0
    return dx


def transposed(layer, dx, dout):
    return dout @ layer.params[0]  # W in place of its transpose


def one_row_only(layer, dx, dout):
    layer.grads[1][...] = dout[0]
    return dx


def one_weight(layer, dx, dout):
    layer.grads[0][1, 2] *= 1 + 1e-3
    return dx


class OfInput(Sigmoid):
    """y(1 - y) with x in place of y."""

    def backward(self, dout):
        return dout * self.at * (1 - self.at)

    def forward(self, x):
        self.at = x
        return super().forward(x)


class OneWrong(Sigmoid):
    def backward(self, dout):
        dx = super().backward(dout)
        dx[np.unravel_index(abs(dx).argmax(), dx.shape)] *= 1 + 1e-3
        return dx


FAULTS = {
    "mean": (lambda: Squared(lambda d, n: d), [(4, 3), (4, 3)], "inputs[0]"),
    "mean over rows": (lambda: Squared(lambda d, n: d / len(d)), [(4, 3), (4, 3)], "inputs[0]"),
    "sign": (lambda: Squared(lambda d, n: -d / n), [(4, 3), (4, 3)], "inputs[0]"),
    "bias": (lambda: SpoiltAffine(normal(0, (3, 3)), normal(1, 3), without_bias), [(4, 3)], "params[1]"),
    "bias of one row": (lambda: SpoiltAffine(normal(0, (3, 3)), normal(1, 3), one_row_only), [(4, 3)], "params[1]"),
    "transposed": (lambda: SpoiltAffine(normal(0, (3, 3)), normal(1, 3), transposed), [(4, 3)], "inputs[0]"),
    "one weight": (lambda: SpoiltAffine(normal(0, (3, 3)), normal(1, 3), one_weight), [(4, 3)], "params[0]"),
    "factor": (Doubled, [(4, 3)], "inputs[0]"),
    "of the wrong variable": (OfInput, [(4, 3)], "inputs[0]"),
    "one of a thousand": (OneWrong, [(40, 25)], "inputs[0]"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found_and_nothing_else(fault):
    make, shapes, key = FAULTS[fault]
    errors = gradient_check(make(), *(normal(k + 5, shape) for k, shape in enumerate(shapes)))
    assert [k for k, error in errors.items() if not error < 1e-7] == [key]
    assert errors[key] > 1e-5 and not errors.hints


def test_what_is_spoilt_above_is_right_otherwise():
    assert gradient_check(Squared(), normal(0, (4, 3)), normal(1, (4, 3)))["inputs[0]"] < 1e-7


def test_rounding_inside_a_layer_is_no_fault():
    class Offset(Plain):
        def forward(self, x):
            return super().forward(x) + 1e6 - 1e6

    assert max(gradient_check(Offset(), normal(0, 3)).values()) < 1e-7
    assert gradient_check(Offset(lambda dy, dx: 2 * dx), normal(0, 3))["inputs[0]"] == pytest.approx(0.5, abs=0.01)


# -- float32 --


@pytest.mark.parametrize("d", [5, 20, 100, 400])
def test_in_float32_what_is_right_stays_below_a_thousandth(d):
    def array(seed, *shape, scale=1.0):
        return normal(seed, shape, np.float32) * np.float32(scale)

    x, t = array(0, 3, d), np.arange(3)
    W, b, V, c = array(1, d, 4, scale=d**-0.5), array(2, 4), array(3, 4, 5), array(4, 5)
    cases = [
        (Sigmoid(), x),
        (SoftmaxWithLoss(), x, t),
        (Affine(W, b), x),
        (Affine(W * np.float32(d**0.5), b), x),
        (Sequential(Affine(W, b), Sigmoid(), Affine(V, c), loss=SoftmaxWithLoss()), x, t),
    ]
    for layer, *inputs in cases:
        assert max(gradient_check(layer, *inputs).values()) < 1e-3
    for spoil in (without_bias, lambda layer, dx, dout: 1.01 * dx, lambda layer, dx, dout: -dx):
        assert max(gradient_check(SpoiltAffine(W, b, spoil), x).values()) > 5e-3
    assert gradient_check(Doubled(), x)["inputs[0]"] == pytest.approx(0.5, abs=0.01)


# -- layers that are no functions --


class Noisy:
    """Adds noise from its own generator."""

    def __init__(self, size):
        self.rng, self.size = np.random.default_rng(0), size

    def forward(self, x):
        return x + self.size * self.rng.standard_normal(x.shape)

    def backward(self, dy):
        return dy


@pytest.mark.parametrize("size", [1, 1e-3, 1e-9])
def test_a_layer_that_draws_is_refused_by_name_and_its_generator_left(size):
    layer, x = Noisy(size), normal(0, 3)
    with untouched(layer, x), pytest.raises(ValueError, match=r"Noisy.forward returns .* random numbers"):
        gradient_check(layer, x)


def test_outputs_that_differ_by_a_rounding_are_not_drawn():
    class Restless(Plain):
        def forward(self, x):
            self.passes = getattr(self, "passes", 0) + 1
            return super().forward(x) * (1 + self.passes % 2 * np.finfo(float).eps)

    assert max(gradient_check(Restless(), normal(0, 3)).values()) < 1e-7


def test_outputs_that_are_no_numbers_are_not_drawn_but_not_right_either():
    class Logarithm(Plain):
        def forward(self, x):
            return super().forward(np.log(x))

    assert gradient_check(Logarithm(), [-1.0])["inputs[0]"] == np.inf


def test_a_huge_gradient_is_not_hidden_by_an_overflow():
    layer = Plain(lambda dy, dx: 2 * dx)
    layer.params[0][...] = 1e300
    assert gradient_check(layer, [1e-3])["inputs[0]"] == pytest.approx(0.5)


def test_dropout_is_refused_and_left_as_it_was():
    layer, x = Sequential(Affine(normal(0, (3, 8)), normal(1, 8)), Dropout(0.5)), normal(2, (4, 3))
    with untouched(layer, x), pytest.raises(ValueError, match="Sequential.forward returns .* random numbers"):
        gradient_check(layer, x)


def test_a_generator_that_does_not_matter_is_left_too():
    layer = Noisy(0)
    with untouched(layer):
        assert max(gradient_check(layer, normal(0, 3)).values()) < 1e-7


def test_gradients_that_add_up_over_two_passes_are_named():
    class Adds(Plain):
        def backward(self, dy):
            self.grads[0] += (dy * self.x).sum()
            return self.params[0] * dy

    with pytest.raises(ValueError, match=r"Adds.backward finds another gradient of params\[0\] .*\+=.*grads\[0\]\["):
        gradient_check(Adds(), normal(0, 3))

    class Clears(Adds):
        def forward(self, x):
            self.grads[0][...] = 0
            return super().forward(x)

    assert max(gradient_check(Clears(), normal(0, 3)).values()) < 1e-7


def test_a_gradient_that_changes_its_shape_is_named_too():
    class Grows(Plain):
        def backward(self, dy):
            dx = super().backward(dy)
            self.grads, self.next = [getattr(self, "next", self.grads[0])], np.zeros(2)
            return dx

    with pytest.raises(ValueError, match=r"Grows.backward finds another gradient of params\[0\]"):
        gradient_check(Grows(), normal(0, 3))


def test_an_upstream_gradient_may_be_written_into():
    class Writes(Plain):
        def backward(self, dy):
            dx = super().backward(dy.copy())
            dy *= 3
            return dx

    assert max(gradient_check(Writes(), normal(0, 3)).values()) < 1e-7


def test_a_kink_is_named():
    errors = gradient_check(ReLU(), [[1.0, 0.0]])
    assert not errors["inputs[0]"] < 1e-7 and list(errors.hints) == ["inputs[0]"]
    assert "kink near index (0, 1)" in repr(errors) and repr(errors).startswith("{'inputs[0]': ")
    assert isinstance(errors, dict) and type(errors["inputs[0]"]) is float


@pytest.mark.parametrize("x", [0.0, 0.5, -3.0])
def test_curvature_is_no_kink(x):
    class Square:
        def forward(self, x):
            self.x = x
            return 1e4 * x**2

        def backward(self, dy):
            return 2e4 * self.x * dy + 0.03

    errors = gradient_check(Square(), [x])
    assert errors["inputs[0]"] > 1e-7 and not errors.hints


class ScaledAffine(Affine):
    """Its gradient of W is `factor` times the right one."""

    factor = 1

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0][...] *= self.factor
        return dx


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("factor", [1, 0, 2, -1])
def test_a_gradient_that_drowns_in_rounding_errors_is_measured_by_longer_steps(factor, seed):
    rng, layers = np.random.default_rng(seed), []
    for kind in [ScaledAffine, *[Affine] * 7]:
        layers += [kind(0.05 * rng.standard_normal((5, 5)), np.zeros(5)), Sigmoid()]
    layers[0].factor = factor
    errors = gradient_check(Sequential(*layers), rng.standard_normal((3, 5)))
    assert (errors["params[0]"] < 1e-7) == (factor == 1)
    assert all(error < 1e-7 for name, error in errors.items() if name != "params[0]")


@pytest.mark.parametrize("x", [10.0, 30.0, 32.0, 34.0, 40.0])
def test_a_loss_that_is_nearly_sure_passes(x):
    assert all(e < 1e-7 for e in gradient_check(SigmoidWithLoss(), [[x]], [[1]]).values())
    assert all(e < 1e-7 for e in gradient_check(SoftmaxWithLoss(), [[x, 0.0, 0.0]], [0]).values())


class TimesTen(Sigmoid):
    def backward(self, dout):
        return 10 * super().backward(dout)


@pytest.mark.parametrize("x", [0.0, 20.0, 30.0])
def test_a_factor_is_found_where_the_slope_is_small(x):
    assert gradient_check(TimesTen(), [x])["inputs[0]"] > 0.5


def test_a_float_input_without_a_gradient_is_named():
    class HalfMultiply(Multiply):
        def backward(self, dout):
            return super().backward(dout)[0]

    with pytest.raises(
        ValueError, match=r"HalfMultiply.backward returned 1 gradients for 2 inputs: none for inputs\[1\]"
    ):
        gradient_check(HalfMultiply(), [1.0, 2.0], [3.0, 4.0])


def test_labels_need_no_gradient():
    assert list(gradient_check(SigmoidWithLoss(), [[1.0]], [[0.5]])) == ["inputs[0]"]


def test_the_coarsest_type_decides_and_integers_count_as_float64():
    exact, coarse = np.zeros(2), np.zeros(2, np.float32)
    eps = [gradients._coarsest(arrays) for arrays in ([exact], [exact, coarse], [np.arange(2)], [])]
    assert eps == [2.0**-52, 2.0**-23, 2.0**-52, 2.0**-52]


def test_the_width_of_a_step_is_computed_in_double_precision():
    x = np.array([1.0], np.float16)
    width = gradients._width(x, 0, np.float16(1.001), np.float16(0.999))
    assert type(width) is np.float64 and width == float(np.float16(1.001)) - float(np.float16(0.999))


def test_a_slope_is_steady_if_a_longer_step_finds_it_for_the_largest():
    for found, steady in ((2.1, True), (3.0, False), (0.0, False)):
        slopes = {(0,): 1e-9, (1,): found}
        far = gradients._is_steady(lambda i, *_, at=slopes: at[i], np.full(2, 0.1), np.array([0.0, 2.0]))
        assert far == steady


def test_what_a_longer_step_contradicts_is_noise():
    for far, noise in ((2.0, True), (0.0, True), (1.1, False)):
        found = gradients._is_noise(lambda i, low, high, far=far: far if low == -0.64 else 1.0, 0, 0.01, 1.0, 0.0, 1.0)
        assert found == noise


class Shifted:
    """x, of which almost nothing is left beside a large constant."""

    params = grads = []

    def __init__(self, base, slope):
        self.base, self.slope = base, slope

    def forward(self, x):
        return self.base + 1e-8 * x

    def backward(self, dy):
        return self.slope * dy


@pytest.mark.parametrize("base", [1e6, -1e6])
def test_a_slope_that_nearly_drowns_is_measured_whatever_the_sign_of_the_output(base):
    assert gradient_check(Shifted(base, 1e-8), [0.5, 0.25])["inputs[0]"] == 0
    assert gradient_check(Shifted(base, 2e-8), [0.5, 0.25])["inputs[0]"] > 0.4


class Ripple:
    params = grads = []

    def __init__(self, k):
        self.k = k

    def forward(self, x):
        self.x = x
        return np.sin(self.k * x) / self.k

    def backward(self, dy):
        return dy * np.cos(self.k * self.x)


@pytest.mark.parametrize("k", [1000, 3000])
def test_what_a_shorter_step_confirms_is_measured_and_no_rounding_error(k):
    errors = gradient_check(Ripple(k), [0.001, -0.002])
    assert 0 < errors["inputs[0]"] < 1e-7 and errors.hints == {}


def test_the_norm_of_arrays_together():
    assert gradients._norm([np.array([3.0, 0.0]), np.array([[4.0]])]) == 5
    assert gradients._norm([np.array([3e200, -4e200])]) == pytest.approx(5e200)


class Falling:
    """Two inputs: one goes gently downhill, the other does not count."""

    params = grads = []

    def __init__(self, slope):
        self.slope = slope

    def forward(self, x):
        return x @ [-1e-11, 0.0]

    def backward(self, dy):
        return dy * np.array([self.slope, 0.0])


def test_whether_a_tiny_slope_is_steady_is_seen_where_it_falls_too():
    errors = gradient_check(Falling(-1e-11), [0.5, 0.25])
    assert errors["inputs[0]"] < 1e-7 and errors.hints == {}
    assert gradient_check(Falling(-2e-11), [0.5, 0.25])["inputs[0]"] > 0.4


def test_two_passes_are_the_same_but_for_rounding_whatever_their_size_and_sign():
    below = -np.ones(2)
    assert gradients._same(below, below * (1 + 1e-12), 1e-10)
    assert not gradients._same(below, below * (1 + 1e-8), 1e-10)
    assert not gradients._same(np.array([1e-20]), np.array([2e-20]), 1e-10)


def test_inputs_of_whole_numbers_that_have_a_gradient_are_moved_as_numbers():
    errors = gradient_check(Multiply(), [1, 2], [3, 4])
    assert list(errors) == ["inputs[0]", "inputs[1]"] and max(errors.values()) < 1e-9
