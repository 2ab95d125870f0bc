"""The capstone: points, cases, right answers, misconceptions and questions."""

import copy
import math
from functools import partial
from itertools import pairwise

import numpy as np

from grader import Exercise, NumberQuestion, Question, case
from playground.functions import blocks


def _layers(rng, *sizes):
    return [
        (rng.normal(size=(a, b)).round(3), rng.normal(size=b).round(3)) for a, b in pairwise(sizes)
    ]


forward = Exercise(points=3)


@forward.cases
def _(rng):
    def network(n, *sizes):
        return rng.normal(size=(n, sizes[0])).round(3), _layers(rng, *sizes)

    near = {"rtol": 1e-5, "atol": 1e-5}  # right in float32 as well
    yield case("value", *network(4, 3, 5, 2), np.tanh, **near)
    yield case("value", *network(2, 3, 2, 4, 2), np.abs, **near)
    yield case("value", *network(2, 2, 2, 2, 2), np.tanh, **near)
    yield case("value", *network(4, 2, 3), np.abs, **near)
    for scale, *sizes in ((100, 1, 3, 2, 1), (-1, 5, 1, 3), (0.01, 1, 1, 1), (1, 7, 2, 3, 2, 1)):
        X, layers = network(*sizes)
        yield case("shape", scale * np.abs(X), layers, np.tanh, **near)
    yield case("integer", rng.integers(-2, 3, size=(3, 2)), _layers(rng, 2, 3, 2), np.tanh, **near)
    layers = [(rng.integers(-2, 3, size=(2, 3)), np.array([1, 0, -1]))]
    yield case("integer", rng.integers(-2, 3, size=(3, 2)), layers, np.tanh, **near)
    X, layers = network(4, 3, 2, 1)
    yield case("integer", np.array([[0, 16, 200]], np.uint8), layers, np.abs, **near)
    yield case("integer", X > 0, layers, np.abs, **near)
    yield case("purity", *network(4, 3, 5, 2), np.tanh, **near)


def _forward(X, layers, activation):
    inputs, sums = [], []
    for W, b in layers:
        inputs.append(X)
        sums.append(X @ W + b)
        X = activation(sums[-1])
    return inputs, sums


@forward.right_answer
def by_recursion(X, layers, activation):
    (W, b), rest = layers[0], layers[1:]
    Z = np.add(np.matmul(X, W), b)
    if not rest:
        return [X], [Z]
    inputs, sums = by_recursion(activation(Z), rest, activation)
    return [X, *inputs], [Z, *sums]


@forward.right_answer
def by_index(X, layers, activation):
    """Goes by number: the input of each layer is the activated sum of the one before."""
    inputs, sums = [], []
    for i in range(len(layers)):
        inputs.append(X if i == 0 else activation(sums[i - 1]))
        sums.append(inputs[i] @ layers[i][0] + layers[i][1])
    return inputs, sums


@forward.right_answer
def by_tuples(X, layers, activation):
    inputs, sums = (X,), ()
    for W, b in layers:
        sums += (np.einsum("ni,io->no", inputs[-1], W) + b,)
        inputs += (activation(sums[-1]),)
    return inputs[:-1], sums


@forward.right_answer
def by_reading_back(X, layers, activation):
    """Reads the latest input from the list itself: no separate variable to keep in step."""
    inputs, sums = [X], []
    for number, (W, b) in enumerate(layers, 1):
        sums.append(inputs[-1] @ W + b)
        if number < len(layers):
            inputs.append(activation(sums[-1]))
    return [inputs, sums]


@forward.right_answer
def by_a_column_of_ones(X, layers, activation):
    """The bias as one more row of W: one product for each layer."""
    inputs, sums = [], []
    for W, b in layers:
        inputs.append(X.copy())
        sums.append(np.column_stack([X, np.ones(len(X))]) @ np.vstack([W, b]))
        X = activation(sums[-1])
    return inputs, sums


@forward.right_answer
def in_float32(X, layers, activation):
    layers = [(W.astype(np.float32), b.astype(np.float32)) for W, b in layers]
    return _forward(X.astype(np.float32), layers, activation)


@forward.misconception(
    "There is one input too many: the network's output is not the input of any layer."
)
def keeps_the_end(X, layers, activation):
    inputs, sums = _forward(X, layers, activation)
    return [*inputs, activation(sums[-1])], sums


@forward.misconception(
    "The last sums went through the activation: the logits stay as they are, since the loss has "
    "its softmax."
)
def activates_the_end(X, layers, activation):
    inputs, sums = _forward(X, layers, activation)
    return inputs, [*sums[:-1], activation(sums[-1])]


@forward.misconception(
    "No layer's output went through the activation, so all layers together are worth one."
)
def forgets_the_activation(X, layers, activation):
    return _forward(X, layers, np.positive)


@forward.misconception(
    "Every layer was given X itself: from the second on, a layer's input is what the activation "
    "made of the sums before it."
)
def hands_nothing_on(X, layers, activation):
    inputs, sums = [], []
    for W, b in layers:
        inputs.append(X)
        sums.append(X @ W + b)
    return inputs, sums


@forward.misconception(
    "Only the first layer came back: does your return stand inside the loop, or is there no loop?"
)
def returns_in_the_loop(X, layers, activation):
    W, b = layers[0]
    return [X], [X @ W + b]


@forward.misconception(
    "You return the last X alone: the backward pass needs the lists of all inputs and all sums."
)
def returns_the_last_x(X, layers, activation):
    for W, b in layers:
        X = activation(X @ W + b)
    return X


@forward.misconception(
    "X was kept after the activation had changed it: keep it first, so that inputs[0] is X itself."
)
def keeps_x_too_late(X, layers, activation):
    inputs, sums = _forward(X, layers, activation)
    return [*inputs[1:], activation(sums[-1])], sums


@forward.misconception(
    "The * multiplies entry by entry: a layer's weighted sums are a matrix product."
)
def multiplies_by_entry(X, layers, activation):
    inputs, sums = [], []
    for W, b in layers:
        inputs.append(X)
        sums.append(X * W + b)
        X = activation(sums[-1])
    return inputs, sums


@forward.misconception(
    "W came first in the product: examples are rows of X, so X stands on the left of W."
)
def weights_first(X, layers, activation):
    inputs, sums = [], []
    for W, b in layers:
        inputs.append(X)
        sums.append(W @ X + b)
        X = activation(sums[-1])
    return inputs, sums


@forward.misconception("The biases are missing in your sums.")
def forgets_the_biases(X, layers, activation):
    return _forward(X, [(W, 0 * b) for W, b in layers], activation)


@forward.misconception(
    "You kept each layer's output in place of its sums: the slope of the activation is read at the "
    "sums."
)
def keeps_outputs_for_sums(X, layers, activation):
    inputs, sums = _forward(X, layers, activation)
    return inputs, [activation(Z) for Z in sums]


@forward.misconception("The two lists are swapped: inputs first, then sums.")
def swaps_the_lists(X, layers, activation):
    return _forward(X, layers, activation)[::-1]


@forward.misconception(
    "You return the logits alone: the backward pass needs what every layer saw and summed up."
)
def returns_logits(X, layers, activation):
    return _forward(X, layers, activation)[1][-1]


@forward.misconception(
    "A layer's input is what came out of the activation before it, and you kept the sums."
)
def keeps_sums_for_inputs(X, layers, activation):
    _, sums = _forward(X, layers, activation)
    return [X, *sums[:-1]], sums


@forward.misconception(
    "The input itself went through the activation first: it enters the first layer as it is."
)
def activates_the_input(X, layers, activation):
    return _forward(activation(X), layers, activation)


@forward.misconception("Your lists begin at the end: the first layer comes first.")
def begins_at_the_end(X, layers, activation):
    inputs, sums = _forward(X, layers, activation)
    return inputs[::-1], sums[::-1]


@forward.misconception("The biases were subtracted: they are added to the weighted sums.")
def subtracts_biases(X, layers, activation):
    return _forward(X, [(W, -b) for W, b in layers], activation)


@forward.misconception(
    "The activation came before the bias: the sum is complete only with its bias."
)
def adds_biases_late(X, layers, activation):
    inputs, sums = [], []
    for W, b in layers:
        inputs.append(X)
        sums.append(X @ W)
        X = activation(sums[-1]) + b
    return inputs, sums


@forward.misconception(
    "A softmax went over the last sums: the loss has its own, and the backward pass begins at the "
    "logits."
)
def ends_with_shares(X, layers, activation):
    inputs, sums = _forward(X, layers, activation)
    e = np.exp(sums[-1] - np.max(sums[-1], axis=1, keepdims=True))
    return inputs, [*sums[:-1], e / e.sum(axis=1, keepdims=True)]


@forward.misconception(
    "Your function wrote into X or the layers: they belong to the caller, who still needs them."
)
def writes_into_the_input(X, layers, activation):
    inputs, sums = _forward(np.array(X), layers, activation)
    if X.dtype.kind == "f":
        X *= 2
    return inputs, sums


@forward.misconception(
    "You return a pair for each layer: all inputs belong in one list, and all sums in another."
)
def pairs_inputs_and_sums(X, layers, activation):
    return list(zip(*_forward(X, layers, activation), strict=True))


@forward.misconception(
    "The activation was written over the sums: the backward pass needs the sums as they were."
)
def overwrites_the_sums(X, layers, activation):
    inputs, sums = [], []
    for W, b in layers:
        inputs.append(X)
        sums.append(X @ W + b)
        sums[-1][...] = activation(sums[-1])
        X = sums[-1]
    return inputs, sums


@forward.misconception("The arrays became lists: keep what @ and the activation return.")
def makes_lists(X, layers, activation):
    return tuple([part.tolist() for part in parts] for parts in _forward(X, layers, activation))


@forward.misconception("You went through the activation once only: it lies between any two layers.")
def activates_once(X, layers, activation):
    inputs, sums = [], []
    for W, b in layers:
        inputs.append(X)
        sums.append(X @ W + b)
        X = activation(sums[-1]) if len(sums) == 1 else sums[-1]
    return inputs, sums


@forward.misconception(
    "You changed the list of layers or an array in it: the caller still needs them as they were."
)
def empties_the_list(X, layers, activation):
    inputs, sums = [], []
    while layers:
        W, b = layers.pop(0)
        inputs.append(X)
        sums.append(X @ W + b)
        X = activation(sums[-1])
    return inputs, sums


backward = Exercise(points=4)


@backward.cases
def _(rng):
    def ready(*sizes, n=4):
        layers = _layers(rng, *sizes)
        inputs, sums = _forward(rng.normal(size=(n, sizes[0])).round(3), layers, np.tanh)
        # Rounded, so that every processor gets the same numbers.
        inputs, sums = ([one.round(9) for one in list_] for list_ in (inputs, sums))
        return (
            rng.normal(size=sums[-1].shape).round(3),
            inputs,
            sums,
            layers,
            np.cos,
            blocks.mixed_backward,
        )

    yield case("value", *ready(3, 5, 2))
    yield case("value", *ready(2, 3, 4, 2))
    yield case("value", *ready(3, 3, 3, 3, n=3))
    yield case("value", *ready(2, 3))
    for n, *sizes in ((1, 3, 2, 1), (5, 2, 2), (1, 1, 1), (2, 2, 3, 1, 2, 2)):
        yield case("shape", *ready(*sizes, n=n))
    yield case("purity", *ready(2, 3, 2))


def _backward(d_sums, inputs, sums, layers, activation_grad, dense_backward):
    gradients = []
    for i in reversed(range(len(layers))):
        d_inputs, dW, db = dense_backward(d_sums, inputs[i], layers[i][0])
        gradients.insert(0, (dW, db))
        if i:
            d_sums = d_inputs * activation_grad(sums[i - 1])
    return gradients


@backward.right_answer
def by_reversing(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    """Puts the three lists side by side, then goes through them from the back."""
    gradients, d_sums = [], d_logits
    slopes = [1.0, *map(activation_grad, sums[:-1])]
    for X, (W, _), slope in list(zip(inputs, layers, slopes, strict=True))[::-1]:
        dX, dW, db = dense_backward(d_sums, X, W)
        gradients.append((dW, db))
        d_sums = dX * slope
    return gradients[::-1]


@backward.right_answer
def by_filling(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    """Goes by number from the last layer to the first: no reversing at the end."""
    gradients = [None] * len(layers)
    d_inputs = None
    for i in range(len(layers) - 1, -1, -1):
        d_sums = d_logits if d_inputs is None else np.multiply(activation_grad(sums[i]), d_inputs)
        d_inputs, *gradients_here = dense_backward(d_sums, inputs[i], layers[i][0])
        gradients[i] = tuple(gradients_here)
    return gradients


@backward.right_answer
def by_going_deeper(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    dX, dW, db = dense_backward(d_logits, inputs[-1], layers[-1][0])
    if len(layers) == 1:
        return [(dW, db)]
    delta = dX * activation_grad(sums[-2])
    earlier = (inputs[:-1], sums[:-1], layers[:-1])
    before = by_going_deeper(delta, *earlier, activation_grad, dense_backward)
    return [*before, (dW, db)]


@backward.right_answer
def by_lists(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    return tuple(
        [dW, db]
        for dW, db in _backward(d_logits, inputs, sums, layers, activation_grad, dense_backward)
    )


@backward.misconception(
    "Your list begins at the last layer: you went backwards, which is right, but the first layer's "
    "gradients come first in the list."
)
def last_layer_first(*given):
    return _backward(*given)[::-1]


@backward.misconception("The slope of the activation is missing between two layers.")
def forgets_the_slope(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    return _backward(d_logits, inputs, sums, layers, np.ones_like, dense_backward)


@backward.misconception(
    "You took the activation's slope at its outputs: activation_grad takes the sums, which went "
    "into it."
)
def reads_at_outputs(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    return _backward(
        d_logits, inputs, [*inputs[1:], sums[-1]], layers, activation_grad, dense_backward
    )


@backward.misconception(
    "d_logits was multiplied by a slope first: after the last layer there is no activation, so "
    "d_logits goes into it as it is."
)
def slope_at_the_end(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    return _backward(
        d_logits * activation_grad(sums[-1]), inputs, sums, layers, activation_grad, dense_backward
    )


@backward.misconception(
    "You worked the layer's gradients out yourself: dense_backward is given to you, so that it can "
    "be exchanged."
)
def works_it_out(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    return _backward(
        d_logits,
        inputs,
        sums,
        layers,
        activation_grad,
        lambda dZ, X, W: (dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)),
    )


@backward.misconception("Each pair has the weights' gradient first, then the biases'.")
def swaps_the_pairs(*given):
    return [(db, dW) for dW, db in _backward(*given)]


@backward.misconception("You divided by the number of examples again: that is in d_logits already.")
def divides_again(*given):
    return [(dW / len(given[0]), db / len(given[0])) for dW, db in _backward(*given)]


@backward.misconception("You added the slope of the activation: slopes in a row multiply.")
def adds_the_slope(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    gradients, d_sums = [], d_logits
    for i in reversed(range(len(layers))):
        dX, dW, db = dense_backward(d_sums, inputs[i], layers[i][0])
        gradients.insert(0, (dW, db))
        if i:
            d_sums = dX + activation_grad(sums[i - 1])
    return gradients


@backward.misconception(
    "Only the gradients of the last layer came back: go on to the layers before it, and return "
    "after the loop."
)
def last_layer_only(*given):
    return _backward(*given)[-1:]


@backward.misconception("The biases' gradients are missing: each layer has two.")
def weights_only(*given):
    return [dW for dW, _ in _backward(*given)]


@backward.misconception(
    "Three things came back for each layer: the gradient of the inputs goes to the layer before, "
    "and only the other two train."
)
def returns_three(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    gradients, d_sums = [], d_logits
    for i in reversed(range(len(layers))):
        parts = dense_backward(d_sums, inputs[i], layers[i][0])
        gradients.insert(0, parts)
        if i:
            d_sums = parts[0] * activation_grad(sums[i - 1])
    return gradients


@backward.misconception("Your signs are the wrong way round: the minus belongs to the step.")
def flips_signs(*given):
    return [(-dW, -db) for dW, db in _backward(*given)]


@backward.misconception(
    "The slope was read at this layer's own sums: what you pass back meets the activation that "
    "stands between this layer and the one before."
)
def reads_this_layers_sums(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    gradients, d_sums = [], d_logits
    for i in reversed(range(len(layers))):
        dX, dW, db = dense_backward(d_sums, inputs[i], layers[i][0])
        gradients.insert(0, (dW, db))
        if i:
            d_sums = dX * activation_grad(sums[i])
    return gradients


@backward.misconception(
    "You began at the first layer: d_logits belongs to the last one, so the loop has to run from "
    "there."
)
def goes_forwards(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    gradients, d_sums = [], d_logits
    for i in range(len(layers)):
        dX, dW, db = dense_backward(d_sums, inputs[i], layers[i][0])
        gradients.append((dW, db))
        if i:
            d_sums = dX * activation_grad(sums[i - 1])
    return gradients


@backward.misconception(
    "dense_backward was given a whole pair (W, b): it asks for the weights alone."
)
def hands_over_the_pair(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    gradients, d_sums = [], d_logits
    for i in reversed(range(len(layers))):
        dX, dW, db = dense_backward(d_sums, inputs[i], layers[i])
        gradients.insert(0, (dW, db))
        if i:
            d_sums = dX * activation_grad(sums[i - 1])
    return gradients


@backward.misconception(
    "d_logits went into every layer: from the second round on, a layer gets what the layer after "
    "it passed back."
)
def hands_nothing_back(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    gradients = []
    for i in reversed(range(len(layers))):
        _, dW, db = dense_backward(d_logits, inputs[i], layers[i][0])
        gradients.insert(0, (dW, db))
    return gradients


@backward.misconception(
    "The slope was taken for the first layer too: sums[-1] is the last layer's, and nothing lies "
    "before the first."
)
def wraps_around(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    gradients, d_sums = [], d_logits
    for i in reversed(range(len(layers))):
        dX, dW, db = dense_backward(d_sums, inputs[i], layers[i][0])
        gradients.insert(0, (dW, db))
        d_sums = dX * activation_grad(sums[i - 1])
    return gradients


@backward.misconception(
    "The slope function was multiplied without being called: give it the sums of the layer before."
)
def does_not_call_the_slope(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    gradients, d_sums = [], d_logits
    for i in reversed(range(len(layers))):
        dX, dW, db = dense_backward(d_sums, inputs[i], layers[i][0])
        gradients.insert(0, (dW, db))
        if i:
            d_sums = dX * activation_grad
    return gradients


@backward.misconception(
    "dense_backward was given the sums of the layer before: between them and this layer's inputs "
    "lies the activation."
)
def hands_over_sums(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    return _backward(
        d_logits, [inputs[0], *sums[:-1]], sums, layers, activation_grad, dense_backward
    )


@backward.misconception(
    "d_logits was overwritten, and the caller still needs it: multiply into a new array."
)
def writes_into_d_logits(d_logits, *others):
    gradients = _backward(d_logits, *others)
    d_logits *= 0.5
    return gradients


@backward.misconception(
    "You return the weights' and the biases' gradients in two lists: a pair for each layer is "
    "wanted."
)
def two_lists(*given):
    return tuple(map(list, zip(*_backward(*given), strict=True)))


@backward.misconception("The gradients became lists: keep the arrays that dense_backward returns.")
def makes_lists_of_gradients(*given):
    return [(dW.tolist(), db.tolist()) for dW, db in _backward(*given)]


@backward.misconception(
    "The slope of one particular activation is in your code: use activation_grad, which is given "
    "to you."
)
def slope_of_relu(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    return _backward(
        d_logits, inputs, sums, layers, lambda sums: np.where(sums > 0, 1.0, 0.0), dense_backward
    )


@backward.misconception(
    "You changed the lists that you were given, or arrays in them: go through the lists by index, "
    "without pop."
)
def empties_the_lists(d_logits, inputs, sums, layers, activation_grad, dense_backward):
    gradients, d_sums = [], d_logits
    while layers:
        d_inputs, dW, db = dense_backward(d_sums, inputs.pop(), layers.pop()[0])
        gradients.insert(0, (dW, db))
        sums.pop()
        if sums:
            d_sums = d_inputs * activation_grad(sums[-1])
    return gradients


train = Exercise(points=3)


@train.cases
def _(rng):
    yield case("value", _layers(rng, 3, 4, 2), blocks.pull, blocks.bent_step, 0.1, 3)
    yield case(
        "value", _layers(rng, 2, 3), partial(blocks.pull, target=-0.5), blocks.bent_step, 0.5, 2
    )
    yield case("value", _layers(rng, 2, 3, 2), blocks.entangled, blocks.bent_step, 0.3, 4)
    yield case("value", _layers(rng, 2, 2, 2), blocks.pull, blocks.bent_step, 0.25, 1)
    for sizes in ((3, 2), (2, 3, 1)):
        yield case("shape/no steps", _layers(rng, *sizes), blocks.pull, blocks.bent_step, 0.1, 0)
    for sizes, n_steps in (((1, 1), 3), ((3, 1, 2, 2, 1), 2)):
        layers = _layers(rng, *sizes)
        yield case("shape", layers, blocks.entangled, blocks.bent_step, 0.2, n_steps)
    yield case("purity", _layers(rng, 2, 3, 1), blocks.pull, blocks.bent_step, 0.1, 2)
    # A gradient of the layers' own arrays: a list of the same pairs.
    yield case("purity", _layers(rng, 3, 2), copy.copy, blocks.bent_step, 0.1, 3)


def _train(layers, gradient, step, lr, n_steps):
    layers = list(layers)
    for _ in range(n_steps):
        layers = [
            (step(W, dW, lr), step(b, db, lr))
            for (W, b), (dW, db) in zip(layers, gradient(layers), strict=True)
        ]
    return layers


@train.right_answer
def by_while(layers, gradient, step, lr, n_steps):
    new, left = [(W.copy(), b.copy()) for W, b in layers], n_steps
    while left:
        slopes = gradient(new)
        new = [
            tuple(step(part, slope, lr) for part, slope in zip(*pair, strict=True))
            for pair in zip(new, slopes, strict=True)
        ]
        left -= 1
    return new


@train.right_answer
def by_recursion_again(layers, gradient, step, lr, n_steps):
    if n_steps == 0:
        return list(layers)
    moved = []
    for (W, b), (dW, db) in zip(layers, gradient(layers), strict=True):
        moved.append((step(W, dW, lr), step(b, db, lr)))
    return by_recursion_again(moved, gradient, step, lr, n_steps - 1)


@train.right_answer
def by_slots(layers, gradient, step, lr, n_steps):
    """Replaces each layer where it is: no new list in each round."""
    now = [[W, b] for W, b in layers]
    for _ in range(n_steps):
        slopes = gradient([tuple(pair) for pair in now])
        for i, (dW, db) in enumerate(slopes):
            now[i] = [step(now[i][0], dW, lr), step(now[i][1], db, lr)]
    return tuple(map(tuple, now))


@train.right_answer
def by_two_lists(layers, gradient, step, lr, n_steps):
    """Weights and biases in lists of their own: each step is one line."""
    weights, biases = [W for W, _ in layers], [b for _, b in layers]
    for _ in range(n_steps):
        slopes = gradient(list(zip(weights, biases, strict=True)))
        weights = [step(W, dW, lr) for W, (dW, _) in zip(weights, slopes, strict=True)]
        biases = [step(b, db, lr) for b, (_, db) in zip(biases, slopes, strict=True)]
    return list(zip(weights, biases, strict=True))


@train.right_answer
def in_place_on_copies(layers, gradient, step, lr, n_steps):
    now = copy.deepcopy(layers)
    for _ in range(n_steps):
        slopes = copy.deepcopy(gradient(now))
        for (W, b), (dW, db) in zip(now, slopes, strict=True):
            W[...], b[...] = step(W, dW, lr), step(b, db, lr)
    return now


@train.misconception(
    "The gradient was asked for once, at the start: after every step it is another one."
)
def asks_once(layers, gradient, step, lr, n_steps):
    slopes = gradient(layers)
    return _train(layers, lambda _: slopes, step, lr, n_steps)


@train.misconception(
    "You stepped without the function step: it is given to you, so that it can be exchanged."
)
def steps_itself(layers, gradient, step, lr, n_steps):
    return _train(layers, gradient, lambda w, grad, lr: w - lr * grad, lr, n_steps)


@train.misconception("Your steps go uphill: step takes the learning rate as it is.")
def goes_uphill(layers, gradient, step, lr, n_steps):
    return _train(layers, gradient, step, -lr, n_steps)


@train.misconception("The biases stayed where they were: they are trained as the weights are.")
def weights_alone(layers, gradient, step, lr, n_steps):
    return [
        (W, b)
        for (W, _), (_, b) in zip(
            _train(
                layers, lambda now: [(dW, 0 * db) for dW, db in gradient(now)], step, lr, n_steps
            ),
            layers,
            strict=True,
        )
    ]


@train.misconception("The weights stayed where they were: step with both of each layer.")
def biases_alone(layers, gradient, step, lr, n_steps):
    return _train(layers, lambda now: [(0 * dW, db) for dW, db in gradient(now)], step, lr, n_steps)


@train.misconception("There is one step too many.")
def one_too_many(layers, gradient, step, lr, n_steps):
    return _train(layers, gradient, step, lr, n_steps + 1)


@train.misconception("One step is missing: how many rounds does your loop make?")
def one_too_few(layers, gradient, step, lr, n_steps):
    return _train(layers, gradient, step, lr, max(n_steps - 1, 0))


@train.misconception(
    "There was one step however many were asked for: is there a loop over the steps, is your "
    "return after it, and does each round start from the layers of the one before?"
)
def returns_in_the_loop_of_steps(layers, gradient, step, lr, n_steps):
    return _train(layers, gradient, step, lr, 1) if n_steps else None


@train.misconception(
    "There is never more than one step: is your return after the loop, and does each round start "
    "from the layers of the one before?"
)
def one_step(layers, gradient, step, lr, n_steps):
    return _train(layers, gradient, step, lr, min(n_steps, 1))


@train.misconception("step was given another learning rate than lr: pass lr on as it is.")
def fixed_rate(layers, gradient, step, lr, n_steps):
    return _train(layers, gradient, step, 0.01, n_steps)


@train.misconception(
    "A layer was changed before the gradients of the others were read: ask once for all, then step "
    "with all."
)
def one_layer_at_a_time(layers, gradient, step, lr, n_steps):
    now = list(layers)
    for _ in range(n_steps):
        for i in range(len(now)):
            (W, b), (dW, db) = now[i], gradient(now)[i]
            now[i] = (step(W, dW, lr), step(b, db, lr))
    return now


@train.misconception(
    "step was given a whole pair: it moves one array, so call it once for W and once for b."
)
def steps_on_pairs(layers, gradient, step, lr, n_steps):
    for _ in range(n_steps):
        layers = [
            step(pair, slopes, lr) for pair, slopes in zip(layers, gradient(layers), strict=True)
        ]
    return layers


@train.misconception(
    "The learning rate and the gradient changed places: step takes w, then grad, then lr."
)
def swaps_grad_and_rate(layers, gradient, step, lr, n_steps):
    return _train(layers, gradient, lambda w, grad, lr: step(w, lr, grad), lr, n_steps)


@train.misconception(
    "Every round appended to the same list: start a new list of layers in each round."
)
def grows_the_list(layers, gradient, step, lr, n_steps):
    new = []
    for _ in range(n_steps):
        for (W, b), (dW, db) in zip(layers, gradient(layers), strict=True):
            new += [(step(W, dW, lr), step(b, db, lr))]
    return new


@train.misconception(
    "gradient was not called: it is a function, and gradient(layers) gives the pairs (dW, db)."
)
def does_not_call_gradient(layers, gradient, step, lr, n_steps):
    for _ in range(n_steps):
        layers = [
            (step(W, dW, lr), step(b, db, lr))
            for (W, b), (dW, db) in zip(layers, gradient, strict=True)
        ]
    return layers


@train.misconception("The layers came back in reverse order.")
def turns_layers(layers, gradient, step, lr, n_steps):
    return (
        _train(layers, gradient, step, lr, n_steps)[::-1]
        if len(layers) > 1
        else [(b, W) for W, b in _train(layers, gradient, step, lr, n_steps)]
    )


@train.misconception(
    "Nothing moved: step returns a new array. Does it end up in the list of layers that you return?"
)
def drops_the_result(layers, gradient, step, lr, n_steps):
    return _train(layers, gradient, step, lr, 0)


@train.misconception(
    "You return the layers of every step: only the last ones, the trained layers, are asked for."
)
def returns_the_way(layers, gradient, step, lr, n_steps):
    way = [list(layers)]
    for _ in range(n_steps):
        way.append(_train(way[-1], gradient, step, lr, 1))
    return [pair for moment in way for pair in moment] if n_steps else [way]


@train.misconception(
    "The steps were written into the layers that you were given, the list or its arrays: the "
    "caller may start a second experiment from them."
)
def trains_in_place(layers, gradient, step, lr, n_steps):
    trained = _train(layers, gradient, step, lr, n_steps)
    for (W, b), (new_W, new_b) in zip(layers, trained, strict=True):
        W[...], b[...] = new_W, new_b
    return trained


@train.misconception(
    "You wrote into the arrays of the gradient, which may be the layers' own: only read them."
)
def zeroes_the_gradient(layers, gradient, step, lr, n_steps):
    now = list(layers)
    for _ in range(n_steps):
        slopes = gradient(now)
        now = [
            (step(W, dW, lr), step(b, db, lr)) for (W, b), (dW, db) in zip(now, slopes, strict=True)
        ]
        for dW, db in slopes:
            dW[...], db[...] = 0, 0
    return now


@train.misconception("The arrays became lists: keep what step returns.")
def makes_lists_of_layers(layers, gradient, step, lr, n_steps):
    return [(W.tolist(), b.tolist()) for W, b in _train(layers, gradient, step, lr, n_steps)]


@train.misconception(
    "The weights moved before the slopes of the biases were read: ask once for all, then step with "
    "all."
)
def weights_before_biases(layers, gradient, step, lr, n_steps):
    now = list(layers)
    for _ in range(n_steps):
        now = [(step(W, dW, lr), b) for (W, b), (dW, _) in zip(now, gradient(now), strict=True)]
        now = [(W, step(b, db, lr)) for (W, b), (_, db) in zip(now, gradient(now), strict=True)]
    return now


relative_error = Exercise(points=2)


@relative_error.cases
def _(rng):
    near = {"rtol": 1e-5}  # right in float32 as well, unless the two nearly agree
    yield case("value", *rng.normal(size=(2, 4)).round(3), **near)
    yield case("value", np.array([1.0, 2.0, -3.0]), np.array([1.0, 2.5, -3.0]), **near)
    yield case("value", *rng.normal(size=(2, 3, 2)).round(3), **near)
    small = rng.uniform(0.01, 0.05, size=(2, 5)).round(4)
    yield case("value", small[0], -small[1], **near)
    yield case("value", np.array([3.0, 4.0]), np.array([0.0, 0.0]), **near)
    yield case("value", *np.insert(rng.normal(size=(2, 3)).round(3), 1, 0.0, axis=1), **near)
    for size in ((2, 3, 2), (1,), (3, 1), (1, 1, 4), ()):
        one, other = rng.normal(1, 0.2, size=(2, *size)).round(3)
        yield case("shape", np.array(one), np.array(other + 3), **near)
    yield case("stability/two zeros", np.zeros(3), np.zeros(3))
    yield case("stability/two zeros", np.zeros((2, 2)), np.zeros((2, 2)))
    # A floor of 1e-8 under the fraction, or one under each length, is right here; 1e-7 is not.
    tiny = 1e-6 * np.array([[3.0, 4.0], [0.0, 3.0]])
    yield case("stability/small numbers", *tiny, rtol=4e-3)
    yield case("stability/small numbers", np.array([3.0, 4.0]), np.array([3.0, 4.0000123]))
    yield case("integer", np.array([1, 2, 3]), np.array([1, 2, 4]), **near)
    yield case("purity", *rng.normal(size=(2, 3)).round(3), **near)


def _norm(x):
    return float(np.sqrt(np.sum(np.square(x, dtype=float))))


@relative_error.right_answer
def by_norms(analytic, numerical):
    """Written with numpy's norm: reads as the formula does."""
    size = np.linalg.norm(np.ravel(analytic)) + np.linalg.norm(np.ravel(numerical))
    return (
        float(np.linalg.norm(np.ravel(analytic) - np.ravel(numerical)) / size) if size > 0 else 0.0
    )


@relative_error.right_answer
def by_hypot(analytic, numerical):
    a, b = np.ravel(analytic).tolist(), np.ravel(numerical).tolist()
    total = math.hypot(*a) + math.hypot(*b)
    return math.dist(a, b) / (total or 1.0)


@relative_error.right_answer
def by_dots(analytic, numerical):
    """The length as the root of a vector's product with itself: no norm is needed."""
    a, b = np.ravel(analytic).astype(float), np.ravel(numerical).astype(float)
    if not a.any() and not b.any():
        return 0.0
    return float(((a - b) @ (a - b)) ** 0.5 / ((a @ a) ** 0.5 + (b @ b) ** 0.5))


@relative_error.right_answer
def by_a_tiny_floor(analytic, numerical):
    return _norm(np.subtract(analytic, numerical)) / (_norm(analytic) + _norm(numerical) + 1e-8)


@relative_error.right_answer
def by_the_larger_of_two(analytic, numerical):
    return _norm(np.subtract(analytic, numerical)) / max(_norm(analytic) + _norm(numerical), 1e-8)


@relative_error.misconception(
    "Your error is absolute: the same gap is large for small gradients and small for large ones."
)
def stays_absolute(analytic, numerical):
    return _norm(np.subtract(analytic, numerical))


@relative_error.misconception("You divided by one of the two lengths: the formula takes both.")
def divides_by_the_first(analytic, numerical):
    return _norm(np.subtract(analytic, numerical)) / (_norm(analytic) or 1.0)


@relative_error.misconception(
    "You divided by the numerical length alone: the formula takes both, so that one of them may be "
    "0."
)
def divides_by_the_second(analytic, numerical):
    return _norm(np.subtract(analytic, numerical)) / (_norm(numerical) or 1.0)


@relative_error.misconception(
    "You compared the two lengths: two gradients of the same length may point in different "
    "directions."
)
def compares_lengths(analytic, numerical):
    return abs(_norm(analytic) - _norm(numerical)) / ((_norm(analytic) + _norm(numerical)) or 1.0)


@relative_error.misconception(
    "Division comes before addition: the sum of the two lengths needs brackets around it."
)
def forgets_the_brackets(analytic, numerical):
    return _norm(np.subtract(analytic, numerical)) / (_norm(analytic) or 1.0) + _norm(numerical)


@relative_error.misconception(
    "The squares are missing: positive and negative numbers cancel in a plain sum."
)
def forgets_squares(analytic, numerical):
    total = np.abs(np.sum(analytic)) + np.abs(np.sum(numerical))
    return float(np.abs(np.sum(np.subtract(analytic, numerical))) / (total or 1.0))


@relative_error.misconception(
    "What you add to the denominator is too large: it has to be tiny next to the lengths, at most "
    "1e-8."
)
def adds_a_large_floor(analytic, numerical):
    return _norm(np.subtract(analytic, numerical)) / (_norm(analytic) + _norm(numerical) + 0.001)


@relative_error.misconception(
    "You divided by the larger of the two lengths: the formula takes their sum."
)
def divides_by_the_larger(analytic, numerical):
    larger = max(_norm(analytic), _norm(numerical))
    return _norm(np.subtract(analytic, numerical)) / (larger or 1.0)


@relative_error.misconception(
    "You averaged an error for each number: take the length of the whole gap and of each whole "
    "gradient."
)
def averages_errors(analytic, numerical):
    return float(np.mean(one_for_each(analytic, numerical)))


@relative_error.misconception(
    "Your two lengths share one root: take the root of each, and then add them."
)
def one_root_for_all(analytic, numerical):
    return float(np.sqrt(forgets_roots(analytic, numerical)))


@relative_error.misconception("The roots are missing: a length is the root of a sum of squares.")
def forgets_roots(analytic, numerical):
    return _norm(np.subtract(analytic, numerical)) ** 2 / (
        (_norm(analytic) ** 2 + _norm(numerical) ** 2) or 1.0
    )


@relative_error.misconception("You multiplied the two lengths: they are added.")
def multiplies_lengths(analytic, numerical):
    return _norm(np.subtract(analytic, numerical)) / ((_norm(analytic) * _norm(numerical)) or 1.0)


@relative_error.misconception(
    "You added the absolute values: a length takes squares, their sum and a root."
)
def adds_sizes(analytic, numerical):
    total = np.abs(analytic).sum() + np.abs(numerical).sum()
    return float(np.abs(np.subtract(analytic, numerical)).sum() / (total or 1.0))


@relative_error.misconception("You took the largest gap: the formula takes the length of all gaps.")
def takes_the_largest(analytic, numerical):
    total = np.abs(analytic).max() + np.abs(numerical).max()
    return float(np.abs(np.subtract(analytic, numerical)).max() / (total or 1.0))


@relative_error.misconception(
    "Where both gradients are 0 they agree, so the error is 0: what does your division give there?"
)
def forgets_two_zeros(analytic, numerical):
    with np.errstate(all="ignore"):
        return float(
            np.float64(_norm(np.subtract(analytic, numerical)))
            / (_norm(analytic) + _norm(numerical))
        )


@relative_error.misconception("You added where the gap is a difference.")
def adds_the_gradients(analytic, numerical):
    return _norm(np.add(analytic, numerical)) / ((_norm(analytic) + _norm(numerical)) or 1.0)


@relative_error.misconception(
    "You have an error for each number, and one for the whole gradient is asked for."
)
def one_for_each(analytic, numerical):
    return np.abs(np.subtract(analytic, numerical)) / np.maximum(
        np.abs(analytic) + np.abs(numerical), 1e-300
    )


@relative_error.misconception(
    "There is a factor of two: the formula divides by the sum of the lengths, not by their mean."
)
def divides_by_the_mean(analytic, numerical):
    return (
        2 * _norm(np.subtract(analytic, numerical)) / ((_norm(analytic) + _norm(numerical)) or 1.0)
    )


@relative_error.misconception("You return whether they agree: the number itself is asked for.")
def returns_a_verdict(analytic, numerical):
    return bool(
        _norm(np.subtract(analytic, numerical)) < 1e-6 * (_norm(analytic) + _norm(numerical))
        or not np.any(analytic)
    )


@relative_error.misconception(
    "You changed analytic, and the caller still needs it: keep the gap in a new array."
)
def subtracts_in_place(analytic, numerical):
    error = by_a_tiny_floor(analytic, numerical)
    if analytic.dtype.kind == "f":
        analytic -= numerical
    return error


@relative_error.misconception(
    "Gradients that nearly agree have the error 0 in yours: how far they are apart is the question."
)
def rounds_agreement(analytic, numerical):
    if np.allclose(analytic, numerical):
        return 0.0
    return by_norms(analytic, numerical)


@relative_error.misconception(
    "Your denominator can't fall below a floor, and that floor is too large: where the two lengths "
    "add up to less, the error comes out too small."
)
def takes_a_least_size(analytic, numerical):
    size = max(_norm(analytic) + _norm(numerical), 0.001)
    return _norm(np.subtract(analytic, numerical)) / size


@relative_error.misconception(
    "Your result is an array with one entry: one number is asked for, without an axis."
)
def keeps_an_axis(analytic, numerical):
    return np.array([by_norms(analytic, numerical)])


@relative_error.misconception(
    "You measured a table by its largest singular value, as np.linalg.norm does with a 2: the "
    "length takes all numbers."
)
def takes_the_spectral_norm(analytic, numerical):
    if np.ndim(analytic) != 2:
        return by_norms(analytic, numerical)
    gap, *lengths = (
        np.linalg.norm(table, 2) for table in (analytic - numerical, analytic, numerical)
    )
    return float(gap / (sum(lengths) or 1.0))


@relative_error.misconception(
    "The numbers were cut to float32, which keeps seven digits: small gaps get lost in it."
)
def computes_in_float32(analytic, numerical):
    return by_norms(np.asarray(analytic, np.float32), np.asarray(numerical, np.float32))


@relative_error.misconception(
    "Your result is rounded: gradients that agree to six digits need more of its digits."
)
def rounds_to_six_places(analytic, numerical):
    total = _norm(analytic) + _norm(numerical)
    return round(_norm(np.subtract(analytic, numerical)) / total, 6) if total else 0.0


linear_spiral = Question(
    "Two arms of a spiral, wound around each other. What boundary between them does a network "
    "without a hidden layer find?",
    answer="One straight line",
    wrong={
        "A spiral with fewer turns": (
            "Training chooses among the boundaries that a network has, and this one has no bends."
        ),
        "Two parallel lines, with one arm between them": (
            "Each class has one weighted sum, but only the difference of the two decides, and it "
            "is 0 along a single line."
        ),
    },
    why=(
        "The difference of two weighted sums is a weighted sum again, and where it is 0 lies a "
        "line; it can't follow a spiral."
    ),
)

forgotten_slope = Question(
    "Somebody forgot the slope of the ReLU in the backward pass, and trains on digits all the "
    "same. What happens?",
    answer="It reads the new digits nearly as well as a right one",
    wrong={
        "The loss rises: its steps lead uphill": (
            "Uphill would take a gradient that points the other way, and this one is still mostly "
            "right."
        ),
        "The hidden layer stays as it started, and only the last layer learns": (
            "The hidden layer gets a gradient as well: too much of it, since nothing is blocked."
        ),
        "Nothing: the loss stays where it began": (
            "For that, no slope at all would have to come back, and here none is held back."
        ),
    },
    why=(
        "The wrong gradient of the first layer still points mostly the right way, so training "
        "walks downhill crookedly. Accuracy does not notice the bug; the gradient check does."
    ),
)

deep_start = NumberQuestion(
    "A network of 16 hidden ReLU layers starts with Xavier's weights, and at the start its loss "
    "is 2.3. What is its loss after 150 small steps?",
    answer=2.3,
    low=0,
    high=4,
    step=0.1,
    close=0.2,
    too_low=(
        "To learn, a layer needs a slope that comes back to it, and here sixteen layers stand in "
        "the way."
    ),
    too_high=(
        "A loss above the start would take steps that are too long, and these hardly have a length."
    ),
    why=(
        "Each ReLU layer loses half of the squares, and Xavier does not make up for it: after 16 "
        "layers hardly any signal or slope is left, so the loss stays at ln 10."
    ),
)

better_than_linear = NumberQuestion(
    "With 32 hidden units your network will read 97 percent of the new digits. How many percent "
    "does it read without any hidden layer?",
    answer=96.9,
    low=0,
    high=100,
    step=1,
    close=2,
    too_low=(
        "A straight boundary for each digit goes further than the spiral suggests: in 64 "
        "dimensions there is a lot of room."
    ),
    too_high="A hidden layer does help, if only a little.",
    why=(
        "These digits are small and clean, and ten straight boundaries do most of the work. The "
        "hidden layer adds less than one in a hundred."
    ),
)

after_by_heart = Question(
    "A network learns 30 images until it reads all of them, and training goes on for 900 steps "
    "more. What does its loss on new images do meanwhile?",
    answer="It rises slowly",
    wrong={
        "It falls along with the loss on the known images": (
            "The gradient asks only for the thirty; what it gains on them need not help elsewhere."
        ),
        "It stays, as nothing is left to learn": (
            "All thirty are read, but their loss is above 0, so the weights go on growing."
        ),
    },
    why=(
        "The network becomes more and more sure of all that it says, and where it is wrong on a "
        "new image, being sure costs more."
    ),
)

paths_add = Question(
    "A weight reaches the loss on two paths. The slopes along the first are 2 and 4, along the "
    "second 3 and −1. What is its slope?",
    answer="5",
    wrong={
        "−24": "You multiplied across both paths: slopes multiply along one path only.",
        "8": (
            "That is the first path alone, 2 · 4, or all four slopes added: slopes multiply along "
            "each path, and both paths count."
        ),
        "11": "The second path's product is −3, and its minus counts.",
    },
    why="Slopes multiply along a path, 8 and −3, and paths add.",
)

halving_scales = Question(
    "Five ReLU layers, and layer_scales says 0.5, 0.25, 0.12, 0.06, 0.03. What would keep the "
    "signal alive?",
    answer="Weights with twice the standard deviation",
    wrong={
        "Weights with twice the variance": (
            "Twice the variance is √2 times the standard deviation, and each layer would still "
            "lose."
        ),
        "A learning rate twice as high": (
            "These sizes are measured before the first step, so no rate has touched them."
        ),
        "Biases that are drawn at random as well": (
            "A random bias adds noise to each layer; the signal in it would shrink all the same."
        ),
    },
    why=(
        "The size of a layer's output grows with the standard deviation of its weights, and each "
        "layer here halves it."
    ),
)

failing_layers = Question(
    "A network of four layers, and its gradient check: layers 0 and 1 have a relative error of "
    "0.4, layers 2 and 3 stay below 1e-9. Where is the bug?",
    answer="In what goes back from layer 2 to layer 1",
    wrong={
        "In layer 3, where the backward pass begins": (
            "Its gradients are right, and everything that layer 2 got from it is right as well."
        ),
        "In the gradient of layer 0 alone": (
            "Layer 1 fails too, and it has its turn before layer 0 in the backward pass."
        ),
        "In the learning rate": (
            "A gradient check takes no step, so it never uses the learning rate."
        ),
    },
    why=(
        "The backward pass is right as far as layer 2 and wrong from layer 1 on: look at the slope "
        "and the d_inputs between them."
    ),
)

gap_of_logits = Question(
    "The right class has a logit 50 below the largest of three. About how much does cross-entropy "
    "charge for it?",
    answer="50",
    wrong={
        "4": "That is ln 50: logits are logarithms already, so ln is not taken of their gap.",
        "1, as for any wrong answer": (
            "That would be counting mistakes; cross-entropy charges more the surer the mistake was."
        ),
        "Infinity": "e^−50 is small, and its logarithm is −50 all the same.",
    },
    why="The probability is about e^−50, and minus its logarithm is 50.",
)

alternating = Question(
    "In a bowl, w goes 8, −4, 2, −1: it jumps from side to side and comes closer. Where is the "
    "learning rate?",
    answer="Between 1/λ and 2/λ",
    wrong={
        "Below 1/λ": "There the steps are too short to cross the middle: w would keep its sign.",
        "At 2/λ": "There w would jump between 8 and −8 forever.",
        "Above 2/λ": "There each jump would be longer than the one before.",
    },
    why="Each step multiplies w by 1 − ηλ, which is −0.5 here, so ηλ is 1.5.",
)

bare_cells = NumberQuestion(
    "Ten people draw a digit each, on an empty pad of 8×8 cells: single dark cells, one cell wide, "
    "wherever and as large as they like. Your network reads 97 percent of the new images. How many "
    "of these ten drawings will it read?",
    answer=3,
    low=0,
    high=10,
    step=1,
    close=1,
    too_low="A few are read: those that happen to be as large and as central as the data.",
    too_high=(
        "The digits that it learned from are two cells thick, in greys, and fill their box from "
        "top to bottom. Thin cells at any place are new to it."
    ),
    why=(
        "Of fifty such drawings a trained network reads about 17. The new images are like those it "
        "learned from, and your drawings are not."
    ),
)

sure_mistakes = NumberQuestion(
    "Your network misreads about ten of the new digits. Which probability does it give to its "
    "wrong answers, on average?",
    answer=0.66,
    low=0,
    high=1,
    step=0.02,
    close=0.1,
    too_low=(
        "Training rewards a network for being sure, and it doesn't learn where it will be wrong."
    ),
    too_high="That sure it is where it is right; in a mistake another digit mostly has its share.",
    why=(
        "It is about 0.66, and 0.96 where the network is right. It doubts more where it errs, but "
        "a high probability is no promise."
    ),
)

shared_units = Question(
    "A trained network has 32 hidden units and tells ten digits apart. How do the units share the "
    "work?",
    answer="Most units serve many digits",
    wrong={
        "About three units belong to each digit": (
            "Nothing in training assigns a unit to a digit: one that lowers the loss for several "
            "serves several."
        ),
        "Ten units have a digit each, and the others rest": (
            "One sum for each digit is what the logits are; in the layer before, nothing asks for "
            "that."
        ),
        "Every unit is active for every image": (
            "Then no ReLU would ever cut, and the network would be as good as linear."
        ),
    },
    why=(
        "On average 20 or 21 of the 32 are active, and more than half of the units are active for "
        "most images of nine or ten of the digits. A digit is a pattern over many units."
    ),
)

tenth_of_grey = NumberQuestion(
    "Pixels are numbers from 0 (white) to 1 (black). To fool your network you may change each "
    "pixel of a digit by at most ε, up or down, as you choose. Which ε is enough for half of the "
    "digits?",
    answer=0.11,
    low=0,
    high=1,
    step=0.01,
    close=0.04,
    too_low="Most digits are read with some margin, and so small a change doesn't use it up.",
    too_high=(
        "All 64 pixels push the same sums to the same side, so that many small changes make a "
        "large one."
    ),
    why=(
        "About 0.11, if each pixel moves the way the gradient says. If each side is drawn at "
        "random, it takes about 0.5: what counts is the direction."
    ),
)
