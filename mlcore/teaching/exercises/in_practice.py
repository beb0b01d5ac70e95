"""Exercises of section 1.5."""

import math

import numpy as np

from mlcore.teaching.practice import Exercise


class WhichPartHelps(Exercise):
    r"""Which part of the recipe?

    Somebody shows you a training run. Which part of the recipe is the first to try: `"start"` (initial weights),
    `"schedule"` (a rate that falls), `"clip"`, or `"decay"`?

    - `a`: the loss falls quickly, then jumps up and down around 0.1 until the end.
    - `b`: six hidden layers of ReLU, weights of 0.001 times a normal number; the loss stays at $\ln 10$ from the first
      step on.
    - `c`: the loss falls evenly; at step 900 the norm of the gradient, usually near 2, is 4,000, and from then on the
      loss is at chance.
    - `d`: the training loss is 0.001, the validation loss 0.4 and rising.
    """

    level = "recall"
    hint = "Where does the run go wrong: at the first step, in a single step, at the end, or only on other images?"
    solution = {"a": "schedule", "b": "start", "c": "clip", "d": "decay"}
    worked = r"""
    (a) With a constant rate the parameters hover about the minimum; smaller steps let them settle. (b) Weights this
    small shrink the signal in each layer: the scores are all 0, and so are the gradients. (c) One step was too long and
    has killed units; a limit would have shortened it. (d) Overfitting: decay makes large weights expensive.
    """
    same = {"a": "Schedule", "b": "Start", "c": "Clip", "d": "Decay"}
    wrong = {
        "A limit on the norm does not make ordinary steps shorter towards the end.": solution | {"a": "clip"},
        "A single step did it: before that, all was well.": solution | {"c": "schedule"},
        'd: "clip" is not right': solution | {"d": "clip"},
        'b: "decay" is not right': solution | {"b": "decay"},
    }


class TrueOrFalsePractice(Exercise):
    r"""True or false?

    - `a`: Adam adapts its steps, so its learning rate never needs to fall.
    - `b`: Clipping the norm of all gradients together keeps the direction of the step of SGD.
    - `c`: For plain SGD, an L2 price and weight decay give the same steps.
    - `d`: With dropout, the training loss may lie above the validation loss without any fault.
    - `e`: A part of the recipe that makes no measurable difference on these images has been shown to be useless.
    - `f`: With Xavier's weights, a deep network of ReLUs keeps the size of its signals.
    """

    level = "recall"
    solution = {"a": False, "b": True, "c": True, "d": True, "e": False, "f": False}
    worked = r"""
    (a) Its steps are about $\eta$ long near the minimum too; only if $\eta$ is small, it need not fall. (b) All entries
    are multiplied by one number. (c) Both multiply a weight by $1 - \eta\lambda$ before the step of the data. (d) It is
    measured with units missing. (e) A difference smaller than two standard errors says neither yes nor no. (f) ReLU
    halves the mean square, and Xavier does not make up for it.
    """
    same = {"a": 0 == 1, "b": 1 == 1, "c": 1 == 1, "d": 1 == 1, "e": 0 == 1, "f": 0 == 1}
    wrong = {
        "How long is a step of Adam where the gradient is small?": solution | {"a": True},
        'No result is not the result "no".': solution | {"e": True},
        "b: False is not right": solution | {"b": False},
        "c: False is not right": solution | {"c": False},
        "d: False is not right": solution | {"d": False},
        "f: True is not right": solution | {"f": True},
    }


class CosineByHand(Exercise):
    r"""A schedule by hand

    `cosine(0.2, steps=100, warmup=20)`: the rate rises along a line in 20 steps, the last of which has the full rate,
    then falls along half a cosine. Steps count from 0. What is the rate

    - `first`: in step 0,
    - `tenth`: in step 9,
    - `half`: in step 60,
    - `late`: in step 80, where three quarters of the cosine are over?
    """

    level = "by hand"
    hint = "cos(π/2) = 0 and cos(3π/4) = −0.7071."
    solution = {
        "first": 0.2 / 20,
        "tenth": 0.2 * 10 / 20,
        "half": 0.2 / 2 * (1 + math.cos(math.pi * 40 / 80)),
        "late": 0.2 / 2 * (1 + math.cos(math.pi * 60 / 80)),
    }
    worked = r"""
    $\eta_k = 0.2 \cdot (k + 1)/20$ while it warms up: 0.01 and 0.1. Then 80 steps are left; step 60 has 40 of them
    behind it, half of the way: $0.1 \cdot (1 + 0) = 0.1$. Step 80: $0.1 \cdot (1 - 0.7071) = 0.0293$.
    """
    same = {"first": 0.01, "tenth": 0.1, "half": 0.1, "late": 0.0293}
    wrong = {
        "A rate of 0 would waste the first step.": solution | {"first": 0},
        "The cosine begins only after the warm-up, and has 80 steps.": solution
        | {"half": 0.1 * (1 + math.cos(math.pi * 0.6))},
        "late: the number is 0.05": solution | {"late": 0.05},
        "tenth: the number is 0.09": solution | {"tenth": 0.09},
    }


class ClipByHand(Exercise):
    r"""Two ways to clip

    A network has two arrays of gradients, $(2, -3)$ and $(6)$. The limit is 3.5.

    - `norm`: of all gradients together.
    - `factor`: by which they are multiplied, if their common norm is clipped.
    - `entry`: the entry $-3$ after that.
    - `by_value`: all three entries, if instead each is cut to $[-3.5, 3.5]$.
    """

    level = "by hand"
    hint = "4 + 9 + 36."
    solution = {
        "norm": math.sqrt(2**2 + 3**2 + 6**2),
        "factor": 3.5 / 7,
        "entry": -3 * 3.5 / 7,
        "by_value": np.array([2, -3, 3.5]),
    }
    worked = r"""
    $\sqrt{49} = 7$, twice the limit, so everything is halved: $(1, -1.5)$ and $(3)$, the same direction. Cut by value,
    only the 6 changes, and the direction with it.
    """
    same = {"norm": 7, "factor": 0.5, "entry": -1.5, "by_value": (2.0, -3.0, 3.5)}
    wrong = {
        "There is one norm for all arrays.": solution | {"norm": 6},
        "This is the sum of the absolute values.": solution | {"norm": 11},
        "entry: the sign is wrong": solution | {"entry": 1.5},
        "factor: 4 times too large": solution | {"factor": 2},
        "A cut by value leaves small entries alone.": solution | {"by_value": [1, -1.5, 3]},
    }


class DecayOrPrice(Exercise):
    r"""Decay or price, for SGD and for Adam

    A weight of 2 has the gradient $-0.4$ from the data. The learning rate is 0.1, $\lambda = 0.5$. Where is it
    after the first step of

    - `sgd_price`: SGD with the L2 price $\tfrac\lambda2 w^2$ in the loss;
    - `sgd_decay`: SGD with weight decay, $w \leftarrow (1 - \eta\lambda) w$ and then the step;
    - `adam_price`: Adam with that price in the loss;
    - `adam_decay`: AdamW?

    Adam's first step is $-\eta$ times the sign of the gradient it gets (neglect $\epsilon$).
    """

    level = "by hand"
    hint = "With the price, what is the sign of the gradient?"
    solution = {
        "sgd_price": 2 - 0.1 * (-0.4 + 0.5 * 2),
        "sgd_decay": (1 - 0.1 * 0.5) * 2 - 0.1 * (-0.4),
        "adam_price": 2 - 0.1,
        "adam_decay": (1 - 0.1 * 0.5) * 2 + 0.1,
    }
    worked = r"""
    The gradient with the price is $-0.4 + 1 = 0.6$: SGD goes to $2 - 0.06 = 1.94$. Decay: $1.9 + 0.04 = 1.94$, the
    same. Adam sees only the sign: with the price it is $+$, so 1.9, and the data have lost. AdamW shrinks to 1.9 and
    then follows the data, $+0.1$: 2.
    """
    same = {"sgd_price": 1.94, "sgd_decay": 1.94, "adam_price": 1.9, "adam_decay": 2}
    wrong = {
        "With the price the gradient is positive: which way does Adam go?": solution | {"adam_price": 2.1},
        "AdamW does both: the decay, and a step by the gradient of the data.": solution | {"adam_decay": 1.9},
        "The derivative of ½ λ w² is λ w.": solution | {"sgd_price": 2 - 0.1 * (-0.4 + 0.25 * 4 / 2)},
        "sgd_decay: the number is 1.86": solution | {"sgd_decay": 1.86},
    }


class SizesByHand(Exercise):
    r"""How large are the first weights?

    - `he`: the standard deviation of He's weights for 128 inputs.
    - `xavier`: that of Xavier's for 100 inputs and 28 outputs.
    - `shrunk`: by what is the *size* (root of the mean square) of a signal multiplied in six ReLU layers of equal width
      with Xavier's weights?
    - `first_step`: Adam's first step with $\eta = 0.05$, as a share of the size of the weights in `he`.
    """

    level = "by hand"
    hint = "In each such layer the mean square is halved."
    solution = {
        "he": math.sqrt(2 / 128),
        "xavier": math.sqrt(2 / (100 + 28)),
        "shrunk": 0.5 ** (6 / 2),
        "first_step": 0.05 / 0.125,
    }
    worked = r"""
    $\sqrt{2/128} = 1/8$, twice. Six layers multiply the mean square by $2^{-6}$, the size by $2^{-3} = 0.125$. A step
    of 0.05 is 40 % of a weight of 0.125, taken on the evidence of one batch.
    """
    same = {"he": 0.125, "xavier": 0.125, "shrunk": 0.125, "first_step": 0.4}
    wrong = {
        "This is the variance; the standard deviation is its root.": solution | {"he": 2 / 128},
        "The size is the root of the mean square.": solution | {"shrunk": 2.0**-6},
        "xavier: the number is 0.1414": solution | {"xavier": 0.1414},
        "first_step: the number is 2.5": solution | {"first_step": 2.5},
    }


class WhatDropoutKeeps(Exercise):
    r"""What dropout keeps

    An output of 3 passes a dropout layer with $p = 0.25$ while training.

    - `kept`: what becomes of it if it is kept?
    - `mean`: what is it on average?
    - `deviation`: what is its standard deviation?
    - `predicting`: what becomes of it in `predict`?
    """

    level = "by hand"
    hint = "It is 0 with probability ¼ and `kept` with probability ¾."
    solution = {
        "kept": 3 / (1 - 0.25),
        "mean": 0.75 * 4 + 0.25 * 0,
        "deviation": math.sqrt(0.75 * (4 - 3) ** 2 + 0.25 * (0 - 3) ** 2),
        "predicting": 3,
    }
    worked = r"""
    $3/0.75 = 4$. The mean is $0.75 \cdot 4 = 3$: that is what the division is for. The variance is
    $0.75 \cdot 1 + 0.25 \cdot 9 = 3$, the deviation 1.732. In `predict` nothing is dropped and nothing divided.
    """
    same = {"kept": 4.0, "mean": 3.0, "deviation": 1.732, "predicting": 3.0}
    wrong = {
        "This is the variance.": solution | {"deviation": 3},
        "The others grow, so that the mean stays the same.": solution | {"kept": 3, "mean": 2.25},
        "predicting: the number is 2.25": solution | {"predicting": 2.25},
        "Divided by the share that is kept, not by the one that is dropped.": solution | {"kept": 12},
    }


class Trapezoid(Exercise):
    r"""A schedule with a plateau

    There is a fourth kind of schedule, with a plateau between two lines. Write
    `trapezoid(k, lr, steps, warmup, cooldown)`, the rate of step `k` (from 0 to `steps - 1`): in the first `warmup`
    steps it rises along a line, $\eta (k + 1) / w$; in the last `cooldown` steps it falls along a line,
    $\eta\,(n - k)/(c + 1)$, so that the last one has $\eta/(c + 1)$; in between it is $\eta$. Warm-up and cool-down do
    not overlap; each may be 0.
    """

    level = "implement"
    hint = "How many steps are left, with this one? n − k."
    inputs = [
        (0, 0.5, 20, 4, 5),
        (3, 0.5, 20, 4, 5),
        (4, 0.5, 20, 4, 5),
        (14, 0.5, 20, 4, 5),
        (15, 0.5, 20, 4, 5),
        (19, 0.5, 20, 4, 5),
        (0, 0.3, 10, 0, 0),
        (9, 0.3, 10, 0, 0),
        (2, 0.7, 7, 3, 4),
        (3, 0.7, 7, 3, 4),
    ]

    def solution(k, lr, steps, warmup, cooldown):
        """Return the learning rate of step k."""
        if k < warmup:
            return lr * (k + 1) / warmup
        if k >= steps - cooldown:
            return lr * (steps - k) / (cooldown + 1)
        return lr

    worked = r"""
    The two lines can also be taken as limits: the least of $\eta$ and both of them is the rate. It begins and
    ends above 0, so no step is wasted.
    """

    def same(k, lr, steps, warmup, cooldown):
        return lr * min(1, (k + 1) / max(warmup, 1), (steps - k) / (cooldown + 1))

    def _from_zero(k, lr, steps, warmup, cooldown):
        return lr * min(1, k / max(warmup, 1), (steps - k) / (cooldown + 1))

    def _to_zero(k, lr, steps, warmup, cooldown):
        return lr * min(1, (k + 1) / max(warmup, 1), (steps - 1 - k) / (cooldown + 1))

    def _never_falls(k, lr, steps, warmup, cooldown):
        return lr * min(1, (k + 1) / max(warmup, 1))

    wrong = {
        "Step 0 counts: its rate is not 0.": _from_zero,
        "The last step counts as well.": _to_zero,
        "0.5, but 0.4167 is expected": _never_falls,
    }


class ClipTogether(Exercise):
    r"""Clip all gradients together

    Write `clip_together(grads, limit)`: it returns new arrays, the gradients of the list shrunk together so that their
    common norm is at most `limit`. If it is below, nothing changes. Leave the arrays of `grads` as they are.
    """

    level = "implement"
    hint = "Square, sum over each array, sum over the list, root. One factor for all."
    inputs = [
        ([np.array([[3.0, 0.0], [0.0, 0.0]]), np.array([0.0, 4.0, 0.0])], 1.0),
        ([np.array([0.3]), np.array([[0.0, -0.4]])], 1.0),
        ([np.array([0.0, 0.0]), np.array([0.0])], 2.0),
        ([np.array([1.5, -2.0]), np.array([[6.0]])], 13.0),
        ([np.array([1.5, -2.0]), np.array([[6.0]])], 3.25),
    ]

    def solution(grads, limit):
        """Return the list of the gradients, clipped."""
        norm = np.sqrt(sum((grad**2).sum() for grad in grads))
        factor = limit / norm if norm > limit else 1.0
        return [grad * factor for grad in grads]

    worked = r"""
    The condition also keeps the division away from a norm of 0. `mlcore.clip_gradients` works in place, since an
    optimizer holds these very arrays, and divides by the largest entry before squaring, so that nothing overflows.
    """

    def same(grads, limit):
        norm = np.linalg.norm(np.concatenate([grad.ravel() for grad in grads]))
        return [grad * min(1.0, limit / max(norm, 1e-300)) for grad in grads]

    def _each_alone(grads, limit):
        return [grad * min(1.0, limit / max(np.linalg.norm(grad), 1e-300)) for grad in grads]

    def _always(grads, limit):
        norm = np.sqrt(sum((grad**2).sum() for grad in grads))
        return [grad * limit / max(norm, 1e-300) for grad in grads]

    def _in_place(grads, limit):
        norm = np.sqrt(sum((grad**2).sum() for grad in grads))
        for grad in grads:
            grad *= min(1.0, limit / max(norm, 1e-300))
        return grads

    def _by_value(grads, limit):
        return [np.clip(grad, -limit, limit) for grad in grads]

    wrong = {
        "One norm for all arrays, not one for each.": _each_alone,
        "Short gradients are not to be stretched.": _always,
        "grads itself is changed": _in_place,
        "This cuts each entry, and changes the direction.": _by_value,
    }


class ErrorOfDifferences(Exercise):
    r"""The standard error of a difference

    Two networks have answered the same images; `a` and `b` hold True where they were right. Write
    `error_of_differences(a, b)`, which returns two numbers: the difference of their accuracies, `a` minus `b`, and its
    standard error, from the differences image by image (their sample standard deviation, with $n - 1$, divided by
    $\sqrt n$).
    """

    level = "implement"
    hint = "Subtract as numbers: NumPy refuses `-` between truth values."
    inputs = [
        (np.array([True, True, False, True, True]), np.array([True, False, False, True, False])),
        (np.array([True, False, True, True]), np.array([False, True, True, True])),
        (np.array([True, True, True]), np.array([True, True, True])),
        (
            np.array([True, False, False, True, True, False, True]),
            np.array([True, True, True, True, True, False, True]),
        ),
    ]

    def solution(a, b):
        """Return the difference of the accuracies and its standard error."""
        d = a.astype(float) - b.astype(float)
        return d.mean(), d.std(ddof=1) / np.sqrt(len(d))

    worked = r"""
    Images on which both are right, or both wrong, count as 0, and only make the error smaller. Taking the errors of the
    two accuracies one by one and adding their squares would treat the images as independent, and find too large an
    error for networks that stumble over the same ones.
    """

    def same(a, b):
        d = 1.0 * a - 1.0 * b
        return a.mean() - b.mean(), math.sqrt(((d - d.mean()) ** 2).sum() / (len(d) - 1) / len(d))

    def _independent(a, b):
        errors = [x.astype(float).var(ddof=1) / len(x) for x in (a, b)]
        return a.mean() - b.mean(), math.sqrt(sum(errors))

    def _no_root(a, b):
        d = 1.0 * a - 1.0 * b
        return d.mean(), d.std(ddof=1)

    def _n(a, b):
        d = 1.0 * a - 1.0 * b
        return d.mean(), d.std() / np.sqrt(len(d))

    def _turned(a, b):
        d = 1.0 * b - 1.0 * a
        return d.mean(), d.std(ddof=1) / np.sqrt(len(d))

    wrong = {
        "This treats the two networks as if they had seen different images.": _independent,
        "This is the deviation of one image; the mean of n is more certain.": _no_root,
        "The sample standard deviation divides by n − 1.": _n,
        "The difference is `a` minus `b`.": _turned,
    }


class DecayGoneWrong(Exercise):
    r"""Debug: a decay that depends on the gradient

    This function should make one step of AdamW, given the corrected averages `m_hat` and `v_hat`, and return the new
    parameter. In tests the decay does less to weights whose gradients are large. Find out why, and put it right.
    """

    level = "debug"
    hint = "What is divided by the root of v_hat, and what should be?"
    inputs = [
        (np.array([2.0, -1.0, 0.5]), np.array([0.1, 0.0, -3.0]), np.array([0.04, 1.0, 9.0]), 0.1, 0.5, 1e-8),
        (np.array([[1.0, -4.0]]), np.array([[0.0, 0.0]]), np.array([[1e-4, 100.0]]), 0.01, 2.0, 1e-3),
        (np.array([1.0, -2.0]), np.array([0.2, -0.5]), np.array([0.01, 0.09]), 0.1, 0.1, 0.1),
    ]

    def given(theta, m_hat, v_hat, lr, decay, eps):
        """Return the parameter after one step of AdamW."""
        return theta - lr * (m_hat + decay * theta) / (np.sqrt(v_hat) + eps)

    def solution(theta, m_hat, v_hat, lr, decay, eps):
        """Return the parameter after one step of AdamW."""
        return (1 - lr * decay) * theta - lr * m_hat / (np.sqrt(v_hat) + eps)

    worked = r"""
    The decay must not be divided by the size of the gradients. Outside of the fraction it shrinks every parameter by
    the same factor.
    """

    def same(theta, m_hat, v_hat, lr, decay, eps):
        return theta - lr * (m_hat / (np.sqrt(v_hat) + eps) + decay * theta)

    def _no_rate(theta, m_hat, v_hat, lr, decay, eps):
        return (1 - decay) * theta - lr * m_hat / (np.sqrt(v_hat) + eps)

    def _grows(theta, m_hat, v_hat, lr, decay, eps):
        return (1 + lr * decay) * theta - lr * m_hat / (np.sqrt(v_hat) + eps)

    def _eps_inside(theta, m_hat, v_hat, lr, decay, eps):
        return (1 - lr * decay) * theta - lr * m_hat / np.sqrt(v_hat + eps)

    wrong = {
        "The decay, too, is multiplied by the learning rate.": _no_rate,
        "This lets the parameters grow.": _grows,
        "ε goes outside the root.": _eps_inside,
    }


class DropoutGoneWrong(Exercise):
    r"""Debug: the way back through dropout

    A dropout layer that is told what to keep: `kept` is an array of 0 and 1. Its `forward` is right, and a network with
    it trains, only worse than it should. Find the fault in `backward`.
    """

    level = "debug"
    hint = "What did an output that was dropped have to do with the loss?"
    inputs = [
        (0.5, np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]), np.array([[1.0, 2.0, -3.0], [4.0, -5.0, 6.0]])),
        (0.2, np.array([[1.0, 1.0, 0.0, 1.0]]), np.array([[0.5, -1.0, 2.0, 3.0]])),
    ]

    class given:
        def __init__(self, p, kept):
            self.p, self.kept = p, kept

        def forward(self, x):
            return x * self.kept / (1 - self.p)

        def backward(self, dout):
            return dout / (1 - self.p)

    class solution:
        def __init__(self, p, kept):
            self.p, self.kept = p, kept

        def forward(self, x):
            return x * self.kept / (1 - self.p)

        def backward(self, dout):
            return dout * self.kept / (1 - self.p)

    worked = r"""
    The layer multiplies by a number, so its gradient is multiplied by the same one: 0 where it was dropped. The faulty
    version trains as well, since most of its gradients are right; a gradient check with a fixed `kept` finds it.
    """

    class same:
        def __init__(self, p, kept):
            self.m = np.where(kept > 0, 1 / (1 - p), 0)

        def forward(self, x):
            return self.m * x

        def backward(self, dout):
            return self.m * dout

    class _not_scaled(solution):
        def backward(self, dout):
            return dout * self.kept

    class _drops_the_others(solution):
        def backward(self, dout):
            return dout * (1 - self.kept) / (1 - self.p)

    wrong = {
        "The gradient passes the same factor as the value, 1 / (1 − p) included.": _not_scaled,
        "These are the ones that were dropped.": _drops_the_others,
    }


class HowFarCosineGoes(Exercise):
    r"""How far does a falling rate go?

    Adam's steps have about the length $\eta_k$, so that the sum of all rates says how far a parameter can travel. In
    100 steps with a largest rate of 0.1:

    - `constant`: the sum of the rates, if the rate is constant.
    - `step`: if it is divided by 10 after half of the steps.
    - `cosine`: if it falls along a cosine, $\frac{\eta}{2}(1 + \cos\frac{\pi k}{100})$ for $k = 0, \dots, 99$.
    - `epochs`: if 8 epochs at a small constant rate were just enough, how many does a cosine with the same largest rate
      need to go as far, roughly? (A whole number.)
    """

    level = "transfer"
    hint = "The cosines of k and 100 − k cancel in pairs; what is left?"
    solution = {
        "constant": 100 * 0.1,
        "step": 50 * 0.1 + 50 * 0.01,
        "cosine": sum(0.05 * (1 + math.cos(math.pi * k / 100)) for k in range(100)),
        "epochs": 16,
    }
    worked = r"""
    10; $5 + 0.5 = 5.5$; and $0.05 \cdot (100 + 1) = 5.05$, since of the cosines only that of $k = 0$ is left. Half as
    far, so twice as many epochs. That is why at a rate that is small already a falling one brings nothing in the same
    time.
    """
    same = {"constant": 10, "step": 5.5, "cosine": 5.05, "epochs": 16}
    wrong = {
        "Half of the steps keep the full rate.": solution | {"step": 1.0},
        "A falling rate travels less in a step, so it needs more of them.": solution | {"epochs": 4},
        "cosine: the number is 10": solution | {"cosine": 10},
        "How far does it go with 8 epochs?": solution | {"epochs": 8},
    }


class UntilHalf(Exercise):
    r"""How long until half?

    The data send a weight no gradient. It starts at 0.2; $\eta = 0.001$, $\lambda = 0.01$. After about how many steps
    is it at 0.1

    - `price`: under Adam with an L2 price (its steps are $\eta$ long; neglect $\epsilon$);
    - `cheaper`: the same with $\lambda = 0.0001$;
    - `decay`: under AdamW;
    - `sgd`: under SGD with an L2 price and the same $\eta$ and $\lambda$?

    Within one percent.
    """

    level = "transfer"
    within = 0.01
    hint = "One of them walks, the others shrink by a factor."
    solution = {
        "price": 0.1 / 0.001,
        "cheaper": 0.1 / 0.001,
        "decay": math.log(0.5) / math.log(1 - 0.001 * 0.01),
        "sgd": math.log(0.5) / math.log(1 - 0.001 * 0.01),
    }
    worked = r"""
    Under Adam the gradient $\lambda w$ is divided by its own size: 100 steps of 0.001, whatever $\lambda$ is. AdamW
    multiplies by $1 - \eta\lambda = 0.99999$ in each step: $\ln 2 / 0.00001 = 69{,}300$ steps. SGD does the same.
    """
    same = {"price": 100, "cheaper": 100, "decay": 69315, "sgd": 69315}
    wrong = {
        "In the quotient of Adam the λ cancels.": solution | {"cheaper": 10_000},
        "AdamW's decay does not go through the quotient.": solution | {"decay": 100},
        "At 0.1, not at 0.": solution | {"price": 200},
        "The decay is multiplied by the learning rate.": solution | {"decay": math.log(0.5) / math.log(1 - 0.01)},
    }


class HowManySeeds(Exercise):
    r"""How many would it take?

    You hope for an improvement of half a percentage point, and want a standard error of 0.2 points from each of the two
    sources.

    - `seeds`: the difference between the two versions varies from seed to seed with a standard deviation of 0.8 points.
      How many seeds?
    - `images`: on 4 % of the images the two differ, about as often one way as the other (so that the mean is nearly 0).
      How many test images?
    - `whole`: the standard error of both together.
    - `enough`: would a difference of 0.5 then be a result, by the rule of two standard errors?
    """

    level = "transfer"
    hint = "Differences of +1, 0 and −1, of which 4 % are not 0, have a variance of 0.04."
    solution = {
        "seeds": (0.8 / 0.2) ** 2,
        "images": 0.04 / 0.002**2,
        "whole": math.sqrt(0.2**2 + 0.2**2),
        "enough": False,
    }
    worked = r"""
    $0.8/\sqrt{n} = 0.2$ gives 16 seeds. $\sqrt{0.04/n} = 0.002$ gives 10,000 images; we have 360. Together
    $0.2\sqrt2 = 0.28$ points, and twice that is 0.57: even then half a point would not be enough.
    """
    same = {"seeds": 16, "images": 10_000, "whole": 0.283, "enough": 2 * math.hypot(0.2, 0.2) < 0.5}
    wrong = {
        "The error falls with the root of the number.": solution | {"seeds": 4},
        "0.2 points are 0.002.": solution | {"images": 1},
        "Independent errors add as squares.": solution | {"whole": 0.4},
        "enough: True is not right": solution | {"enough": True},
    }
