"""Section 1.4: a training run on disk, so that it can be stopped and continued in the same bits."""

import inspect
import json
import os
import pathlib
import zipfile

import numpy as np

FORMAT = "mlcore training run, version 1"
# What NumPy, zipfile and json raise for a file that is not what it seems.
UNREADABLE = zipfile.BadZipFile, NotImplementedError, ValueError, KeyError, TypeError, AttributeError, EOFError


def save(path, network, optimizer=None, rng=None):
    """Store the parameters of a network, and what its training needs to go on.

    The file appears whole or not at all: it is written under another name first, then renamed.

    Parameters
    ----------
    path : str or os.PathLike
        The file; it is replaced if it exists.
    network : Sequential
        Its parameters are stored, not its layers: to load them, build the same network again.
    optimizer : Optimizer, optional
        Its settings and its state.
    rng : numpy.random.Generator, optional
        Where it stands.

    Returns
    -------
    None

    Raises
    ------
    OSError
        If the file cannot be written. A file that was there before is then still there.

    Examples
    --------
    >>> import tempfile
    >>> from mlcore import SGD, Affine, Sequential
    >>> net = Sequential(Affine(np.ones((2, 3)), np.zeros(3)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/run.npz", net, SGD(lr=0.5))
    ...     net.params[0][...] = 7
    ...     optimizer = SGD()
    ...     load(f"{folder}/run.npz", net, optimizer)
    >>> float(net.params[0][0, 0]), optimizer.lr
    (1.0, 0.5)

    References
    ----------
    Section 1.4.
    """
    about = {"format": FORMAT, "optimizer": None, "rng": None}
    arrays = {f"params[{i}]": p for i, p in enumerate(network.params)}
    if optimizer is not None:
        about["optimizer"] = {"rule": type(optimizer).__name__, **_numbers(optimizer)}
        for name in optimizer.state_names:
            arrays |= {f"{name}[{i}]": s for i, s in enumerate(getattr(optimizer, name) or ())}
    if rng is not None:
        about["rng"] = rng.bit_generator.state
    text = json.dumps(about, default=lambda array: array.tolist())
    arrays["about"] = np.frombuffer(text.encode(), np.uint8)
    path = pathlib.Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def load(path, network, optimizer=None, rng=None):
    """Bring a network, and what is given besides, to where :func:`save` found them.

    Everything is checked before anything is changed. Nothing in the file is executed.

    Parameters
    ----------
    path : str or os.PathLike
        A file that :func:`save` wrote.
    network : Sequential
        Built like the one that was saved; its parameters are overwritten in place.
    optimizer : Optimizer, optional
        One of the same rule; it gets the settings and the state of the saved one.
    rng : numpy.random.Generator, optional
        One of the same kind; it goes on where the saved one stood.

    Returns
    -------
    None

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file, is damaged, or does not fit. Then nothing has been changed.

    Examples
    --------
    A generator that goes on where the saved one stood:

    >>> import tempfile
    >>> from mlcore import Affine, Sequential
    >>> net, rng, other = Sequential(Affine(np.ones((2, 3)), np.zeros(3))), *map(np.random.default_rng, (1, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/run.npz", net, rng=rng)
    ...     load(f"{folder}/run.npz", net, rng=other)
    >>> rng.random() == other.random()
    True

    References
    ----------
    Section 1.4.
    """
    about, arrays = _read(path)
    saved_params = _take(arrays, "params", network.params)
    if optimizer is not None:
        settings, states = _saved_optimizer(about["optimizer"], optimizer, arrays, network.params)
    if rng is not None:
        type(rng.bit_generator)().state = _saved_rng(about["rng"], rng)  # raises here if it does not fit
    for param, saved in zip(network.params, saved_params, strict=True):
        param[...] = saved
    if optimizer is not None:
        for name, value in (settings | states).items():
            setattr(optimizer, name, value)
    if rng is not None:
        rng.bit_generator.state = about["rng"]


def _read(path):
    """Return the description and the arrays of a file; ValueError if `save` did not write it like this."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(arrays.pop("about").tobytes())
        known = about["format"]
    except UNREADABLE as error:
        raise ValueError(f"load: {path} is damaged, or was not written by save ({error})") from error
    if known != FORMAT:
        raise ValueError(f"load: {path} has the format {known!r}, expected {FORMAT!r}")
    return about, arrays


def _take(arrays, name, like):
    """Return the arrays `name[0]`, `name[1]`, ... if they are as many and of the same shapes and dtypes as `like`."""
    saved = [arrays[key] for key in sorted((k for k in arrays if k.startswith(f"{name}[")), key=_index)]
    described, expected = ([(a.shape, str(a.dtype)) for a in group] for group in (saved, like))
    if described != expected:
        raise ValueError(f"load: the file has {name} {described}, expected {expected}")
    return saved


def _index(key):
    return int(key[key.index("[") + 1 : -1])


def _numbers(optimizer):
    """The settings of an optimizer, as it was made with, and its step counter if it has one."""
    return {name: value for name, value in vars(optimizer).items() if isinstance(value, (int, float))}


def _saved_optimizer(saved, optimizer, arrays, params):
    """Return the settings and the state to give to `optimizer`."""
    rule = type(optimizer).__name__
    settings = dict(saved or {})
    if settings.pop("rule", None) != rule or settings.keys() != _numbers(optimizer).keys():
        raise ValueError(f"load: the file has the optimizer {saved}, expected one of the rule {rule}")
    type(optimizer)(**{n: v for n, v in settings.items() if n in inspect.signature(type(optimizer)).parameters})
    states = {}
    for name in optimizer.state_names:
        dtype = np.result_type(np.float32, *params)
        like = [np.broadcast_to(np.zeros((), dtype), p.shape) for p in params]
        states[name] = _take(arrays, name, like) if f"{name}[0]" in arrays else None
    return settings, states


def _saved_rng(saved, rng):
    kind = type(rng.bit_generator).__name__
    if not saved or saved.get("bit_generator") != kind:
        raise ValueError(f"load: the file has no state of a {kind} generator")
    return saved
