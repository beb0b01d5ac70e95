r"""Section 1.3.6: the rules that turn gradients into new parameters.

In all equations :math:`\theta` is a parameter, :math:`g` its gradient, :math:`\eta` the learning rate `lr`; a step
reads from left to right. All operations are element by element. Every optimizer has `update(params, grads)`,
which moves the arrays of `params` in place, and keeps its state in lists of arrays like `params`.
"""

import math

import numpy as np

from mlcore._checks import as_real, check_number, check_parameter


class Optimizer:
    """What all rules share: refuse bad input before anything is written, and move each array once.

    A rule is a subclass with `step(param, grad, *state)`, which moves one array, and the names of its state in
    `state_names`. The state of float16 parameters is kept in float32, since their squares would vanish.

    Examples
    --------
    >>> class SignDescent(Optimizer):
    ...     def __init__(self, lr):
    ...         self.lr = lr
    ...
    ...     def step(self, param, grad):
    ...         param -= self.lr * np.sign(grad)
    >>> theta = np.array([1.0, -2.0])
    >>> SignDescent(lr=0.5).update([theta], [np.array([3.0, -0.1])])
    >>> theta
    array([ 0.5, -1.5])
    """

    state_names = ()

    def update(self, params, grads):
        """Move every array of `params` one step, in place.

        Parameters
        ----------
        params : list of ndarray
            Floating, writable arrays. One that stands more than once is moved once, by the sum of its gradients.
        grads : list of ndarray
            Their gradients, of the same shapes; left unchanged.

        Raises
        ------
        TypeError, ValueError
            If something does not fit. Then nothing has been changed.
        """
        name = type(self).__name__
        grads = _check_update(name, params, grads)
        states = self._states(params)
        self.begin_step()
        for i, param in enumerate(params):
            twins = [j for j, other in enumerate(params) if other is param]
            if i == twins[0]:
                grad = sum((grads[j] for j in twins[1:]), start=grads[i])
                self.step(param, grad, *(state[i] for state in states))

    def begin_step(self):
        """Do what is done once for all parameters of a step; by default nothing."""

    def step(self, param, grad, *state):
        """Move one array. Each rule has its own."""
        raise NotImplementedError(f"{type(self).__name__} must define step(param, grad, *state)")

    def _states(self, params):
        """Return the lists of state; zeros at the first step."""
        states = [getattr(self, s) for s in self.state_names]
        if None in states:
            first = {id(p): np.zeros_like(p, dtype=np.promote_types(p.dtype, np.float32)) for p in params}
            states = [[np.zeros_like(first[id(p)]) for p in params] for _ in self.state_names]
        for state in states:
            shapes, expected = [s.shape for s in state], [p.shape for p in params]
            if shapes != expected:
                raise ValueError(
                    f"{type(self).__name__}.update: this optimizer has been used with parameters of shapes {shapes}; "
                    f"got {expected}. Make a new one for other parameters"
                )
        for s, state in zip(self.state_names, states, strict=True):
            setattr(self, s, state)
        return states


def _check_update(name, params, grads):
    """Return the gradients as arrays; raise before anything is written."""
    if len(params) != len(grads):
        raise ValueError(f"{name}.update: got {len(params)} parameters and {len(grads)} gradients")
    checked = []
    for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
        check_parameter(f"{name}.update", f"params[{i}]", param)
        grad = as_real(f"{name}.update: grads[{i}]", grad)
        if not param.flags.writeable:
            raise ValueError(f"{name}.update: params[{i}] is read-only")
        if grad.shape != param.shape:
            raise ValueError(
                f"{name}.update: grads[{i}] has shape {grad.shape}, expected {param.shape}, that of params[{i}]"
            )
        checked.append(grad)
    return checked


class SGD(Optimizer):
    r"""Gradient descent: one step against the gradient.

    .. math:: \theta \leftarrow \theta - \eta g

    Parameters
    ----------
    lr : float
        Learning rate, at least 0.

    Raises
    ------
    TypeError, ValueError
        If `lr` is no finite number in range.

    Examples
    --------
    On :math:`f = x^2/2`, whose gradient is x:

    >>> x, optimizer = np.array([1.0]), SGD(lr=0.1)
    >>> for _ in range(3):
    ...     optimizer.update([x], [x])
    >>> x.round(4)
    array([0.729])

    References
    ----------
    Section 1.3.6.
    """

    def __init__(self, lr=0.01):
        self.lr = check_number("SGD", "lr", lr, 0, math.inf)

    def step(self, param, grad):
        """Move one array."""
        param -= self.lr * grad


class Momentum(Optimizer):
    r"""Gradient descent with a velocity that remembers earlier gradients.

    .. math:: v \leftarrow \mu v - \eta g, \qquad \theta \leftarrow \theta + v

    Parameters
    ----------
    lr : float
        Learning rate, at least 0.
    momentum : float
        :math:`\mu`, in [0, 1).

    Attributes
    ----------
    v : list of ndarray
        The velocities; None before the first step.

    Raises
    ------
    TypeError, ValueError
        If a setting is no finite number in range.

    Examples
    --------
    >>> x, optimizer = np.array([1.0]), Momentum(lr=0.1)
    >>> for _ in range(3):
    ...     optimizer.update([x], [x])
    >>> x.round(4)
    array([0.486])

    References
    ----------
    Section 1.3.6; Polyak (1964); Sutskever et al. (2013).
    """

    state_names = ("v",)

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr = check_number("Momentum", "lr", lr, 0, math.inf)
        self.momentum = check_number("Momentum", "momentum", momentum, 0, 1)
        self.v = None

    def step(self, param, grad, v):
        """Move one array."""
        v *= self.momentum
        v -= self.lr * grad
        param += v


class Nesterov(Optimizer):
    r"""Momentum whose gradient is taken where the velocity is about to lead.

    .. math:: v \leftarrow \mu v - \eta g, \qquad \theta \leftarrow \theta + \mu v - \eta g

    The array that is stored is the look-ahead point :math:`\theta = \vartheta + \mu v` of the original rule
    :math:`v \leftarrow \mu v - \eta \nabla f(\vartheta + \mu v)`, :math:`\vartheta \leftarrow \vartheta + v`, so that
    the gradient is needed only where the parameters are.

    Parameters
    ----------
    lr : float
        Learning rate, at least 0.
    momentum : float
        :math:`\mu`, in [0, 1).

    Attributes
    ----------
    v : list of ndarray
        The velocities; None before the first step.

    Raises
    ------
    TypeError, ValueError
        If a setting is no finite number in range.

    Examples
    --------
    >>> x, optimizer = np.array([1.0]), Nesterov(lr=0.1)
    >>> for _ in range(3):
    ...     optimizer.update([x], [x])
    ...     print(x.round(4))
    [0.81]
    [0.5751]
    [0.3273]

    References
    ----------
    Section 1.3.6; Sutskever et al. (2013), section 2; Bengio et al. (2012), section 3.5.
    """

    state_names = ("v",)

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr = check_number("Nesterov", "lr", lr, 0, math.inf)
        self.momentum = check_number("Nesterov", "momentum", momentum, 0, 1)
        self.v = None

    def step(self, param, grad, v):
        """Move one array."""
        v *= self.momentum
        v -= self.lr * grad
        param += self.momentum * v - self.lr * grad


class AdaGrad(Optimizer):
    r"""A learning rate of its own for each element, divided by the size of all its gradients so far.

    .. math:: h \leftarrow h + g^2, \qquad \theta \leftarrow \theta - \eta \frac{g}{\sqrt{h} + \epsilon}

    Parameters
    ----------
    lr : float
        Learning rate, at least 0.
    eps : float
        :math:`\epsilon`, above 0; it only matters where h is about as small as its square.

    Attributes
    ----------
    h : list of ndarray
        The sums of squares; None before the first step.

    Raises
    ------
    TypeError, ValueError
        If a setting is no finite number in range.

    Examples
    --------
    The first step has the size of the learning rate, whatever the gradient:

    >>> x, optimizer = np.array([1.0, 1.0]), AdaGrad(lr=0.1)
    >>> optimizer.update([x], [np.array([1e-3, -1e3])])
    >>> x.round(4)
    array([0.9, 1.1])

    References
    ----------
    Section 1.3.6; Duchi, Hazan & Singer (2011).
    """

    state_names = ("h",)

    def __init__(self, lr=0.01, eps=1e-8):
        self.lr = check_number("AdaGrad", "lr", lr, 0, math.inf)
        self.eps = check_number("AdaGrad", "eps", eps, 0, math.inf, open_low=True)
        self.h = None

    def step(self, param, grad, h):
        """Move one array."""
        h += np.square(grad, dtype=h.dtype)
        param -= self.lr * grad / (np.sqrt(h) + self.eps)


class RMSprop(Optimizer):
    r"""AdaGrad with a memory that fades: an average of the squares instead of their sum.

    .. math:: h \leftarrow \rho h + (1 - \rho) g^2, \qquad
              \theta \leftarrow \theta - \eta \frac{g}{\sqrt{h} + \epsilon}

    Parameters
    ----------
    lr : float
        Learning rate, at least 0.
    decay_rate : float
        :math:`\rho`, in [0, 1).
    eps : float
        :math:`\epsilon`, above 0.

    Attributes
    ----------
    h : list of ndarray
        The averages of squares; None before the first step.

    Raises
    ------
    TypeError, ValueError
        If a setting is no finite number in range.

    Examples
    --------
    The average starts at 0, so the first step is lr / sqrt(1 - decay_rate), here ten times lr:

    >>> x, optimizer = np.array([1.0]), RMSprop(lr=0.01)
    >>> optimizer.update([x], [np.array([5.0])])
    >>> x.round(4)
    array([0.9])

    References
    ----------
    Section 1.3.6; Hinton, lecture 6e (2012).
    """

    state_names = ("h",)

    def __init__(self, lr=0.01, decay_rate=0.99, eps=1e-8):
        self.lr = check_number("RMSprop", "lr", lr, 0, math.inf)
        self.decay_rate = check_number("RMSprop", "decay_rate", decay_rate, 0, 1)
        self.eps = check_number("RMSprop", "eps", eps, 0, math.inf, open_low=True)
        self.h = None

    def step(self, param, grad, h):
        """Move one array."""
        h *= self.decay_rate
        h += (1 - self.decay_rate) * np.square(grad, dtype=h.dtype)
        param -= self.lr * grad / (np.sqrt(h) + self.eps)


class Adam(Optimizer):
    r"""Averages of the gradient and of its square, both corrected for their start at 0.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2

    .. math:: \theta \leftarrow \theta - \eta \frac{\hat m}{\sqrt{\hat v} + \epsilon}, \qquad
              \hat m = \frac{m}{1 - \beta_1^t}, \quad \hat v = \frac{v}{1 - \beta_2^t}

    with t the number of the step, from 1.

    Parameters
    ----------
    lr : float
        Learning rate, at least 0.
    beta1, beta2 : float
        Decay of the two averages, in [0, 1).
    eps : float
        :math:`\epsilon`, above 0.

    Attributes
    ----------
    m, v : list of ndarray
        The averages; None before the first step.
    iter : int
        The number of steps so far.

    Raises
    ------
    TypeError, ValueError
        If a setting is no finite number in range.

    Examples
    --------
    >>> x, optimizer = np.array([1.0, 1.0]), Adam(lr=0.01)
    >>> optimizer.update([x], [np.array([1e-3, -1e3])])
    >>> x.round(4)
    array([0.99, 1.01])

    References
    ----------
    Section 1.3.6; Kingma & Ba (2015), Algorithm 1.
    """

    state_names = ("m", "v")

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr = check_number("Adam", "lr", lr, 0, math.inf)
        self.beta1 = check_number("Adam", "beta1", beta1, 0, 1)
        self.beta2 = check_number("Adam", "beta2", beta2, 0, 1)
        self.eps = check_number("Adam", "eps", eps, 0, math.inf, open_low=True)
        self.iter = 0
        self.m = self.v = None

    def begin_step(self):
        """Count the step."""
        self.iter += 1

    def step(self, param, grad, m, v):
        """Move one array."""
        m *= self.beta1
        m += (1 - self.beta1) * grad
        v *= self.beta2
        v += (1 - self.beta2) * np.square(grad, dtype=v.dtype)
        m_hat = m / (1 - self.beta1**self.iter)
        v_hat = v / (1 - self.beta2**self.iter)
        param -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
