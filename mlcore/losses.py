"""Sections 1.3.1 and 1.3.5: the last layer of a network, which turns scores and targets into one number."""

import numpy as np

from mlcore._checks import (
    check_batch,
    check_binary_targets,
    check_class_targets,
    check_loss,
    check_scalar_upstream,
    ieee,
    recall,
)
from mlcore.functions import binary_cross_entropies, exp_shifted, expected_value, mean_of, sigmoid


class SoftmaxWithLoss:
    r"""Softmax and cross-entropy in one layer, averaged over the rows.

    .. math:: L = -\frac{1}{N} \sum_n \sum_k t_{nk} \log y_{nk}, \quad y = \mathrm{softmax}(x), \qquad
              \frac{\partial L}{\partial x} = \frac{y - t}{N}

    Attributes
    ----------
    y : ndarray
        The probabilities of the last forward pass, until backward.
    t : ndarray
        Its targets.
    picked : ndarray
        What they pick: the positions of the labelled entries in y laid flat, or the distribution itself.

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

    def __init__(self):
        self.params, self.grads = [], []
        self.y = self.t = self.picked = None

    @ieee
    def forward(self, x, t):
        """Return the loss for logits x (..., C) and labels t (...) or distributions t (..., C)."""
        x = check_batch("SoftmaxWithLoss", x)
        t, picked = check_class_targets("SoftmaxWithLoss", x, t)
        shifted, e, total = exp_shifted("SoftmaxWithLoss", x)
        loss = mean_of(np.log(total[..., 0]) - expected_value(picked, shifted))
        check_loss("SoftmaxWithLoss", loss, x)
        self.y, self.t, self.picked = e / total, t, picked
        return loss

    @ieee
    def backward(self, dout=1):
        """Return dx for the gradient dout of the loss, a number."""
        y, t, picked = recall(self, self.y), self.t, self.picked
        dout = check_scalar_upstream(self, dout)
        self.y = self.t = self.picked = None
        if t.shape == y.shape:
            dx = y - t
        else:
            dx = y.copy()  # a copy in C order, of which reshape is a view
            dx.reshape(-1)[picked] -= 1
        dx *= dout * y.shape[-1] / y.size
        return dx


class SigmoidWithLoss:
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

    def __init__(self):
        self.params, self.grads = [], []
        self.y = self.t = None

    @ieee
    def forward(self, x, t):
        """Return the loss for logits x and targets t in [0, 1]; (N, 1) and (N,) fit each other."""
        x = check_batch("SigmoidWithLoss", x)
        t = check_binary_targets("SigmoidWithLoss", x, t)
        loss = check_loss("SigmoidWithLoss", mean_of(binary_cross_entropies(x, t)), x)
        self.y, self.t = sigmoid(x), t
        return loss

    @ieee
    def backward(self, dout=1):
        """Return dx, in the shape of x, for the gradient dout of the loss, a number."""
        y, t = recall(self, self.y), self.t
        dout = check_scalar_upstream(self, dout)
        self.y = self.t = None
        return (y - t) * (dout / y.size)
