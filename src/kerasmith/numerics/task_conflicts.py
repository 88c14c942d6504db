"""One gradient out of those of several tasks: coefficients from the (K, K) matrix of their inner products alone.

With gradients g_k and gram[i, j] = <g_i, g_j>, each function gives (K,) coefficients a of the combined gradient sum_k a_k g_k.
They are computed in float32 from the directions g_k / |g_k| and the lengths apart, so lengths from 1e-12 to 1e12 in one
matrix are fine. A gradient shorter than 1e-18 counts as zero: it has no direction, conflicts with nothing, and its
coefficient does not matter. Parallel gradients make the matrix of directions singular; 1e-6 on its diagonal picks one
finite solution and changes those of regular matrices by about as much. K is small: loops over the tasks are unrolled.
"""

from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics import safe

_NO_LENGTH_SQUARED = 1e-36
_RIDGE = 1e-6


def pcgrad(gram: Tensor, order: Tensor) -> Tensor:
    """PCGrad: each task's gradient loses what points against another task's; then the sum.

    For task i: v = g_i; for j in order[i], j != i: if <v, g_j> < 0: v = v - <v, g_j> / |g_j|^2 g_j.

    Args:
        gram: (K, K).
        order: (K, K) integers; row i is the order in which task i meets the tasks, itself included and skipped.

    Returns:
        (K,), each at least 1.

    Reference: Yu et al., "Gradient surgery for multi-task learning", 2020, algorithm 1.
    """
    cosines, length, _ = _directions(gram)
    count = cosines.shape[0]
    unit = ops.eye(count, dtype="float32")
    # Row i: task i's vector, in the directions of all tasks.
    parts = unit
    for step in range(count):
        met = ops.one_hot(order[:, step], count, dtype="float32")
        along = ops.sum(_product(parts, cosines) * met, axis=-1, keepdims=True)
        # Rounding could make a task conflict with itself.
        met = met * (1.0 - unit)
        parts = parts - ops.minimum(along, 0.0) * met
    return ops.sum(parts * (length[:, None] / length[None, :]), axis=0)


def imtl_g(gram: Tensor) -> Tensor:
    """IMTL-G: the combination whose projections on all directions are equal, with coefficients that sum to 1.

    a_k = b_k / |g_k| / sum_j (b_j / |g_j|), cosines b = 1. Single coefficients may be negative. Where the sum is not above
    0.1 % of the sum of absolute values, equal projections would be uphill or without bound: the mean of the gradients takes
    their place. Zero gradients get 0 and are not counted.

    Args:
        gram: (K, K).

    Reference: Liu et al., "Towards impartial multi-task learning", 2021, equation 6; the authors write the same system with
    differences to the first task.
    """
    cosines, length, alive = _directions(gram)
    count = cosines.shape[0]
    equal = solve(_ridged(cosines), ops.ones((count, 1)))[:, 0]
    shortest = ops.min(ops.where(alive > 0, length, ops.max(length)))
    raw = alive * equal * (shortest / length)
    total = ops.sum(raw)
    exists = total > 1e-3 * ops.sum(ops.abs(raw))
    mean = safe.ratio(alive, ops.sum(alive), when_empty=0.0)
    return ops.where(exists, raw / ops.where(exists, total, 1.0), mean)


def nash(gram: Tensor) -> Tensor:
    """Nash-MTL: the bargaining solution, (gram / |gram|_F) a = 1 / a with a > 0.

    Lengths do not change the direction of the sum; for one task a = 1. The solution is a_k = b_k sqrt(|gram|_F) / |g_k|
    with the minimum b of b^T cosines b / 2 - sum_k log b_k, found by 25 damped Newton steps. Where a combination with a > 0
    is zero there is no solution: a is large (b up to about 1000) and the sum near 0. Zero gradients get 0.

    Args:
        gram: (K, K).

    Reference: Navon et al., "Multi-task learning as a bargaining game", 2022, claim 3.2; the Frobenius norm as in
    the authors' code.
    """
    cosines, length, alive = _directions(gram)
    count = cosines.shape[0]
    matrix = _ridged(cosines)

    def improve(_, b):
        # Exact along b, then Newton in relative changes of b, for which the second derivative is at least 1.
        b = b * ops.sqrt(count / ops.sum(b * _apply(matrix, b)))
        slope = 1.0 - b * _apply(matrix, b)
        curvature = matrix * b[:, None] * b[None, :] + ops.eye(count, dtype="float32")
        change = solve(curvature, slope[:, None])[:, 0]
        decrement = ops.sqrt(ops.maximum(ops.sum(change * slope), 0.0))
        return b * (1.0 + change * ops.where(decrement < 0.25, 1.0, 1.0 / (1.0 + decrement)))

    b = ops.fori_loop(0, 25, improve, ops.ones((count,), dtype="float32"))
    longest = ops.max(alive * length)
    relative = alive * length / ops.where(longest > 0, longest, 1.0)
    frobenius = ops.sqrt(ops.sum(ops.square(alive[:, None] * cosines * relative[:, None] * relative[None, :])))
    return alive * b * ops.sqrt(frobenius) * (longest / length)


def cagrad(gram: Tensor, c: float) -> Tensor:
    """CAGrad: the direction near the mean gradient in which the task that gains least gains most.

    d = (g_0 + c |g_0| g_w / |g_w|) / (1 + c^2), g_0 the mean of the gradients, g_w = sum_k w_k g_k with the w of the simplex
    that minimises <g_0, g_w> + c |g_0| |g_w|. So (1 + c^2) d has the largest min_k <g_k, d> of all vectors within
    c |g_0| of g_0. Zero gradients take no part in the search, and one more than 10^4 times shorter than the longest is
    taken for one that is 10^4 times shorter.

    Args:
        gram: (K, K).
        c: radius of the search relative to |g_0|, a number >= 0; 0 gives the mean.

    Returns:
        (K,), each at least 1 / (K (1 + c^2)) to rounding.

    Reference: Liu et al., "Conflict-averse gradient descent for multi-task learning", 2021; divided by 1 + c^2 as
    in the authors' code.
    """
    cosines, length, alive = _directions(gram)
    count = cosines.shape[0]
    if c == 0:
        return ops.ones((count,), dtype="float32") / count
    matrix = _ridged(cosines)
    longest = ops.max(alive * length)
    relative = alive * length / ops.where(longest > 0, longest, 1.0)
    to_mean = _apply(matrix, relative) / count
    mean_length = ops.sqrt(ops.maximum(ops.sum(relative * to_mean), 0.0) / count)
    # A zero gradient is priced out: it gains more than any other.
    gain = safe.ratio(to_mean, mean_length, when_empty=0.0) / c + (1.0 - alive) * (10.0 + 10.0 / c)
    required = ops.where(alive > 0, 1.0 / ops.maximum(relative, 1e-4), 1.0)
    shift = _most_gain(matrix, gain, required)
    return (1.0 / count + c * mean_length * safe.ratio(shift, relative, when_empty=0.0)) / (1.0 + c * c)


def _most_gain(matrix, gain, required):
    """y of the largest u with gain + matrix y >= u * required and y^T matrix y <= 1, all (K,).

    14 steps of a primal-dual interior-point method. Every step solves the linearised equations
    slack = gain + matrix y - u required, v slack = barrier;  norm_slack = (1 - y^T matrix y) / 2, price norm_slack = barrier;
    v = price y, required . v = 1
    and goes as far as slack, norm_slack, v and price stay positive.
    """
    count = matrix.shape[0]

    def improve(_, state):
        y, u, slack, norm_slack, v, price = state
        gap = (ops.sum(v * slack) + price * norm_slack) / (count + 1)
        barrier = ops.maximum(0.1 * gap, 1e-9)
        inner = _apply(matrix, y)
        square = ops.sum(y * inner)
        off = v - price * y
        off_inner = _apply(matrix, off)
        slack_off = gain + inner - u * required - slack
        rest = barrier - price * 0.5 * (1.0 - square) + ops.sum(y * off_inner)
        whole = norm_slack + square
        # The square of the constraint on v changes no solution and keeps the system well-conditioned.
        system = matrix - inner[:, None] * inner[None, :] / whole + required[:, None] * required[None, :]
        system = system / price + ops.eye(count, dtype="float32") * (slack / v)
        missing = 1.0 - ops.sum(required * v)
        right = barrier / v - slack - slack_off + (inner * (rest / whole) - off_inner + required * missing) / price
        solved = solve(system, ops.stack([right, required], axis=-1))
        free, held = solved[:, 0], solved[:, 1]
        u_change = (missing - ops.sum(free * required)) / ops.sum(held * required)
        v_change = free + u_change * held
        price_change = (rest + ops.sum(inner * v_change)) / whole
        y_change = (off + v_change - y * price_change) / price
        slack_change = barrier / v - slack - slack / v * v_change
        norm_slack_change = barrier / price - norm_slack - norm_slack / price * price_change
        primal = _step_within(ops.append(slack, norm_slack), ops.append(slack_change, norm_slack_change))
        dual = _step_within(ops.append(v, price), ops.append(v_change, price_change))
        y, u, slack, norm_slack = (
            y + primal * y_change,
            u + primal * u_change,
            slack + primal * slack_change,
            norm_slack + primal * norm_slack_change,
        )
        return y, u, slack, norm_slack, v + dual * v_change, price + dual * price_change

    zero, one = ops.zeros((), dtype="float32"), ops.ones((), dtype="float32")
    u = ops.min(gain / required) - one
    start = (ops.zeros_like(gain), u, gain - u * required, 0.5 + zero, 1.0 / required / count, one)
    return ops.fori_loop(0, 14, improve, start)[0]


def _step_within(x, change):
    """The part of a change, at most 1, that leaves every x > 0."""
    return ops.minimum(1.0, 0.99 / ops.maximum(ops.max(-change / x), 1e-9))


def _directions(gram):
    """Cosines (K, K) with a diagonal of 1, lengths (K,), and (K,) 0 for zero gradients, 1 for others.

    Zero gradients have cosine 0 to all others and length 1.
    """
    gram = ops.cast(gram, "float32")
    unit = ops.eye(gram.shape[0], dtype="float32")
    square = ops.sum(gram * unit, axis=-1)
    is_alive = square > _NO_LENGTH_SQUARED
    alive = ops.cast(is_alive, "float32")
    length = ops.sqrt(ops.where(is_alive, square, ops.ones_like(square)))
    cosines = ops.clip(gram / length[:, None] / length[None, :], -1.0, 1.0)
    return unit + (1.0 - unit) * cosines * alive[:, None] * alive[None, :], length, alive


def _ridged(matrix):
    return matrix + _RIDGE * ops.eye(matrix.shape[0], dtype="float32")


def _apply(matrix, vector):
    """matrix @ vector; `matmul` would round to few bits on recent accelerators."""
    return ops.sum(matrix * vector[None, :], axis=-1)


def _product(a, b):
    return ops.sum(a[:, :, None] * b[None, :, :], axis=1)


_SMALLEST_PIVOT = 1e-7


def solve(matrix: Tensor, right: Tensor) -> Tensor:
    """X with `matrix` X = `right`, by Gauss-Jordan elimination; finite also where the matrix is singular to rounding.

    Args:
        matrix: (K, K), symmetric, positive definite, K small: the loop over the unknowns is unrolled.
        right: (K, R).

    Returns:
        (K, R). Such a matrix needs no exchange of rows; scaled to a diagonal of 1, a pivot is at most 1.
    """
    count = matrix.shape[0]
    unit = ops.eye(count, dtype=matrix.dtype)
    scale = ops.expand_dims(ops.rsqrt(ops.sum(matrix * unit, axis=-1)), -1)
    rows = ops.concatenate([matrix * scale * ops.transpose(scale), right * scale], axis=-1)
    for k in range(count):
        pivot = rows[k : k + 1] / ops.maximum(rows[k : k + 1, k : k + 1], _SMALLEST_PIVOT)
        rows = rows - (rows[:, k : k + 1] - unit[:, k : k + 1]) * pivot
    return rows[:, count:] * scale
