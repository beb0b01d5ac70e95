"""Stored hard cases: arrays in every form, numbers at the edge of every type, labels right and wrong, odd objects.

Beside them CALLS, which says how each public callable is used, so that one test can ask the same of all of them.
"""

import copy
import datetime
import tempfile
from decimal import Decimal
from fractions import Fraction

import numpy as np

from mlcore import (
    SGD,
    AdaGrad,
    Adam,
    Add,
    Affine,
    Branch,
    Dropout,
    MatMul,
    Momentum,
    Multiply,
    Nesterov,
    Power,
    ReLU,
    Repeat,
    RMSprop,
    Sequential,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    Sum,
    Tanh,
    accuracy,
    cross_entropy_error,
    fit,
    gradient_check,
    log_softmax,
    numerical_gradient,
    relative_error,
    sigmoid,
    sigmoid_cross_entropy,
    softmax,
    softmax_cross_entropy,
)

FLOATS = [np.float16, np.float32, np.float64, np.longdouble]
RULES = [SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam]


# -- the same numbers, stored in another way --


class Subclass(np.ndarray):
    """An array type of somebody's own."""


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def every_other(x):
    """A view into a buffer with foreign numbers in between."""
    buffer = np.full((*x.shape[:-1], 2 * x.shape[-1]), 77, x.dtype)
    buffer[..., ::2] = x
    return buffer[..., ::2]


def backwards(x):
    return x[..., ::-1].copy()[..., ::-1]


def broadcast(x):
    """Stride 0 in front; only for arrays whose slices are all the same."""
    return np.broadcast_to(x[:1], x.shape) if (x == x[:1]).all() else x


def unaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    raw[...] = x
    return raw


def memmap(x):
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, x.dtype, "w+", shape=x.shape)
    mapped[...] = x
    return mapped


# What any array of data may be.
FORMS = {
    "Fortran order": np.asfortranarray,
    "every other number": every_other,
    "backwards": backwards,
    "transposed twice over": lambda x: np.ascontiguousarray(x.T).T,
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "unaligned": unaligned,
    "part of a record": lambda x: np.rec.fromarrays([x, x])["f1"].view(np.ndarray),
    "read-only": read_only,
    "broadcast": broadcast,
    "memory map": memmap,
    "subclass": lambda x: x.view(Subclass),
}
# What a parameter may be: a plain array that can be written into.
PARAMETER_FORMS = [name for name in FORMS if name not in ("read-only", "broadcast", "memory map", "subclass")]


# -- numbers at the edge --


def edge(dtype):
    """Finite numbers of a type: zeros of both signs, the smallest, the largest, and where exp leaves the range."""
    f = np.finfo(dtype)
    sizes = [0, f.smallest_subnormal, f.tiny, f.eps, 1, 11, 88, 104, 709, 746, 11399, f.max / 2, f.max]
    sizes = [s for s in sizes if s <= f.max]
    return np.array([*sizes, *(-s for s in sizes)], dtype)


# -- what is no array of real numbers --

NOT_REAL = {
    "None": None,
    "text": "0.5",
    "bytes": b"0.5",
    "array of texts": np.array([["1", "2", "3"]] * 2),
    "array of variable texts": np.array([["1", "2", "3"]] * 2, np.dtypes.StringDType()),
    "objects": np.array([[1, 2, 3], [4, 5, 6]], object),
    "None among numbers": [[1.0, None, 3.0], [4.0, 5.0, 6.0]],
    "complex": np.ones((2, 3), complex),
    "complex number": 1j,
    "dates": np.array([["2020-01-01"] * 3] * 2, "M8[D]"),
    "time spans": np.ones((2, 3), "m8[s]"),
    "a date": datetime.date(2020, 1, 1),
    "masked": np.ma.masked_array(np.ones((2, 3)), np.eye(2, 3)),
    "masked, without a mask": np.ma.ones((2, 3)),
    "masked rows in a list": [np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])] * 2,
    "records": np.ones((2, 3), "f8,i4"),
    "raw bytes": np.zeros((2, 3), "V8"),
    "ragged": [[1.0, 2.0, 3.0], [4.0]],
    "dict": {"a": 1.0},
    "set": {1.0, 2.0},
    "function": len,
    "type": float,
    "Decimal": Decimal("0.5"),
    "Fraction": [Fraction(1, 2)],
    "integer beyond 64 bits": [2**64],
}


# -- labels for two rows of three classes, of which the right ones are 2 and 0 --

RIGHT_LABELS = {
    "list": [2, 0],
    "tuple": (2, 0),
    **{name: np.array([2, 0], name) for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64")},
    "big-endian": np.array([2, 0], ">i8"),
    "every other": np.array([2, 9, 0, 9])[::2],
    "backwards": np.array([0, 2])[::-1],
    "read-only": read_only(np.array([2, 0])),
    "one-hot": [[0, 0, 1], [1, 0, 0]],
    "one-hot bool": np.array([[0, 0, 1], [1, 0, 0]], bool),
    "one-hot float16": np.array([[0, 0, 1], [1, 0, 0]], np.float16),
    "one-hot Fortran": np.asfortranarray([[0.0, 0, 1], [1, 0, 0]]),
}
WRONG_LABELS = {
    "negative": [-1, 0],
    "most negative": np.array([-128, 0], np.int8),
    "too large": [3, 0],
    "uint8 255": np.array([255, 0], np.uint8),
    "uint64 2**63": np.array([2**63, 0], np.uint64),
    "uint64 2**64 - 1": np.array([2**64 - 1, 0], np.uint64),
    "int64 2**32": np.array([2**32, 0], np.int64),
    "int64 minimum": np.array([-(2**63), 0], np.int64),
    "bool": np.array([True, False]),
    "float": np.array([2.0, 0.0]),
    "NaN": np.array([np.nan, 0.0]),
    "a column": np.array([[2], [0]]),
    "a row": np.array([[2, 0]]),
    "too few": [2],
    "too many": [2, 0, 1],
    "none": np.zeros(0, int),
    "a single number": 2,
    "two classes": [[0, 1], [1, 0]],
    "transposed": [[0, 1], [0, 0], [1, 0]],
    "rows that sum to 2": [[0, 1, 1], [1, 0, 0]],
    "rows that sum to 0": [[0, 0, 0], [1, 0, 0]],
    "rows with NaN": [[0, np.nan, 1], [1, 0, 0]],
    "rows with inf": [[0, np.inf, 1], [1, 0, 0]],
    "rows below 0": [[-1, 1, 1], [1, 0, 0]],
    "index labels as rows of numbers": [[2, 2, 2], [0, 0, 0]],
}


# -- every public callable at work --


def passed(layer, inputs, upstream):
    """The outputs, input gradients and parameter gradients of one pass."""
    outputs, gradients = layer.forward(*inputs), layer.backward(*upstream)
    return [*_flat(outputs), *_flat(gradients), *layer.grads]


def _flat(value):
    return value if isinstance(value, tuple) else (value,)


def moved(rule, params, grads):
    optimizer = rule(lr=0.5)
    for _ in range(2):
        optimizer.update(params, grads)
    return [*params, *(array for name in rule.state_names for array in getattr(optimizer, name))]


def trained(W, b, x, t):
    """Two steps with copies of the parameters."""
    network = Sequential(Affine(copy.copy(W), copy.copy(b)), loss=SoftmaxWithLoss())
    fit(network, SGD(lr=0.5), x, t, epochs=2)
    return network.params


X = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]])
SAME_ROWS = np.array([[1.0, -2.0, 3.0], [1.0, -2.0, 3.0]])
W = np.array([[1.0, 2.0], [0.0, -1.0], [1.0, 1.0]])
B = np.array([8.0, -4.0])
UP = np.array([[1.0, 0.0], [2.0, -1.0]])
P = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
LABELS = np.array([2, 1])

# name: (call, the arrays that it takes, which of them are parameters). The numbers are small integers and powers of
# two, so that sums and products are exact in every type and order.
CALLS = {
    "sigmoid": (sigmoid, [X], ()),
    "softmax": (softmax, [X], ()),
    "log_softmax": (log_softmax, [X], ()),
    "cross_entropy_error": (cross_entropy_error, [P, P], ()),
    "cross_entropy_error, labels": (lambda y: cross_entropy_error(y, [0, 1]), [P], ()),
    "softmax_cross_entropy": (softmax_cross_entropy, [X, P], ()),
    "sigmoid_cross_entropy": (sigmoid_cross_entropy, [X, P], ()),
    "relative_error": (relative_error, [X, SAME_ROWS], ()),
    "numerical_gradient": (lambda x: numerical_gradient(lambda y: y[0, 0], x), [X], ()),
    "accuracy": (accuracy, [X, P], ()),
    "gradient_check": (lambda x: list(gradient_check(Add(), x, x)), [X], ()),
    "Add": (lambda x, y, d: passed(Add(), [x, y], [d]), [X, SAME_ROWS[0], SAME_ROWS], ()),
    "Multiply": (lambda x, y, d: passed(Multiply(), [x, y], [d]), [X, SAME_ROWS[:1], SAME_ROWS], ()),
    "Branch": (lambda x, d, e: passed(Branch(2), [x], [d, e]), [X, SAME_ROWS, X], ()),
    "Repeat": (lambda x, d: passed(Repeat(2, axis=1), [x], [d]), [W, np.tile(SAME_ROWS[:1, :1], (3, 4))], ()),
    "Sum": (lambda x, d: passed(Sum(axis=1), [x], [d]), [X, UP[:, :1]], ()),
    "Power": (lambda x, d: passed(Power(3), [x], [d]), [X, SAME_ROWS], ()),
    "MatMul": (lambda x, w, d: passed(MatMul(w), [x], [d]), [X, W, UP], (1,)),
    "Affine": (lambda x, w, b, d: passed(Affine(w, b), [x], [d]), [X, W, B, UP], (1, 2)),
    "Sigmoid": (lambda x, d: passed(Sigmoid(), [x], [d]), [X, SAME_ROWS], ()),
    "ReLU": (lambda x, d: passed(ReLU(), [x], [d]), [X, SAME_ROWS], ()),
    "Tanh": (lambda x, d: passed(Tanh(), [x], [d]), [X, SAME_ROWS], ()),
    "Dropout": (lambda x, d: passed(Dropout(0.5), [x], [d]), [X, SAME_ROWS], ()),
    "SoftmaxWithLoss": (lambda x, t: passed(SoftmaxWithLoss(), [x, t], []), [X, P], ()),
    "SoftmaxWithLoss, labels": (lambda x: passed(SoftmaxWithLoss(), [x, LABELS], []), [X], ()),
    "SigmoidWithLoss": (lambda x, t: passed(SigmoidWithLoss(), [x, t], []), [X, P], ()),
    "Sequential": (
        lambda x, w, b, t: passed(Sequential(Affine(w, b), Sigmoid(), loss=SigmoidWithLoss()), [x, t], []),
        [X, W, B, np.abs(UP[::-1] / 2)],
        (1, 2),
    ),
    "fit": (lambda x, w, b: trained(w, b, x, LABELS // 2), [X, W, B], (1, 2)),
    **{
        rule.__name__: (lambda p, g, q, h, rule=rule: moved(rule, [p, q], [g, h]), [X, SAME_ROWS, W, W], (0, 2))
        for rule in RULES
    },
}
