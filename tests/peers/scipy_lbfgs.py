#!/usr/bin/env python3
"""L-BFGS of this crate and SciPy's fmin_l_bfgs_b on the same problems, side by side: writes docs/lbfgs.md.

    python3 -m venv /tmp/scipy && /tmp/scipy/bin/pip install scipy==1.17.1
    OMP_NUM_THREADS=1 /tmp/scipy/bin/python tests/peers/scipy_lbfgs.py

Both evaluate the same compiled functions; SciPy's calls go through a pipe. Both stop at max |g| <= 1e-5,
after 1000 iterations or 10 000 evaluations, with 10 correction pairs; SciPy's other criterion is off
(factr = 0). Evaluations count every call of the objective until the solver returns.
"""

import json
import platform
import struct
import subprocess
from datetime import date
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import fmin_l_bfgs_b

ROOT = Path(__file__).resolve().parents[2]
CARGO = ["cargo", "run", "--quiet", "--release", "--example", "lbfgs_problems", "--"]


class Server:
    """The problems, compiled: answers (f, g) at x."""

    def __init__(self):
        self.process = subprocess.Popen(CARGO + ["serve"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.problems = []
        while line := self.process.stdout.readline().strip():
            name, n, plateau, start = line.decode().split(" ", 3)
            self.problems.append((name, int(n), float(plateau), np.array(json.loads(start))))

    def objective(self, index):
        n = self.problems[index][1]

        def evaluate(x):
            self.process.stdin.write(struct.pack("<I", index) + x.astype("<f8").tobytes())
            self.process.stdin.flush()
            answer = np.frombuffer(self.process.stdout.read(8 * (n + 1)), "<f8")
            return answer[0], answer[1:].copy()

        return evaluate


def by_scipy(server):
    for index, (_, _, plateau, start) in enumerate(server.problems):
        objective = server.objective(index)
        x, f, info = fmin_l_bfgs_b(objective, start, m=10, factr=0, pgtol=1e-5, maxiter=1000, maxfun=10000)
        gradient = np.max(np.abs(objective(x)[1]))
        solved = gradient <= 1e-5 and not abs(f - plateau) <= 1e-3 * plateau
        yield solved, f, info["funcalls"]


def by_gradus():
    lines = subprocess.run(CARGO + ["solve"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for line in lines.splitlines():
        _, _, solved, value, _, _, evaluations, _ = line.split()
        yield solved == "true", float(value), int(evaluations)


HEAD = """# L-BFGS beside SciPy

Made by `OMP_NUM_THREADS=1 python tests/peers/scipy_lbfgs.py` on {date}: {rustc}; SciPy {scipy}, Python {python}.

The functions of Moré, Garbow and Hillstrom (1981) from their standard starts, with analytic gradients, and models of the
data in `data/`. Both solvers evaluate the same compiled functions with 10 correction pairs and stop at max |g| <= 1e-5, after
1000 iterations or 10 000 evaluations; of SciPy's `fmin_l_bfgs_b` the other criterion is off (`factr=0`). All settings of
gradus are its defaults. Solved means that gradient, and not on a plateau at infinity; a star marks what is not.

{summary}

Where the minima differ, the function has several. A solver that stops early for another reason has few evaluations and a star.

| problem | n | gradus: f | evaluations | SciPy: f | evaluations |
|---|--:|--:|--:|--:|--:|
"""


def main():
    server = Server()
    rows, solved, common, ratios = [], [0, 0], [0, 0], []
    for (name, n, _, _), ours, theirs in zip(server.problems, by_gradus(), by_scipy(server), strict=True):
        cells = [f"{f:.6e} | {evals}{'' if ok else ' &ast;'}" for ok, f, evals in (ours, theirs)]
        rows.append(f"| {name} | {n} | {cells[0]} | {cells[1]} |\n")
        solved = [solved[0] + ours[0], solved[1] + theirs[0]]
        if ours[0] and theirs[0]:
            common = [common[0] + ours[2], common[1] + theirs[2]]
            ratios.append(ours[2] / theirs[2])
    summary = (
        f"- Solved of {len(rows)}: gradus {solved[0]}, SciPy {solved[1]}.\n"
        f"- Evaluations in sum over the {len(ratios)} that both solve: gradus {common[0]}, SciPy {common[1]}.\n"
        f"- Geometric mean of the ratios of evaluations: {np.exp(np.mean(np.log(ratios))):.3f}."
    )
    rustc = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    head = HEAD.format(
        date=date.today(), rustc=rustc, scipy=scipy.__version__, python=platform.python_version(), summary=summary
    )
    (ROOT / "docs/lbfgs.md").write_text(head + "".join(rows), encoding="utf-8")
    print(summary)


if __name__ == "__main__":
    main()
