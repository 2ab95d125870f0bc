"""The loss lesson: points, cases, right answers, misconceptions and questions."""

import math

import numpy as np

from grader import Exercise, NumberQuestion, Question, case

UNUSUAL = 0.0, 0.00042, -250.5
"""Exercises meet a zero, a number near it and a large one, besides ordinary numbers."""

mse = Exercise(points=3)


@mse.cases
def _(rng):
    y_pred, y_true = rng.normal(size=(2, 5)).round(3)
    yield case("value", y_pred, y_true)
    yield case("value", rng.uniform(1, 2, size=1).round(3), np.zeros(1))
    yield case("value", rng.normal(size=(4, 3)).round(3), rng.normal(size=(4, 3)).round(3))
    yield case("value", np.array([*UNUSUAL, 1.5, 0.5, 3.0]), rng.permutation([4.0, 0, -1, 2, 7, 3]))
    yield case("value", y_pred, y_pred + 0.0004)
    yield case("value", y_pred, y_pred.copy())
    for size in ((2, 3), (1, 4), (7, 1), (1, 1)):
        yield case("shape", rng.normal(size=size).round(3), rng.normal(size=size).round(3))
    yield case("integer", rng.integers(-9, 10, size=4), rng.integers(10, 20, size=4))
    low, high = np.array([0, *rng.integers(1, 50, size=3)]), rng.integers(200, 251, size=4)
    for lesser, greater, kind in ((low, high, np.uint8), (low - 120, high - 130, np.int8)):
        yield case("integer/small types", lesser.astype(kind), greater.astype(kind))
        yield case("integer/small types", greater.astype(kind), lesser.astype(kind))
    yield case("purity", rng.normal(size=4).round(3), rng.normal(size=4).round(3))
    for one, other in ((4, 3), (4, (4, 1)), (1, 4), ((2, 3), (3, 2))):
        inputs = rng.normal(size=one).round(3), rng.normal(size=other).round(3)
        yield case("error/different shapes", *inputs, raises=ValueError)
    yield case("error/no numbers", np.zeros(0), np.zeros(0), raises=ValueError)


def _two(y_pred, y_true):
    """Return both as float arrays; raise ValueError if the shapes differ or are empty."""
    y_pred, y_true = np.asarray(y_pred, float), np.asarray(y_true, float)
    if y_pred.shape != y_true.shape or y_pred.size == 0:
        raise ValueError("two arrays of one shape with at least one number, please")
    return y_pred, y_true


@mse.right_answer
def by_dot_product(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    gap = (y_pred - y_true).ravel()
    return gap @ gap / gap.size


@mse.right_answer
def by_sum(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.sum(np.abs(y_true - y_pred) ** 2)) / y_pred.size


@mse.right_answer
def by_loop(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    total = 0.0
    for p, t in zip(y_pred.flat, y_true.flat, strict=True):
        total += (float(p) - float(t)) ** 2
    return total / y_pred.size


@mse.right_answer
def by_average(y_pred, y_true):
    """Three functions in each other, to be read from inside: no name for the gap."""
    if np.shape(y_pred) != np.shape(y_true):
        raise ValueError
    if not np.size(y_pred):
        raise ValueError
    return np.average(np.square(np.subtract(y_pred, y_true, dtype=np.float64)))


@mse.misconception(
    "You added the squares up: the mean divides by how many there are, so that more examples do "
    "not mean a larger loss."
)
def sums(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.sum((y_pred - y_true) ** 2))


@mse.misconception(
    "You took the size of each gap, which is the mean absolute error: here each gap is squared."
)
def takes_absolute_values(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.mean(np.abs(y_pred - y_true)))


@mse.misconception(
    "You took a root at the end: that is the root mean squared error, and here the mean itself is "
    "wanted."
)
def takes_the_root(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.sqrt(np.mean((y_pred - y_true) ** 2)))


@mse.misconception(
    "Your result is half of what is wanted: some books divide by 2 to simplify the formula of the "
    "slope, here the mean stays as it is."
)
def halves(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.mean((y_pred - y_true) ** 2) / 2)


@mse.misconception("You halved the sum: the mean divides it by how many numbers there are.")
def halves_the_sum(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.sum((y_pred - y_true) ** 2) / 2)


@mse.misconception(
    "You divided by twice the number of rows: the mean divides by how many numbers there are."
)
def halves_by_rows(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.sum((y_pred - y_true) ** 2) / (2 * len(y_pred)))


@mse.misconception(
    "That is the variance of the gaps: it takes their mean away first, and here that counts too."
)
def takes_the_variance(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.var(y_pred - y_true))


@mse.misconception("Gaps above and below cancelled out before you squared: square each gap first.")
def squares_the_mean(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.mean(y_pred - y_true) ** 2)


@mse.misconception("The square is missing, so gaps above and below cancel out.")
def forgets_the_square(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.mean(y_pred - y_true))


@mse.misconception("You divided by the number of rows: a table has more numbers than rows.")
def divides_by_rows(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.sum((y_pred - y_true) ** 2) / len(y_pred))


@mse.misconception(
    "You divided by one less than the count: that belongs to the variance of a sample, and a mean "
    "divides by the count itself."
)
def divides_by_one_less(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    with np.errstate(all="ignore"):
        return float(np.sum((y_pred - y_true) ** 2) / np.float64(y_pred.size - 1))


@mse.misconception("You return a mean for each column: a loss is one number.")
def one_for_each_column(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return np.mean((y_pred - y_true) ** 2, axis=0)


@mse.misconception(
    "The gaps were divided by what was wanted: the squared error counts them as they are."
)
def relative_gaps(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.mean(((y_pred - y_true) / (y_true + 1e-300)) ** 2))


@mse.misconception(
    "You return a square for each gap: a loss puts all of them into one number, their mean."
)
def forgets_the_mean(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return (y_pred - y_true) ** 2


@mse.misconception(
    "Only the first gap was counted: a return inside a loop ends it in the first round."
)
def returns_in_the_loop(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return (y_pred[0] - y_true[0]) ** 2 / len(y_pred)


@mse.misconception(
    "Only the last gap was counted: each round of a loop has to add to the total, not replace it."
)
def keeps_the_last_gap(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return (y_pred[-1] - y_true[-1]) ** 2 / len(y_pred)


@mse.misconception(
    "You squared the numbers first and then subtracted: the square of a gap is not the gap of two "
    "squares."
)
def subtracts_squares(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.mean(y_pred**2 - y_true**2))


@mse.misconception("You doubled each gap: a square is a number times itself, ** 2 in Python.")
def doubles(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.mean(np.abs(y_pred - y_true) * 2))


@mse.misconception(
    "You squared the sum of the gaps, in which those above and below cancel out: square each gap "
    "first."
)
def squares_the_sum(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.sum(y_pred - y_true) ** 2 / y_pred.size)


@mse.misconception("You took the gap in the middle, the median: here every gap counts.")
def takes_the_median(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.median((y_pred - y_true) ** 2))


@mse.misconception("You return a mean for each row: a loss is one number.")
def one_for_each_row(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return np.mean((y_pred - y_true) ** 2, axis=-1)


@mse.misconception(
    "Only y_true was squared: Python takes powers before it subtracts, so the gap needs brackets."
)
def lacks_brackets(y_pred, y_true):
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.mean(y_pred - y_true**2))


@mse.misconception(
    "In Python ^ is not the power but works on the bits of integers: the power is **."
)
def takes_the_wrong_sign_for_a_power(y_pred, y_true):
    return np.mean((y_pred - y_true) ^ 2)


@mse.misconception(
    "len is the first number of a shape alone: (4,) and (4, 1) have the same, and are different "
    "shapes."
)
def compares_lengths(y_pred, y_true):
    y_pred, y_true = np.asarray(y_pred, float), np.asarray(y_true, float)
    if len(y_pred) != len(y_true) or y_pred.size == 0:
        raise ValueError
    return float(np.mean((y_pred - y_true) ** 2))


@mse.misconception(
    "You returned the ValueError, as if it were a loss: an error stops the program only when it is "
    "raised."
)
def returns_the_error(y_pred, y_true):
    if np.shape(y_pred) != np.shape(y_true) or np.size(y_pred) == 0:
        return ValueError("different shapes")
    return by_average(y_pred, y_true)


@mse.misconception(
    "The caller got None and would go on with it: a print is read by people, and only an exception "
    "stops a program."
)
def returns_none(y_pred, y_true):
    if np.shape(y_pred) != np.shape(y_true) or np.size(y_pred) == 0:
        print("these can't be compared")
        return None
    return by_average(y_pred, y_true)


@mse.misconception(
    "numpy stretched one shape to fit the other and compared everything with everything: what "
    "should happen when the shapes differ?"
)
def broadcasts(y_pred, y_true):
    y_pred, y_true = np.asarray(y_pred, float), np.asarray(y_true, float)
    if y_pred.size == 0:
        raise ValueError
    return float(np.mean((y_pred - y_true) ** 2))


@mse.misconception(
    "assert raises AssertionError, and python -O leaves it out: the docstring names another "
    "exception."
)
def asserts(y_pred, y_true):
    assert np.shape(y_pred) == np.shape(y_true)
    y_pred, y_true = _two(y_pred, y_true)
    return float(np.mean((y_pred - y_true) ** 2))


@mse.misconception(
    "The mean of no numbers is nan, and training goes on with it unnoticed: what should happen "
    "when there is nothing to average?"
)
def forgets_the_empty_case(y_pred, y_true):
    y_pred, y_true = np.asarray(y_pred, float), np.asarray(y_true, float)
    if y_pred.shape != y_true.shape:
        raise ValueError
    return float(np.mean((y_pred - y_true) ** 2))


@mse.misconception(
    "An empty input is no perfect prediction: a loss of 0 hides that there was nothing to compare."
)
def calls_nothing_perfect(y_pred, y_true):
    y_pred, y_true = np.asarray(y_pred, float), np.asarray(y_true, float)
    if y_pred.shape != y_true.shape:
        raise ValueError
    return float(np.sum((y_pred - y_true) ** 2) / max(y_pred.size, 1))


@mse.misconception(
    "Small types of integers start over at their ends: in uint8, 3 − 5 is 254, and large squares "
    "wrap too, so in which type of number should you subtract?"
)
def wraps_around(y_pred, y_true):
    _two(y_pred, y_true)
    return float(np.mean((np.asarray(y_pred) - np.asarray(y_true)) ** 2))


@mse.misconception(
    "Your wider integers hold the gaps, but floats lose their decimals in them: which type of "
    "number holds both?"
)
def widens_to_int(y_pred, y_true):
    _two(y_pred, y_true)
    return float(np.mean((y_pred.astype(int) - y_true.astype(int)) ** 2))


@mse.misconception("The gaps were written over the predictions, and the caller still needs those.")
def subtracts_in_place(y_pred, y_true):
    _two(y_pred, y_true)
    if y_pred.dtype.kind != "f":
        return by_average(y_pred, y_true)
    y_pred -= y_true
    return float(np.mean(y_pred**2))


BOUND = 1e-12

binary_cross_entropy = Exercise(points=3)


def _p(rng, *size):
    """Return probabilities far enough from 0 and 1 that bounds up to 1e-7 make no difference."""
    return rng.uniform(0.15, 0.85, size=size).round(3)


@binary_cross_entropy.cases
def _(rng):
    yield case("value", _p(rng, 6), rng.permutation([0.0, 0, 1, 1, 0, 1]))
    yield case("value", _p(rng, 4), rng.permutation([0.3, 0.6, 0.7, 0.8]))
    yield case("value", _p(rng, 3, 2), np.array([[1.0, 0], [1, 1], [0, 1]]))
    yield case("value", rng.uniform(0.15, 0.3, size=1).round(3), np.ones(1))
    for y in ([[1.0, 0, 1], [0, 1, 0]], [[1.0, 0, 0, 0.5]], [[0.0]] * 7, [[0.0]]):
        yield case("shape", _p(rng, *np.shape(y)), np.array(y))
    yield case("integer", _p(rng, 4), np.array([0, 1, 1, 0]))
    # In floats 1 − (1 − 10⁻¹²) is not exactly 10⁻¹²: right ways differ by 3·10⁻⁶.
    yield case("stability", np.array([0.0, 0.5]), np.array([1.0, 0.0]), rtol=1e-5)
    yield case("stability", np.array([1.0, 0.5]), np.array([0.0, 1.0]), rtol=1e-5)
    yield case("stability", np.array([0.0, 1.0, 0.25]), np.array([0.0, 1.0, 1.0]), rtol=1e-5)
    yield case("stability", np.array([0, 1, 1]), np.array([1, 0, 1]), rtol=1e-5)
    yield case("stability", np.array([1e-15, 0.5]), np.array([1.0, 0.0]), rtol=1e-3)
    yield case("quiet", np.array([0.0, 1.0, 1.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0]))
    for p, y in ((0.0, 1.0), (1.0, 0.0)):
        yield case(
            "stability/float32", np.array([p, 0.5], np.float32), np.array([y, 1.0]), rtol=1e-5
        )
    yield case("purity", np.array([0.0, *_p(rng, 2), 1.0]), np.array([1.0, 0, 1, 0]))


@binary_cross_entropy.right_answer
def by_log1p(p, y):
    p = np.clip(np.float64(p), BOUND, 1 - BOUND)
    return -np.mean(y * np.log(p) + (1 - y) * np.log1p(-p))


@binary_cross_entropy.right_answer
def by_min_and_max(p, y):
    p = np.minimum(np.maximum(np.array(p, dtype=float), BOUND), 1 - BOUND)
    return float((-(y * np.log(p)) - (1 - y) * np.log(1 - p)).mean())


@binary_cross_entropy.right_answer
def by_two_bounds(p, y):
    q = np.maximum(1 - np.asarray(p, float), BOUND)
    return np.average(
        -(np.multiply(y, np.log(np.maximum(p, BOUND))) + np.subtract(1, y) * np.log(q))
    )


@binary_cross_entropy.right_answer
def by_adding_the_bound(p, y):
    p = np.asarray(p, float)
    return -np.mean(y * np.log(p + BOUND) + (1 - y) * np.log(1 - p + BOUND))


@binary_cross_entropy.right_answer
def by_a_loop(p, y):
    total = 0.0
    for a, t in zip(np.ravel(p), np.ravel(y), strict=True):
        a = min(max(float(a), BOUND), 1 - BOUND)
        total -= t * math.log(a) + (1 - t) * math.log(1 - a)
    return total / np.size(p)


def _clipped(p):
    return np.clip(np.asarray(p, float), BOUND, 1 - BOUND)


@binary_cross_entropy.misconception(
    "At p = 0 or 1 your logarithm is infinite: the docstring says between which two bounds, 1e-12 "
    "from either end, p is kept first."
)
def does_not_clip(p, y):
    p = np.asarray(p, float)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


ANOTHER_BOUND = (
    "The small number that you added or clipped to is not the 1e-12 of the docstring, and the cost "
    "at p = 0 and p = 1 depends on it."
)


def _bounded(p, y, bound, added=0.0):
    p = np.clip(np.asarray(p, float), bound, 1 - bound)
    return -np.mean(y * np.log(p + added) + (1 - y) * np.log(1 - p + added))


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_2(p, y):
    return _bounded(p, y, 0.01)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_3(p, y):
    return _bounded(p, y, 0.001)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_4(p, y):
    return _bounded(p, y, 0.0001)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_5(p, y):
    return _bounded(p, y, 1e-05)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_6(p, y):
    return _bounded(p, y, 1e-06)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_7(p, y):
    return _bounded(p, y, 1e-07)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_8(p, y):
    return _bounded(p, y, 1e-08)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_9(p, y):
    return _bounded(p, y, 1e-09)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_10(p, y):
    return _bounded(p, y, 1e-10)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_11(p, y):
    return _bounded(p, y, 1e-11)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_13(p, y):
    return _bounded(p, y, 1e-13)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_14(p, y):
    return _bounded(p, y, 1e-14)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_15(p, y):
    return _bounded(p, y, 1e-15)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def clips_at_1e_16(p, y):
    return _bounded(p, y, 1e-16)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def adds_1e_4(p, y):
    return _bounded(p, y, 0, added=0.0001)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def adds_1e_5(p, y):
    return _bounded(p, y, 0, added=1e-05)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def adds_1e_6(p, y):
    return _bounded(p, y, 0, added=1e-06)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def adds_1e_13(p, y):
    return _bounded(p, y, 0, added=1e-13)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def adds_1e_14(p, y):
    return _bounded(p, y, 0, added=1e-14)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def adds_1e_15(p, y):
    return _bounded(p, y, 0, added=1e-15)


@binary_cross_entropy.misconception(ANOTHER_BOUND)
def adds_1e_16(p, y):
    return _bounded(p, y, 0, added=1e-16)


@binary_cross_entropy.misconception(
    "You kept p away from 0, and not from 1: the other logarithm has the same trouble there."
)
def clips_below_only(p, y):
    p = np.maximum(np.asarray(p, float), BOUND)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@binary_cross_entropy.misconception(
    "Only the examples with y = 1 count in yours: what does a confident answer cost where y = 0?"
)
def forgets_the_zeros(p, y):
    return -np.mean(y * np.log(_clipped(p)))


@binary_cross_entropy.misconception(
    "Your loss is negative: logarithms of probabilities are below 0, and a cost is above."
)
def forgets_the_minus(p, y):
    p = _clipped(p)
    return np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@binary_cross_entropy.misconception(
    "You added the costs up: the mean divides by how many there are."
)
def adds_up(p, y):
    p = _clipped(p)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


@binary_cross_entropy.misconception(
    "The two labels changed places: a high p should be cheap where y = 1."
)
def turns_the_labels(p, y):
    p = _clipped(p)
    return -np.mean((1 - y) * np.log(p) + y * np.log(1 - p))


@binary_cross_entropy.misconception(
    "Your logarithm has another base: the natural one is meant, so that its slope is 1/p."
)
def takes_log2(p, y):
    p = _clipped(p)
    return -np.mean(y * np.log2(p) + (1 - y) * np.log2(1 - p))


@binary_cross_entropy.misconception(
    "That is the squared error: cross-entropy counts logarithms, so that a confident mistake costs "
    "a lot."
)
def is_mse(p, y):
    return np.mean((np.asarray(p) - y) ** 2)


@binary_cross_entropy.misconception(
    "You rounded p to a decision first: the loss looks at how sure the answer was."
)
def rounds_first(p, y):
    p = _clipped(np.round(p))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


HARD = (
    "Your labels can only be 0 or 1: a label of 0.3 asks for 30 percent of one cost and 70 of the "
    "other."
)


@binary_cross_entropy.misconception(HARD)
def asks_whether_y_is_1(p, y):
    p = _clipped(p)
    return -np.mean(np.where(np.asarray(y) == 1, np.log(p), np.log(1 - p)))


@binary_cross_entropy.misconception(HARD)
def hard_labels_only(p, y):
    p = _clipped(p)
    return -np.mean(np.where(np.asarray(y) > 0.5, np.log(p), np.log(1 - p)))


@binary_cross_entropy.misconception("You return a mean for each row: a loss is one number.")
def mean_of_each_row(p, y):
    p = _clipped(p)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p), axis=-1)


@binary_cross_entropy.misconception(
    "You divided by the number of rows: a table has more numbers than rows."
)
def divides_by_rows(p, y):  # noqa: F811
    p = _clipped(p)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) / len(p)


@binary_cross_entropy.misconception(
    "That is a logarithm to base 10: the natural one is meant, in numpy np.log."
)
def takes_log10(p, y):
    p = _clipped(p)
    return -np.mean(y * np.log10(p) + (1 - y) * np.log10(1 - p))


@binary_cross_entropy.misconception(
    "You replaced p = 0 and p = 1 alone: a p of 1e-15 has to be clipped as well."
)
def replaces_the_ends_alone(p, y):
    p = np.asarray(p, float)
    p = np.where(p == 0, BOUND, np.where(p == 1, 1 - BOUND, p))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@binary_cross_entropy.misconception("You return a mean for each column: a loss is one number.")
def mean_of_each_column(p, y):
    p = _clipped(p)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p), axis=0)


@binary_cross_entropy.misconception(
    "Only the examples with y = 0 count in yours: what does an answer cost where y = 1?"
)
def forgets_the_ones(p, y):
    return -np.mean((1 - y) * np.log(1 - _clipped(p)))


@binary_cross_entropy.misconception(
    "Every example counts as one with y = 1 in yours: where do the labels come in?"
)
def forgets_the_labels(p, y):
    return -np.mean(np.log(_clipped(p)))


@binary_cross_entropy.misconception(
    "Python multiplies before it subtracts, so 1 - y * … is not what (1 - y) * … is: look at your "
    "brackets."
)
def forgets_the_bracket(p, y):
    p = _clipped(p)
    return -np.mean(y * np.log(p) + 1 - y * np.log(1 - p))


@binary_cross_entropy.misconception(
    "The minus reaches only the first of the two terms in yours: both are costs."
)
def minus_for_one_term(p, y):
    p = _clipped(p)
    return np.mean(-y * np.log(p) + (1 - y) * np.log(1 - p))


SWAPPED = (
    "p and y changed places: the logarithm is that of the probability, and the label says which "
    "one counts."
)


@binary_cross_entropy.misconception(SWAPPED)
def swaps_without_a_bound(p, y):
    return -np.mean(p * np.log(y) + (1 - p) * np.log(1 - y))


@binary_cross_entropy.misconception(
    "Something in yours takes one number only, as math.log and float do, and p is a whole array: "
    "np.log takes arrays, and what makes one number of all costs before float?"
)
def takes_the_log_of_math(p, y):
    return -np.mean(y * math.log(p) + (1 - y) * math.log(1 - p))


@binary_cross_entropy.misconception(SWAPPED)
def swaps_p_and_y(p, y):
    q = _clipped(y)
    return -np.mean(p * np.log(q) + (1 - p) * np.log(1 - q))


@binary_cross_entropy.misconception(
    "Adding a little keeps p away from 0, and pushes p = 1 over the edge: it needs a bound on "
    "both sides."
)
def adds_a_little(p, y):
    p = np.asarray(p, float) + BOUND
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@binary_cross_entropy.misconception(
    "An if, and Python's own max and min, decide about one number, and p and y are whole arrays: "
    "let the formula do the choosing."
)
def asks_about_the_array(p, y):
    p = _clipped(p)
    return -np.mean(np.log(p) if y == 1 else np.log(1 - p))


@binary_cross_entropy.misconception(
    "The mean is missing: you return a cost for each example, and a loss is one number."
)
def one_cost_each(p, y):
    p = _clipped(p)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


@binary_cross_entropy.misconception(
    "float32 holds about seven digits, so the upper bound rounds to 1 there and holds nothing "
    "back: in which type of number does 1 − 1e-12 differ from 1?"
)
def clips_in_float32(p, y):
    p = np.clip(p, BOUND, 1 - BOUND)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@binary_cross_entropy.misconception(
    "You clipped the caller's own array: keep the result in a new one."
)
def clips_in_place(p, y):
    p = p if p.dtype.kind == "f" else p.astype(float)
    np.clip(p, BOUND, 1 - BOUND, out=p)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


softmax = Exercise(points=3)


@softmax.cases
def _(rng):
    yield case("value", rng.uniform(-3, 3, size=4).round(3))
    yield case("value", rng.uniform(-3, 3, size=(3, 4)).round(3))
    yield case("value", rng.uniform(-3, 3, size=(3, 3)).round(3))
    yield case("value", np.array([0.0, 0.00042, 2.0, -7.0]), atol=0)
    for size in ((1, 5), (2, 3), (7, 2), (3, 1), 1):
        yield case("shape", rng.normal(size=size).round(3))
    yield case("integer", rng.integers(-3, 4, size=5))
    yield case("integer", rng.integers(-3, 4, size=(2, 3)))
    yield case("stability", np.array([1000.0, 0.0, -1000.0]), atol=1e-100)
    yield case("stability", np.array([1000.0, 999.0, 998.5]))
    yield case("stability", np.array([[0.0, 999.0, 1000.0], [-1000.0, -1001.0, -3000.0]]))
    yield case("quiet", np.array([1000.0, 0.0, -1000.0]))
    yield case("quiet", np.array([[1000.0, 0.0], [-1000.0, -1001.0]]))
    yield case("purity", rng.normal(size=(2, 4)).round(3))


@softmax.right_answer
def by_transposes(logits):
    shifted = (np.asarray(logits).T - np.max(logits, axis=-1)).T
    e = np.exp(shifted)
    return (e.T / e.sum(axis=-1)).T


@softmax.right_answer
def by_clipped_exponents(logits):
    e = np.exp(np.clip(logits - logits.max(axis=-1, keepdims=True), -700, 0))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.right_answer
def by_logaddexp(logits):
    """Takes the logarithm of the sum first: no shift by the largest is needed."""
    logits = np.asarray(logits, float)
    return np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))


@softmax.right_answer
def by_rows(logits):
    """Plain Python, one row at a time: no axis to think about, and slow."""

    def one(row):
        weights = [np.exp(value - max(row)) for value in row]
        return [weight / sum(weights) for weight in weights]

    logits = np.asarray(logits, float)
    return np.array(one(list(logits)) if logits.ndim == 1 else [one(list(row)) for row in logits])


@softmax.right_answer
def by_apply_along_axis(logits):
    """Says it for one row, and lets numpy go through the rows."""
    return np.apply_along_axis(
        lambda row: np.exp(row - row.max()) / np.exp(row - row.max()).sum(), -1, logits
    )


@softmax.misconception(
    "e to the power 1000 fits into no float, and infinity divided by infinity is nan: what may be "
    "subtracted from all logits of a row without changing the result?"
)
def does_not_shift(logits):
    e = np.exp(np.asarray(logits, float))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.misconception("All rows together sum to 1 in yours: each row alone should.")
def normalises_everything(logits):
    e = np.exp(logits - np.max(logits))
    return e / e.sum()


@softmax.misconception("Your columns sum to 1: the classes of one example stand in a row.")
def normalises_columns(logits):
    e = np.exp(logits - np.max(logits, axis=0))
    return e / e.sum(axis=0)


@softmax.misconception(
    "A single row of logits has only one axis, so an axis 1 is missing there: how does one say the "
    "last axis, whichever it is?"
)
def batches_only(logits):
    e = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@softmax.misconception(
    "Your shift is the same for all rows, and a row far below it vanishes to 0/0: each row has its "
    "own largest logit."
)
def shifts_by_the_largest_of_all(logits):
    e = np.exp(logits - np.max(logits))
    return e / e.sum(axis=-1, keepdims=True)


LOST_AXIS = (
    "The sums of the rows lost their axis, so each met a column: a reduction can keep the axis it "
    "reduces."
)


@softmax.misconception(LOST_AXIS)
def forgets_keepdims(logits):
    e = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return e / e.sum(axis=-1)


@softmax.misconception(
    "You divided the logits themselves by their sum, and they may be negative: what makes any "
    "number positive first?"
)
def forgets_exp(logits):
    logits = np.asarray(logits, float)
    with np.errstate(all="ignore"):
        return logits / logits.sum(axis=-1, keepdims=True)


@softmax.misconception("That is a sigmoid of each logit: nothing there makes a row sum to 1.")
def is_sigmoid(logits):
    e = np.exp(-np.abs(np.asarray(logits, float)))
    return np.where(np.asarray(logits) >= 0, 1, e) / (1 + e)


@softmax.misconception("That is the logarithm of the softmax: probabilities are between 0 and 1.")
def is_log_softmax(logits):
    logits = np.asarray(logits, float)
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


@softmax.misconception(
    "In yours the best class always gets 1, so its row adds up to more than 1: the powers still "
    "have to be divided by the sum of their row."
)
def divides_by_the_largest(logits):
    return np.exp(logits - np.max(logits, axis=-1, keepdims=True))


@softmax.misconception(
    "Only the best class gets anything in yours: softmax is soft, the others keep their share."
)
def is_one_hot(logits):
    logits = np.asarray(logits)
    return (logits == logits.max(axis=-1, keepdims=True)).astype(float)


@softmax.misconception(
    "You cut large logits off, so 1000 and 999 became the same: shift them instead, which keeps "
    "their distances."
)
def clips_logits(logits):
    e = np.exp(np.clip(logits, -700, 700))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.misconception("Your base is 2: the softmax is made with e.")
def takes_powers_of_two(logits):
    e = np.exp2(logits - np.max(logits, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.misconception(LOST_AXIS)
def forgets_keepdims_without_a_shift(logits):
    e = np.exp(np.asarray(logits, float))
    return e / e.sum(axis=-1)


@softmax.misconception(
    "math.exp takes one number at a time, and logits are many: whose exp takes arrays?"
)
def takes_the_exp_of_math(logits):
    e = math.exp(logits)
    return e / np.sum(e)


@softmax.misconception(
    "The largest logits of the rows lost their axis, so each was subtracted from a column: a "
    "reduction can keep the axis it reduces."
)
def forgets_keepdims_of_the_largest(logits):
    e = np.exp(logits - np.max(logits, axis=-1))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.misconception(
    "A number for each row, the largest or the sum, met the columns of the table: a reduction can "
    "keep the axis it reduces."
)
def forgets_both_keepdims(logits):
    e = np.exp(logits - np.max(logits, axis=-1))
    return e / e.sum(axis=-1)


@softmax.misconception(
    "You stopped at the powers of e: each is a share only after it is divided by the sum of its "
    "row."
)
def stops_at_the_powers(logits):
    return np.exp(np.asarray(logits, float))


@softmax.misconception("You divided by the sum of the logits: the sum of their powers is meant.")
def divides_by_the_sum_of_logits(logits):
    logits = np.asarray(logits, float)
    return np.exp(logits) / logits.sum(axis=-1, keepdims=True)


@softmax.misconception(
    "In yours the smallest logit gets the largest share: look at the sign of the exponent."
)
def turns_the_sign(logits):
    e = np.exp(np.min(logits, axis=-1, keepdims=True) - np.asarray(logits, float))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.misconception(
    "After subtracting the smallest logit of a row the largest exponent can still be hundreds: "
    "which number makes all exponents 0 or less?"
)
def shifts_by_the_smallest(logits):
    e = np.exp(logits - np.min(logits, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.misconception(
    "After subtracting the mean of a row the largest exponent can still be hundreds: which number "
    "makes all exponents 0 or less?"
)
def shifts_by_the_mean(logits):
    e = np.exp(logits - np.mean(logits, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@softmax.misconception(
    "You rounded the shares, and a loss takes their logarithms: keep all digits."
)
def rounds_shares(logits):
    e = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return np.round(e / e.sum(axis=-1, keepdims=True), 3)


@softmax.misconception("The shift was written into the caller's logits: keep it in a new array.")
def shifts_in_place(logits):
    logits -= np.max(logits, axis=-1, keepdims=True)
    e = np.exp(logits)
    return e / e.sum(axis=-1, keepdims=True)


@softmax.misconception("A single row came back as a table with one row: (k,) stays (k,).")
def adds_an_axis(logits):
    e = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return np.atleast_2d(e / e.sum(axis=-1, keepdims=True))


@softmax.misconception(
    "After subtracting the first logit of a row another exponent can still be hundreds: which "
    "number makes all exponents 0 or less?"
)
def shifts_by_the_first(logits):
    e = np.exp(logits - np.asarray(logits)[..., :1])
    return e / e.sum(axis=-1, keepdims=True)


@softmax.misconception(
    "A small number added to a share, or used as its bound, makes the tiniest shares too large: e "
    "to a power far below 0 may round to 0, and that is right."
)
def bounds_the_shares(logits):
    e = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return np.clip(e / e.sum(axis=-1, keepdims=True), 1e-12, None)


@softmax.misconception("Your rows came back as one: the result has the shape of the logits.")
def flattens(logits):
    e = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True)).ravel()


cross_entropy = Exercise(points=3)


def _logits(rng, *size):
    """Return logits whose probabilities are so large that 1e-7 more makes no difference."""
    return rng.uniform(-1, 1, size=size).round(3)


@cross_entropy.cases
def _(rng):
    yield case("value", _logits(rng, 4, 3), np.array([0, 2, 1, 2]))
    yield case("value", _logits(rng, 3, 3), rng.permutation(3))
    yield case(
        "value", np.array([[0.0, 0.00042, -1, 1, 0.5], [1, -1, 0.5, 0, 0]]), np.array([4, 0])
    )
    ahead = rng.uniform(1, 1.5, size=7).round(3)
    yield case("value", np.stack([ahead, 0 * ahead], axis=1), np.zeros(7, int))
    yield case("shape", _logits(rng, 1, 4), np.array([2]))
    yield case("shape", _logits(rng, 1, 1), np.array([0]), atol=1e-6)
    integers = rng.integers(-1, 2, size=(3, 4))
    yield case("integer", integers, np.array([1, 0, 3]))
    yield case("integer", integers, np.array([3, 1, 0], np.uint8))
    a, b, c = rng.uniform(800, 1200, size=3).round(1)
    yield case("stability", np.array([[3.0, a, 0.0]]), np.array([0]))
    yield case("stability", np.array([[1.0, b, 0.0], [-1000.0, 0.0, 5.0]]), np.array([1, 0]))
    yield case("stability", np.array([[-c, -c - 1], [1000.0, 1002.0]]), np.array([0, 0]))
    yield case("quiet", np.array([[0.0, 1000.0, -1000.0]]), np.array([0]))
    yield case("purity", _logits(rng, 3, 2), np.array([1, 0, 1]))


def _log_softmax(logits, axis=-1):
    logits = np.asarray(logits, float)
    return logits - np.logaddexp.reduce(logits, axis=axis, keepdims=True)


def _probabilities(logits):
    return np.exp(_log_softmax(logits))


@cross_entropy.right_answer
def by_take_along_axis(logits, labels):
    return -np.take_along_axis(_log_softmax(logits), labels[:, None], axis=1).mean()


@cross_entropy.right_answer
def by_one_hot(logits, labels):
    one_hot = np.eye(logits.shape[1])[labels]
    return -np.sum(one_hot * _log_softmax(logits)) / len(labels)


@cross_entropy.right_answer
def by_a_loop_over_rows(logits, labels):
    """One example at a time, with the logarithm worked out on paper first."""
    costs = []
    for row, label in zip(np.asarray(logits, float), labels, strict=True):
        largest = max(row)
        costs.append(largest + np.log(sum(np.exp(value - largest) for value in row)) - row[label])
    return sum(costs) / len(costs)


@cross_entropy.right_answer
def by_gaps(logits, labels):
    """Only the gaps to the right logit count: no softmax, no logarithm of 0."""
    gaps = (
        np.asarray(logits, float)
        - np.asarray(logits, float)[np.arange(len(labels)), labels][:, None]
    )
    return float(np.mean(np.logaddexp.reduce(gaps, axis=1)))


@cross_entropy.misconception(
    "You added the costs of all examples up: the mean divides by how many there are."
)
def adds_costs_up(logits, labels):
    return -np.sum(_log_softmax(logits)[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "Your loss is negative: the logarithm of a probability is below 0, and a cost is above."
)
def loses_the_minus(logits, labels):
    return np.mean(_log_softmax(logits)[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "A probability of e^(−1000) is 0 to the computer, and its logarithm infinite: write the "
    "logarithm of the fraction out before you compute it, so that the tiny power is never needed."
)
def takes_the_log_of_zero(logits, labels):
    return -np.mean(np.log(_probabilities(logits)[np.arange(len(labels)), labels]))


@cross_entropy.misconception(
    "e to the power 1000 fits into no float, and your softmax needs it: what keeps exponents small?"
)
def overflows(logits, labels):
    e = np.exp(np.asarray(logits, float))
    return -np.mean(np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(labels)), labels]))


CAPPED = (
    "A small number, added or used as a bound before the logarithm, caps the loss: a gap of 1000 "
    "between logits should cost 1000, so avoid that logarithm."
)


def _capped(logits, labels, bound, added=0.0):
    p = _probabilities(logits)[np.arange(len(labels)), labels]
    return -np.mean(np.log(np.maximum(p, bound) + added))


@cross_entropy.misconception(CAPPED)
def caps_at_1e_4(logits, labels):
    return _capped(logits, labels, 0.0001)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_5(logits, labels):
    return _capped(logits, labels, 1e-05)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_6(logits, labels):
    return _capped(logits, labels, 1e-06)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_7(logits, labels):
    return _capped(logits, labels, 1e-07)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_8(logits, labels):
    return _capped(logits, labels, 1e-08)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_9(logits, labels):
    return _capped(logits, labels, 1e-09)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_10(logits, labels):
    return _capped(logits, labels, 1e-10)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_11(logits, labels):
    return _capped(logits, labels, 1e-11)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_12(logits, labels):
    return _capped(logits, labels, 1e-12)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_13(logits, labels):
    return _capped(logits, labels, 1e-13)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_14(logits, labels):
    return _capped(logits, labels, 1e-14)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_15(logits, labels):
    return _capped(logits, labels, 1e-15)


@cross_entropy.misconception(CAPPED)
def caps_at_1e_16(logits, labels):
    return _capped(logits, labels, 1e-16)


@cross_entropy.misconception(CAPPED)
def caps_by_adding_1e_4(logits, labels):
    return _capped(logits, labels, 0, added=0.0001)


@cross_entropy.misconception(CAPPED)
def caps_by_adding_1e_5(logits, labels):
    return _capped(logits, labels, 0, added=1e-05)


@cross_entropy.misconception(CAPPED)
def caps_by_adding_1e_6(logits, labels):
    return _capped(logits, labels, 0, added=1e-06)


@cross_entropy.misconception(
    "Where p is 0, its logarithm is −∞, and 0 times that is nan: write the logarithm out, so that "
    "no probability is needed."
)
def multiplies_by_one_hot(logits, labels):
    one_hot = np.eye(np.shape(logits)[1])[labels]
    return -np.sum(one_hot * np.log(_probabilities(logits))) / len(labels)


@cross_entropy.misconception(
    "The wrong classes cost you something as well: that is the loss for yes or no, and here only "
    "the right class counts."
)
def is_binary_cross_entropy(logits, labels):
    p, y = _probabilities(logits), np.eye(np.shape(logits)[1])[labels]
    return -np.mean(np.sum(y * np.log(p) + (1 - y) * np.log(1 - p), axis=1))


@cross_entropy.misconception(
    "You applied the softmax twice: after the first time the logits are probabilities already."
)
def takes_softmax_twice(logits, labels):
    return -np.mean(_log_softmax(_probabilities(logits))[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "You took logarithms of the logits, and they may be negative: first the softmax of each row "
    "makes probabilities of them."
)
def takes_logs_of_logits(logits, labels):
    return -np.mean(np.log(np.asarray(logits, float)[np.arange(len(labels)), labels]))


@cross_entropy.misconception(
    "Your shift is the same for all rows, and a row far below it vanishes: each row has its own "
    "largest logit."
)
def shifts_by_the_largest_of_all(logits, labels):  # noqa: F811
    below = logits - np.max(logits)
    log_p = below - np.log(np.sum(np.exp(below), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "Where a probability rounds to 0 your cost is 0 too, and the worst mistakes come for free: "
    "write the logarithm out, so that no probability is needed."
)
def leaves_out_zeros(logits, labels):
    p = _probabilities(logits)[np.arange(len(labels)), labels]
    return -np.mean(np.log(np.where(p == 0, 1, p)))


@cross_entropy.misconception(
    "You picked every label's column for every example: row i goes with label i alone."
)
def picks_every_column(logits, labels):
    return -np.mean(_log_softmax(logits)[:, labels])


@cross_entropy.misconception(
    "That is the mean of the raw logits: they become probabilities only by the softmax of their "
    "row."
)
def skips_the_softmax(logits, labels):
    return -np.mean(np.asarray(logits, float)[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "You compare with the best logit alone: cross-entropy counts all classes, by the logarithm of "
    "their sum of exponentials."
)
def compares_with_the_best(logits, labels):
    logits = np.asarray(logits, float)
    return np.mean(logits.max(axis=1) - logits[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "You averaged over classes as well: only one class of each example counts, and there are n of "
    "them."
)
def divides_by_classes_too(logits, labels):
    return -np.mean(np.eye(logits.shape[1])[labels] * _log_softmax(logits))


@cross_entropy.misconception(
    "Your softmax runs down the columns: the classes of one example stand in a row."
)
def softmax_down_the_columns(logits, labels):
    return -np.mean(_log_softmax(logits, axis=0)[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "Your softmax runs over all examples together: the shares of each example sum to 1."
)
def softmax_over_everything(logits, labels):
    logits = np.asarray(logits, float)
    return np.mean(np.logaddexp.reduce(logits, axis=None) - logits[np.arange(len(labels)), labels])


@cross_entropy.misconception("You counted the classes from 1: label 0 is the first column already.")
def counts_from_one(logits, labels):
    return -np.mean(_log_softmax(logits)[np.arange(len(labels)), labels - 1])


@cross_entropy.misconception(
    "That is one minus the probability: cross-entropy takes its logarithm, so that a confident "
    "mistake costs a lot."
)
def one_minus_probability(logits, labels):
    return np.mean(1 - _probabilities(logits)[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "That is the share of wrong answers, 1 minus the accuracy: a loss also says how sure each "
    "answer was."
)
def counts_mistakes(logits, labels):
    return np.mean(np.argmax(logits, axis=1) != labels)


@cross_entropy.misconception(
    "You return a cost for each example: a loss is one number, their mean."
)
def one_for_each_example(logits, labels):
    return -_log_softmax(logits)[np.arange(len(labels)), labels]


@cross_entropy.misconception(
    "Your logarithm has another base: the natural one belongs to the e of the softmax."
)
def takes_another_log(logits, labels):
    return -np.mean(_log_softmax(logits)[np.arange(len(labels)), labels]) / np.log(2)


@cross_entropy.misconception(
    "Your logarithm is written out, and the powers of e under its sum still overflow: what keeps "
    "exponents small?"
)
def naive_log_of_the_sum(logits, labels):
    logits = np.asarray(logits, float)
    log_sum = np.log(np.exp(logits).sum(axis=1))
    return np.mean(log_sum - logits[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "table[labels] takes whole rows, as many as there are labels: from each row only one entry "
    "counts."
)
def picks_whole_rows(logits, labels):
    return -np.mean(_log_softmax(logits)[labels])


@cross_entropy.misconception(
    "All classes count in yours: the cost of an example is that of its right class alone."
)
def counts_all_classes(logits, labels):
    return -np.mean(_log_softmax(logits))


@cross_entropy.misconception(
    "A label is the index of a column: it picks one entry of its row, and nothing is multiplied by "
    "it."
)
def multiplies_by_labels(logits, labels):
    return -np.mean(labels * _log_softmax(logits))


@cross_entropy.misconception(
    "Something in yours takes one number only, as math.log and float do, and it was given an "
    "array: np.log takes arrays, and what makes one number of all costs before float?"
)
def takes_logs_of_math(logits, labels):
    return -np.mean(math.log(_probabilities(logits)[np.arange(len(labels)), labels]))


@cross_entropy.misconception(
    "You took the largest probability of each row: the right class may be another one."
)
def takes_the_best_class(logits, labels):
    return -np.mean(_log_softmax(logits).max(axis=1))


@cross_entropy.misconception(
    "The logarithm is missing: that is the mean probability of the right classes, with a minus."
)
def forgets_the_log(logits, labels):
    return -np.mean(_probabilities(logits)[np.arange(len(labels)), labels])


@cross_entropy.misconception(
    "You took the logarithm of a mean: a mean of logarithms is another number, so take the "
    "logarithm of each first."
)
def log_of_the_mean(logits, labels):
    return -np.log(np.mean(_probabilities(logits)[np.arange(len(labels)), labels]))


@cross_entropy.misconception(
    "That is the squared error of the probabilities: cross-entropy takes −ln of the one that the "
    "right class got."
)
def squared_error_of_shares(logits, labels):
    gaps = _probabilities(logits) - np.eye(np.shape(logits)[1])[labels]
    return np.mean(np.sum(gaps**2, axis=1))


@cross_entropy.misconception(
    "Only the first example counts in yours: a return inside a loop ends it in the first round."
)
def returns_the_first_cost(logits, labels):
    return -_log_softmax(logits)[0, labels[0]] / len(labels)


@cross_entropy.misconception(
    "You took the logarithm of the logits themselves, and many are below 0: the softmax comes "
    "first."
)
def log_of_logits(logits, labels):
    with np.errstate(all="ignore"):
        picked = np.asarray(logits, float)[np.arange(len(labels)), labels]
        return -np.mean(np.log(picked))


@cross_entropy.misconception(
    "The shift was written into the caller's logits: keep it in a new array."
)
def changes_the_logits(logits, labels):
    logits -= logits.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels])


outlier_pull = Question(
    "One of twelve points is moved far up. Which fitted line follows it most?",
    answer="The one by squared errors",
    wrong={
        "The one by absolute errors": "An absolute error pulls equally hard at every distance.",
        "The one by Huber's loss": "Huber's loss is straight far out, and its pull stops growing.",
        "All three follow alike: it is one point of twelve": (
            "Each point counts once in the mean, but not each pulls equally hard."
        ),
    },
    why=(
        "A gap ten times as large costs a hundred times as much when squared, and pulls, by its "
        "slope, ten times as hard. The pull of an absolute error is the same for every gap."
    ),
)

ten_in_a_row = NumberQuestion(
    "On each of ten days a forecaster gave 0.9 to what then happened, rain or not. The days are "
    "independent. What probability did the ten forecasts together give to these ten days?",
    answer=0.35,
    low=0,
    high=1,
    step=0.05,
    close=0.1,
    too_low="A factor of 0.9 takes away a tenth of what is left, and leaves nine tenths.",
    too_high="Every further day multiplies by 0.9 again, so ten days together are less probable.",
    why="0.9 multiplied ten times is 0.349. Products of probabilities shrink quickly.",
)

bold_friend = Question(
    "Under dark clouds you say 0.8 and a friend says 0.99. It rains on 8 of 10 such days. Whose "
    "mean cost is lower?",
    answer="Yours, by squared errors and by cross-entropy",
    wrong={
        "The friend's by both: 0.99 is closer on 8 of 10 days": (
            "What the friend saves on eight days is less than what the other two cost."
        ),
        "The friend's by squared errors, yours by cross-entropy": (
            "The squared error is milder with the two dry days, and still dearer for the friend."
        ),
    },
    why=(
        "Squared: 0.16 for you, 0.20 for the friend. Cross-entropy: 0.50 and 0.93. On average, "
        "both losses are lowest for the p that equals how often it rains: here 0.8."
    ),
)

plus_hundred = Question(
    "Someone adds 100 to the loss, for every prediction alike. What changes in training?",
    answer="Nothing: the same steps, the same weights",
    wrong={
        "The steps become larger": "A step follows how steep the loss is, not how high.",
        "Training can't reach a loss of 0, so it never stops": (
            "Training looks for the lowest point; how high that lies doesn't matter."
        ),
    },
    why=(
        "Training asks which change of the weights lowers the loss. Adding a constant lifts the "
        "whole curve and changes no slope."
    ),
)

larger_slope = Question(
    "The right answer is y = 0, and the neuron's z is 10: it is sure of the opposite. Which loss "
    "has the larger slope there, and so corrects more?",
    answer="Binary cross-entropy",
    wrong={
        "The squared error": "It is nearly at its ceiling of 1 there, and a ceiling is flat.",
        "Both the same: both see the same mistake": (
            "Both see it, but the squared error can't grow beyond 1, whatever z is."
        ),
    },
    why=(
        "Behind a sigmoid the squared error's slope at z = 10 is 0.00009, that of binary "
        "cross-entropy 0.99995. The surer the mistake, the less the squared error learns from it."
    ),
)

add_hundred_logits = Question(
    "Three logits, 2, 1 and 0, all grow by 100. What happens to their softmax?",
    answer="It stays as it is",
    wrong={
        "The first class takes nearly all": (
            "Its power grows by the factor e^100, and so do those of the others."
        ),
        "All three become nearly equal": (
            "102, 101 and 100 look alike as ratios, but the softmax looks at differences."
        ),
    },
    why=(
        "Only differences between logits count: e^100 is a factor of every term, above and below "
        "the fraction line."
    ),
)

hot_softmax = NumberQuestion(
    "The softmax of 2, 1 and 0 gives the first class a share of 0.67. Now all three logits are "
    "divided by 10. What is the first class's share then?",
    answer=0.37,
    low=0,
    high=1,
    step=0.01,
    close=0.05,
    too_low="The first class still has the largest logit, so its share can't fall below a third.",
    too_high="The logits are only 0.1 apart now, and it is the differences that count.",
    why=(
        "The softmax of 0.2, 0.1 and 0 is 0.37, 0.33 and 0.30. The number by which logits are "
        "divided is called the temperature: a high one makes shares alike."
    ),
)

knows_nothing = NumberQuestion(
    "A new network has no idea which of ten digits it sees: all ten get the same probability. "
    "What is its cross-entropy?",
    answer=2.3,
    low=0,
    high=5,
    step=0.1,
    close=0.2,
    too_low="The right digit got a probability of 0.1: which cost belongs to it?",
    too_high="Every digit got 0.1, which is far from 0, so the cost is no disaster.",
    why=(
        "−ln 0.1 = ln 10 = 2.303, whichever digit is right. With k classes it is ln k: where a "
        "loss should start, and a first check that nothing is broken."
    ),
)

activation_range = Question(
    "A neuron is to say how probable rain is. Which activation suits its output?",
    answer="Sigmoid",
    wrong={
        "tanh": "tanh goes down to −1, and no probability is negative.",
        "ReLU": "ReLU has no upper limit, and a probability of 3.2 means nothing.",
    },
    why="A sigmoid stays between 0 and 1, which is why its output can be read as a probability.",
)

only_bias = Question(
    "A neuron has the weights 2 and −1, a bias of −3 and a sigmoid. Both inputs are 0. What is "
    "its output?",
    answer="0.05",
    wrong={
        "0": "Inputs of 0 silence the weights, but the bias is added all the same.",
        "0.5": "That is the sigmoid of 0, and here the bias makes z = −3.",
    },
    why="z = 2·0 − 1·0 − 3 = −3, and the sigmoid of −3 is 0.05. With inputs of 0 the bias decides.",
)

two_forecasters = Question(
    "Ten days. Ann gave what happened 0.8 each time. Bob gave it 0.99 nine times, and 0.001 once. "
    "Whose cross-entropy is lower?",
    answer="Ann's",
    wrong={
        "Bob's: he was better on nine of ten days": (
            "Nine times he saved 0.21, and the tenth day cost him 6.9."
        ),
        "It is the same: both were right on average": (
            "The mean is that of the costs, and −ln makes one sure mistake very dear."
        ),
    },
    why=(
        "Ann pays 0.22 a day, Bob 0.70: a little more than someone who says 0.5 every day, and "
        "knows nothing."
    ),
)

dense_shapes = Question(
    "X has 20 rows and 5 columns, and a layer has 3 neurons. What shape does the layer's output "
    "have?",
    answer="20 rows, 3 columns",
    wrong={
        "5 rows, 3 columns": "That is the shape of the weights: a row for each input.",
        "20 rows, 5 columns": "Each of the 3 neurons turns the 5 numbers of a row into one.",
        "3 rows, 20 columns": "Examples stay in rows, and neurons are columns.",
    },
    why="A row for each example and a column for each neuron: (20, 5) times (5, 3) is (20, 3).",
)

linear_layers = Question(
    "A network of four layers without activations reads 90 percent of its digits right. Can a "
    "network with a single layer do as well?",
    answer="Yes, with weights made of the four matrices, multiplied",
    wrong={
        "No: four layers can do more than one": (
            "Depth adds something only if there is a bend between the layers."
        ),
        "Only with four times as many neurons": (
            "Its outputs are the ten digits, as before; no further neurons are needed."
        ),
    },
    why="A weighted sum of weighted sums is a weighted sum again, whatever the number of layers.",
)
