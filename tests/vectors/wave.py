"""Where the constants of src/schedule/wave.rs come from: Remez' exchange. Needs mpmath, which comes with PyTorch."""

from mpmath import lu_solve, matrix, mp, mpf, nstr, pi, sin, sqrt

mp.dps = 40
END = mpf(1) / 4  # z = x^2 for x up to 1/2
GRID = [END * i / 2000 for i in range(2001)]


def wanted(z):
    return sin(pi / 2 * sqrt(z)) ** 2 / z if z else pi**2 / 4


def solve(points):
    """Q of degree 3 such that 2 + (z - 1/4) Q(z), which is exact at 1/4, errs equally at five points, with turning signs."""
    rows = [[(z - END) * z**j / wanted(z) for j in range(4)] + [(-1) ** i] for i, z in enumerate(points)]
    return list(lu_solve(matrix(rows), matrix([1 - 2 / wanted(z) for z in points])))


def error(q, z):
    return (2 + (z - END) * sum(c * z**j for j, c in enumerate(q))) / wanted(z) - 1


points = [END * i / 4 * mpf("0.93") for i in range(5)]
for _ in range(8):
    *q, _ = solve(points)
    e = [abs(error(q, z)) for z in GRID]
    points = [GRID[i] for i in range(2000) if (i == 0 or e[i] >= e[i - 1]) and e[i] > e[i + 1]]

c = [(q + [0])[0] * -END + 2] + [q[j - 1] - END * (q + [0])[j] for j in range(1, 5)]
print("relative error", nstr(max(e), 3))
print("times 2^30:", *(nstr(x * 2**30, 14) for x in c))
