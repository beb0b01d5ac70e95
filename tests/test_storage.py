"""`save` and `load`: a run continues in the same bits, and a file that does not fit changes nothing."""

import concurrent.futures
import errno
import io
import json
import multiprocessing
import os
import pickle
import signal
import struct
import tracemalloc
import zipfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from packaging.version import Version

import mlcore
from mlcore import Affine, Sequential, Sigmoid, SoftmaxWithLoss, fit, load, load_spiral, save, storage
from mlcore._checks import Setting

RULES = ["SGD", "Momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam"]
X, T = load_spiral(0)


def network(hidden=5, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    W, V = rng.standard_normal((2, hidden)).astype(dtype), rng.standard_normal((hidden, 3)).astype(dtype)
    layers = Affine(W, np.zeros(hidden, dtype)), Sigmoid(), Affine(V, np.zeros(3, dtype))
    return Sequential(*layers, loss=SoftmaxWithLoss())


def bits(net):
    return [p.tobytes() for p in net.params]


def train(net, optimizer, rng, epochs=2):
    fit(net, optimizer, X, T, epochs=epochs, rng=rng)


@pytest.fixture
def saved(tmp_path):
    """A run that was stopped after two epochs: its file, and the bits that two more epochs give."""
    net, optimizer, rng = network(), mlcore.Adam(lr=0.02), np.random.default_rng(3)
    train(net, optimizer, rng)
    path = tmp_path / "run.npz"
    save(path, net, optimizer, rng)
    train(net, optimizer, rng)
    return path, bits(net)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("rule", RULES)
def test_a_run_that_was_stopped_ends_in_the_same_bits(tmp_path, rule, dtype):
    runs = [(network(dtype=dtype), getattr(mlcore, rule)(lr=0.02), np.random.default_rng(3)) for _ in range(2)]
    train(*runs[0], epochs=4)
    train(*runs[1], epochs=2)
    save(tmp_path / "run.npz", *runs[1])
    again = network(dtype=dtype, seed=1), getattr(mlcore, rule)(), np.random.default_rng(99)
    load(tmp_path / "run.npz", *again)
    train(*again, epochs=2)
    assert bits(again[0]) == bits(runs[0][0])


def test_an_optimizer_that_has_not_stepped_is_stored_without_state(tmp_path):
    save(tmp_path / "run.npz", network(), mlcore.Adam(lr=0.5, beta1=0.25))
    optimizer = mlcore.Adam()
    load(tmp_path / "run.npz", network(), optimizer)
    assert (optimizer.lr, optimizer.beta1, optimizer.iter, optimizer.m, optimizer.v) == (0.5, 0.25, 0, None, None)


def test_parameters_are_overwritten_in_place_and_alone_if_only_they_are_wanted(saved):
    path, _ = saved
    net, optimizer = network(seed=1), mlcore.Adam()
    arrays = list(net.params)
    load(path, net)
    assert all(a is b for a, b in zip(arrays, net.params, strict=True))
    assert optimizer.iter == 0 and bits(net) != bits(network(seed=1))


def test_every_kind_of_generator_goes_on(tmp_path):
    for kind in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64):
        rng, other = np.random.Generator(kind(1)), np.random.Generator(kind(2))
        rng.standard_normal(7)
        save(tmp_path / "run.npz", network(), rng=rng)
        load(tmp_path / "run.npz", network(), rng=other)
        assert rng.standard_normal() == other.standard_normal()


def everything(net, optimizer, rng):
    return bits(net), vars(optimizer).copy(), repr(rng.bit_generator.state)


@pytest.mark.parametrize(
    ("target", "message"),
    {
        "other layer sizes": ((network(hidden=6), mlcore.Adam(), 0), r"the file has params \[.*\], expected"),
        "other dtype": ((network(dtype=np.float32), mlcore.Adam(), 0), "float64.*expected.*float32"),
        "fewer layers": ((Sequential(network().layers[0]), mlcore.Adam(), 0), "params"),
        "other rule": ((network(), mlcore.SGD(), 0), "expected one of the rule SGD"),
        "other generator": ((network(), mlcore.Adam(), np.random.MT19937(0)), "no state of a MT19937 generator"),
    }.values(),
)
def test_what_does_not_fit_is_refused_and_changes_nothing(saved, target, message):
    net, optimizer, seed = target
    target = net, optimizer, np.random.default_rng(seed)
    before = everything(*target)
    with pytest.raises(ValueError, match=f"load: .*{message}"):
        load(saved[0], *target)
    assert everything(*target) == before


def test_what_was_not_saved_is_not_loaded(tmp_path):
    save(tmp_path / "run.npz", network())
    with pytest.raises(ValueError, match="the file has the optimizer None, expected one of the rule SGD"):
        load(tmp_path / "run.npz", network(), mlcore.SGD())
    with pytest.raises(ValueError, match="no state of a PCG64 generator"):
        load(tmp_path / "run.npz", network(), rng=np.random.default_rng(0))


def test_a_damaged_file_is_refused_or_harmless(saved, tmp_path):
    path, _ = saved
    good, rng, bad = path.read_bytes(), np.random.default_rng(0), tmp_path / "bad.npz"
    reference = network(seed=1)
    load(path, reference, mlcore.Adam())
    for place in rng.integers(0, len(good), 150):
        damaged = bytearray(good)
        damaged[place] ^= 1 << int(rng.integers(8))
        bad.write_bytes(damaged)
        net, optimizer = network(seed=1), mlcore.Adam()
        try:
            load(bad, net, optimizer)
        except ValueError as error:
            assert str(error).startswith("load: ")
            assert bits(net) == bits(network(seed=1)) and optimizer.m is None
        else:  # a bit that says nothing, such as a date in the archive's directory
            assert bits(net) == bits(reference)


def rewrite(source, target, change):
    """The same file after `change` of its description."""
    with np.load(source) as file:
        arrays = dict(file)
    about = json.loads(arrays["about"].tobytes())
    change(about)
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(target, **arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about: about.update(format="mlcore training run, version 2"), "has the format 'mlcore .* 2', expected"),
        (lambda about: about["optimizer"].update(decay=0.5), "has the optimizer {'rule': 'Adam', .*'decay': 0.5}"),
        (lambda about: about["optimizer"].pop("lr"), "has the optimizer {'rule': 'Adam', .* of the rule Adam"),
        (lambda about: about["optimizer"].update(rule="SGD"), "has the optimizer {'rule': 'SGD', .* of the rule Adam"),
        (lambda about: about["optimizer"].update(beta2=1.5), "beta2 must be finite"),
    ],
)
def test_a_description_that_does_not_fit_is_refused_and_changes_nothing(saved, tmp_path, change, message):
    rewrite(saved[0], tmp_path / "changed.npz", change)
    net, optimizer = network(seed=1), mlcore.Adam()
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "changed.npz", net, optimizer)
    assert bits(net) == bits(network(seed=1)) and vars(optimizer) == vars(mlcore.Adam())


def test_more_than_ten_arrays_come_back_in_their_order(tmp_path):
    def deep(seed):
        rng = np.random.default_rng(seed)
        return Sequential(*(Affine(rng.standard_normal((2, 2)), np.zeros(2)) for _ in range(6)))

    save(tmp_path / "run.npz", deep(0))
    net = deep(1)
    load(tmp_path / "run.npz", net)
    assert bits(net) == bits(deep(0))


def test_the_file_is_on_the_disk_in_full_before_it_takes_its_name(tmp_path, monkeypatch):
    path, sizes = tmp_path / "run.npz", []
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append((os.fstat(descriptor).st_size, path.exists())))
    save(path, network())
    assert sizes == [(path.stat().st_size, False)]


def test_the_unfinished_file_stands_on_the_same_disk(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.extend(os.listdir(tmp_path)))
    save(tmp_path / "run.npz", network())
    assert len(seen) == 1 and seen[0].startswith(".unfinished-")


@pytest.mark.parametrize("length", [0, 1, 100, -1, -30])
def test_a_file_that_was_cut_off_is_refused(saved, length):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match="load: .* is damaged, or was not written by save"):
        load(path, network())


class Trap:
    """Would make a file if it were unpickled."""

    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_nothing_in_a_file_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("object.npz", about=np.array([Trap()], dtype=object))
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Trap()))
    for name in ("object.npz", "pickle.npz"):
        with pytest.raises(ValueError, match="damaged, or was not written by save"):
            load(name, network())
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("about", [{"format": "mlcore training run, version 2"}, {}, [], "text", None])
def test_foreign_files_are_refused(tmp_path, about):
    np.savez(tmp_path / "run.npz", about=np.frombuffer(json.dumps(about).encode(), np.uint8))
    with pytest.raises(ValueError, match="load: "):
        load(tmp_path / "run.npz", network())
    with zipfile.ZipFile(tmp_path / "run.npz", "w") as archive:
        archive.writestr("about", json.dumps(about))
    with pytest.raises(ValueError, match="load: "):
        load(tmp_path / "run.npz", network())


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz", network())


def test_a_save_that_fails_leaves_the_old_file_and_no_other(saved, monkeypatch):
    path, _ = saved
    before = path.read_bytes()

    def fail(file, **arrays):
        file.write(b"half of it")
        raise OSError("disk full")

    monkeypatch.setattr(storage.np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        save(path, network(seed=1))
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]


class Own(mlcore.SGD):
    """A rule of one's own: it needs what is no number, and checks nothing."""

    state_names = ("s",)

    def __init__(self, schedule, size):
        super().__init__()
        self.schedule, self.size, self.s = schedule, size, None


OF_EVERY_KIND = [
    *(True, 3, -(2**70), 0.1, float("inf"), Fraction(-1, 3), Fraction(7), Decimal("0.10")),
    *(np.bool_(True), np.int8(-3), np.uint64(2**64 - 1), np.float16(0.1), np.float32(0.1), np.float64(0.1)),
    np.longdouble(1) / 3,
]


@pytest.mark.parametrize("value", OF_EVERY_KIND, ids=repr)
def test_a_setting_comes_back_whatever_kind_of_number_it_is(tmp_path, value):
    save(tmp_path / "run.npz", network(), Own(min, value))
    own = Own(max, type(value)(0))
    load(tmp_path / "run.npz", network(), own)
    assert (type(own.size), own.size, own.schedule) == (type(value), value, max)


def test_what_is_no_number_is_not_a_setting(tmp_path):
    save(tmp_path / "run.npz", network(), Own(min, np.timedelta64(3, "s")))
    own = Own(max, np.timedelta64(4, "s"))
    load(tmp_path / "run.npz", network(), own)
    assert own.size == np.timedelta64(4, "s")


def test_a_generator_may_stand_at_the_ends_of_its_arrays(tmp_path):
    for kind, pos in (("MT19937", 0), ("MT19937", 624), ("Philox", 0), ("Philox", 4)):
        rng, other = (np.random.Generator(getattr(np.random, kind)(seed)) for seed in (0, 1))
        state = rng.bit_generator.state
        (state["state"] if kind == "MT19937" else state).update({"pos" if kind == "MT19937" else "buffer_pos": pos})
        try:
            rng.bit_generator.state = state
        except ValueError:  # NumPy 2.5 and later refuse this one themselves
            assert (kind, pos) == ("Philox", 0) and Version(np.__version__) >= Version("2.5")
            continue
        save(tmp_path / "run.npz", network(), rng=rng)
        load(tmp_path / "run.npz", network(), rng=other)
        assert (rng.random(9) == other.random(9)).all()


def test_what_is_no_generator_is_not_the_fault_of_the_file(saved):
    with pytest.raises(AttributeError, match="bit_generator"):
        load(saved[0], network(), rng=3)


def test_a_file_of_the_first_version_is_loaded(tmp_path):
    """Written here as `save` wrote it then."""
    optimizer = {"rule": "Adam", "lr": 0.02, "beta1": 0.5, "beta2": 0.75, "eps": 1e-8, "iter": 7}
    rng = np.random.default_rng(3)
    about = {"format": "mlcore training run, version 1", "optimizer": optimizer, "rng": rng.bit_generator.state}
    arrays = {f"params[{i}]": p for i, p in enumerate(network().params)}
    arrays |= {f"{name}[{i}]": np.full(p.shape, 2.0) for name in "mv" for i, p in enumerate(network().params)}
    np.savez(tmp_path / "run.npz", **arrays, about=np.frombuffer(json.dumps(about).encode(), np.uint8))
    net, adam, other = network(seed=1), mlcore.Adam(), np.random.default_rng(4)
    load(tmp_path / "run.npz", net, adam, other)
    assert bits(net) == bits(network()) and rng.random() == other.random()
    numbers = {name: value for name, value in vars(adam).items() if name not in "mv"}
    assert {"rule": "Adam", **numbers} == optimizer
    assert all((s == 2).all() for s in adam.m + adam.v) and [s.shape for s in adam.v] == [p.shape for p in net.params]


def test_the_home_folder_and_both_kinds_of_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for path in ("~/run.npz", Path("~/run.npz"), str(tmp_path / "run.npz"), tmp_path / "run.npz"):
        save(path, network())
        net = network(seed=1)
        load(path, net)
        assert bits(net) == bits(network())
        (tmp_path / "run.npz").unlink()


@pytest.mark.parametrize("function", [save, load])
def test_what_is_no_path_is_refused(tmp_path, monkeypatch, function):
    monkeypatch.chdir(tmp_path)
    with open("handle", "wb") as handle:
        for path in (handle, b"run.npz", None, 1, network()):
            with pytest.raises(TypeError, match=f"^{function.__name__}: path must be .*; got {type(path).__name__}$"):
                function(path, network())
    for path in (tmp_path, ".", ""):
        with pytest.raises(IsADirectoryError, match=f"^{function.__name__}: .* is a folder; expected a file"):
            function(path, network())
    with pytest.raises(FileNotFoundError, match=f"^{function.__name__}: there is no folder .*none"):
        function(tmp_path / "none" / "run.npz", network())
    assert os.listdir() == ["handle"]


def save_often(path):
    for _ in range(20):
        save(path, network())


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_savers_of_one_path_do_not_meet(tmp_path, kind):
    pools = {
        "threads": lambda: concurrent.futures.ThreadPoolExecutor(4),
        "processes": lambda: concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("spawn")),
    }
    path = tmp_path / "run.npz"
    save(path, network())
    with pools[kind]() as pool:
        savers = [pool.submit(save_often, path) for _ in range(4)]
        while not all(saver.done() for saver in savers):
            load(path, network(seed=1))
        for saver in savers:
            saver.result()
    assert os.listdir(tmp_path) == ["run.npz"]


def test_a_saved_file_may_be_read_by_whom_any_new_file_may(tmp_path):
    save(tmp_path / "run.npz", network())
    (tmp_path / "other").touch()
    assert (tmp_path / "run.npz").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize(("rule", "name"), [("AdaGrad", "h"), ("RMSprop", "h"), ("Adam", "v")])
@pytest.mark.parametrize("wrong", [-1e-300, np.nan])
def test_squares_are_neither_negative_nor_nan(tmp_path, rule, name, wrong):
    path, optimizer = tmp_path / "run.npz", getattr(mlcore, rule)()
    train(network(), optimizer, np.random.default_rng(0))
    getattr(optimizer, name)[1][2] = 0
    save(path, network(), optimizer)
    load(path, network(), optimizer)
    good = path.read_bytes()
    getattr(optimizer, name)[1][2] = wrong
    with pytest.raises(ValueError, match=f"save: {name} of {rule} holds squares"):
        save(path, network(), optimizer)
    assert path.read_bytes() == good
    members = unpacked(path)
    members[f"{name}[1].npy"] = npy(getattr(optimizer, name)[1])
    pack(path, members)
    refuse_and_keep(path, getattr(mlcore, rule)(), f"load: {name} of {rule} holds squares")


@pytest.mark.parametrize("missing", ["m", "v"])
def test_a_state_is_saved_and_loaded_whole_or_not_at_all(saved, missing):
    """Otherwise the next step would take the rest as 0, and Adam divide by the root of too small an average."""
    path, _ = saved
    pack(path, {name: content for name, content in unpacked(path).items() if not name.startswith(f"{missing}[")})
    refuse_and_keep(path, mlcore.Adam(), f"^load: the state of Adam has no {missing}$")
    used = mlcore.Adam()
    train(network(), used, np.random.default_rng(0))
    refuse_and_keep(path, used, f"^load: the state of Adam has no {missing}$")
    good = path.read_bytes()
    setattr(used, missing, None)
    with pytest.raises(ValueError, match=f"^save: the state of Adam has no {missing}$"):
        save(path, network(), used)
    assert path.read_bytes() == good
    used.m = used.v = None
    save(path, network(), used)
    load(path, network(), mlcore.Adam())


def test_a_used_optimizer_that_loads_a_new_one_is_new(tmp_path):
    used = mlcore.Adam()
    train(network(), used, np.random.default_rng(0))
    save(tmp_path / "run.npz", network(), mlcore.Adam(lr=0.02))
    load(tmp_path / "run.npz", network(), used)
    ends = [network(), network()]
    for net, optimizer in zip(ends, (used, mlcore.Adam(lr=0.02)), strict=True):
        train(net, optimizer, np.random.default_rng(5))
    assert bits(ends[0]) == bits(ends[1])


@pytest.mark.parametrize("steps", [-1, 1.0, 0.5, True, None, "3", 2**63, float("nan"), np.float32(2), np.int8(-1)])
def test_a_number_of_steps_that_no_run_has_is_not_saved(saved, steps):
    optimizer = mlcore.Adam()
    optimizer.iter = steps
    good = saved[0].read_bytes()
    with pytest.raises((TypeError, ValueError), match="^save: Adam: (iter must be|nobody makes)"):
        save(saved[0], network(), optimizer)
    assert saved[0].read_bytes() == good
    for right in (0, 2**63 - 1, np.int8(3), np.uint64(3)):
        optimizer.iter = right
        save(saved[0], network(), optimizer)
        load(saved[0], network(), optimizer)
        assert optimizer.iter == right


@pytest.mark.parametrize("param", [np.array([None]), np.array([1.0, "a"], object), [1.0], 1.0, None])
def test_a_parameter_that_is_no_array_of_numbers_is_not_saved(saved, param):
    class Holder:
        params = (np.ones(2), param)

    good = saved[0].read_bytes()
    with pytest.raises(TypeError, match=r"^save: params\[1\] must be an array of numbers; got [olfN]"):
        save(saved[0], Holder())
    assert saved[0].read_bytes() == good


@pytest.mark.parametrize("rule", RULES)
def test_what_half_precision_has_not_rounded_is_saved_if_there_is_any(tmp_path, rule):
    path = tmp_path / "run.npz"
    for dtype in (np.float64, np.float16):
        net, optimizer = network(dtype=dtype), getattr(mlcore, rule)(lr=1e-4)
        train(net, optimizer, np.random.default_rng(0))
        save(path, net, optimizer)
        assert ("unrounded[3].npy" in unpacked(path)) == (dtype == np.float16)
    again = network(dtype=np.float16, seed=1)
    used = getattr(mlcore, rule)()
    load(path, again, used)
    for a, b in zip(used.unrounded, optimizer.unrounded, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(a.any() for a in used.unrounded)
    save(path, again, getattr(mlcore, rule)())
    load(path, again, used)
    assert used.unrounded is None
    optimizer.unrounded[0] = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match="^save: unrounded of the optimizer has shapes"):
        save(path, net, optimizer)


def test_an_interrupt_waits_until_all_is_loaded(tmp_path):
    class Interrupted(Own):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "s" and value is not None:
                signal.raise_signal(signal.SIGINT)

    own, net, rngs = Own(min, 1), network(seed=1), [np.random.default_rng(k) for k in (1, 2)]
    own.s = [p.copy() for p in network().params]
    save(tmp_path / "run.npz", network(), own, rngs[0])
    other = Interrupted(min, 2)
    other.__class__.__name__ = "Own"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            load(tmp_path / "run.npz", net, other, rngs[1])
    finally:
        signal.signal(signal.SIGINT, before)
    assert bits(net) == bits(network()) and other.size == 1 and rngs[0].random() == rngs[1].random()


@pytest.mark.parametrize("rule", ["Momentum", "Adam"])
def test_velocities_and_averages_have_either_sign(tmp_path, rule):
    optimizer = getattr(mlcore, rule)()
    train(network(), optimizer, np.random.default_rng(0))
    getattr(optimizer, optimizer.state_names[0])[0][...] = -1, np.nan, np.inf, 0, 1
    save(tmp_path / "run.npz", network(), optimizer)
    load(tmp_path / "run.npz", network(), getattr(mlcore, rule)())


def test_the_state_of_another_network_is_not_saved(tmp_path):
    optimizer = mlcore.Adam()
    train(network(6), optimizer, np.random.default_rng(0))
    with pytest.raises(ValueError, match="save: m of the optimizer has shapes .*6.*, expected .*5.*, as the network"):
        save(tmp_path / "run.npz", network(5), optimizer)
    assert not os.listdir(tmp_path)


def test_names_that_the_file_needs_itself_are_not_saved(tmp_path):
    owns = named_rule, named_params, named_unrounded = [Own(min, 1) for _ in range(3)]
    named_rule.rule, named_params.state_names, named_unrounded.state_names = 2, ("params",), ("unrounded",)
    for own in owns:
        with pytest.raises(
            ValueError, match="save: no setting of an optimizer can be called rule, and no state params or unrounded"
        ):
            save(tmp_path / "run.npz", network(), own)
    assert not os.listdir(tmp_path)


def test_a_state_is_saved_as_the_next_step_would_take_it(tmp_path):
    own = Own(min, 1)
    own.s = [p.tolist() for p in network().params]
    save(tmp_path / "run.npz", network(dtype=np.float32), own)
    other = Own(min, 1)
    load(tmp_path / "run.npz", network(dtype=np.float32), other)
    assert [s.tobytes() for s in other.s] == bits(network(dtype=np.float32))


def test_a_parameter_that_is_read_only_is_refused_before_another_is_written(saved):
    net = network(seed=1)
    net.params[1].flags.writeable = False
    with pytest.raises(ValueError, match=r"load: params\[1\] is read-only"):
        load(saved[0], net)
    assert bits(net) == bits(network(seed=1))


def test_a_disk_that_cannot_be_read_is_no_damaged_file(saved, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(storage.np.lib.format, "read_array", fail)
    with pytest.raises(OSError, match="Input/output error"):
        load(saved[0], network())


# Files that `save` does not write.


def unpacked(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path, members, **settings):
    with zipfile.ZipFile(path, "w", **settings) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def npy(array, write=np.lib.format.write_array_header_1_0, **header):
    """An array as in a file, perhaps with a header that lies."""
    file, array = io.BytesIO(), np.asarray(array)
    truth = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    write(file, truth | header)
    return file.getvalue() + array.tobytes()


def frozen(net, optimizer, rng):
    return pickle.dumps((bits(net), vars(optimizer) | {"_layout": None}, rng.bit_generator.state))


def refuse_and_keep(path, optimizer, message, rng=None):
    target = network(seed=1), optimizer, rng or np.random.default_rng(9)
    before = frozen(*target)
    with pytest.raises(ValueError, match=message):
        load(path, *(target if rng else target[:2]))
    assert frozen(*target) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("iter", value)
            for value in (-1, 1.5, 1.0, True, None, "3", 2**63, 10**400, float("nan"), ["<i8", "ff" * 8])
        ),
        *(
            ("lr", value)
            for value in (-1, True, None, "3", {}, [], [1], [1, 2], ["<f4", "00"], ["<f4", "zz"], ["O", ""])
        ),
        *(("lr", value) for value in (float("nan"), float("inf"), ["<f4", "0000c07f"], ["Decimal", "x"])),
        *(("lr", ["Fraction", text]) for text in ("1e999999999", "1/0", "1/2/3", "")),
        *(("eps", value) for value in (0, -1e-9)),
        ("beta1", 1),
    ],
)
def test_a_setting_out_of_range_is_refused(saved, tmp_path, name, value):
    rewrite(saved[0], tmp_path / "changed.npz", lambda about: about["optimizer"].update({name: value}))
    refuse_and_keep(tmp_path / "changed.npz", mlcore.Adam(), "^load: .* is damaged, or was not written by save")


def test_the_constructor_of_a_rule_checks_too(tmp_path):
    class Picky(mlcore.SGD):
        def __init__(self, size=1, name="none"):
            super().__init__()
            if size > 5:
                raise TypeError("Picky: size is at most 5")
            self.size = size

    picky = Picky()
    picky.size = 6
    save(tmp_path / "run.npz", network(), picky)
    refuse_and_keep(tmp_path / "run.npz", Picky(), "size is at most 5")


def test_a_setting_is_tried_where_the_rule_keeps_it_before_anything_is_written(tmp_path):
    class Bounded(mlcore.SGD):
        share = Setting(below=1)

        def __init__(self):
            super().__init__()
            self.share = 0.5

    save(tmp_path / "run.npz", network(), Bounded())
    rewrite(tmp_path / "run.npz", tmp_path / "changed.npz", lambda about: about["optimizer"].update(share=2))
    refuse_and_keep(tmp_path / "changed.npz", Bounded(), "Bounded: share must be finite and in")


GENERATORS = {
    kind.__name__: kind for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox)
}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("MT19937", lambda state: state["state"].update(pos=625)),
        ("MT19937", lambda state: state["state"].update(pos=-1)),
        ("MT19937", lambda state: state["state"]["key"].pop()),
        ("Philox", lambda state: state.update(buffer_pos=5)),
        ("Philox", lambda state: state.update(buffer_pos=-1)),
        ("PCG64", lambda state: state["state"].update(inc=2)),
        ("PCG64DXSM", lambda state: state["state"].update(inc=2)),
        ("PCG64", lambda state: state["state"].update(inc=2**128 + 1)),
        ("PCG64", lambda state: state["state"].update(state="one")),
        ("PCG64", lambda state: state["state"].pop("inc")),
        ("PCG64", lambda state: state.update(uinteger=2**40)),
        ("PCG64", lambda state: state.update(has_uint32=[])),
        ("PCG64", lambda state: state.update(state=None)),
        ("PCG64", lambda state: state.update(extra=1)),
    ],
)
def test_a_state_that_no_generator_has_is_refused(tmp_path, kind, change):
    path, rng = tmp_path / "run.npz", np.random.Generator(GENERATORS[kind](0))
    save(path, network(), mlcore.SGD(), rng)
    rewrite(path, path, lambda about: change(about["rng"]))
    refuse_and_keep(path, mlcore.SGD(), "^load: .* is damaged", rng)


HOSTILE = {
    "an array beyond all memory": {"params[0].npy": npy(0.0, shape=(10**12,))},
    "a shape beyond all integers": {"params[0].npy": npy(0.0, shape=(10**30, 2))},
    "a shape beyond all text": {"params[0].npy": npy(0.0)[:10] + b"(" * 108},
    "a description beyond all memory": {"about.npy": npy(0, shape=(10**12,), descr="|u1")},
    "a deep description": {"about.npy": npy(np.full(10**5, ord("["), np.uint8))},
    "an integer beyond all text": {"about.npy": npy(np.full(10**5, ord("1"), np.uint8))},
    "an array of a newer format": {"params[1].npy": npy(np.zeros(5), np.lib.format.write_array_header_2_0)},
    "an array that is longer": {"params[1].npy": npy(np.zeros(5)) + b"\0"},
    "an array that is shorter": {"params[1].npy": npy(np.zeros(5))[:-1]},
    "an unknown name": {"w[0].npy": npy(np.zeros(5))},
    "an unknown name without a number": {"params.npy": npy(np.zeros(5))},
    "a name with another number": {"params[01].npy": npy(np.zeros(5))},
    "a state that is too long": {"m[4].npy": npy(np.zeros(5))},
    "a text": {"readme": b"text"},
    "an array under two names": {"params[0]": npy(np.zeros((2, 5)))},
    "another byte order": {"v[1].npy": npy(np.zeros(5, ">f8"))},
    "objects": {"v[1].npy": npy(np.zeros(5), descr="|O")},
}


@pytest.mark.parametrize("with_optimizer", [True, False])
@pytest.mark.parametrize("added", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_members_are_refused_before_any_array_is_read(saved, tmp_path, added, with_optimizer):
    pack(tmp_path / "bad.npz", unpacked(saved[0]) | added)
    net, optimizer = network(seed=1), mlcore.Adam()
    if with_optimizer:
        refuse_and_keep(tmp_path / "bad.npz", optimizer, "^load: ")
    elif not list(added)[0].startswith("w["):  # which might be the state of some rule
        with pytest.raises(ValueError, match="^load: "):
            load(tmp_path / "bad.npz", net)
        assert bits(net) == bits(network(seed=1))


@pytest.mark.parametrize(("length", "dtype"), [(2**20 + 8, "|u1"), (2**12, "<f8")])
def test_a_description_is_short_and_of_bytes(saved, length, dtype):
    members = unpacked(saved[0])
    about = np.load(io.BytesIO(members["about.npy"])).tobytes()
    pack(saved[0], members | {"about.npy": npy(np.frombuffer(about.ljust(2**20), "|u1"))})
    load(saved[0], network())
    pack(saved[0], members | {"about.npy": npy(np.frombuffer(about.ljust(length), dtype))})
    refuse_and_keep(saved[0], mlcore.Adam(), "its description has shape")


@pytest.mark.parametrize("value", ["3", None, {}, ["<c8", "00" * 8], ["<U1", "61000000"], ["<m8[s]", "00" * 8]])
def test_what_is_no_number_is_refused_for_a_rule_that_checks_nothing(tmp_path, value):
    save(tmp_path / "run.npz", network(), Own(min, 1))
    rewrite(tmp_path / "run.npz", tmp_path / "run.npz", lambda about: about["optimizer"].update(size=value))
    refuse_and_keep(tmp_path / "run.npz", Own(min, 1), "^load: .* is damaged, or was not written by save")


def test_a_state_of_some_rule_has_a_name_that_a_rule_can_give(saved):
    members = unpacked(saved[0])
    pack(saved[0], {key.replace("m[", "other["): array for key, array in members.items()})
    load(saved[0], network())
    pack(saved[0], {key.replace("m[", "no name["): array for key, array in members.items()})
    with pytest.raises(ValueError, match="nothing is known of .*no name"):
        load(saved[0], network())


def test_a_state_without_an_optimizer_is_refused(tmp_path):
    save(tmp_path / "run.npz", network())
    pack(tmp_path / "run.npz", unpacked(tmp_path / "run.npz") | {"m[0].npy": npy(np.zeros((2, 5)))})
    with pytest.raises(ValueError, match=r"nothing is known of \['m\[0\]'\]"):
        load(tmp_path / "run.npz", network())


def test_a_description_has_no_more_and_no_less(saved, tmp_path):
    changes = {"extra": 1}, {"optimizer": "Adam"}, {"optimizer": []}, {"rng": 3}
    for change in (*(lambda about, c=c: about.update(c) for c in changes), lambda about: about.pop("rng")):
        rewrite(saved[0], tmp_path / "changed.npz", change)
        refuse_and_keep(tmp_path / "changed.npz", mlcore.Adam(), "its description is")


def test_the_memory_that_is_needed_does_not_grow_with_the_file(saved, tmp_path):
    pack(tmp_path / "bad.npz", unpacked(saved[0]) | {"m[1].npy": npy(np.zeros(10**6))})
    tracemalloc.start()
    refuse_and_keep(tmp_path / "bad.npz", mlcore.Adam(), "the file has m")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**6 < os.path.getsize(tmp_path / "bad.npz") / 7


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_file_is_refused(saved, tmp_path, compression):
    pack(tmp_path / "bad.npz", unpacked(saved[0]), compression=compression)
    refuse_and_keep(tmp_path / "bad.npz", mlcore.Adam(), "is there twice, or compressed")


@pytest.mark.parametrize(
    ("signature", "offset", "value"),
    {
        "encrypted": (b"PK\1\2", 8, 1),
        "compressed, it says": (b"PK\1\2", 10, 8),
        "an array before the start": (b"PK\5\6", 16, 0xFFFF),
    }.values(),
)
def test_a_directory_that_lies_is_refused(saved, signature, offset, value):
    content = bytearray(saved[0].read_bytes())
    struct.pack_into("<H", content, content.index(signature) + offset, value)
    saved[0].write_bytes(content)
    refuse_and_keep(saved[0], mlcore.Adam(), "^load: .* is damaged, or was not written by save")


def mutant(members, good, rng):
    """Bytes of a file that something has happened to."""
    name, other = rng.choice(sorted(members), 2)
    kind, members, bad = rng.integers(8), dict(members), bytearray(good)
    if kind == 0:  # bytes that are other ones
        for place in rng.integers(len(bad), size=rng.integers(1, 20)):
            bad[place] = rng.integers(256)
        return bad
    if kind == 1:
        return bad[: rng.integers(len(bad))]
    if kind == 2:  # bytes that are missing in the middle
        start = rng.integers(len(bad))
        return bad[:start] + bad[start + rng.integers(1, 100) :]
    if kind == 3:
        del members[name]
    elif kind == 4:
        members[f"{rng.choice(['q', 'm', 'params', 'about', ''])}[{rng.integers(-1, 9)}].npy"] = members[name]
    elif kind == 5:
        members[other + "x"] = members.pop(other)
    elif kind == 6:
        shape = tuple(rng.integers(0, 6, rng.integers(4)))
        members[name] = npy(np.ones(shape, rng.choice(["<f8", "<f4", ">f8", "<i8", "|u1", "<c16", "<U3", "|b1"])))
    else:  # damage that the checksums of the archive do not show
        content = bytearray(members[name])
        for place in rng.integers(len(content), size=3):
            content[place] = rng.integers(256)
        members[name] = bytes(content)
    file = io.BytesIO()
    pack(file, members)
    return file.getvalue()


@pytest.mark.filterwarnings("ignore")  # of Python and NumPy, about what they are given to read
def test_whatever_happens_to_a_file_only_a_value_error_comes_and_nothing_changes(saved, tmp_path):
    rng, bad, refused = np.random.default_rng(0), tmp_path / "bad.npz", 0
    good, members = saved[0].read_bytes(), unpacked(saved[0])
    for _ in range(800):
        bad.write_bytes(mutant(members, good, rng))
        target = network(seed=1), mlcore.Adam(), np.random.default_rng(9)
        before = frozen(*target)
        try:
            load(bad, *target)
        except ValueError as error:
            assert str(error).startswith("load: ")
            assert frozen(*target) == before
            refused += 1
        else:  # other numbers in an array, or a bit that says nothing: a run that can go on
            assert target[1].iter >= 0 and all((v >= 0).all() for v in target[1].v)
    assert refused > 600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_what_is_no_ordinary_file_is_refused_and_left_in_its_place(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    for call in (save, load):
        with pytest.raises(OSError, match=rf"^{call.__name__}: .*pipe is no ordinary file"):
            call(path, network())
    assert path.is_fifo() and [p.name for p in tmp_path.iterdir()] == ["pipe"]
