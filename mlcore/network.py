"""Section 1.4: layers in a row, and the loop that trains them."""

import math
import sys

import numpy as np

from mlcore._checks import (
    NotFiniteError,
    as_real,
    check_batch,
    check_binary_targets,
    check_class_targets,
    check_count,
    ieee,
)
from mlcore.layers import Affine
from mlcore.nodes import MatMul


class Sequential:
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

    def __init__(self, *layers, loss=None):
        if not layers:
            raise ValueError("Sequential: expected at least one layer")
        for layer in (*layers, *([] if loss is None else [loss])):
            expected = ["forward", "backward"] + ([] if layer is loss else ["params", "grads"])
            if isinstance(layer, type) or not all(hasattr(layer, name) for name in expected):
                raise TypeError(f"Sequential: expected layers with {', '.join(expected)}; got {layer!r}")
        if len({id(layer) for layer in layers}) < len(layers):
            raise ValueError("Sequential: a layer stands twice; make two that share their parameters")
        self.layers = list(layers)
        self.loss = loss
        self.params = [p for layer in layers for p in layer.params]
        self.grads = [g for layer in layers for g in layer.grads]
        self.scores = None

    def predict(self, x):
        """Return the scores for x. Afterwards `backward` needs a new `forward`."""
        self.scores = None
        for layer in self.layers:
            x = layer.forward(x)
        return x

    @ieee
    def forward(self, x, t):
        """Return the loss for inputs x and targets t, a float."""
        if self.loss is None:
            raise RuntimeError("Sequential.forward: there is no loss; give one as Sequential(..., loss=...)")
        scores = self.predict(x)
        loss = self.loss.forward(scores, t)
        self.scores = scores
        return loss

    @ieee
    def backward(self, dout=1, input_gradient=True):
        """Write the gradients of all parameters into grads; return that of x, if asked for."""
        if self.scores is None:
            raise RuntimeError("Sequential.backward: each backward needs its own forward; predict is none")
        dout = self.loss.backward(dout)
        first, *others = self.layers
        for layer in reversed(others):
            dout = layer.backward(dout)
        self.scores = None
        if input_gradient or type(first) not in (Affine, MatMul):
            return first.backward(dout)
        return first.backward(dout, input_gradient=False)  # saves a third of the layer's arithmetic


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
    scores, t = check_batch("accuracy", scores), as_real("accuracy", t)
    if np.isnan(scores.max()) or (t.dtype.kind == "f" and np.isnan(t.max(initial=0))):
        raise ValueError("accuracy: scores and targets must not be NaN")
    if scores.ndim < 2 or scores.shape[-1] == 1:
        predicted, t = scores > 0, check_binary_targets("accuracy", scores, t) > 0.5
    else:
        predicted = scores.argmax(axis=-1)
        if t.shape == scores.shape:
            t = t.argmax(axis=-1)
        else:
            check_class_targets("accuracy", scores, t)
    return float(np.count_nonzero(predicted == t) / predicted.size)


def fit(network, optimizer, x, t, *, epochs, batch_size=32, rng=0, test=None, progress=None):
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
        Inputs and targets that are only looked at, after each epoch.
    progress : bool, optional
        Show a progress bar (needs tqdm). By default one appears in a terminal when training takes more than two
        seconds.

    Returns
    -------
    dict of str to list of float
        ``loss`` and ``accuracy``: means over the rows of each epoch, as seen while training; with `test` also
        ``test_loss`` and ``test_accuracy``, after each epoch.

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
    if not (hasattr(network, "forward") and hasattr(optimizer, "update")):
        raise TypeError(f"fit: expected a network and an optimizer; got {network!r} and {optimizer!r}")
    if not (test is None or (isinstance(test, (tuple, list)) and len(test) == 2)):
        raise TypeError(f"fit: test must be a pair of inputs and targets; got {type(test).__name__}")
    x, t = as_real("fit: x", x), as_real("fit: t", t)
    epochs = check_count("fit", "epochs", epochs, least=0)
    batch_size = check_count("fit", "batch_size", batch_size)
    if x.ndim == 0 or t.ndim == 0 or len(x) != len(t) or len(x) == 0:
        raise ValueError(f"fit: x {x.shape} and t {t.shape} need the same number of rows, at least one")
    rng = np.random.default_rng(rng)
    names = ["loss", "accuracy"] if test is None else ["loss", "accuracy", "test_loss", "test_accuracy"]
    history = {name: [] for name in names}
    for inputs, targets in [(x, t)] if test is None else [(x, t), test]:
        _finite_loss(network, inputs, targets, "at step 1 (epoch 1)")  # refused before anything moves
    step = 0
    for epoch in _progress_bar(range(epochs), progress):
        order = rng.permutation(len(x))
        seen_loss = seen_right = 0.0
        for start in range(0, len(x), batch_size):
            batch = order[start : start + batch_size]
            step += 1
            inputs = x[batch]
            inputs.flags.writeable = False  # nobody writes into it: no layer has to copy it
            where = f"at step {step} (epoch {epoch + 1})"
            loss, right = _train_step(network, optimizer, inputs, t[batch], where)
            seen_loss += loss * len(batch)
            seen_right += right * len(batch)
        history["loss"].append(seen_loss / len(x))
        history["accuracy"].append(seen_right / len(x))
        if test is not None:
            where = f"after step {step} (epoch {epoch + 1}), on the test data"
            history["test_loss"].append(_finite_loss(network, *test, where))
            history["test_accuracy"].append(accuracy(network.scores, test[1]))
    return history


@ieee
def _train_step(network, optimizer, x, t, where):
    """Move the parameters one step; return the loss and the accuracy before it."""
    loss = _finite_loss(network, x, t, where)
    right = accuracy(network.scores, t)
    network.backward(input_gradient=False)
    optimizer.update(network.params, network.grads)
    return loss, right


@ieee
def _finite_loss(network, x, t, where):
    """Return the loss; refuse one that is NaN or infinite."""
    try:
        loss = network.forward(x, t)
        if not math.isfinite(loss):
            raise NotFiniteError(f"the loss is {loss}")
    except NotFiniteError as error:
        raise RuntimeError(
            f"fit: training has diverged {where}: {error}. A smaller learning rate often helps"
        ) from error
    return loss


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
