"""Section 1.3.1: the functions that turn scores into probabilities and probabilities into a loss.

All of them are pure, take any number of leading axes, and return the floating dtype that came in (integers
count as float64). None overflows: each is written so that `exp` only ever sees numbers that are not positive.
"""

import math

import numpy as np

from mlcore._checks import (
    as_floating,
    check_batch,
    check_binary_targets,
    check_class_targets,
    check_distribution,
    check_loss,
    ieee,
)


def sigmoid(x):
    r"""Logistic sigmoid, element by element.

    .. math:: \sigma(x) = \frac{1}{1 + e^{-x}} = \frac{e^{x}}{e^{x} + 1}

    The first form is used for :math:`x \ge 0`, the second for :math:`x < 0`.

    Parameters
    ----------
    x : array_like
        Scores of any shape.

    Returns
    -------
    ndarray
        Values in [0, 1], of the shape and floating dtype of `x`.

    Raises
    ------
    TypeError
        If `x` does not hold real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])

    References
    ----------
    Section 1.3.1 and 1.3.5.1.
    """
    x = as_floating("sigmoid", x)
    e = np.exp(-np.abs(x))
    out = np.maximum(e, x >= 0)  # the numerator: 1 where x >= 0, else e, which is below 1
    e += 1  # in place: no third array
    out /= e
    return out


def exp_shifted(name, x):
    """Return the scores less the largest of their row, the exponentials, and their sum in each row.

    Softmax does not notice the shift, and exp of it cannot overflow.
    """
    x = as_floating(name, x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"{name}: expected scores of shape (..., C) with C >= 1; got {x.shape}")
    if x.shape[-1] > 65504 and x.dtype == np.float16:  # the largest number of this type
        raise ValueError(f"{name}: float16 cannot add up over 65504 classes; got {x.shape}: use float32")
    shifted = x - np.maximum.reduce(x, axis=-1, keepdims=True)  # -inf beyond the largest float
    e = np.exp(shifted)
    return shifted, e, np.add.reduce(e, axis=-1, keepdims=True)


def _check_rows(name, total):
    """Refuse a row that has no finite largest score: there the sum of the exponentials is NaN."""
    if not np.isfinite(total).all():
        raise ValueError(f"{name}: a row has no finite largest score (NaN, +inf, or -inf throughout)")


@ieee
def softmax(x):
    r"""Softmax over the last axis.

    .. math:: y_k = \frac{e^{x_k - m}}{\sum_j e^{x_j - m}}, \qquad m = \max_j x_j

    Parameters
    ----------
    x : array_like, shape (..., C)
        Scores (logits). An entry may be -inf, which gives probability 0.

    Returns
    -------
    ndarray, shape (..., C)
        Probabilities; each row sums to 1. Same floating dtype as `x`.

    Raises
    ------
    TypeError
        If `x` does not hold real numbers.
    ValueError
        If there is no class axis, or a row holds NaN, +inf or nothing but -inf.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([-1000.0, 1000.0, 1000.0]))
    array([0. , 0.5, 0.5])

    References
    ----------
    Section 1.3.1; Goodfellow, Bengio & Courville (2016), section 6.2.2.3.
    """
    _, e, total = exp_shifted("softmax", x)
    _check_rows("softmax", total)
    return e / total


@ieee
def log_softmax(x):
    r"""Logarithm of the softmax over the last axis, without taking the logarithm of a rounded zero.

    .. math:: \log y_k = (x_k - m) - \log \sum_j e^{x_j - m}, \qquad m = \max_j x_j

    Parameters
    ----------
    x : array_like, shape (..., C)
        Scores (logits).

    Returns
    -------
    ndarray, shape (..., C)
        Log-probabilities, at most 0. Same floating dtype as `x`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`softmax`.

    Examples
    --------
    >>> import numpy as np
    >>> log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])

    References
    ----------
    Section 1.3.1.
    """
    shifted, _, total = exp_shifted("log_softmax", x)
    _check_rows("log_softmax", total)
    return shifted - np.log(total)


def mean_of(values):
    """Mean of all values as a float, added up in float64: half precision could not hold the sum."""
    mean = float(np.add.reduce(values, axis=None, dtype=np.float64)) / values.size
    return mean if math.isfinite(mean) else float(np.add.reduce(values / values.size, axis=None, dtype=np.float64))


def expected_value(t, values):
    """Expectation of each row of `values` (..., C): all weighted by `t`, or the one at position `t`."""
    if t.shape == values.shape:
        weighted = np.multiply(t, values, where=t > 0, out=np.zeros_like(values))  # 0 * -inf counts 0
        return weighted.sum(axis=-1)
    return values.take(t)


def binary_cross_entropies(x, t):
    """For each score its cross-entropy against the target, without the mean."""
    size = np.abs(x)
    weight = np.where(x >= 0, 1 - t, t)
    return size * weight + np.log1p(np.exp(-size))  # inf * 0 is NaN, which is refused later


def _as(dtype, number):
    return np.asarray(number).astype(dtype)[()]


@ieee
def cross_entropy_error(y, t):
    r"""Mean cross-entropy of probabilities `y` against targets `t`.

    .. math:: L = -\frac{1}{N} \sum_n \sum_k t_{nk} \log y_{nk}

    No epsilon is added: a target that was given probability 0 costs :math:`\infty`. From scores, use
    :func:`softmax_cross_entropy`, which never meets that case.

    Parameters
    ----------
    y : array_like, shape (..., C)
        Probabilities; each row sums to 1.
    t : array_like, shape (...) or (..., C)
        Index labels, or a distribution for each row (one-hot or soft).

    Returns
    -------
    floating scalar
        The mean over all rows, in the floating dtype of `y`.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If `y` is empty or no distribution, or `t` does not fit `y`.

    Examples
    --------
    >>> import numpy as np
    >>> float(cross_entropy_error([[0.25, 0.75]], [0]).round(4))
    1.3863

    References
    ----------
    Section 1.3.1.
    """
    name = "cross_entropy_error"
    y = check_batch(name, y)
    _, t = check_class_targets(name, y, t)
    check_distribution(name, "y", y)
    return _as(y.dtype, 0 - mean_of(expected_value(t, np.log(y))))  # 0 - x: a perfect prediction costs 0.0, not -0.0


@ieee
def softmax_cross_entropy(logits, t):
    r"""Mean cross-entropy of softmax(logits) against `t`, computed from the logits.

    .. math:: L = -\frac{1}{N} \sum_n \sum_k t_{nk} \Bigl(x_{nk} - \log \sum_j e^{x_{nj}}\Bigr)

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Scores. An entry may be -inf, if its target is 0.
    t : array_like, shape (...) or (..., C)
        Index labels, or a distribution for each row (one-hot or soft).

    Returns
    -------
    floating scalar
        The mean over all rows, in the floating dtype of `logits`.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If the logits are empty or make the loss infinite or NaN, or `t` does not fit them.

    Examples
    --------
    >>> import numpy as np
    >>> float(softmax_cross_entropy(np.array([[0.0, 1000.0]]), [0]))
    1000.0

    References
    ----------
    Section 1.3.1 and 1.3.5.3.
    """
    name = "softmax_cross_entropy"
    x = check_batch(name, logits)
    _, t = check_class_targets(name, x, t)
    shifted, _, total = exp_shifted(name, x)
    loss = mean_of(np.log(total[..., 0]) - expected_value(t, shifted))
    return _as(x.dtype, check_loss(name, loss, x))


@ieee
def sigmoid_cross_entropy(logits, t):
    r"""Mean binary cross-entropy of sigmoid(logits) against `t`, computed from the logits.

    .. math:: L = \frac{1}{N} \sum_n \Bigl( |x_n| \, w_n + \log\bigl(1 + e^{-|x_n|}\bigr) \Bigr), \qquad
              w_n = \begin{cases} 1 - t_n & x_n \ge 0 \\ t_n & x_n < 0 \end{cases}

    which is :math:`-t \log \sigma(x) - (1 - t) \log(1 - \sigma(x))` rewritten so that nothing overflows
    or cancels.

    Parameters
    ----------
    logits : array_like
        Scores of any shape, finite.
    t : array_like
        Targets in [0, 1] (bool, int or float), of the shape of `logits`; (N, 1) and (N,) fit each other.

    Returns
    -------
    floating scalar
        The mean over all elements, in the floating dtype of `logits`.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If the logits are empty or not finite, or `t` does not fit them.

    Examples
    --------
    >>> import numpy as np
    >>> float(sigmoid_cross_entropy(np.array([1000.0, -1000.0]), [1, 1]))
    500.0

    References
    ----------
    Section 1.3.1.
    """
    name = "sigmoid_cross_entropy"
    x = check_batch(name, logits)
    t = check_binary_targets(name, x, t)
    return _as(x.dtype, check_loss(name, mean_of(binary_cross_entropies(x, t)), x))
