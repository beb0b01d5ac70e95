r"""Section 1.5: what else decides how well a network learns: learning rates that change, limits, prices and starts.

A schedule is a function of the number of the step, counted from 0, that returns its learning rate: ``fit(...,
schedule=cosine(0.1, 1000, warmup=50))``. The other functions work on the lists of arrays that a network hands out.
"""

import itertools
import math

import numpy as np

from mlcore._checks import as_number, as_real, check_count, check_parameter
from mlcore._layout import first_places


def constant(lr):
    r"""Schedule: the same learning rate in every step.

    .. math:: \eta_k = \eta

    Parameters
    ----------
    lr : float
        The learning rate, at least 0.

    Returns
    -------
    callable
        Takes the number of a step, from 0, and returns its learning rate.

    Raises
    ------
    TypeError, ValueError
        If `lr` is no finite number from 0 on.

    Examples
    --------
    >>> schedule = constant(0.1)
    >>> schedule(0), schedule(1000)
    (0.1, 0.1)

    References
    ----------
    Section 1.5.
    """
    lr = _checked("constant", "lr", lr)
    return lambda k: lr


def step_decay(lr, factor, every):
    r"""Schedule: the learning rate is multiplied by a factor each time that so many steps are done.

    .. math:: \eta_k = \eta \, f^{\lfloor k / n \rfloor}

    Parameters
    ----------
    lr : float
        The learning rate of the first step, at least 0.
    factor : float
        f, at least 0.
    every : int
        n, at least 1.

    Returns
    -------
    callable
        Takes the number of a step, from 0, and returns its learning rate.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number in range.

    Examples
    --------
    >>> schedule = step_decay(0.8, factor=0.5, every=100)
    >>> [schedule(k) for k in (0, 99, 100, 250)]
    [0.8, 0.8, 0.4, 0.2]

    References
    ----------
    Section 1.5.
    """
    lr, factor = _checked("step_decay", "lr", lr), _checked("step_decay", "factor", factor)
    every = check_count("step_decay", "every", every)
    return lambda k: lr * factor ** (k // every)


def cosine(lr, steps, warmup=0):
    r"""Schedule: up along a line while it warms up, then down along half a cosine.

    .. math:: \eta_k = \eta \, \frac{k + 1}{w} \quad (k < w), \qquad
              \eta_k = \frac{\eta}{2} \left(1 + \cos \pi \frac{k - w}{n - w}\right) \quad (w \le k \le n)

    After n steps it stays 0.

    Parameters
    ----------
    lr : float
        The largest learning rate, at least 0.
    steps : int
        n, the number of steps, at least 1.
    warmup : int, optional
        w, the number of steps that warm up, less than n.

    Returns
    -------
    callable
        Takes the number of a step, from 0, and returns its learning rate.

    Raises
    ------
    TypeError, ValueError
        If an argument is no number in range.

    Examples
    --------
    >>> schedule = cosine(0.1, steps=100, warmup=10)
    >>> [round(schedule(k), 4) for k in (0, 9, 10, 55, 100)]
    [0.01, 0.1, 0.1, 0.05, 0.0]

    References
    ----------
    Section 1.5; Loshchilov & Hutter (2017), equation 5; Goyal et al. (2017) for the warm-up.
    """
    lr, n = _checked("cosine", "lr", lr), check_count("cosine", "steps", steps)
    w = check_count("cosine", "warmup", warmup, least=0)
    if w >= n:
        raise ValueError(f"cosine: warmup must be less than steps, {n}; got {w}")
    return lambda k: lr * (k + 1) / w if k < w else lr / 2 * (1 + math.cos(math.pi * min((k - w) / (n - w), 1)))


def clip_gradients(grads, limit):
    r"""Shrink all gradients together, so that their norm is at most the limit.

    .. math:: g \leftarrow g \, \min\left(1, \frac{c}{\lVert g \rVert}\right), \qquad
              \lVert g \rVert^2 = \sum_i \sum_j g_{ij}^2

    Parameters
    ----------
    grads : list of ndarray
        Floating arrays, changed in place; one that stands more than once counts once.
    limit : float
        c, above 0.

    Returns
    -------
    float
        The norm before; infinite if it is beyond the largest float.

    Raises
    ------
    TypeError, ValueError
        If something is no floating array that can be written, two overlap without being the same, the limit is not
        above 0, or a gradient is not finite. Then nothing has changed.

    Examples
    --------
    >>> grads = [np.array([3.0]), np.array([0.0, 4.0])]
    >>> clip_gradients(grads, 1.0)
    5.0
    >>> [g.round(4).tolist() for g in grads]
    [[0.6], [0.0, 0.8]]

    References
    ----------
    Section 1.5; Pascanu, Mikolov & Bengio (2013), section 3.2.
    """
    limit = _checked("clip_gradients", "limit", limit)
    if limit == 0:
        raise ValueError("clip_gradients: limit must be above 0; got 0")
    grads = _checked_gradients("clip_gradients", grads)
    grads = [grads[i] for i in sorted(set(first_places("clip_gradients", "grads", grads)))]
    largest = float(np.max([np.abs(grad).max(initial=0) for grad in grads], initial=0))  # unlike max, it keeps a NaN
    if not math.isfinite(largest):
        raise ValueError("clip_gradients: the gradients must be finite; found NaN or an infinity")
    if largest == 0:
        return 0.0
    relative = math.sqrt(sum(float(((grad / largest).astype(float) ** 2).sum()) for grad in grads))
    norm = largest * relative
    if norm > limit:
        for grad in grads:
            if math.isinf(norm):
                grad /= largest
            grad *= np.float64(limit / (relative if math.isinf(norm) else norm))  # whose type it is computed in
    return norm


def add_l2(params, grads, rate):
    r"""Put a price on large parameters: add its gradient to the gradients, and return the price.

    .. math:: R = \frac{\lambda}{2} \sum_i \sum_j \theta_{ij}^2, \qquad
              \frac{\partial R}{\partial \theta} = \lambda \theta

    With plain gradient descent that is weight decay; with other rules it is not: see :class:`mlcore.optimizers.AdamW`.

    Parameters
    ----------
    params : list of ndarray
        The parameters that cost something; often the weights alone, ``net.params[::2]``.
    grads : list of ndarray
        Their gradients, changed in place.
    rate : float
        :math:`\lambda`, at least 0.

    Returns
    -------
    float
        R, to be added to the loss.

    Raises
    ------
    TypeError, ValueError
        If the lists do not fit each other, a gradient cannot be written or overlaps a parameter, or `rate` is no finite
        number from 0 on. Then nothing has changed.

    Examples
    --------
    >>> W, dW = np.array([3.0, -4.0]), np.zeros(2)
    >>> add_l2([W], [dW], rate=0.1)
    1.25
    >>> dW.round(4).tolist()
    [0.3, -0.4]

    References
    ----------
    Section 1.5; Goodfellow, Bengio & Courville (2016), section 7.1.1.
    """
    rate = _checked("add_l2", "rate", rate)
    params, grads = list(params), _checked_gradients("add_l2", grads)
    if len(params) != len(grads):
        raise ValueError(f"add_l2: got {len(params)} parameters and {len(grads)} gradients")
    for i, grad in enumerate(grads):
        params[i] = param = as_real(f"add_l2: params[{i}]", params[i])
        if param.shape != grad.shape:
            raise ValueError(f"add_l2: grads[{i}] has shape {grad.shape}, expected {param.shape}, that of params[{i}]")
    for (i, param), (j, grad) in itertools.product(enumerate(params), enumerate(grads)):
        if np.shares_memory(param, grad):
            raise ValueError(f"add_l2: grads[{j}] overlaps params[{i}], which would change with it")
    for param, grad in zip(params, grads, strict=True):
        grad += rate * param
    return rate / 2 * sum(float((param.astype(float) ** 2).sum()) for param in params)


def initial_weights(rng, fan_in, fan_out, kind):
    r"""Random weights whose scale keeps the size of what passes through a layer.

    .. math:: W_{ij} \sim N(0, \sigma^2), \qquad
              \sigma^2_{\mathrm{Xavier}} = \frac{2}{D + H}, \quad \sigma^2_{\mathrm{He}} = \frac{2}{D}, \quad
              \sigma^2_{\mathrm{LeCun}} = \frac{1}{D}

    Xavier's keeps the size forward and backward for a matrix alone, and so for tanh near 0; He's makes up for the half
    that ReLU cuts away; LeCun's keeps it forward only, whatever the number of outputs.

    Parameters
    ----------
    rng : int or numpy.random.Generator
        Source of the numbers.
    fan_in, fan_out : int
        D and H, the numbers of inputs and outputs.
    kind : {"xavier", "he", "lecun"}
        Which scale.

    Returns
    -------
    ndarray, shape (fan_in, fan_out)
        The weights, float64.

    Raises
    ------
    TypeError, ValueError
        If a number is no whole number from 1 on, or the kind is unknown.

    Examples
    --------
    >>> W = initial_weights(0, 400, 100, "he")
    >>> W.shape, round(float(W.std() * np.sqrt(200)), 2)
    ((400, 100), 1.0)

    References
    ----------
    Section 1.5; Glorot & Bengio (2010), equation 12; He et al. (2015), equation 10; LeCun et al. (1998), section 4.6.
    """
    fan_in = check_count("initial_weights", "fan_in", fan_in)
    fan_out = check_count("initial_weights", "fan_out", fan_out)
    variances = {"xavier": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in}
    if kind not in variances:
        raise ValueError(f"initial_weights: kind must be one of {', '.join(variances)}; got {kind!r}")
    return math.sqrt(variances[kind]) * np.random.default_rng(rng).standard_normal((fan_in, fan_out))


def _checked_gradients(name, grads):
    """A list of floating arrays that can be written."""
    grads = list(grads)
    for i, grad in enumerate(grads):
        check_parameter(name, f"grads[{i}]", grad)
        if not grad.flags.writeable:
            raise ValueError(f"{name}: grads[{i}] is read-only")
    return grads


def _checked(name, symbol, value):
    """A finite number from 0 on."""
    number = as_number(f"{name}: {symbol}", value)
    if not 0 <= number < math.inf:
        raise ValueError(f"{name}: {symbol} must be finite and at least 0; got {number}")
    return number
