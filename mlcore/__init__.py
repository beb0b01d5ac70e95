"""The layers, losses and optimizers of the book, in NumPy: one module for each section."""

from mlcore.contract import Loss, Node
from mlcore.datasets import load_digits, load_spiral
from mlcore.functions import (
    cross_entropy_error,
    log_softmax,
    sigmoid,
    sigmoid_cross_entropy,
    softmax,
    softmax_cross_entropy,
)
from mlcore.gradients import gradient_check, numerical_gradient, relative_error
from mlcore.graph import Variable, apply
from mlcore.layers import Affine, Dropout, ReLU, Sigmoid, Tanh
from mlcore.losses import SigmoidWithLoss, SoftmaxWithLoss
from mlcore.network import Sequential, accuracy, fit
from mlcore.nodes import Add, Branch, MatMul, Multiply, Power, Repeat, Sum
from mlcore.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSprop
from mlcore.tuning import add_l2, clip_gradients, constant, cosine, initial_weights, step_decay

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Add",
    "Affine",
    "Branch",
    "Dropout",
    "Loss",
    "MatMul",
    "Momentum",
    "Multiply",
    "Nesterov",
    "Node",
    "Optimizer",
    "Power",
    "RMSprop",
    "ReLU",
    "Repeat",
    "Sequential",
    "Sigmoid",
    "SigmoidWithLoss",
    "SoftmaxWithLoss",
    "Sum",
    "Tanh",
    "Variable",
    "accuracy",
    "add_l2",
    "apply",
    "clip_gradients",
    "constant",
    "cosine",
    "cross_entropy_error",
    "fit",
    "gradient_check",
    "initial_weights",
    "load",
    "load_digits",
    "load_spiral",
    "log_softmax",
    "numerical_gradient",
    "relative_error",
    "save",
    "sigmoid",
    "sigmoid_cross_entropy",
    "softmax",
    "softmax_cross_entropy",
    "step_decay",
]


def __getattr__(name):
    """Import `load` and `save` when they are first used: what they need takes as long to import as all the rest."""
    if name in ("load", "save"):
        from mlcore import storage

        return getattr(storage, name)
    raise AttributeError(f"module 'mlcore' has no attribute {name!r}")
