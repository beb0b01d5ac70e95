"""Section 1.3.4: each node against central differences and, where it is linear, against its transpose."""

import numpy as np
import pytest
from helpers import (
    as_tuple,
    assert_gradients,
    distinct_memory,
    forward_backward,
    inner,
    leading_axes,
    normal,
    seeds,
    shapes,
    untouched,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from mlcore import Add, Branch, MatMul, Multiply, Power, Repeat, Sum

dtypes = st.sampled_from([np.float32, np.float64])
pairs = mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3)

EXAMPLES = {
    "Add": (Add, [(3, 2), (2,)]),
    "Multiply": (Multiply, [(3, 2), (3, 1)]),
    "Branch": (lambda: Branch(3), [(3, 2)]),
    "Repeat": (lambda: Repeat(2, axis=1), [(3, 2)]),
    "Sum": (lambda: Sum(axis=-1), [(3, 2)]),
    "Power": (lambda: Power(2), [(3, 2)]),
    "MatMul": (lambda: MatMul(normal(0, (2, 4))), [(3, 2)]),
}
each_node = pytest.mark.parametrize(("make", "input_shapes"), EXAMPLES.values(), ids=EXAMPLES.keys())


def axis_of(data, shape):
    return data.draw(st.integers(-len(shape), len(shape) - 1))


def assert_transpose(node, *inputs, seed=0):
    """<A x, u> = <x, A^T u> for random u, to 1e-13 of the terms that are added up."""
    outputs = as_tuple(node.forward(*inputs))
    upstream = [normal(seed + k, np.shape(y)) for k, y in enumerate(outputs)]
    gradients = as_tuple(node.backward(*upstream))
    left = [inner(y, u) for y, u in zip(outputs, upstream, strict=True)]
    right = [inner(x, dx) for x, dx in zip(inputs, gradients, strict=True)]
    difference = sum(value for value, _ in left) - sum(value for value, _ in right)
    assert abs(difference) <= 1e-13 * max(sum(size for _, size in left), sum(size for _, size in right))


# -- values --


@given(seeds, pairs)
def test_add_and_multiply_broadcast_as_numpy_does(seed, pair):
    x, y = (normal(seed + k, shape) for k, shape in enumerate(pair.input_shapes))
    np.testing.assert_array_equal(Add().forward(x, y), x + y)
    np.testing.assert_array_equal(Multiply().forward(x, y), x * y)


@pytest.mark.parametrize(("x", "y"), [(True, True), (np.uint8(200), np.uint8(100)), (np.int8(100), np.int8(100))])
def test_small_integers_and_booleans_count_as_numbers(x, y):
    assert Add().forward([x], [y]) == float(x) + float(y)
    assert Multiply().forward([x], [y]) == float(x) * float(y)
    assert Sum().forward([x, y]) == float(x) + float(y)


@given(seeds, shapes, st.integers(1, 3), st.data())
def test_repeat_and_sum_along_any_axis(seed, shape, n, data):
    x, axis = normal(seed, shape), axis_of(data, shape)
    np.testing.assert_array_equal(Repeat(n, axis).forward(x), np.repeat(x, n, axis))
    np.testing.assert_array_equal(Sum(axis).forward(x), x.sum(axis, keepdims=True))


@given(seeds, leading_axes, st.integers(0, 3), st.integers(0, 3))
def test_matmul_multiplies_the_last_axis(seed, lead, d, h):
    x, W = normal(seed, (*lead, d)), normal(seed + 1, (d, h))
    y = MatMul(W).forward(x)
    assert y.shape == (*lead, h)
    for index in np.ndindex(lead):
        np.testing.assert_allclose(y[index], x[index] @ W, rtol=1e-12, atol=1e-12)


def test_branch_gives_n_independent_copies():
    x = normal(0, (2, 3))
    ys = Branch(3).forward(x)
    assert type(ys) is tuple and len(ys) == 3
    for k, y in enumerate(ys):
        np.testing.assert_array_equal(y, x)
        y[...] = k
    assert [y[0, 0] for y in ys] == [0, 1, 2]


def test_a_small_integer_counts_in_full():
    node, x = Repeat(np.uint8(200)), normal(0, (3, 2))
    y = node.forward(x)
    assert y.shape == (600, 2) and type(node.n) is int
    np.testing.assert_allclose(node.backward(y), 200 * x)


# -- gradients, against central differences --


@given(seeds, pairs, dtypes)
def test_gradients_of_add_and_multiply(seed, pair, dtype):
    x, y = (normal(seed + k, shape, dtype) for k, shape in enumerate(pair.input_shapes))
    for node in (Add(), Multiply()):
        assert_gradients(node, x, y, dtype=dtype, n_inputs=2, rng=seed)


@given(seeds, shapes, dtypes, st.integers(1, 4))
def test_gradient_of_branch(seed, shape, dtype, n):
    assert_gradients(Branch(n), normal(seed, shape, dtype), dtype=dtype, rng=seed)


@given(seeds, shapes, dtypes, st.integers(1, 3), st.data())
def test_gradients_of_repeat_and_sum(seed, shape, dtype, n, data):
    axis = axis_of(data, shape)
    for node in (Repeat(n, axis), Sum(axis)):
        assert_gradients(node, normal(seed, shape, dtype), dtype=dtype, rng=seed)


@given(seeds, shapes, dtypes, st.sampled_from([-2, -1, -0.5, 0, 0.5, 1, 2, 3, 4.5]))
def test_gradient_of_power(seed, shape, dtype, n):
    x = normal(seed, shape)
    x = np.copysign(0.5 + abs(x), x) if n == int(n) else 0.5 + abs(x)  # a root needs what is positive
    assert_gradients(Power(n), x.astype(dtype), dtype=dtype, rng=seed)


@pytest.mark.parametrize(
    ("n", "y", "dx"),
    [(0, 1, 0), (1, 0, 1), (2, 0, 0), (0.5, 0, np.inf), (-1, np.inf, -np.inf), (-2, np.inf, -np.inf)],
)
def test_power_of_0(n, y, dx):
    node = Power(n)
    assert node.forward([0.0]) == y and node.backward([1.0]) == dx


def test_a_root_of_a_negative_number_is_nan_without_a_warning():
    node = Power(0.5)
    assert np.isnan([*node.forward([-1.0]), *node.backward([1.0])]).all()


def test_a_power_of_zero_sends_nothing_back_whatever_comes():
    node = Power(0)
    node.forward([2.0, 3.0])
    assert node.backward([0.0, -1.0]).tolist() == [0, 0]


@given(seeds, leading_axes, dtypes, st.integers(0, 3), st.integers(0, 3))
def test_gradients_of_matmul(seed, lead, dtype, d, h):
    x, W = normal(seed, (*lead, d), dtype), normal(seed + 1, (d, h), dtype)
    assert_gradients(MatMul(W), x, dtype=dtype, rng=seed)


def test_gradients_of_matmul_for_an_empty_batch_are_zero():
    node = MatMul(normal(0, (3, 2)))
    node.forward(np.ones((0, 3)))
    node.grads[0][...] = 7
    assert node.backward(np.ones((0, 2))).shape == (0, 3)
    assert not node.grads[0].any()


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_gradients_of_very_small_and_very_large_numbers(scale):
    x, y = normal(0, (3, 2)) * scale, normal(1, (3, 2))
    u = normal(2, (3, 2))
    _, (dx, dy) = forward_backward(Multiply(), x, y, upstream=[u])
    np.testing.assert_array_equal(dx, u * y)
    np.testing.assert_array_equal(dy, u * x)
    node = MatMul(y.T)
    node.forward(x)
    node.backward(np.ones((3, 3)))
    np.testing.assert_allclose(node.grads[0], x.T @ np.ones((3, 3)), rtol=1e-12)


# -- linear nodes: backward is the transpose of forward --


@given(seeds, pairs)
def test_add_and_its_transpose(seed, pair):
    assert_transpose(Add(), *(normal(seed + k, shape) for k, shape in enumerate(pair.input_shapes)), seed=seed)


@given(seeds, pairs)
def test_multiply_is_linear_in_each_input(seed, pair):
    x, y = (normal(seed + k, shape) for k, shape in enumerate(pair.input_shapes))
    u = normal(seed + 2, pair.result_shape)
    _, (dx, dy) = forward_backward(Multiply(), x, y, upstream=[u])
    value, size = inner(x * y, u)
    for by_transpose in (inner(x, dx)[0], inner(y, dy)[0]):
        assert abs(value - by_transpose) <= 1e-13 * size


@given(seeds, shapes, st.integers(1, 4))
def test_branch_and_its_transpose(seed, shape, n):
    assert_transpose(Branch(n), normal(seed, shape), seed=seed)


@given(seeds, shapes, st.integers(1, 4), st.data())
def test_repeat_and_its_transpose(seed, shape, n, data):
    assert_transpose(Repeat(n, axis_of(data, shape)), normal(seed, shape), seed=seed)


@given(seeds, shapes, st.data())
def test_sum_and_its_transpose(seed, shape, data):
    assert_transpose(Sum(axis_of(data, shape)), normal(seed, shape), seed=seed)


@given(seeds, leading_axes, st.integers(0, 4), st.integers(0, 4))
def test_matmul_and_its_transposes_in_x_and_in_W(seed, lead, d, h):
    x, node = normal(seed, (*lead, d)), MatMul(normal(seed + 1, (d, h)))
    assert_transpose(node, x, seed=seed)
    u = normal(seed + 2, (*lead, h))
    (y,), _ = forward_backward(node, x, upstream=[u])
    W, dW = node.params[0], node.grads[0]
    size = inner(abs(x) @ abs(W), abs(u))[0]
    assert abs(inner(y, u)[0] - inner(W, dW)[0]) <= 1e-13 * size


@given(seeds, shapes, st.integers(1, 4), st.data())
def test_repeat_and_sum_undo_each_other(seed, shape, n, data):
    """What Sum sends back is what Repeat sends forward, and the other way round."""
    axis = axis_of(data, shape)
    one = tuple(1 if k == axis % len(shape) else s for k, s in enumerate(shape))
    full = tuple(n if k == axis % len(shape) else s for k, s in enumerate(shape))
    small, large, repeat, add_up = normal(seed, one), normal(seed + 1, full), Repeat(n, axis), Sum(axis)
    (up,), (summed,) = forward_backward(repeat, small, upstream=[large])
    (down,), (repeated,) = forward_backward(add_up, large, upstream=[small])
    np.testing.assert_array_equal(up, repeated)
    np.testing.assert_allclose(summed, down, rtol=1e-14, atol=1e-14)


# -- dtypes --


@each_node
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_that_comes_in_goes_out(make, input_shapes, dtype):
    node = make()
    if node.params:
        node = MatMul(node.params[0].astype(dtype))
    inputs = [normal(k, shape, dtype) for k, shape in enumerate(input_shapes)]
    outputs = as_tuple(node.forward(*inputs))
    gradients = as_tuple(node.backward(*outputs))
    assert {a.dtype for a in (*outputs, *gradients, *node.grads)} == {np.dtype(dtype)}
    assert [g.shape for g in gradients] == [x.shape for x in inputs]


@pytest.mark.parametrize("x", [[[1, 0], [0, 2]], np.array([[1, 0], [0, 2]], np.uint8), np.eye(2, dtype=bool)])
def test_integer_input_takes_the_dtype_of_the_weights(x):
    W = normal(0, (2, 3), np.float32)
    (y,), (dx,) = forward_backward(MatMul(W), x, upstream=[np.ones((2, 3), np.float32)])
    assert y.dtype == dx.dtype == np.float32
    np.testing.assert_array_equal(y, np.asarray(x, np.float32) @ W)


def test_integer_upstream_gradients_count_as_float64():
    _, (dx, _) = forward_backward(Add(), [1.0], [2.0], upstream=[np.array([1])])
    assert dx.dtype == np.float64


@each_node
def test_what_overflows_becomes_infinite_without_a_warning(make, input_shapes):
    node = make()
    outputs = as_tuple(node.forward(*(np.full(shape, 1e308) for shape in input_shapes)))
    gradients = as_tuple(node.backward(*(np.full(y.shape, 1e308) for y in outputs)))
    assert np.isinf([*(abs(a).max() for a in (*outputs, *gradients))]).any()


# -- who owns which array --


@each_node
def test_outputs_and_gradients_share_no_memory_with_anything(make, input_shapes):
    node, inputs = make(), [normal(k, shape) for k, shape in enumerate(input_shapes)]
    outputs = as_tuple(node.forward(*inputs))
    upstream = [normal(k, y.shape) for k, y in enumerate(outputs)]
    gradients = as_tuple(node.backward(*upstream))
    assert distinct_memory([*inputs, *outputs, *upstream, *gradients, *node.params, *node.grads])


def test_the_gradient_of_a_single_branch_is_a_copy():
    dy = np.array([3.0])
    _, (dx,) = forward_backward(Branch(1), [1.0], upstream=[dy])
    assert distinct_memory([dx, dy])


def test_adding_two_equal_shapes_gives_two_separate_gradients():
    _, (dx, dy) = forward_backward(Add(), [1.0], [2.0], upstream=[np.array([3.0])])
    dx += 1
    assert dy == 3


@each_node
def test_inputs_and_upstream_gradients_are_left_alone(make, input_shapes):
    node, inputs = make(), [normal(k, shape) for k, shape in enumerate(input_shapes)]
    with untouched(inputs, node.params):
        outputs = as_tuple(node.forward(*inputs))
        upstream = [normal(k, y.shape) for k, y in enumerate(outputs)]
        with untouched(upstream):
            node.backward(*upstream)


@each_node
def test_changing_the_input_after_forward_does_not_change_the_gradient(make, input_shapes):
    def run(spoil):
        node, inputs = make(), [normal(k, shape) for k, shape in enumerate(input_shapes)]
        outputs = as_tuple(node.forward(*inputs))
        for x in inputs:
            x[...] = spoil(x)
        for y in outputs:
            y[...] = spoil(y)
        gradients = as_tuple(node.backward(*(normal(9, y.shape) for y in outputs)))
        return [*gradients, *node.grads]

    for kept, spoilt in zip(run(lambda x: x), run(lambda x: x + 1), strict=True):
        np.testing.assert_array_equal(kept, spoilt)


@each_node
def test_an_input_that_was_read_only_and_is_made_writable_again_does_not_change_the_gradient(make, input_shapes):
    def run(spoil):
        node, inputs = make(), [normal(k, shape) for k, shape in enumerate(input_shapes)]
        for x in inputs:
            x.flags.writeable = False
        outputs = as_tuple(node.forward(*inputs))
        for x in inputs:
            x.flags.writeable = True
            x[...] = spoil(x)
        return [*as_tuple(node.backward(*(normal(9, y.shape) for y in outputs))), *node.grads]

    for kept, spoilt in zip(run(lambda x: x), run(lambda x: 0 * x), strict=True):
        np.testing.assert_array_equal(kept, spoilt)


def test_weights_stay_the_callers_array_and_grads_are_written_in_place():
    W = normal(0, (2, 3))
    node = MatMul(W)
    grad = node.grads[0]
    assert node.params[0] is W and not grad.any()
    for seed in range(2):
        node.forward(normal(seed, (4, 2)))
        node.backward(np.ones((4, 3)))
        assert node.grads[0] is grad
        np.testing.assert_allclose(grad, normal(seed, (4, 2)).T @ np.ones((4, 3)))  # written, not added


# -- what is refused --


@each_node
def test_backward_needs_a_forward_of_its_own(make, input_shapes):
    node, inputs = make(), [normal(k, shape) for k, shape in enumerate(input_shapes)]
    message = f"{type(node).__name__}.backward: there is no forward pass"
    upstream = as_tuple(make().forward(*inputs))
    with untouched(node), pytest.raises(RuntimeError, match=message):
        node.backward(*upstream)
    node.forward(*inputs)
    node.backward(*upstream)
    with untouched(node), pytest.raises(RuntimeError, match=message):
        node.backward(*upstream)


@each_node
@pytest.mark.parametrize("spoil", [lambda u: u[np.newaxis], lambda u: u.ravel()[0], lambda u: np.repeat(u, 2, axis=0)])
def test_an_upstream_gradient_of_another_shape_is_refused_and_the_pass_can_go_on(make, input_shapes, spoil):
    node, inputs = make(), [normal(k, shape) for k, shape in enumerate(input_shapes)]
    upstream = as_tuple(node.forward(*inputs))
    wrong = [*upstream[:-1], spoil(upstream[-1])]
    message = rf"{type(node).__name__}\.backward: the upstream gradient has shape .* expected \(3, "
    with untouched(node, upstream), pytest.raises(ValueError, match=message):
        node.backward(*wrong)
    with untouched(node), pytest.raises(TypeError, match=f"{type(node).__name__}.backward: expected real numbers"):
        node.backward(*(["a"] for _ in upstream))
    node.backward(*upstream)


@each_node
def test_inputs_that_are_no_numbers_are_refused(make, input_shapes):
    node = make()
    node.forward(*(normal(k, shape) for k, shape in enumerate(input_shapes)))
    for wrong in (["a"], None, [1j], np.ma.masked_array([1.0], [True]), [[1.0], [1.0, 2.0]]):
        with untouched(node), pytest.raises(TypeError, match=f"^{type(node).__name__}: "):
            node.forward(*(wrong for _ in input_shapes))


BAD = {
    "Add": (lambda: Add().forward(np.ones((2, 3)), np.ones(2)), ValueError, r"Add\.forward: .*\(2, 3\) and \(2,\)"),
    "Multiply": (lambda: Multiply().forward(np.ones(3), np.ones(2)), ValueError, r"Multiply\..*\(3,\) and \(2,\)"),
    "no branch": (lambda: Branch(0), ValueError, "Branch: n must be at least 1; got 0"),
    "half a branch": (lambda: Branch(1.5), TypeError, "Branch: n must be an integer; got 1.5"),
    "True branches": (lambda: Branch(True), TypeError, "Branch: n must be an integer; got True"),
    "no repeat": (lambda: Repeat(0), ValueError, "Repeat: n must be at least 1; got 0"),
    "repeat 2.0": (lambda: Repeat(2.0), TypeError, "Repeat: n must be an integer"),
    "axis None": (lambda: Repeat(2, axis=None), TypeError, "Repeat: axis must be an integer; got None"),
    "axis tuple": (lambda: Sum(axis=(0, 1)), TypeError, r"Sum: axis must be an integer; got \(0, 1\)"),
    "Repeat axis": (lambda: Repeat(2, axis=1).forward([1.0]), ValueError, r"Repeat\.forward: .*axis 1 .*\(1,\)"),
    "Sum axis": (lambda: Sum(axis=-3).forward(np.ones((2, 2))), ValueError, r"Sum\.forward: .*axis -3 .*\(2, 2\)"),
    "Sum of a number": (lambda: Sum().forward(1.0), ValueError, r"Sum\.forward: .*axis 0 .*\(\)"),
    "no exponent": (lambda: Power(None), TypeError, "Power: n must be a number; got None"),
    "exponent True": (lambda: Power(True), TypeError, "Power: n must be a number; got True"),
    "exponents": (lambda: Power([1, 2]), TypeError, r"Power: n must be a number; got \[1, 2\]"),
    "infinite exponent": (lambda: Power(10**400), ValueError, "Power: n must be finite; got inf"),
    "exponent NaN": (lambda: Power(np.nan), ValueError, "Power: n must be finite; got nan"),
    "W as a list": (lambda: MatMul([[1.0]]), TypeError, "MatMul: W must be a NumPy array; got list"),
    "W masked": (lambda: MatMul(np.ma.masked_array([[1.0]])), TypeError, "MatMul: W must be a NumPy array; got Mask"),
    "W integer": (lambda: MatMul(np.ones((2, 2), int)), TypeError, "MatMul: W must be floating.*int64"),
    "W complex": (lambda: MatMul(np.ones((2, 2), complex)), TypeError, "MatMul: W must be floating.*complex"),
    "W 1-D": (lambda: MatMul(np.ones(2)), ValueError, r"MatMul: W must have 2 axes; got shape \(2,\)"),
    "columns": (
        lambda: MatMul(np.ones((2, 3))).forward(np.ones((2, 3))),
        ValueError,
        r"x has shape \(2, 3\).*\(2, 3\)",
    ),
    "x a number": (lambda: MatMul(np.ones((2, 3))).forward(1.0), ValueError, r"MatMul\.forward: x has shape \(\)"),
}


@pytest.mark.parametrize(("call", "exception", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


@pytest.mark.parametrize("number", [1, 3])
def test_branch_wants_one_upstream_gradient_a_branch(number):
    node = Branch(2)
    node.forward([1.0])
    with untouched(node), pytest.raises(ValueError, match=f"expected 2 upstream gradients.*got {number}"):
        node.backward(*([1.0] for _ in range(number)))
    assert node.backward([1.0], [2.0]) == 3


def test_a_failed_forward_leaves_the_last_one_in_place():
    node = MatMul(normal(0, (2, 3)))
    node.forward(normal(1, (4, 2)))
    with untouched(node), pytest.raises(ValueError, match="MatMul.forward"):
        node.forward(np.ones((4, 3)))


# -- known answers --


def test_micrograd_expression():
    """The example of micrograd's README: a value that is used several times collects all its gradients."""
    tape = []

    def node(kind, *inputs):
        n = kind()
        output = [n.forward(*(i[0] for i in inputs))]
        tape.append((n, inputs, output))
        return output

    def add(x, y):
        return node(Add, x, y)

    def times(x, y):
        return node(Multiply, x, y)

    def number(v):
        return [np.float64(v)]

    def power(x, p):  # constant exponent, as a product
        result = x
        for _ in range(p - 1):
            result = times(result, x)
        return result

    def relu(x):
        return times(x, number(float(x[0] > 0)))

    def negative(x):
        return times(x, number(-1))

    a, b = number(-4.0), number(2.0)
    c = add(a, b)
    d = add(times(a, b), power(b, 3))
    c = add(c, add(c, number(1)))
    c = add(add(c, number(1)), add(c, negative(a)))
    d = add(d, add(times(d, number(2)), relu(add(b, a))))
    d = add(d, add(times(number(3), d), relu(add(b, negative(a)))))
    e = add(c, negative(d))
    f = power(e, 2)
    # g = f / 2 + 10 / f: the quotient by hand, since the book has no node for it
    value = float(f[0])
    gradient = {id(f): 0.5 - 10 / value**2}
    for n, inputs, output in reversed(tape):
        for i, di in zip(inputs, n.backward(gradient.get(id(output), 0.0)), strict=True):
            gradient[id(i)] = gradient.get(id(i), 0) + di
    assert value / 2 + 10 / value == pytest.approx(24.7041, abs=5e-5)
    assert gradient[id(a)] == pytest.approx(138.8338, abs=5e-5)
    assert gradient[id(b)] == pytest.approx(645.5773, abs=5e-5)
