"""Section 1.3.5: the layers of a network, made of the nodes of section 1.3.4."""

import numpy as np

from mlcore._checks import as_floating, check_columns, check_parameter, check_upstream, ieee, keep, recall, rows
from mlcore.functions import sigmoid


class Sigmoid:
    r"""Logistic sigmoid, element by element.

    .. math:: y = \frac{1}{1 + e^{-x}}, \qquad
              \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \, y (1 - y)

    It remembers its output, from which the slope follows. What `forward` returns is therefore read-only.

    Attributes
    ----------
    params, grads : list
        Empty: there is nothing to learn.

    Raises
    ------
    TypeError
        If x does not hold real numbers.
    ValueError
        If the upstream gradient does not have the shape of y.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> layer = Sigmoid()
    >>> layer.forward([0.0, -1000.0])
    array([0.5, 0. ])
    >>> layer.backward([8.0, 8.0])
    array([2., 0.])

    References
    ----------
    Section 1.3.5.1.
    """

    def __init__(self):
        self.params, self.grads = [], []
        self.out = None

    def forward(self, x):
        """Return the sigmoid of x."""
        out = np.asarray(sigmoid(x))
        out.setflags(write=False)  # backward needs it as it is now
        self.out = out
        return out

    @ieee
    def backward(self, dout):
        """Return dx."""
        out = recall(self, self.out)
        dout = check_upstream(self, dout, out.shape)
        self.out = None
        return dout * out * (1 - out)


class ReLU:
    r"""Rectified linear unit: the positive part, element by element.

    .. math:: y = \max(x, 0), \qquad
              \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \cdot
              \begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}

    At the kink, x = 0, the derivative is taken as 0.

    Attributes
    ----------
    params, grads : list
        Empty: there is nothing to learn.

    Raises
    ------
    TypeError
        If x does not hold real numbers.
    ValueError
        If the upstream gradient does not have the shape of y.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> layer = ReLU()
    >>> layer.forward([-2.0, 0.0, 3.0])
    array([0., 0., 3.])
    >>> layer.backward([10.0, 10.0, 10.0])
    array([ 0.,  0., 10.])

    References
    ----------
    Section 1.3.5.
    """

    def __init__(self):
        self.params, self.grads = [], []
        self.positive = None

    def forward(self, x):
        """Return max(x, 0)."""
        x = as_floating("ReLU", x)
        self.positive = x > 0  # of the input, not of the output
        return np.maximum(x, 0)

    def backward(self, dout):
        """Return dx."""
        positive = recall(self, self.positive)
        dout = check_upstream(self, dout, positive.shape)
        self.positive = None
        return np.where(positive, dout, 0)


class Affine:
    r"""Affine map: a matrix product and a bias that is repeated for each row.

    .. math:: Y = X W + b, \qquad
              \frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} W^\top, \quad
              \frac{\partial L}{\partial W} = X^\top \frac{\partial L}{\partial Y}, \quad
              \frac{\partial L}{\partial b} = \sum_n \frac{\partial L}{\partial Y_n}

    Parameters
    ----------
    W : ndarray, shape (D, H), floating
        The weights.
    b : ndarray, shape (H,), floating
        The bias. Both stay the caller's arrays: an optimizer moves them in place. They must not change
        between `forward` and `backward`.

    Attributes
    ----------
    params, grads : list of ndarray
        ``[W, b]`` and ``[dW, db]``; `backward` writes into the arrays of `grads`, which stay the same.

    Raises
    ------
    TypeError
        If W or b is no floating array.
    ValueError
        If shapes do not fit each other.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Affine(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 20.0]))
    >>> layer.forward([[1, 0], [0, 1]])
    array([[11., 22.],
           [13., 24.]])
    >>> layer.backward([[1.0, 0.0], [0.0, 1.0]])
    array([[1., 3.],
           [2., 4.]])
    >>> layer.grads[1]
    array([1., 1.])

    References
    ----------
    Section 1.3.5.2.
    """

    def __init__(self, W, b):
        check_parameter("Affine", "W", W, ndim=2)
        check_parameter("Affine", "b", b, ndim=1)
        if b.shape != W.shape[1:]:
            raise ValueError(f"Affine: b has shape {b.shape}, expected {W.shape[1:]} for W {W.shape}")
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]
        self.x = None

    @ieee
    def forward(self, x):
        """Return x @ W + b for x of shape (..., D)."""
        W, b = self.params
        x = check_columns("Affine", x, W)
        self.x = keep(x)
        out = x @ W
        out += b
        return out

    @ieee
    def backward(self, dout, input_gradient=True):
        """Write dW and db into grads and return dx, unless nobody asks for it."""
        W, b = self.params
        x = recall(self, self.x)
        dout = check_upstream(self, dout, (*x.shape[:-1], *b.shape))
        self.x = None
        dout_rows = rows(dout)
        np.matmul(rows(x).T, dout_rows, out=self.grads[0])
        np.add.reduce(dout_rows, axis=0, out=self.grads[1])
        return dout @ W.T if input_gradient else None
