"""Sections 1.3.1 and 1.3.5: the last layer of a network, which turns scores and targets into one number."""

import numpy as np

from mlcore._checks import of_classes, of_two
from mlcore.contract import Loss
from mlcore.functions import binary_cross_entropy, cross_entropy, log_softmax, mean, sigmoid


class SoftmaxWithLoss(Loss, targets=of_classes):
    r"""Softmax and cross-entropy in one layer, averaged over the rows.

    .. math:: L = -\frac{1}{N} \sum_n \sum_k t_{nk} \log y_{nk}, \quad y = \mathrm{softmax}(x), \qquad
              \frac{\partial L}{\partial x} = \frac{y - t}{N}

    Attributes
    ----------
    y : ndarray
        The probabilities of the last forward pass, until backward.
    t : ndarray
        Its targets.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If the logits are empty or make the loss infinite or NaN, or the targets fit neither (..., C) nor (...).
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> import numpy as np
    >>> loss = SoftmaxWithLoss()
    >>> round(loss.forward(np.log([[0.2, 0.3, 0.5]]), [1]), 4)
    1.204
    >>> loss.backward().round(4)
    array([[ 0.2, -0.7,  0.5]])

    References
    ----------
    Section 1.3.5.3; the numbers of the example are those of CS231n, *Neural networks case study*.
    """

    def forward(self, x, t):
        """Return the loss for logits x (..., C) and labels t (...) or distributions t (..., C)."""
        log_y = log_softmax(x)
        self.y, self.target = np.exp(log_y), t  # a row of t has a 1 at the label
        return cross_entropy(t, log_y)

    def backward(self, dout=1):
        """Return dx for the gradient dout of the loss, a number."""
        y, t = self.y, self.target
        return (y - t) * (dout * y.shape[-1] / y.size)


class SigmoidWithLoss(Loss, targets=of_two):
    r"""Sigmoid and binary cross-entropy in one layer, averaged over all elements.

    .. math:: L = -\frac{1}{N} \sum_n \bigl( t_n \log y_n + (1 - t_n) \log (1 - y_n) \bigr), \quad y = \sigma(x),
              \qquad \frac{\partial L}{\partial x} = \frac{y - t}{N}

    Attributes
    ----------
    y : ndarray
        The probabilities of the last forward pass, until backward.
    t : ndarray
        Its targets, in the shape of y.

    Raises
    ------
    TypeError
        If an argument does not hold real numbers.
    ValueError
        If the logits are empty or not finite, or the targets do not fit them or leave [0, 1].
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> loss = SigmoidWithLoss()
    >>> round(loss.forward([[0.0], [0.0]], [1, 0]), 4)
    0.6931
    >>> loss.backward()
    array([[-0.25],
           [ 0.25]])

    References
    ----------
    Section 1.3.1.
    """

    def forward(self, x, t):
        """Return the loss for logits x and targets t in [0, 1]; (N, 1) and (N,) fit each other."""
        self.y, self.t = sigmoid(x), t
        return mean(binary_cross_entropy(x, t))

    def backward(self, dout=1):
        """Return dx, in the shape of x, for the gradient dout of the loss, a number."""
        return (self.y - self.t) * (dout / self.y.size)
