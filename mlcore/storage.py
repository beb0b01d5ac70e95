"""Section 1.4: a training run on disk, so that it can be stopped and continued in the same bits."""

import contextlib
import copy
import errno
import inspect
import json
import math
import os
import pathlib
import re
import tempfile
import zipfile
from decimal import Decimal
from fractions import Fraction

import numpy as np

from mlcore._checks import check_count, refused
from mlcore._interrupt import whole_step
from mlcore.optimizers import AdaGrad, Adam, RMSprop

FORMAT = "mlcore training run, version 1"
LONGEST = 2**20  # bytes of a description; the longest state of a generator takes some thousand
TEXT = json.JSONEncoder(default=lambda array: array.tolist())
NUMBERS = int, float, Fraction, Decimal, np.bool_, np.integer, np.floating
UNROUNDED = "unrounded"  # what every rule keeps of parameters in half precision
SQUARES = {AdaGrad: "h", RMSprop: "h", Adam: "v"}  # what a rule takes the square root of
POSSIBLE = {  # what NumPy does not ask of the state of a generator
    "MT19937": lambda saved: 0 <= saved["state"]["pos"] <= 624,
    "Philox": lambda saved: 0 <= saved["buffer_pos"] <= 4,
    "PCG64": lambda saved: saved["state"]["inc"] % 2 == 1,
    "PCG64DXSM": lambda saved: saved["state"]["inc"] % 2 == 1,
}


def save(path, network, optimizer=None, rng=None):
    """Store the parameters of a network, and what its training needs to go on.

    The file appears whole or not at all: it is written in a folder of its own first, then moved. So several threads or
    processes can save to one path; the last one wins.

    Parameters
    ----------
    path : str or os.PathLike
        The file; it is replaced if it exists. A `~` at its start is the home folder.
    network : Sequential
        Its parameters are stored, not its layers: to load them, build the same network again.
    optimizer : Optimizer, optional
        Its settings, as far as they are real numbers, and its state.
    rng : numpy.random.Generator, optional
        Where it stands.

    Returns
    -------
    None

    Raises
    ------
    TypeError
        If `path` is no path, a parameter no array of numbers, or the number of steps, `iter`, no integer.
    OSError
        If the file cannot be written.
    ValueError
        If no such file could be loaded: the optimizer has been used with another network, its number of steps is
        negative, its squares hold NaN, one part of its state is missing, or it calls a setting `rule` or a state
        `params` or `unrounded`. In all these cases, a file that was there before is still there.

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
    path = _file("save", path)
    for i, param in enumerate(network.params):
        if not isinstance(param, np.ndarray) or param.dtype.hasobject:  # which NumPy would pickle
            got = getattr(param, "dtype", type(param).__name__)
            raise TypeError(f"save: params[{i}] must be an array of numbers; got {got}")
    about = {"format": FORMAT, "optimizer": None, "rng": None}
    arrays = {f"params[{i}]": p for i, p in enumerate(network.params)}
    if optimizer is not None:
        settings = {name: _encoded(value) for name, value in _numbers(optimizer).items()}
        if "rule" in settings or {"params", UNROUNDED} & {*optimizer.state_names}:
            raise ValueError(f"save: no setting of an optimizer can be called rule, and no state params or {UNROUNDED}")
        _check_counter(f"save: {type(optimizer).__name__}", getattr(optimizer, "iter", 0))
        about["optimizer"] = {"rule": type(optimizer).__name__, **settings}
        arrays |= _states(optimizer, network.params)
    if rng is not None:
        about["rng"] = rng.bit_generator.state
    arrays["about"] = np.frombuffer(TEXT.encode(about).encode(), np.uint8)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=path.parent) as folder:
        unfinished = pathlib.Path(folder, path.name)
        with open(unfinished, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)


def load(path, network, optimizer=None, rng=None):
    """Bring a network, and what is given besides, to where :func:`save` found them.

    Everything is checked before anything is changed: names, types and shapes before an array is read. Nothing in the
    file is executed.

    Parameters
    ----------
    path : str or os.PathLike
        A file that :func:`save` wrote. A `~` at its start is the home folder.
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
    TypeError
        If `path` is no path.
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file, is damaged, or does not fit; if a parameter is read-only. Nothing has been changed then.

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
    path, params = _file("load", path), network.params
    generator = None if rng is None else rng.bit_generator
    for i, param in enumerate(params):
        if not param.flags.writeable:
            raise ValueError(f"load: params[{i}] is read-only")
    with open(path, "rb") as file, _refusing(path), zipfile.ZipFile(file) as archive:
        found = _headers(archive)
        about = _description(archive, *found.pop("about"))
        places = _take(found, "params", [(p.shape, p.dtype) for p in params])
        changes = {} if optimizer is None else _settings(about["optimizer"], optimizer)
        state_places = _take_states(found, about["optimizer"], optimizer, params)
        saved_params = [_array(archive, place) for place in places]
        for name, places in state_places.items():
            state = [_array(archive, place) for place in places]
            _check_squares("load", optimizer, name, state)
            changes[name] = state or None
        if generator is not None:
            _check_generator(about["rng"], generator)
    with whole_step():
        for param, saved in zip(params, saved_params, strict=True):
            param[...] = saved
        for name, value in changes.items():
            setattr(optimizer, name, value)
        if generator is not None:
            generator.state = about["rng"]


def _file(name, path):
    """Return the path of a file in a folder that exists."""
    try:
        path = pathlib.Path(os.path.expanduser(path))
    except TypeError as error:
        raise TypeError(f"{name}: path must be a str or an os.PathLike; got {type(path).__name__}") from error
    if path.is_dir():
        raise IsADirectoryError(f"{name}: {path} is a folder; expected a file")
    if path.exists() and not path.is_file():  # the rename would put a file in the place of a device
        raise OSError(f"{name}: {path} is no ordinary file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{name}: there is no folder {path.parent}")
    return path


@contextlib.contextmanager
def _refusing(path):
    """Turn whatever a file makes NumPy, zipfile and json raise into a ValueError, unless the disk cannot be read."""
    try:
        yield
    except Exception as error:  # no list of types is complete: a hostile file reaches into every corner of these three
        unreadable = isinstance(error, OSError) and error.errno != errno.EINVAL  # EINVAL: a place before the start
        if unreadable or hasattr(error, "says_whose"):
            raise
        raise ValueError(f"load: {path} is damaged, or was not written by save ({error!r})") from error


def _headers(archive):
    """Return shape and dtype of every array, by name; refuse what is not stored as `save` does."""
    found = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name in found or info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is there twice, or compressed")
        with archive.open(info) as member:
            np.lib.format.read_magic(member)
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
            if member.tell() + math.prod(shape) * dtype.itemsize != info.file_size:
                raise ValueError(f"{name} is longer or shorter than its shape says")
        found[name] = shape, dtype
    return found


def _array(archive, name):
    with archive.open(f"{name}.npy") as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _description(archive, shape, dtype):
    if dtype != np.uint8 or math.prod(shape) > LONGEST:
        raise ValueError(f"its description has shape {shape} and dtype {dtype}")
    about = json.loads(_array(archive, "about").tobytes())
    if about["format"] != FORMAT:
        raise refused(f"load: the file has the format {about['format']!r}, expected {FORMAT!r}")
    if len(about) != 3 or not all(isinstance(about[part], (dict, type(None))) for part in ("optimizer", "rng")):
        raise ValueError(f"its description is {about}")
    return about


def _take(found, name, like):
    """Take `name[0]`, `name[1]`, ... out of what was found, if shapes and dtypes are as in `like`; return the names."""
    taken = {key: found.pop(key) for key in list(found) if key.startswith(f"{name}[")}
    if taken != {f"{name}[{i}]": header for i, header in enumerate(like)}:
        described, expected = ([(shape, str(dtype)) for shape, dtype in group] for group in (taken.values(), like))
        raise refused(f"load: the file has {name} {described}, expected {expected}")
    return [f"{name}[{i}]" for i in range(len(like))]


def _take_states(found, saved, optimizer, params):
    """Return for each state of `optimizer` the names of its arrays, if any; refuse arrays that belong to nothing."""
    there = {key.partition("[")[0] for key in found}
    any_rule = [] if saved is None else filter(str.isidentifier, there)
    names = any_rule if optimizer is None else (*optimizer.state_names, UNROUNDED)
    like = [(p.shape, np.result_type(np.float32, *params)) for p in params]
    if optimizer is not None:
        _check_whole("load", optimizer, there)
    places = {name: _take(found, name, like) if name in there else [] for name in names}
    if found:
        raise ValueError(f"nothing is known of {list(found)}")
    needed = {name: stored for name, stored in places.items() if stored or getattr(optimizer, name, None)}
    return {} if optimizer is None else needed


def _states(optimizer, params):
    """Return the state of an optimizer as named arrays."""
    arrays, dtype = {}, np.result_type(np.float32, *params)
    for name in (*optimizer.state_names, UNROUNDED):
        state = [np.asarray(s, dtype) for s in getattr(optimizer, name, None) or ()]
        shapes, expected = ([a.shape for a in group] for group in (state, params))
        if state and shapes != expected:
            raise ValueError(f"save: {name} of the optimizer has shapes {shapes}, expected {expected}, as the network")
        _check_squares("save", optimizer, name, state)
        arrays |= {f"{name}[{i}]": s for i, s in enumerate(state)}
    _check_whole("save", optimizer, {key.partition("[")[0] for key in arrays})
    return arrays


def _check_whole(function, optimizer, there):
    """Refuse one part of a state without the other: the next step would take the rest as 0."""
    missing = [name for name in optimizer.state_names if name not in there]
    if missing and len(missing) < len(optimizer.state_names):
        raise refused(f"{function}: the state of {type(optimizer).__name__} has no {', '.join(missing)}")


def _check_counter(name, steps):
    if check_count(name, "iter", steps, least=0) >= 2**63:
        raise ValueError(f"{name}: nobody makes {steps} steps")


def _check_squares(function, optimizer, name, state):
    squares = any(isinstance(optimizer, rule) and name == squared for rule, squared in SQUARES.items())
    if squares and not all((s >= 0).all() for s in state):
        raise refused(f"{function}: {name} of {type(optimizer).__name__} holds squares; found a negative number or NaN")


def _numbers(optimizer):
    """The settings of an optimizer, as it was made with, and its step counter if it has one."""
    found = {name: value for name, value in vars(optimizer).items() if isinstance(value, NUMBERS)}
    return {name: value for name, value in found.items() if not isinstance(value, np.timedelta64)}  # NumPy: an integer


def _encoded(value):
    """What json can write of a number; its type counts, since NumPy computes in other bits with another one."""
    if isinstance(value, np.generic):
        return [value.dtype.str, value.tobytes().hex()]
    return [type(value).__name__, str(value)] if isinstance(value, (Fraction, Decimal)) else value


def _decoded(value):
    if type(value) in (bool, int, float):
        return value
    kind, text = value
    if kind in ("Decimal", "Fraction"):  # Fraction("1e999999999") would fill the memory, so it gets its two integers
        return Decimal(text) if kind == "Decimal" else Fraction(*map(int, text.split("/")))
    if not re.fullmatch(r"[<>|][biuf]\d+", kind):
        raise ValueError(f"{value} is no number")
    [number] = np.frombuffer(bytes.fromhex(text), kind)
    return number


def _settings(saved, optimizer):
    """Return the settings to give to `optimizer`, once its rule has been made with them, and a copy of it been set."""
    kind, settings = type(optimizer), dict(saved or {})
    if settings.pop("rule", None) != kind.__name__ or settings.keys() != _numbers(optimizer).keys():
        raise refused(f"load: the file has the optimizer {saved}, expected one of the rule {kind.__name__}")
    settings = {name: _decoded(value) for name, value in settings.items()}
    if "iter" in settings:
        _check_counter(kind.__name__, settings["iter"])
    asked = inspect.signature(kind).parameters
    if all(name in settings or p.default is not p.empty for name, p in asked.items()):
        kind(**{name: value for name, value in settings.items() if name in asked})
    trial = copy.copy(optimizer)
    for name, value in settings.items():
        setattr(trial, name, value)
    return settings


def _check_generator(saved, generator):
    """Refuse what is no state of such a generator; at some places NumPy itself would read beyond its arrays."""
    kind = type(generator).__name__
    if not saved or saved.get("bit_generator") != kind:
        raise refused(f"load: the file has no state of a {kind} generator")
    trial = copy.deepcopy(generator)
    trial.state = saved
    if json.loads(TEXT.encode(trial.state)) != saved or not POSSIBLE.get(kind, bool)(saved):
        raise ValueError(f"a {kind} generator is never in such a state")
