"""Exercises of section 1.3.1."""

import numpy as np

from mlcore.practice import Exercise


class ThreeScores(Exercise):
    r"""Three scores by hand

    The scores are $x = (\log 1, \log 4, \log 5)$, and the right class is the last. Compute the log-sum-exp of the
    scores, the cross-entropy, and its gradient by the scores. Three digits are enough; `np.log` may be used.
    """

    level = "by hand"
    hint = "What are the exponentials of the scores, and what is their sum?"
    solution = {
        "lse": np.log(1 + 4 + 5),
        "loss": -np.log(5 / 10),
        "gradient": np.array([1, 4, 5]) / 10 - np.array([0, 0, 1]),
    }
    worked = r"""
    The exponentials are 1, 4 and 5, so $\operatorname{lse}(x) = \log 10$, and softmax gives $(0.1, 0.4, 0.5)$. The
    loss is $\log 10 - \log 5 = \log 2$. The gradient is $y - t$: every class is pulled down by its probability, and
    the right one up by 1. Its entries sum to zero, because adding a constant to all scores changes nothing.
    """
    same = {"lse": 2.303, "loss": 0.693, "gradient": (0.1, 0.4, -0.5)}
    wrong = {
        "the sign is wrong": solution | {"loss": np.log(0.5)},
        "is the logarithm natural?": solution | {"lse": 1.0},
        "This is the probability of the right class, not yet its negative logarithm.": solution | {"loss": 0.5},
        "Softmax alone is not the gradient: subtract the target.": solution | {"gradient": [0.1, 0.4, 0.5]},
    }


class MeanCrossEntropy(Exercise):
    r"""Mean cross-entropy from scores

    Write the mean cross-entropy of scores `x` of shape (N, C) with index labels `t` of shape (N,), in NumPy alone. It
    must be right for scores of any size, 1000 included.
    """

    level = "implement"
    hint = "Subtract the largest score of each row first; then nothing can overflow, and one term of the sum is 1."
    inputs = [
        (np.log([[1.0, 4.0, 5.0], [2.0, 2.0, 4.0]]), np.array([2, 0])),
        (np.array([[0.5, -1.0], [2.0, 1.5], [0.0, 3.0]]), np.array([1, 0, 1])),
        (np.array([[1000.0, 0.0], [-1000.0, 0.0], [3.0, 3.0], [0.0, 1.0]]), np.array([1, 1, 0, 0])),
    ]

    def solution(x, t):
        """Return the mean cross-entropy of scores x (N, C) and index labels t (N,): one number."""
        shifted = x - x.max(axis=1, keepdims=True)
        lse = np.log(np.exp(shifted).sum(axis=1))
        return (lse - shifted[np.arange(len(t)), t]).mean()

    worked = r"""
    For each row the loss is $\operatorname{lse}(x) - x_t$. Shifting all scores of a row changes no difference of
    scores, so the shifted ones may stand in both terms. The index pair `np.arange(len(t)), t` picks one entry from
    each row; `shifted[:, t]` would pick N columns from each.
    """

    def same(x, t):
        return np.mean([np.logaddexp.reduce(row) - row[label] for row, label in zip(x, t, strict=True)])

    def unshifted(x, t):
        return -np.log((np.exp(x) / np.exp(x).sum(axis=1, keepdims=True))[np.arange(len(t)), t]).mean()

    def all_columns(x, t):
        lse = np.logaddexp.reduce(x, axis=1)
        return (lse - x[:, t]).mean()

    wrong = {
        "overflow": unshifted,
        "as many times too large as x has rows: is the mean taken?": lambda x, t: sum(
            np.logaddexp.reduce(row) - row[label] for row, label in zip(x, t, strict=True)
        ),
        "the sign is wrong": lambda x, t: (x[np.arange(len(t)), t] - np.logaddexp.reduce(x, axis=1)).mean(),
        "The index `[:, t]` picks N columns from every row, not one entry from each.": all_columns,
        "the shape is (2,), but () is expected": lambda x, t: np.logaddexp.reduce(x, axis=1) - x[np.arange(len(t)), t],
    }


class ColumnOfScores(Exercise):
    r"""A column and a row

    This function is to return the gradient of the mean binary cross-entropy by the scores. It passed its test, in which
    scores and labels both had shape (N,). A layer with one unit returns scores of shape (N, 1). Find the fault, and
    mend it: the gradient must have the shape of `x`, for scores of shape (N,) and of shape (N, 1).
    """

    level = "debug"
    hint = "What is the shape of `y - t`, if `y` has shape (4, 1) and `t` has shape (4,)?"
    inputs = [
        (np.array([0.5, -1.0]), np.array([1, 0])),
        (np.array([[0.5], [-1.0], [2.0]]), np.array([1, 0, 1])),
        (np.array([[0.0], [0.0], [1.0], [3.0]]), np.array([1, 0, 1, 1])),
    ]

    def given(x, t):
        """Return the gradient of the mean binary cross-entropy by the scores x, with labels t (N,)."""
        y = 1 / (1 + np.exp(-x))
        return (y - t) / len(t)

    def solution(x, t):
        """Return the gradient of the mean binary cross-entropy by the scores x, with labels t (N,)."""
        y = 1 / (1 + np.exp(-x))
        return (y - t.reshape(x.shape)) / len(t)

    worked = r"""
    NumPy compares shapes from the right and reads labels of shape (4,) as a row, (1, 4). Against a column, (4, 1), both
    are repeated to (4, 4): every label is subtracted from every prediction, and no error is raised. Arrays that
    broadcast need not be arrays that fit; so bring them to one shape, or refuse them, before any arithmetic.
    """

    def same(x, t):
        flat = x.ravel()
        return ((1 / (1 + np.exp(-flat)) - t) / flat.size).reshape(x.shape)

    wrong = {
        "the shape is (3,), but (3, 1) is expected": lambda x, t: (1 / (1 + np.exp(-x.ravel())) - t) / len(t),
        "did two arrays broadcast?": lambda x, t: (1 / (1 + np.exp(-x)) - t[:, np.newaxis]) / len(t),
        "The sum over the columns repairs the shape, not the numbers: every label still meets every score.": (
            lambda x, t: ColumnOfScores.given(x, t).reshape(len(t), -1).sum(axis=1).reshape(x.shape)
        ),
    }
