"""The neuron lesson: points, cases, right answers, misconceptions and questions."""

import math
from itertools import product

import numpy as np

from grader import Exercise, NumberQuestion, Question, case

UNUSUAL = 0.0, 0.00042, -250.5
"""Each exercise meets a zero, a number near it and a large one, besides ordinary numbers."""


weighted_sum = Exercise(points=2)


def _neuron(rng, d, sum_sign, bias_sign):
    """Return inputs, weights and a bias, with these signs of the products' sum and the bias."""
    x, w = rng.normal(0, 2, size=(2, d)).round(3)
    return x, w * sum_sign * np.sign(x @ w), bias_sign * round(rng.uniform(0.5, 2), 3)


@weighted_sum.cases
def _(rng):
    for d, sum_sign, bias_sign in ((3, 1, 1), (1, -1, -1), (6, -1, 1), (2, 1, -1)):
        yield case("value", *_neuron(rng, d, sum_sign, bias_sign))
    yield case("value", np.array([0.5, 1.5]), np.array([1.0, 0.5]), 0.5)  # 1.75: int gives 1
    yield case("value", np.array(UNUSUAL), rng.uniform(1, 2, size=3).round(3), 0.0)
    yield case("value", np.array([500.123, -500.0]), np.ones(2), 0.0)  # float32 has too few digits
    x, w = rng.normal(size=(2, 4)).round(3)
    yield case("shape", x, w, 0.5)
    yield case(
        "integer", rng.integers(-5, 6, size=4), rng.integers(1, 6, size=4), int(rng.integers(1, 4))
    )
    yield case("integer", rng.integers(1, 6, size=4), rng.uniform(0.1, 0.4, size=4).round(3), 0.25)
    yield case("purity", x, w, 1.5)
    for inputs, weights in ((4, 3), (3, 4), (4, 1), (1, 4)):
        yield case("error", x[:inputs], w[:weights], 0.5, raises=ValueError)


@weighted_sum.right_answer
def by_dot_product(x, w, b):
    return np.dot(x, w) + b


@weighted_sum.right_answer
def by_strict_zip(x, w, b):
    """zip pairs inputs with weights, and strict=True refuses unequal lengths for you."""
    return sum(float(xi) * float(wi) for xi, wi in zip(x, w, strict=True)) + b


@weighted_sum.right_answer
def by_inner_product(x, w, b):
    return b + np.inner(w, x)


@weighted_sum.right_answer
def by_loop(x, w, b):
    """A plain loop: longer, slower, and every step is there to see."""
    if len(x) != len(w):
        raise ValueError("as many weights as inputs, please")
    total = b
    for i in range(len(x)):
        total = total + x[i] * w[i]
    return total


@weighted_sum.right_answer
def by_products(x, w, b):
    """Multiplies number by number, then adds: shows what @ does in one step."""
    x, w = np.asarray(x), np.asarray(w)
    if x.shape != w.shape:
        raise ValueError
    return (x * w).sum() + b


@weighted_sum.right_answer
def by_an_array_without_axes(x, w, b):
    if len(x) != len(w):
        raise ValueError
    return np.asarray(np.dot(x, w) + b)


@weighted_sum.misconception(
    "Sums below 0 became 0: a weighted sum may be negative, so return it as it is."
)
def cuts_off_below_zero(x, w, b):
    return max(0.0, float(x @ w + b))


@weighted_sum.misconception(
    "You multiplied each input by every weight: each input meets only its own weight, and the "
    "products are added."
)
def takes_the_outer_product(x, w, b):
    return np.outer(x, w) + b


@weighted_sum.misconception("You left out the bias: it is added once, after the sum.")
def forgets_bias(x, w, b):
    return float(x @ w)


@weighted_sum.misconception(
    "The bias came in once for every input: it belongs to the neuron, so it is added once, after "
    "the sum."
)
def adds_bias_to_each_product(x, w, b):
    if len(x) != len(w):
        raise ValueError
    return float(np.sum(x * w + b))


@weighted_sum.misconception(
    "The bias went in with a minus sign: a positive bias has to push the sum up."
)
def subtracts_bias(x, w, b):
    return float(x @ w - b)


@weighted_sum.misconception(
    "The bias scales your sum: it should shift it by a fixed amount, whatever the inputs are."
)
def multiplies_by_bias(x, w, b):
    return float(x @ w * b)


@weighted_sum.misconception(
    "You return one number for each input: a neuron adds its products up before it goes on."
)
def forgets_to_sum(x, w, b):
    return x * w + b


@weighted_sum.misconception(
    "You averaged the products: a neuron with more inputs has to be able to reach a larger sum."
)
def takes_the_mean(x, w, b):
    if len(x) != len(w):
        raise ValueError
    return float(np.mean(x * w) + b)


@weighted_sum.misconception(
    "You added weights to inputs: a weight says how much its input counts, so it multiplies it."
)
def adds_weights(x, w, b):
    if len(x) != len(w):
        raise ValueError
    return float(np.sum(x + w) + b)


@weighted_sum.misconception(
    "Only the first product is in your result: a return inside the loop ends it after one round."
)
def returns_inside_the_loop(x, w, b):
    return float(x[0] * w[0] + b)


@weighted_sum.misconception(
    "Only the last product is in your result: each round of the loop has to add to the total, not "
    "replace it."
)
def keeps_the_last_product(x, w, b):
    total = 0.0
    for i in range(len(x)):
        total = x[i] * w[i]
    return float(total + b)


@weighted_sum.misconception(
    "The last product is missing: range(len(x)) stops before len(x), so nothing has to be taken "
    "off."
)
def stops_one_early(x, w, b):
    return float(sum(x[i] * w[i] for i in range(len(x) - 1)) + b)


@weighted_sum.misconception(
    "An index has to be an integer: the i in `for i in x` is an input itself, and the i in `for i "
    "in range(len(x))` is its index."
)
def takes_inputs_for_places(x, w, b):
    return float(sum(x[i] * w[i] for i in x) + b)


@weighted_sum.misconception(
    "In yours every input meets every weight, as in a product of two sums: each input meets only "
    "its own weight, and these products are added."
)
def multiplies_the_sums(x, w, b):
    if len(x) != len(w):
        raise ValueError
    return float(np.sum(x) * np.sum(w) + b)


@weighted_sum.misconception(
    "The bias went into the weights, so every input scales it: it is added after the sum."
)
def adds_bias_to_the_weights(x, w, b):
    return float(x @ (w + b))


@weighted_sum.misconception(
    "The bias went through the weights: it is added after the sum, so that no weight scales it."
)
def adds_bias_to_the_inputs(x, w, b):
    return float((x + b) @ w)


@weighted_sum.misconception(
    "Square brackets take an element of an array, such as x[0]: b is one number and has no "
    "elements, and a function is called with parentheses."
)
def indexes_the_bias(x, w, b):
    return float(x @ w + b[0])


@weighted_sum.misconception(
    "That is already the curve, which comes after the sum: here the neuron stops at the sum and "
    "the bias."
)
def applies_sigmoid_too(x, w, b):
    return float(1 / (1 + np.exp(-(x @ w + b))))


@weighted_sum.misconception(
    "zip stops at the end of the shorter one, so leftover inputs vanish without a word: what "
    "should happen when the lengths differ?"
)
def zip_drops_the_rest(x, w, b):
    return float(sum(xi * wi for xi, wi in zip(x, w, strict=False)) + b)


@weighted_sum.misconception(
    "numpy stretched a single weight over all inputs without a word: what should happen when the "
    "lengths differ?"
)
def broadcasts_one_weight(x, w, b):
    return float((x * w).sum() + b)


@weighted_sum.misconception(
    "Your loop trusts one of the two lengths: compare both before it starts."
)
def loops_over_inputs_only(x, w, b):
    return float(sum(x[i] * w[i] for i in range(len(x))) + b)


@weighted_sum.misconception(
    "Your products were written over the inputs, and the caller still needs those: keep the "
    "products in a new array."
)
def multiplies_in_place(x, w, b):
    if len(x) != len(w):
        raise ValueError
    x *= w
    return float(x.sum() + b)


@weighted_sum.misconception(
    "You return a list or array that holds one number: a weighted sum is the number itself."
)
def returns_an_array(x, w, b):
    return np.array([x @ w + b])


@weighted_sum.misconception("Your result lost its decimals: a weighted sum can be any real number.")
def rounds(x, w, b):
    return float(int(x @ w + b))


@weighted_sum.misconception(
    "The sum lost its decimals before the bias came: int cuts them off, so leave it out."
)
def rounds_the_sum(x, w, b):
    return float(int(x @ w) + b)


@weighted_sum.misconception(
    "Your result is a whole number, the nearest one: leave the rounding out."
)
def rounds_to_the_nearest(x, w, b):
    return float(round(x @ w + b))


@weighted_sum.misconception(
    "Where the lengths differ yours returns None, and the caller computes on with that: raise a "
    "ValueError, which stops."
)
def returns_nothing(x, w, b):
    return float(x @ w + b) if len(x) == len(w) else None


@weighted_sum.misconception(
    "You noticed it, and the exception has another name: assert raises AssertionError, so raise "
    "the ValueError yourself."
)
def asserts(x, w, b):
    assert len(x) == len(w)
    return float(x @ w + b)


@weighted_sum.misconception(
    "Your ValueError came back as a result: put raise in the place of return."
)
def returns_the_error(x, w, b):
    if len(x) != len(w):
        return ValueError("as many weights as inputs, please")
    return float(x @ w + b)


sigmoid = Exercise(points=3)


@sigmoid.cases
def _(rng):
    yield case("value", rng.normal(0, 2, size=5).round(3))
    yield case("value", np.array([-6.0, -1.0, 0.0, 0.00042, 1.0, 6.0]))
    for size in ((2, 3), (3, 1)):
        yield case("shape", rng.normal(size=size).round(3))
    yield case("shape", rng.uniform(0.5, 2, size=(1, 4)).round(3))
    yield case("shape", round(rng.uniform(-2, -1), 3))
    yield case("shape", round(rng.uniform(1, 2), 3))
    yield case("integer", rng.integers(-3, 4, size=6))
    yield case("integer", int(rng.integers(1, 4)))
    yield case("stability", np.array([-1000.0, -40.0, -20.0, 20.0, 40.0, 1000.0]))
    yield case("quiet", np.array([-1000.0, 0.0, 1000.0]))
    yield case("quiet", -1000.0)
    yield case("purity", rng.normal(size=4).round(3))


@sigmoid.right_answer
def by_tanh(z):
    """The sigmoid is a squeezed and shifted tanh, which never overflows."""
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))


@sigmoid.right_answer
def by_logaddexp(z):
    return np.exp(-np.logaddexp(0, -np.asarray(z, float)))


@sigmoid.right_answer
def by_clipping(z):
    """Cuts z off where the curve is flat anyway: short, and safe from overflow."""
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


@sigmoid.right_answer
def by_masks(z):
    """Uses another formula on each side of 0: every exponent is negative, so none overflows."""
    z = np.asarray(z, float)
    flat = np.atleast_1d(z)
    out = np.empty_like(flat)
    up = flat >= 0
    out[up] = 1 / (1 + np.exp(-flat[up]))
    e = np.exp(flat[~up])
    out[~up] = e / (1 + e)
    return out.reshape(z.shape)


@sigmoid.right_answer
def by_silence(z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-np.asarray(z, dtype=float)))


@sigmoid.right_answer
def by_one_number_at_a_time(z):
    def one(a):
        return 1 / (1 + math.exp(-a)) if a > 0 else math.exp(a) / (1 + math.exp(a))

    return np.vectorize(one, otypes=[float])(z)


@sigmoid.right_answer
def by_clipping_where_the_curve_is_flat(z):
    return 1 / (1 + np.exp(-np.clip(np.asarray(z, float), -30, 30)))


@sigmoid.right_answer
def with_a_float_for_one_number(z):
    result = 0.5 * (1 + np.tanh(np.asarray(z) / 2))
    return result if np.ndim(z) else float(result)


@sigmoid.misconception(
    "The values are right, but numpy warns, for e to the power 1000 is computed somewhere "
    "(np.where computes both of its branches before it picks): which exponent never gets large?"
)
def overflows_loudly(z):
    return 1 / (1 + np.exp(-np.asarray(z)))


@sigmoid.misconception(
    "For a large positive z you divide infinity by infinity, which is nan: choose the form by the "
    "sign of z."
)
def infinity_over_infinity(z):
    e = np.exp(np.asarray(z, float))
    return e / (1 + e)


@sigmoid.misconception(
    "That is 1 plus e to the −z, without the division: Python divides before it adds, so a "
    "denominator with a plus in it needs parentheses."
)
def missing_parentheses(z):
    return 1 / 1 + np.exp(-np.asarray(z, float))


@sigmoid.misconception("Your curve falls where it should rise: look at the sign in the exponent.")
def wrong_sign(z):
    return 1 / (1 + np.exp(np.asarray(z, float)))


@sigmoid.misconception(
    "That is tanh: it runs from −1 to 1, and a sigmoid's output lies between 0 and 1."
)
def is_tanh(z):
    return np.tanh(z)


@sigmoid.misconception(
    "That is a switch that knows only 0 and 1: a sigmoid's output says how much, with every value "
    "in between."
)
def is_a_step(z):
    return (np.asarray(z) > 0).astype(float)


@sigmoid.misconception(
    "Something in yours, an if or math.exp, takes one number at a time: z may be a whole array."
)
def scalars_only(z):
    return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


@sigmoid.misconception(
    "Something in yours takes one number only, as math.exp and float do: z may be a whole array, "
    "and np.exp takes both."
)
def by_math_exp(z):
    return 1 / (1 + math.exp(-z))


@sigmoid.misconception(
    "A single number can't be looped over: without the loop, one line with np.exp serves numbers "
    "and arrays."
)
def loops_over_z(z):
    return np.array([1 / (1 + np.exp(-one)) for one in z])


@sigmoid.misconception(
    "e is a number and np.exp a function: e to the power −z is np.exp(-z), a call, where yours "
    "multiplies by e."
)
def multiplies_by_e(z):
    return 1 / (1 + math.e * -np.asarray(z, float))


@sigmoid.misconception("There is a minus in your denominator where the formula has a plus.")
def subtracts_below(z):
    return 1 / (1 - np.exp(-np.asarray(z, float)))


@sigmoid.misconception(
    "You left out the 1 in the denominator, so the output grows without end: one over (one plus e "
    "to the minus z)."
)
def forgets_the_one(z):
    return 1 / np.exp(-np.asarray(z, float))


@sigmoid.misconception(
    "z may be a single number, which has no attributes or methods of an array, such as shape or "
    "astype: what turns any input into an array first?"
)
def arrays_only(z):
    out = np.zeros(z.shape)
    up = z >= 0
    out[up] = 1 / (1 + np.exp(-z[up]))
    out[~up] = np.exp(z[~up]) / (1 + np.exp(z[~up]))
    return out


@sigmoid.misconception(
    "Your steps were written over z, and the caller still needs it: keep them in a new array."
)
def works_in_place(z):
    z = np.asarray(z)
    np.clip(z, -500, 500, out=z)
    z *= -1
    np.exp(z, out=z)
    z += 1
    return 1 / z


@sigmoid.misconception(
    "Your result has the type of z, and an array of integers can't hold 0.73: make room for floats."
)
def keeps_whole_numbers(z):
    out = np.zeros_like(z)
    e = np.exp(-np.abs(np.asarray(z, float)))
    out[...] = np.where(np.asarray(z) >= 0, 1 / (1 + e), e / (1 + e))
    return out


@sigmoid.misconception(
    "That is the slope of the sigmoid, which is largest in the middle: here its value is wanted."
)
def is_the_derivative(z):
    s = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
    return s * (1 - s)


@sigmoid.misconception(
    "You divided by a sum over all numbers: each output depends on its own z alone."
)
def is_softmax(z):
    e = np.exp(np.asarray(z) - np.max(z))
    return e / e.sum()


TOO_EARLY = (
    "You cut z off so early that both ends of the curve are missing: choose a limit at which the "
    "curve is flat to nine decimals."
)


@sigmoid.misconception(TOO_EARLY)
def clips_too_early(z):
    return 1 / (1 + np.exp(-np.clip(z, -10, 10)))


@sigmoid.misconception(TOO_EARLY)
def clips_at_20(z):
    return 1 / (1 + np.exp(-np.clip(z, -20, 20)))


@sigmoid.misconception("Your base is 2: the sigmoid is made with e.")
def takes_powers_of_two(z):
    return 1 / (1 + 2.0 ** -np.clip(z, -500, 500))


@sigmoid.misconception(
    "Where z is far from 0 you wrote into z itself: clip into a new array, the caller needs z."
)
def writes_a_limit_into_z(z):
    z = np.asarray(z)
    if z.ndim:
        z[z < -500] = -500
    return 0.5 * (1 + np.tanh(z / 2))


@sigmoid.misconception(
    "Your result has an axis too many: (n,) stays (n,), and one number stays one number."
)
def adds_an_axis(z):
    result = 0.5 * (1 + np.tanh(np.asarray(z) / 2))
    return result if result.ndim > 1 else result.reshape(1, -1)


@sigmoid.misconception(
    "Your numbers are in a list or a tuple: for an array the result is an array."
)
def returns_a_list(z):
    return (0.5 * (1 + np.tanh(np.asarray(z) / 2))).tolist()


@sigmoid.misconception("z = 0 belongs to neither of your two branches: every number needs one.")
def forgets_zero(z):
    z = np.asarray(z, float)
    e = np.exp(-np.abs(z))
    return np.where(z > 0, 1 / (1 + e), np.where(z < 0, e / (1 + e), 0.0))


@sigmoid.misconception("A table of numbers came back as one row: the result has the shape of z.")
def flattens(z):
    e = np.exp(-np.abs(np.ravel(z)))
    return np.where(np.ravel(z) >= 0, 1 / (1 + e), e / (1 + e))


@sigmoid.misconception(
    "That is a straight ramp cut off at 0 and 1: the sigmoid bends smoothly and never quite "
    "reaches either end."
)
def is_a_ramp(z):
    return np.clip(0.25 * np.asarray(z) + 0.5, 0, 1)


relu = Exercise(points=2)


@relu.cases
def _(rng):
    low, high = rng.uniform(0.1, 0.9, size=2).round(3), rng.uniform(1.1, 4, size=2).round(3)
    yield case("value", rng.permutation([*low, *high, *-low, *-high]))
    yield case("value", np.array([-1e6, -2.5, 0.0, 0.00042, -0.00042, 0.5, 1.0, 1e6]))
    for size in ((2, 3), (1, 4), (3, 1)):
        yield case("shape", rng.normal(size=size).round(3))
    yield case("shape", round(rng.uniform(-2, -1), 3))
    yield case("shape", round(rng.uniform(1, 2), 3))
    for dtype, size in product((np.float32, np.float64), (5, (2, 3))):
        yield case("dtype", rng.normal(size=size).round(3).astype(dtype))
    yield case("integer", rng.permutation([-4, -1, 0, 1, 2, 5]))
    yield case("stability/NaN passes through", np.array([np.nan, -1.0, 2.0]))
    yield case("purity", np.array([-1.5, 0.5, *rng.normal(size=3).round(3)]))
    yield case("purity", rng.uniform(0.5, 1.5, size=3).round(3))


@relu.right_answer
def by_where(z):
    """Says it as a choice: 0 below 0, else z itself."""
    return np.where(np.less(z, 0), 0, z)


@relu.right_answer
def by_clip(z):
    return np.clip(z, 0, None)


@relu.right_answer
def by_mask(z):
    """Multiplies by a comparison: True counts as 1, False as 0."""
    return z * (np.asarray(z) > 0)


@relu.right_answer
def by_half_of_both(z):
    """One formula without a choice: z and its size cancel below 0."""
    z = np.asarray(z)
    return (z + np.abs(z)) / 2


@relu.right_answer
def by_copy(z):
    out = np.array(z)
    out[out < 0] = 0
    return out


@relu.right_answer
def with_a_float_for_one_number(z):  # noqa: F811 (each exercise has its own answer by this name)
    return np.maximum(z, 0) if np.ndim(z) else max(0.0, float(z))


@relu.misconception(
    "NaN became 0: with NaN, comparisons such as z > 0 and z < 0 are both false, so it took the "
    "branch that gives 0 (nan_to_num gives 0 as well)."
)
def loses_nan(z):
    return np.where(np.asarray(z) > 0, z, 0)


@relu.misconception("You wrote zeros into z itself, and the caller still needs it: work on a copy.")
def works_in_place(z):  # noqa: F811 (each exercise has its own misconception by this name)
    z = np.asarray(z)
    z[z < 0] = 0
    return z


@relu.misconception(
    "Where nothing is negative you hand back z itself: the caller would change your result by "
    "changing z."
)
def returns_the_input(z):
    z = np.asarray(z)
    return np.maximum(z, 0) if (z < 0).any() else z


@relu.misconception("max and if decide about one number at a time: z may be a whole array.")
def scalars_only(z):  # noqa: F811
    return max(z, 0)


@relu.misconception("That is the absolute value: a negative z should give 0, not its mirror image.")
def is_the_absolute_value(z):
    return np.abs(z)


@relu.misconception("You kept the negative side: a ReLU passes what is above 0.")
def keeps_the_negative_side(z):
    return np.minimum(z, 0)


@relu.misconception(
    "Your output says only whether z passes: a ReLU passes z itself, so a stronger signal stays "
    "stronger."
)
def passes_one(z):
    return (np.asarray(z) > 0) * np.ones_like(z)


@relu.misconception(
    "Numbers between 0 and 1 became 0 too: a ReLU passes everything above 0, however small."
)
def passes_from_one_on(z):
    return np.asarray(z) * (np.asarray(z) >= 1)


LEAKY = (
    "A little of the negative side leaks through: that is the leaky ReLU, and here a negative z "
    "gives exactly 0."
)


def _leaky(slope, z):
    z = np.asarray(z)
    return np.where(z < 0, slope * z, z).astype(z.dtype if z.dtype.kind == "f" else float)


@relu.misconception(LEAKY)
def leaks_a_thousandth(z):
    return _leaky(0.001, z)


@relu.misconception(LEAKY)
def leaks(z):
    return _leaky(0.01, z)


@relu.misconception(LEAKY)
def leaks_a_tenth(z):
    return _leaky(0.1, z)


@relu.misconception(LEAKY)
def leaks_a_fifth(z):
    return _leaky(0.2, z)


@relu.misconception(
    "z may be a plain number, which has no attributes or methods of an array: turn the input into "
    "an array first."
)
def copies_by_a_method(z):
    out = z.copy()
    out[out < 0] = 0
    return out


@relu.misconception(
    "Your result has an axis too many: (n,) stays (n,), and one number stays one number."
)
def adds_an_axis(z):  # noqa: F811
    result = np.maximum(z, 0)
    return result if result.ndim > 1 else result.reshape(1, -1)


@relu.misconception("Your numbers are in a list or a tuple: for an array the result is an array.")
def returns_a_list(z):  # noqa: F811
    return np.maximum(z, 0).tolist()


@relu.misconception(
    "You dropped the negative numbers: the result has the shape of z, with a 0 in their places."
)
def drops_negatives(z):
    z = np.asarray(z)
    return z[~(z < 0)]


@relu.misconception(
    "You kept only the positive numbers: the result has the shape of z, with a 0 in place of each "
    "of the others."
)
def keeps_positives_only(z):
    z = np.asarray(z)
    return z[z > 0]


@relu.misconception("Your output ends at 1: a ReLU has no upper limit.")
def caps_at_one(z):
    return np.clip(z, 0, 1)


@relu.misconception("float32 became float64 on the way, twice the memory: which step set the type?")
def widens_to_float64(z):
    return np.maximum(np.asarray(z, dtype=np.float64), 0)


@relu.misconception(
    "That is the largest number of all: here each number is compared with 0 on its own, and "
    "np.maximum does that."
)
def takes_the_largest(z):
    return np.max(z, 0)


@relu.misconception(
    "If you wrote np.max(0, z): its second input is an axis; np.maximum is the one that compares "
    "element by element, and it takes two things to compare."
)
def takes_z_for_an_axis(z):
    return np.max(0, z)


@relu.misconception(
    "A single number can't be assigned to by index, and with an array you would write over the "
    "caller's own: compute new numbers instead."
)
def assigns_into_z(z):
    z[z < 0] = 0
    return z


@relu.misconception(
    "Your loop works for one row of numbers only: z may also be a table, or a single number."
)
def goes_through_one_row(z):
    return np.array([max(0.0, one) for one in z])


@relu.misconception("The sign of z is flipped: positive signals should pass, negative ones not.")
def turns_the_sign(z):
    return np.maximum(-np.asarray(z), 0)


@relu.misconception("Your result lost its decimals: a ReLU passes z as it is.")
def loses_decimals(z):
    with np.errstate(invalid="ignore"):
        return np.maximum(z, 0).astype(int)


@relu.misconception(
    "That is softplus, the smooth relative: a ReLU has a corner at 0 and is exactly 0 below it."
)
def is_softplus(z):
    return np.logaddexp(0, z, dtype=np.result_type(z, np.float32))


@relu.misconception(
    "That is softplus, and e to a large power overflows in it: a ReLU has a corner at 0 and is "
    "exactly 0 below it."
)
def is_naive_softplus(z):
    return np.log(1 + np.exp(np.asarray(z, np.result_type(z, np.float32))))


dense = Exercise(points=3)


def _layer(rng, n, d_in, d_out):
    """Return examples, weights and biases, of which the first is negative."""
    X, W = rng.normal(size=(n, d_in)).round(3), rng.normal(size=(d_in, d_out)).round(3)
    return X, W, rng.uniform(0.5, 1.5, size=d_out).round(3) * np.where(np.arange(d_out), 1, -1)


def _layer_case(property, X, W, b, activation, atol=1e-5):
    """Return a case that also accepts float32 inside the layer."""
    return case(property, X, W, b, activation, atol=atol)


@dense.cases
def _(rng):
    X, W, b = _layer(rng, 4, 3, 2)
    yield _layer_case("value", X, W, b, np.tanh)
    yield _layer_case("value", X, W, b, np.positive)
    yield _layer_case("value", *_layer(rng, 3, 3, 3), np.sin)
    yield _layer_case("value", *_layer(rng, 2, 5, 4), np.arctan)
    large = np.diag(UNUSUAL), rng.uniform(1, 2, size=(3, 2)).round(3), b
    yield _layer_case("value", *large, np.positive, atol=1e-4)
    for n, d_in, d_out in ((1, 3, 4), (7, 2, 1), (3, 1, 2), (1, 1, 1)):
        yield _layer_case("shape", *_layer(rng, n, d_in, d_out), np.tanh)
    numbers = rng.integers(-3, 4, size=(2, 3)), rng.integers(1, 4, size=(3, 2))
    yield _layer_case("integer", *numbers, rng.integers(1, 4, size=2), np.tanh)
    yield _layer_case("integer", numbers[0], W, b, np.tanh)
    yield _layer_case("purity", X[:1], W, b, np.tanh)


@dense.right_answer
def by_einsum_and_add(X, W, b, activation):
    """Names the axes: n examples, i inputs, o outputs; i is summed over."""
    return activation(np.einsum("ni,io->no", X, W) + b)


@dense.right_answer
def by_rows(X, W, b, activation):
    """One example at a time: close to the single neuron, and slow for many."""
    return np.array([activation(np.dot(x, W) + b) for x in X])


@dense.right_answer
def by_neurons(X, W, b, activation):
    return np.stack([activation(X @ W[:, j] + b[j]) for j in range(W.shape[1])], axis=1)


@dense.right_answer
def by_transposes(X, W, b, activation):
    return activation((W.T @ X.T).T + np.reshape(b, (1, -1)))


@dense.right_answer
def by_a_column_of_ones(X, W, b, activation):
    """The bias as one more weight, for an input that is always 1: one product does it all."""
    ones = np.ones((len(X), 1))
    return activation(np.hstack([X, ones]) @ np.vstack([W, b]))


@dense.right_answer
def by_float32(X, W, b, activation):
    X, W, b = (np.asarray(part, np.float32) for part in (X, W, b))
    return activation(X @ W + b)


@dense.misconception("Your rows are in a list or a tuple: np.array makes the wanted table of them.")
def returns_a_list_of_rows(X, W, b, activation):
    return [activation(x @ W + b) for x in X]


@dense.misconception(
    "You added the neurons of a row up: each of them has an output, and a column for it."
)
def adds_the_neurons_up(X, W, b, activation):
    return activation(X @ W + b).sum(axis=1)


@dense.misconception(
    "The activation is missing: without it the layer is a weighted sum and nothing more."
)
def forgets_activation(X, W, b, activation):
    return X @ W + b


@dense.misconception("You left out the biases: each neuron of the layer has its own.")
def forgets_biases(X, W, b, activation):
    return activation(X @ W)


@dense.misconception(
    "The bias came after the activation: it has to shift what the activation sees."
)
def adds_bias_after_activation(X, W, b, activation):
    return activation(X @ W) + b


@dense.misconception(
    "You applied the activation to the inputs: it belongs to the layer's own sums."
)
def activates_the_inputs(X, W, b, activation):
    return activation(X) @ W + b


@dense.misconception(
    "W is transposed: row i of W belongs to input i, and column j to neuron j, so which axis of "
    "X meets which of W?"
)
def transposes_w(X, W, b, activation):
    return activation(X @ W.T + b)


@dense.misconception(
    "The order matters: X @ W lets each row of X, an example, meet each column of W, a neuron."
)
def weights_first(X, W, b, activation):
    return activation(W @ X + b)


@dense.misconception(
    "Yours requires as many rows in X as in W, which is the length check for a single example: "
    "here the columns of X have to match the rows of W, and @ checks that."
)
def calls_weighted_sum(X, W, b, activation):
    if len(X) != len(W):
        raise ValueError
    return activation(np.dot(X, W) + b)


@dense.misconception(
    "Yours treats X and W as one example and one neuron, and requires equal lengths: which "
    "operation takes the dot product of each row of X with each column of W?"
)
def calls_weighted_sum_of_everything(X, W, b, activation):
    if len(X) != len(W):
        raise ValueError
    return activation(np.vdot(X, W) + b)


@dense.misconception(
    "X is transposed: its rows are the examples already, and each of them meets W."
)
def transposes_x(X, W, b, activation):
    return activation(X.T @ W + b)


@dense.misconception(
    "activation takes one array, the sums, and nothing else: activation(Z) calls it."
)
def hands_over_everything(X, W, b, activation):
    return activation(X, W, b)


@dense.misconception(
    "The bias went into the weights, so the inputs scale it: it is added after X @ W."
)
def shifts_the_weights(X, W, b, activation):
    return activation(X @ (W + b))


@dense.misconception(
    "Your result is a function, not its output: activation is called with the sums in parentheses."
)
def returns_the_function(X, W, b, activation):
    Z = X @ W + b  # noqa: F841
    return activation


@dense.misconception(
    "That is your sigmoid, whatever the caller wanted: call the function named activation."
)
def always_sigmoid(X, W, b, activation):
    return 1 / (1 + np.exp(-(X @ W + b)))


@dense.misconception(
    "You multiplied number by number: each neuron needs the sum over all inputs of input times "
    "weight."
)
def multiplies_elementwise(X, W, b, activation):
    return activation(X * W + b)


@dense.misconception(
    "The biases run along the wrong axis: there is one for each neuron, the same for every example."
)
def bias_for_each_example(X, W, b, activation):
    return activation(X @ W + b[:, None])


@dense.misconception("Your result is transposed: examples are rows and neurons are columns.")
def returns_the_transpose(X, W, b, activation):
    return activation(X @ W + b).T


@dense.misconception("You averaged over the inputs: a neuron adds them up.")
def averages_inputs(X, W, b, activation):
    return activation(X @ W / X.shape[1] + b)


@dense.misconception("The activation ran twice: once is enough, after the bias.")
def activates_twice(X, W, b, activation):
    return activation(activation(X @ W + b))


@dense.misconception("You computed one example only: X holds one in each row.")
def first_example_only(X, W, b, activation):
    return activation(X[0] @ W + b)


@dense.misconception(
    "The table came back as one row: keep a row for each example and a column for each neuron."
)
def flattens(X, W, b, activation):  # noqa: F811
    return activation(X @ W + b).ravel()


@dense.misconception(
    "You fixed the activation inside: use the function that the caller hands over."
)
def always_relu(X, W, b, activation):
    return np.maximum(X @ W + b, 0)


@dense.misconception(
    "Giving b a second name does not copy it, so each example's sums pile up on the biases of the "
    "one before."
)
def accumulates_in_b(X, W, b, activation):
    rows = []
    for x in X:
        z = b
        z += x @ W
        rows.append(activation(z))
    return np.array(rows)


@dense.misconception(
    "A layer with one neuron still has a column for it: your result lost an axis of length 1."
)
def squeezes(X, W, b, activation):
    return np.squeeze(activation(X @ W + b))


bias_turned = NumberQuestion(
    "Two products, 1.8 and −0.8, and a bias of 1 give z = 2, and the sigmoid turns that into "
    "0.88. The bias is changed from 1 to −1.5. What comes out?",
    answer=0.378,
    low=-1,
    high=1,
    step=0.05,
    close=0.1,
    too_low="z is −0.5, a little below 0, but a sigmoid's output is never negative, and it is near "
    "0 only for very negative z.",
    too_high="z falls below 0 with this bias, and from there on the output is below one half.",
    why="z = 1.8 − 0.8 − 1.5 = −0.5, and σ(−0.5) = 0.38: less than half, far from off.",
)

strong_signal = Question(
    "The output of a tanh neuron is −0.99. What does the next layer get?",
    answer="A strong signal, with a minus sign",
    wrong={
        "A suppressed signal, as good as none": "Suppressed means close to 0, and −0.99 is nearly "
        "as far from 0 as tanh can go.",
        "The same as 0, because the sum was negative": "That is the ReLU: it turns every negative "
        "sum into 0, and tanh keeps the sign and the size.",
    },
    why="The next layer multiplies it by its weights, and −0.99 moves those sums as much as 0.99.",
)

times_ten = Question(
    "The weights and the bias are all multiplied by 10. What happens to the line on which the "
    "neuron is undecided?",
    answer="It stays where it is",
    wrong={
        "It moves ten times as far from the origin": "It would if the bias alone grew: the weights "
        "grow too, and both growths cancel.",
        "It moves ten times as close to the origin": "It would if the weights alone grew: the bias "
        "grows too, and both growths cancel.",
        "It turns towards the larger weight": "The direction depends on the ratio of the weights, "
        "and ten times both leaves that ratio.",
    },
    why="The line is where w·x + b = 0, and ten times 0 is 0. What changes is the steepness: the "
    "output turns from 0 to 1 ten times as fast.",
)

corners = NumberQuestion(
    "Four points form a square. Two opposite corners are circles, the other two are triangles. One "
    "line may be drawn, circles on one side and triangles on the other: how many of the four "
    "points can be on the right side at best?",
    answer=3,
    low=0,
    high=4,
    step=1,
    close=0,
    too_low="Put the line across one corner, so that this corner alone is cut off: one point is "
    "wrong, three are right.",
    too_high="Wherever the line has both circles on one side, it has a triangle with them, since "
    "the triangles are on both sides of the line that joins the circles.",
    why="A line can cut off one corner, and then the other one of its kind is on the wrong side. "
    "This is the XOR problem, the most famous thing that one neuron can't do.",
)

no_activation = Question(
    "A network has three layers, and someone removed all activations. Draw its output against one "
    "input: how many straight pieces does the curve have?",
    answer="One",
    wrong={
        "Three, one for each layer": "A layer without an activation only stretches and shifts, and "
        "a stretched straight line has no corner.",
        "One more than it has neurons": "Each neuron adds a corner if it has a ReLU: without an "
        "activation there is nothing that bends.",
    },
    why="A straight line put into a straight line is a straight line again. Without activations, a "
    "hundred layers can do no more than one.",
)

one_output = NumberQuestion(
    "A neuron has the inputs 2 and −1, the weights 0.5 and 3, the bias 1, and a ReLU. What is its "
    "output?",
    answer=0,
    low=-3,
    high=5,
    step=0.5,
    close=0.1,
    too_low="A ReLU has no negative output: −1 is the sum with the bias, which the ReLU turns "
    "into 0.",
    too_high="Each input keeps its sign: 2 · 0.5 − 1 · 3 + 1 is below 0, and what does a ReLU do "
    "then?",
    why="2 · 0.5 = 1 and −1 · 3 = −3; with the bias, 1 − 3 + 1 = −1, and the ReLU gives 0.",
)

ranges = Question(
    "A neuron's output is 3.2. Which activation can it have?",
    answer="ReLU",
    wrong={
        "Sigmoid, if its sum is large enough": "However large the sum is, the sigmoid's output "
        "ends at 1.",
        "tanh, if its weights are large": "Large weights make large sums, and tanh squeezes every "
        "sum between −1 and 1.",
    },
    why="ReLU passes a positive z as it is, so it alone has no upper limit.",
)

what_bias_does = Question(
    "The bias of a neuron grows, and its weights stay. What happens to the line on which it is "
    "undecided?",
    answer="It shifts and keeps its direction",
    wrong={
        "It turns about the origin": "The weights alone set its direction, and they stay.",
        "It stays, and the change across it becomes steeper": "That is what larger weights with a "
        "larger bias do: the bias alone doesn't touch the steepness.",
    },
    why="The line is where w·x = −b: other b, another parallel line.",
)
