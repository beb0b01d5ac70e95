"""Section 1.3.2: gradients from differences, and the check that every backward pass has to survive."""

import copy
import functools

import numpy as np

from mlcore._checks import as_floating, as_real, ieee

STEEP = 10  # a slope above so many times the size of f asks for a smaller step
TOO_SMALL = "some entries are too small to be measured: rounding errors are larger; they count as right"
KINK = "there is a kink near index {}, where differences average two slopes; check at another point"


def numerical_gradient(f, x):
    r"""Gradient of the scalar function `f` at `x` by central differences.

    .. math:: \frac{\partial f}{\partial x_i} \approx \frac{f(x + h_i e_i) - f(x - h_i e_i)}{2 h_i}, \qquad
              h_i = \sqrt[3]{\epsilon} \, \max(1, |x_i|)

    with :math:`\epsilon` the machine epsilon of x's dtype: the step at which truncation and rounding error are in
    balance. It costs two evaluations of `f` for each element. (Of a long double there is one evaluation more, which
    shows whether `f` returns one: else the step is that of float64.)

    Close to a pole or to the border of where `f` is defined this step is too long. It shows: the difference is not
    finite, or larger than :math:`10 \max(1, |f|)`. Then the step is divided by 8 until two slopes agree. If none do, as
    at a jump, the first one counts.

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
    >>> numerical_gradient(lambda x: np.log(x).sum(), np.array([1e-7])).round()
    array([10000000.])

    References
    ----------
    Section 1.3.2; Baydin et al. (2018), section 2.1.
    """
    if not callable(f):
        raise TypeError(f"numerical_gradient: f must be callable; got {f!r}")
    x = as_floating("numerical_gradient", x)
    if not np.isfinite(x).all():
        raise ValueError("numerical_gradient: x must be finite")
    kind = _kind(f, x)
    gradient, step = np.zeros_like(x), np.finfo(kind).eps ** (1 / 3)

    def slope(i, h):
        above, below = x.copy(), x.copy()
        above[i], below[i] = kind(x[i] + h), kind(x[i] - h)
        width = _width(x, i, above[i], below[i])  # the step that is really taken: x + h is rounded
        high, low = _number(f(above)), _number(f(below))
        return (high - low) / width, max(1, abs(high), abs(low))

    with np.errstate(**_no_warnings()):
        for i in np.ndindex(x.shape):
            gradient[i] = _with_right_step(functools.partial(slope, i), step * max(1, abs(x[i])))
    return gradient


def _kind(f, x):
    """The type in whose precision f is known."""
    long = x.dtype.type is np.longdouble
    return float if long and type(_number(f(x.copy()))) is not np.longdouble else x.dtype.type


def _no_warnings():
    """The settings in which a step out of the domain of f does not warn; what is raised or logged stays so."""
    return {kind: "ignore" for kind, how in np.geterr().items() if how == "warn"}


def _width(x, i, above, below):
    wide = np.result_type(x.dtype, float).type
    width = wide(above) - below
    if not np.isfinite(width):
        raise ValueError(f"numerical_gradient: x must leave room for a step; found {x[i]} at index {i}")
    return width


def _with_right_step(slope, h):
    """The slope for the step h, or where that is too long, for the first of h/8, h/64, ... at which slopes agree."""
    first, size = slope(h)
    if abs(first) <= STEEP * size:  # not so of NaN and of an infinity
        return first
    known, best, found = first, 1 / 8, first  # at a jump slopes differ by 7/8 of the finer one
    for _ in range(24):
        h = h / 8
        finer, _ = slope(h)
        change = abs(finer - known) / abs(finer) if finer != known else 0
        if change < best:
            best, found = change, finer
        elif found is not first:
            break  # rounding has taken over
        if best <= np.finfo(float).eps ** (1 / 2):
            break
        known = finer
    return found


def _number(value):
    value = np.asarray(value)
    if value.ndim or value.dtype.kind not in "biuf":
        raise ValueError(
            f"numerical_gradient: f must return one real number; got shape {value.shape}, dtype {value.dtype}"
        )
    return value.astype(np.result_type(value.dtype, float))[()]


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
    return float(np.abs(a - b).max() / scale) if scale != 0 else 0.0


class Errors(dict):
    """The errors that `gradient_check` found; it shows the hints that it has for some of them, if any.

    Attributes
    ----------
    hints : dict of str to str
        For a key, what else than a wrong backward pass may explain its error.

    Examples
    --------
    >>> from mlcore import ReLU
    >>> gradient_check(ReLU(), [0.0])
    {'inputs[0]': 1.0} (inputs[0]: there is a kink near index (0,), where differences average two slopes; check at \
another point)

    References
    ----------
    Section 1.3.2.
    """

    def __init__(self):
        super().__init__()
        self.hints = {}

    def __repr__(self):
        hints = "; ".join(f"{key}: {hint}" for key, hint in self.hints.items())
        return super().__repr__() + (f" ({hints})" if hints else "")


@ieee
def gradient_check(layer, *inputs, rng=0):
    r"""Compare a layer's backward pass with central differences, for a random upstream gradient.

    With outputs :math:`y` and a random :math:`u` of their shape, `backward(u)` must be the gradient of

    .. math:: g(x, \theta) = \sum_i u_i \, \bigl(y_i(x, \theta) - y_i^0\bigr)

    The constant :math:`y^0`, the output at the point of the check, keeps the sum small and so its rounding error.

    An entry that differs is looked at again, with shorter steps. What is left of the rounding error is about
    :math:`\epsilon \lVert u y \rVert / h` for a step h: an entry that differs by no more than four times as much is
    too small to be measured, and counts as right. Where that would be all entries of an array, longer steps measure
    them: rounding errors shrink with 1/h.

    Parameters
    ----------
    layer : node, layer, loss or network
        Anything with `forward`, `backward` and, where it has any, `params` and `grads`. It is copied first, its
        generators of random numbers too, and left as it was.
    *inputs : array_like
        The inputs of `forward`, each with its gradient. Labels of a loss and whole numbers need none. None in place of
        a gradient says that an input from the second on, or one of integers, has none.
    rng : int or numpy.random.Generator, optional
        Source of the upstream gradient.

    Returns
    -------
    dict of str to float
        The relative error (:func:`relative_error`) of each input and parameter, under the keys
        ``inputs[0]``, ``inputs[1]``, ..., ``params[0]``, ... A correct smooth layer stays below 1e-7 in float64, and
        below 1e-3 in float32. If something is not finite, the error is inf. Where a kink may be the reason, or
        entries are too small to be measured, the dict says so when it is printed, and in its ``hints``.

    Raises
    ------
    TypeError
        If there is no layer, or `backward` returns no array or tuple of arrays.
    ValueError
        If a gradient is missing or has another shape than the array that it belongs to; if two forward passes
        differ, as those of a layer that draws random numbers; or if gradients of parameters add up over two passes.

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
    start = _outputs(layer, inputs)
    upstream = [rng.standard_normal(y.shape) for y in start]
    is_loss = all(y.ndim == 0 for y in start)
    gradients = _of_inputs(layer, inputs, layer.backward(*map(copy.copy, upstream)), is_loss) | _of_parameters(layer)
    _refuse_memory(layer, inputs, start, upstream)
    rounding = _rounding([*inputs, *start, *getattr(layer, "params", [])], upstream, start)

    def g(array, value):
        """The weighted sum, with this value in place of an input or parameter."""
        before = array.copy()
        array[...] = value
        outputs = _outputs(layer, inputs)
        array[...] = before
        return sum((u * (y - y0)).sum() for u, y, y0 in zip(upstream, outputs, start, strict=True))

    errors = Errors()
    for name, (array, gradient) in gradients.items():
        inexact = rounding[-1] if is_loss and name.startswith("inputs") else 0
        errors[name], hint = _compare(functools.partial(g, array), array, gradient, inexact, *rounding)
        errors.hints.update({name: hint} if hint else {})
    return errors


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def _outputs(layer, inputs):
    """What forward returns for copies of the inputs, as new arrays."""
    name = f"gradient_check: {type(layer).__name__}.forward"
    outputs = [as_real(name, y) for y in _as_tuple(layer.forward(*(x.copy() for x in inputs)))]
    return [np.array(y, np.result_type(y.dtype, float)) for y in outputs]


def _of_inputs(layer, inputs, returned, is_loss):
    """The inputs to check, each with its gradient, by name; those of integers become floats, to be moved.

    Only the labels of a loss need no gradient although they are floats.
    """
    name = f"gradient_check: {type(layer).__name__}.backward"
    if returned is None:
        raise TypeError(f"{name} returned None: is the return missing?")
    if isinstance(returned, list):
        raise TypeError(f"{name} returned a list; expected an array, or a tuple of one array for each input")
    returned = _as_tuple(returned)
    if not 1 <= len(returned) <= len(inputs):
        raise ValueError(f"{name} returned {len(returned)} gradients for {len(inputs)} inputs")
    if returned[0] is None and inputs[0].dtype.kind == "f":
        raise TypeError(f"{name} returned None for inputs[0]; expected its gradient")
    found = {}
    for k, dx in enumerate(returned):
        if dx is not None:
            inputs[k] = as_floating(name, inputs[k])
            found[f"inputs[{k}]"] = inputs[k], _gradient(name, f"inputs[{k}]", inputs[k], dx)
    for k in range(len(returned), len(inputs)):
        if inputs[k].dtype.kind == "f" and not is_loss:
            raise ValueError(
                f"{name} returned {len(returned)} gradients for {len(inputs)} inputs: none for inputs[{k}]"
            )
    return found


def _of_parameters(layer):
    """The parameters, each with its gradient, by name."""
    name = f"gradient_check: {type(layer).__name__}.backward"
    params, grads = getattr(layer, "params", []), getattr(layer, "grads", [])
    if len(params) != len(grads):
        raise ValueError(f"{name} left {len(grads)} gradients for {len(params)} parameters")
    pairs = [(p, _gradient(name, f"params[{k}]", p, dp)) for k, (p, dp) in enumerate(zip(params, grads, strict=True))]
    # A parameter that stands more than once moves everywhere at once: its gradients add up.
    return {f"params[{k}]": (p, sum(dp for q, dp in pairs if q is p)) for k, (p, _) in enumerate(pairs)}


def _gradient(name, what, array, gradient):
    if isinstance(gradient, (list, tuple)):
        raise TypeError(f"{name}: the gradient of {what} is a {type(gradient).__name__}; expected an array")
    gradient = as_real(f"{name}: the gradient of {what}", gradient)
    if gradient.shape != array.shape:
        raise ValueError(f"{name}: the gradient of {what} has shape {gradient.shape}, expected {array.shape}")
    return gradient.copy()


def _refuse_memory(layer, inputs, start, upstream):
    """Go through the layer once more: outputs and gradients of parameters must be the same."""
    name = f"gradient_check: {type(layer).__name__}"
    params = getattr(layer, "params", [])
    rounding = 100 * _coarsest([*inputs, *start, *params])
    before = [np.array(dp) for dp in getattr(layer, "grads", [])]
    again = _outputs(layer, inputs)
    if not all(_same(y, y0, rounding) for y, y0 in zip(again, start, strict=True)):
        raise ValueError(
            f"{name}.forward returns something else each time for the same input, as if it drew random numbers: "
            "there is no function to take differences of. Let it draw once, or check it without the draw"
        )
    if before:
        layer.backward(*map(copy.copy, upstream))
        for k, (dp, dp0) in enumerate(zip(layer.grads, before, strict=True)):
            if not _same(dp, dp0, rounding):
                raise ValueError(
                    f"{name}.backward finds another gradient of params[{k}] in a second, equal pass, as if it added "
                    f"to that of the first (+=); it should replace it: grads[{k}][...] ="
                )


def _same(a, b, rounding):
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=rounding * np.abs(b).max(initial=0), equal_nan=True)


def _coarsest(arrays):
    """The largest machine epsilon of these arrays; that of float64 for integers."""
    kinds = {x.dtype for x in arrays if x.dtype.kind == "f"}
    return max(np.finfo(kind).eps for kind in {float, *kinds})


def _rounding(arrays, upstream, outputs):
    """Their machine epsilon, and the rounding error of the weighted sum: of these outputs, and of outputs near 1."""
    eps = _coarsest(arrays)
    sizes = [np.maximum(1, np.abs(y)) for y in outputs]
    return eps, *(eps * _norm(u * y for u, y in zip(upstream, ys, strict=True)) for ys in (outputs, sizes))


def _norm(arrays):
    sizes = np.abs(np.concatenate([np.ravel(array) for array in arrays]))
    largest = sizes.max(initial=np.finfo(float).tiny)
    return largest * ((sizes / largest) ** 2).sum() ** (1 / 2)  # the squares alone could overflow


def _compare(g, x, gradient, inexact, eps, of_outputs, of_ones):
    """The error of a gradient, with what no difference can measure taken as 0, and a hint at what may explain it.

    `inexact` is how far rounding may take a right gradient: that of a loss is the difference of numbers near 1.
    """
    measured, hint = numerical_gradient(g, x), None
    near = np.clip(gradient, measured - inexact, measured + inexact)
    error = relative_error(gradient, near)
    apart = np.abs(gradient - near)
    scale = np.maximum(np.abs(gradient), np.abs(measured)).max(initial=0)
    slope = functools.partial(_slope, g, x)
    step = np.finfo(_kind(g, x)).eps ** (1 / 3) * np.maximum(1, np.abs(x))
    if x.size and (scale * step < 4 * of_ones).all() and not _is_steady(slope, step, measured):
        return _drowned(slope, step, gradient, of_ones, inexact)
    while error > eps ** (1 / 2):  # look at the worst entry again
        worst = np.unravel_index(apart.argmax(), apart.shape)
        h = step[worst]
        again = min(abs(gradient[worst] - slope(worst, -shorter, shorter)) for shorter in (h / 8, h / 64))
        if again > eps ** (1 / 2) * scale:
            if not _is_noise(slope, worst, h, apart[worst], of_outputs, of_ones):
                hint = _kink(slope, worst, h, apart[worst])
                break
            again, hint = 0, TOO_SMALL
        apart[worst] = again
        error = float(apart.max() / scale)
    return (np.inf if np.isnan(error) else error), hint


def _is_steady(slope, step, measured):
    """Whether a step 64 times as long finds about the same for the largest slope: then it is no rounding error."""
    i = np.unravel_index(np.abs(measured).argmax(), measured.shape)
    far = slope(i, -64 * step[i], 64 * step[i])
    return far != 0 and abs(measured[i] - far) < abs(far) / 8


def _drowned(slope, step, gradient, rounding, inexact):
    """The same as `_compare`, where the usual step finds nothing but rounding errors: by longer ones."""
    found = [_by_long_steps(slope, i, step[i], rounding) for i in np.ndindex(gradient.shape)]
    measured, uncertain = np.array(found).T.reshape(2, *gradient.shape)
    near = np.clip(gradient, measured - uncertain - inexact, measured + uncertain + inexact)
    error = relative_error(gradient, near)
    return (np.inf if np.isnan(error) else error), TOO_SMALL


def _by_long_steps(slope, i, h, rounding):
    """The slope for the step at which it is known best, and how far it may be off.

    Rounding errors, divided by the step, shrink with it, and the curve's own bends grow. Both show in how much the
    slopes of successive steps differ.
    """
    steps = h * 8.0 ** np.arange(8)
    slopes = [slope(i, -step, step) for step in steps]
    apart = np.nan_to_num(np.abs(np.diff(slopes)) * steps[1:], nan=np.inf)
    uncertain = 16 * np.maximum(np.fmax.accumulate(apart), rounding) / steps[1:]
    best = uncertain.argmin()
    return slopes[best + 1], uncertain[best]


def _slope(g, x, i, left, right):
    return (_moved(g, x, i, right) - _moved(g, x, i, left)) / (right - left)


def _moved(g, x, i, by):
    x = x.copy()
    x[i] += by
    return g(x)


def _is_noise(slope, i, h, apart, of_outputs, of_ones):
    """Whether rounding can set backward and difference so far apart.

    It can if the outputs are rounded so much, or if steps of nearly the same length find slopes so different. What is
    computed by way of numbers near 1 may be rounded as those are, unless a step 64 times as long says the same as h.
    """
    near = [slope(i, -step, step) for step in np.geomspace(0.7, 1, 9) * h]
    if apart <= 4 * max(of_outputs / h, np.ptp(near)) < np.inf:
        return True
    if apart > 4 * of_ones / h:
        return False
    far = slope(i, -64 * h, 64 * h)
    return far == 0 or abs(near[-1] - far) > apart / 8


def _kink(slope, i, h, apart):
    """A hint, if the slopes on both sides differ by as much as the error, and not just by curvature, as h does."""
    wide, narrow = (abs(slope(i, 0, step) - slope(i, -step, 0)) for step in (h, h / 8))
    return KINK.format(tuple(map(int, i))) if wide >= apart and not wide / 16 < narrow < wide / 4 else None
