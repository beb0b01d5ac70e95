"""Section 1.3.5: the layers of a network, made of the nodes of section 1.3.4."""

import numpy as np

from mlcore._checks import Setting
from mlcore.contract import Node
from mlcore.functions import sigmoid
from mlcore.nodes import rows


class Sigmoid(Node):
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

    def forward(self, x):
        """Return the sigmoid of x."""
        self.out = sigmoid(x)
        return self.out

    def backward(self, dout):
        """Return dx."""
        return dout * self.out * (1 - self.out)


class ReLU(Node):
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

    def forward(self, x):
        """Return max(x, 0)."""
        self.positive = x > 0  # of the input, not of the output
        return np.maximum(x, 0)

    def backward(self, dout):
        """Return dx."""
        return np.where(self.positive, dout, 0)


class Tanh(Node):
    r"""Hyperbolic tangent, element by element.

    .. math:: y = \tanh x, \qquad
              \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \, (1 - y^2)

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
    >>> layer = Tanh()
    >>> layer.forward([0.0, 1000.0])
    array([0., 1.])
    >>> layer.backward([8.0, 8.0])
    array([8., 0.])

    References
    ----------
    Section 1.3.5 and section 1.5.
    """

    def forward(self, x):
        """Return tanh x."""
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        """Return dx."""
        return dout * (1 - self.out**2)


class Dropout(Node):
    r"""While training, each element is left out with probability p; the others grow, so that the mean stays.

    .. math:: y_i = m_i x_i, \qquad
              \frac{\partial L}{\partial x_i} = m_i \frac{\partial L}{\partial y_i}, \qquad
              m_i = \begin{cases} 0 & \text{with probability } p \\ 1 / (1 - p) & \text{otherwise} \end{cases}

    In `predict` nothing is left out.

    Parameters
    ----------
    p : float
        The probability, in [0, 1).
    rng : int or numpy.random.Generator, optional
        Source of what is left out.

    Raises
    ------
    TypeError, ValueError
        If p is no number in range, or the upstream gradient does not have the shape of y.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> layer = Dropout(0.5, rng=0)
    >>> layer.forward([1.0, 2.0, 3.0, 4.0])
    array([2., 0., 0., 0.])
    >>> layer.backward([1.0, 1.0, 1.0, 1.0])
    array([2., 0., 0., 0.])

    References
    ----------
    Section 1.5; Srivastava et al. (2014).
    """

    p = Setting(below=1)

    def __init__(self, p, rng=0):
        self.p, self.rng = p, np.random.default_rng(rng)

    def forward(self, x):
        """Return x, with some elements left out while training."""
        kept = self.rng.random(x.shape) >= self.p if self.training else np.full(x.shape, 1 - self.p)
        self.m = (kept / (1 - self.p)).astype(x.dtype)
        return self.m * x

    def backward(self, dout):
        """Return dx."""
        return self.m * dout


class Affine(Node, W="D H", b="H"):
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
        self.params = [W, b]

    def forward(self, x):
        """Return x @ W + b for x of shape (..., D)."""
        W, b = self.params
        self.x = x
        return x @ W + b

    def backward(self, dout):
        """Write dW and db into grads and return dx."""
        np.matmul(rows(self.x).T, rows(dout), out=self.grads[0])
        np.add.reduce(rows(dout), axis=0, out=self.grads[1])
        return dout @ self.params[0].T
