"""The chain rule lesson: points, cases, right answers, misconceptions and questions."""

import math
from functools import partial

import numpy as np

from grader import Exercise, NumberQuestion, Question, case
from playground.functions import landscapes

twice = partial(np.multiply, 2.0)
"""The slope of np.square."""

shifted, ones = partial(np.add, 0.5), partial(np.power, 1.0)
"""x + 0.5 and its slope 1, which give floats for numbers of any type."""

chain = Exercise(points=2)


@chain.cases
def _(rng):
    def places(*size):
        return rng.normal(size=size).round(3)

    constant = partial(np.full_like, fill_value=2.0)
    yield case("value", np.cos, np.square, twice, at=[*places(4).tolist(), 20.5, -15.25])
    yield case("value", twice, np.sin, np.cos, at=places(4).tolist())
    yield case("value", np.exp, twice, constant, at=places(3).tolist())
    yield case("value", np.cos, np.exp, np.exp, at=[*places(3).tolist(), 0.0])
    yield case("value", np.cos, np.log, np.reciprocal, at=[0.001, 0.002])  # bent too much for h
    sizes = (6,), (1,), (2, 3), (1, 4), (3, 1), (2, 1, 2), (0,)
    single = np.float64(0.7), np.array(-0.3)
    yield case("shape", np.cos, np.exp, np.exp, at=[*single, *(places(*size) for size in sizes)])
    yield case("integer", np.cos, np.square, twice, at=[1, 2, np.array([1, 2, 3])])
    unusual = [np.array([0, 3, 200], np.uint8), np.array([True, False])]
    yield case("integer", np.cos, shifted, ones, at=unusual)


@chain.right_answer
def by_lambda(d_outer, inner, d_inner):
    """A function in one line: the rule reads as on paper."""
    return lambda x: d_inner(x) * d_outer(inner(x))


@chain.right_answer
def by_multiply(d_outer, inner, d_inner):
    """Gives the inner value a name first: easier to follow, and computed once."""

    def slope(value):
        u = inner(value)
        return np.multiply(d_outer(u), d_inner(value))

    return slope


class _Slope:
    def __init__(self, *parts):
        self.parts = parts

    def __call__(self, x):
        d_outer, inner, d_inner = self.parts
        return d_outer(inner(x)) * d_inner(x)


@chain.right_answer
def by_an_object(d_outer, inner, d_inner):
    return _Slope(d_outer, inner, d_inner)


@chain.right_answer
def by_partial(d_outer, inner, d_inner):
    return partial(lambda f, g, h, x: math.prod([f(g(x)), h(x)]), d_outer, inner, d_inner)


@chain.right_answer
def by_floats(d_outer, inner, d_inner):
    def slope(x):
        x = np.asarray(x, dtype=float)
        product = np.array(d_outer(inner(x)))
        product *= d_inner(x)
        return product

    return slope


@chain.misconception(
    "You read the outer slope at x: the outer function never sees x, so what does it see?"
)
def reads_at_x(d_outer, inner, d_inner):
    return lambda x: d_outer(x) * d_inner(x)


@chain.misconception(
    "You read the inner slope at the inner value: the inner function sees x itself."
)
def reads_inner_at_u(d_outer, inner, d_inner):
    return lambda x: d_outer(inner(x)) * d_inner(inner(x))


@chain.misconception("The two slopes were added: rates in a row multiply.")
def adds(d_outer, inner, d_inner):
    return lambda x: d_outer(inner(x)) + d_inner(x)


@chain.misconception(
    "The inner slope is missing: how fast does the inner value itself change with x?"
)
def forgets_the_inner_slope(d_outer, inner, d_inner):
    return lambda x: d_outer(inner(x))


@chain.misconception("The outer slope is missing: the outer function scales the change once more.")
def forgets_the_outer_slope(d_outer, inner, d_inner):
    return lambda x: d_inner(x)


@chain.misconception(
    "You put one slope into the other: slopes are multiplied, only the functions are nested."
)
def nests_the_slopes(d_outer, inner, d_inner):
    return lambda x: d_outer(d_inner(x))


@chain.misconception(
    "You multiplied by the inner value: it is where the outer slope is read, not a factor."
)
def multiplies_by_the_inner_value(d_outer, inner, d_inner):
    return lambda x: d_outer(inner(x)) * inner(x)


@chain.misconception(
    "The inner value is an extra factor in yours: multiply the two slopes and nothing else."
)
def three_factors(d_outer, inner, d_inner):
    return lambda x: d_outer(inner(x)) * inner(x) * d_inner(x)


@chain.misconception("You divided one slope by the other: slopes in a row multiply.")
def divides(d_outer, inner, d_inner):
    return lambda x: d_outer(inner(x)) / d_inner(x)


@chain.misconception(
    "The order is reversed: here inner comes first and the outer function gets its result."
)
def turns_the_order(d_outer, inner, d_inner):
    return lambda x: d_inner(d_outer(x)) * d_outer(x)


@chain.misconception(
    "A value is called like a function: does chain return a function of x, and not its value, or "
    "is a * missing between two parentheses?"
)
def returns_a_number(d_outer, inner, d_inner):
    return d_outer(inner(1.0)) * d_inner(1.0)


@chain.misconception(
    "Your derivative takes one number only: it has to work on a whole array of x as well."
)
def one_number_only(d_outer, inner, d_inner):
    return lambda x: float(d_outer(inner(x))) * float(d_inner(x))


@chain.misconception(
    "The function that you define inside chain returns nothing: does its last line begin with "
    "return?"
)
def inner_without_return(d_outer, inner, d_inner):
    def derivative(x):
        slope = d_outer(inner(x)) * d_inner(x)  # noqa: F841

    return derivative


@chain.misconception(
    "chain itself returns nothing: after the function that you define inside it, return that "
    "function by its name."
)
def returns_none(d_outer, inner, d_inner):
    def derivative(x):
        return d_outer(inner(x)) * d_inner(x)


@chain.misconception(
    "The outer slope is read at the inner slope: the outer function's input is the inner value."
)
def reads_at_the_inner_slope(d_outer, inner, d_inner):
    return lambda x: d_outer(d_inner(x)) * d_inner(x)


@chain.misconception(
    "You multiplied the inner slope in twice: each of the two functions brings one factor."
)
def squares_the_inner_slope(d_outer, inner, d_inner):
    return lambda x: d_outer(inner(x)) * d_inner(x) ** 2


@chain.misconception(
    "That is the rule for a product of two functions: here one function is inside the other."
)
def product_rule(d_outer, inner, d_inner):
    return lambda x: d_outer(x) * inner(x) + d_inner(x)


@chain.misconception(
    "Your derivative gives one number for a whole array: multiply entry by entry, without a sum."
)
def sums_up(d_outer, inner, d_inner):
    return lambda x: np.sum(d_outer(inner(x)) * d_inner(x))


@chain.misconception(
    "Your derivative makes a list of an array: multiply the whole arrays, and the result is one."
)
def makes_lists(d_outer, inner, d_inner):
    def slope(x):
        if np.ndim(x) == 0:
            return d_outer(inner(x)) * d_inner(x)
        return [slope(entry) for entry in x]

    return slope


@chain.misconception(
    "Your derivative goes through the entries of x, and a plain number has none: the functions "
    "that you were given take whole arrays."
)
def loops_over_x(d_outer, inner, d_inner):
    return lambda x: np.array([d_outer(inner(entry)) * d_inner(entry) for entry in x])


@chain.misconception("The inner function was applied twice: the outer slope is read at inner(x).")
def nests_the_inner_twice(d_outer, inner, d_inner):
    return lambda x: d_outer(inner(inner(x))) * d_inner(x)


@chain.misconception("Both slopes are returned, one next to the other: multiply them.")
def returns_both(d_outer, inner, d_inner):
    return lambda x: (d_outer(inner(x)), d_inner(x))


@chain.misconception(
    "The slope of inner comes from two of its values here: d_inner gives it, to every digit."
)
def takes_two_values_of_inner(d_outer, inner, d_inner, h=1e-5):
    return lambda x: d_outer(inner(x)) * (inner(x + h) - inner(x - h)) / (2 * h)


numerical_grad = Exercise(points=3)


@numerical_grad.cases
def _(rng):
    def places(*size, mean=0):
        return rng.normal(mean, 1, size=size).round(3)

    quartic, ravine = landscapes.quartic, partial(landscapes.ravine, steep=30.0)
    far = rng.choice([-1, 1], size=3) * rng.uniform(1.5, 2.5, size=3).round(3)
    near = {"rtol": 1e-6, "atol": 2e-7}
    yield case("value", quartic, np.array([*places(3, mean=1), 0.5, 3.0]), **near)
    yield case("value", landscapes.tilted, places(2), **near)
    yield case("value", landscapes.product, places(2, mean=1), **near)
    yield case("value", landscapes.product, np.array([0.0, 1.5]), **near)
    yield case("value", quartic, far, 0.1, **near)
    yield case("value", ravine, places(2, mean=1), 0.01, **near)
    # Enough numbers that adding and subtracting h does not restore them all.
    yield case("shape", quartic, places(4, 6), **near)
    yield case("shape", np.trace, places(2, 3), **near)
    yield case("shape", np.prod, rng.uniform(0.8, 1.6, size=(3, 2)).round(3), **near)
    for size in ((1,), (1, 3), (3, 1), (2, 1, 2)):
        yield case("shape", quartic, places(*size, mean=1), **near)
    yield case("shape/one number", quartic, np.array(places(mean=1)), **near)
    yield case("integer", quartic, np.array([1, 2, -3]), **near)
    yield case("integer", landscapes.tilted, np.array([1, 2]), **near)
    yield case("integer", np.trace, np.array([[0, 3, 1], [200, 7, 2]], np.uint8), **near)
    yield case("integer", quartic, np.array([True, False]), **near)
    yield case("purity", quartic, places(24), **near)
    yield case("purity", landscapes.tilted, places(2), 0.1, **near)


@numerical_grad.right_answer
def by_restoring(f, x, h=1e-5):
    """Moves one number of a copy, and puts it back: saves memory when x is large."""
    x = np.array(x, dtype=float)
    grad = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        old = x[place]
        x[place] = old + h
        above = f(x)
        x[place] = old - h
        below = f(x)
        x[place] = old
        grad[place] = (above - below) / (2 * h)
    return grad


@numerical_grad.right_answer
def by_unit_steps(f, x, h=1e-5):
    """Makes all the steps first, as rows of a table: no number is moved and put back."""
    x = np.asarray(x, dtype=float)
    steps = h * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(f(x + step) - f(x - step)) / (2 * h) for step in steps]).reshape(x.shape)


@numerical_grad.right_answer
def by_flat_copies(f, x, h=1e-5):
    """Goes through x as one long row: one index, whatever its shape."""
    flat = np.ravel(x).astype(float)
    slopes = []
    for i in range(flat.size):
        up, down = flat.copy(), flat.copy()
        up[i] += h
        down[i] -= h
        slopes.append((f(up.reshape(np.shape(x))) - f(down.reshape(np.shape(x)))) / h / 2)
    return np.reshape(slopes, np.shape(x))


@numerical_grad.right_answer
def by_iterator(f, x, h=1e-5):
    x = np.array(x, float)
    grad, it = np.empty_like(x), np.nditer(x, flags=["multi_index"])
    for _ in it:
        mask = np.zeros_like(x)
        mask[it.multi_index] = h
        grad[it.multi_index] = (f(x + mask) - f(x - mask)) / (2.0 * h)
    return grad


@numerical_grad.right_answer
def by_a_mask(f, x, h=1e-5):
    x = np.asarray(x, float)
    grad, moved = np.zeros(x.shape), np.zeros(x.shape, bool)
    with np.errstate(all="ignore"):
        for place in np.ndindex(x.shape):
            moved[...] = False
            moved[place] = True
            grad[place] = 0.5 * (f(np.where(moved, x + h, x)) - f(np.where(moved, x - h, x))) / h
    return grad if x.shape else grad.item()


@numerical_grad.right_answer
def by_restoring_x_itself(f, x, h=1e-5):
    x = x if x.dtype == np.float64 else x.astype(float)
    grad = np.zeros(x.shape)
    for place, old in np.ndenumerate(x.copy()):
        x[place] = old + h
        above = f(x)
        x[place] = old - h
        grad[place] = (above - f(x)) / (2 * h)
        x[place] = old
    return grad


def _differences(f, x, h, slope):
    x = np.array(x, dtype=float)
    grad = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        grad[place] = slope(f, x, step)
    return grad


@numerical_grad.misconception(
    "You looked to one side only: a step to either side makes the error far smaller."
)
def forward_only(f, x, h=1e-5):
    return _differences(f, x, h, lambda f, x, step: (f(x + step) - f(x)) / h)


@numerical_grad.misconception(
    "You looked back only: a step to either side makes the error far smaller."
)
def backward_only(f, x, h=1e-5):
    return _differences(f, x, h, lambda f, x, step: (f(x) - f(x - step)) / h)


@numerical_grad.misconception(
    "Your slopes are twice as large as they should be: how far apart are the two places that you "
    "compared?"
)
def forgets_the_two(f, x, h=1e-5):
    return _differences(f, x, h, lambda f, x, step: (f(x + step) - f(x - step)) / h)


@numerical_grad.misconception(
    "You did not divide by the distance: a slope is a change for each unit of the way."
)
def forgets_the_division(f, x, h=1e-5):
    return _differences(f, x, h, lambda f, x, step: f(x + step) - f(x - step))


@numerical_grad.misconception(
    "Your signs are reversed: the slope is positive where the function grows."
)
def turns_the_sign(f, x, h=1e-5):
    return _differences(f, x, h, lambda f, x, step: (f(x - step) - f(x + step)) / (2 * h))


@numerical_grad.misconception(
    "You moved all coordinates together: each partial derivative moves one and keeps the others."
)
def moves_all(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    return np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h))


@numerical_grad.misconception(
    "You did not use h as it was given: the step is an argument of yours."
)
def ignores_h(f, x, h=1e-5):
    return _differences(f, x, 1e-5, lambda f, x, step: (f(x + step) - f(x - step)) / 2e-5)


@numerical_grad.misconception(
    "The step was made as large as the coordinate says: h is the same for all of them."
)
def relative_steps(f, x, h=1e-5):
    return _differences(
        f, x, h, lambda f, x, step: (f(x + step * np.abs(x)) - f(x - step * np.abs(x))) / (2 * h)
    )


@numerical_grad.misconception(
    "A coordinate that you moved was not put back before the next one: the later slopes are read "
    "elsewhere."
)
def does_not_restore(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        x[place] += h
        above = f(x)
        x[place] -= 2 * h
        grad[place] = (above - f(x)) / (2 * h)
    return grad


@numerical_grad.misconception(
    "You stepped in x itself, and adding and subtracting h does not give back exactly what was "
    "there: work on a copy, or keep the old number."
)
def leaves_crumbs(f, x, h=1e-5):
    return _stepping_in_x(f, x, h, np.zeros_like(x))


@numerical_grad.misconception(
    "You stepped in x itself, and adding and subtracting h does not give back exactly what was "
    "there: work on a copy, or keep the old number."
)
def leaves_crumbs_beside_floats(f, x, h=1e-5):
    return _stepping_in_x(f, x, h, np.zeros(x.shape))


def _stepping_in_x(f, x, h, grad):
    for place in np.ndindex(x.shape):
        x[place] += h
        above = f(x)
        x[place] -= 2 * h
        grad[place] = (above - f(x)) / (2 * h)
        x[place] += h
    return grad


@numerical_grad.misconception(
    "In an array of whole numbers a step of 0.00001 is cut off: make a copy of floats first."
)
def loses_small_steps(f, x, h=1e-5):
    x = np.array(x)
    grad = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        old = x[place].copy()
        x[place] = old + h
        above = f(x)
        x[place] = old - h
        grad[place] = (above - f(x)) / (2 * h)
        x[place] = old
    return grad


@numerical_grad.misconception(
    "Your gradient holds integers, because zeros_like takes over the type of x: the decimals of "
    "each slope are cut off."
)
def stores_integers(f, x, h=1e-5):
    grad = np.zeros_like(x)
    exact = by_unit_steps(f, x, h)
    for place in np.ndindex(grad.shape):
        grad[place] = exact[place]
    return grad


@numerical_grad.misconception(
    "Your gradient is one-dimensional: it should have the shape of x, one slope for each entry."
)
def stays_flat(f, x, h=1e-5):
    return by_unit_steps(f, x, h).ravel()


@numerical_grad.misconception(
    "You went through the first axis only: an array may have more axes, or none."
)
def one_axis_only(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros_like(x)
    for i in range(len(x)):
        step = np.zeros_like(x)
        step[i] = h
        grad[i] = (f(x + step) - f(x - step)) / (2 * h)
    return grad


@numerical_grad.misconception(
    "You got one number for all coordinates: move one at a time, and keep a slope for each."
)
def adds_up(f, x, h=1e-5):
    return float(np.sum(by_unit_steps(f, x, h)))


@numerical_grad.misconception(
    "Python reads / 2 * h from left to right, so you divided by 2 and multiplied by h: where are "
    "brackets needed?"
)
def divides_then_multiplies(f, x, h=1e-5):
    return _differences(f, x, h, lambda f, x, step: (f(x + step) - f(x - step)) / 2 * h)


@numerical_grad.misconception(
    "Your function ends within the first round of its loop: is return indented too far?"
)
def returns_in_the_loop(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        grad[place] = (f(x + step) - f(x - step)) / (2 * h)
        return grad
    return None


@numerical_grad.misconception(
    "You moved all entries at once, and to one side only: move one entry, to either side."
)
def moves_all_forward(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    return np.full(x.shape, (f(x + h) - f(x)) / h)


@numerical_grad.misconception(
    "The step still holds the h of earlier entries: make a new step of zeros for each entry."
)
def keeps_the_step(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    grad, step = np.zeros_like(x), np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step[place] = h
        grad[place] = (f(x + step) - f(x - step)) / (2 * h)
    return grad


@numerical_grad.misconception(
    "Both your copy of x and your gradient hold whole numbers: the step is cut off, and so is the "
    "slope."
)
def copies_integers(f, x, h=1e-5):
    x = np.array(x)
    grad = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        old = x[place].copy()
        x[place] = old + h
        above = f(x)
        x[place] = old - h
        grad[place] = (above - f(x)) / (2 * h)
        x[place] = old
    return grad


@numerical_grad.misconception(
    "You called f with a one-dimensional array: it has to be called with arrays of the shape of x."
)
def hands_f_a_flat_row(f, x, h=1e-5):
    flat = np.ravel(x).astype(float)
    steps = h * np.eye(flat.size)
    slopes = [(f(flat + step) - f(flat - step)) / (2 * h) for step in steps]
    return np.reshape(slopes, np.shape(x))


@numerical_grad.misconception(
    "In a table you move a whole row at once: each entry moves by itself, while all others stay."
)
def moves_rows(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    if x.ndim == 0:
        return by_unit_steps(f, x, h)
    grad = np.zeros_like(x)
    for i in range(len(x)):
        step = np.zeros_like(x)
        step[i] = h
        grad[i] = (f(x + step) - f(x - step)) / (2 * h)
    return grad


@numerical_grad.misconception("Your gradient is a list: an array in the shape of x is wanted.")
def returns_a_list(f, x, h=1e-5):
    return by_unit_steps(f, x, h).tolist()


@numerical_grad.misconception(
    "Where x is a single number, an array of shape (), your loop over the first axis finds none: "
    "np.ndindex(x.shape) finds the one place there."
)
def needs_an_axis(f, x, h=1e-5):
    len(x)
    return by_unit_steps(f, x, h)


@numerical_grad.misconception(
    "Your slopes are computed in float32, where a step of 0.00001 is lost: 64 bits keep about 16 "
    "digits, 32 bits only seven."
)
def computes_in_float32(f, x, h=1e-5):
    x = np.asarray(x, np.float32)
    grad = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        grad[place] = (f(x + step) - f(x - step)) / (2 * h)
    return grad


def _several(rng):
    """Return arrays of several shapes: of mixed signs, positive, negative, tiny, large (to 12)."""
    sizes = (3, 2), (1,), (1, 3), (2, 1, 2), (4, 1)
    mixed, *arrays = (rng.normal(size=size).round(3) for size in sizes)
    scales = 1, -1, 0.01, 10
    scaled = (scale * np.abs(one) for scale, one in zip(scales, arrays, strict=True))
    return [mixed, *(np.clip(one, -12, 12) for one in scaled)]


sigmoid_grad = Exercise(points=2)


@sigmoid_grad.cases
def _(rng):
    near = {"rtol": 1e-5}  # right in float32 as well
    yield case("value", rng.normal(size=5).round(3), **near)
    yield case("value", np.array([0.0, 2.0, -2.0, 9.0, -12.0]), **near)
    yield case("value", rng.uniform(-6, 6, size=(2, 3)).round(3), **near)
    for z in _several(rng):
        yield case("shape", z, **near)
    for number in (0.25, -1.5, np.float64(round(rng.normal(), 3)), np.array(0.5)):
        yield case("shape/one number", number, **near)
    yield case("integer", np.array([-2, 0, 3]), **near)
    yield case("integer", 2, **near)
    yield case("stability", np.array([1000.0, -1000.0]))
    yield case("stability", np.array([-40.0, 40.0, -1000.0]), rtol=1e-5, atol=1e-25)
    yield case("stability", np.array([[40.0], [-40.0]]), rtol=1e-5, atol=1e-25)
    yield case("quiet", np.array([1000.0, -1000.0]))
    yield case("quiet", np.array([-800.0, 800.0, 0.0]))
    yield case("purity", rng.normal(size=4).round(3), **near)


def _sigmoid(z):
    half = np.asarray(z, float) / 2
    return 0.5 * (1 + np.tanh(half))


@sigmoid_grad.right_answer
def by_e_to_minus_size(z):
    """The slope is the same on both sides of 0, so one formula in |z| is enough."""
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


@sigmoid_grad.right_answer
def by_two_sigmoids(z):
    """1 − σ(z) is σ(−z): the textbook formula, without the cancellation."""

    def sigmoid(t):
        e = np.exp(-np.abs(t))
        return np.where(np.asarray(t) >= 0, 1 / (1 + e), e / (1 + e))

    return sigmoid(z) * sigmoid(np.negative(z))


@sigmoid_grad.right_answer
def by_cosh(z):
    return 0.25 / np.cosh(np.clip(np.asarray(z, float) / 2, -350, 350)) ** 2


@sigmoid_grad.right_answer
def by_clipping(z):
    z = np.clip(z, -500, 500)
    e = np.exp(-np.abs(z))
    return np.exp(np.log(e) - 2 * np.log1p(e))


@sigmoid_grad.right_answer
def by_masks(z):
    """Fills one side after the other: longer, and it spares work where only one side occurs."""
    z = np.asarray(z, float)
    slope = np.empty(z.shape)
    for side in (z >= 0, z < 0):
        e = np.exp(-np.abs(z[side]))
        slope[side] = e / (1 + e) / (1 + e)
    return slope


@sigmoid_grad.right_answer
def by_one_number_at_a_time(z):
    def slope(value):
        e = math.exp(-abs(value))
        return e / (1 + e) ** 2

    if np.ndim(z) == 0:
        return slope(float(z))
    return np.array([slope(value) for value in np.ravel(z)]).reshape(np.shape(z))


@sigmoid_grad.right_answer
def by_silenced_sigmoids(z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-np.asarray(z, float))) / (1 + np.exp(np.asarray(z, float)))


@sigmoid_grad.right_answer
def in_float32(z):
    e = np.exp(-np.abs(np.asarray(z, np.float32)))
    return e / (1 + e) ** 2


@sigmoid_grad.misconception(
    "You took z for the activation: the slope is asked for at z, before the sigmoid."
)
def expects_the_activation(z):
    return z * (1 - z)


@sigmoid_grad.misconception(
    "e^1000 overflowed, and infinity divided by infinity is nan: which of e^z and e^−z stays small?"
)
def overflows(z):
    e = np.exp(-np.asarray(z, float))
    return e / (1 + e) ** 2


@sigmoid_grad.misconception(
    "Your values are right, with a warning: e^1000 overflows on the way, and some other form of "
    "the sigmoid never does."
)
def warns(z):
    s = 1 / (1 + np.exp(-np.asarray(z, float)))
    tidy = np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2
    return np.where(s >= 0, tidy, s)


@sigmoid_grad.misconception(
    "Far from 0 your slope vanishes on both sides: in floats your σ(40) is 1 and your σ(−40) is 0, "
    "so which form of the slope adds positive numbers only, and cancels nothing?"
)
def cancels(z):
    s = _sigmoid(z)
    return s * (1 - s)


@sigmoid_grad.misconception(
    "From z = 37 on your sigmoid is 1 in floats, so 1 − σ(z) is 0 and the slope vanishes: which "
    "expression equals 1 − σ(z) and cancels nothing?"
)
def cancels_on_the_right(z):
    s = returns_the_sigmoid(z)
    return s * (1 - s)


@sigmoid_grad.misconception("You returned the sigmoid itself: its slope is asked for.")
def returns_the_sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(np.asarray(z) >= 0, 1, e) / (1 + e)


@sigmoid_grad.misconception("That is the slope of tanh: the sigmoid's is at most a quarter.")
def is_tanh(z):
    return 1 - np.tanh(z) ** 2


@sigmoid_grad.misconception("The sign is reversed: the sigmoid grows everywhere.")
def is_negative(z):
    return -by_e_to_minus_size(z)


@sigmoid_grad.misconception(
    "You multiplied by z as well: the chain rule asks for the inner slope, and here that is 1."
)
def multiplies_by_z(z):
    return np.asarray(z) * by_e_to_minus_size(z)


@sigmoid_grad.misconception("You applied the sigmoid twice: read the slope at z.")
def reads_at_the_activation(z):
    return by_e_to_minus_size(_sigmoid(z))


@sigmoid_grad.misconception(
    "You have 1 − σ(z), one of the two factors of the slope: at z = 0 a quarter has to come out."
)
def one_factor(z):
    e = np.exp(-np.abs(z))
    return np.where(np.asarray(z) >= 0, e, 1) / (1 + e)


@sigmoid_grad.misconception(
    "There is a plus where the slope has a minus: where the sigmoid is flat, near 1, the slope is "
    "small."
)
def adds_instead(z):
    s = returns_the_sigmoid(z)
    return s * (1 + s)


@sigmoid_grad.misconception("You squared the sigmoid: its slope is small at both ends.")
def squares(z):
    return returns_the_sigmoid(z) ** 2


@sigmoid_grad.misconception(
    "Your function takes one number at a time, as math.exp and float do: z may be a whole array."
)
def sigmoid_one_number_only(z):
    return float(by_e_to_minus_size(float(z)))


@sigmoid_grad.misconception(
    "You wrote into z, and the caller still needs it: keep the result in a new array."
)
def writes_into_z(z):
    if not (isinstance(z, np.ndarray) and z.dtype.kind == "f"):
        return by_e_to_minus_size(z)
    z[...] = by_e_to_minus_size(z)
    return z


@sigmoid_grad.misconception(
    "The result was kept in an array of whole numbers, and every slope became 0."
)
def keeps_whole_numbers(z):
    result = np.zeros_like(z)
    result[...] = by_e_to_minus_size(z)
    return result


@sigmoid_grad.misconception(
    "The formula is right, and floats are too coarse for it far from 0: from 37 on 1 − σ(z) rounds "
    "to 0, and at −1000 e^1000 overflows."
)
def plain(z):
    s = 1 / (1 + np.exp(-np.asarray(z, float)))
    return s * (1 - s)


@sigmoid_grad.misconception(
    "Without brackets, division comes before addition: your e was divided by 1 only."
)
def divides_by_one_only(z):
    e = np.exp(-np.abs(z))
    return e / 1 + e**2


@sigmoid_grad.misconception(
    "The square is missing in the denominator: at z = 0 a quarter has to come out."
)
def forgets_the_square(z):
    e = np.exp(-np.abs(z))
    return e / (1 + e)


@sigmoid_grad.misconception(
    "A name in your code is not defined: is np. or an import missing, or do you have to compute it "
    "here first, because it comes from the text or from another lesson?"
)
def calls_a_missing_name(z):
    return sigmoid(z) * (1 - sigmoid(z))  # noqa: F821


@sigmoid_grad.misconception(
    "Your slopes are twice as large as they should be: at z = 0 a quarter has to come out."
)
def doubles(z):
    return 2 * by_e_to_minus_size(z)


@sigmoid_grad.misconception(
    "Your slope is a quarter everywhere: that is its largest value, which it has at z = 0 only."
)
def always_a_quarter(z):
    return np.full(np.shape(z), 0.25)


@sigmoid_grad.misconception(
    "You put 1 − z into the second sigmoid: 1 minus the sigmoid is not the sigmoid of 1 − z."
)
def sigmoid_of_one_minus_z(z):
    return returns_the_sigmoid(z) * returns_the_sigmoid(np.subtract(1, z))


@sigmoid_grad.misconception(
    "You subtracted the square from 1: that is how the slope of tanh is made from tanh."
)
def one_minus_square(z):
    return 1 - returns_the_sigmoid(z) ** 2


@sigmoid_grad.misconception("Far from 0 your slope is cut off: z was limited to too small a range.")
def limits_too_early(z):
    return by_e_to_minus_size(np.clip(z, -20, 20))


@sigmoid_grad.misconception(
    "Far from 0 you overwrite z with a limit, and the caller still needs it: np.clip makes a new "
    "array."
)
def limits_in_place(z):
    if isinstance(z, np.ndarray) and z.dtype.kind == "f":
        z[z < -500] = -500
        z[z > 500] = 500
    return by_e_to_minus_size(z)


@sigmoid_grad.misconception(
    "You go through the entries of z: the rows of a table are not numbers, and a single number has "
    "no entries. np.exp takes all of it at once."
)
def goes_through_entries(z):
    return np.array([math.exp(-abs(v)) / (1 + math.exp(-abs(v))) ** 2 for v in z])


@sigmoid_grad.misconception(
    "A single number came back as an array of one: give back one number for one number."
)
def at_least_one_axis(z):
    return by_e_to_minus_size(np.atleast_1d(z))


relu_grad = Exercise(points=1)


@relu_grad.cases
def _(rng):
    yield case("value", rng.normal(size=5).round(3))
    yield case("value", np.array([-1.5, 0.5, 3.0]))
    yield case("value", np.array([0.0, 1.0, -1.0]))
    yield case("value", np.array([1e-9, -1e-9, 250.0, -250.0]))
    for z in _several(rng):
        yield case("shape", z)
    for number in (0.5, -2.5, 0.0, np.float64(round(rng.normal(), 3)), np.array(0.5)):
        yield case("shape/one number", number)
    yield case("integer", np.array([-2, 0, 3]))
    yield case("integer", np.array([[0, 3], [200, 1]], np.uint8))
    yield case("integer", 2)
    yield case("purity", rng.normal(size=4).round(3))


@relu_grad.right_answer
def by_comparison(z):
    """A comparison alone: True and False count as 1 and 0."""
    return np.asarray(z) > 0


@relu_grad.right_answer
def by_where(z):
    """Says it as a choice: 1 above 0, else 0."""
    return np.where(np.asarray(z) > 0, 1.0, 0.0)


@relu_grad.right_answer
def by_heaviside(z):
    """numpy has this step by name; its second argument is the value at 0."""
    return np.heaviside(z, 0.0)


@relu_grad.right_answer
def by_signs(z):
    return np.maximum(np.sign(z), 0)


@relu_grad.right_answer
def by_filling_where_positive(z):
    slope = np.zeros(np.shape(z), int)
    slope[np.asarray(z) > 0] = 1
    return slope


@relu_grad.right_answer
def by_one_after_the_other(z):
    if np.ndim(z) == 0:
        return 1 if z > 0 else 0
    return np.stack([by_one_after_the_other(part) for part in z])


@relu_grad.misconception(
    "At z = 0 the corner has no slope: the docstring names the value that counts there."
)
def one_at_zero(z):
    return np.where(np.asarray(z) >= 0, 1.0, 0.0)


@relu_grad.misconception(
    "A half at z = 0 lies between the two sides, and the docstring names another value."
)
def half_at_zero(z):
    return np.heaviside(z, 0.5)


@relu_grad.misconception("You returned the ReLU itself: its slope is asked for.")
def returns_relu(z):
    return np.maximum(z, 0)


@relu_grad.misconception("You returned the sign: on the left of 0 a ReLU is flat.")
def returns_the_sign(z):
    return np.sign(z)


@relu_grad.misconception("The two sides are swapped: a ReLU rises where z is positive.")
def turns_sides(z):
    return np.where(np.asarray(z) < 0, 1.0, 0.0)


@relu_grad.misconception("Your slope is 1 everywhere: on the left of 0 a ReLU does not change.")
def always_one(z):
    return np.ones_like(z, dtype=float)


@relu_grad.misconception("Your slope is 0 everywhere: on the right of 0 a ReLU grows with z.")
def always_zero(z):
    return np.zeros_like(z, dtype=float)


@relu_grad.misconception("That is the slope of a leaky ReLU: this one is flat on the left.")
def leaks(z):
    return np.where(np.asarray(z) > 0, 1.0, 0.01)


@relu_grad.misconception("At z = 0 you divide 0 by 0, which is nan: compare z with 0 instead.")
def divides_by_size(z):
    z = np.asarray(z, float)
    return (z / np.abs(z) + 1) / 2


@relu_grad.misconception("Yours looks whether z is above 1: where does the ReLU start to rise?")
def above_one(z):
    return np.where(np.asarray(z) > 1, 1.0, 0.0)


@relu_grad.misconception("For negative z you return z itself: how fast does the ReLU change there?")
def z_on_the_left(z):
    return np.where(np.asarray(z) > 0, 1.0, z)


@relu_grad.misconception(
    "You wrote into z, and the caller still needs it: keep the result in a new array."
)
def relu_writes_into_z(z):
    if not isinstance(z, np.ndarray):
        return float(z > 0)
    z[...] = z > 0
    return z


@relu_grad.misconception(
    "Yours takes one number only: a condition on a whole array has no single answer."
)
def relu_one_number_only(z):
    return 1.0 if z > 0 else 0.0


@relu_grad.misconception(
    "np.max(z, 0) is a maximum along an axis: compare z with 0 instead, entry by entry."
)
def takes_the_maximum(z):
    return np.max(z, 0)


@relu_grad.misconception(
    "You have the sigmoid's slope here: a ReLU has no bend but its corner, so its slope is 0 or 1."
)
def slope_of_the_sigmoid(z):
    return by_e_to_minus_size(z)


@relu_grad.misconception(
    "z may be a plain number, which has no methods of an array: make an array of whatever comes."
)
def calls_a_method(z):
    return (z > 0).astype(float)


@relu_grad.misconception("z was overwritten, and a plain number can't be: fill a new array.")
def overwrites_z(z):
    flat, rising = z <= 0, z > 0
    z[flat], z[rising] = 0.0, 1.0
    return z


@relu_grad.misconception(
    "Yours goes through the entries of z: the rows of a table are not numbers, and a single number "
    "has no entries. Compare the whole array at once."
)
def relu_goes_through_entries(z):
    return np.array([1.0 if value > 0 else 0.0 for value in z])


@relu_grad.misconception(
    "That is the slope of a leaky ReLU that leaks a tenth: this one is flat on the left."
)
def leaks_a_tenth(z):
    return np.where(np.asarray(z) > 0, 1.0, 0.1)


@relu_grad.misconception(
    "The slope counts as 1 only from z = 1 on in yours: where does the ReLU start to rise?"
)
def from_one_on(z):
    return np.where(np.asarray(z) >= 1, 1.0, 0.0)


@relu_grad.misconception("You limited z to 0 … 1: right of 0 the slope is 1, however small z is.")
def clips(z):
    return np.clip(z, 0, 1)


@relu_grad.misconception(
    "A single number came back as an array of one: give back one number for one number."
)
def relu_at_least_one_axis(z):
    return np.where(np.atleast_1d(z) > 0, 1.0, 0.0)


neuron_grad = Exercise(points=3)


@neuron_grad.cases
def _(rng):
    def two(size):
        return tuple(rng.normal(size=(2, size)).round(3))

    near = {"rtol": 1e-5, "atol": 1e-6}  # right in float32 as well
    yield case("value", *two(3), 0.5, 1.0, **near)
    yield case("value", *two(4), round(rng.normal(), 3), 0.0, **near)
    yield case("value", *two(2), -1.0, 0.3, **near)
    yield case("value", np.array([0.5, -1.0]), np.array([2.0, 1.0]), 0.25, 2.0, **near)
    yield case("value", np.array([16.0, -16.0]), np.array([0.5, 0.5]), 0.25, 0.25, **near)
    for size in (5, 1, 8):
        yield case("shape", *two(size), 0.1, 1.0, **near)
    yield case("integer", np.array([1, -1, 2]), np.array([1, 0, -1]), 1, 0, **near)
    w = rng.uniform(0.1, 0.3, size=3).round(3)
    yield case("integer", np.array([0, 3, 2], np.uint8), w, 0.1, 1, **near)
    yield case("integer", np.array([True, False, True]), w, 0.1, 0, **near)
    yield case("purity", *two(3), 0.5, 1.0, **near)


def _forward(x, w, b):
    a = _sigmoid(np.dot(w, x) + b)
    return a, a * (1 - a)


@neuron_grad.right_answer
def by_backward_steps(x, w, b, y):
    """One step back for each step forward, each with a name: grows to deep networks."""
    a = 1 / (1 + np.exp(-(np.sum(np.multiply(w, x)) + b)))
    d_a = 2 * (a - y)
    d_z = d_a * a * (1 - a)
    return d_z * np.asarray(x), float(d_z)


@neuron_grad.right_answer
def by_one_expression(x, w, b, y):
    a, slope = _forward(x, w, b)
    return np.array([2 * (a - y) * slope * value for value in x]), 2 * (a - y) * slope


@neuron_grad.right_answer
def by_one_more_input(x, w, b, y):
    """The bias as the weight of an input that is always 1: one formula for all slopes."""
    a = 1 / (1 + np.exp(-(np.append(x, 1) @ np.append(w, b))))
    slopes = 2 * (a - y) * (a - a**2) * np.append(x, 1)
    return slopes[:-1], slopes[-1]


@neuron_grad.right_answer
def by_minus(x, w, b, y):
    a, slope = _forward(x, w, b)
    delta = -2.0 * (y - a) * slope
    return [np.multiply(delta, x), delta]


@neuron_grad.right_answer
def by_differences(x, w, b, y):
    def loss(x, w, b):
        return (_sigmoid(np.dot(w, x) + b) - y) ** 2

    h, w = 1e-4, np.asarray(w, float)
    # Richardson's extrapolation of two central differences: an error of h⁴.
    central = lambda at: [(at(s) - at(-s)) / (2 * s) for s in (h, 2 * h)]  # noqa: E731
    better = lambda at: (4 * central(at)[0] - central(at)[1]) / 3  # noqa: E731
    dw = [better(lambda s, i=i: loss(x, w + s * np.eye(len(w))[i], b)) for i in range(len(w))]
    return np.array(dw), better(lambda s: loss(x, w, b + s))


@neuron_grad.misconception(
    "Your slopes come from two values of L, a step apart: the chain rule gives them to every digit."
)
def takes_two_values_of_the_loss(x, w, b, y):
    def slope(d_w, d_b):
        up, down = (_forward(x, w + h * d_w, b + h * d_b)[0] for h in (0.01, -0.01))
        return ((up - y) ** 2 - (down - y) ** 2) / 0.02

    return np.array([slope(one, 0) for one in np.eye(len(w))]), slope(0, 1)


@neuron_grad.misconception("The factor of the square is missing: the slope of u² is not u.")
def neuron_without_the_two(x, w, b, y):
    a, slope = _forward(x, w, b)
    return (a - y) * slope * np.asarray(x), (a - y) * slope


@neuron_grad.misconception(
    "The sigmoid's slope is missing: the error passes through it on its way back."
)
def neuron_without_the_sigmoid(x, w, b, y):
    a, _ = _forward(x, w, b)
    return 2 * (a - y) * np.asarray(x), 2 * (a - y)


@neuron_grad.misconception(
    "Your signs are reversed: the error is what came out minus what was wanted."
)
def neuron_with_turned_signs(x, w, b, y):
    a, slope = _forward(x, w, b)
    return 2 * (y - a) * slope * np.asarray(x), 2 * (y - a) * slope


@neuron_grad.misconception(
    "You read the sigmoid's slope at the activation: its own input is z, the weighted sum."
)
def neuron_slope_read_at_a(x, w, b, y):
    a, _ = _forward(x, w, b)
    s = _sigmoid(a)
    return 2 * (a - y) * s * (1 - s) * np.asarray(x), 2 * (a - y) * s * (1 - s)


@neuron_grad.misconception(
    "The two parts are in the other order: the weights' gradient comes first, the bias's second."
)
def neuron_turned_around(x, w, b, y):
    a, slope = _forward(x, w, b)
    return 2 * (a - y) * slope, 2 * (a - y) * slope * np.asarray(x)


@neuron_grad.misconception(
    "The last factor is missing in the weights' gradient: by what was each weight multiplied?"
)
def neuron_without_x(x, w, b, y):
    a, slope = _forward(x, w, b)
    return 2 * (a - y) * slope * np.ones(len(x)), 2 * (a - y) * slope


@neuron_grad.misconception(
    "You multiplied by w: that is the gradient for x, and the one for w is wanted."
)
def neuron_with_w(x, w, b, y):
    a, slope = _forward(x, w, b)
    return 2 * (a - y) * slope * np.asarray(w), 2 * (a - y) * slope


@neuron_grad.misconception(
    "You multiplied the bias's slope by the inputs: the bias enters the sum by itself, with slope "
    "1."
)
def neuron_bias_with_x(x, w, b, y):
    a, slope = _forward(x, w, b)
    return 2 * (a - y) * slope * np.asarray(x), 2 * (a - y) * slope * np.sum(x)


@neuron_grad.misconception(
    "You multiplied the bias's slope by the bias: a number's own slope in a sum is 1."
)
def neuron_bias_with_b(x, w, b, y):
    a, slope = _forward(x, w, b)
    return 2 * (a - y) * slope * np.asarray(x), 2 * (a - y) * slope * b


@neuron_grad.misconception(
    "The bias is missing in the weighted sum, so all slopes are read at another place."
)
def neuron_without_the_bias(x, w, b, y):
    return by_one_expression(x, w, 0.0, y)


@neuron_grad.misconception(
    "The target was left out: the error is the gap between what came out and y."
)
def neuron_without_the_target(x, w, b, y):
    a, slope = _forward(x, w, b)
    return 2 * a * slope * np.asarray(x), 2 * a * slope


@neuron_grad.misconception(
    "You have the gap squared: the slope of a square grows like the gap, and not like its square."
)
def neuron_with_the_loss(x, w, b, y):
    a, slope = _forward(x, w, b)
    return 2 * (a - y) ** 2 * slope * np.asarray(x), 2 * (a - y) ** 2 * slope


@neuron_grad.misconception("Only the gradient for the weights came back: the bias needs its own.")
def neuron_weights_only(x, w, b, y):
    return by_one_expression(x, w, b, y)[0]


@neuron_grad.misconception(
    "One factor of the sigmoid's slope is missing: it has two, and you used 1 − a alone."
)
def neuron_half_a_slope(x, w, b, y):
    a, _ = _forward(x, w, b)
    return 2 * (a - y) * (1 - a) * np.asarray(x), 2 * (a - y) * (1 - a)


@neuron_grad.misconception(
    "You changed x, and the caller still needs it: keep your results in new arrays."
)
def neuron_writes_into_x(x, w, b, y):
    _, db = by_one_expression(x, w, b, y)
    x *= db
    return x, db


@neuron_grad.misconception("z stands where the activation belongs: the loss compares σ(z) with y.")
def neuron_compares_z(x, w, b, y):
    z = np.dot(w, x) + b
    _, slope = _forward(x, w, b)
    return 2 * (z - y) * slope * np.asarray(x), 2 * (z - y) * slope


@neuron_grad.misconception(
    "The sigmoid's slope was read at z by the formula for a: a·(1 − a) wants the activation."
)
def neuron_slope_of_z(x, w, b, y):
    a, _ = _forward(x, w, b)
    z = np.dot(w, x) + b
    return 2 * (a - y) * z * (1 - z) * np.asarray(x), 2 * (a - y) * z * (1 - z)


@neuron_grad.misconception(
    "The weights' gradient was added up: dw holds one slope for each weight."
)
def neuron_sums_dw(x, w, b, y):
    a, slope = _forward(x, w, b)
    return float(np.sum(2 * (a - y) * slope * np.asarray(x))), 2 * (a - y) * slope


@neuron_grad.misconception("The bias has no slope in yours: it moves z as much as it moves itself.")
def neuron_bias_of_zero(x, w, b, y):
    dw, _ = by_one_expression(x, w, b, y)
    return dw, 0.0


@neuron_grad.misconception(
    "The error is missing: how far is the activation from y, and in which direction?"
)
def neuron_without_the_error(x, w, b, y):
    _, slope = _forward(x, w, b)
    return slope * np.asarray(x), slope


@neuron_grad.misconception(
    "You have the slope of cross-entropy, a − y: here the error is squared, and the sigmoid's "
    "slope stays a factor."
)
def neuron_of_cross_entropy(x, w, b, y):
    a, _ = _forward(x, w, b)
    return (a - y) * np.asarray(x), a - y


@neuron_grad.misconception(
    "db has one axis too many: it should be one number, without brackets around it."
)
def neuron_bias_in_brackets(x, w, b, y):
    dw, db = by_one_expression(x, w, b, y)
    return dw, np.array([db])


@neuron_grad.misconception("dw is a list: an array of the shape of w is wanted.")
def neuron_list_of_slopes(x, w, b, y):
    dw, db = by_one_expression(x, w, b, y)
    return dw.tolist(), db


@neuron_grad.misconception(
    "You divided by the number of inputs: each weight has its own slope, and nothing is averaged."
)
def neuron_divides_by_inputs(x, w, b, y):
    dw, db = by_one_expression(x, w, b, y)
    return dw / len(x), db


dense_backward = Exercise(points=3)


@dense_backward.cases
def _(rng):
    def three(n, d_in, d_out):
        # Eighths, so that float32 is exact as well.
        sizes = (n, d_out), (n, d_in), (d_in, d_out)
        return tuple(rng.integers(-24, 25, size=size) / 8 for size in sizes)

    for sizes in ((4, 3, 2), (3, 3, 3), (1, 4, 2)):
        yield case("value", *three(*sizes))
    for sizes in ((5, 2, 1), (2, 4, 3), (1, 3, 3), (4, 1, 2), (7, 2, 2), (1, 1, 1)):
        yield case("shape", *three(*sizes))
    yield case("integer", *(rng.integers(-3, 4, size=size) for size in ((4, 2), (4, 3), (3, 2))))
    dZ, X, W = three(4, 3, 2)
    yield case("integer", dZ, (80 * np.abs(X)).astype(np.uint8), W)
    yield case("integer", dZ, X > 0, W)
    yield case("purity", *three(4, 3, 3))


@dense_backward.right_answer
def by_einsum(dZ, X, W):
    """Names the axes: which letter is missing in the result is summed over."""
    return np.einsum("no,io->ni", dZ, W), np.einsum("ni,no->io", X, dZ), np.einsum("no->o", dZ)


@dense_backward.right_answer
def by_examples(dZ, X, W):
    """One example at a time: dW is a sum of outer products, which X.T @ dZ adds up at once."""
    dX = np.array([W @ row for row in dZ])
    dW = sum(np.outer(x, row) for x, row in zip(X, dZ, strict=True))
    return dX, dW, sum(dZ)


@dense_backward.right_answer
def by_ones(dZ, X, W):
    return np.matmul(dZ, np.transpose(W)), np.dot(np.transpose(X), dZ), np.ones(len(dZ)) @ dZ


@dense_backward.right_answer
def by_a_column_of_ones(dZ, X, W):
    """The bias as one more row of W: one product gives dW and db."""
    both = np.column_stack([X, np.ones(len(X))]).T @ dZ
    return [(W @ dZ.T).T, both[:-1], both[-1]]


@dense_backward.right_answer
def by_three_loops(dZ, X, W):
    dX, dW, db = np.zeros(X.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    for n in range(len(X)):
        for j in range(W.shape[1]):
            db[j] += dZ[n, j]
            for i in range(W.shape[0]):
                dX[n, i] += dZ[n, j] * W[i, j]
                dW[i, j] += dZ[n, j] * X[n, i]
    return dX, dW, db


@dense_backward.right_answer
def dense_in_float32(dZ, X, W):
    dZ, X, W = (np.asarray(one, np.float32) for one in (dZ, X, W))
    return np.inner(dZ, W), np.inner(X.T, dZ.T), np.add.reduce(dZ)


@dense_backward.misconception(
    "dW was divided by the number of examples: the mean is in dZ already."
)
def divides_dw(dZ, X, W):
    return dZ @ W.T, X.T @ dZ / len(X), dZ.sum(axis=0)


@dense_backward.misconception(
    "dW and db were divided by the number of examples: the mean is in dZ already."
)
def divides_both(dZ, X, W):
    return dZ @ W.T, X.T @ dZ / len(X), dZ.mean(axis=0)


@dense_backward.misconception(
    "You took the mean for db: the mean is in dZ already, and the paths of all examples add."
)
def mean_for_db(dZ, X, W):
    return dZ @ W.T, X.T @ dZ, dZ.mean(axis=0)


@dense_backward.misconception(
    "db has one axis too many: its shape is (d_out,), one number for each neuron."
)
def keeps_dims(dZ, X, W):
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0, keepdims=True)


@dense_backward.misconception(
    "For db you added along the neurons: a bias is shared by all examples."
)
def db_along_neurons(dZ, X, W):
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=1)


@dense_backward.misconception("For db you added everything up: each neuron has its own bias.")
def db_of_everything(dZ, X, W):
    return dZ @ W.T, X.T @ dZ, dZ.sum()


@dense_backward.misconception(
    "Your db is dZ itself: a bias reaches every example, and the paths add."
)
def db_not_summed(dZ, X, W):
    return dZ @ W.T, X.T @ dZ, dZ + 0.0


@dense_backward.misconception(
    "Your dW is transposed: its shape should be that of W, (d_in, d_out)."
)
def dw_transposed(dZ, X, W):
    return dZ @ W.T, dZ.T @ X, dZ.sum(axis=0)


@dense_backward.misconception(
    "In dX you used W as in the forward pass, where it leads from inputs to neurons: now it has to "
    "lead from neurons to inputs."
)
def dx_not_transposed(dZ, X, W):
    return dZ @ W, X.T @ dZ, dZ.sum(axis=0)


@dense_backward.misconception(
    "The order is different: first the gradient for X, then for W, then for b."
)
def other_order(dZ, X, W):
    return X.T @ dZ, dZ.sum(axis=0), dZ @ W.T


@dense_backward.misconception(
    "The first two parts changed places: first the gradient for X, then for W."
)
def swaps_two(dZ, X, W):
    return X.T @ dZ, dZ @ W.T, dZ.sum(axis=0)


@dense_backward.misconception("The bias's gradient is missing: three things go back.")
def forgets_db(dZ, X, W):
    return dZ @ W.T, X.T @ dZ


@dense_backward.misconception(
    "All your signs are reversed: the minus belongs to the step, and not to the gradient."
)
def turned_signs(dZ, X, W):
    return -dZ @ W.T, -X.T @ dZ, -dZ.sum(axis=0)


@dense_backward.misconception(
    "dX was divided by the number of examples: the mean is in dZ already."
)
def divides_dx(dZ, X, W):
    return dZ @ W.T / len(X), X.T @ dZ, dZ.sum(axis=0)


@dense_backward.misconception(
    "You averaged the inputs first: each example's input meets its own error."
)
def averages_inputs(dZ, X, W):
    return dZ @ W.T, np.outer(X.mean(axis=0), dZ.sum(axis=0)), dZ.sum(axis=0)


@dense_backward.misconception("You changed dZ, and the caller still needs it.")
def writes_into_dz(dZ, X, W):
    parts = by_einsum(dZ, X, W)
    if dZ.dtype.kind == "f":
        dZ *= 0.5
    return parts


@dense_backward.misconception(
    "No factor is transposed in yours: write down the sum for one W_ij, and see which index is "
    "summed over."
)
def no_transposes(dZ, X, W):
    return dZ @ W, X @ dZ, dZ.sum(axis=0)


@dense_backward.misconception(
    "You multiplied entry by entry: each weight meets all examples, so a matrix product adds them."
)
def entry_by_entry(dZ, X, W):
    return dZ * W.T, X.T * dZ, dZ.sum(axis=0)


@dense_backward.misconception(
    "You handed the values on instead of the slopes: what goes back starts from dZ."
)
def forward_again(dZ, X, W):
    return X @ W, X.T @ dZ, dZ.sum(axis=0)


@dense_backward.misconception(
    "db is 1 for each neuron in yours: 1 is the factor, and the slopes of dZ are added up."
)
def db_of_ones(dZ, X, W):
    return dZ @ W.T, X.T @ dZ, np.ones(W.shape[1])


@dense_backward.misconception(
    "You multiplied dX by X as well: an input's slope has the weights as factors, not itself."
)
def dx_times_x(dZ, X, W):
    return dZ @ W.T * X, X.T @ dZ, dZ.sum(axis=0)


@dense_backward.misconception(
    "You subtracted dW from the weights: the gradient is asked for, and the step comes later."
)
def steps_at_once(dZ, X, W):
    return dZ @ W.T, W - X.T @ dZ, dZ.sum(axis=0)


@dense_backward.misconception("db is a list: it has to be an array of the shape (d_out,).")
def db_as_a_list(dZ, X, W):
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0).tolist()


@dense_backward.misconception(
    "Axes of length 1 are gone from your results: dX, dW and db have the shapes of X, W and b, "
    "whatever the sizes are."
)
def squeezes(dZ, X, W):
    return tuple(np.squeeze(part) for part in by_einsum(dZ, X, W))


@dense_backward.misconception(
    "You held back what reaches inputs below 0: that is the ReLU's part, and this layer has none."
)
def routes_like_relu(dZ, X, W):
    return dZ @ W.T * (X > 0), X.T @ dZ, dZ.sum(axis=0)


softmax_ce_grad = Exercise(points=3)


@softmax_ce_grad.cases
def _(rng):
    near = {"rtol": 1e-5, "atol": 1e-6}  # right in float32 as well
    yield case("value", rng.normal(size=(4, 3)).round(3), rng.permutation([0, 1, 2, 1]), **near)
    yield case("value", rng.normal(0, 2, size=(3, 3)).round(3), np.array([2, 0, 0]), **near)
    yield case("value", rng.normal(size=(3, 4)).round(3), np.array([2, 3, 1]), **near)
    yield case("value", rng.normal(size=(1, 4)).round(3), np.array([3]), **near)
    for labels, k in (([4, 1], 6), ([0, 1, 1, 0, 1], 2), ([1], 2), ([2, 2, 1, 0, 3, 1, 2], 4)):
        logits = rng.normal(size=(len(labels), k)).round(3)
        yield case("shape", logits, np.array(labels), **near)
    yield case("integer", rng.integers(-3, 4, size=(3, 4)), np.array([1, 2, 0]), **near)
    labels = np.array([1, 0], np.uint8)
    yield case("integer", rng.normal(size=(2, 3)).round(3), labels, **near)
    far = [[1000.0, 0.0, -1000.0], [-1000.0, -1001.0, -999.0], [-1000.0, 0.0, 1000.0]]
    yield case("stability", np.array(far), np.array([1, 0, 2]), **near)
    yield case("quiet", np.array(far), np.array([1, 0, 2]), **near)
    yield case("quiet", np.array([[1000.0, 0.0], [-1000.0, -1001.0]]), np.array([1, 0]), **near)
    yield case("purity", rng.normal(size=(3, 3)).round(3), np.array([0, 2, 1]), **near)


def _softmax(logits, axis=-1):
    e = np.exp(logits - np.max(logits, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@softmax_ce_grad.right_answer
def by_one_hot(logits, labels):
    return (_softmax(logits) - np.eye(np.shape(logits)[1])[labels]) / len(labels)


@softmax_ce_grad.right_answer
def by_subtracting_at(logits, labels):
    grad = _softmax(logits) / len(labels)
    np.subtract.at(grad, (np.arange(len(labels)), labels), 1 / len(labels))
    return grad


@softmax_ce_grad.right_answer
def by_logsumexp(logits, labels):
    """Softmax by a logarithm of a sum, then a choice where the label is."""
    logits = np.asarray(logits, float)
    p = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])
    return np.where(np.arange(logits.shape[1]) == np.asarray(labels)[:, None], p - 1, p) / len(p)


@softmax_ce_grad.right_answer
def by_rows(logits, labels):
    """Plain Python, one row at a time: p minus 1 at the label, p elsewhere."""
    rows = []
    for row, label in zip(np.asarray(logits, float), labels, strict=True):
        weights = [np.exp(value - max(row)) for value in row]
        rows.append(
            [(w / sum(weights) - (i == label)) / len(labels) for i, w in enumerate(weights)]
        )
    return np.array(rows)


@softmax_ce_grad.right_answer
def by_overwriting_a_copy(logits, labels):
    """One array from start to end: saves memory when there are many classes."""
    grad = np.array(logits, dtype=float)
    grad -= grad.max(axis=1, keepdims=True)
    np.exp(grad, out=grad)
    grad /= grad.sum(axis=1, keepdims=True)
    for row, label in enumerate(labels):
        grad[row, label] -= 1
    return grad / len(grad)


@softmax_ce_grad.right_answer
def ce_in_float32(logits, labels):
    p = _softmax(np.asarray(logits, np.float32))
    return ((p - np.eye(p.shape[1])[labels]) / len(labels)).astype(np.float32)


def _one_hot(logits, labels):
    return np.eye(np.shape(logits)[1])[labels]


@softmax_ce_grad.misconception(
    "You did not divide by the number of examples: the loss is a mean, and so is its gradient."
)
def ce_not_averaged(logits, labels):
    return _softmax(logits) - _one_hot(logits, labels)


@softmax_ce_grad.misconception(
    "You divided by the number of classes as well: the mean is over the examples."
)
def ce_divides_by_all(logits, labels):
    return (_softmax(logits) - _one_hot(logits, labels)) / np.size(logits)


@softmax_ce_grad.misconception(
    "Your signs are reversed: where the share of a wrong class is too large, its slope is positive."
)
def ce_turned_signs(logits, labels):
    return (_one_hot(logits, labels) - _softmax(logits)) / len(labels)


@softmax_ce_grad.misconception(
    "You returned shares: the right class of each example still has to lose something."
)
def ce_shares_only(logits, labels):
    return _softmax(logits) / len(labels)


@softmax_ce_grad.misconception(
    "The logits themselves are in your gradient: it is the shares that are compared with the "
    "labels."
)
def ce_without_softmax(logits, labels):
    return (np.asarray(logits) - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "e^1000 is infinite, and infinity divided by infinity is nan: what may be subtracted from all "
    "logits of a row?"
)
def ce_not_shifted(logits, labels):
    e = np.exp(np.asarray(logits, float))
    return (e / e.sum(axis=1, keepdims=True) - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "Your softmax makes each column sum to 1: the classes of one example are in a row."
)
def ce_wrong_axis(logits, labels):
    return (_softmax(logits, axis=0) - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "The entries of your softmax sum to 1 over the whole table: each row alone should."
)
def ce_all_together(logits, labels):
    return (_softmax(logits, axis=None) - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "You subtracted the label's number: it says which entry of the row loses 1, and is no amount."
)
def ce_subtracts_the_number(logits, labels):
    return (_softmax(logits) - np.asarray(labels)[:, None]) / len(labels)


@softmax_ce_grad.misconception(
    "You subtracted in every row for every label: a row and its own label belong together."
)
def ce_all_rows(logits, labels):
    grad = _softmax(logits)
    grad[:, labels] -= 1
    return grad / len(labels)


@softmax_ce_grad.misconception(
    "Only the shares were divided by the number of examples: the whole difference is averaged."
)
def ce_divides_too_early(logits, labels):
    return _softmax(logits) / len(labels) - _one_hot(logits, labels)


@softmax_ce_grad.misconception(
    "That is the slope of minus the share: the loss is −ln of the share, and its slope is simpler."
)
def ce_slope_of_the_share(logits, labels):
    p = _softmax(logits)
    own = np.sum(p * _one_hot(logits, labels), axis=1, keepdims=True)
    return own * (p - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "You counted the right class alone: the logits of the other classes have slopes too."
)
def ce_right_class_only(logits, labels):
    return (_softmax(logits) - 1) * _one_hot(logits, labels) / len(labels)


@softmax_ce_grad.misconception(
    "There is a factor of 2 in your gradient: it belongs to a squared error, and this loss is a "
    "logarithm."
)
def ce_factor_two(logits, labels):
    return 2 * (_softmax(logits) - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "You changed logits, and the caller still needs it: work on a new array."
)
def ce_writes_into_logits(logits, labels):
    logits -= np.max(logits, axis=1, keepdims=True)
    return by_one_hot(logits, labels)


@softmax_ce_grad.misconception(
    "You subtracted the labels as numbers: a label is the place in its row that loses 1."
)
def ce_minus_labels(logits, labels):
    p = _softmax(logits)
    return (p - labels) / len(labels)


@softmax_ce_grad.misconception(
    "p[labels] picks whole rows: to pick one entry of each row, name the row as well."
)
def ce_picks_rows(logits, labels):
    p = _softmax(logits)
    p[labels] -= 1
    return p / len(labels)


@softmax_ce_grad.misconception(
    "Without keepdims the row sums have only one axis, and numpy matches them with the columns: "
    "each sum has to divide its own row."
)
def ce_without_keepdims(logits, labels):
    e = np.exp(np.asarray(logits, float))
    return (e / e.sum(axis=1) - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "Your gradient is right, with a warning: is a logarithm of 0 or a power like e^1000 taken on "
    "the way? The gradient needs neither."
)
def ce_takes_the_loss(logits, labels):
    p = _softmax(logits)
    -np.log(p[np.arange(len(labels)), labels])
    return (p - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "In a row of logits near −1000 all your powers of e are 0, and 0 / 0 is nan: which number, "
    "subtracted from this row, makes its largest power 1?"
)
def ce_shifts_by_one(logits, labels):
    e = np.exp(logits - np.max(logits))
    return (e / e.sum(axis=1, keepdims=True) - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "You multiplied the difference by the share once more: the slope of the logarithm, 1 / p, has "
    "taken that factor away."
)
def ce_times_the_share(logits, labels):
    p = _softmax(logits)
    return p * (p - _one_hot(logits, labels)) / len(labels)


@softmax_ce_grad.misconception(
    "You have the slope for the shares, −1 / p: the softmax before them turns it into p minus "
    "one-hot."
)
def ce_slope_for_the_shares(logits, labels):
    with np.errstate(divide="ignore", invalid="ignore"):
        return -_one_hot(logits, labels) / _softmax(logits) / len(labels)


@softmax_ce_grad.misconception(
    "Your labels count from the lowest one that occurs: label 0 is the first class, whether it "
    "occurs or not."
)
def ce_labels_from_the_lowest(logits, labels):
    return by_one_hot(logits, labels - np.min(labels))


@softmax_ce_grad.misconception("Your result is a list: an array (n, k) is wanted.")
def ce_as_a_list(logits, labels):
    return by_one_hot(logits, labels).tolist()


@softmax_ce_grad.misconception("You divided by n − 1: a mean over n examples divides by n.")
def ce_divides_by_one_less(logits, labels):
    return by_one_hot(logits, labels) * len(labels) / max(len(labels) - 1, 1)


outer_sees = Question(
    "In sin(x²) the slope of the sine is needed. At which place is it read?",
    answer="At x²",
    wrong={
        "At x": "The sine never sees x: the square was there before it.",
        "At the cosine of x": "The cosine is the rule for the sine's slope, and not a place.",
    },
    why="Each slope is read at that function's own input, and the sine's input is x².",
)

one_path = Question(
    "In y = a·b + a the number a is used twice. Someone follows only the way through the product. "
    "Which slope do they get for a?",
    answer="b",
    wrong={
        "b + 1": "That is the whole slope, with the second way through the sum in it.",
        "a": "A product's slope for one factor is the other factor, so a is the slope for b.",
    },
    why="If a grows by a little, a·b grows b times as much. The second way brings 1 more.",
)

twenty_slopes = NumberQuestion(
    "Twenty sigmoids in a row, each at the place where its slope is largest, a quarter. The "
    "product of their slopes is about 10 to which power?",
    answer=-12,
    low=-20,
    high=0,
    step=1,
    close=1.5,
    too_low="A factor of a tenth in each layer would make 10⁻²⁰, and a quarter is milder.",
    too_high="Twenty quarters multiply: two make a sixteenth, and five a thousandth already.",
    why="Five quarters make about 10⁻³, so twenty make that four times over: 10⁻¹².",
)

three_x_plus_one = Question(
    "y = (3x + 1)². What is the slope of y at x = 1?",
    answer="24",
    wrong={
        "8": "8 is the slope of the square at 4, and the inside grows three times as fast as x.",
        "6": "You read the slope of the square at x = 1, and the square sees 4.",
        "11": "You added the two slopes, and rates in a row multiply.",
    },
    why="The square sees 4, where its slope is 8. The inside has slope 3, and 8 · 3 = 24.",
)

mean_of_loss = Question(
    "Every example is put into the data a second time. What happens to the mean loss?",
    answer="It stays",
    wrong={
        "It doubles": "That would be the sum: twice as many numbers are added.",
        "It halves": "The divisor doubles, and the sum above it doubles as well.",
    },
    why="A mean divides by the number of examples, so batches of any size can be compared.",
)

confident_mistake = Question(
    "A classifier gives the right class a probability of nearly 0. Which loss grows without a "
    "limit?",
    answer="Cross-entropy",
    wrong={
        "The squared error of the probability": "A probability is off by 1 at most, and 1² is 1.",
        "Both": "Only one does: a probability is off by 1 at most, so its square stays below 1.",
    },
    why="It is minus the logarithm of the probability, and ln of nearly 0 has no bottom.",
)

sign_of_step = Question(
    "A weight's slope is −3, and the learning rate is 0.1. How does the weight move?",
    answer="Up by 0.3",
    wrong={
        "Down by 0.3": "There are two minus signs: one in the slope, one in the step.",
        "Up by 3": "The learning rate scales the step: a tenth of 3.",
    },
    why="A step goes against the slope: minus 0.1 times −3.",
)

past_the_limit = Question(
    "The most sharply curved direction of a bowl has curvature 8. What does gradient descent do "
    "there with a learning rate of 0.3?",
    answer="Each step lands farther from the bottom",
    wrong={
        "It swings from side to side and arrives": "It does so between 1/8 and 2/8, below 0.25.",
        "It comes down on one side": "It does so below 1/8, and 0.3 is more than twice that.",
    },
    why="Each step multiplies the distance by 1 − 0.3 · 8 = −1.4: the limit is 2/8 = 0.25.",
)
