"""Section 1.3.5: the contract of all nodes, layers and losses, in one place, so that a class is its mathematics.

`forward` runs on a *pass*: a fresh, shallow copy of the layer, on which it leaves what `backward` needs. So every
backward has the memory of its own forward, and a failure leaves nothing behind. A call from outside crosses the border,
where inputs are checked and copied; inside a network they have been checked, and only the mathematics runs.
"""

import functools
import inspect
import threading
import weakref

import numpy as np

from mlcore._checks import (
    Axis,
    as_floating,
    as_real,
    check_batch,
    check_class_axis,
    check_columns,
    check_distribution,
    check_finite,
    check_parameters,
    ieee,
    is_silent,
    refused,
    wide_enough,
    widened,
)

NOTHING = inspect.Signature()  # a node that is made without arguments


class Parameters:
    """Arrays to learn: checked when they are given, each with a gradient of zeros beside it."""

    def __set__(self, layer, params):
        check_parameters(type(layer).__name__, type(layer)._axes, params)
        vars(layer).update(params=list(params), grads=[np.zeros_like(p) for p in params])


class Remembered:
    """Something of the last forward pass, until its backward; None before and after."""

    def __set_name__(self, kind, name):
        self.name = name

    def __get__(self, layer, kind):
        step = None if layer is None else layer._pass
        return None if step is None else vars(step).get(self.name)


class ReadOnly(Remembered):
    """The same, for an array that must not be written into."""

    def __get__(self, layer, kind):
        array = super().__get__(layer, kind)
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
            array = array.view()
        return array


class Node:
    """What every node, layer and loss promises: a subclass writes `forward` and `backward`, and needs nothing else.

    - Inputs arrive as floating arrays that nobody else can write into; integers take the type of the parameters.
    - What `forward` stores in `self` is there for the backward that belongs to it: once, and in its own thread. Only
      what the layer had before is changed for good.
    - The upstream gradient has the shape of what `forward` returned. A failure changes nothing.
    - ``self.params = [W, b]`` makes the gradients ``self.grads``, which `backward` writes into.
    - What overflows becomes infinite without a warning. Half precision is computed in single precision.
    - ``self.training`` is False in `predict`.

    Parameters may be declared: ``class Affine(Node, W="D H", b="H")`` says how many axes each has and which are equally
    long, and that an input has D columns.

    Attributes
    ----------
    params, grads : list of ndarray
        The parameters, and their gradients after `backward`; empty if there is nothing to learn.

    Raises
    ------
    TypeError
        If an input or an upstream gradient does not hold real numbers, or a parameter is no floating array.
    ValueError
        If shapes do not fit.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> class Scale(Node):
    ...     def __init__(self, s):
    ...         self.params = [s]
    ...
    ...     def forward(self, x):
    ...         self.x = x
    ...         return self.params[0] * x
    ...
    ...     def backward(self, dy):
    ...         self.grads[0][...] = (dy * self.x).sum(axis=0)
    ...         return self.params[0] * dy
    >>> layer = Scale(np.array([2.0, 3.0]))
    >>> layer.forward([[1, 1], [0, 2]])
    array([[2., 3.],
           [0., 6.]])
    >>> layer.backward([[1.0, 1.0], [1.0, 10.0]])
    array([[ 2.,  3.],
           [ 2., 30.]])
    >>> layer.grads
    [array([ 1., 21.])]

    References
    ----------
    Section 1.3.5.
    """

    __slots__ = ("__dict__", "__weakref__", "_layer", "_me", "_pass", "_seen", "_shape")
    params, training, _upstream, _is_loss = Parameters(), True, (), False
    _axes = {}  # of the parameters, by their names
    __signature__ = NOTHING

    def __init_subclass__(cls, **axes):
        super().__init_subclass__()
        cls._axes, cls._trusted = axes or cls._axes, cls.__module__.startswith("mlcore.")
        cls._has_axis = isinstance(getattr(cls, "axis", None), Axis)
        cls.__signature__ = (
            inspect.signature(cls.__init__.__get__(0)) if cls.__init__ is not object.__init__ else NOTHING
        )
        for name, border in (("forward", "_enter"), ("backward", "_return")):
            if name in vars(cls):
                setattr(cls, f"_{name}", vars(cls)[name])
                setattr(cls, name, _with_border(vars(cls)[name], border))

    def __new__(cls, *args, **kwargs):
        node = super().__new__(cls)
        node._layer = node._pass = node._seen = node._shape = None
        node._me = weakref.ref(node)
        vars(node).update(params=[], grads=[])
        return node

    @property
    def memory(self):
        """What the last forward pass remembers for its backward, by name; empty before and after."""
        step = self._pass
        return {} if step is None else {k: v for k, v in vars(step).items() if k not in vars(self)}

    def __copy__(self):
        """A shallow copy shares the parameters, but has no pass to go back through."""
        node = Node.__new__(type(self))
        vars(node).update(vars(self))
        return node

    def __getstate__(self):
        """What pickles and deep copies hold; a pass finds its layer again when that is restored."""
        return vars(self), self._pass, self._seen, self._shape, self._layer is not None

    def __setstate__(self, state):
        own, self._pass, self._seen, self._shape, is_pass = state
        vars(self).update(own)
        if is_pass:
            self._layer = _nobody
        if self._pass is not None:
            self._pass._layer = self._me

    def __getattr__(self, name):
        """What the last forward pass remembers can be looked at in the layer, until its backward."""
        step = None if name.startswith("_") else self._pass
        if step is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(step, name)

    @ieee
    def _enter(self, *inputs, **named):
        """Forward, from outside: inputs are copied, and nothing that is remembered is handed out."""
        if named:
            inputs = inspect.signature(self._forward).bind(*inputs, **named).args
        taken, half = _take(self, inputs)
        outs, step = run(self, True, *taken, publish=False)
        step._seen = threading.get_ident(), half, [np.shape(out) for out in _as_tuple(outs)]
        self._pass = step  # only now: another thread must not find it without its name
        return _hand_out(outs, half, vars(step).values(), taken)

    def _seen_here(self, name):
        """What `forward` noted for its backward: whether it was in half precision, and the shapes of its outputs."""
        thread, half, shapes = self._seen or (threading.get_ident(), False, [self._shape])  # of a network's pass
        if thread != threading.get_ident():
            raise RuntimeError(f"{name}: the last forward pass ran in another thread; give each thread a copy")
        return half, shapes

    @ieee
    def _return(self, *upstream, **named):
        """Backward, from outside: it needs its own forward, and gradients of the right shapes."""
        if named:
            upstream = inspect.signature(self._backward).bind(*upstream, **named).args
        name, step = f"{type(self).__name__}.backward", self._pass
        if step is None:
            raise RuntimeError(
                f"{name}: there is no forward pass to go back through. Each backward needs its own forward, and a "
                "layer remembers the last one only; to use one layer twice in a pass, make two layers that share "
                "their parameters"
            )
        half, shapes = step._seen_here(name)
        upstream = _take_upstream(name, upstream or self._upstream, shapes)
        return _hand_out(send_back(step, *upstream), half, (), upstream)


class Loss(Node):
    """A node that ends in one number: ``class SoftmaxWithLoss(Loss, targets=of_classes)``.

    `targets(name, x, t)` checks the targets for scores x, and returns them twice: as they are remembered in `t`, and as
    `forward(x, t)` gets them. Without it, t is an array of real numbers.

    Attributes
    ----------
    y, t : ndarray
        What `forward` left in ``self.y``, and the targets; None but between forward and backward.

    Raises
    ------
    TypeError, ValueError
        If scores and targets do not fit, or the scores are not finite and make the loss infinite or NaN.
    RuntimeError
        If `backward` is called without a `forward` of its own.

    Examples
    --------
    >>> class SquaredError(Loss):
    ...     def forward(self, x, t):
    ...         self.y = x - t
    ...         return (self.y**2).mean() / 2
    ...
    ...     def backward(self, dout=1):
    ...         return dout * self.y / self.y.size
    >>> loss = SquaredError()
    >>> loss.forward([1.0, 4.0], [1, 2])
    1.0
    >>> loss.backward()
    array([0., 1.])

    References
    ----------
    Section 1.3.5.
    """

    y, t, _upstream, _targets, _is_loss = Remembered(), Remembered(), (1.0,), None, True

    def __init_subclass__(cls, targets=None, **axes):
        super().__init_subclass__(**axes)
        if targets:
            cls._targets = staticmethod(targets)

    def _taken(self, x, t):
        """Scores and targets as `forward` gets them, and what is remembered as t."""
        name = type(self).__name__
        if x.__class__ is not np.ndarray or x.size == 0:
            x = check_batch(name, as_floating(name, x))
        t, target = self._targets(name, x, t) if self._targets else (_take(self, [t])[0][0],) * 2
        return (x, target), t

    @ieee
    def _enter(self, x, t):
        x = as_floating(type(self).__name__, x)
        widened(type(self).__name__, x)
        (x,), half = _take(self, [x])
        loss, step = run(self, True, x, t, publish=False)
        step._seen = threading.get_ident(), half, [None]
        self._pass = step
        return loss


def _nobody():
    """What a pass has for its layer until that is restored too."""


def run(layer, training, *inputs, publish=True):
    """Run a layer forward on a fresh pass; return what comes out, and the pass, or else the layer itself."""
    if not isinstance(layer, Node):
        return layer.forward(*inputs), layer
    step = object.__new__(layer.__class__)
    step.__dict__ = layer.__dict__.copy()
    step._layer, step._pass, step._seen, step._shape = layer._me, None, None, None
    if not training:
        step.training = False
    if layer._is_loss:
        inputs, step.t = layer._taken(*inputs)
    try:
        out = step._forward(*inputs)
    except ValueError as error:
        raise _explained(layer, inputs, error) from error
    if not layer._trusted:
        _settle(layer, step)
    if layer._is_loss:
        out = check_finite(type(layer).__name__, float(out), inputs[0])
    elif out.__class__ is np.ndarray:
        step._shape = out.shape
    if training and publish:
        layer._pass = step
    return out, step


def send_back(step, *upstream):
    """Go back through what `run` returned, once."""
    if not isinstance(step, Node):
        return step.backward(*upstream)
    layer = step._layer()
    layer._pass = None
    if layer._trusted:
        return step._backward(*upstream)
    for grad in step.grads:
        grad[...] = 0  # so that += is right too
    dx = step._backward(*upstream)
    _settle(layer, step)
    return dx


def _explained(layer, inputs, error):
    """An error of NumPy in the words of the layer; one that says already whose it is stays."""
    if hasattr(error, "says_whose"):
        return error
    try:
        check_columns(layer, inputs[0])
    except ValueError as better:
        return better
    shapes = " and ".join(str(np.shape(x)) for x in inputs)
    return refused(f"{type(layer).__name__}.forward: shapes {shapes} do not fit: {error}")


def check_order(name, steps):
    """Refuse to go back through passes of which one is not its layer's last any more."""
    for step in steps:
        if isinstance(step, Node) and step._layer()._pass is not step:
            raise RuntimeError(
                f"{name}: {type(step).__name__} has run forward or backward again since this forward pass. Each "
                "backward needs its own forward, and a layer remembers the last one only"
            )


def _with_border(pure, border):
    """The method as it is called from outside; on a pass, where all has been checked, it is the method as written."""

    @functools.wraps(pure)
    def method(self, *arrays, **named):
        return pure(self, *arrays, **named) if self._layer is not None else getattr(self, border)(*arrays, **named)

    return method


def _take(layer, inputs):
    """Return copies of the inputs as floating arrays, and whether all is in half precision, which is widened."""
    name, params, half, taken = type(layer).__name__, layer.params, True, []
    for x in inputs:
        x = as_real(name, x)
        given = x.dtype if x.dtype.kind == "f" else params[0].dtype if params else np.dtype(float)
        half = half and given.type is np.float16
        taken.append(np.array(x, wide_enough(given)))
    if taken:
        check_columns(layer, taken[0])
    if layer._has_axis:
        Axis.check(layer, taken[0])
    return taken, half and all(p.dtype.type is np.float16 for p in params)


def _take_upstream(name, upstream, shapes):
    """Return the upstream gradients as floating arrays of exactly these shapes; None is that of a loss, a float."""
    if len(upstream) != len(shapes):
        raise ValueError(f"{name}: expected {len(shapes)} upstream gradients, one for each output; got {len(upstream)}")
    taken = []
    for dy, shape in zip(upstream, shapes, strict=True):
        dy = as_real(name, dy)
        if dy.shape != (shape or ()):
            raise ValueError(
                f"{name}: the upstream gradient has shape {dy.shape}, expected {shape or ()}, the shape of what "
                "forward returned"
            )
        taken.append(float(dy) if shape is None else np.array(dy, wide_enough(dy.dtype)))
    return taken


def _hand_out(arrays, half, remembered, taken):
    """Return arrays that are nobody else's; one that is remembered is read-only."""
    handed, known = [], {id(x) for x in taken}
    for given in _as_tuple(arrays):
        if given is None:  # no gradient for this input
            handed.append(None)
            continue
        array = np.asarray(given, np.float16 if half else None)
        if any(given is value for value in remembered):
            array.flags.writeable = False
            array = array.view()
        elif array.base is not None or id(array) in known:
            array = array.copy()
        known.add(id(array))
        handed.append(array)
    return tuple(handed) if isinstance(arrays, tuple) else handed[0]


def _settle(layer, step):
    """After a method of one's own: what the layer had before is changed for good."""
    for name, value in vars(layer).items():
        if name != "params" and (now := vars(step).get(name, value)) is not value:
            vars(layer)[name] = now


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def scores_from_outside(function, classes=False):
    """A function of scores as it is called from outside: checked, widened, and without warnings.

    With `classes` there must be a last axis of them, and a row without a finite largest score is refused.
    """
    name = function.__name__

    @ieee
    def checked(x):
        x = as_floating(name, x)
        if classes:
            check_class_axis(name, x)
        wide = widened(name, x, classes)
        y = function(wide)
        y = y if wide is x else y.astype(x.dtype)
        if classes and np.isnan(y).any():
            raise ValueError(f"{name}: a row has no finite largest score (NaN, +inf, or -inf throughout)")
        return y

    @functools.wraps(function)
    def from_outside(x):
        inside = is_silent() and type(x) is np.ndarray and x.dtype.kind == "f"
        return function(x) if inside else checked(x)

    return from_outside


def loss_from_outside(function, targets, of_probabilities=False):
    """A loss function as it is called from outside: a number of the floating dtype of the scores."""
    name = function.__name__

    @ieee
    @functools.wraps(function)
    def from_outside(*arrays, **named):
        scores, t = inspect.signature(function).bind(*arrays, **named).args
        x = check_batch(name, as_floating(name, scores))
        wide = widened(name, x)
        loss = function(wide, targets(name, wide, t)[1])
        if of_probabilities:
            check_distribution(name, "y", x)
        else:
            check_finite(name, loss, x)
        return np.asarray(loss).astype(x.dtype)[()]

    return from_outside
