"""`save` and `load`: a run continues in the same bits, and a file that does not fit changes nothing."""

import json
import os
import pickle
import zipfile

import numpy as np
import pytest

import mlcore
from mlcore import Affine, Sequential, Sigmoid, SoftmaxWithLoss, fit, load, load_spiral, save, storage

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
