"""Section 1.3.1: the functions that turn scores into probabilities and probabilities into a loss.

All of them are pure, take any number of leading axes, and return the floating dtype that came in (integers
count as float64). None overflows: each is written so that `exp` only ever sees numbers that are not positive.
"""

import math

import numpy as np

from mlcore._checks import of_classes, of_two
from mlcore.contract import loss_from_outside, scores_from_outside


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
    e = np.exp(-np.abs(x))
    y = np.maximum(e, x >= 0)  # the numerator: 1 where x >= 0, else e, which is below 1
    y /= 1 + e
    return y


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
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


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
    log_y = x - x.max(axis=-1, keepdims=True)
    log_y -= np.log(np.exp(log_y).sum(axis=-1, keepdims=True))
    return log_y


def mean(values):
    """Mean of all values as a float, added up in float64; what only the sum exceeds is divided first."""
    total = float(np.add.reduce(values, axis=None, dtype=np.float64)) / values.size
    return total if math.isfinite(total) else float(np.add.reduce(values / values.size, axis=None, dtype=np.float64))


def cross_entropy(t, log_y):
    """Mean over the rows of -sum_k t_k log y_k, where 0 log 0 counts 0."""
    classes = log_y.shape[-1]
    return 0 - classes * mean(np.where(t > 0, t * log_y, 0))  # 0 - x: a perfect prediction costs 0.0, not -0.0


def binary_cross_entropy(x, t):
    """For each score its cross-entropy against the target, without the mean."""
    size = np.abs(x)
    return size * np.where(x >= 0, 1 - t, t) + np.log1p(np.exp(-size))


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
    return cross_entropy(t, np.log(y))


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
    return cross_entropy(t, log_softmax(logits))


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
    return mean(binary_cross_entropy(logits, t))


# As they are called from outside: with the checks that they share.
sigmoid = scores_from_outside(sigmoid)
softmax = scores_from_outside(softmax, classes=True)
log_softmax = scores_from_outside(log_softmax, classes=True)
cross_entropy_error = loss_from_outside(cross_entropy_error, of_classes, of_probabilities=True)
softmax_cross_entropy = loss_from_outside(softmax_cross_entropy, of_classes)
sigmoid_cross_entropy = loss_from_outside(sigmoid_cross_entropy, of_two)
