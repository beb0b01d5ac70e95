"""Section 1.3.4: the nodes of a computation graph.

Every node has `forward(*inputs)` and `backward(*upstream)`: `forward` remembers what `backward` needs, which takes the
gradients of the outputs and returns those of the inputs. What is promised besides, all nodes have from `Node`.
"""

import math

import numpy as np

from mlcore._checks import Axis, Count, Number
from mlcore.contract import Node


def sum_to(gradient, shape):
    """Undo broadcasting: add up the gradient over every axis along which `shape` was repeated."""
    new = gradient.ndim - len(shape)
    stretched = [new + i for i, n in enumerate(shape) if n == 1]
    return gradient.sum(axis=(*range(new), *stretched)).reshape(shape)


def rows(x):
    """Return `x` as a matrix: every leading axis becomes part of the batch."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


class Add(Node):
    r"""Sum of two inputs, with NumPy's broadcasting.

    .. math:: z = x + y, \qquad
              \frac{\partial L}{\partial x} = \frac{\partial L}{\partial z}, \quad
              \frac{\partial L}{\partial y} = \frac{\partial L}{\partial z}

    An input that was broadcast was used more than once, so its gradients are added up.

    Raises
    ------
    ValueError
        If the shapes do not broadcast, or the upstream gradient does not have the shape of z.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> node = Add()
    >>> node.forward([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0])
    array([[11., 22.],
           [13., 24.]])
    >>> node.backward([[1.0, 2.0], [3.0, 4.0]])
    (array([[1., 2.],
           [3., 4.]]), array([4., 6.]))

    References
    ----------
    Section 1.3.4.
    """

    def forward(self, x, y):
        """Return x + y."""
        self.shapes = x.shape, y.shape
        return x + y

    def backward(self, dz):
        """Return the gradients of x and y."""
        return tuple(sum_to(dz, shape) for shape in self.shapes)


class Multiply(Node):
    r"""Element-wise product of two inputs, with NumPy's broadcasting.

    .. math:: z = x y, \qquad
              \frac{\partial L}{\partial x} = \frac{\partial L}{\partial z} \, y, \quad
              \frac{\partial L}{\partial y} = \frac{\partial L}{\partial z} \, x

    Raises
    ------
    ValueError
        If the shapes do not broadcast, or the upstream gradient does not have the shape of z.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> node = Multiply()
    >>> node.forward([1.0, 2.0], [3.0, 4.0])
    array([3., 8.])
    >>> node.backward([10.0, 100.0])
    (array([ 30., 400.]), array([ 10., 200.]))

    References
    ----------
    Section 1.3.4.1.
    """

    def forward(self, x, y):
        """Return x * y."""
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        """Return the gradients of x and y."""
        return sum_to(dz * self.y, self.x.shape), sum_to(dz * self.x, self.y.shape)


class Branch(Node):
    r"""One value that goes to n places.

    .. math:: y_1 = \dots = y_n = x, \qquad
              \frac{\partial L}{\partial x} = \sum_{i=1}^{n} \frac{\partial L}{\partial y_i}

    Parameters
    ----------
    n : int
        Number of branches, at least 1.

    Raises
    ------
    TypeError, ValueError
        If `n` is no positive integer, or there are not n upstream gradients of the shape of x.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> node = Branch(2)
    >>> node.forward([1.0, 2.0])
    (array([1., 2.]), array([1., 2.]))
    >>> node.backward([10.0, 20.0], [1.0, 1.0])
    array([11., 21.])

    References
    ----------
    Section 1.3.4.2.
    """

    n = Count()

    def __init__(self, n):
        self.n = n

    def forward(self, x):
        """Return n copies of x."""
        return (x,) * self.n

    def backward(self, *dys):
        """Return the sum of what comes back."""
        return sum(dys)


class Repeat(Node):
    r"""Each slice along `axis`, n times in a row.

    .. math:: y_{n i + r} = x_i \quad (r = 0, \dots, n - 1), \qquad
              \frac{\partial L}{\partial x_i} = \sum_{r=0}^{n-1} \frac{\partial L}{\partial y_{n i + r}}

    Its transpose is a sum: see :class:`Sum`.

    Parameters
    ----------
    n : int
        How many times, at least 1.
    axis : int, optional
        The axis to repeat along.

    Raises
    ------
    TypeError, ValueError
        If `n` is no positive integer, the input has no such axis, or the upstream gradient does not have the
        shape of y.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> node = Repeat(3)
    >>> node.forward([[1.0, 2.0]])
    array([[1., 2.],
           [1., 2.],
           [1., 2.]])
    >>> node.backward([[1.0, 0.0], [10.0, 0.0], [100.0, 5.0]])
    array([[111.,   5.]])

    References
    ----------
    Section 1.3.4.3.
    """

    n, axis = Count(), Axis()

    def __init__(self, n, axis=0):
        self.n, self.axis = n, axis

    def forward(self, x):
        """Return x with each slice repeated."""
        return np.repeat(x, self.n, axis=self.axis)

    def backward(self, dy):
        """Return the sum over the n copies of each slice."""
        return np.add.reduceat(dy, np.arange(0, dy.shape[self.axis], self.n), axis=self.axis)


class Sum(Node):
    r"""Sum over `axis`, which stays as an axis of length 1.

    .. math:: y = \sum_i x_i, \qquad
              \frac{\partial L}{\partial x_i} = \frac{\partial L}{\partial y}

    Its transpose is a repetition: see :class:`Repeat`.

    Parameters
    ----------
    axis : int, optional
        The axis to add up.

    Raises
    ------
    ValueError
        If the input has no such axis, or the upstream gradient does not have the shape of y.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> node = Sum()
    >>> node.forward([[1.0, 2.0], [3.0, 4.0]])
    array([[4., 6.]])
    >>> node.backward([[10.0, 20.0]])
    array([[10., 20.],
           [10., 20.]])

    References
    ----------
    Section 1.3.4.4.
    """

    axis = Axis()

    def __init__(self, axis=0):
        self.axis = axis

    def forward(self, x):
        """Return the sum, with the axis kept."""
        self.n = x.shape[self.axis]
        return x.sum(axis=self.axis, keepdims=True)

    def backward(self, dy):
        """Return the upstream gradient, repeated along the axis."""
        return np.repeat(dy, self.n, axis=self.axis)


class Power(Node):
    r"""Each element to a fixed power.

    .. math:: y = x^n, \qquad
              \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \, n x^{n - 1}

    With n = -1 it is the reciprocal, and with :class:`Multiply` it makes a division.

    Parameters
    ----------
    n : float
        The exponent, which is not learned.

    Raises
    ------
    TypeError, ValueError
        If `n` is no finite number, or the upstream gradient does not have the shape of y.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> node = Power(3)
    >>> node.forward([1.0, -2.0])
    array([ 1., -8.])
    >>> node.backward([10.0, 1.0])
    array([30., 12.])

    References
    ----------
    Section 1.3.4.
    """

    n = Number()

    def __init__(self, n):
        self.n = n

    def forward(self, x):
        """Return x ** n."""
        self.x = x
        return x**self.n

    def backward(self, dy):
        """Return dx."""
        return dy * (self.n * self.x ** (self.n - 1)) if self.n else 0 * dy  # else 0 * 0 ** -1, which is NaN


class MatMul(Node, W="D H"):
    r"""Product of the input with a weight matrix.

    .. math:: Y = X W, \qquad
              \frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} W^\top, \quad
              \frac{\partial L}{\partial W} = X^\top \frac{\partial L}{\partial Y}

    Parameters
    ----------
    W : ndarray, shape (D, H), floating
        The weights. They stay the caller's array: an optimizer moves them in place. They must not change
        between `forward` and `backward`.

    Attributes
    ----------
    params, grads : list of ndarray
        ``[W]`` and ``[dW]``; `backward` writes into ``grads[0]``, which stays the same array.

    Raises
    ------
    TypeError
        If W is no floating array.
    ValueError
        If the last axis of x is not D, or the upstream gradient does not have the shape of y.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> import numpy as np
    >>> node = MatMul(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> node.forward([[1, 0]])
    array([[1., 2.]])
    >>> node.backward([[1.0, 10.0]])
    array([[21., 43.]])
    >>> node.grads[0]
    array([[ 1., 10.],
           [ 0.,  0.]])

    References
    ----------
    Section 1.3.4.5.
    """

    def __init__(self, W):
        self.params = [W]

    def forward(self, x):
        """Return x @ W for x of shape (..., D)."""
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        """Write dW into grads and return dx."""
        np.matmul(rows(self.x).T, rows(dout), out=self.grads[0])
        return dout @ self.params[0].T
