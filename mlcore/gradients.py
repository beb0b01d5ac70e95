"""Section 1.3.2: gradients from differences, and the check that every backward pass has to survive."""

import copy

import numpy as np

from mlcore._checks import as_floating, as_real, ieee


def numerical_gradient(f, x):
    r"""Gradient of the scalar function `f` at `x` by central differences.

    .. math:: \frac{\partial f}{\partial x_i} \approx \frac{f(x + h_i e_i) - f(x - h_i e_i)}{2 h_i}, \qquad
              h_i = \sqrt[3]{\epsilon} \, \max(1, |x_i|)

    with :math:`\epsilon` the machine epsilon of x's dtype: the step at which truncation and rounding error
    are in balance. It costs two evaluations of `f` for each element.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and returns one real number. It must use its argument: each call gets a
        fresh copy of `x` with one element moved.
    x : array_like
        The point; integers are taken as float64. Left unchanged.

    Returns
    -------
    ndarray
        The gradient, of the shape and floating dtype of `x`.

    Raises
    ------
    TypeError
        If `x` does not hold real numbers.
    ValueError
        If `x` is not finite or `f` returns anything but one real number.

    Examples
    --------
    >>> import numpy as np
    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([3, 4])).round(6)
    array([6., 8.])

    References
    ----------
    Section 1.3.2; Baydin et al. (2018), section 2.1.
    """
    if not callable(f):
        raise TypeError(f"numerical_gradient: f must be callable; got {f!r}")
    x = as_floating("numerical_gradient", x)
    if not np.isfinite(x).all():
        raise ValueError("numerical_gradient: x must be finite")
    step = np.finfo(x.dtype).eps ** (1 / 3)
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        h = step * max(1, abs(x[i]))
        with np.errstate(over="ignore"):
            above[i] += h
            below[i] -= h
            width = float(above[i]) - float(below[i])  # the step that is really taken: x + h is rounded
        if not np.isfinite(width):
            raise ValueError(f"numerical_gradient: x must leave room for a step; found {x[i]} at index {i}")
        gradient[i] = (_number(f(above)) - _number(f(below))) / width
    return gradient


def _number(value):
    value = np.asarray(value)
    if value.ndim or value.dtype.kind not in "biuf":
        raise ValueError(
            f"numerical_gradient: f must return one real number; got shape {value.shape}, dtype {value.dtype}"
        )
    return float(value)


@ieee
def relative_error(a, b):
    r"""Largest difference of two gradients, relative to their largest entry.

    .. math:: \frac{\max_i |a_i - b_i|}{\max(\max_i |a_i|, \max_i |b_i|)}, \qquad 0 \text{ if both are zero}

    Parameters
    ----------
    a, b : array_like
        Two arrays of one shape.

    Returns
    -------
    float
        0 for equal arrays, NaN if a NaN or an infinity is involved.

    Raises
    ------
    ValueError
        If the shapes differ: broadcasting would hide the very fault that is looked for.

    Examples
    --------
    >>> relative_error([1.0, 2.0], [1.0, 2.5])
    0.2

    References
    ----------
    Section 1.3.2.
    """
    a, b = as_floating("relative_error", a), as_floating("relative_error", b)
    if a.shape != b.shape:
        raise ValueError(f"relative_error: the shapes differ: {a.shape} and {b.shape}")
    scale = np.maximum(np.abs(a).max(initial=0), np.abs(b).max(initial=0))  # unlike max, it lets no NaN pass
    return float(np.abs(a - b).max(initial=0) / scale) if scale != 0 else 0.0


@ieee
def gradient_check(layer, *inputs, rng=0):
    r"""Compare a layer's backward pass with central differences, for a random upstream gradient.

    With outputs :math:`y` and a random :math:`u` of their shape, `backward(u)` must be the gradient of

    .. math:: g(x, \theta) = \sum_i u_i \, \bigl(y_i(x, \theta) - y_i^0\bigr)

    The constant :math:`y^0`, the output at the point of the check, keeps the sum small and so its rounding error.

    Parameters
    ----------
    layer : node, layer, loss or network
        Anything with `forward`, `backward` and, where it has any, `params` and `grads`. It is copied first
        and left as it was.
    *inputs : array_like
        The inputs of `forward`. As many of them are checked as `backward` returns gradients, from the first
        on: labels are not.
    rng : int or numpy.random.Generator, optional
        Source of the upstream gradient.

    Returns
    -------
    dict of str to float
        The relative error (:func:`relative_error`) of each input and parameter, under the keys
        ``inputs[0]``, ``inputs[1]``, ..., ``params[0]``, ... In float64 a correct smooth layer stays below 1e-7.

    Raises
    ------
    ValueError
        If a gradient has another shape than the array that it belongs to.

    Examples
    --------
    >>> from mlcore import Multiply
    >>> errors = gradient_check(Multiply(), [1.0, 2.0], [3.0, 4.0])
    >>> list(errors), max(errors.values()) < 1e-9
    (['inputs[0]', 'inputs[1]'], True)

    References
    ----------
    Section 1.3.2; the random upstream gradient as in autograd's ``test_util``.
    """
    if isinstance(layer, type) or not (hasattr(layer, "forward") and hasattr(layer, "backward")):
        raise TypeError(f"gradient_check: expected a layer with forward and backward; got {layer!r}")
    rng = np.random.default_rng(rng)
    layer = copy.deepcopy(layer)
    inputs = [as_real("gradient_check", x).copy() for x in inputs]
    start = [np.array(y) for y in _as_tuple(layer.forward(*inputs))]
    upstream = [rng.standard_normal(y.shape) for y in start]
    input_gradients = [dx for dx in _as_tuple(layer.backward(*upstream)) if dx is not None]
    params, grads = (getattr(layer, "params", []), [g.copy() for g in getattr(layer, "grads", [])])

    def g(*xs):
        outputs = _as_tuple(layer.forward(*xs))
        return sum(float((u * (np.asarray(y) - y0)).sum()) for u, y, y0 in zip(upstream, outputs, start, strict=True))

    def g_of_input(k):
        return lambda x: g(*inputs[:k], x, *inputs[k + 1 :])

    def g_of_parameter(parameter):
        def moved(value):
            before = parameter.copy()
            parameter[...] = value
            result = g(*inputs)
            parameter[...] = before
            return result

        return moved

    errors = {}
    for k, dx in enumerate(input_gradients):
        errors[f"inputs[{k}]"] = _compare(f"inputs[{k}]", g_of_input(k), inputs[k], dx)
    for k, parameter in enumerate(params):
        # A parameter that stands more than once moves everywhere at once: its gradients add up.
        gradient = sum(dp for p, dp in zip(params, grads, strict=True) if p is parameter)
        errors[f"params[{k}]"] = _compare(f"params[{k}]", g_of_parameter(parameter), parameter, gradient)
    return errors


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def _compare(what, f, x, gradient):
    if np.shape(gradient) != x.shape:
        raise ValueError(f"gradient_check: the gradient of {what} has shape {np.shape(gradient)}, expected {x.shape}")
    return relative_error(gradient, numerical_gradient(f, x))
