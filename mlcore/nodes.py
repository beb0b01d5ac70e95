"""Section 1.3.4: the nodes of a computation graph.

Every node has `forward(*inputs)` and `backward(*upstream)`. `forward` remembers what `backward` needs;
`backward` takes the gradients of the outputs, returns those of the inputs, and forgets. A node never writes
into an array that it was given, and what it has to remember it copies, unless nobody can write into it. What
overflows becomes infinite without a warning (`@ieee`): the loss at the end of a network refuses it.
"""

import numpy as np

from mlcore._checks import (
    as_floating,
    as_number,
    as_real,
    check_columns,
    check_count,
    check_parameter,
    check_upstream,
    ieee,
    keep,
    recall,
    rows,
)


def _sum_to(gradient, shape):
    """Undo broadcasting: add up the gradient over every axis along which `shape` was repeated."""
    new = gradient.ndim - len(shape)
    stretched = [new + i for i, n in enumerate(shape) if n == 1]
    return gradient.sum(axis=(*range(new), *stretched)).reshape(shape)


def _check_broadcast(name, x, y):
    x, y = as_floating(name, x), as_floating(name, y)  # small integers would wrap around, and True + True be True
    try:
        return x, y, np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        raise ValueError(f"{name}.forward: shapes {x.shape} and {y.shape} do not broadcast") from None


def _check_axis(name, axis, x):
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{name}.forward: there is no axis {axis} in an input of shape {x.shape}")
    return axis % x.ndim


class Add:
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

    def __init__(self):
        self.params, self.grads = [], []
        self.shapes = None

    @ieee
    def forward(self, x, y):
        """Return x + y."""
        x, y, shape = _check_broadcast("Add", x, y)
        self.shapes = x.shape, y.shape, shape
        return x + y

    @ieee
    def backward(self, dz):
        """Return the gradients of x and y."""
        x_shape, y_shape, z_shape = recall(self, self.shapes)
        dz = check_upstream(self, dz, z_shape)
        self.shapes = None
        return _sum_to(dz, x_shape), _sum_to(dz, y_shape)


class Multiply:
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

    def __init__(self):
        self.params, self.grads = [], []
        self.x = self.y = None

    @ieee
    def forward(self, x, y):
        """Return x * y."""
        x, y, _ = _check_broadcast("Multiply", x, y)
        self.x, self.y = keep(x), keep(y)
        return x * y

    @ieee
    def backward(self, dz):
        """Return the gradients of x and y."""
        x, y = recall(self, self.x), recall(self, self.y)
        dz = check_upstream(self, dz, np.broadcast_shapes(x.shape, y.shape))
        self.x = self.y = None
        return _sum_to(dz * y, x.shape), _sum_to(dz * x, y.shape)


class Branch:
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

    def __init__(self, n):
        self.params, self.grads = [], []
        self.n = check_count("Branch", "n", n)
        self.shape = None

    def forward(self, x):
        """Return n copies of x, which share no memory."""
        x = as_real("Branch", x)
        self.shape = x.shape
        return tuple(x.copy() for _ in range(self.n))

    @ieee
    def backward(self, *dys):
        """Return the sum of what comes back."""
        shape = recall(self, self.shape)
        if len(dys) != self.n:
            raise ValueError(f"Branch.backward: expected {self.n} upstream gradients, one a branch; got {len(dys)}")
        dys = [check_upstream(self, dy, shape) for dy in dys]
        self.shape = None
        return sum(dys[1:], start=dys[0].copy())


class Repeat:
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

    def __init__(self, n, axis=0):
        self.params, self.grads = [], []
        self.n = check_count("Repeat", "n", n)
        self.axis = check_count("Repeat", "axis", axis, least=None)
        self.shape = None

    def forward(self, x):
        """Return x with each slice repeated."""
        x = as_real("Repeat", x)
        axis = _check_axis("Repeat", self.axis, x)
        self.shape = x.shape
        return np.repeat(x, self.n, axis=axis)

    @ieee
    def backward(self, dy):
        """Return the sum over the n copies of each slice."""
        shape = recall(self, self.shape)
        axis = self.axis % len(shape)
        before, length, after = shape[:axis], shape[axis], shape[axis + 1 :]
        dy = check_upstream(self, dy, (*before, length * self.n, *after))
        self.shape = None
        return dy.reshape(*before, length, self.n, *after).sum(axis=axis + 1)


class Sum:
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

    def __init__(self, axis=0):
        self.params, self.grads = [], []
        self.axis = check_count("Sum", "axis", axis, least=None)
        self.shape = None

    @ieee
    def forward(self, x):
        """Return the sum, with the axis kept."""
        x = as_real("Sum", x)
        axis = _check_axis("Sum", self.axis, x)
        self.shape = x.shape
        return x.sum(axis=axis, keepdims=True)

    def backward(self, dy):
        """Return the upstream gradient, repeated along the axis."""
        shape = recall(self, self.shape)
        axis = self.axis % len(shape)
        dy = check_upstream(self, dy, (*shape[:axis], 1, *shape[axis + 1 :]))
        self.shape = None
        return np.repeat(dy, shape[axis], axis=axis)


class Power:
    r"""Each element to a fixed power.

    .. math:: y = x^n, \qquad
              \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \, n x^{n - 1}

    With n = -1 it is the reciprocal, and with :class:`Multiply` it makes a division.

    Parameters
    ----------
    n : float
        The exponent, which is not learnt.

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

    def __init__(self, n):
        self.params, self.grads = [], []
        self.n = as_number("Power: n", n)
        if not np.isfinite(self.n):
            raise ValueError(f"Power: n must be finite; got {self.n}")
        self.x = None

    @ieee
    def forward(self, x):
        """Return x ** n."""
        x = as_floating("Power", x)
        self.x = keep(x)
        return x**self.n

    @ieee
    def backward(self, dy):
        """Return dx."""
        x = recall(self, self.x)
        dy = check_upstream(self, dy, x.shape)
        self.x = None
        return dy * (self.n * x ** (self.n - 1)) if self.n else 0 * dy  # else 0 * 0 ** -1, which is NaN


class MatMul:
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
        check_parameter("MatMul", "W", W, ndim=2)
        self.params = [W]
        self.grads = [np.zeros_like(W)]
        self.x = None

    @ieee
    def forward(self, x):
        """Return x @ W for x of shape (..., D)."""
        (W,) = self.params
        x = check_columns("MatMul", x, W)
        self.x = keep(x)
        return x @ W

    @ieee
    def backward(self, dout, input_gradient=True):
        """Write dW into grads[0] and return dx, unless nobody asks for it."""
        (W,) = self.params
        x = recall(self, self.x)
        dout = check_upstream(self, dout, (*x.shape[:-1], W.shape[1]))
        np.matmul(rows(x).T, rows(dout), out=self.grads[0])
        self.x = None
        return dout @ W.T if input_gradient else None
