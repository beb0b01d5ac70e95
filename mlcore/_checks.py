"""What every module asks of its input: one place for each question, so that all errors read alike."""

import functools
import itertools
import math
import threading

import numpy as np

USUAL = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
QUIET = {"all": "ignore"}
NO_NUMBERS = bool, np.timedelta64  # although Python and NumPy count them among the integers


class _Thread(threading.local):
    silent = False  # whether a function further up has silenced NumPy


_thread = _Thread()


def is_silent():
    """Whether a function further up has silenced NumPy: it has checked its input too."""
    return _thread.silent


def ieee(function):
    """Let infinities and NaN go the way that IEEE arithmetic gives them, without a warning.

    Of nested calls only the outermost sets NumPy's error state: that costs more than a small matrix product. What the
    caller wants to be raised, printed or logged stays so: that is how one hunts for an overflow.
    """

    @functools.wraps(function)
    def silent(*args, **kwargs):
        if _thread.silent:
            return function(*args, **kwargs)
        state = np.geterr()
        quiet = QUIET if state == USUAL else {kind: "ignore" for kind, how in state.items() if how == "warn"}
        _thread.silent = True
        try:
            with np.errstate(**quiet):
                return function(*args, **kwargs)
        finally:
            _thread.silent = False

    return silent


def refused(message):
    """A ValueError that says by itself whose it is."""
    error = ValueError(message)
    error.says_whose = True
    return error


class NotFiniteError(ValueError):
    """The logits of a loss hold NaN or an infinity: training has diverged."""

    says_whose = True


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


def check_parameter(name, symbol, array, ndim=None):
    """Refuse a parameter that cannot be trained in place; any number of axes unless `ndim` is given."""
    if type(array) is not np.ndarray:
        raise TypeError(f"{name}: {symbol} must be a NumPy array; got {type(array).__name__}")
    if array.dtype.kind != "f":
        raise TypeError(f"{name}: {symbol} must be floating, because it is updated in place; got {array.dtype}")
    if ndim is not None and array.ndim != ndim:
        raise refused(f"{name}: {symbol} must have {ndim} axes; got shape {array.shape}")


def check_parameters(name, axes, params):
    """Refuse parameters that cannot be trained in place, or that have other axes than declared."""
    lengths = {}
    for i, (array, (symbol, letters)) in enumerate(itertools.zip_longest(params, axes.items(), fillvalue=(None, None))):
        symbol, letters = symbol or f"params[{i}]", letters and letters.split()
        check_parameter(name, symbol, array, letters and len(letters))
        expected = tuple(
            lengths.setdefault(c, n) for c, n in zip(letters or (), array.shape, strict=letters is not None)
        )
        if letters and array.shape != expected:
            of = ", ".join(f"{s} {p.shape}" for s, p in zip(axes, params[:i], strict=False))
            raise refused(f"{name}: {symbol} has shape {array.shape}, expected {expected} for {of}")


def check_columns(layer, x):
    """Refuse an input that does not have as many columns as the first declared parameter says."""
    if layer._axes and x.shape[-1:] != layer.params[0].shape[:1]:
        symbol, first = next(iter(layer._axes)), layer.params[0].shape
        raise refused(
            f"{type(layer).__name__}.forward: x has shape {x.shape}, expected (..., {first[0]}) for {symbol} {first}"
        )


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


class Number:
    """A finite number that a node is made with."""

    def __set_name__(self, kind, symbol):
        self.symbol = symbol

    def __set__(self, node, value):
        vars(node)[self.symbol] = self.checked(type(node).__name__, value)

    def checked(self, name, value):
        number = as_number(f"{name}: {self.symbol}", value)
        if not math.isfinite(number):
            raise ValueError(f"{name}: {self.symbol} must be finite; got {number}")
        return number


class Count(Number):
    """A whole number from 1 on."""

    def checked(self, name, value):
        return check_count(name, self.symbol, value)


class Axis(Number):
    """The number of an axis, which every input must have."""

    def checked(self, name, value):
        return check_count(name, self.symbol, value, least=None)

    @staticmethod
    def check(node, x):
        if not -x.ndim <= node.axis < x.ndim:
            name = type(node).__name__
            raise refused(f"{name}.forward: there is no axis {node.axis} in an input of shape {x.shape}")


def check_batch(name, x):
    """Return the scores of a loss; refuse an empty batch."""
    if x.size == 0:
        raise refused(f"{name}: the mean over an empty batch is not defined; got shape {x.shape}")
    return x


def check_finite(name, loss, x):
    """Return the loss; if it is not finite because the logits `x` are not, refuse them."""
    if not math.isfinite(loss) and not np.isfinite(x).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise NotFiniteError(f"{name}: logits must be finite; found {x[where]} at index {where}")
    return loss


def check_class_axis(name, x):
    """Refuse scores without a last axis of classes."""
    if x.ndim == 0 or x.shape[-1] == 0:
        raise refused(f"{name}: expected scores of shape (..., C) with C >= 1; got {x.shape}")


def wide_enough(dtype):
    """The type in which numbers are computed that come in this one: half precision in single, integers in double."""
    if dtype.type is np.float16:
        return np.dtype(np.float32)
    return dtype if dtype.kind == "f" else np.dtype(float)


def widened(name, x, classes=True):
    """Return scores of half precision in single precision; refuse more classes than their type can add up."""
    if x.dtype.type is not np.float16:
        return x
    if classes and x.ndim and x.shape[-1] > 65504:  # the largest number of this type
        raise refused(f"{name}: float16 cannot add up over 65504 classes; got {x.shape}: use float32")
    return x.astype(np.float32)


def of_classes(name, x, t):
    """Return targets for scores `x` (..., C): a copy of them, and a distribution for each row.

    An index label (...) stands for the distribution that has a 1 there; what sums to 1 but for rounding is made to.
    """
    t = as_real(name, t)
    if x.ndim == 0:
        raise refused(f"{name}: scores need a last axis of classes; got a single number")
    if t.shape == x.shape:
        t = check_distribution(name, "t", as_floating(name, t)).copy()
        wide = t.astype(x.dtype)
        return t, wide / wide.sum(axis=-1, keepdims=True)
    if t.shape != x.shape[:-1]:
        raise refused(
            f"{name}: scores have shape {x.shape} and t has shape {t.shape}; expected index labels of shape "
            f"{x.shape[:-1]} or a distribution of shape {x.shape}"
        )
    if t.dtype.kind not in "iu":
        raise refused(f"{name}: index labels must be integers; got dtype {t.dtype}")
    chosen = t[..., np.newaxis] == np.arange(x.shape[-1])
    if np.count_nonzero(chosen) != t.size:
        raise refused(f"{name}: labels must lie in 0..{x.shape[-1] - 1}; got {t.min()}..{t.max()}")
    return t.copy(), chosen.astype(x.dtype)


def check_distribution(name, symbol, p):
    """Refuse rows that are no probability distribution: negative entries, or a sum that is not 1."""
    tolerance = max(1e-3, 10 * np.finfo(p.dtype).eps)  # generous: rows are often written by hand or in float16
    if not ((p >= 0) & (p <= 1 + tolerance)).all():
        raise refused(f"{name}: {symbol} must be probabilities; found an entry outside [0, 1] or NaN")
    sums = p.sum(axis=-1)
    if not (abs(sums - 1) <= tolerance).all():
        worst = sums.flat[np.argmax(abs(sums - 1))]
        raise refused(f"{name}: each row of {symbol} must sum to 1; found a row that sums to {worst:.6g}")
    return p


def of_two(name, x, t):
    """Return targets in [0, 1], twice, with the shape and dtype of the logits `x`; (N, 1) and (N,) mean the same."""
    t = as_real(name, t)
    if t.shape != x.shape and t.shape + (1,) != x.shape and t.shape != x.shape + (1,):
        raise refused(
            f"{name}: x has shape {x.shape} and t has shape {t.shape}; expected equal shapes, "
            "or (N, 1) on one side and (N,) on the other"
        )
    if not ((t >= 0) & (t <= 1)).all():
        raise refused(f"{name}: targets must lie in [0, 1]; got {t.min()}..{t.max()}")
    t = t.reshape(x.shape).astype(x.dtype)
    return t, t
