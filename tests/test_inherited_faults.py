"""The faults of the code that this book grew out of: none of them may come back.

Each test runs one check on two implementations. It asserts that the inherited form fails the check, which proves that
the check can see the fault, and that `mlcore` passes it. The inherited forms are in this file only.
"""

import warnings

import numpy as np
import pytest
from helpers import normal, untouched

from mlcore import (
    SGD,
    AdaGrad,
    Adam,
    Affine,
    MatMul,
    Momentum,
    Nesterov,
    Repeat,
    RMSprop,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    Sum,
    gradient_check,
    numerical_gradient,
    relative_error,
    sigmoid,
    softmax,
)

RULES = [SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)


def fails(check, *args):
    """Whether a check goes wrong: by assertion, by exception or by warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            check(*args)
        except (Exception, pytest.fail.Exception):
            return True
    return False


# -- 1: Nesterov looks ahead once too often --


class InheritedNesterov:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, None

    def update(self, params, grads):
        if self.v is None:
            self.v = [np.zeros_like(p) for p in params]
        for i in range(len(params)):
            self.v[i] *= self.momentum
            self.v[i] -= self.lr * grads[i]
            params[i] += self.momentum * self.momentum * self.v[i]
            params[i] -= (1 + self.momentum) * self.lr * grads[i]


def path_on_a_parabola(optimizer, steps):
    x, points = np.array([1.0]), []
    for _ in range(steps):
        optimizer.update([x], [x.copy()])
        points.append(x[0])
    return points


def looks_ahead_once(optimizer):
    assert path_on_a_parabola(optimizer, 3) == pytest.approx([0.8100, 0.5751, 0.3273], abs=5e-5)


def test_fault_1_nesterov_looks_ahead_once():
    inherited = path_on_a_parabola(InheritedNesterov(lr=0.1), 3)
    assert inherited == pytest.approx([0.7290, 0.4585, 0.2155], abs=5e-5)
    assert fails(looks_ahead_once, InheritedNesterov(lr=0.1))
    looks_ahead_once(Nesterov(lr=0.1))


def test_fault_1_is_invisible_to_a_test_that_only_asks_for_convergence():
    for optimizer in (InheritedNesterov(lr=0.1), Nesterov(lr=0.1)):
        assert abs(path_on_a_parabola(optimizer, 300)[-1]) < 1e-6


# -- 2, 3: SigmoidWithLoss --


def inherited_cross_entropy_error(y, t):
    if y.ndim == 1:
        t, y = t.reshape(1, t.size), y.reshape(1, y.size)
    if t.size == y.size:
        t = t.argmax(axis=1)
    n = y.shape[0]
    return -np.sum(np.log(y[np.arange(n), t] + 1e-7)) / n


class InheritedSigmoidWithLoss:
    def forward(self, x, t):
        self.t = t
        self.y = 1 / (1 + np.exp(-x))
        return inherited_cross_entropy_error(np.c_[1 - self.y, self.y], self.t)

    def backward(self, dout=1):
        return (self.y - self.t) * dout / self.t.shape[0]


def column_and_vector_fit(loss):
    x, t = normal(0, (4, 1)), np.array([0, 1, 1, 0])
    loss.forward(x, t)
    assert loss.backward().shape == x.shape


def columns_give_the_mean(loss):
    x, t = normal(0, (4, 1)), np.array([[0], [1], [1], [0]])
    expected = np.logaddexp(0, np.where(t == 1, -x, x)).mean()
    assert loss.forward(x, t) == pytest.approx(expected, rel=1e-6)


def float_and_bool_labels_are_fine(loss):
    x, expected = normal(0, 3), InheritedSigmoidWithLoss().forward(normal(0, 3), np.array([0, 1, 1]))
    for t in (np.array([0.0, 1.0, 1.0]), np.array([False, True, True])):
        assert loss.forward(x, t) == pytest.approx(expected, rel=1e-6)
    assert loss.forward(x, np.array([0.5, 0.5, 0.5])) > 0


@pytest.mark.parametrize("check", [column_and_vector_fit, columns_give_the_mean, float_and_bool_labels_are_fine])
def test_fault_2_labels_of_sigmoid_with_loss(check):
    assert fails(check, InheritedSigmoidWithLoss())
    check(SigmoidWithLoss())


def test_fault_2_the_inherited_gradient_is_a_square():
    loss = InheritedSigmoidWithLoss()
    loss.forward(normal(0, (4, 1)), np.array([0, 1, 1, 0]))
    assert loss.backward().shape == (4, 4)


@pytest.mark.parametrize(("x", "t"), [((3, 1), (4,)), ((3,), (3, 2)), ((1, 3), (3,)), ((3, 1), (1, 3)), ((3, 2), (3,))])
def test_fault_2_what_does_not_fit_names_both_shapes(x, t):
    with pytest.raises(ValueError, match="SigmoidWithLoss: .*has shape") as e:
        SigmoidWithLoss().forward(np.zeros(x), np.zeros(t))
    assert str(x) in str(e.value) and str(t) in str(e.value)


def loss_grows_with_the_error(loss):
    assert loss.forward(np.array([1000.0, -1000.0]), np.array([0, 1])) == 1000


def loss_is_never_negative(loss):
    assert loss.forward(np.array([1000.0]), np.array([1])) >= 0


def forward_and_backward_agree(loss):
    x, t = np.array([15.0, -15.0]), np.array([0, 1])
    by_differences = numerical_gradient(lambda x: loss.forward(x, t), x)
    loss.forward(x, t)
    assert relative_error(loss.backward(), by_differences) < 1e-7


class InheritedSoftmaxWithLoss:
    def forward(self, x, t):
        self.t = t
        self.y = inherited_softmax(x)
        if self.t.size == self.y.size:
            self.t = self.t.argmax(axis=1)
        return inherited_cross_entropy_error(self.y, self.t)

    def backward(self, dout=1):
        n = self.t.shape[0]
        dx = self.y.copy()
        dx[np.arange(n), self.t] -= 1
        return dx * dout / n


def inherited_softmax(x):
    if x.ndim == 2:
        x = x - x.max(axis=1, keepdims=True)
        x = np.exp(x)
        x /= x.sum(axis=1, keepdims=True)
    elif x.ndim == 1:
        x = x - np.max(x)
        x = np.exp(x) / np.sum(np.exp(x))
    return x


class TwoClasses:
    """A softmax loss seen as a binary one: the first class scores 0."""

    def __init__(self, loss):
        self.loss = loss

    def forward(self, x, t):
        return self.loss.forward(np.stack([np.zeros_like(x), x], axis=1), t)

    def backward(self):
        return self.loss.backward()[:, 1]


@pytest.mark.parametrize("check", [loss_grows_with_the_error, loss_is_never_negative, forward_and_backward_agree])
@pytest.mark.parametrize(
    ("inherited", "ours"),
    [
        (InheritedSigmoidWithLoss, SigmoidWithLoss),
        (lambda: TwoClasses(InheritedSoftmaxWithLoss()), lambda: TwoClasses(SoftmaxWithLoss())),
    ],
    ids=["sigmoid", "softmax"],
)
def test_fault_3_the_loss_comes_from_the_logits_without_epsilon(check, inherited, ours):
    assert fails(check, inherited())
    check(ours())


def test_fault_3_how_wrong_it_was():
    loss = InheritedSigmoidWithLoss()
    assert loss.forward(np.array([40.0]), np.array([0])) == pytest.approx(16.118, abs=5e-4)
    x, t = np.array([15.0]), np.array([0])
    by_differences = numerical_gradient(lambda x: loss.forward(x, t), x)
    loss.forward(x, t)
    assert relative_error(loss.backward(), by_differences) == pytest.approx(0.25, abs=0.01)


# -- 4: SoftmaxWithLoss --


def soft_targets_are_honoured(loss):
    x, t = normal(0, (2, 3)), np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    assert loss.forward(x, t) == pytest.approx(-(t * np.log(softmax(x))).sum(axis=1).mean(), rel=1e-6)
    np.testing.assert_allclose(loss.backward(), (softmax(x) - t) / 2, rtol=1e-12)


def one_column_is_certain(loss):
    assert loss.forward(normal(0, (3, 1)), np.array([0, 0, 0])) == pytest.approx(0, abs=1e-6)


def label_columns_are_refused(loss):
    with pytest.raises(ValueError):
        loss.forward(normal(0, (3, 4)), np.array([[1], [3], [0]]))


def labels_do_not_count_from_the_end(loss):
    for label in (-1, 4):
        with pytest.raises(ValueError):
            loss.forward(normal(0, (1, 4)), np.array([label]))


@pytest.mark.parametrize(
    "check",
    [soft_targets_are_honoured, one_column_is_certain, label_columns_are_refused, labels_do_not_count_from_the_end],
)
def test_fault_4_labels_of_softmax_with_loss(check):
    assert fails(check, InheritedSoftmaxWithLoss())
    check(SoftmaxWithLoss())


# -- 5: sigmoid overflows --


def inherited_sigmoid(x):
    return 1 / (1 + np.exp(-x))


def no_overflow(f, dtype):
    y = f(np.array([-1000, 0, 1000], dtype))
    assert y.tolist() == [0, 0.5, 1] and y.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_fault_5_sigmoid_does_not_overflow(dtype):
    assert fails(no_overflow, inherited_sigmoid, dtype)
    no_overflow(sigmoid, dtype)
    no_overflow(lambda x: Sigmoid().forward(x), dtype)


# -- 6: softmax of three axes --


def rows_sum_to_one(f, axes):
    np.testing.assert_allclose(f(normal(0, (2, 3, 4, 5)[-axes:])).sum(axis=-1), 1, rtol=1e-12)


def test_fault_6_softmax_takes_any_number_of_leading_axes():
    for axes in (1, 2):
        rows_sum_to_one(inherited_softmax, axes)
    for axes in (3, 4):
        assert fails(rows_sum_to_one, inherited_softmax, axes)
    for axes in (1, 2, 3, 4):
        rows_sum_to_one(softmax, axes)


# -- 7: MatMul and Affine --


class InheritedMatMul:
    def __init__(self, W):
        self.params, self.grads, self.x = [W], [np.zeros_like(W)], None

    def forward(self, x):
        (W,) = self.params
        self.x = x
        return np.dot(x, W)

    def backward(self, dout):
        (W,) = self.params
        self.grads[0][...] = np.dot(self.x.T, dout)
        return np.dot(dout, W.T)


class InheritedAffine(InheritedMatMul):
    def __init__(self, W, b):
        self.params, self.grads, self.x = [W, b], [np.zeros_like(W), np.zeros_like(b)], None

    def forward(self, x):
        W, b = self.params
        self.x = x
        return np.dot(x, W) + b

    def backward(self, dout):
        W, _ = self.params
        self.grads[0][...] = np.dot(self.x.T, dout)
        self.grads[1][...] = np.sum(dout, axis=0)
        return np.dot(dout, W.T)


def use_twice_is_right_or_refused(make):
    """y = f(x1) + f(x2): the gradient of W is that of both uses."""
    layer, x1, x2, u = make(normal(0, (2, 3))), normal(1, (4, 2)), normal(2, (4, 2)), normal(3, (4, 3))
    layer.forward(x1)
    layer.forward(x2)
    layer.backward(u)
    try:
        layer.backward(u)
    except RuntimeError as error:
        assert "last one only" in str(error)
    else:
        np.testing.assert_allclose(layer.grads[0], x1.T @ u + x2.T @ u)


def integer_weights_are_refused(make):
    with pytest.raises(TypeError, match="must be floating"):
        make(np.ones((2, 3), int))


def integer_input_is_fine(make):
    layer, x = make(normal(0, (2, 3))), np.array([[1, 0], [0, 1]])
    layer.forward(x)
    layer.backward(np.ones((2, 3)))
    np.testing.assert_array_equal(layer.grads[0], np.ones((2, 3)))


def leading_axes_are_handled(make):
    assert max(gradient_check(make(normal(0, (2, 3))), normal(1, (4, 5, 2))).values()) < 1e-7


def input_is_remembered_as_it_was(make):
    layer, x = make(normal(0, (2, 3))), normal(1, (4, 2))
    expected = x.T @ np.ones((4, 3))
    layer.forward(x)
    x[...] = 0
    layer.backward(np.ones((4, 3)))
    np.testing.assert_allclose(layer.grads[0], expected)


def backward_needs_forward(make):
    with pytest.raises(RuntimeError, match="there is no forward pass"):
        make(normal(0, (2, 3))).backward(np.ones((4, 3)))


def with_bias(kind):
    return lambda W: kind(W, np.ones(W.shape[1]))


@pytest.mark.parametrize(
    ("check", "was_wrong"),
    [
        (use_twice_is_right_or_refused, True),
        (integer_weights_are_refused, True),
        (integer_input_is_fine, False),
        (leading_axes_are_handled, True),
        (input_is_remembered_as_it_was, True),
        (backward_needs_forward, True),
    ],
)
@pytest.mark.parametrize(
    ("inherited", "ours"),
    [(InheritedMatMul, MatMul), (with_bias(InheritedAffine), with_bias(Affine))],
    ids=["MatMul", "Affine"],
)
def test_fault_7_matmul_and_affine(check, was_wrong, inherited, ours):
    assert fails(check, inherited) == was_wrong
    check(ours)


# -- 8: the recipes for Repeat and Sum --


class InheritedRepeat:
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        return np.repeat(x, self.n, axis=0)

    def backward(self, dy):
        return np.sum(dy, axis=0, keepdims=True)


class InheritedSum:
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        return np.sum(x, axis=0, keepdims=True)

    def backward(self, dy):
        return np.repeat(dy, self.n, axis=0)


def backward_is_the_transpose(node, x):
    y = node.forward(x)
    u = normal(1, y.shape)
    dx = node.backward(u)
    assert dx.shape == x.shape
    assert np.vdot(y, u) == pytest.approx(np.vdot(x, dx), rel=1e-13)


def test_fault_8_repeat_and_sum_are_right_for_any_number_of_rows():
    backward_is_the_transpose(InheritedRepeat(7), normal(0, (1, 8)))
    assert fails(backward_is_the_transpose, InheritedRepeat(7), normal(0, (2, 8)))
    backward_is_the_transpose(InheritedSum(7), normal(0, (7, 8)))
    assert fails(backward_is_the_transpose, InheritedSum(7), normal(0, (6, 8)))
    for shape in [(1, 8), (2, 8), (7, 8), (3, 4, 5)]:
        for axis in range(-len(shape), len(shape)):
            backward_is_the_transpose(Repeat(7, axis), normal(0, shape))
            backward_is_the_transpose(Sum(axis), normal(0, shape))


# -- 9, 10: shared parameters; eps --


class InheritedSGD:
    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, params, grads):
        for i in range(len(params)):
            params[i] -= self.lr * grads[i]


class InheritedAdaGrad:
    def __init__(self, lr=0.01):
        self.lr, self.h = lr, None

    def update(self, params, grads):
        if self.h is None:
            self.h = [np.zeros_like(p) for p in params]
        for i in range(len(params)):
            self.h[i] += grads[i] * grads[i]
            params[i] -= self.lr * grads[i] / (np.sqrt(self.h[i]) + 1e-7)


class InheritedRMSprop:
    def __init__(self, lr=0.01, decay_rate=0.99):
        self.lr, self.decay_rate, self.h = lr, decay_rate, None

    def update(self, params, grads):
        if self.h is None:
            self.h = [np.zeros_like(p) for p in params]
        for i in range(len(params)):
            self.h[i] *= self.decay_rate
            self.h[i] += (1 - self.decay_rate) * grads[i] * grads[i]
            params[i] -= self.lr * grads[i] / (np.sqrt(self.h[i]) + 1e-7)


class InheritedAdam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999):
        self.lr, self.beta1, self.beta2, self.iter, self.m = lr, beta1, beta2, 0, None

    def update(self, params, grads):
        if self.m is None:
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]
        self.iter += 1
        lr_t = self.lr * np.sqrt(1.0 - self.beta2**self.iter) / (1.0 - self.beta1**self.iter)
        for i in range(len(params)):
            self.m[i] += (1 - self.beta1) * (grads[i] - self.m[i])
            self.v[i] += (1 - self.beta2) * (grads[i] ** 2 - self.v[i])
            params[i] -= lr_t * self.m[i] / (np.sqrt(self.v[i]) + 1e-7)


def a_shared_array_moves_once_by_the_sum(kind):
    """The same problem twice: one array that stands twice, and one array with the sum of the gradients."""
    shared, single, a, b = normal(0, 3), normal(0, 3), kind(lr=0.1), kind(lr=0.1)
    for step in range(5):
        g, h = normal(2 * step + 1, 3), normal(2 * step + 2, 3)
        a.update([shared, shared], [g, h])
        b.update([single], [g + h])
    np.testing.assert_allclose(shared, single, rtol=1e-12)


@pytest.mark.parametrize(
    ("inherited", "ours", "was_wrong"),
    [
        (InheritedSGD, SGD, False),
        (InheritedAdaGrad, AdaGrad, True),
        (InheritedRMSprop, RMSprop, True),
        (InheritedAdam, Adam, True),
    ],
    ids=["SGD", "AdaGrad", "RMSprop", "Adam"],
)
def test_fault_9_a_shared_array_moves_once_by_the_sum_of_its_gradients(inherited, ours, was_wrong):
    assert fails(a_shared_array_moves_once_by_the_sum, inherited) == was_wrong
    a_shared_array_moves_once_by_the_sum(ours)


@pytest.mark.parametrize("rule", [Momentum, Nesterov], ids=lambda rule: rule.__name__)
def test_fault_9_also_for_the_velocity_rules(rule):
    a_shared_array_moves_once_by_the_sum(rule)


def first_step(optimizer, g):
    x = np.zeros(1)
    optimizer.update([x], [np.array([g])])
    return x[0]


def a_tiny_gradient_gives_half_the_step(optimizer):
    assert first_step(optimizer, 1e-8) == pytest.approx(-5.0e-3, rel=1e-6)


def test_fault_10_adam_is_the_papers_algorithm():
    assert first_step(InheritedAdam(lr=0.01), 1e-8) == pytest.approx(-3.2e-5, abs=5e-7)
    assert fails(a_tiny_gradient_gives_half_the_step, InheritedAdam(lr=0.01))
    a_tiny_gradient_gives_half_the_step(Adam(lr=0.01))


@pytest.mark.parametrize(("rule", "scale"), [(AdaGrad, 1.0), (RMSprop, 0.1), (Adam, 1.0)])
@pytest.mark.parametrize("eps", [1e-8, 1e-7, 1e-3, 1.0])
def test_fault_10_eps_is_an_argument_and_stands_beside_the_root(rule, scale, eps):
    """The first step is lr g / (scale g + eps), with the root of the first average being scale g."""
    g = 2e-3
    assert first_step(rule(lr=0.01, eps=eps), g) == pytest.approx(-0.01 * g / (scale * g + eps), rel=1e-12)
    assert rule().eps == 1e-8


# -- 11: what an optimizer does not check --


@each_rule
def test_fault_11_integer_parameters_are_refused_by_name(rule):
    params = [np.ones(2), np.array([1, 2])]
    with pytest.raises(TypeError, match="ufunc|UFunc|Cannot cast"):  # the message of NumPy names no parameter
        InheritedSGD().update([np.array([1, 2])], [np.ones(2)])
    with untouched(params), pytest.raises(TypeError, match=r"params\[1\] must be floating"):
        rule().update(params, [np.ones(2), np.ones(2)])


@each_rule
@pytest.mark.parametrize("count", [1, 3])
def test_fault_11_lists_of_different_length_are_refused_before_anything_moves(rule, count):
    def nothing_moves(optimizer):
        params = [np.ones(2), np.ones(2)]
        with pytest.raises(ValueError, match=f"got 2 parameters and {count} gradients"):
            optimizer.update(params, [np.ones(2)] * count)
        assert (params[0] == 1).all() and (params[1] == 1).all()

    assert fails(nothing_moves, InheritedSGD())
    nothing_moves(rule())


@pytest.mark.parametrize("rule", RULES[1:], ids=lambda rule: rule.__name__)
def test_fault_11_a_reused_optimizer_refuses_arrays_of_other_shapes(rule):
    def is_refused(optimizer):
        optimizer.update([np.ones((2, 3))], [np.ones((2, 3))])
        other = [np.ones((4, 2, 3))]
        with untouched(other), pytest.raises(ValueError, match=r"this optimizer has been used.*\(2, 3\).*\(4, 2, 3\)"):
            optimizer.update(other, [np.ones((4, 2, 3))])

    assert fails(is_refused, InheritedAdaGrad())
    is_refused(rule())


# -- 12 is a fault of the text, except for this --


def test_fault_12_what_is_random_has_a_seed():
    """Without a seed the check draws the same upstream gradient each time, and never NumPy's global state."""
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state is what is looked at
    layer, x = Affine(normal(0, (2, 3)), normal(1, 3)), normal(2, (4, 2))
    assert gradient_check(layer, x) == gradient_check(layer, x)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# -- seen elsewhere: an upstream gradient of 1 hides a wrong product --


def test_a_backward_that_forgets_or_squares_the_upstream_gradient_is_found():
    class Forgets(Sigmoid):
        def backward(self, dout):
            return super().backward(np.ones_like(dout))

    class Squares(Sigmoid):
        def backward(self, dout):
            return super().backward(dout) * dout

    for wrong in (Forgets, Squares):
        layer = wrong()
        y = layer.forward([0.5])
        np.testing.assert_array_equal(layer.backward([1.0]), y * (1 - y))  # for 1 all is well
        assert gradient_check(wrong(), normal(0, 3))["inputs[0]"] > 1e-2
