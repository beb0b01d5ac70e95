"""Measure mlcore against its rivals: `python benchmarks/run.py [--quick]`.

Every figure is a ratio of two programs that took turns in the same run. PyTorch and scikit-learn are used where they
are installed. The table goes to the screen and, with machine and versions, to benchmarks/results.json and
benchmarks/results.md; the scaling figure to benchmarks/scaling.svg.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import platform
import time

import numpy as np
import rivals

HERE = pathlib.Path(__file__).parent
NETWORKS = [((2, 10, 3), 30), ((64, 64, 10), 64), ((784, 256, 10), 128), ((784, 1024, 1024, 10), 256)]


def take_turns(programs, seconds):
    """Median time of one call of each program, and the quartiles of the ratios to the first, turn by turn."""
    for program in programs.values():
        program()
        program()
    first = next(iter(programs.values()))
    start = time.perf_counter()
    first()
    calls = max(1, int(0.02 / (time.perf_counter() - start)))  # a turn of at least some 20 ms
    times = {name: [] for name in programs}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[next(iter(times))]) < 5:
        for name, program in programs.items():
            time.sleep(0.005)  # the threads of the one before stop spinning
            program()  # and its data leave the cache
            start = time.perf_counter()
            for _ in range(calls):
                program()
            times[name].append((time.perf_counter() - start) / calls)
    return {name: np.array(t) for name, t in times.items()}


def compare(what, programs, seconds):
    """One row for each rival of the first program."""
    times = take_turns(programs, seconds)
    (name, own), *others = times.items()
    rows = []
    for rival, theirs in others:
        low, middle, high = np.quantile(theirs / own, [0.25, 0.5, 0.75])
        rows.append(
            {
                "what": what,
                "rival": rival,
                f"{name} (µs)": round(float(np.median(own)) * 1e6, 1),
                "rival (µs)": round(float(np.median(theirs)) * 1e6, 1),
                "ratio": round(float(middle), 2),
                "quartiles": f"{low:.2f}–{high:.2f}",
            }
        )
        print("  ".join(f"{value!s:>22}" for value in rows[-1].values()), flush=True)
    return rows


def all_rows(seconds):
    has_torch, has_sklearn = (importlib.util.find_spec(m) is not None for m in ("torch", "sklearn"))
    rows = []
    for sizes, batch in NETWORKS:
        name = "-".join(map(str, sizes))
        for rule in ("SGD", "Adam"):
            programs = {
                "mlcore": rivals.with_mlcore(sizes, batch, rule),
                "textbook, float64": rivals.with_textbook(sizes, batch, rule),
                "textbook, float32": rivals.with_textbook(sizes, batch, rule, np.float32),
            }
            if has_torch:
                programs["PyTorch, eager"] = rivals.with_torch(sizes, batch, rule)
            rows += compare(f"step {name}, batch {batch}, {rule}", programs, seconds)
    programs = {
        "mlcore": rivals.with_mlcore(sizes, batch, "SGD"),
        "products only": rivals.matrix_products(sizes, batch),
    }
    rows += compare(f"step {name}, batch {batch}, SGD", programs, seconds)
    for rule in ("AdaGrad", "RMSprop", "Adam"):
        for count in (10**3, 10**5, 10**6):
            programs = {
                "mlcore": rivals.update_with_mlcore(count, rule),
                "NumPy, in place": rivals.update_in_place(count, rule),
            }
            if has_torch:
                programs["PyTorch, default"] = rivals.update_with_torch(count, rule)
            rows += compare(f"update {count:,} numbers, {rule}", programs, seconds)
    if has_sklearn:
        programs = {"mlcore": rivals.epoch_with_mlcore(), "scikit-learn": rivals.epoch_with_sklearn()}
        rows += compare("5 epochs of the digits, 64-50-10", programs, seconds)
    return rows


def scaling(seconds):
    """Time per step as batch, width and depth grow, each with the exponent of the last decade."""
    series = {
        "batch": [(n, ((256, 256, 10), n)) for n in (8, 32, 128, 512, 2048)],
        "width": [(h, ((256, h, h, 10), 128)) for h in (16, 64, 256, 1024, 2048)],
        "depth": [(d, ((128,) * (d + 1) + (10,), 128)) for d in (1, 2, 4, 8, 16)],
    }
    result = {}
    for name, cases in series.items():
        values = [value for value, _ in cases]
        times = []
        for _, (sizes, batch) in cases:
            taken = take_turns({"mlcore": rivals.with_mlcore(sizes, batch, "SGD")}, seconds)
            times.append(float(np.median(taken["mlcore"])))
        exponent = float(np.polyfit(np.log(values[-3:]), np.log(times[-3:]), 1)[0])
        result[name] = {"values": values, "seconds": times, "exponent": round(exponent, 2)}
        print(f"time per step ~ {name}^{exponent:.2f} at the upper end", flush=True)
    return result


def draw(result):
    import matplotlib.pyplot as plt

    from mlcore.teaching import visual

    visual.use_style()
    _, ax = plt.subplots(figsize=(6.4, 4))
    for marker, (name, s) in zip("os^", result.items(), strict=True):
        label = f"{name}: time ∝ {name}$^{{{s['exponent']}}}$"
        ax.loglog(s["values"], np.array(s["seconds"]) * 1e3, marker=marker, label=label)
    ax.set(xlabel="batch (rows), width (units) or depth (layers)", ylabel="time of one step (ms)")
    ax.legend()
    plt.savefig(HERE / "scaling.svg", metadata={"Date": None})


def machine():
    packages = ("numpy", "torch", "scikit-learn")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{p: importlib.metadata.version(p) for p in packages if _installed(p)},
    }


def _installed(package):
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _processor():
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def table(rows):
    """What the page shows of the rows: columns that fit a phone."""
    head = "| what | rival | mlcore (µs) | ratio | quartiles |\n|---|---|--:|--:|--:|\n"
    line = "| {what} | {rival} | {mlcore (µs):.0f} | {ratio:.2f} | {quartiles} |\n"
    return head + "".join(line.format_map(row) for row in rows)


def described(machine):
    """The day, the machine and the versions in one line."""
    where = "Measured on {date}: {processor}, {cores} cores, {system}".format_map(machine)
    versions = [f"{name} {version}" for name, version in list(machine.items())[4:]]
    return ", ".join([where, *versions]) + "."


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short turns, nothing written: does it run?")
    arguments = parser.parse_args()
    seconds = 0.5 if arguments.quick else 6.0
    rows, curves = all_rows(seconds), scaling(seconds / 4)
    if not arguments.quick:
        report = {"machine": machine(), "rows": rows, "scaling": curves}
        (HERE / "results.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        text = f"{described(report['machine'])}\n\n{table(rows)}"
        (HERE / "results.md").write_text(text, encoding="utf-8")
        draw(curves)


if __name__ == "__main__":
    main()
