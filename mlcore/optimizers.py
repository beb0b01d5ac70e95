r"""Section 1.3.6: the rules that turn gradients into new parameters.

In all equations :math:`\theta` is a parameter, :math:`g` its gradient, :math:`\eta` the learning rate `lr`; a step
reads from left to right. All operations are element by element. Every optimizer has `update(params, grads)`,
which moves the arrays of `params` in place, and keeps its state in lists of arrays like `params`.
"""

import itertools
from operator import attrgetter

import numpy as np

from mlcore._checks import Setting, as_real, check_parameter, ieee
from mlcore._interrupt import whole_step
from mlcore._layout import Layout, same_arrays

WRITEABLE = attrgetter("flags.writeable")


class Optimizer:
    """What all rules share: turn gradients into the step, and add that to the parameters.

    A rule is a subclass with `step(grad, *state)`, which returns what is to be added to the parameters, and with the
    names of its state in `state_names`; it may change the state, not the gradient. All its operations being element by
    element, it need not know the arrays: it sees long vectors, a block at a time.

    An interrupt (Ctrl-C) waits until a step is whole.

    Attributes
    ----------
    unrounded : list of ndarray
        What rounding to half precision has taken from each parameter, added again before the next step, so that many
        small steps add up; None unless a parameter is float16. A parameter that is set to another value loses it.

    Examples
    --------
    >>> class SignDescent(Optimizer):
    ...     def __init__(self, lr):
    ...         self.lr = lr
    ...
    ...     def step(self, grad):
    ...         return -self.lr * np.sign(grad)
    >>> theta = np.array([1.0, -2.0])
    >>> SignDescent(lr=0.5).update([theta], [np.array([3.0, -0.1])])
    >>> theta
    array([ 0.5, -1.5])

    In half precision the neighbours of 100 are 0.0625 away, and still steps of 0.01 lead somewhere:

    >>> x, optimizer = np.array([100.0], np.float16), SGD(lr=0.01)
    >>> for _ in range(1000):
    ...     optimizer.update([x], [np.ones(1)])
    >>> x
    array([90.], dtype=float16)

    References
    ----------
    Section 1.3.6.
    """

    state_names = ()
    unrounded = None
    _layout = None

    @ieee
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
        with whole_step():
            layout = self._lay_out(params, grads)
            blocks = layout.gather()
            self.begin_step()
            for block in blocks:
                self.move(*block)
            layout.scatter()

    def begin_step(self):
        """Do what is done once in each step; by default nothing."""

    def move(self, param, grad, *state):
        """Add the step to the parameters; a rule that depends on them does more here."""
        param += self.step(grad, *state)

    def step(self, grad, *state):
        """Return what is to be added to the parameters. Each rule has its own."""
        raise NotImplementedError(f"{type(self).__name__} must define step(grad, *state)")

    def _lay_out(self, params, grads):
        """Return the layout of the last step, or what is new of it; refuse what does not fit."""
        name, layout = type(self).__name__, self._layout
        if not (isinstance(params, (list, tuple)) and isinstance(grads, (list, tuple))):
            got = f"{type(params).__name__} and {type(grads).__name__}"
            raise TypeError(f"{name}.update: expected a list of parameters and one of gradients; got {got}")
        states = [getattr(self, s) or () for s in self.state_names]
        arrays = [*params, *itertools.chain(*states), *(self.unrounded or ())]
        if layout is None or not (len(params) == layout.count and same_arrays(arrays, layout.arrays)):
            _check_params(name, params)
            _check_states(name, params, states)
            layout = Layout(name, params, states, self.unrounded or ())
        if not all(map(WRITEABLE, params)):
            _refuse_read_only(name, params)
        if not same_arrays(grads, layout.grads):
            _check_grads(name, params, grads)
            layout.take(grads)
        if layout is not self._layout:
            self._keep(layout)
        return layout

    def _keep(self, layout):
        """Hand out the state of a new layout in lists of their own: what is put into them is seen in the next step."""
        self._layout = layout
        for s, views in zip(self.state_names, layout.states, strict=True):
            setattr(self, s, list(views))
        if self.unrounded or layout.half:
            self.unrounded = list(layout.rests) or None

    def __getstate__(self):
        """Copies and pickles carry the state; the layout follows from it."""
        return {name: value for name, value in self.__dict__.items() if name != "_layout"}


def _check_params(name, params):
    for i, param in enumerate(params):
        check_parameter(f"{name}.update", f"params[{i}]", param)


def _refuse_read_only(name, params):
    i = [param.flags.writeable for param in params].index(False)
    raise ValueError(f"{name}.update: params[{i}] is read-only")


def _check_grads(name, params, grads):
    if len(params) != len(grads):
        raise ValueError(f"{name}.update: got {len(params)} parameters and {len(grads)} gradients")
    for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
        shape = (
            grad.shape
            if type(grad) is np.ndarray and grad.dtype.kind == "f"
            else as_real(f"{name}.update: grads[{i}]", grad).shape
        )
        if shape != param.shape:
            raise ValueError(
                f"{name}.update: grads[{i}] has shape {shape}, expected {param.shape}, that of params[{i}]"
            )


def _check_states(name, params, states):
    expected = [p.shape for p in params]
    for state in states:
        if state and [s.shape for s in state] != expected:
            raise ValueError(
                f"{name}.update: this optimizer has been used with parameters of shapes {[s.shape for s in state]}; "
                f"got {expected}. Make a new one for other parameters"
            )


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

    lr = Setting()

    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, grad):
        """Return the step."""
        return -self.lr * grad


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

    lr, momentum = Setting(), Setting(below=1)
    state_names = ("v",)

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum
        self.v = None

    def step(self, grad, v):
        """Return the step."""
        v *= self.momentum
        v -= self.lr * grad
        return v


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

    lr, momentum = Setting(), Setting(below=1)
    state_names = ("v",)

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum
        self.v = None

    def step(self, grad, v):
        """Return the step."""
        pull = self.lr * grad
        v *= self.momentum
        v -= pull
        step = self.momentum * v
        step -= pull
        return step


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

    lr, eps = Setting(), Setting(positive=True)
    state_names = ("h",)

    def __init__(self, lr=0.01, eps=1e-8):
        self.lr, self.eps = lr, eps
        self.h = None

    def step(self, grad, h):
        """Return the step."""
        h += grad**2
        size = np.sqrt(h)
        size += self.eps  # in place: each array that is not made anew saves time
        step = -self.lr * grad
        step /= size
        return step


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

    lr, decay_rate, eps = Setting(), Setting(below=1), Setting(positive=True)
    state_names = ("h",)

    def __init__(self, lr=0.01, decay_rate=0.99, eps=1e-8):
        self.lr, self.decay_rate, self.eps = lr, decay_rate, eps
        self.h = None

    def step(self, grad, h):
        """Return the step."""
        h *= self.decay_rate
        h += (1 - self.decay_rate) * grad**2
        size = np.sqrt(h)
        size += self.eps  # in place: each array that is not made anew saves time
        step = -self.lr * grad
        step /= size
        return step


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

    lr, beta1, beta2, eps = Setting(), Setting(below=1), Setting(below=1), Setting(positive=True)
    state_names = ("m", "v")

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.iter = 0
        self.m = self.v = None

    def begin_step(self):
        """Count the step."""
        self.iter += 1

    def step(self, grad, m, v):
        """Return the step."""
        m *= self.beta1
        m += (1 - self.beta1) * grad
        v *= self.beta2
        v += (1 - self.beta2) * grad**2
        m_share = 1 - self.beta1**self.iter  # m_hat is m / m_share
        v_share = 1 - self.beta2**self.iter
        size = v / v_share
        np.sqrt(size, out=size)  # in place: each array that is not made anew saves time
        size += self.eps
        step = -self.lr / m_share * m
        step /= size
        return step


class AdamW(Adam):
    r"""Adam with weight decay: besides its step, each parameter shrinks a little towards 0.

    .. math:: \theta \leftarrow (1 - \eta \lambda) \, \theta - \eta \frac{\hat m}{\sqrt{\hat v} + \epsilon}

    with the averages of :class:`Adam`. The decay does not go through them, as a penalty in the gradient would: see
    :func:`mlcore.tuning.add_l2`.

    Parameters
    ----------
    lr : float
        Learning rate, at least 0.
    beta1, beta2 : float
        Decay of the two averages, in [0, 1).
    eps : float
        :math:`\epsilon`, above 0.
    weight_decay : float
        :math:`\lambda`, at least 0.

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
    Without a gradient only the decay is left:

    >>> x, optimizer = np.array([1.0, -2.0]), AdamW(lr=0.1, weight_decay=0.5)
    >>> optimizer.update([x], [np.zeros(2)])
    >>> x
    array([ 0.95, -1.9 ])

    References
    ----------
    Section 1.5; Loshchilov & Hutter (2019), Algorithm 2, with the schedule in the learning rate.
    """

    weight_decay = Setting()

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
        super().__init__(lr, beta1, beta2, eps)
        self.weight_decay = weight_decay

    def move(self, param, grad, *state):
        """Let the parameters decay, then add the step."""
        param *= 1 - self.lr * self.weight_decay
        super().move(param, grad, *state)
