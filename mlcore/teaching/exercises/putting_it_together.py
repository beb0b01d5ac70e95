"""Exercises of section 1.4."""

import math

import numpy as np

from mlcore import sigmoid
from mlcore.teaching.practice import Exercise


class WhichTestFinds(Exercise):
    r"""Which test finds it?

    A network is to be trained, and something is wrong. Which test finds the fault first, in the order of the chapter:
    `"chance"` (the first loss), `"gradient"` (the gradient check), `"overfit"` (memorising twenty examples) or
    `"validation"` (the accuracy on examples that were not trained on)?

    - `a`: the loss is a sum over the batch instead of a mean, and so is its gradient.
    - `b`: the gradient of one bias is divided by the batch size once too often.
    - `c`: the optimizer was given copies of the parameters.
    - `d`: the images were shuffled, but the labels were not.
    """

    level = "recall"
    hint = (
        "A loss and a gradient that are both of the wrong size agree with each other. Which test knows the right size?"
    )
    solution = {"a": "chance", "b": "gradient", "c": "overfit", "d": "validation"}
    worked = r"""
    (a) The first loss should be the logarithm of the number of classes, and is as many times too large as the batch has
    rows; the gradient check compares two wrong numbers that agree. (b) The loss is right and one gradient is not.
    (c) Loss and gradients are right, but nothing moves: not even twenty examples are learned. (d) Twenty examples with
    wrong labels can be memorised as well, which does not help with any others.
    """
    same = {"a": "Chance", "b": "Gradient", "c": "Overfit", "d": "Validation"}
    wrong = {
        "A gradient check compares the gradient with the loss as it is, sum or mean.": solution | {"a": "gradient"},
        "A network can memorise wrong labels as well.": solution | {"d": "overfit"},
        'c: "gradient" is not right': solution | {"c": "gradient"},
    }


class TrueOrFalseTraining(Exercise):
    r"""True or false?

    - `a`: With a price on the weights, the total loss is lowest where the data loss is lowest.
    - `b`: In the first epochs the test loss may lie below the training loss, without any fault.
    - `c`: The learning rate may be chosen with the test images, as long as the network is not trained on them.
    - `d`: On a spiral, a linear classifier with enough training reaches 90 %.
    - `e`: Two networks with 352 and 354 of 360 test images right may be equally good.
    """

    level = "recall"
    solution = {"a": False, "b": True, "c": False, "d": False, "e": True}
    worked = r"""
    (a) At that point smaller weights would still lower the price. (b) The training loss is a mean over the epoch,
    the test loss is taken at its end. (c) Whatever is chosen with images is fitted to them; choose with validation
    images. (d) Its borders are straight, and more training does not bend them. (e) The standard error is 0.7 %, or 2 to
    3 images.
    """
    same = {"a": 0 == 1, "b": 1 == 1, "c": 0 == 1, "d": 0 == 1, "e": 1 == 1}
    wrong = {
        "The best of many is the best on these images: the choice is a kind of training.": solution | {"c": True},
        "Where the data loss is lowest, in which direction does the price fall?": solution | {"a": True},
        "b: False is not right": solution | {"b": False},
        "e: False is not right": solution | {"e": False},
    }


class StepsAndParameters(Exercise):
    r"""Steps and parameters

    A 64–30–10 network (two Affine layers) is trained on 1,437 images in batches of 50, for 20 epochs.

    - `parameters`: how many has it?
    - `steps`: how many updates are made?
    - `last`: how many images has the last batch of an epoch?
    - `size`: how many numbers does Adam keep for them, besides parameters and gradients?
    """

    level = "by hand"
    hint = "A layer has a weight for each pair of input and output, and a bias for each output."
    solution = {
        "parameters": 64 * 30 + 30 + 30 * 10 + 10,
        "steps": 20 * math.ceil(1437 / 50),
        "last": 1437 - 28 * 50,
        "size": 2 * (64 * 30 + 30 + 30 * 10 + 10),
    }
    worked = r"""
    $64\cdot30 + 30 = 1950$ and $30\cdot10 + 10 = 310$. 28 full batches take 1,400 images, the 29th has 37;
    $20 \cdot 29 = 580$ updates. Adam keeps two averages for each parameter.
    """
    same = {"parameters": 2260, "steps": 580, "last": 37, "size": 4520}
    wrong = {
        "Have the biases been counted?": solution | {"parameters": 64 * 30 + 30 * 10},
        "The last, smaller batch is a step as well.": solution | {"steps": 20 * 28},
        "size: 2 times too small": solution | {"size": 2260},
    }


class PriceByHand(Exercise):
    r"""A price by hand

    The loss is $L + \frac r2 \sum w^2$ with $r = 0.1$, the learning rate is 0.5.

    - `price`: what do the weights $(1, -2, 3)$ cost?
    - `gradient`: the gradient of the whole loss with respect to a weight $w = 3$, if $\partial L/\partial w = -0.2$.
    - `after`: this weight after one step of gradient descent.
    - `factor`: by what is a weight multiplied in a step, if $\partial L/\partial w = 0$?
    """

    level = "by hand"
    hint = "The derivative of half a square is the number itself."
    solution = {
        "price": 0.1 / 2 * (1 + 4 + 9),
        "gradient": -0.2 + 0.1 * 3,
        "after": 3 - 0.5 * (-0.2 + 0.1 * 3),
        "factor": 1 - 0.5 * 0.1,
    }
    worked = r"""
    $0.05 \cdot 14 = 0.7$. The price adds $r w = 0.3$ to the gradient: $-0.2 + 0.3 = 0.1$, so that the step lowers the
    weight by 0.05, where the data alone would have raised it by 0.1. Without the data, $w - \eta r w = 0.95\, w$.
    """
    same = {"price": 0.7, "gradient": 0.1, "after": 2.95, "factor": 0.95}
    wrong = {
        "The factor ½ is missing in the price.": solution | {"price": 1.4},
        "The ½ cancels against the 2 of the derivative.": solution | {"gradient": -0.05},
        "after: the number is 3.1": solution | {"after": 3.1},
    }


class HowSureIsThePercentage(Exercise):
    r"""How sure is the percentage?

    A network gets 324 of 360 test images right.

    - `share`: the accuracy.
    - `error`: its standard error, $\sqrt{p(1-p)/n}$.
    - `images`: how many test images would bring the standard error down to 0.005, at the same accuracy?
    """

    level = "by hand"
    hint = "The error falls like one over the root of the number of images."
    solution = {
        "share": 324 / 360,
        "error": np.sqrt(0.9 * 0.1 / 360),
        "images": 0.9 * 0.1 / 0.005**2,
    }
    worked = r"""
    $p = 0.9$, and $\sqrt{0.09/360} = 0.0158$. From $p(1-p)/n = 0.005^2$ follows $n = 0.09/0.000025 = 3600$: ten times
    as many images for an error $\sqrt{10} = 3.16$ times smaller.
    """
    same = {"share": 0.9, "error": 0.0158, "images": 3600}
    wrong = {
        "This is the variance; the standard error is its root.": solution | {"error": 0.09 / 360},
        "Ten times less error would need a hundred times as many images; here it is 3.16 times less.": solution
        | {"images": 1139},
        "error: the number is 0.3": solution | {"error": 0.3},
    }


class WithoutZeroGrad(Exercise):
    r"""A forgotten line

    In PyTorch `backward` adds to the gradients that are there. Somebody has forgotten `optimizer.zero_grad()`. The
    loss is $x^2/2$, so that the gradient of each step is $x$; $x$ starts at 1, and SGD has a learning rate of 0.1.
    Give $x$ after each of the first three steps: `right`, with this line, and `forgotten`, without it.
    """

    level = "by hand"
    hint = "Without the line, the gradient that is used in step 2 is the sum of two gradients."
    solution = {
        "right": 0.9 ** np.arange(1, 4),
        "forgotten": 1 - 0.1 * np.cumsum([1, 1 + 0.9, 1 + 0.9 + 0.71]),
    }
    worked = r"""
    With the line, each step multiplies by 0.9. Without it, the gradients add up to 1, then $1 + 0.9 = 1.9$, then
    $1.9 + 0.71 = 2.61$. A sum of all earlier gradients is a velocity that is never damped: momentum with $\mu = 1$,
    which never settles. At first it even looks faster.
    """
    same = {"right": (0.9, 0.81, 0.729), "forgotten": [0.9, 0.71, 0.449]}
    wrong = {
        "In the third step the sum has all three gradients.": solution | {"forgotten": [0.9, 0.71, 0.549]},
        "forgotten: entry [1] is 0.81": solution | {"forgotten": [0.9, 0.81, 0.729]},
        "right: entry [1] is 0.8": solution | {"right": [0.9, 0.8, 0.7]},
    }


class TwoLayers(Exercise):
    r"""A whole network as one layer

    Write the scores of the two-layer network, $\sigma(x W_1 + b_1)\, W_2 + b_2$, with its backward pass, without using
    other layers; the function `sigmoid` is at hand. `backward(dout)` gets the gradient with respect to the scores,
    writes those with respect to $W_1, b_1, W_2, b_2$ into the four arrays of `grads`, which an optimizer holds, and
    returns that with respect to `x`.
    """

    level = "implement"
    hint = "Keep x and the activations h. Going back: W2 and b2 first, then h, then through the slope h(1 − h)."
    inputs = [
        (
            np.array([[0.5, -1.0, 2.0], [1.0, 0.5, -0.5]]),
            np.array([0.1, -0.2, 0.3]),
            np.array([[1.0, -1.0], [0.5, 2.0], [-1.5, 1.0]]),
            np.array([0.0, 1.0]),
            np.array([[1.0, 2.0], [0.5, -1.0], [-2.0, 0.0], [0.0, 1.0]]),
        ),
        (
            np.array([[1.0, -0.5]]),
            np.array([0.0, 0.5]),
            np.array([[2.0, 1.0, 0.0], [-1.0, 0.5, 1.0]]),
            np.array([0.1, 0.2, 0.3]),
            np.array([[3.0], [-1.0]]),
        ),
    ]

    class solution:
        def __init__(self, W1, b1, W2, b2):
            """Keep the parameters, and an array for the gradient of each."""
            self.params = [W1, b1, W2, b2]
            self.grads = [np.zeros_like(p) for p in self.params]

        def forward(self, x):
            """Return the scores (N, C) for inputs x (N, D)."""
            W1, b1, W2, b2 = self.params
            self.x = x
            self.h = sigmoid(x @ W1 + b1)
            return self.h @ W2 + b2

        def backward(self, dout):
            """Write dW1, db1, dW2, db2 into grads, and return dx."""
            W1, _, W2, _ = self.params
            da = (dout @ W2.T) * self.h * (1 - self.h)
            found = [self.x.T @ da, da.sum(axis=0), self.h.T @ dout, dout.sum(axis=0)]
            for g, value in zip(self.grads, found, strict=True):
                g[...] = value
            return da @ W1.T

    worked = r"""
    The second layer needs its input `h` for $\partial W_2 = h^{\mathsf T}\,\mathrm{dout}$, and passes
    $\mathrm{dout}\, W_2^{\mathsf T}$ back. The sigmoid multiplies it by its slope, $h(1-h)$; then comes the
    first layer. A bias is shared by all rows, so its gradient is the sum over the rows. `Sequential` does the same with
    three layers that know nothing of each other.
    """

    class same:
        def __init__(self, W1, b1, W2, b2):
            self.W1, self.b1, self.W2, self.b2 = W1, b1, W2, b2
            self.grads = [0 * W1, 0 * b1, 0 * W2, 0 * b2]

        def forward(self, x):
            self.x, self.h = x, 0.5 * (1 + np.tanh((np.matmul(x, self.W1) + self.b1) / 2))
            return np.matmul(self.h, self.W2) + self.b2

        def backward(self, dout):
            da = np.einsum("nc,hc->nh", dout, self.W2) * (self.h - self.h**2)
            ones = np.ones(len(self.x))
            self.grads[0][:] = np.einsum("nd,nh->dh", self.x, da)
            self.grads[2][:] = np.einsum("nh,nc->hc", self.h, dout)
            self.grads[1][:], self.grads[3][:] = ones @ da, ones @ dout
            return np.einsum("nh,dh->nd", da, self.W1)

    class Adds(solution):
        def backward(self, dout):
            old = [g.copy() for g in self.grads]
            dx = super().backward(dout)
            for g, before in zip(self.grads, old, strict=True):
                g += before
            return dx

    class NoSlope(solution):
        def backward(self, dout):
            da = dout @ self.params[2].T
            for g, value in zip(self.grads, [self.x.T @ da, da.sum(0), self.h.T @ dout, dout.sum(0)], strict=True):
                g[...] = value
            return da @ self.params[0].T

    class MeanOfRows(solution):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads[1][...] /= len(dout)
            self.grads[3][...] /= len(dout)
            return dx

    class NewArrays(solution):
        def backward(self, dout):
            self.grads = [g.copy() for g in self.grads]
            return super().backward(dout)

    class NoActivation(solution):
        def forward(self, x):
            W1, b1, W2, b2 = self.params
            self.x, self.h = x, x @ W1 + b1
            return self.h @ W2 + b2

    class SlopeOfTheSum(solution):
        def backward(self, dout):
            h, W1, b1 = self.h, *self.params[:2]
            a = self.x @ W1 + b1
            self.h = a  # whose slope the solution then takes
            dx = super().backward(dout)
            self.grads[2][...] = h.T @ dout
            return dx

    wrong = {
        "Each backward overwrites its gradients; those of the step before must not be added.": Adds,
        "The slope of the sigmoid is missing on the way back.": NoSlope,
        "grads[1]: as many times too small as x has rows": MeanOfRows,
        "forward: ": NoActivation,
        "An optimizer holds the old arrays: write into them instead of replacing them.": NewArrays,
        "The slope is h(1 − h) in terms of the output h, not of the sum before it.": SlopeOfTheSum,
    }


class CountConfusions(Exercise):
    r"""Which class is taken for which

    Write the confusion matrix: entry (i, j) counts the examples of class i that were predicted as class j.
    """

    level = "implement"
    hint = "The same pair may occur several times. What does `counts[t, predicted] += 1` do with repeated indices?"
    inputs = [
        (np.array([0, 1, 2, 1]), np.array([0, 2, 2, 1]), 3),
        (np.array([1, 1, 1, 0, 0]), np.array([0, 0, 1, 0, 0]), 2),
        (np.array([3, 0, 3, 3]), np.array([1, 0, 1, 3]), 4),
    ]

    def solution(t, predicted, C):
        """Return the counts (C, C) for true classes t (N,) and predicted classes (N,)."""
        counts = np.zeros((C, C), dtype=int)
        np.add.at(counts, (t, predicted), 1)
        return counts

    worked = r"""
    `counts[t, predicted] += 1` reads all entries, adds 1, and writes them back: a pair that occurs five times is
    counted once. `np.add.at` adds as often as an index occurs; a loop over the examples is right as well. Without
    errors the matrix is diagonal, and its trace divided by N is the accuracy.
    """

    def same(t, predicted, C):
        return np.bincount(C * t + predicted, minlength=C * C).reshape(C, C)

    def once(t, predicted, C):
        counts = np.zeros((C, C), dtype=int)
        counts[t, predicted] += 1
        return counts

    wrong = {
        "Each pair is counted once only, however often it occurs.": once,
        "it is transposed": lambda t, predicted, C: CountConfusions.solution(predicted, t, C),
        "expected an array of shape (3, 3), but got a number": lambda t, predicted, C: (t != predicted).sum(),
    }


class BatchesOutOfStep(Exercise):
    r"""Batches out of step

    This function cuts the examples into mini-batches, in an order that was drawn once, before the training. The loss
    goes down, twenty examples can be memorised, and yet the accuracy on fresh examples stays at chance. Find the fault
    and fix it.
    """

    level = "debug"
    hint = "Which rows of t belong to the rows of x that are taken?"
    inputs = [
        (np.array([[0.0], [10.0], [20.0], [30.0]]), np.array([0, 1, 2, 3]), np.array([2, 0, 3, 1]), 2),
        (np.arange(10.0).reshape(5, 2), np.array([4, 3, 2, 1, 0]), np.array([4, 2, 0, 1, 3]), 2),
        (np.arange(3.0).reshape(3, 1), np.array([0, 1, 0]), np.array([1, 2, 0]), 5),
    ]

    def given(x, t, order, size):
        """Return a list of pairs (rows of x, rows of t), `size` rows in each but the last."""
        batches = []
        for start in range(0, len(x), size):
            batch = order[start : start + size]
            batches.append((x[batch], t[start : start + size]))
        return batches

    def solution(x, t, order, size):
        """Return a list of pairs (rows of x, rows of t), `size` rows in each but the last."""
        batches = []
        for start in range(0, len(x), size):
            batch = order[start : start + size]
            batches.append((x[batch], t[batch]))
        return batches

    worked = r"""
    The rows of `x` came in the new order, those of `t` in the old one. Neither shapes nor losses give it away: a
    network with enough parameters learns any labels, as long as they stay the same. (With a new order in each epoch it
    could not learn even twenty.) What belongs together must be taken with the same index.
    """

    def same(x, t, order, size):
        cuts = range(size, len(x), size)
        return list(zip(np.split(x[order], cuts), np.split(t[order], cuts), strict=True))

    def dropped(x, t, order, size):
        return [pair for pair in BatchesOutOfStep.solution(x, t, order, size) if len(pair[1]) == size]

    wrong = {
        "Now neither is shuffled: they fit together, but the order is lost.": lambda x, t, order, size: (
            BatchesOutOfStep.solution(x, t, np.arange(len(x)), size)
        ),
        "list of 2 parts": dropped,
    }


class RightByColumns(Exercise):
    r"""Right by columns

    This accuracy was tested with ten images of ten digits, and returned a number. Find the fault and fix it.
    """

    level = "debug"
    hint = "The scores have shape (N, C). How many predictions should there be?"
    inputs = [
        (np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [5.0, 0.0, 4.0]]), np.array([0, 1, 2])),
        (np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1])),
        (np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0], [0.0, 0.5]]), np.array([0, 1, 1, 1])),
    ]

    def given(scores, t):
        """Return the share of rows of scores (N, C) that are largest at their label in t (N,)."""
        return (scores.argmax(axis=0) == t).mean()

    def solution(scores, t):
        """Return the share of rows of scores (N, C) that are largest at their label in t (N,)."""
        return (scores.argmax(axis=1) == t).mean()

    worked = r"""
    `axis` names the axis that disappears. `argmax(axis=0)` says for each *class* which image has the largest score: C
    numbers instead of N. With ten images of ten digits the shapes happen to agree. Test with sizes that all differ.
    """

    def same(scores, t):
        return sum(int(np.argmax(row)) == label for row, label in zip(scores, t, strict=True)) / len(t)

    wrong = {
        "expected a number, but got an array of True and False": lambda scores, t: scores.argmax(axis=1) == t,
        "as many times too large as scores has rows": lambda scores, t: (scores.argmax(axis=1) == t).sum(),
        "This is the share of errors.": lambda scores, t: (scores.argmax(axis=1) != t).mean(),
    }


class SmallLastBatch(Exercise):
    r"""The small last batch

    To save memory, the accuracy is computed batch by batch. It differs a little from that of all examples at once. Find
    the fault and fix it.
    """

    level = "debug"
    hint = "How much does an example count if it is alone in its batch?"
    inputs = [
        (np.array([0, 1, 2, 0, 1]), np.array([0, 1, 2, 1, 1]), 4),
        (np.array([1, 1, 0]), np.array([1, 0, 1]), 2),
        (np.array([2, 2, 2, 2]), np.array([2, 2, 0, 2]), 2),
    ]

    def given(predicted, t, size):
        """Return the share of right predictions, computed in batches of `size`."""
        shares = []
        for start in range(0, len(t), size):
            batch = slice(start, start + size)
            shares.append((predicted[batch] == t[batch]).mean())
        return np.mean(shares)

    def solution(predicted, t, size):
        """Return the share of right predictions, computed in batches of `size`."""
        right = 0
        for start in range(0, len(t), size):
            batch = slice(start, start + size)
            right += (predicted[batch] == t[batch]).sum()
        return right / len(t)

    worked = r"""
    A mean of means counts every batch alike, and so each example of the small last batch more than the others: four
    times as much, if a single one follows batches of four. Count the right answers, and divide once, by the number of
    examples.
    """

    def same(predicted, t, size):
        return np.mean(predicted == t)

    wrong = {
        "Divide by the number of examples, not of full batches.": lambda predicted, t, size: (
            (predicted == t).sum() / size / (len(t) // size)
        ),
        "The last batch is left out.": lambda predicted, t, size: SmallLastBatch.solution(
            predicted[: len(t) - len(t) % size], t[: len(t) - len(t) % size], size
        ),
        "as many times too large as predicted has rows": lambda predicted, t, size: (predicted == t).sum(),
    }


class PriceOnEverything(Exercise):
    r"""The price on everything

    The loss is $L + r \sum w^2$, over all weights but no biases, this time without the factor ½. The function gets the
    parameters and the gradients of $L$ alone, and should return a list of the gradients of the whole loss. Training
    works; a gradient check fails. There are two faults: fix both. (You may write into the arrays of `grads`.)
    """

    level = "debug"
    hint = "Weights are matrices, biases have one axis. And what is the derivative of r w²?"
    inputs = [
        ([np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([1.0, 2.0])], [np.ones((2, 2)), np.ones(2)], 0.1),
        ([np.array([[4.0]]), np.array([-3.0])], [np.array([[-1.0]]), np.array([0.5])], 0.01),
    ]

    def given(params, grads, r):
        """Return the list of gradients of L + r * (sum of squared weights)."""
        return [g + r * p for p, g in zip(params, grads, strict=True)]

    def solution(params, grads, r):
        """Return the list of gradients of L + r * (sum of squared weights)."""
        return [g + 2 * r * p if p.ndim == 2 else g for p, g in zip(params, grads, strict=True)]

    worked = r"""
    Without the ½ the derivative of $r w^2$ is $2 r w$; with half of it the network trains with half the price, and no
    curve shows it. A bias only shifts: a smaller one makes nothing smoother, and this loss has no price on it.
    """

    def same(params, grads, r):
        return [np.add(g, 2 * r * p * (np.ndim(p) > 1)) for p, g in zip(params, grads, strict=True)]

    @classmethod
    def run(cls, answer, params, grads, r):
        """Only the parameters have to stay what they are: the chapter writes into the gradients."""
        return answer(params, [g.copy() for g in grads], r)

    wrong = {
        "The price now is on the weights alone, but the factor 2 of the derivative is missing.": (
            lambda params, grads, r: [g + r * p if p.ndim == 2 else g for p, g in zip(params, grads, strict=True)]
        ),
        "The factor is right; the biases have no price.": lambda params, grads, r: [
            g + 2 * r * p for p, g in zip(params, grads, strict=True)
        ],
        "The price grows with a positive weight, so its gradient is added, not subtracted.": lambda params, grads, r: [
            g - 2 * r * p if p.ndim == 2 else g for p, g in zip(params, grads, strict=True)
        ],
    }


class UnseenRowsInTheMean(Exercise):
    r"""Test rows in the training

    Inputs are often shifted and scaled, so that each column has mean 0 and standard deviation 1. Here the test accuracy
    came out better than the network later did in use. Find out what is wrong and fix it.
    """

    level = "debug"
    hint = "What may be computed from the test rows before the final test?"
    inputs = [
        (np.array([[1.0, 10.0], [3.0, 30.0]]), np.array([[2.0, 50.0]])),
        (np.array([[0.0], [2.0], [4.0]]), np.array([[10.0], [-4.0]])),
    ]

    def given(x_train, x_test):
        """Return both sets of rows, shifted and scaled column by column."""
        x = np.concatenate([x_train, x_test])
        mean, std = x.mean(axis=0), x.std(axis=0)
        return (x_train - mean) / std, (x_test - mean) / std

    def solution(x_train, x_test):
        """Return both sets of rows, shifted and scaled column by column."""
        mean, std = x_train.mean(axis=0), x_train.std(axis=0)
        return (x_train - mean) / std, (x_test - mean) / std

    worked = r"""
    Mean and standard deviation are parameters that are learned, if only by one formula. If they are learned from the
    test rows too, something of these leaks into the training; in use such rows are not there yet. Compute them from the
    training rows, and apply the same numbers to everything that comes later.
    """

    def same(x_train, x_test):
        scaled = [(x - np.mean(x_train, axis=0)) / np.sqrt(np.var(x_train, axis=0)) for x in (x_train, x_test)]
        return tuple(scaled)

    def each_its_own(x_train, x_test):
        return tuple((x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-12) for x in (x_train, x_test))

    def all_columns(x_train, x_test):
        return (x_train - x_train.mean()) / x_train.std(), (x_test - x_train.mean()) / x_train.std()

    wrong = {
        "The test rows must be moved by the same numbers as the training rows, not by their own.": each_its_own,
        "Each column has a mean of its own.": all_columns,
    }


class StillInTraining(Exercise):
    r"""Still in training

    *Dropout* switches off some units at random while training, so that no unit relies on another: those that `kept`
    marks with 1 stay, and are divided by the share that is kept, so that the sum is right on average. In use all units
    are on. With this function the same image gets a different answer at every call. Find the fault and fix it.
    """

    level = "debug"
    hint = "What should come out if training is False?"
    inputs = [
        (np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([1.0, 0.0, 1.0, 0.0]), 0.5, True),
        (np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([1.0, 0.0, 1.0, 0.0]), 0.5, False),
        (np.array([[5.0, -1.0], [2.0, 0.5]]), np.array([0.0, 1.0]), 0.8, False),
    ]

    def given(h, kept, share, training):
        """Return activations h (N, H); while training, units are off where kept (H,) is 0."""
        return h * kept / share

    def solution(h, kept, share, training):
        """Return activations h (N, H); while training, units are off where kept (H,) is 0."""
        return h * kept / share if training else h

    worked = r"""
    A layer that does one thing while training and another in use has to be told which it is. An evaluation in training
    mode is a common fault: the accuracy is a little too low, and never twice the same. Since the division is done while
    training, nothing is left to do in use.
    """

    def same(h, kept, share, training):
        return h * np.where(training, kept / share, 1)

    wrong = {
        "While training, the units that stay are divided by the share, so in use nothing has to be scaled.": (
            lambda h, kept, share, training: h * kept / share if training else h * share
        ),
        "Now nothing is switched off while training either.": lambda h, kept, share, training: h,
    }


class BestOfMany(Exercise):
    r"""The best of many

    Of $k$ equally good networks, each right on a share $p$ of all images in the world, somebody reports the one that is
    best on $n$ test images. Take their errors as independent, and compute the mean of the share that is reported,
    without drawing random numbers. The number of images that one of them gets right is then $r$ with probability
    $\binom nr p^r (1-p)^{n-r}$.
    """

    level = "transfer"
    hint = (
        "The best has at most r right if all k have. The mean of a count is the sum of the chances that it exceeds r."
    )
    inputs = [(360, 0.98, 20), (360, 0.98, 1), (50, 0.5, 3), (10, 0.9, 100)]

    def solution(n, p, k):
        """Return the mean share of right answers of the best of k networks."""
        chances = np.array([math.comb(n, r) * p**r * (1 - p) ** (n - r) for r in range(n + 1)])
        at_most = np.cumsum(chances)
        return np.sum(1 - at_most[:-1] ** k) / n

    worked = r"""
    With $F(r)$ the chance that one network has at most $r$ right, all $k$ have with chance $F(r)^k$. The mean of a
    count is $\sum_{r=0}^{n-1} \bigl(1 - F(r)^k\bigr)$. For 360 images, $p = 0.98$ and 20 networks this is 99.2 %; for
    $k = 1$ it is $p$. It is an upper bound: on the same images the networks tend to fail at the same ones, so that the
    luckiest of them is less lucky.
    """

    def same(n, p, k):
        F = np.cumsum([math.comb(n, r) * p**r * (1 - p) ** (n - r) for r in range(n + 1)])
        return np.dot(np.diff(F**k, prepend=0), np.arange(n + 1)) / n

    def only_mean(n, p, k):
        return float(p)

    def not_divided(n, p, k):
        return n * BestOfMany.solution(n, p, k)

    def worst(n, p, k):
        return 1 - BestOfMany.solution(n, 1 - p, k)

    wrong = {
        "This is the mean of one network; the best of several is luckier.": only_mean,
        "This is a number of images; what is wanted is a share.": not_divided,
        "This is the mean of the worst network, not of the best.": worst,
    }


class StopInTime(Exercise):
    r"""Stop in time

    Training stops when the validation loss has not improved for `patience` epochs in a row, and the parameters of the
    best epoch are kept. Given the validation losses that all epochs would have, return the epoch whose parameters are
    kept and the number of epochs that are run; epochs count from 1. A loss equal to the best is no improvement.
    """

    level = "transfer"
    hint = "Go through the epochs, keep the best loss so far and its epoch, and stop when that epoch is too far back."
    inputs = [
        ([1.0, 0.8, 0.7, 0.75, 0.72, 0.6, 0.5], 2),
        ([1.0, 0.8, 0.7, 0.75, 0.72, 0.6, 0.5], 3),
        ([0.5, 0.5, 0.5, 0.4], 2),
        ([0.9, 0.8], 5),
    ]

    def solution(losses, patience):
        """Return (best epoch, epochs that are run)."""
        best = 1
        for epoch, loss in enumerate(losses, start=1):
            if loss < losses[best - 1]:
                best = epoch
            if epoch - best == patience:
                break
        return best, epoch

    worked = r"""
    With too little patience the run stops before better losses that are still to come.
    Patience is chosen like a learning rate, and like every choice of this kind with validation images: if the best
    epoch is picked with test images, the accuracy on them comes out too high.
    """

    def same(losses, patience):
        lows = np.minimum.accumulate(losses)
        firsts = [int(np.argmax(np.equal(losses, low))) for low in lows]
        stops = [i for i, first in enumerate(firsts) if i - first >= patience]
        last = stops[0] if stops else len(losses) - 1
        return firsts[last] + 1, last + 1

    def lowest_of_all(losses, patience):
        return int(np.argmin(losses)) + 1, len(losses)

    def from_zero(losses, patience):
        best, run = StopInTime.solution(losses, patience)
        return best - 1, run

    def equal_is_better(losses, patience):
        best = 1
        for epoch, loss in enumerate(losses, start=1):
            if loss <= losses[best - 1]:
                best = epoch
            if epoch - best == patience:
                break
        return best, epoch

    def any_rise(losses, patience):
        for epoch in range(2, len(losses) + 1):
            if losses[epoch - 1] >= losses[epoch - 2]:
                return epoch - 1, epoch
        return len(losses), len(losses)

    wrong = {
        "This looks at losses of epochs that are never run.": lowest_of_all,
        "A loss equal to the best is no improvement.": equal_is_better,
        "Epochs count from 1.": from_zero,
        "This stops at the first loss that does not fall, without any patience.": any_rise,
    }


class WhoseLoss(Exercise):
    r"""Whose loss is it?

    A loop of gradient descent on the loss $w^2$ starts at $w = 1$, with a learning rate of 0.25. In each step it calls
    `forward`, `backward`, makes the step, and prints the loss that `forward` gave.

    - `printed`: what it prints in the first three steps (three numbers).
    - `reached`: the loss of the parameter that is there when the third line has been printed.
    """

    level = "by hand"
    hint = "The gradient is 2w, so a step halves w. Which w did `forward` see?"
    solution = {"printed": np.array([1.0, 0.25, 0.0625]), "reached": (1 / 8) ** 2}
    worked = r"""
    $w$ is 1, then ½, ¼ and 1/8. `forward` sees 1, ½, ¼ and gives 1, 0.25, 0.0625; the step that follows is not in these
    numbers. After the third step $w = 1/8$, and the loss is 0.0156: a fourth line would print it.
    """
    same = {"printed": (1, 0.25, 0.0625), "reached": 0.015625}
    wrong = {
        "The loss is printed after the step, but it was computed before.": solution
        | {"printed": np.array([0.25, 0.0625, 0.015625])},
        "One more step has been made since the last `forward`.": solution | {"reached": 0.0625},
        "printed: entry [1] is 0.5": solution | {"printed": np.array([1.0, 0.5, 0.25])},
    }


class ToldApart(Exercise):
    r"""Can they be told apart?

    Two networks have seen the same 400 test images. On 380 both are right, on 8 both are wrong; on 9 only the first is
    right, on 3 only the second.

    - `first`, `second`: their accuracies.
    - `alone`: the standard error of the first accuracy alone, $\sqrt{p(1-p)/n}$.
    - `paired`: the standard error of the difference, from the 400 differences 1, 0 and −1:
      $\sqrt{(\overline{d^2} - \bar d^2)/n}$.
    - `told`: is the difference larger than two of these (`True` or `False`)?
    """

    level = "transfer"
    hint = "Twelve of the differences are not 0, and their squares are 1."
    solution = {
        "first": 389 / 400,
        "second": 383 / 400,
        "alone": np.sqrt(389 / 400 * 11 / 400 / 400),
        "paired": np.sqrt((12 / 400 - (6 / 400) ** 2) / 400),
        "told": False,  # 0.0173, twice the standard error, is more than 0.015
    }
    worked = r"""
    The difference is $6/400 = 0.015$. Alone, each accuracy is uncertain by 0.008 to 0.010, and for independent images
    the difference by $\sqrt{0.0082^2 + 0.0101^2} = 0.013$. On the same images only the 12 on which they disagree count:
    $\sqrt{(0.03 - 0.000225)/400} = 0.0086$. Two of these are 0.0173, so that even now 0.015 is no result.
    """
    same = {"first": 0.9725, "second": 0.9575, "alone": 0.00818, "paired": 0.00863, "told": 1 == 2}
    wrong = {
        "This is what it would be on different images.": solution | {"paired": 0.013},
        "Is 0.015 larger than twice 0.0086?": solution | {"told": True},
        "Those on which both are right count for both.": solution | {"first": 9 / 400, "second": 3 / 400},
        "This is the variance.": solution | {"alone": 389 / 400 * 11 / 400 / 400},
    }
