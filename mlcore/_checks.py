"""What every module asks of its input: one place for each question, so that all errors read alike."""

import functools
import math
import threading

import numpy as np

NO_NUMBERS = bool, np.timedelta64  # although Python and NumPy count them among the integers


class _Thread(threading.local):
    silent = False  # whether a function further up has silenced NumPy


_thread = _Thread()


def ieee(function):
    """Let infinities and NaN go the way that IEEE arithmetic gives them, without a warning.

    Of nested calls only the outermost sets NumPy's error state: that costs more than a small matrix product.
    """
    outermost = np.errstate(all="ignore")(function)

    @functools.wraps(function)
    def silent(*args, **kwargs):
        if _thread.silent:
            return function(*args, **kwargs)
        _thread.silent = True
        try:
            return outermost(*args, **kwargs)
        finally:
            _thread.silent = False

    return silent


class NotFiniteError(ValueError):
    """The logits of a loss hold NaN or an infinity: training has diverged."""


def as_real(name, x):
    """Return `x` as an array of real numbers, or raise a TypeError that says what it is instead."""
    if type(x) is np.ndarray and x.dtype.kind in "fiub":  # the usual case, decided at once
        return x
    name = name if isinstance(name, str) else f"{type(name).__name__}.backward"
    if any(isinstance(part, np.ma.MaskedArray) for part in (x, *(x if isinstance(x, (list, tuple)) else ()))):
        raise TypeError(f"{name}: masked arrays are not supported; fill or drop the masked values first")
    try:
        array = np.asarray(x)
    except ValueError as error:  # ragged lists
        raise TypeError(f"{name}: expected an array of numbers; got rows of different lengths") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected real numbers; got dtype {array.dtype}")
    return array


def as_floating(name, x):
    """Return `x` as a floating array: integers and booleans become float64, floats keep their dtype."""
    if type(x) is np.ndarray and x.dtype.kind == "f":  # the usual case, decided at once
        return x
    x = as_real(name, x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def keep(x):
    """Return `x`, or a copy of it if somebody else could still write into it."""
    return x.copy() if x.flags.writeable or x.base is not None else x


def recall(layer, memory):
    """Return what `forward` remembered; RuntimeError if there is nothing, or nothing any more."""
    if memory is None:
        raise RuntimeError(
            f"{type(layer).__name__}.backward: there is no forward pass to go back through. Each backward needs "
            "its own forward, and a layer remembers the last one only; to use one layer twice in a pass, make "
            "two layers that share their parameters"
        )
    return memory


def check_parameter(name, symbol, array, ndim=None):
    """Refuse a parameter that cannot be trained in place; any number of axes unless `ndim` is given."""
    if type(array) is not np.ndarray:
        raise TypeError(f"{name}: {symbol} must be a NumPy array; got {type(array).__name__}")
    if array.dtype.kind != "f":
        raise TypeError(f"{name}: {symbol} must be floating, because it is updated in place; got {array.dtype}")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name}: {symbol} must have {ndim} axes; got shape {array.shape}")


def check_columns(name, x, W):
    """Return `x` ready for `x @ W`: real, of W's dtype if it held integers, with as many columns as W has rows."""
    if type(x) is not np.ndarray or x.dtype.kind != "f":
        x = as_real(name, x)
        x = x if x.dtype.kind == "f" else x.astype(W.dtype)
    if x.shape[-1:] != W.shape[:1]:
        raise ValueError(f"{name}.forward: x has shape {x.shape}, expected (..., {W.shape[0]}) for W {W.shape}")
    return x


def check_upstream(layer, dout, shape):
    """Return the upstream gradient as a floating array of exactly the shape that forward gave out."""
    dout = as_floating(layer, dout)
    if dout.shape != shape:
        raise ValueError(
            f"{type(layer).__name__}.backward: the upstream gradient has shape {dout.shape}, expected {shape}, "
            "the shape of what forward returned"
        )
    return dout


def rows(x):
    """Return `x` as a matrix: every leading axis becomes part of the batch."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def as_number(what, value):
    """Return a single real number as a float; one beyond the largest float becomes infinite."""
    if isinstance(value, NO_NUMBERS) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{what} must be a number; got {value!r}")
    try:
        return float(value)
    except OverflowError:  # an integer beyond the largest float
        return math.inf if value > 0 else -math.inf


class Setting:
    """A number that a rule is set with: in [0, below), or above 0 if `positive`; refused where it is given."""

    def __init__(self, below=math.inf, positive=False):
        self.below, self.positive = below, positive

    def __set_name__(self, rule, symbol):
        self.symbol = symbol

    def __set__(self, optimizer, value):
        what = f"{type(optimizer).__name__}: {self.symbol}"
        number = as_number(what, value)
        if not 0 <= number < self.below or (self.positive and number == 0):
            low = "(0" if self.positive else "[0"
            raise ValueError(f"{what} must be finite and in {low}, {self.below}); got {number}")
        vars(optimizer)[self.symbol] = number  # an entry of its own, which is read as fast as any attribute


def check_count(name, symbol, value, least=1):
    """Return a whole number as an int, and refuse one below `least`."""
    if isinstance(value, NO_NUMBERS) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name}: {symbol} must be an integer; got {value!r}")
    if least is not None and value < least:
        raise ValueError(f"{name}: {symbol} must be at least {least}; got {value}")
    return int(value)


def check_batch(name, x):
    """Return the scores of a loss as a floating array; refuse an empty batch."""
    x = as_floating(name, x)
    if x.size == 0:
        raise ValueError(f"{name}: the mean over an empty batch is not defined; got shape {x.shape}")
    return x


def check_loss(name, loss, x):
    """Return the loss; if it is not finite because the logits `x` are not, refuse them."""
    if not math.isfinite(loss) and not np.isfinite(x).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise NotFiniteError(f"{name}: logits must be finite; found {x[where]} at index {where}")
    return loss


def check_class_targets(name, x, t):
    """Return targets for scores `x` (..., C), and what picks from `x`: both are copies.

    From index labels (...) these are the positions of the labelled entries in `x` laid flat; a distribution (..., C),
    which gets the dtype of `x`, stands for itself.
    """
    t = as_real(name, t)
    if x.ndim == 0:
        raise ValueError(f"{name}: scores need a last axis of classes; got a single number")
    if t.shape == x.shape:
        t = check_distribution(name, "t", as_floating(name, t)).astype(x.dtype)
        return t, t
    if t.shape != x.shape[:-1]:
        raise ValueError(
            f"{name}: scores have shape {x.shape} and t has shape {t.shape}; expected index labels of shape "
            f"{x.shape[:-1]} or a distribution of shape {x.shape}"
        )
    if t.dtype.kind not in "iu":
        raise ValueError(f"{name}: index labels must be integers; got dtype {t.dtype}")
    row = np.arange(t.size).reshape(t.shape)
    try:
        return t.copy(), np.ravel_multi_index((row, t), (t.size, x.shape[-1]))
    except ValueError:  # it takes no index that is negative or too large
        raise ValueError(f"{name}: labels must lie in 0..{x.shape[-1] - 1}; got {t.min()}..{t.max()}") from None


def check_distribution(name, symbol, p):
    """Refuse rows that are no probability distribution: negative entries, or a sum that is not 1."""
    tolerance = max(1e-3, 10 * np.finfo(p.dtype).eps)  # generous: rows are often written by hand or in float16
    if not ((p >= 0) & (p <= 1 + tolerance)).all():
        raise ValueError(f"{name}: {symbol} must be probabilities; found an entry outside [0, 1] or NaN")
    sums = p.sum(axis=-1)
    if not (abs(sums - 1) <= tolerance).all():
        worst = sums.flat[np.argmax(abs(sums - 1))]
        raise ValueError(f"{name}: each row of {symbol} must sum to 1; found a row that sums to {worst:.6g}")
    return p


def check_binary_targets(name, x, t):
    """Return targets in [0, 1] with the shape and dtype of the logits `x`; (N, 1) and (N,) mean the same."""
    t = as_real(name, t)
    if t.shape != x.shape and t.shape + (1,) != x.shape and t.shape != x.shape + (1,):
        raise ValueError(
            f"{name}: x has shape {x.shape} and t has shape {t.shape}; expected equal shapes, "
            "or (N, 1) on one side and (N,) on the other"
        )
    if not ((t >= 0) & (t <= 1)).all():
        raise ValueError(f"{name}: targets must lie in [0, 1]; got {t.min()}..{t.max()}")
    return t.reshape(x.shape).astype(x.dtype)


def check_scalar_upstream(layer, dout):
    """Return the upstream gradient of a loss as a float."""
    return float(dout) if type(dout) in (int, float) else float(check_upstream(layer, dout, ()))
