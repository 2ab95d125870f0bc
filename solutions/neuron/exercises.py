"""The neuron lesson: points, cases, right answers, misconceptions and questions."""

import math

import numpy as np

from grader import Exercise, Question, case

weighted_sum = Exercise(points=2)


@weighted_sum.cases
def _(rng):
    for d in (3, 1, 6):
        x, w = rng.normal(0, 2, size=(2, d)).round(3)
        yield case("value", x, w, round(rng.normal(), 3))
    x, w = rng.normal(size=(2, 4)).round(3)
    yield case("value", x, w, 0.0)
    yield case("shape", x, w, 0.5)
    yield case(
        "integer", rng.integers(-5, 6, size=4), rng.integers(1, 6, size=4), int(rng.integers(1, 4))
    )
    yield case("purity", x, w, 1.5)
    yield case("error", x, w[:3], 0.5, raises=ValueError)
    yield case("error", x[:3], w, 0.5, raises=ValueError)
    yield case("error", x, w[:1], 0.5, raises=ValueError)


@weighted_sum.right_answer
def by_dot_product(x, w, b):
    return np.dot(x, w) + b


@weighted_sum.right_answer
def by_strict_zip(x, w, b):
    return sum(float(xi) * float(wi) for xi, wi in zip(x, w, strict=True)) + b


@weighted_sum.right_answer
def by_inner_product(x, w, b):
    return b + np.inner(w, x)


@weighted_sum.right_answer
def by_loop(x, w, b):
    if len(x) != len(w):
        raise ValueError("as many weights as inputs, please")
    total = b
    for i in range(len(x)):
        total = total + x[i] * w[i]
    return total


@weighted_sum.right_answer
def by_products(x, w, b):
    x, w = np.asarray(x), np.asarray(w)
    if x.shape != w.shape:
        raise ValueError
    return (x * w).sum() + b


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
    "That is already the activation: here the neuron stops after the sum and the bias."
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


sigmoid = Exercise(points=3)


@sigmoid.cases
def _(rng):
    yield case("value", rng.normal(0, 2, size=5).round(3))
    yield case("value", np.array([-6.0, -1.0, 0.0, 1.0, 6.0]))
    yield case("shape", rng.normal(size=(2, 3)).round(3))
    yield case("shape", round(rng.normal(), 3))
    yield case("integer", rng.integers(-3, 4, size=6))
    yield case("integer", int(rng.integers(1, 4)))
    yield case("stability", np.array([-1000.0, -40.0, -20.0, 20.0, 40.0, 1000.0]))
    yield case("quiet", np.array([-1000.0, 0.0, 1000.0]))
    yield case("purity", rng.normal(size=4).round(3))


@sigmoid.right_answer
def by_tanh(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))


@sigmoid.right_answer
def by_logaddexp(z):
    return np.exp(-np.logaddexp(0, -np.asarray(z, float)))


@sigmoid.right_answer
def by_clipping(z):
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


@sigmoid.right_answer
def by_masks(z):
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


@sigmoid.misconception(
    "The values are right, but e to the power 1000 does not fit into a float, and numpy warns: "
    "which exponents never get large, whatever the sign of z?"
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
    "Division comes before addition, so your 1/1 was taken first: put the whole denominator in "
    "parentheses."
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
    "z may be a single number, which has no places to index: what turns any input into an array "
    "first?"
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


@sigmoid.misconception(
    "You cut z off so early that the largest outputs are visibly below 1: choose a limit at which "
    "the curve is flat."
)
def clips_too_early(z):
    return 1 / (1 + np.exp(-np.clip(z, -10, 10)))


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
    yield case("value", rng.normal(0, 3, size=6).round(3))
    yield case("value", np.array([-1000.0, -2.5, 0.0, 0.5, 1.0, 1000.0]))
    yield case("shape", rng.normal(size=(2, 3)).round(3))
    yield case("shape", round(rng.uniform(-2, -1), 3))
    yield case("shape", round(rng.uniform(1, 2), 3))
    yield case("dtype", rng.normal(size=5).round(3).astype(np.float32))
    yield case("integer", rng.integers(-4, 5, size=6))
    yield case("stability/NaN passes through", np.array([np.nan, -1.0, 2.0]))
    yield case("purity", np.array([-1.5, 0.5, *rng.normal(size=3).round(3)]))
    yield case("purity", rng.uniform(0.5, 1.5, size=3).round(3))


@relu.right_answer
def by_where(z):
    return np.where(np.less(z, 0), 0, z)


@relu.right_answer
def by_clip(z):
    return np.clip(z, 0, None)


@relu.right_answer
def by_mask(z):
    return z * (np.asarray(z) > 0)


@relu.right_answer
def by_half_of_both(z):
    z = np.asarray(z)
    return (z + np.abs(z)) / 2


@relu.right_answer
def by_copy(z):
    out = np.array(z)
    out[out < 0] = 0
    return out


@relu.misconception(
    "NaN became 0: a comparison with NaN is always false, so which branch does it fall into?"
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
    "A little of the negative side leaks through: that is the leaky ReLU, and here a negative z "
    "gives exactly 0."
)
def leaks(z):
    z = np.asarray(z)
    return np.where(z < 0, 0.01 * z, z).astype(z.dtype if z.dtype.kind == "f" else float)


@relu.misconception(
    "You dropped the negative numbers: the result has the shape of z, with a 0 in their places."
)
def drops_negatives(z):
    z = np.asarray(z)
    return z[~(z < 0)]


@relu.misconception("Your output ends at 1: a ReLU has no upper limit.")
def caps_at_one(z):
    return np.clip(z, 0, 1)


@relu.misconception("float32 became float64 on the way, twice the memory: which step set the type?")
def widens_to_float64(z):
    return np.maximum(np.asarray(z, dtype=np.float64), 0)


@relu.misconception(
    "np.max looks for the largest number along an axis: here each number is compared with 0 on its "
    "own."
)
def takes_the_largest(z):
    return np.max(z, 0)


@relu.misconception(
    "The sign of z is turned round: positive signals should pass, negative ones not."
)
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


dense = Exercise(points=3)


@dense.cases
def _(rng):
    X, W, b = (
        rng.normal(size=(4, 3)).round(3),
        rng.normal(size=(3, 2)).round(3),
        rng.normal(size=2).round(3),
    )
    yield case("value", X, W, b, np.tanh)
    yield case("value", X, W, b, np.positive)
    yield case(
        "value",
        rng.normal(size=(3, 3)).round(3),
        rng.normal(size=(3, 3)).round(3),
        rng.normal(size=3).round(3),
        np.sin,
    )
    yield case(
        "value",
        rng.normal(size=(2, 5)).round(3),
        rng.normal(size=(5, 4)).round(3),
        rng.normal(size=4).round(3),
        np.arctan,
    )
    yield case(
        "shape",
        rng.normal(size=(1, 3)).round(3),
        rng.normal(size=(3, 4)).round(3),
        rng.normal(size=4).round(3),
        np.tanh,
    )
    yield case(
        "shape",
        rng.normal(size=(5, 2)).round(3),
        rng.normal(size=(2, 1)).round(3),
        rng.normal(size=1).round(3),
        np.tanh,
    )
    yield case(
        "integer",
        rng.integers(-3, 4, size=(2, 3)),
        rng.integers(1, 4, size=(3, 2)),
        rng.integers(1, 4, size=2),
        np.tanh,
    )
    yield case("purity", X[:1], W, b, np.tanh)


@dense.right_answer
def by_einsum_and_add(X, W, b, activation):
    return activation(np.einsum("ni,io->no", X, W) + b)


@dense.right_answer
def by_rows(X, W, b, activation):
    return np.array([activation(np.dot(x, W) + b) for x in X])


@dense.right_answer
def by_neurons(X, W, b, activation):
    return np.stack([activation(X @ W[:, j] + b[j]) for j in range(W.shape[1])], axis=1)


@dense.right_answer
def by_transposes(X, W, b, activation):
    return activation((W.T @ X.T).T + np.reshape(b, (1, -1)))


@dense.right_answer
def by_a_column_of_ones(X, W, b, activation):
    ones = np.ones((len(X), 1))
    return activation(np.hstack([X, ones]) @ np.vstack([W, b]))


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
    "W is turned round: row i of W belongs to input i, and column j to neuron j, so which axis of "
    "X meets which of W?"
)
def transposes_w(X, W, b, activation):
    return activation(X @ W.T + b)


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


@dense.misconception("Your result is turned round: examples are rows and neurons are columns.")
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


bias_turned = Question(
    "Two products, 1.8 and −0.8, and a bias of 1 give z = 2, and the sigmoid makes 0.88 of it. "
    "The bias turns from 1 to −1. What comes out?",
    ("−0.88", "0", "0.5"),
    answer="0.5",
    why=(
        "z = 1.8 − 0.8 − 1 = 0, and the sigmoid of 0 is 0.5: half-way, not off. Its output is "
        "never negative and never quite 0."
    ),
)

times_ten = Question(
    "The weights and the bias are all multiplied by 10. What happens to the line on which the "
    "neuron is undecided?",
    ("It stays where it is", "It moves ten times as far from the origin", "It turns"),
    answer="It stays where it is",
    why=(
        "The line is where w·x + b = 0, and ten times 0 is 0. What changes is the steepness: the "
        "output turns from 0 to 1 ten times as fast."
    ),
)

no_activation = Question(
    "A network has three layers, and someone removed all activations. Draw its output against one "
    "input: how many straight pieces does the curve have?",
    ("One", "Three", "As many as it has neurons"),
    answer="One",
    why=(
        "A straight line put into a straight line is a straight line again. Without activations, "
        "a hundred layers can do no more than one."
    ),
)

ranges = Question(
    "A neuron's output is 3.2. Which activation can it have?",
    ("Sigmoid", "tanh", "ReLU"),
    answer="ReLU",
    why=(
        "ReLU passes a positive z as it is, from 0 up without a limit. Sigmoid stays between 0 "
        "and 1, tanh between −1 and 1."
    ),
)

strong_signal = Question(
    "The output of a tanh neuron is −0.99. What does the next layer get?",
    (
        "A strong signal, with a minus sign",
        "A suppressed signal, as good as none",
        "An error: outputs can't be negative",
    ),
    answer="A strong signal, with a minus sign",
    why=(
        "Suppressed means close to 0. −0.99 is nearly as far from 0 as tanh can go, and the next "
        "layer's weights multiply it."
    ),
)

what_bias_does = Question(
    "The bias of a neuron grows, and its weights stay. What happens to the line on which it is "
    "undecided?",
    ("It shifts, in the same direction as before", "It tilts", "Nothing: only weights move it"),
    answer="It shifts, in the same direction as before",
    why=(
        "The weights set the direction of the line and how sharp the change is, the bias shifts "
        "it back and forth."
    ),
)
