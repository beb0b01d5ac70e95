"""Exercises of section 1.3.1."""

import numpy as np

from mlcore.teaching.practice import Exercise


class ChooseTheLoss(Exercise):
    r"""Which loss?

    Each loss follows from an assumption about the targets. Name the one that fits: `"squared"`, `"absolute"`,
    `"binary"` or `"categorical"` (the last two are cross-entropies).

    - `a`: one of 20 species; a photo shows exactly one.
    - `b`: which of 20 diseases a patient has; there may be none or several, and each has a score of its own.
    - `c`: a temperature, measured with Gaussian noise of constant size.
    - `d`: a price, where some of the recorded prices are far off because of typing errors.
    """

    level = "recall"
    hint = "How many questions does each example answer, and can several answers be yes at once?"
    solution = {"a": "categorical", "b": "binary", "c": "squared", "d": "absolute"}
    worked = r"""
    (a) One die with 20 faces for each photo. (b) Twenty coins for each patient: softmax would make the diseases compete
    for a sum of 1. (c) Gaussian noise of one variance gives squared error, up to a constant. (d) With heavy-tailed
    noise, $p \propto e^{-|t - y|}$, a value that is far off is rare but possible; squared error would move far to
    explain it.
    """
    same = {"a": "Categorical", "b": "binary", "c": "squared", "d": "absolute"}
    wrong = {
        "Softmax over the diseases makes them exclude each other; here each has a yes or no of its own.": solution
        | {"b": "categorical"},
        "Squared error belongs to noise that hardly ever makes a large mistake.": solution | {"d": "squared"},
        'b: "squared" is not right': solution | {"b": "squared"},
    }


class TrueOrFalse(Exercise):
    r"""True or false?

    - `a`: Of two networks on the same data, the one with the lower loss has at least the accuracy of the other.
    - `b`: Adding 5 to all scores of a row leaves its cross-entropy unchanged.
    - `c`: Doubling all scores leaves the accuracy unchanged.
    - `d`: With enough neurons, the mean cross-entropy on any training set can be brought below 0.01.
    - `e`: A softmax output of 0.9 means that this prediction is right in nine of ten cases.
    """

    level = "recall"
    solution = {"a": False, "b": True, "c": True, "d": False, "e": False}
    worked = r"""
    (a) The first figure of the chapter has a threshold with a lower loss and a lower accuracy. (b) Softmax depends on
    differences of scores only. (c) Their order stays the same. (d) If one input occurs with different labels, the loss
    cannot go below the entropy of those labels. (e) Only if the network is *calibrated*, and one that was trained for
    long on little data is not.
    """
    same = {"a": 0 == 1, "b": 1 == 1, "c": 1 == 1, "d": 0 == 1, "e": 0 == 1}
    wrong = {
        "What if the same input occurs twice in the training set, with different labels?": solution | {"d": True},
        "Which of loss and accuracy notices how confident a wrong prediction is?": solution | {"a": True},
        "c: False is not right": solution | {"c": False},
        "e: True is not right": solution | {"e": True},
    }


class ThreeScores(Exercise):
    r"""Three scores by hand

    The scores are $x = (\log 1, \log 4, \log 5)$, and the right class is the last. Compute the log-sum-exp of the
    scores, the cross-entropy, and its gradient with respect to the scores. Three digits are enough; `np.log` may be
    used.
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


class FirstLoss(Exercise):
    r"""Before the first step

    A network for 1000 classes starts with small weights.

    - `expected`: what should its first mean cross-entropy be?
    - `factor`: the program reports 221.05, with batches of 32. How many times too large is this? (And so, what was
      forgotten?)
    - `binary`: what should a network with one score and binary cross-entropy start with?
    """

    level = "by hand"
    hint = "Which probability does the right class get when all scores are equal?"
    solution = {"expected": np.log(1000), "factor": 221.05 / np.log(1000), "binary": np.log(2)}
    worked = r"""
    Equal scores give each class 1/1000, so the loss is $\log 1000 = 6.908$. $221.05 / 6.908 = 32$, the size of the
    batch: the losses were added up, but not divided by their number. One score of 0 gives the probability ½, and the
    loss $\log 2 = 0.693$.
    """
    same = {"expected": 6.908, "factor": 32, "binary": 0.6931}
    wrong = {
        "is the logarithm natural?": solution | {"expected": 3.0},
        "This is the probability of each class; the loss is its negative logarithm.": solution | {"expected": 0.001},
        "Two classes, each with probability ½: what is the negative logarithm of that?": solution | {"binary": 0.5},
    }


class SmoothedLabels(Exercise):
    r"""How low with smoothed labels?

    To keep a network from becoming overconfident, the one-hot target of four classes is replaced by $t = (0.7, 0.1,
    0.1, 0.1)$.

    - `floor`: the least cross-entropy that any prediction can reach.
    - `gap`: by how much the first score then exceeds each of the others.
    - `kl`: $\mathrm{KL}(t \,\|\, y)$ for the uniform prediction $y = (\frac14, \frac14, \frac14, \frac14)$.
    """

    level = "by hand"
    hint = "For which $y$ is the divergence zero? And what is the difference of two scores, in terms of probabilities?"
    solution = {
        "floor": -0.7 * np.log(0.7) - 0.3 * np.log(0.1),
        "gap": np.log(7),
        "kl": np.log(4) + 0.7 * np.log(0.7) + 0.3 * np.log(0.1),
    }
    worked = r"""
    The loss is least for $y = t$, where it is the entropy, $-0.7 \log 0.7 - 3 \cdot 0.1 \log 0.1 = 0.9404$: not
    zero. There the scores differ by $\log 0.7 - \log 0.1 = \log 7 = 1.946$, and no more: with one-hot targets the
    gap would grow without bound. The uniform prediction costs $\log 4 = 1.3863$; the part above 0.9404 is the
    divergence, 0.4458.
    """
    same = {"floor": 0.9404, "gap": 1.946, "kl": 0.446}
    wrong = {
        "There are three classes with 0.1, and each has its term.": solution
        | {"floor": -0.7 * np.log(0.7) - 0.1 * np.log(0.1)},
        "Zero is reachable only for targets that are certain.": solution | {"floor": 0.0},
        "This is the cross-entropy; the divergence is the part of it that lies above the entropy.": solution
        | {"kl": np.log(4)},
        "This is a ratio of probabilities; the scores are their logarithms.": solution | {"gap": 7.0},
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
    scores, so both terms may use the shifted ones. The index pair `np.arange(len(t)), t` picks one entry from
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
        "expected a number, but got an array of shape (2,)": lambda x, t: (
            np.logaddexp.reduce(x, axis=1) - x[np.arange(len(t)), t]
        ),
    }


class BinaryFromScores(Exercise):
    r"""Binary cross-entropy from scores

    Write the binary cross-entropy of each score in `x` with its target in `t`, in NumPy alone: one loss for each score,
    not their mean. It must be right, without any warning, for scores of ±1000; targets may lie between 0 and 1.
    """

    level = "implement"
    hint = r"`np.logaddexp(0, x)` is $\log(1 + e^x)$, computed safely."
    inputs = [
        (np.log([3.0, 3.0]), np.array([1, 0])),
        (np.array([-2.0, 0.0, 2.0]), np.array([0.25, 0.5, 1.0])),
        (np.array([1000.0, -1000.0, 1000.0, -1000.0]), np.array([0, 0, 1, 1])),
    ]

    def solution(x, t):
        """Return the binary cross-entropy of each score in x with its target in t."""
        return np.logaddexp(0, x) - t * x

    worked = r"""
    $-\log \sigma(x) = \log(1 + e^{-x})$ $= \log(1 + e^{x}) - x$ and $-\log(1 - \sigma(x)) = \log(1 + e^{x})$.
    Weighted with $t$ and $1 - t$ they add up to $\log(1 + e^{x}) - t x$: the two-class case of
    $\operatorname{lse}(x) - \sum_k t_k x_k$, with scores $(0, x)$.
    """

    def same(x, t):
        size = np.abs(x)
        return np.where(x >= 0, 1 - t, t) * size + np.log1p(np.exp(-size))

    def from_probabilities(x, t):
        y = 1 / (1 + np.exp(-x))
        return -t * np.log(y) - (1 - t) * np.log(1 - y)

    def with_epsilon(x, t):
        y = np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
        return -t * np.log(y + 1e-7) - (1 - t) * np.log(1 - y + 1e-7)

    wrong = {
        "overflow": from_probabilities,
        "An epsilon puts a ceiling on the loss, and bends it everywhere else.": with_epsilon,
        "This counts every target as 1.": lambda x, t: np.logaddexp(0, -x),
        "the sign is wrong": lambda x, t: t * x - np.logaddexp(0, x),
    }


class ColumnOfScores(Exercise):
    r"""A column and a row

    This function returns the gradient of the mean binary cross-entropy with respect to the scores, given the
    probabilities `y` that the sigmoid has made of them. It passed its test, in which `y` and the labels `t` both had
    shape (N,). But a layer with one unit returns scores of shape (N, 1), and `y` has that shape too. Find the fault and
    fix it: the gradient must have the shape of `y`, whether (N,) or (N, 1).
    """

    level = "debug"
    hint = "What is the shape of `y - t`, if `y` has shape (4, 1) and `t` has shape (4,)?"
    inputs = [
        (np.array([0.6, 0.3]), np.array([1, 0])),
        (np.array([[0.6], [0.3], [0.9]]), np.array([1, 0, 1])),
        (np.array([[0.5], [0.5], [0.8], [0.9]]), np.array([1, 0, 1, 1])),
    ]

    def given(y, t):
        """Return the gradient of the mean loss with respect to the scores; labels t (N,)."""
        return (y - t) / len(t)

    def solution(y, t):
        """Return the gradient of the mean loss with respect to the scores; labels t (N,)."""
        return (y - t.reshape(y.shape)) / len(t)

    worked = r"""
    NumPy compares shapes from the right and reads labels of shape (4,) as a row, (1, 4). Against a column, (4, 1), both
    are repeated to (4, 4): every label is subtracted from every prediction, and no error is raised. Arrays that
    broadcast need not be arrays that fit; so bring them to one shape, or refuse them, before any arithmetic.
    """

    def same(y, t):
        return ((y.ravel() - t) / y.size).reshape(y.shape)

    wrong = {
        "the shape is (3,), but (3, 1) is expected": lambda y, t: (y.ravel() - t) / len(t),
        "did two arrays broadcast?": lambda y, t: (y - t[:, np.newaxis]) / len(t),
        "The sum over the columns repairs the shape, not the numbers: every label still meets every prediction.": (
            lambda y, t: ColumnOfScores.given(y, t).reshape(len(t), -1).sum(axis=1).reshape(y.shape)
        ),
    }


class GuessedLabels(Exercise):
    r"""What do the labels mean?

    This function takes the logarithms of probabilities and either index labels or a distribution for each row. It
    recognises one-hot targets by their size. Two kinds of input go wrong. Find them and fix the function. A class with
    target 0 costs nothing, even if its probability is 0 and so its logarithm $-\infty$.
    """

    level = "debug"
    hint = "What becomes of the target (0.4, 0.35, 0.25)? And what if there is only one column?"
    inputs = [
        (np.log([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]), np.array([1, 0])),
        (np.log([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]), np.array([[0, 1, 0], [1, 0, 0]])),
        (np.log([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]]), np.array([[0.4, 0.35, 0.25]] * 3)),
        (np.zeros((2, 1)), np.array([0, 0])),
        (np.array([[np.log(0.5), -np.inf, np.log(0.5)], [0, -np.inf, -np.inf]]), np.array([[0.3, 0, 0.7], [1, 0, 0]])),
    ]

    def given(log_y, t):
        """Return the mean cross-entropy of log_y (N, C) for labels t (N,) or distributions (N, C)."""
        if t.size == log_y.size:
            t = t.argmax(axis=1)
        return -log_y[np.arange(len(log_y)), t].mean()

    def solution(log_y, t):
        """Return the mean cross-entropy of log_y (N, C) for labels t (N,) or distributions (N, C)."""
        if t.shape == log_y.shape:
            return -(t * np.where(t == 0, 0, log_y)).sum(axis=1).mean()
        return -log_y[np.arange(len(log_y)), t].mean()

    worked = r"""
    `argmax` turns a soft target into certainty for its largest entry. With one column, index labels have as many
    entries as the scores, and `argmax` is asked for an axis that they lack. The *shape* says what the size only lets
    you guess; and the sum $-\sum_k t_k \log y_k$ is right for one-hot and soft targets alike. In it, $0 \cdot \log 0$
    counts as 0, but the computer makes nan of $0 \cdot (-\infty)$, so such terms have to be left out.
    """

    def same(log_y, t):
        if t.ndim == 1:
            t = np.eye(log_y.shape[1])[t]
        return -sum(share * entry for share, entry in zip(t.flat, log_y.flat, strict=True) if share) / len(log_y)

    def still_argmax(log_y, t):
        if t.shape == log_y.shape:
            t = t.argmax(axis=1)
        return -log_y[np.arange(len(log_y)), t].mean()

    def over_all(log_y, t):
        if t.shape == log_y.shape:
            return -(t * np.where(t == 0, 0, log_y)).mean()
        return -log_y[np.arange(len(log_y)), t].mean()

    def with_nan(log_y, t):
        if t.shape == log_y.shape:
            return -(t * log_y).sum(axis=1).mean()
        return -log_y[np.arange(len(log_y)), t].mean()

    wrong = {
        "A soft target is still taken for its largest entry.": still_argmax,
        "AxisError": given,
        "The mean is over the rows; sum over the classes first.": over_all,
        "0 times −∞ is nan for the computer: leave out the classes with target 0.": with_nan,
    }


class AnyNumberOfAxes(Exercise):
    r"""Any number of axes

    This softmax is right for a matrix and for a vector. A language model gives scores of shape (batch, time, classes).
    Find out what happens to them, and fix the function for any number of axes; the classes always lie along the last.
    """

    level = "debug"
    hint = "Which branch does an array with three axes take?"
    inputs = [
        (np.log([[2.0, 3.0, 5.0], [1.0, 1.0, 2.0]]),),
        (np.array([0.0, 1000.0]),),
        (np.log([[[1.0, 3.0], [1.0, 1.0], [4.0, 1.0]]]),),
        (np.array([[[0.0, 1.0], [1000.0, 0.0]]]),),
        (np.log([[[[2.0, 3.0, 5.0]], [[1.0, 1.0, 2.0]]]]),),
        (np.log([[[[[1.0, 3.0]]], [[[4.0, 1.0]]]]]),),
    ]

    def given(x):
        """Return the softmax of x over its last axis."""
        if x.ndim == 2:
            x = np.exp(x - x.max(axis=1, keepdims=True))
            x /= x.sum(axis=1, keepdims=True)
        elif x.ndim == 1:
            x = np.exp(x - x.max()) / np.exp(x - x.max()).sum()
        return x

    def solution(x):
        """Return the softmax of x over its last axis."""
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    worked = r"""
    Three axes match neither branch, so the scores come back as they are, and nothing complains. With `axis=-1` and
    `keepdims=True` one line serves every number of axes; with a branch for each, somebody will forget the next one.
    """

    def same(x):
        shifted = np.moveaxis(x, -1, 0) - np.max(x, axis=-1)
        return np.moveaxis(np.exp(shifted) / np.exp(shifted).sum(axis=0), 0, -1)

    def up_to_three_axes(x):
        return AnyNumberOfAxes.solution(x) if x.ndim <= 3 else x

    def over_axis_1(x):
        axis = min(1, x.ndim - 1)
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    wrong = {
        "Three axes still come back as they are.": given,
        "One more branch serves one more number of axes; there is always a next.": up_to_three_axes,
        "Axis 1 is the last one only for a matrix.": over_axis_1,
        "overflow": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
        "One maximum for all rows leaves nothing of a row whose scores are far below it.": (
            lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(axis=-1, keepdims=True)
        ),
        "The sum runs over all axes; each row needs its own.": lambda x: (
            np.exp(x - x.max()) / np.exp(x - x.max()).sum()
        ),
    }


class SilentSigmoid(Exercise):
    r"""A sigmoid that warns

    For −1000 this sigmoid returns 0, as it should; yet NumPy warns of an overflow, and a program that turns warnings
    into errors stops. Fix it without hiding the warning and without cutting off the scores: where the value is tiny,
    all its digits have to be right.
    """

    level = "debug"
    hint = "Which sign of the exponent can never overflow? Write the sigmoid so that only this one occurs."
    nothing_hidden = True
    absolute = 0
    inputs = [
        (np.log([3.0, 1.0]),),
        (np.array([-1000.0, 0.0, 1000.0]),),
        (np.array([[-2.0], [-0.5], [0.5], [2.0]]),),
        (np.array([-40.0, -100.0, -720.0]),),
    ]

    def given(x):
        """Return the sigmoid of x."""
        return 1 / (1 + np.exp(-x))

    def solution(x):
        """Return the sigmoid of x."""
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, e) / (1 + e)

    worked = r"""
    $\sigma(x) = \frac{1}{1 + e^{-x}} = \frac{e^x}{1 + e^x}$. The first form is safe for $x \ge 0$, the second for
    $x < 0$; in both, the only exponential is then $e^{-|x|}$, which is at most 1. `np.where(x >= 0, first, second)`
    with both forms written out would choose the right value but compute, and warn of, the other too. The formula
    $(1 + \tanh\frac x2)/2$ never overflows, but from about $-38$ on it is exactly 0, since $\tanh$ is rounded to $-1$.
    """

    def same(x):
        return np.exp(-np.logaddexp(0, -x))

    def both_forms(x):
        return np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))

    def hidden(x):
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-x))

    def cut(x):
        return 1 / (1 + np.exp(-np.clip(x, -30, 30)))

    wrong = {
        "overflow": given,
        "Python warns: overflow": both_forms,
        "Python warns: overflow encountered in exp": hidden,
        "Past the bounds of np.clip the sigmoid is small, but it is not yet constant.": cut,
        "Next to −1 the tanh is rounded, and the small difference from it is lost.": lambda x: (1 + np.tanh(x / 2)) / 2,
        "This is the sigmoid of −x.": lambda x: np.exp(-np.logaddexp(0, x)),
    }


class UnlabelledRows(Exercise):
    r"""Rows without a label

    In many data sets the label −1 says that nobody knows the class. Return the mean cross-entropy of the labelled rows,
    and its gradient with respect to the scores; the gradient of a row without a label is zero.
    """

    level = "transfer"
    hint = "By what must the gradient be divided: by the number of all rows, or of the labelled rows?"
    inputs = [
        (np.log([[2.0, 3.0, 5.0], [1.0, 1.0, 2.0]]), np.array([1, 2])),
        (np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]), np.array([0, -1, 1])),
        (np.array([[1000.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]), np.array([1, -1, -1, 0])),
    ]

    def solution(x, t):
        """Return the mean cross-entropy of the labelled rows of x (N, C), and its gradient."""
        shifted = x - x.max(axis=1, keepdims=True)
        log_y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        rows = np.flatnonzero(t >= 0)
        dx = np.exp(log_y)
        dx[rows, t[rows]] -= 1
        dx[t < 0] = 0
        return -log_y[rows, t[rows]].mean(), dx / len(rows)

    worked = r"""
    The loss is a mean over the labelled rows, so their gradients have the factor one over *their* number, and all
    others are zero. Without the mask, NumPy would read −1 as the last class and train it with every unlabelled row.
    Dividing by N instead makes the step depend on how many labels happen to be missing.
    """

    def same(x, t):
        keep = t != -1
        one_hot = np.eye(x.shape[1])[t] * keep[:, np.newaxis]
        lse = np.logaddexp.reduce(x, axis=1)
        y = np.exp(x - lse[:, np.newaxis])
        return (keep * lse - (one_hot * x).sum(axis=1)).sum() / keep.sum(), (
            y * keep[:, np.newaxis] - one_hot
        ) / keep.sum()

    def last_class(x, t):
        lse = np.logaddexp.reduce(x, axis=1)
        dx = np.exp(x - lse[:, np.newaxis]) - np.eye(x.shape[1])[t]
        return (lse - x[np.arange(len(t)), t]).mean(), dx / len(t)

    def all_rows(x, t):
        loss, dx = UnlabelledRows.solution(x, t)
        return loss, dx * (t >= 0).sum() / len(t)

    def loss_too(x, t):
        loss, dx = UnlabelledRows.solution(x, t)
        return loss * (t >= 0).sum() / len(t), dx * (t >= 0).sum() / len(t)

    def half_masked(x, t):
        rows = t >= 0
        dx = np.exp(x - np.logaddexp.reduce(x, axis=1)[:, np.newaxis])
        dx[rows, t[rows]] -= 1
        return UnlabelledRows.solution(x, t)[0], dx / rows.sum()

    wrong = {
        "The index −1 counts from the end: unlabelled rows are trained as the last class.": last_class,
        "The loss is a mean over the labelled rows, so divide its gradient by their number too.": all_rows,
        "Divide by the number of labelled rows, not of all rows.": loss_too,
        "The rows without a label still get the gradient y.": half_masked,
    }


class CountingLoss(Exercise):
    r"""A loss of your own

    The target is a count (calls in an hour), with a Poisson distribution: $p(t \mid r) = r^t e^{-r} / t!$. The
    network gives one score $x$ for each example, and $r = e^x$ keeps the rate positive. Follow the recipe of the
    chapter: return the mean negative log-likelihood, without the term that does not depend on $x$, and its gradient
    with respect to the scores.
    """

    level = "transfer"
    hint = r"Take the logarithm of the distribution, and put $x$ in the place of $\log r$."
    inputs = [
        (np.log([2.0, 5.0]), np.array([2, 3])),
        (np.array([0.0, 1.0, -1.0]), np.array([0, 4, 1])),
        (np.array([-2.0, 0.5, 1.5, 0.0]), np.array([1, 0, 6, 1])),
    ]

    def solution(x, t):
        """Return the mean loss of scores x (N,) for counts t (N,), and its gradient with respect to x."""
        return (np.exp(x) - t * x).mean(), (np.exp(x) - t) / len(x)

    worked = r"""
    $-\log p = r - t \log r + \log t!$, and with $r = e^x$ it is $e^x - t x$ plus a constant. The derivative is
    $e^x - t$: prediction minus target again, as for the Gaussian, the coin and the die. The same holds for every
    exponential family whose sufficient statistic is $t$ itself, if the score is the natural parameter.
    """

    def same(x, t):
        r = np.exp(x)
        return (r.sum() - np.dot(t, x)) / len(r), np.subtract(r, t) / t.size

    wrong = {
        "This is the gradient with respect to the rate; multiply by the derivative of the exponential.": (
            lambda x, t: ((np.exp(x) - t * x).mean(), (1 - t / np.exp(x)) / len(x))
        ),
        "result 2: as many times too large as x has rows": lambda x, t: ((np.exp(x) - t * x).mean(), np.exp(x) - t),
        "Squared error assumes noise of one size; the noise of a count grows with its mean.": (
            lambda x, t: (((np.exp(x) - t) ** 2).mean() / 2, (np.exp(x) - t) / len(x))
        ),
        "result 1: the sign is wrong": lambda x, t: ((t * x - np.exp(x)).mean(), (np.exp(x) - t) / len(x)),
    }


class SlopeOfTheScale(Exercise):
    r"""Which way to turn the scale?

    A trained network reports $\mathrm{softmax}(c\,x)$, where $1/c$ is called the temperature. To calibrate it, $c$ is
    learned on data that it was not trained on. Write the derivative of the mean cross-entropy with respect to $c$.
    """

    level = "transfer"
    hint = "The gradient with respect to the scaled scores is $y - t$. How does each of these change with $c$?"
    inputs = [
        (1.0, np.log([[2.0, 3.0, 5.0], [1.0, 1.0, 2.0]]), np.array([1, 2])),
        (0.5, np.array([[4.0, 0.0], [1.0, 3.0], [0.0, 2.0]]), np.array([1, 1, 1])),
        (3.0, np.array([[300.0, 0.0], [0.0, 1.0], [2.0, 0.0], [-1.0, 1.0]]), np.array([0, 0, 0, 1])),
    ]

    def solution(c, x, t):
        """Return the slope along c of the mean cross-entropy of c * x (N, C) with labels t (N,)."""
        e = np.exp(c * (x - x.max(axis=1, keepdims=True)))
        y = e / e.sum(axis=1, keepdims=True)
        return ((y * x).sum(axis=1) - x[np.arange(len(t)), t]).mean()

    worked = r"""
    $L = \operatorname{lse}(c\,x) - c\,x_t$, so $\frac{\partial L}{\partial c} = \sum_k y_k x_k - x_t$: the score
    that the network expects, minus the one it got. Where the right classes have lower scores than the network
    expects, the derivative is positive, $c$ must fall, and the network becomes less confident.
    """

    def same(c, x, t):
        log_y = c * x - np.logaddexp.reduce(c * x, axis=1)[:, np.newaxis]
        return np.vdot(np.exp(log_y) - np.eye(x.shape[1])[t], x) / len(x)

    def forgot_scale(c, x, t):
        return SlopeOfTheScale.solution(1.0, x, t)

    def summed(c, x, t):
        return len(x) * SlopeOfTheScale.solution(c, x, t)

    def no_inner(c, x, t):
        y = np.exp(c * x - np.logaddexp.reduce(c * x, axis=1)[:, np.newaxis])
        return (y.sum(axis=1) - y[np.arange(len(t)), t]).mean()

    wrong = {
        "The probabilities are those of the scaled scores.": forgot_scale,
        "is the mean taken?": summed,
        "The chain rule asks for one more factor: each scaled score changes with c at the rate x.": no_inner,
        "the sign is wrong": lambda c, x, t: -SlopeOfTheScale.solution(c, x, t),
    }


class HingeAndSoftmax(Exercise):
    r"""Hinge loss by hand

    The scores are $x = (3, 4, 1)$, and the right class is the first. The hinge loss is $\sum_{k \ne t} \max(0, x_k -
    x_t + \Delta)$.

    - `one`: the hinge loss with the margin $\Delta = 1$.
    - `three`: the hinge loss with the margin $\Delta = 3$.
    - `gradient`: the gradient of the hinge loss with $\Delta = 3$ with respect to the three scores.
    - `odds`: the odds that softmax gives to the first class against the second, $y_0 / y_1$; three digits are enough.
    """

    level = "by hand"
    hint = "Which terms are positive? Each of them contains the score of the right class, with a minus sign."
    solution = {"one": 2, "three": 5, "gradient": np.array([-2, 1, 1]), "odds": np.exp(3 - 4)}
    worked = r"""
    With margin 1 the second class costs $4 - 3 + 1 = 2$ and the third $\max(0, 1 - 3 + 1) = 0$. With margin 3 they cost
    4 and 1. Both terms are then positive, so each wrong score has the slope 1, and the right one $-1$ for each of
    them. Odds are a ratio of probabilities, and depend on the difference of two scores alone: $e^{3 - 4} = 0.368$.
    """
    same = {"one": 2.0, "three": 5.0, "gradient": [-2.0, 1.0, 1.0], "odds": 0.368}
    wrong = {
        "The sum leaves out the right class, which would always cost the margin.": solution | {"one": 3, "three": 8},
        "The third class is far enough behind: it costs 0, not a negative number.": solution | {"one": 1},
        "The score of the right class is in each of the two terms.": solution | {"gradient": [-1, 1, 1]},
        "These are the odds of the second class against the first.": solution | {"odds": np.exp(1)},
        "This is the log-odds.": solution | {"odds": -1.0},
    }


class HuberLoss(Exercise):
    r"""Huber loss

    Write the mean Huber loss of predictions `y` for targets `t`, and its gradient with respect to `y`. A prediction
    that is off by $d = y - t$ costs $\frac12 d^2$ if $|d| \le \delta$, and otherwise $\delta\,(|d| - \frac12 \delta)$.
    Return both.
    """

    level = "implement"
    hint = "Where the loss is a straight line, its slope is as large as the parabola's where the two meet."
    inputs = [
        (np.array([1.0, 2.0, 2.5, -3.0]), np.array([1.5, 5.0, 2.0, 1.0]), 1.0),
        (np.array([0.0, 4.0]), np.array([0.5, 1.0]), 2.0),
        (np.array([0.3, -0.2, 7.0]), np.array([0.0, 0.9, 6.5]), 0.5),
    ]

    def solution(y, t, delta):
        """Return the mean Huber loss of y (N,) for targets t (N,), and its gradient with respect to y."""
        d = y - t
        loss = np.where(np.abs(d) <= delta, d**2 / 2, delta * (np.abs(d) - delta / 2))
        return loss.mean(), np.clip(d, -delta, delta) / len(d)

    worked = r"""
    The derivative of $\frac12 d^2$ is $d$, and that of the line is $\delta$ times the sign of $d$. At $|d| = \delta$
    the two agree, as do both formulas for the loss, $\frac12 \delta^2$: that is what the term $-\frac12 \delta$ is
    for. So the gradient is $d$, cut off at $\pm\delta$, and divided by N for the mean. An outlier pulls with the
    force $\delta$ and no more, however far off it is.
    """

    def same(y, t, delta):
        small = np.minimum(abs(y - t), delta)
        losses = small * abs(y - t) - small * small / 2
        return losses.sum() / y.size, small * np.sign(y - t) / y.size

    def jump(y, t, delta):
        d = np.abs(y - t)
        return np.where(d <= delta, d**2 / 2, delta * d).mean(), HuberLoss.solution(y, t, delta)[1]

    def unit_slope(y, t, delta):
        d = y - t
        return HuberLoss.solution(y, t, delta)[0], np.where(np.abs(d) <= delta, d, np.sign(d)) / len(d)

    def no_sign(y, t, delta):
        return HuberLoss.solution(y, t, delta)[0], np.minimum(np.abs(y - t), delta) / len(y)

    def summed(y, t, delta):
        return HuberLoss.solution(y, t, delta)[0], np.clip(y - t, -delta, delta)

    wrong = {
        "At the point where the two formulas meet they must agree, or the loss has a jump.": jump,
        "The slope of the line is the width, not 1.": unit_slope,
        "A prediction that is too low must be pulled up: the gradient has the sign of the difference.": no_sign,
        "result 2: as many times too large as y has rows: is the mean taken?": summed,
        "Here an outlier costs and pulls as much as in squared error.": lambda y, t, delta: (
            ((y - t) ** 2).mean() / 2,
            (y - t) / len(y),
        ),
    }


class SoftmaxTwice(Exercise):
    r"""A loss that stays high

    A model with three classes learns, but slowly, and however long it trains, its loss never falls below 0.55. The loss
    below is like those of the libraries: it takes scores. Find the fault, and correct it.
    """

    level = "debug"
    hint = "What does the loss get for the scores (1000, 0, 0), if the first class is right?"
    inputs = [
        (np.log([[2.0, 3.0, 5.0], [1.0, 1.0, 2.0]]), np.array([1, 2])),
        (np.array([[9.0, 0.0, -3.0], [0.0, 1.0, 0.0], [2.0, 2.0, 7.0]]), np.array([0, 1, 1])),
        (np.array([[1000.0, 0.0, 0.0], [-1000.0, 5.0, 0.0], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]), np.array([1, 1, 2, 0])),
    ]

    def given(x, t):
        """Return the mean cross-entropy of scores x (N, C) and index labels t (N,)."""
        e = np.exp(x - x.max(axis=1, keepdims=True))
        y = e / e.sum(axis=1, keepdims=True)
        log_y = y - np.log(np.exp(y).sum(axis=1, keepdims=True))
        return -log_y[np.arange(len(t)), t].mean()

    def solution(x, t):
        """Return the mean cross-entropy of scores x (N, C) and index labels t (N,)."""
        shifted = x - x.max(axis=1, keepdims=True)
        log_y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -log_y[np.arange(len(t)), t].mean()

    worked = r"""
    The third line is a softmax and its logarithm in one, $x - \operatorname{lse}(x)$, but it gets the *output* of a
    softmax. Probabilities differ by at most 1, so the right class can get $e / (e + 2) = 0.58$ at best, and the loss
    cannot fall below $\log(1 + 2/e) = 0.5514$. The first two lines have to go, and the scores, shifted, take their
    place. In a library the same fault is a model that ends in a softmax layer, with a loss that takes logits.
    """

    def same(x, t):
        return np.mean([np.logaddexp.reduce(row) - row[label] for row, label in zip(x, t, strict=True)])

    def log_of_rounded(x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return -np.log(e / e.sum(axis=1, keepdims=True))[np.arange(len(t)), t].mean()

    def unshifted(x, t):
        return (np.log(np.exp(x).sum(axis=1)) - x[np.arange(len(t)), t]).mean()

    def shifted_lse(x, t):
        shifted = x - x.max(axis=1, keepdims=True)
        return (np.log(np.exp(shifted).sum(axis=1)) - x[np.arange(len(t)), t]).mean()

    wrong = {
        "The scores still go through softmax twice.": given,
        "divide by zero": log_of_rounded,
        "overflow": unshifted,
        "If the scores are shifted in the log-sum-exp, they must be shifted everywhere.": shifted_lse,
    }


class WeightsWithPrior(Exercise):
    r"""Weights with a prior

    A logistic regression has one score for each row of `data` (N, D): the weighted sum of the row with weights `w`,
    plus a bias `b`. Before any data we believe each weight to be normal with mean 0 and standard deviation `s`; about
    the bias we assume nothing. Return what the most probable parameters minimise, the mean binary cross-entropy with
    its penalty $\frac r2 \sum_i w_i^2$, then its gradient with respect to `w`, and its derivative with respect to
    `b`.
    """

    level = "transfer"
    hint = "What is $r$, in terms of N and s? And which of the three results does the bias take part in?"
    inputs = [
        (np.array([1.0, -2.0]), 0.5, np.array([[1.0, 0.0], [0.5, 1.0], [-1.0, 2.0]]), np.array([1, 0, 1]), 0.5),
        (np.array([0.5]), -1.0, np.array([[1.0], [-1.0]]), np.array([1, 0]), 3.0),
        (np.array([2.0, 0.0, 1.0]), 2.0, np.array([[500.0, 1.0, 2.0], [-500.0, 0.0, 1.0]]), np.array([0, 0]), 2.0),
    ]

    def solution(w, b, data, t, s):
        """Return the loss with its penalty, and its derivatives with respect to w (D,) and b."""
        x = data @ w + b
        r = 1 / (len(t) * s**2)
        loss = (np.logaddexp(0, x) - t * x).mean() + r / 2 * (w**2).sum()
        dx = (np.exp(-np.logaddexp(0, -x)) - t) / len(t)
        return loss, data.T @ dx + r * w, dx.sum()

    worked = r"""
    Likelihood times prior is $\prod_n p(t_n) \cdot e^{-\sum w_i^2 / 2 s^2}$, up to a constant. Minus its logarithm,
    divided by N, is the mean cross-entropy plus $\frac{1}{2 N s^2} \sum w_i^2$, so $r = 1 / (N s^2)$. The penalty
    adds $r\,w$ to the gradient with respect to the weights. The bias has no prior, so neither has its derivative.
    `np.logaddexp(0, x)` is $\log(1 + e^x)$, and $e^{-\log(1 + e^{-x})} = \sigma(x)$, both without overflow.
    """

    def same(w, b, data, t, s):
        x = data.dot(w) + b
        e = np.exp(-np.abs(x))
        y = np.where(x >= 0, 1, e) / (1 + e)
        losses = np.abs(x) * np.where(x >= 0, 1 - t, t) + np.log1p(e)
        n = t.size
        return losses.sum() / n + np.dot(w, w) / (2 * n * s * s), ((y - t) @ data + w / s**2) / n, (y - t).sum() / n

    def with_price(w, b, data, t, r, priced_bias=0):
        loss, dw, db = WeightsWithPrior.solution(w, b, data, t, np.inf)
        return loss + r / 2 * ((w**2).sum() + priced_bias * b**2), dw + r * w, db + priced_bias * r * b

    def whole_price(w, b, data, t, s):
        return WeightsWithPrior.with_price(w, b, data, t, 1 / s**2)

    def inverse(w, b, data, t, s):
        return WeightsWithPrior.with_price(w, b, data, t, s**2 / len(t))

    def bias_too(w, b, data, t, s):
        return WeightsWithPrior.with_price(w, b, data, t, 1 / (len(t) * s**2), 1)

    def deviation(w, b, data, t, s):
        return WeightsWithPrior.with_price(w, b, data, t, 1 / (len(t) * s))

    def not_in_gradient(w, b, data, t, s):
        loss, _, _ = WeightsWithPrior.solution(w, b, data, t, s)
        return loss, *WeightsWithPrior.solution(w, b, data, t, np.inf)[1:]

    wrong = {
        "The loss is a mean over the rows, so minus the logarithm of the prior is divided by N too.": whole_price,
        "A small s is a firm belief that the weights are small: the price must be high.": inverse,
        "About the bias we assume nothing, so it has no price.": bias_too,
        "The variance is the square of the standard deviation.": deviation,
        "The price belongs to the loss, and so to its gradient.": not_in_gradient,
    }
