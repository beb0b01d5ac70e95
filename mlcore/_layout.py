"""How an optimizer sees a list of arrays: as few long vectors, a block at a time."""

import itertools
from operator import is_

import numpy as np
from numpy.lib.array_utils import byte_bounds

LARGE = 2**14  # from this size on, a call of NumPy costs less than copying the array
BLOCK = 2**19  # bytes of each array that a rule works on at a time: its intermediate results stay in the cache
NOTHING = object()  # is no array


class Layout:
    """Where the parameters of a list, their gradients and their state stand when a rule sees them.

    Small arrays are copied into one vector, so that a rule calls NumPy once for all of them; a large one is worked on
    where it is. An array that stands more than once in the list is moved once. Parameters of float16 are worked on in
    float32, where small squares do not vanish; what is lost when they are rounded again is added before the next step.
    """

    def __init__(self, name, params, states, unrounded):
        firsts = first_places(f"{name}.update", "params", params)
        self.dtype = np.result_type(np.float32, *params)
        again = {first for i, first in enumerate(firsts) if i != first}
        large = [i for i, p in enumerate(params) if i == firsts[i] and i not in again and self._fits_as_it_is(p)]
        small = sorted(set(firsts) - set(large))
        ends = np.cumsum([params[i].size for i in small + large], dtype=int)
        places = {i: slice(end - params[i].size, end) for i, end in zip(small + large, ends, strict=True)}

        def vector_and_views(old, indices=firsts):
            vector = np.zeros(max((places[i].stop for i in indices), default=0), self.dtype)
            views = [vector[places[i]].reshape(params[i].shape) for i in indices]
            for view, values in zip(views, old, strict=bool(old)):
                view[...] = values
            return vector, views

        moved, moved_views = vector_and_views((), small)
        gathered, grad_views = vector_and_views((), small)
        vectors, self.states = zip(*map(vector_and_views, states), strict=True) if states else ((), ())
        half = [(i, view) for i, view in zip(small, moved_views, strict=True) if params[i].dtype.type is np.float16]
        fit = [rest.shape for rest in unrounded] == [p.shape for p in params]  # otherwise they are of other parameters
        self.rests = vector_and_views(unrounded if fit else ())[1] if half else []
        self.arrays = [*params, *itertools.chain(*self.states), *self.rests]  # by which the layout is known again
        self.small = [(view, params[i]) for i, view in zip(small, moved_views, strict=True)]
        self.half = [(view, params[i], self.rests[i]) for i, view in half]
        self.count, self.grads = len(params), [NOTHING]
        view_of = dict(zip(small, grad_views, strict=True))
        self.grad_views = [(view_of.get(first), i == first) for i, first in enumerate(firsts)]
        self.blocks = self._blocks(moved, gathered, vectors)
        self.large = [(i, params[i].reshape(-1), [v[places[i]] for v in vectors]) for i in large]
        self.moving = [*params, *vectors]

    def _fits_as_it_is(self, param):
        return param.size >= LARGE and param.dtype == self.dtype and param.flags.c_contiguous

    def take(self, grads):
        """Note which gradients there are, once they have been looked at; a list could grow until the next step."""
        self.grads = [g if type(g) is np.ndarray else NOTHING for g in grads]
        views = [(view, grad, first) for (view, first), grad in zip(self.grad_views, grads, strict=True)]
        self.copied = self.small + [(view, grad) for view, grad, first in views if first and view is not None]
        self.added = [(view, grad) for view, grad, first in views if not first]
        self.large_grads = [grads[i] for i, *_ in self.large]
        self.ready = None

    def gather(self):
        """Return parameters, gradients and state of each block, ready for a rule."""
        for view, source in self.copied:
            view[...] = source
        for view, grad in self.added:
            view += grad
        for view, param, rest in self.half:
            view += rest
            np.copyto(view, param, where=view.astype(param.dtype) != param)  # which somebody else has set since
        return self.ready or self._whole()

    def _whole(self):
        """All blocks, kept for the next step if they are the same then."""
        vectors = [self._vector(grad) for grad in self.large_grads]  # all of them, before any parameter moves
        blocks = list(self.blocks)
        for grad, (_, param, state) in zip(vectors, self.large, strict=True):
            blocks += self._blocks(param, grad, state)
        pairs = zip(self.large_grads, vectors, strict=True)
        if all(type(grad) is np.ndarray and np.may_share_memory(grad, vector) for grad, vector in pairs):
            self.ready = blocks
        return blocks

    def _vector(self, grad):
        """A gradient as a vector: a view of it if it can be and nothing moves under it, else a copy."""
        vector = np.asarray(grad, self.dtype).reshape(-1)
        return vector.copy() if any(np.may_share_memory(vector, m) for m in self.moving) else vector

    def _blocks(self, param, grad, state):
        """Cut vectors of one length; a rule can only read the gradient."""
        grad, length = grad.view(), max(1, BLOCK // self.dtype.itemsize)
        grad.flags.writeable = False
        cuts = [slice(i, min(i + length, param.size)) for i in range(0, param.size, length)]
        return [[v[cut] for v in (param, grad, *state)] for cut in cuts]

    def scatter(self):
        """Copy the small parameters back."""
        for view, param in self.small:
            param[...] = view
        for view, param, rest in self.half:
            np.subtract(view, param, out=rest)


def same_arrays(arrays, others):
    return len(arrays) == len(others) and all(map(is_, arrays, others))


def first_places(name, symbol, arrays):
    """For each array the index at which it stands first; refuse arrays that overlap without being the same."""
    seen = {}
    keys = [(p.__array_interface__["data"], p.shape, p.strides, p.dtype) for p in arrays]
    firsts = [seen.setdefault(key, i) for i, key in enumerate(keys)]
    near = []  # in the order of memory, only those that reach beyond an array's start can overlap it
    for start, end, i in sorted((*byte_bounds(arrays[i]), i) for i in seen.values()):
        near = [(reach, j) for reach, j in near if reach > start]
        for _, j in near:
            if np.shares_memory(arrays[i], arrays[j]):
                raise ValueError(
                    f"{name}: {symbol}[{min(i, j)}] and {symbol}[{max(i, j)}] overlap in memory without being "
                    "the same array; a number that stands in both would be changed twice"
                )
        near.append((end, i))
    return firsts
