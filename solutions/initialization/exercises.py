"""The initialization lesson: points, cases, right answers, misconceptions and questions."""

import math
from itertools import pairwise

import numpy as np

from grader import Exercise, NumberQuestion, Question, case

SMALL = (3, 5), (5, 3), (4, 1), (1, 4), (1, 1)
"""Sizes of layers for cases of shape."""


def _generator(rng):
    return np.random.default_rng(int(rng.integers(2**31)))


init_normal = Exercise(points=2)


@init_normal.cases
def _(rng):
    yield case("distribution", 60, 150, 0.05, _generator(rng))
    yield case("distribution", 9000, 1, 2.0, _generator(rng))
    for fans in SMALL:
        yield case("shape", *fans, 0.1, _generator(rng))


@init_normal.right_answer
def by_scaling(fan_in, fan_out, std, rng):
    """Draws with spread 1 and stretches: the same numbers serve for any std."""
    return std * rng.standard_normal((fan_in, fan_out))


@init_normal.right_answer
def by_opposites(fan_in, fan_out, std, rng):
    return 0.0 - std * rng.standard_normal((fan_in, fan_out))


@init_normal.right_answer
def by_transposing(fan_in, fan_out, std, rng):
    return rng.normal(0, std, size=(fan_out, fan_in)).T


@init_normal.right_answer
def by_reshaping(fan_in, fan_out, std, rng):
    return rng.normal(scale=std, size=fan_in * fan_out).reshape(fan_in, fan_out)


@init_normal.right_answer
def by_rows(fan_in, fan_out, std, rng):
    """Draws one row at a time: the same distribution, with other numbers."""
    return np.stack([rng.normal(0.0, std, fan_out) for _ in range(fan_in)])


@init_normal.right_answer
def by_the_covariance(fan_in, fan_out, std, rng):
    return math.sqrt(std * std) * np.array(
        [[rng.standard_normal() for _ in range(fan_out)] for _ in range(fan_in)]
    )


@init_normal.right_answer
def in_float32(fan_in, fan_out, std, rng):
    W = rng.standard_normal((fan_in, fan_out), dtype=np.float32)
    W *= std
    return W


@init_normal.misconception(
    "Your table has a row for each output: X @ W needs a row for each input."
)
def transposes(fan_in, fan_out, std, rng):
    return rng.normal(0, std, size=(fan_out, fan_in))


@init_normal.misconception(
    "You gave the variance where the generator wants the standard deviation: std goes in as it is, "
    "without a square."
)
def gives_the_variance(fan_in, fan_out, std, rng):
    return rng.normal(0, std**2, size=(fan_in, fan_out))


@init_normal.misconception("You took a root of std: it is a standard deviation already.")
def takes_the_root(fan_in, fan_out, std, rng):
    return rng.normal(0, np.sqrt(std), size=(fan_in, fan_out))


@init_normal.misconception(
    "Your weights have a standard deviation of 1, whatever std says: where do you use std?"
)
def ignores_std(fan_in, fan_out, std, rng):
    return rng.normal(size=(fan_in, fan_out))


@init_normal.misconception("std became the mean: it should spread the numbers, and not shift them.")
def gives_std_as_mean(fan_in, fan_out, std, rng):
    return rng.normal(std, size=(fan_in, fan_out))


@init_normal.misconception(
    "Your numbers are uniform: between two bounds all are equally likely, while normal ones crowd "
    "around 0."
)
def draws_uniform(fan_in, fan_out, std, rng):
    return rng.uniform(-std, std, size=(fan_in, fan_out))


@init_normal.misconception(
    "Your numbers don't come from rng: only those are the same for everyone who uses the same seed."
)
def forgets_rng(fan_in, fan_out, std, rng):
    return np.random.normal(0, std, size=(fan_in, fan_out))


@init_normal.misconception(
    "You made a generator of your own with a fixed seed: every layer would get the same numbers."
)
def seeds_its_own(fan_in, fan_out, std, rng):
    return np.random.default_rng(0).normal(0, std, size=(fan_in, fan_out))


@init_normal.misconception(
    "All your columns are the same, so all neurons start as copies: draw a number for each weight."
)
def repeats_a_column(fan_in, fan_out, std, rng):
    return np.tile(rng.normal(0, std, size=(fan_in, 1)), (1, fan_out))


@init_normal.misconception("All your rows are the same: draw a number for each weight.")
def repeats_a_row(fan_in, fan_out, std, rng):
    return np.tile(rng.normal(0, std, size=fan_out), (fan_in, 1))


@init_normal.misconception("You drew one number for the whole table: draw one for each weight.")
def draws_once(fan_in, fan_out, std, rng):
    return np.full((fan_in, fan_out), rng.normal(0, std))


@init_normal.misconception("Your weights are all zero: then no unit differs from the next.")
def gives_zeros(fan_in, fan_out, std, rng):
    return np.zeros((fan_in, fan_out))


@init_normal.misconception("Your weights are all positive: the centre of the distribution is 0.")
def takes_the_size(fan_in, fan_out, std, rng):
    return np.abs(rng.normal(0, std, size=(fan_in, fan_out)))


@init_normal.misconception("You return a flat row of numbers: the weights of a layer are a table.")
def stays_flat(fan_in, fan_out, std, rng):
    return rng.normal(0, std, size=fan_in * fan_out)


@init_normal.misconception(
    "You divided by a root of fan_in: that comes later, here std alone sets the spread."
)
def scales_by_fan_in(fan_in, fan_out, std, rng):
    return rng.normal(0, std / np.sqrt(fan_in), size=(fan_in, fan_out))


@init_normal.misconception(
    "A call has more arguments than it takes: rng.normal wants a centre, a standard deviation and "
    "the shape as one tuple."
)
def gives_two_sizes(fan_in, fan_out, std, rng):
    return rng.normal(0, std, fan_in, fan_out)


@init_normal.misconception(
    "Your numbers are uniform and none is below 0: normal ones crowd around 0 on both sides."
)
def draws_above_zero(fan_in, fan_out, std, rng):
    return std * rng.random((fan_in, fan_out))


@init_normal.misconception(
    "The larger std is, the closer your numbers lie together: it should be the other way round."
)
def divides_by_std(fan_in, fan_out, std, rng):
    return rng.standard_normal((fan_in, fan_out)) / std


@init_normal.misconception(
    "Your numbers are centred on −std: a normal distribution has a centre and a spread, and no "
    "lower and upper end."
)
def gives_two_ends(fan_in, fan_out, std, rng):
    return rng.normal(-std, std, size=(fan_in, fan_out))


@init_normal.misconception(
    "A single number came back: the generator has to be told the shape of the table."
)
def forgets_the_shape(fan_in, fan_out, std, rng):
    return rng.normal(0, std)


@init_normal.misconception(
    "All your numbers are std itself: it says how far they spread around 0, and not where they lie."
)
def swaps_centre_and_spread(fan_in, fan_out, std, rng):
    return rng.normal(std, 0, size=(fan_in, fan_out))


@init_normal.misconception(
    "Your numbers spread twice as wide as they should: std alone is the standard deviation."
)
def doubles_the_std(fan_in, fan_out, std, rng):
    return rng.normal(0, 2 * std, size=(fan_in, fan_out))


init_xavier_uniform = Exercise(points=2)


@init_xavier_uniform.cases
def _(rng):
    # Neither the sum of the fans nor the smaller or larger one is the same in both.
    yield case("distribution", 95, 95, _generator(rng))
    yield case("distribution", 30, 300, _generator(rng))
    for fans in SMALL:
        yield case("shape", *fans, _generator(rng))


@init_xavier_uniform.right_answer
def by_one_root(fan_in, fan_out, rng):
    bound = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, size=(fan_in, fan_out))


@init_xavier_uniform.right_answer
def from_the_upper_end(fan_in, fan_out, rng):
    bound = math.sqrt(6 / (fan_in + fan_out))
    return bound - 2 * bound * rng.random((fan_in, fan_out))


@init_xavier_uniform.right_answer
def by_stretching(fan_in, fan_out, rng):
    """Draws between 0 and 1, then shifts and stretches."""
    return (2 * rng.random((fan_in, fan_out)) - 1) * np.sqrt(6) / np.sqrt(fan_in + fan_out)


@init_xavier_uniform.right_answer
def by_its_standard_deviation(fan_in, fan_out, rng):
    """Thinks in spreads: a uniform on ±√3 has spread 1, times the wanted one."""
    std = np.sqrt(2 / (fan_in + fan_out))
    return rng.uniform(-np.sqrt(3), np.sqrt(3), size=(fan_out, fan_in)).T * std


@init_xavier_uniform.right_answer
def by_columns(fan_in, fan_out, rng):
    bound = (6 / (fan_in + fan_out)) ** 0.5
    return np.stack([rng.uniform(-bound, bound, fan_in) for _ in range(fan_out)], axis=1)


def _xavier(fan_in, fan_out):
    return math.sqrt(6 / (fan_in + fan_out))


@init_xavier_uniform.misconception(
    "Your table has a row for each output: X @ W needs a row for each input."
)
def xavier_transposed(fan_in, fan_out, rng):
    a = _xavier(fan_in, fan_out)
    return rng.uniform(-a, a, size=(fan_out, fan_in))


@init_xavier_uniform.misconception(
    "Your numbers are normal and have no bound: this one is uniform, equally likely from end to "
    "end."
)
def xavier_normal(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(2 / (fan_in + fan_out)), size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "You drew normal numbers and gave the bound as their spread: a bound and a standard deviation "
    "are two things."
)
def xavier_bound_as_spread(fan_in, fan_out, rng):
    return rng.normal(0, _xavier(fan_in, fan_out), size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Your numbers start at 0: the range reaches as far below it as above."
)
def xavier_one_sided(fan_in, fan_out, rng):
    return rng.uniform(0, _xavier(fan_in, fan_out), size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "The denominator has lost its root, so the range is far too narrow."
)
def xavier_without_the_lower_root(fan_in, fan_out, rng):
    a = math.sqrt(6) / (fan_in + fan_out)
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception("The 6 has its own root in the formula, and yours has none.")
def xavier_without_the_upper_root(fan_in, fan_out, rng):
    a = 6 / math.sqrt(fan_in + fan_out)
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "You took the standard deviation as the bound: the bound of a uniform distribution is larger "
    "than its standard deviation."
)
def xavier_spread_as_bound(fan_in, fan_out, rng):
    a = math.sqrt(2 / (fan_in + fan_out))
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Your bound looks at one of the fans alone: Xavier's looks at both sides of the layer."
)
def xavier_of_inputs(fan_in, fan_out, rng):
    a = math.sqrt(6 / fan_in)
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Your bound looks at one fan only: Xavier's looks at both sides of the layer."
)
def xavier_of_outputs(fan_in, fan_out, rng):
    a = math.sqrt(6 / fan_out)
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception("Both roots of the formula are missing from your bound.")
def xavier_without_roots(fan_in, fan_out, rng):
    a = 6 / (fan_in + fan_out)
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception("You multiplied the two fans: the bound depends on their sum.")
def xavier_of_product(fan_in, fan_out, rng):
    a = math.sqrt(6 / (fan_in * fan_out))
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Only the first fan is in your denominator: the sum of both belongs there, under one root."
)
def xavier_without_brackets(fan_in, fan_out, rng):
    a = math.sqrt(6 / fan_in + fan_out)
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Your numbers don't come from rng: only those are the same for everyone who uses the same seed."
)
def xavier_without_rng(fan_in, fan_out, rng):
    a = _xavier(fan_in, fan_out)
    return np.random.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "You made a generator of your own with a fixed seed: every layer would get the same numbers."
)
def xavier_seeded_inside(fan_in, fan_out, rng):
    a = _xavier(fan_in, fan_out)
    return np.random.default_rng(0).uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "All your columns are the same, so all neurons start as copies: draw a number for each weight."
)
def xavier_column_repeated(fan_in, fan_out, rng):
    a = _xavier(fan_in, fan_out)
    return np.tile(rng.uniform(-a, a, size=(fan_in, 1)), (1, fan_out))


@init_xavier_uniform.misconception(
    "A call has more arguments than it takes: rng.uniform wants a lower end, an upper end and the "
    "shape as one tuple."
)
def xavier_two_sizes(fan_in, fan_out, rng):
    a = _xavier(fan_in, fan_out)
    return rng.uniform(-a, a, fan_in, fan_out)


@init_xavier_uniform.misconception(
    "Your bound is √2 times too large, as if you had halved the sum of the fans: with the 6, the "
    "whole sum is right."
)
def xavier_of_the_mean(fan_in, fan_out, rng):
    a = math.sqrt(6 / ((fan_in + fan_out) / 2))
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Your numbers reach only half as far as they should: the whole range is twice the bound."
)
def xavier_half_as_wide(fan_in, fan_out, rng):
    return _xavier(fan_in, fan_out) * (rng.random((fan_in, fan_out)) - 0.5)


@init_xavier_uniform.misconception(
    "A single number came back: the generator has to be told the shape of the table."
)
def xavier_without_a_shape(fan_in, fan_out, rng):
    a = _xavier(fan_in, fan_out)
    return rng.uniform(-a, a)


@init_xavier_uniform.misconception(
    "You took the root of each fan and added the roots: the fans are added first."
)
def xavier_of_two_roots(fan_in, fan_out, rng):
    a = math.sqrt(6) / (math.sqrt(fan_in) + math.sqrt(fan_out))
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Your numbers are normal and centred on −a: two ends belong to the uniform distribution."
)
def xavier_normal_from_end_to_end(fan_in, fan_out, rng):
    a = _xavier(fan_in, fan_out)
    return rng.normal(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Your bound is the same for every layer: it depends on the numbers of inputs and outputs."
)
def xavier_without_fans(fan_in, fan_out, rng):
    return rng.uniform(-math.sqrt(6), math.sqrt(6), size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Your bound belongs to half the variance: the square of a bound is three times the variance, "
    "and Xavier's variance is 2 / (fan_in + fan_out)."
)
def xavier_of_half_the_variance(fan_in, fan_out, rng):
    a = math.sqrt(3 / (fan_in + fan_out))
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_xavier_uniform.misconception(
    "Your bound is one over the root of the number of inputs: Xavier's looks at both sides of the "
    "layer, and has a 6."
)
def xavier_by_habit(fan_in, fan_out, rng):
    a = 1 / math.sqrt(fan_in)
    return rng.uniform(-a, a, size=(fan_in, fan_out))


init_kaiming_normal = Exercise(points=2)


@init_kaiming_normal.cases
def _(rng):
    yield case("distribution", 30, 300, _generator(rng))
    yield case("distribution", 150, 60, _generator(rng))
    for fans in SMALL:
        yield case("shape", *fans, _generator(rng))


@init_kaiming_normal.right_answer
def kaiming_by_scaling(fan_in, fan_out, rng):
    """Draws with spread 1 and stretches by √2 / √fan_in."""
    return rng.standard_normal((fan_in, fan_out)) * np.sqrt(2) / np.sqrt(fan_in)


@init_kaiming_normal.right_answer
def kaiming_by_scale(fan_in, fan_out, rng):
    return rng.normal(scale=(2 / fan_in) ** 0.5, size=(fan_in, fan_out))


@init_kaiming_normal.right_answer
def kaiming_by_transposing(fan_in, fan_out, rng):
    return np.divide(rng.normal(size=(fan_out, fan_in)), np.sqrt(fan_in / 2)).T


@init_kaiming_normal.right_answer
def kaiming_by_columns(fan_in, fan_out, rng):
    """One neuron at a time: each column is the weights of one neuron."""
    W = np.empty((fan_in, fan_out))
    for unit in range(fan_out):
        W[:, unit] = rng.normal(0, np.sqrt(2 / fan_in), fan_in)
    return W


@init_kaiming_normal.misconception(
    "Your table has a row for each output: X @ W needs a row for each input."
)
def kaiming_transposed(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(2 / fan_in), size=(fan_out, fan_in))


@init_kaiming_normal.misconception(
    "You gave the variance where the generator wants the standard deviation: a root is missing."
)
def kaiming_variance(fan_in, fan_out, rng):
    return rng.normal(0, 2 / fan_in, size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "Only the 2 is under your root: fan_in belongs under it as well."
)
def kaiming_half_a_root(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(2) / fan_in, size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "You used the number of outputs: a neuron's sum has one term for each of its inputs."
)
def kaiming_of_outputs(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(2 / fan_out), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "The 2 is missing: a ReLU halves the mean square, and something has to make up for that."
)
def kaiming_without_the_two(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(1 / fan_in), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "That is the spread of Xavier's: Kaiming's looks at the inputs alone."
)
def kaiming_is_xavier(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(2 / (fan_in + fan_out)), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "Your spread is right, and your numbers are uniform: the contract asks for normal ones."
)
def kaiming_uniform(fan_in, fan_out, rng):
    a = math.sqrt(6 / fan_in)
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "You drew uniform numbers up to the standard deviation: the contract asks for normal ones."
)
def kaiming_narrow_uniform(fan_in, fan_out, rng):
    a = math.sqrt(2 / fan_in)
    return rng.uniform(-a, a, size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "Your weights have a spread of 1: with many inputs the sums grow from layer to layer."
)
def kaiming_not_scaled(fan_in, fan_out, rng):
    return rng.normal(size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "You multiplied where the formula divides: more inputs need smaller weights."
)
def kaiming_upside_down(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(fan_in / 2), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "Your numbers don't come from rng: only those are the same for everyone who uses the same seed."
)
def kaiming_without_rng(fan_in, fan_out, rng):
    return np.random.randn(fan_in, fan_out) * math.sqrt(2 / fan_in)


@init_kaiming_normal.misconception(
    "You made a generator of your own with a fixed seed: every layer would get the same numbers."
)
def kaiming_seeded_inside(fan_in, fan_out, rng):
    return np.random.default_rng(42).normal(0, math.sqrt(2 / fan_in), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "All your columns are the same, so all neurons start as copies: draw a number for each weight."
)
def kaiming_column_repeated(fan_in, fan_out, rng):
    return np.tile(rng.normal(0, math.sqrt(2 / fan_in), size=(fan_in, 1)), (1, fan_out))


@init_kaiming_normal.misconception(
    "Your weights are all positive: the centre of the distribution is 0."
)
def kaiming_all_positive(fan_in, fan_out, rng):
    return np.abs(rng.normal(0, math.sqrt(2 / fan_in), size=(fan_in, fan_out)))


@init_kaiming_normal.misconception(
    "A call has more arguments than it takes: rng.normal wants a centre, a standard deviation and "
    "the shape as one tuple."
)
def kaiming_two_sizes(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(2 / fan_in), fan_in, fan_out)


@init_kaiming_normal.misconception(
    "You counted all weights of the layer: fan_in is the number of inputs of one neuron."
)
def kaiming_of_all_weights(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(2 / (fan_in * fan_out)), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "Only fan_in is under your root: the 2 belongs under it as well."
)
def kaiming_without_the_upper_root(fan_in, fan_out, rng):
    return rng.normal(0, 2 / math.sqrt(fan_in), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "Your spread became the centre: the numbers should lie around 0."
)
def kaiming_as_mean(fan_in, fan_out, rng):
    return rng.normal(math.sqrt(2 / fan_in), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "A single number came back: the generator has to be told the shape of the table."
)
def kaiming_without_a_shape(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(2 / fan_in))


@init_kaiming_normal.misconception(
    "Your spread grows with fan_in: a sum of more terms needs smaller weights to keep its size."
)
def kaiming_times_fan_in(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(2 * fan_in), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "You took the mean of both fans: Kaiming's looks at the inputs alone."
)
def kaiming_of_the_mean(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(4 / (fan_in + fan_out)), size=(fan_in, fan_out))


@init_kaiming_normal.misconception(
    "You gave a uniform distribution's 6 to a normal one: its variance is 2/fan_in by itself."
)
def kaiming_with_a_six(fan_in, fan_out, rng):
    return rng.normal(0, math.sqrt(6 / fan_in), size=(fan_in, fan_out))


layer_scales = Exercise(points=3)


@layer_scales.cases
def _(rng):
    def tables(*sizes):
        return [rng.normal(size=size).round(3) for size in sizes]

    near = {"rtol": 1e-5}  # right in float32 as well
    X, first, second, third = tables((5, 3), (3, 4), (4, 2), (2, 3))
    yield case("value", X, [first, second, third], np.tanh, **near)
    yield case("value", *tables((4, 3)), [first, second], np.abs, **near)
    yield case("value", 1 + X[:2], [first], np.positive, **near)
    yield case("value", X[:, :2], tables((2, 2), (2, 2)), np.tanh, **near)
    for n, *sizes in ((1, 3, 4, 2), (6, 2, 1), (1, 1, 1), (2, 3, 3, 3, 3, 3)):
        weights = tables(*pairwise(sizes))
        yield case("shape", *tables((n, sizes[0])), weights, np.tanh, **near)
    yield case("stability/no layers", X[:2], [], np.tanh)
    yield case("integer", rng.integers(-3, 4, size=(4, 3)), [first, second], np.tanh, **near)
    weights = [np.array([[1, -1], [2, 0]]), np.array([[1], [3]])]
    yield case("integer", np.array([[1, 2], [3, 4]]), weights, np.abs, **near)
    yield case("integer", np.array([[0, 16, 200]], np.uint8), [first, second], np.abs, **near)
    yield case("integer", X > 0, [first, second], np.abs, **near)
    yield case("purity", X, [first, second], np.tanh, **near)
    yield case("purity", X[:3, :2], [np.eye(2), np.eye(2)], np.positive, **near)


def _outputs(X, weights, activation):
    outputs = []
    for W in weights:
        X = activation(X @ W)
        outputs.append(X)
    return outputs


def _rms(values):
    return np.sqrt(np.mean(np.square(values, dtype=float)))


@layer_scales.right_answer
def by_recursion(X, weights, activation):
    if len(weights) == 0:
        return np.zeros(0)
    out = activation(np.matmul(X, weights[0]))
    return np.concatenate([[np.sqrt((out**2).mean())], by_recursion(out, weights[1:], activation)])


@layer_scales.right_answer
def by_norm(X, weights, activation):
    return np.array(
        [np.linalg.norm(out) / math.sqrt(out.size) for out in _outputs(X, weights, activation)],
        dtype=float,
    )


@layer_scales.right_answer
def by_filling(X, weights, activation):
    """Makes room for the scales first, then fills it layer by layer."""
    scales, signal = np.zeros(len(weights)), np.array(X, dtype=float)
    for i, W in enumerate(weights):
        signal = activation(signal @ W)
        scales[i] = np.average(signal.ravel() ** 2) ** 0.5
    return scales


@layer_scales.right_answer
def by_mean_and_spread(X, weights, activation):
    return np.array(
        [math.hypot(out.mean(), out.std()) for out in _outputs(X, weights, activation)]
    ).reshape(-1)


@layer_scales.right_answer
def by_a_list(X, weights, activation):
    return np.asarray([float(_rms(out)) for out in _outputs(X, weights, activation)], dtype=float)


@layer_scales.right_answer
def by_loops_in_float32(X, weights, activation):
    scales, signal = np.empty(len(weights)), np.asarray(X, np.float32)
    for i, W in enumerate(weights):
        signal = activation(np.einsum("ni,io->no", signal, W.astype(np.float32)))
        total = 0.0
        for number in signal.flat:
            total += float(number) ** 2
        scales[i] = math.sqrt(total / signal.size)
    return scales


@layer_scales.misconception(
    "You took the standard deviation, which leaves the mean out: the root mean square counts the "
    "whole signal."
)
def takes_std(X, weights, activation):
    return np.array([out.std() for out in _outputs(X, weights, activation)])


@layer_scales.misconception(
    "You took the mean of the absolute values: square first, then the mean, then the root."
)
def takes_mean_size(X, weights, activation):
    return np.array([np.abs(out).mean() for out in _outputs(X, weights, activation)])


@layer_scales.misconception("The root is missing at the end: what you have is the mean square.")
def forgets_the_root(X, weights, activation):
    return np.array([np.mean(out**2) for out in _outputs(X, weights, activation)])


@layer_scales.misconception(
    "You took the root of a sum: with a mean the scale does not grow with the number of examples."
)
def forgets_the_mean(X, weights, activation):
    return np.array([np.sqrt(np.sum(out**2)) for out in _outputs(X, weights, activation)])


@layer_scales.misconception("You averaged before you squared, so plus and minus cancelled out.")
def squares_the_mean(X, weights, activation):
    return np.array([abs(out.mean()) for out in _outputs(X, weights, activation)])


@layer_scales.misconception(
    "No activation was used: a layer's output is what comes out of its activation."
)
def forgets_the_activation(X, weights, activation):
    return np.array([_rms(out) for out in _outputs(X, weights, np.positive)])


@layer_scales.misconception(
    "You measured before the activation: the next layer sees what comes after it."
)
def measures_too_early(X, weights, activation):
    scales = []
    for W in weights:
        Z = X @ W
        scales.append(_rms(Z))
        X = activation(Z)
    return np.array(scales, dtype=float)


@layer_scales.misconception(
    "You passed on the sums without their activation: the next layer sees what comes after it."
)
def passes_on_sums(X, weights, activation):
    scales = []
    for W in weights:
        X = X @ W
        scales.append(_rms(activation(X)))
    return np.array(scales, dtype=float)


@layer_scales.misconception("You measured the input as well: there is one number for each layer.")
def measures_the_input(X, weights, activation):
    return np.array([_rms(X), *(_rms(out) for out in _outputs(X, weights, activation))])


@layer_scales.misconception(
    "You return the scale of the last layer alone: keep one number for each layer on the way."
)
def last_layer_only(X, weights, activation):
    outputs = _outputs(X, weights, activation)
    return np.array([_rms(outputs[-1])]) if outputs else np.zeros(0)


@layer_scales.misconception("Your numbers are in reverse order: the first layer comes first.")
def reverses(X, weights, activation):
    return np.array([_rms(out) for out in _outputs(X, weights, activation)][::-1])


@layer_scales.misconception(
    "Without layers the list is empty and has no first entry: which line of yours needs one, and "
    "what is the answer then?"
)
def needs_a_layer(X, weights, activation):
    out = activation(X @ weights[0])
    scales = [_rms(out)]
    for W in weights[1:]:
        out = activation(out @ W)
        scales.append(_rms(out))
    return np.array(scales)


@layer_scales.misconception(
    "You have one number for each neuron: a layer's scale is taken over all its numbers."
)
def one_for_each_neuron(X, weights, activation):
    outputs = _outputs(X, weights, activation)
    return (
        np.concatenate([np.sqrt(np.mean(out**2, axis=0)) for out in outputs])
        if outputs
        else np.zeros(0)
    )


@layer_scales.misconception(
    "You divided by the number of examples alone: the mean is over all numbers of the layer's "
    "output."
)
def divides_by_examples(X, weights, activation):
    return np.array(
        [np.sqrt(np.sum(out**2) / len(out)) for out in _outputs(X, weights, activation)]
    )


@layer_scales.misconception(
    "Not every layer of yours works on the output of the layer before it: pass that output on in "
    "every round."
)
def never_passes_on(X, weights, activation):
    scales = []
    for W in weights:
        scales.append(_rms(activation(X @ W)))
        X = np.asarray(X, float)
        X = X if X.shape[1] == W.shape[1] else activation(X @ W)
    return np.array(scales, dtype=float)


@layer_scales.misconception(
    "You transposed the weights: examples are rows, so the product is X @ W as it stands."
)
def transposes_the_weights(X, weights, activation):
    return np.array(
        [_rms(out) for out in _outputs(X, [W.T for W in weights], activation)], dtype=float
    )


@layer_scales.misconception(
    "Every layer of yours multiplies the first input: after the first layer, the signal is what "
    "the activation returned."
)
def starts_over_with_the_input(X, weights, activation):
    return np.array([_rms(activation(X @ W)) for W in weights], dtype=float)


@layer_scales.misconception(
    "You took the mean of the outputs, where plus and minus cancel: a size needs squares first."
)
def takes_the_mean(X, weights, activation):
    return np.array([out.mean() for out in _outputs(X, weights, activation)], dtype=float)


@layer_scales.misconception(
    "Only the first layer was measured: does your function return in the first round of the loop?"
)
def returns_in_the_loop(X, weights, activation):
    return np.array([_rms(out) for out in _outputs(X, weights[:1], activation)], dtype=float)


@layer_scales.misconception(
    "The * multiplies entry by entry: a layer's weighted sums are a matrix product."
)
def multiplies_entries(X, weights, activation):
    scales = []
    for W in weights:
        X = activation(X * W)
        scales.append(_rms(X))
    return np.array(scales, dtype=float)


@layer_scales.misconception(
    "You measured what each layer is given: its scale is the size of what it puts out."
)
def measures_each_input(X, weights, activation):
    scales = []
    for W in weights:
        scales.append(_rms(X))
        X = activation(X @ W)
    return np.array(scales, dtype=float)


@layer_scales.misconception(
    "You have one number for each example: a layer's scale is taken over all its numbers."
)
def one_for_each_example(X, weights, activation):
    outputs = _outputs(X, weights, activation)
    return np.array([np.sqrt(np.mean(out**2, axis=1)) for out in outputs])


@layer_scales.misconception("You return a list: an array (L,) is wanted.")
def returns_a_list(X, weights, activation):
    return [float(_rms(out)) for out in _outputs(X, weights, activation)]


@layer_scales.misconception(
    "You took the largest number of each layer: a root mean square takes all of them into account."
)
def takes_the_largest(X, weights, activation):
    return np.array([np.abs(out).max() for out in _outputs(X, weights, activation)], dtype=float)


@layer_scales.misconception(
    "You divided by the size of the input: the size of each output itself is asked for."
)
def divides_by_the_input(X, weights, activation):
    scales = [_rms(out) / _rms(X) for out in _outputs(X, weights, activation)]
    return np.array(scales, dtype=float)


@layer_scales.misconception(
    "You changed the list weights or an array in it: the caller still needs them as they were."
)
def empties_the_list(X, weights, activation):
    scales = []
    while weights:
        X = activation(X @ weights.pop(0))
        scales.append(_rms(X))
    return np.array(scales, dtype=float)


@layer_scales.misconception(
    "You measured the first example alone: the mean goes over all numbers of all examples."
)
def measures_the_first_row(X, weights, activation):
    return np.array([_rms(out[0]) for out in _outputs(X, weights, activation)], dtype=float)


n_distinct_units = Exercise(points=2)


@n_distinct_units.cases
def _(rng):
    W = rng.normal(size=(3, 4)).round(3)
    b = rng.normal(size=4).round(3)
    clones = W[:, [0, 1, 0, 2, 0]]
    yield case("value", W, b)
    yield case("value", clones, b[[0, 1, 0, 2, 0]])
    yield case("value", clones, b[[0, 1, 3, 2, 0]])
    for fan_in in (1, 2, 4, 6):
        unit = rng.uniform(0.5, 2, size=fan_in + 1).round(3)
        # Each of these differs from the unit; in one number, in all signs, or it moved some along.
        one_by_one = unit + np.eye(fan_in + 1)
        moved = unit + np.append(np.ones(fan_in), -1)
        biased = unit + np.append(np.zeros(fan_in), 2)
        units = np.array([unit, *one_by_one, -unit, unit, moved, biased, biased, 2 * unit]).T
        yield case("value", units[:-1], units[-1])
    yield case("value", np.zeros((2, 5)), np.zeros(5))
    yield case("value", np.zeros((2, 4)), np.array([1.0, 2.0, 1.0, 3.0]))
    yield case("value", np.full((3, 6), 0.5), np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0]))
    yield case("value", np.array([[1.0, 2.0], [2.0, 1.0]]), np.zeros(2))
    yield case("value", np.array([[1.0, np.nextafter(1.0, 2.0), 1 + 1e-6]]), np.zeros(3))
    yield case("value", np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 3.0], [1.0, 1.0, 1.0]]), np.ones(3))
    for size in ((3, 1), (1, 3), (1, 1)):
        yield case("shape", rng.normal(size=size).round(3), np.zeros(size[1]))
    yield case("integer", np.array([[1, 2, 1], [3, 4, 3]]), np.array([0, 0, 0]))
    yield case("integer", np.array([[0, 200, 200, 56]], np.uint8), np.array([1, 2, 2, 2], np.uint8))
    yield case("integer", np.array([[True, False, True]]), np.array([-1, 0, -1]))
    yield case("purity", clones, b[[0, 1, 0, 2, 0]])


@n_distinct_units.right_answer
def by_a_set(W, b):
    """A set keeps one of each: turn a neuron into a tuple, and count."""
    return len({(*column, bias) for column, bias in zip(W.T.tolist(), b.tolist(), strict=True)})


@n_distinct_units.right_answer
def by_unique_columns(W, b):
    """numpy finds the distinct columns, once the bias is one more row."""
    return int(np.unique(np.vstack([W, b]), axis=1).shape[1])


@n_distinct_units.right_answer
def by_unique_rows(W, b):
    return len(np.unique(np.column_stack([W.T, b]), axis=0))


@n_distinct_units.right_answer
def by_comparing_all(W, b):
    """Compares each neuron with all before it: no trick, and slow for many."""
    units = [np.append(W[:, i], b[i]) for i in range(W.shape[1])]
    return sum(
        not any(np.array_equal(unit, other) for other in units[:i]) for i, unit in enumerate(units)
    )


@n_distinct_units.right_answer
def by_sorting(W, b):
    units = np.concatenate([W, b[None]]).astype(float)
    units = units[:, np.lexsort(units)]
    return 1 + np.any(units[:, 1:] != units[:, :-1], axis=0).sum()


@n_distinct_units.misconception(
    "You looked at the weights alone: two neurons with the same weights and different biases are "
    "two."
)
def ignores_biases(W, b):
    return len(np.unique(W, axis=1).T)


@n_distinct_units.misconception(
    "You looked at the biases alone: a neuron is its column of weights and its bias."
)
def ignores_weights(W, b):
    return len(np.unique(b))


@n_distinct_units.misconception("You compared rows: the weights of a neuron are a column.")
def compares_rows(W, b):
    return len(np.unique(W, axis=0))


@n_distinct_units.misconception(
    "You counted different numbers: compare whole neurons, each with all its weights."
)
def counts_numbers(W, b):
    return len(np.unique(np.vstack([W, b])))


@n_distinct_units.misconception("You counted all neurons: those that are the same count once.")
def counts_all(W, b):
    return W.shape[1]


@n_distinct_units.misconception(
    "You counted those that are repeats: the question is how many different ones there are."
)
def counts_repeats(W, b):
    return W.shape[1] - len(np.unique(np.vstack([W, b]), axis=1).T)


@n_distinct_units.misconception(
    "You left out neurons that have a copy: a group of copies still is one neuron."
)
def counts_singles(W, b):
    _, counts = np.unique(np.vstack([W, b]), axis=1, return_counts=True)
    return int(np.sum(counts == 1))


@n_distinct_units.misconception("You compared neighbours: copies may be anywhere in the layer.")
def compares_neighbours(W, b):
    units = np.vstack([W, b])
    return 1 + int(np.sum(np.any(units[:, 1:] != units[:, :-1], axis=0)))


@n_distinct_units.misconception(
    "You compared sums: (1, 2) and (2, 1) have the same sum and are different neurons."
)
def compares_sums(W, b):
    return len(np.unique(np.round(W.sum(axis=0) + b, 9)))


@n_distinct_units.misconception(
    "You counted weights and biases apart from each other: a neuron is a pair of both."
)
def multiplies_counts(W, b):
    return len(np.unique(W, axis=1).T) * len(np.unique(b))


@n_distinct_units.misconception(
    "You counted neurons that are close as the same: here they are the same only if all their "
    "numbers are equal, to the last digit."
)
def rounds_first(W, b):
    return len(np.unique(np.round(np.vstack([W, b]), 3), axis=1).T)


@n_distinct_units.misconception(
    "You took the rank: it counts independent directions, and different neurons may depend on each "
    "other."
)
def takes_the_rank(W, b):
    return int(np.linalg.matrix_rank(np.vstack([W, b])))


@n_distinct_units.misconception(
    "You compared with the first neuron only: others may be copies of each other."
)
def compares_with_the_first(W, b):
    units = np.vstack([W, b])
    return 1 + int(np.sum(np.any(units[:, 1:] != units[:, :1], axis=0)))


@n_distinct_units.misconception(
    "The number should come back alone, and you return the neurons themselves."
)
def returns_the_units(W, b):
    return np.unique(np.vstack([W, b]), axis=1)


@n_distinct_units.misconception(
    "A value in your code has the wrong type for its use: a set, for example, takes tuples of "
    "numbers, but neither lists nor arrays."
)
def puts_arrays_into_a_set(W, b):
    return len({*np.vstack([W, b]).T})


@n_distinct_units.misconception(
    "b has one axis and W has two, so they can't be joined as they are: b has to become one more "
    "row."
)
def joins_a_row_and_a_table(W, b):
    return len(np.unique(np.concatenate([W, b]), axis=1).T)


@n_distinct_units.misconception(
    "You compared the rows of the table with the biases below: a unit is a column of it."
)
def compares_rows_of_both(W, b):
    return len(np.unique(np.vstack([W, b]), axis=0))


@n_distinct_units.misconception(
    "You counted pairs of units: the question is how many different units there are."
)
def counts_pairs(W, b):
    units = np.vstack([W, b])
    return int((units[:, :, None] == units[:, None, :]).all(axis=0).sum())


@n_distinct_units.misconception(
    "You return the number in a list or an array: one whole number is asked for."
)
def packs_the_number(W, b):
    return [by_a_set(W, b)]


@n_distinct_units.misconception(
    "You compared with a tolerance: here units are the same only if all their numbers are equal, "
    "to the last digit."
)
def allows_a_tolerance(W, b):
    units = []
    for unit in np.vstack([W, b]).T:
        if not any(np.allclose(unit, other, rtol=1e-9) for other in units):
            units.append(unit)
    return len(units)


@n_distinct_units.misconception(
    "You compared which numbers a unit has, in any order: which of them belongs to which input "
    "counts as well."
)
def sorts_the_numbers(W, b):
    return len({tuple(sorted(unit)) for unit in np.vstack([W, b]).T.tolist()})


@n_distinct_units.misconception(
    "You added the biases to the weights: different units may have the same sums."
)
def adds_the_biases(W, b):
    return len(np.unique(W + b, axis=1).T)


@n_distinct_units.misconception(
    "You looked at one weight and the bias: all weights of a unit count."
)
def looks_at_the_first_weight(W, b):
    return len({*zip(W[0].tolist(), b.tolist(), strict=True)})


@n_distinct_units.misconception(
    "You ignored the signs: a weight of −1 does the opposite of a weight of 1."
)
def forgets_the_signs(W, b):
    return len(np.unique(np.abs(np.vstack([W, b])), axis=1).T)


@n_distinct_units.misconception(
    "You changed W, and the caller still needs it: np.sort and np.unique make new arrays."
)
def sorts_in_place(W, b):
    count = len(np.unique(np.vstack([W, b]), axis=1).T)
    W.sort(axis=1)
    return count


slope_of_weight = Question(
    "From the loss, the slope −2 arrives at the sum of a neuron. What is the slope of the weight "
    "whose input is 3?",
    answer="−6",
    wrong={
        "−2": "That is the slope of the bias, whose factor is 1; a weight's factor is its input.",
        "1": "Slopes on one path multiply; only separate paths add.",
        "3": "The input is the last factor alone; what arrives from the loss is a factor as well.",
    },
    why="The weight's slope is what arrives at the sum, −2, times the weight's own input, 3.",
)

layer_is_dense = Question(
    "W has the shape (6, 4). How many neurons does the layer have?",
    answer="4",
    wrong={
        "6": "There is a row for each input; neurons are columns.",
        "24": "That counts the weights: each of the neurons has six of them.",
    },
    why="W has a column for each neuron and a row for each input.",
)

zero_tanh = Question(
    "A network with one hidden layer of tanh starts with all weights and biases at zero. Which of "
    "them move at the first step of training?",
    answer="Only the output's bias",
    wrong={
        "All of them, by the same amount": (
            "A weight moves only if its slope is not 0, and most of these slopes have a factor 0."
        ),
        "None of them": (
            "The output's bias is added after all the zeros, with the factor 1: its slope is the "
            "error."
        ),
        "The output weights and the output's bias": (
            "The slope of an output weight has the output of its hidden unit as a factor, and "
            "tanh(0) is 0."
        ),
    },
    why=(
        "The hidden outputs are tanh(0) = 0, so the slopes of the output weights are 0; the output "
        "weights are 0, so nothing gets back to the hidden layer."
    ),
)

outputs_differ = NumberQuestion(
    "Four hidden units start as copies: all their weights and biases are 0.5. Only their output "
    "weights are random. How many different units does n_distinct_units count after one step?",
    answer=4,
    low=0,
    high=4,
    step=1,
    close=0,
    too_low=(
        "The error comes back through each unit's own output weight, and these differ from the "
        "start."
    ),
    too_high="There are only four units.",
    why=(
        "Each unit gets another gradient, so all four move apart. Copies stay copies only if they "
        "agree on both sides: in their own weights, and in the output weights."
    ),
)

spread_of_sampler = NumberQuestion(
    "Numbers are drawn uniformly between −1 and 1: all are equally likely. What is their standard "
    "deviation?",
    answer=0.577,
    low=0.1,
    high=1.2,
    step=0.02,
    close=0.06,
    too_low=(
        "Their mean distance from 0 is 0.5, and a standard deviation is more, as squares give the "
        "far ones more weight."
    ),
    too_high="No number is beyond 1 and most are well inside, so the typical one is closer to 0.",
    why=(
        "The mean of their squares is 1/3, and its root is 1/√3, about 0.58. For a bound a the "
        "standard deviation is a/√3."
    ),
)

deep_relu = NumberQuestion(
    "A signal of size 1 goes through 20 ReLU layers of 32 neurons, with weights of standard "
    "deviation 1. How large is it at the end, as a power of ten? 0 means 1, and 3 means 1,000.",
    answer=12,
    low=-12,
    high=20,
    step=1,
    close=1,
    too_low="Each sum has 32 terms, so a layer enlarges the signal, and 20 factors multiply.",
    too_high=(
        "Each layer multiplies by less than √32, about 5.7, as ReLU takes away half of the squares."
    ),
    why=(
        "A layer multiplies the size by about √(32/2) = 4, and 4²⁰ is about 10¹². A single draw "
        "often ends a little lower."
    ),
)

tanh_backward = Question(
    "The same 20 layers with tanh, again with weights of standard deviation 1. At the end most "
    "outputs are close to −1 or 1, where tanh is flat. What becomes of a gradient on its way back "
    "through all 20?",
    answer="It grows",
    wrong={
        "It vanishes": (
            "The flat neurons pass on next to nothing, but some neurons are not flat, and the "
            "large weights multiply what these pass on."
        ),
        "It keeps its size": (
            "Its size would stay only if weights and slopes balanced each other in every layer."
        ),
        "It can't exceed 1, like the outputs": (
            "tanh limits its outputs; slopes and weights multiply, and nothing limits that product."
        ),
    },
    why=(
        "The weights are factors too. The few neurons with a slope are enough for each layer to "
        "enlarge the gradient, more than 10,000 times in all."
    ),
)

first_loss = NumberQuestion(
    "A network for the ten digits has learned nothing, and gives each digit about the same "
    "probability. What is its mean cross-entropy?",
    answer=2.303,
    low=0,
    high=10,
    step=0.1,
    close=0.21,
    too_low="So low a loss means that the right digit already gets more than one tenth.",
    too_high="So high a loss means that the network is sure, and sure of wrong digits.",
    why="Each of the ten gets about one tenth, and −ln(1/10) = ln 10, about 2.303.",
)

kaiming_of_fifty = Question(
    "A ReLU layer has 50 inputs and 200 neurons. Which standard deviation does Kaiming give its "
    "weights?",
    answer="0.2",
    wrong={
        "0.1": "That counts the 200 neurons; a sum in this layer has 50 terms.",
        "0.04": "That is the variance, 2/50; the standard deviation is its root.",
        "0.14": "That is 1/√50, which leaves out that ReLU halves the mean square.",
    },
    why="√(2/50) = √0.04 = 0.2.",
)

limit_of_rate = Question(
    "The largest curvature of a loss doubles. What happens to the largest stable learning rate?",
    answer="It halves",
    wrong={
        "It doubles": "In a sharper bowl the same step jumps further up the other side.",
        "It stays": "Steps overshoot sooner where the slope changes faster.",
    },
    why="The limit is 2 divided by the largest curvature.",
)

half_the_probability = Question(
    "A classifier now gives the right class half the probability that it gave before. What happens "
    "to the cross-entropy of this example?",
    answer="It grows by ln 2, about 0.69",
    wrong={
        "It doubles": "A logarithm turns a factor of the probability into a term that is added.",
        "It grows by 0.5": (
            "The loss is no distance from 1; it is the negative logarithm of the probability."
        ),
    },
    why="−ln(p/2) = −ln p + ln 2, whatever p was.",
)
