#!/usr/bin/env python3
"""L-BFGS of this crate, SciPy's fmin_l_bfgs_b and liblbfgs on the same problems: writes docs/lbfgs.md.

    apt-get install liblbfgs0  # without it the page has no column of liblbfgs
    python3 -m venv /tmp/scipy && /tmp/scipy/bin/pip install scipy==1.17.1
    OMP_NUM_THREADS=1 /tmp/scipy/bin/python tests/peers/scipy_lbfgs.py

`--keep-times` leaves the times of the page as they are: for a machine that is busy.

All evaluate the same compiled functions; the calls of SciPy and liblbfgs go through a pipe. All stop at
max |g| <= 1e-5, after 1000 iterations or 10 000 evaluations, with 10 correction pairs; SciPy's other criterion
is off (factr = 0), and so are those of liblbfgs (epsilon = 0, past = 0). Evaluations count every call of the
objective until the solver returns.
"""

import ctypes
import ctypes.util
import json
import platform
import struct
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy
from scipy.optimize import fmin_l_bfgs_b

ROOT = Path(__file__).resolve().parents[2]
CARGO = ["cargo", "run", "--quiet", "--release", "-p", "benches", "--bin", "lbfgs_problems", "--"]


class Problem(NamedTuple):
    name: str
    n: int
    plateau: float
    bounds: str
    l1: float
    reach: int
    start: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


class Server:
    """The problems of a set, compiled: answers (f, g) at x."""

    def __init__(self, of="all"):
        command = CARGO + ["serve", of]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.problems = []
        while line := self.process.stdout.readline().strip():
            name, n, plateau, bounds, l1, reach, vectors = line.decode().split(" ", 6)
            vectors = [json.loads(vector.replace("inf", "Infinity")) for vector in vectors.split(";")]
            numbers = int(n), float(plateau), bounds, float(l1), int(reach)
            self.problems.append(Problem(name, *numbers, *[np.array(vector) for vector in vectors]))

    def objective(self, index):
        n = self.problems[index].n

        def evaluate(x):
            self.process.stdin.write(struct.pack("<I", index) + x.astype("<f8").tobytes())
            self.process.stdin.flush()
            answer = np.frombuffer(self.process.stdout.read(8 * (n + 1)), "<f8")
            return answer[0], answer[1:].copy()

        return evaluate

    def judge(self, index, x):
        """Whether x solves the problem, and the value there, evaluated anew."""
        problem = self.problems[index]
        plateau = problem.plateau
        f, g = self.objective(index)(x)
        if len(problem.lower):
            g = np.where(g > 0, np.minimum(g, x - problem.lower), np.maximum(g, x - problem.upper))
        return small(g) and not abs(f - plateau) <= 1e-3 * plateau, f


def small(g):
    return np.max(np.abs(g)) <= 1e-5


def by_scipy(server, scale=1):
    limits = dict(m=10, factr=0, pgtol=1e-5, maxiter=1000, maxfun=10000)
    for index, problem in enumerate(server.problems):
        objective, bounds = server.objective(index), None
        if len(problem.lower):
            bounds = np.stack([problem.lower, problem.upper], axis=1)
        x, _, info = fmin_l_bfgs_b(objective, scale * problem.start, bounds=bounds, **limits)
        yield *server.judge(index, x), info["funcalls"]


class Parameters(ctypes.Structure):
    """lbfgs_parameter_t of liblbfgs 1.10 in double precision."""

    _fields_ = [
        ("m", ctypes.c_int),
        ("epsilon", ctypes.c_double),
        ("past", ctypes.c_int),
        ("delta", ctypes.c_double),
        ("max_iterations", ctypes.c_int),
        ("linesearch", ctypes.c_int),
        ("max_linesearch", ctypes.c_int),
        ("min_step", ctypes.c_double),
        ("max_step", ctypes.c_double),
        ("ftol", ctypes.c_double),
        ("wolfe", ctypes.c_double),
        ("gtol", ctypes.c_double),
        ("xtol", ctypes.c_double),
        ("orthantwise_c", ctypes.c_double),
        ("orthantwise_start", ctypes.c_int),
        ("orthantwise_end", ctypes.c_int),
    ]


DOUBLES = ctypes.POINTER(ctypes.c_double)
EVALUATE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, DOUBLES, DOUBLES, ctypes.c_int, ctypes.c_double)
PROGRESS = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, DOUBLES, DOUBLES, *[ctypes.c_double] * 4, *[ctypes.c_int] * 3
)


class Liblbfgs:
    """The shared library, as the system has it; raises OSError where it has none."""

    def __init__(self):
        name = ctypes.util.find_library("lbfgs")
        if name is None:
            raise OSError("there is no liblbfgs")
        self.library = ctypes.CDLL(name)
        self.library.lbfgs_malloc.restype = DOUBLES
        self.library.lbfgs_free.argtypes = [DOUBLES]
        self.library.lbfgs_free.restype = None
        self.library.lbfgs_parameter_init.restype = None
        self.library.lbfgs.argtypes = [
            ctypes.c_int, DOUBLES, DOUBLES, EVALUATE, PROGRESS, ctypes.c_void_p, ctypes.POINTER(Parameters)
        ]  # fmt: skip
        # The library cannot tell its version; the package can.
        command = ["dpkg-query", "--show", "--showformat=Debian's ${Version}", "liblbfgs0"]
        try:
            self.version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError):
            self.version = f"of unknown version, {name}"

    def parameters(self):
        parameters = Parameters()
        self.library.lbfgs_parameter_init(ctypes.byref(parameters))
        # A build with floats, or with other fields, would show here.
        assert (parameters.m, parameters.epsilon, parameters.max_step) == (6, 1e-5, 1e20)
        assert (parameters.linesearch, parameters.orthantwise_c) == (0, 0)
        parameters.m, parameters.epsilon, parameters.past, parameters.max_iterations = 10, 0, 0, 1000
        return parameters

    def sparse(self, objective, problem, tolerance):
        """Evaluations until the pseudo-gradient is small; OWL-QN with its own line search of Wolfe's conditions."""

        def done(g, x):
            g, inside = g.copy(), slice(0, problem.reach)
            x, smooth = x[inside], g[inside]
            right, left = smooth + problem.l1, smooth - problem.l1
            at_zero = np.where(right < 0, right, np.where(left > 0, left, 0))
            g[inside] = np.where(x > 0, right, np.where(x < 0, left, at_zero))
            return np.max(np.abs(g)) <= tolerance

        penalty = dict(orthantwise_c=problem.l1, orthantwise_end=problem.reach, linesearch=2, max_iterations=10000)
        x, count, _ = self.minimize(objective, problem.start, 0.9, done, penalty)
        return count, int(np.count_nonzero(x[: problem.reach]))

    def minimize(self, objective, start, curvature, done=lambda g, _: small(g), more={}):
        """The last point, the number of evaluations, the code that lbfgs() returns."""
        n, count = len(start), 0

        def evaluate(_, x, g, n, step):
            nonlocal count
            count += 1
            f, gradient = objective(np.ctypeslib.as_array(x, (n,)))
            np.ctypeslib.as_array(g, (n,))[:] = gradient
            return f

        def progress(_, x, g, f, x_norm, g_norm, step, n, iteration, trials):
            g, x = np.ctypeslib.as_array(g, (n,)), np.ctypeslib.as_array(x, (n,))
            return int(done(g, x) or count >= 10000)

        memory = self.library.lbfgs_malloc(n)  # aligned for SSE
        try:
            x = np.ctypeslib.as_array(memory, (n,))
            x[:] = start
            parameters = self.parameters()
            parameters.gtol = curvature
            for name, value in more.items():
                setattr(parameters, name, value)
            code = self.library.lbfgs(n, memory, None, EVALUATE(evaluate), PROGRESS(progress), None, parameters)
            return x.copy(), count, code
        finally:
            self.library.lbfgs_free(memory)


def by_liblbfgs(server, library, curvature):
    for index, (name, n, *_) in enumerate(server.problems):
        start = server.problems[index].start
        x, evaluations, code = library.minimize(server.objective(index), start, curvature)
        solved, f = server.judge(index, x)
        if not solved:
            print(f"liblbfgs, curvature {curvature}: {name} {n}: code {code} after {evaluations} evaluations")
        yield solved, f, evaluations


class Clock:
    """The extended Rosenbrock function at a million parameters, and the time that a solver takes beside it."""

    N, BEGIN, END = 1_000_000, 13, 25

    def __init__(self):
        self.times, self.inside = [], 0.0

    def objective(self, x):
        begin = time.perf_counter()
        u, v = 10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]
        g = np.empty_like(x)
        g[::2], g[1::2] = -(40 * u * x[::2] + 2 * v), 20 * u
        f = u @ u + v @ v
        self.inside += time.perf_counter() - begin
        return f, g

    def iteration(self):
        """To be called after each iteration: whether it was the last."""
        self.times.append(time.perf_counter() - self.inside)
        return len(self.times) > self.END

    def step(self):
        """Milliseconds of an iteration with full memory, without the objective: the median."""
        return 1e3 * float(np.median(np.diff(self.times[self.BEGIN :])))


def steps(library):
    """Milliseconds of a step in doubles for each solver, and those of the floor, from one time of day."""
    start = np.tile([-1.2, 1.0], Clock.N // 2)
    command = ["cargo", "bench", "--quiet", "-p", "benches", "--bench", "lbfgs", "--", str(Clock.N)]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    [cells] = [line.strip("|").split("|") for line in lines if f"| {Clock.N} | f64 |" in line]
    floor, step = float(cells[2]) / 1e3, float(cells[4]) / 1e3
    found = {"bare reads of 4 m n elements": floor, "gradus": step}
    clock = Clock()
    try:
        fmin_l_bfgs_b(clock.objective, start, m=10, factr=0, pgtol=0, callback=lambda _: stop_if(clock.iteration()))
    except StopIteration:
        pass
    found["SciPy"] = clock.step()
    if library is not None:
        clock = Clock()
        library.minimize(clock.objective, start, 0.9, lambda *_: clock.iteration())
        found["liblbfgs"] = clock.step()
    return found


def stop_if(done):
    if done:
        raise StopIteration


def by_gradus(of="all", *numbers):
    """The problems of a set with a curvature constant, starts multiplied by a number, and a tolerance."""
    lines = subprocess.run(CARGO + ["solve", of, *numbers], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for line in lines.splitlines():
        _, _, solved, value, _, _, evaluations, _ = line.split()
        yield solved == "true", float(value), int(evaluations)


HEAD = """# L-BFGS beside {peers}

Made by `OMP_NUM_THREADS=1 python tests/peers/scipy_lbfgs.py` on {date}: {rustc}; SciPy {scipy}, Python {python}{version}.

The functions of Moré, Garbow and Hillstrom (1981) from their standard starts, with analytic gradients, and models of the
data in `data/`. All solvers evaluate the same compiled functions with 10 correction pairs and stop at max |g| <= 1e-5, after
1000 iterations or 10 000 evaluations; of SciPy's `fmin_l_bfgs_b` the other criterion is off (`factr=0`). All settings of
gradus are its defaults, but for the sums that name another curvature constant. Solved means that gradient, and not on a plateau
at infinity; a star marks what is not.
{called}
Two constants of gradus' line search were chosen on test functions of this kind: it extrapolates up to twentyfold instead of
fourfold, and its curvature constant is 0.6 instead of the usual 0.9, which SciPy has and liblbfgs by default. So the sums of
the defaults flatter gradus, and those of equal curvature stand beside them.

{summary}

From other starts, ten and a hundred times as far from 0:

{starts}

## Between bounds

The same problems with bounds, in three ways that depend on the start `s` and `w = 1 + |s|`: a box of `s - w / 4` to `s + w / 4`; the
start at a bound, lower and upper in turn, with no other; and of every three parameters one that is free, one above
`s - w / 2`, and one between that and `s + w / 10`. Solved means a projected gradient of at most 1e-5.

{bounded}

## With an L1 penalty

Evaluations until the pseudo-gradient is at most 1e-5 and 1e-8, from 0; biases are not penalised. The digits are all 1797,
scaled to 0..1, the features of the other set have mean 0 and variance 1. OWL-QN of liblbfgs has its line search with Wolfe's
conditions.

| problem | l1 | n | not 0 |{sparse_columns}
|---|--:|--:|--:|{sparse_rules}
{sparse}
{times}
## Problems

Where the minima differ, the function has several. A solver that stops early for another reason has few evaluations and a star.

| problem | n | gradus: f | evaluations |{columns}
|---|--:|--:|--:|{rules}
"""

TIMES = """## Time of a step

All that an iteration does but the objective: the extended Rosenbrock function with a million parameters in doubles, 10 pairs,
one thread, the median over the iterations with full memory ({cpu}). The times of gradus and of bare reads, five vectors at a
time, are those of `cargo bench -p benches --bench lbfgs -- 1000000`. The others call Python for the objective: the time it takes is
subtracted, that of the calls and of copying vectors for them is not.

| | ms | of bare reads |
|---|--:|--:|
{steps}
"""

CALLED = """
liblbfgs is the shared library, called through `ctypes`, with what `lbfgs_parameter_init` sets (line search of Moré and Thuente,
curvature {gtol}, at most {trials} trials) except for `m` = 10 and `max_iterations` = 1000. Its own criteria are off (`epsilon` = 0,
`past` = 0), because they are relative to |x|: a progress callback ends it after an iteration with max |g| <= 1e-5. The bound on
evaluations is looked at there too. It returns with an error when a line search fails.
"""


def cpu():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def compare(name, ours, theirs, condition):
    pairs = [(a[2], b[2]) for a, b in zip(ours, theirs, strict=True) if a[0] and b[0]]
    sums = np.sum(pairs, axis=0)
    mean = np.exp(np.mean([np.log(a / b) for a, b in pairs]))
    return (
        f"- Evaluations in sum over the {len(pairs)} that gradus and {name} solve, {condition}: "
        f"gradus {sums[0]}, {name} {sums[1]} (geometric mean of the ratios {mean:.3f}).\n"
    )


def starts():
    """A line for each of two sets of other starts."""
    server, text = Server(), ""
    for scale in (10, 100):
        ours, theirs = list(by_gradus("all", "0.6", str(scale))), list(by_scipy(server, scale))
        solved = [sum(ok for ok, _, _ in results) for results in (ours, theirs)]
        text += f"- {scale} x0: solved by gradus {solved[0]}, by SciPy {solved[1]} of {len(ours)}.\n"
        text += compare("SciPy", ours, theirs, f"{scale} x0")
    return text.strip()


def bounded():
    """A line for each kind of bounds, and for all."""
    server = Server("bounded")
    ours, theirs = list(by_gradus("bounded")), list(by_scipy(server))
    kinds, text = [problem.bounds for problem in server.problems], ""
    for kind in [*dict.fromkeys(kinds), None]:
        chosen = [[r for r, k in zip(results, kinds, strict=True) if kind in (k, None)] for results in (ours, theirs)]
        solved = [sum(ok for ok, _, _ in results) for results in chosen]
        name = kind or "all"
        text += f"- {name}: solved by gradus {solved[0]}, by SciPy {solved[1]} of {len(chosen[0])}.\n"
        text += compare("SciPy", *chosen, name)
    return text.strip()


def sparse(library):
    """A row for each problem with an L1 penalty."""
    server, text = Server("sparse"), ""
    ours = [list(by_gradus("sparse", "0.6", "1", tolerance)) for tolerance in ("1e-5", "1e-8")]
    for index, problem in enumerate(server.problems):
        evaluations, found = [results[index][2] for results in ours], []
        if library is not None:
            found = [library.sparse(server.objective(index), problem, tolerance) for tolerance in (1e-5, 1e-8)]
        zeros = found[-1][1] if found else ""
        cells = [*evaluations, *[count for count, _ in found]]
        text += f"| {problem.name} | {problem.l1} | {problem.n} | {zeros} | {' | '.join(map(str, cells))} |\n"
    return text


def main():
    server = Server()
    ours, usual, peers = list(by_gradus()), list(by_gradus("all", "0.9")), {"SciPy": list(by_scipy(server))}
    version = called = equal = ""
    library = None
    try:
        library = Liblbfgs()
    except OSError as missing:
        print(f"{missing}: no column for it")
    else:
        defaults = library.parameters()
        peers["liblbfgs"] = list(by_liblbfgs(server, library, defaults.gtol))
        equal = compare("liblbfgs", ours, list(by_liblbfgs(server, library, 0.6)), "curvature 0.6 in both")
        version = f"; liblbfgs, {library.version}"
        called = CALLED.format(gtol=defaults.gtol, trials=defaults.max_linesearch)
    rows = ""
    for (name, n, *_), *results in zip(server.problems, ours, *peers.values(), strict=True):
        cells = [f"{f:.6e} | {evaluations}{'' if ok else ' &ast;'}" for ok, f, evaluations in results]
        rows += f"| {name} | {n} | {' | '.join(cells)} |\n"
    solved = [f"{name} {sum(ok for ok, _, _ in results)}" for name, results in {"gradus": ours, **peers}.items()]
    summary = f"- Solved of {len(ours)}: {', '.join(solved)}.\n"
    for name, theirs in peers.items():
        summary += compare(name, ours, theirs, "defaults") + compare(name, usual, theirs, "curvature 0.9 in both")
    summary += equal
    page = ROOT / "docs/lbfgs.md"
    if "--keep-times" in sys.argv:
        begin, end = "## Time of a step", "## Problems"
        times = begin + page.read_text(encoding="utf-8").split(begin)[1].split(end)[0].rstrip() + "\n"
    else:
        times = steps(library)
        floor = next(iter(times.values()))
        rows_of_times = "".join(f"| {name} | {ms:.1f} | {ms / floor:.2f} |\n" for name, ms in times.items())
        times = TIMES.format(cpu=cpu(), steps=rows_of_times)
    solvers = ["gradus"] + ["liblbfgs"] * (library is not None)
    head = HEAD.format(
        starts=starts(),
        bounded=bounded(),
        sparse=sparse(library),
        sparse_columns="".join(f" {name}: 1e-5 | 1e-8 |" for name in solvers),
        sparse_rules="--:|--:|" * len(solvers),
        times=times,
        peers=" and ".join(peers),
        date=date.today(),
        rustc=subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.strip(),
        scipy=scipy.__version__,
        python=platform.python_version(),
        version=version,
        called=called,
        summary=summary.strip(),
        columns="".join(f" {name}: f | evaluations |" for name in peers),
        rules="--:|--:|" * len(peers),
    )
    page.write_text(head + rows, encoding="utf-8")
    print(summary)


if __name__ == "__main__":
    main()
