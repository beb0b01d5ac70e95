"""Section 1.4: layers in a row, and the loop that trains them."""

import math
import sys
import threading
import warnings

import numpy as np

from mlcore._checks import (
    NotFiniteError,
    as_floating,
    as_real,
    check_batch,
    check_columns,
    check_count,
    ieee,
    of_classes,
    of_two,
    wide_enough,
)
from mlcore._interrupt import whole_step
from mlcore.contract import Node, ReadOnly, _hand_out, _take, _take_upstream, check_order, run, send_back
from mlcore.layers import Affine
from mlcore.nodes import MatMul
from mlcore.tuning import clip_gradients


class Gathered:
    """The arrays of all layers, in order; they are the layers' own, and stay so."""

    def __set_name__(self, kind, name):
        self.name = name

    def __get__(self, network, kind):
        return FixedList([array for layer in network.layers for array in getattr(layer, self.name)])

    def __set__(self, network, arrays):
        raise TypeError(
            f"Sequential: {self.name} are the layers' own arrays: write into them, {self.name}[0][...] = ..."
        )


class FixedList(list):
    """A list of arrays to look at: putting others into it would change nothing in the layers."""

    def __setitem__(self, i, array):
        if array is not self[i]:  # as it is after `params[i] -= ...`
            raise TypeError("Sequential: its lists of arrays are fixed: write into an array, params[0][...] = ...")


class Sequential(Node):
    r"""Layers in a row, closed by a loss.

    .. math:: L = \mathrm{loss}\bigl(f_k(\dots f_2(f_1(x))), t\bigr)

    What overflows becomes infinite without a warning, also in a layer of one's own; the loss refuses it.

    Parameters
    ----------
    *layers : layer
        Objects with `forward(x)`, `backward(dout)`, `params` and `grads`. Parameters may be shared between
        layers; one layer object may not stand twice, since it remembers one pass only.
    loss : loss, optional
        Object with `forward(x, t)` and `backward(dout)`; needed for training, not for `predict`.

    Attributes
    ----------
    params, grads : list of ndarray
        Those of all layers, in order. The arrays are the layers' own.
    scores : ndarray
        What the last layer gave out in the last `forward`.

    Raises
    ------
    TypeError, ValueError
        If something that is no layer is given, or one layer twice.

    Examples
    --------
    >>> import numpy as np
    >>> from mlcore import Affine, SoftmaxWithLoss
    >>> net = Sequential(Affine(np.zeros((2, 3)), np.zeros(3)), loss=SoftmaxWithLoss())
    >>> round(net.forward([[1.0, 2.0]], [0]), 4)  # ln 3: at chance
    1.0986
    >>> net.backward()
    array([[0., 0.]])
    >>> net.grads[1].round(4)
    array([-0.6667,  0.3333,  0.3333])

    References
    ----------
    Section 1.4.
    """

    params, grads, scores = Gathered(), Gathered(), ReadOnly()

    def __init__(self, *layers, loss=None):
        if not layers:
            raise ValueError("Sequential: expected at least one layer")
        for layer in (*layers, *([] if loss is None else [loss])):
            expected = ["forward", "backward"] + ([] if layer is loss else ["params", "grads"])
            if isinstance(layer, type) or not all(hasattr(layer, name) for name in expected):
                raise TypeError(f"Sequential: expected layers with {', '.join(expected)}; got {layer!r}")
        self.layers, self.loss = list(layers), loss
        inner = list(_within(layers))
        if len({id(layer) for layer in inner}) < len(inner):
            raise ValueError("Sequential: a layer stands twice; make two that share their parameters")

    def forward(self, x, *t):
        """Return the loss for inputs x and targets t, a float."""
        self.steps = steps = []
        for layer in self.layers:
            x, step = run(layer, self.training, x)
            steps.append(step)
        if self.loss is None:
            return x
        self.scores = x
        loss, step = run(self.loss, self.training, x, *t)
        steps.append(step)
        return loss

    def backward(self, dout=1):
        """Write the gradients of all parameters into grads and return that of x."""
        for step in reversed(self.steps):
            dout = send_back(step, dout)
        return dout

    @ieee
    def predict(self, x):
        """Return the scores for x. Afterwards `backward` needs a new `forward`."""
        self._pass = None
        x, half = self._take(x)
        return _hand_out(self._predict(x), half, (), ())

    def _predict(self, x):
        for layer in self.layers:
            x, _ = run(layer, False, x)
        return x

    def _take(self, x):
        """A copy of the input as the first layer takes it, and whether all is in half precision."""
        first = self._first()
        if not isinstance(first, Node):
            return x, False  # one that promises nothing gets it as it is
        (x,), half = _take(first, [x])
        return x, half

    def _check_loss(self):
        if self.loss is None:
            raise RuntimeError("Sequential.forward: there is no loss; give one as Sequential(..., loss=...)")

    def _first(self):
        """The layer that gets the input, in an inner network too."""
        first = self.layers[0]
        return first._first() if isinstance(first, Sequential) else first

    @ieee
    def _enter(self, x, *t):
        if t:
            self._check_loss()
        x, half = self._take(x)
        out, step = run(self, True, x, *t, publish=False)
        step._seen = threading.get_ident(), half, [None if self.loss else np.shape(out)]
        self._pass = step
        if self.loss is None:
            return _hand_out(out, half, (), ())
        if half:
            step.scores = step.scores.astype(np.float16)
        return out

    @ieee
    def _return(self, dout=None, input_gradient=True):
        step = self._pass
        if step is None or (self.loss is None and dout is None):
            raise RuntimeError("Sequential.backward: each backward needs its own forward; predict is none")
        half, shapes = step._seen_here("Sequential.backward")
        steps = vars(step).get("steps", [])  # a forward of one's own may do without
        check_order("Sequential.backward", steps)
        if dout is not None:
            (dout,) = _take_upstream(f"{type(self.loss or self).__name__}.backward", [dout], shapes)
        spared = not input_gradient and _spare_input_gradient(step)
        dx = send_back(step, 1.0 if dout is None else dout)
        return None if spared else _hand_out(dx, half, (), (dout,))


def _within(layers):
    """All layers, those of inner networks too."""
    for layer in layers:
        yield layer
        if isinstance(layer, Sequential):
            if layer.loss is not None:
                raise ValueError("Sequential: a network within a network has no loss of its own")
            yield from _within(layer.layers)


def _spare_input_gradient(step):
    """Make a first layer's backward return nothing of x: a W without rows costs no product. Tell whether it can."""
    while isinstance(step, Sequential) and "steps" in vars(step):
        step = step.steps[0]
    if getattr(type(step), "_backward", None) not in (Affine._backward, MatMul._backward):
        return False
    W, *others = step.params
    vars(step)["params"] = [W[:0], *others]
    return True


def accuracy(scores, t):
    """Share of rows whose prediction is right.

    Parameters
    ----------
    scores : array_like, shape (N, C), (N, 1) or (N,)
        With two columns or more, the largest score is the prediction; with one, a positive score means 1.
    t : array_like
        Index labels, or distributions of the shape of `scores` (their largest entry counts); for one column
        targets in [0, 1], above 1/2 meaning 1. Classes exclude each other: of rows with several ones or none
        (a sigmoid for each of several questions) only the first largest entry is looked at, so count those by hand.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If there is no row, the shapes do not fit, something is NaN or a label is no class.

    Examples
    --------
    >>> accuracy([[2.0, 1.0], [0.0, 3.0]], [0, 0])
    0.5

    References
    ----------
    Section 1.4.
    """
    scores, t = check_batch("accuracy", as_floating("accuracy", scores)), as_real("accuracy", t)
    if np.isnan(scores).any() or np.isnan(t).any():
        raise ValueError("accuracy: scores and targets must not be NaN")
    if scores.ndim < 2 or scores.shape[-1] == 1:
        predicted, t = scores > 0, of_two("accuracy", scores, t)[0] > 0.5
    else:
        predicted = scores.argmax(axis=-1)
        t = t.argmax(axis=-1) if t.shape == scores.shape else of_classes("accuracy", scores, t)[0]
    return float(np.count_nonzero(predicted == t) / predicted.size)


def fit(
    network,
    optimizer,
    x,
    t,
    *,
    epochs,
    batch_size=32,
    rng=0,
    test=None,
    progress=None,
    schedule=None,
    clip=None,
    callback=None,
):
    """Train a network by mini-batches.

    Each epoch visits every row once, in an order drawn from `rng`; the last batch of an epoch may be smaller.

    Parameters
    ----------
    network : Sequential
        Trained in place.
    optimizer : Optimizer
        Its state goes on from where it was.
    x, t : array_like
        Inputs and targets, with as many rows each.
    epochs : int
        How often every row is visited.
    batch_size : int, optional
        Rows in a batch.
    rng : int or numpy.random.Generator, optional
        Source of the order.
    test : tuple of array_like, optional
        Inputs and targets that are only looked at, after each epoch, as `predict` sees them.
    progress : bool, optional
        Show a progress bar (needs tqdm). By default one appears in a terminal when training takes more than two
        seconds.
    schedule : callable, optional
        Gives the learning rate of each step, which it gets counted from 0: see :mod:`mlcore.tuning`.
    clip : float, optional
        The largest norm that all gradients have together: see :func:`mlcore.tuning.clip_gradients`.
    callback : callable, optional
        Called with the history after each epoch; training ends when it returns True.

    Returns
    -------
    dict of str to list of float
        ``loss`` and ``accuracy``: means over the rows of each epoch, as seen while training; with `test` also
        ``test_loss`` and ``test_accuracy``, after each epoch. Only the losses of the book have an accuracy. An
        interrupt (Ctrl-C) ends training after a whole step, with a warning, and the history so far is returned.

    Raises
    ------
    TypeError, ValueError
        If something does not fit.
    RuntimeError
        If the loss is NaN or infinite: says at which step. The parameters are then as after the step before (after
        that step, if it is the loss of `test`).

    Examples
    --------
    >>> import numpy as np
    >>> from mlcore import SGD, Affine, Sequential, SoftmaxWithLoss
    >>> x, t = np.array([[-1.0], [-2.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])
    >>> net = Sequential(Affine(np.zeros((1, 2)), np.zeros(2)), loss=SoftmaxWithLoss())
    >>> history = fit(net, SGD(lr=1.0), x, t, epochs=20, batch_size=2)
    >>> history["accuracy"][-1], history["loss"][-1] < 0.1
    (1.0, True)

    References
    ----------
    Section 1.4.
    """
    data, epochs, batch_size = _checked(network, optimizer, x, t, test, epochs, batch_size)
    seen = [_look(network, *rows, batch_size) for rows in data]  # what does not fit is refused before anything moves
    names = [prefix + name for prefix in ["", "test_"][: len(data)] for name in ["loss", "accuracy"][: len(seen[0])]]
    history, rng, steps, epoch = {name: [] for name in names}, np.random.default_rng(rng), 0, 0
    (x, t), *others = data
    try:
        for epoch in _progress_bar(range(epochs), progress):
            order, sums = rng.permutation(len(x)), 0
            for start in range(0, len(x), batch_size):
                batch = order[start : start + batch_size]
                with whole_step():
                    if schedule is not None:
                        optimizer.lr = schedule(steps)
                    where = f"at step {steps + 1} (epoch {epoch + 1})"
                    sums = sums + len(batch) * _train_step(network, optimizer, x[batch], t[batch], clip, where)
                    steps += 1
            where = f"after step {steps} (epoch {epoch + 1}), on the test data"
            results = [sums / len(x), *(_measure(network, *rows, where, training=False)[0] for rows in others)]
            for name, value in zip(names, np.concatenate(results).tolist(), strict=True):
                history[name].append(value)
            if callback is not None and callback(history):
                break
    except KeyboardInterrupt:
        warnings.warn(f"fit: interrupted after step {steps} (epoch {epoch + 1})", stacklevel=2)
    return history


def _checked(network, optimizer, x, t, test, epochs, batch_size):
    """Return the training data and, if there are any, the test data; refuse what is no argument of `fit`."""
    if not (isinstance(network, Sequential) and hasattr(optimizer, "update")) or isinstance(optimizer, type):
        raise TypeError(f"fit: expected a network and an optimizer; got {network!r} and {optimizer!r}")
    if not (test is None or (isinstance(test, (tuple, list)) and len(test) == 2)):
        raise TypeError(f"fit: test must be a pair of inputs and targets; got {type(test).__name__}")
    network._check_loss()
    data = [_rows(network, "fit", x, t)] + ([] if test is None else [_rows(network, "fit: test", *test)])
    return data, check_count("fit", "epochs", epochs, least=0), check_count("fit", "batch_size", batch_size)


def _rows(network, name, x, t):
    """Return inputs and targets as arrays of equally many rows, the inputs in the type that the first layer takes."""
    x, t = as_real(f"{name}: x", x), as_real(f"{name}: t", t)
    if x.ndim == 0 or t.ndim == 0 or len(x) != len(t) or len(x) == 0:
        raise ValueError(f"{name}: x {x.shape} and t {t.shape} need the same number of rows, at least one")
    first = network._first()
    if isinstance(first, Node):
        given = x.dtype if x.dtype.kind == "f" or not first.params else first.params[0].dtype
        x = x.astype(wide_enough(given), copy=False)
        check_columns(first, x)
    return x, t


def _look(network, x, t, batch_size):
    """Run one batch, and what is not finite, through the network, and look at all targets."""
    rows = np.arange(min(batch_size, len(x)))
    if not np.isfinite(x).all():
        rows = np.append(rows, np.argwhere(~np.isfinite(x))[0, 0])
    seen, step = _measure(network, x[rows], t[rows], "at step 1 (epoch 1)", training=False)
    check = getattr(network.loss, "_targets", None)
    if len(seen) == 2:
        for part in np.split(t, range(2**12, len(t), 2**12)):
            scores = np.broadcast_to(step.scores[:1], (len(part), *step.scores.shape[1:]))
            check(type(network.loss).__name__, scores, part)
    return seen


@ieee
def _train_step(network, optimizer, x, t, clip, where):
    """Move the parameters one step; return the loss and, if it can be told, the accuracy before it."""
    seen, step = _measure(network, x, t, where)
    _spare_input_gradient(step)
    send_back(step, 1.0)
    if clip is not None:
        clip_gradients(network.grads, clip)
    optimizer.update(network.params, network.grads)
    return seen


@ieee
def _measure(network, x, t, where, training=True):
    """Return the pass, and before it an array of the loss and, if it can be told, the accuracy; refuse no number."""
    try:
        loss, step = run(network, training, x, t)
        if not math.isfinite(loss):
            raise NotFiniteError(f"the loss is {loss}")
    except NotFiniteError as error:
        raise RuntimeError(
            f"fit: training has diverged {where}: {error}. A smaller learning rate often helps"
        ) from error
    targets = getattr(network.loss, "_targets", None)
    if targets not in (of_classes, of_two) or "steps" not in vars(step):
        return np.array([loss]), step
    scores, t = step.scores, step.steps[-1].t
    if targets is of_two:
        right = (scores > 0) == (t > 0.5)
    else:
        right = scores.argmax(axis=-1) == (t.argmax(axis=-1) if t.shape == scores.shape else t)
    return np.array([loss, np.count_nonzero(right) / right.size]), step


def _progress_bar(epochs, progress):
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if progress:
            raise ImportError("fit: progress=True needs the package tqdm") from None
        return epochs
    if progress is None:
        progress = sys.stderr.isatty()  # in a notebook the bar would be stored with the outputs, timing and all
    return tqdm(epochs, unit="epoch", delay=2, disable=not progress)
