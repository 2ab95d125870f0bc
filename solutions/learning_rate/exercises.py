"""The learning rate lesson: points, cases, right answers, misconceptions and questions."""

from functools import partial

import numpy as np

from grader import Exercise, NumberQuestion, Question, case
from playground.functions import landscapes

gd_step = Exercise(points=2)


@gd_step.cases
def _(rng):
    for size, lr in ((3, 0.1), (4, 1.5), ((2, 3), 0.01)):
        yield case("value", rng.normal(size=size).round(3), rng.normal(size=size).round(3), lr)
    # Large and tiny numbers; the last result, 0.123, has more digits than float32 holds.
    w, grad = np.array([0.0, 0.00042, -250.5, 500.123]), np.array([0.00042, 3.0, -250.5, 250.0])
    yield case("value", w, grad, 2.0)
    yield case("value", rng.uniform(1, 2, size=3), rng.uniform(1, 2, size=3) * 1e-4, 25.0)
    for size in (1, (3, 2), (1, 3), (6, 1), (1, 1)):
        yield case("shape", rng.normal(size=size).round(3), rng.normal(size=size).round(3), 0.5)
    yield case("integer", rng.integers(1, 9, size=3), rng.integers(1, 9, size=3), 0.25)
    yield case("integer", rng.integers(1, 9, size=3), rng.integers(1, 9, size=3), 1)
    yield case("integer", rng.integers(1, 9, size=3), rng.uniform(0.1, 0.9, size=3).round(3), 1)
    yield case("purity", rng.normal(size=3).round(3), rng.normal(size=3).round(3), 0.1)
    yield case("purity", rng.normal(size=3).round(3), np.zeros(3), 0.1)
    yield case("purity", *rng.normal(size=(2, 3)).round(3), 0.0)


@gd_step.right_answer
def by_subtract(w, grad, lr):
    """numpy's functions in place of signs: they take lists, too."""
    return np.subtract(w, np.multiply(lr, grad))


@gd_step.right_answer
def by_adding_minus(w, grad, lr):
    return np.asarray(w) + (-lr) * np.asarray(grad)


@gd_step.right_answer
def by_a_float_copy(w, grad, lr):
    """Changes a copy in place: the caller's weights stay as they were."""
    new = np.array(w, dtype=float)
    new -= lr * np.asarray(grad)
    return new


@gd_step.right_answer
def by_one_weight_at_a_time(w, grad, lr):
    """One weight at a time: what the vector formula does, spelled out."""
    return np.array([a - lr * g for a, g in zip(np.ravel(w), np.ravel(grad), strict=True)]).reshape(
        np.shape(w)
    )


@gd_step.misconception(
    "You went uphill: the gradient points to where the loss grows, so which sign does the step "
    "have?"
)
def goes_uphill(w, grad, lr):
    return w + lr * grad


@gd_step.misconception(
    "The step was written into w itself, and the caller still needs the old weights: give back a "
    "new array."
)
def steps_in_place(w, grad, lr):
    w -= lr * grad
    return w


@gd_step.misconception(
    "Your copy keeps the integers of w, and a step has fractions: make floats of it first."
)
def copies_as_integers(w, grad, lr):
    w = np.array(w)
    w -= lr * grad
    return w


@gd_step.misconception("You return the step: add it to where the weights are.")
def returns_the_step(w, grad, lr):
    return -lr * grad


@gd_step.misconception("The learning rate has no effect in yours: it scales the step.")
def forgets_the_rate(w, grad, lr):
    return w - grad


@gd_step.misconception(
    "You divided by the learning rate: a smaller rate has to make a smaller step."
)
def divides_by_the_rate(w, grad, lr):
    return w - grad / lr


@gd_step.misconception(
    "The learning rate scaled the weights as well: it belongs to the gradient alone."
)
def scales_the_weights(w, grad, lr):
    return lr * (w - grad)


@gd_step.misconception(
    "Only the sign of the gradient counts in yours: the size of a slope says how far to go."
)
def takes_signs_only(w, grad, lr):
    return w - lr * np.sign(grad)


@gd_step.misconception(
    "You made the gradient's length 1 first: then steps never get smaller near the bottom."
)
def normalises_the_gradient(w, grad, lr):
    return w - lr * grad / np.maximum(np.linalg.norm(grad), 1e-300)


@gd_step.misconception("You averaged the gradient: each weight has its own slope.")
def averages_the_gradient(w, grad, lr):
    return w - lr * np.mean(grad)


@gd_step.misconception(
    "You scaled the weights by the learning rate and left the slopes as they are: it belongs to "
    "the slopes."
)
def scales_the_other_one(w, grad, lr):
    return lr * w - grad


@gd_step.misconception("The learning rate came in squared: once is enough.")
def squares_the_rate(w, grad, lr):
    return w - lr * lr * grad


@gd_step.misconception(
    "The new weights lost their decimals: integers can't hold a small step, so make room for "
    "floats."
)
def keeps_integers(w, grad, lr):
    return (w - lr * grad).astype(np.asarray(w).dtype)


@gd_step.misconception("Your weights came back as a one-dimensional array: keep the shape of w.")
def flattens(w, grad, lr):
    return np.ravel(w - lr * grad)


@gd_step.misconception(
    "Where nothing moves you hand back w itself: a caller who changes the result would change the "
    "old weights."
)
def returns_w_at_the_bottom(w, grad, lr):
    return w - lr * grad if np.any(grad) else w


@gd_step.misconception(
    "Your step is a share of the weights themselves: the gradient, which says where down is, has "
    "no effect in it."
)
def shrinks_the_weights(w, grad, lr):
    return w - lr * w


@gd_step.misconception(
    "@ multiplies two arrays, and a rate is one number: which sign scales every slope by it?"
)
def multiplies_by_a_matrix(w, grad, lr):
    return w - lr @ grad


@gd_step.misconception("You added the slopes up: each weight moves by its own slope.")
def adds_the_slopes(w, grad, lr):
    return w - lr * np.sum(grad)


@gd_step.misconception(
    "The weights and the gradient changed places: it is the weights that move, and the gradient "
    "that is scaled."
)
def swaps_weights_and_slopes(w, grad, lr):
    return grad - lr * w


@gd_step.misconception(
    "Your step is multiplied by the weight as well: how far it goes depends on the slope and the "
    "rate alone."
)
def steps_in_proportion(w, grad, lr):
    return w * (1 - lr * grad)


@gd_step.misconception(
    "For a learning rate of 0 you return w itself: there, too, the result should be a new array."
)
def returns_w_for_no_rate(w, grad, lr):
    return w if lr == 0 else w - lr * grad


gradient_descent = Exercise(points=3, path=True)


@gradient_descent.cases
def _(rng):
    ravine = partial(landscapes.ravine_grad, flat=1.0, steep=6.0)
    tilted = partial(landscapes.tilted_grad, mixing=0.7)
    bowl = partial(landscapes.bowl_grad, curvature=1.0)
    yield case("value", ravine, rng.normal(size=2).round(3), 0.05, 5)
    yield case("value", tilted, rng.uniform(1, 2, size=2).round(3), 1.0, 4)  # the steps grow
    yield case("value", landscapes.quartic_grad, rng.uniform(0.3, 0.9, size=4).round(3), 0.2, 3)
    yield case("value", bowl, np.array([0.0, 0.00042, -250.5]), 1.9, 25)
    yield case("value", ravine, rng.uniform(1, 9, size=2).round(3) * 1e-13, 0.1, 4, atol=0)
    yield case("value", ravine, rng.uniform(1, 9, size=2).round(3) * 1e6, 0.1, 4)
    yield case("shape", ravine, rng.normal(size=2).round(3), 0.1, 1)
    yield case("shape", bowl, rng.normal(size=1).round(3), 0.1, 3)
    yield case("shape", ravine, np.zeros(2), 0.1, 3)
    yield case("shape/no steps", tilted, rng.normal(size=2).round(3), 0.1, 0)
    yield case("shape/no steps", landscapes.quartic_grad, rng.normal(size=3).round(3), 0.1, 0)
    yield case("integer", tilted, np.array([3, -2]), 0.1, 3)
    yield case("integer", tilted, np.array([3, -2]), 0.1, 0)
    for n_steps in (3, 0):
        yield case("purity", ravine, rng.normal(size=2).round(3), 0.1, n_steps)


def _walk(grad_fn, w0, lr, n_steps):
    path = [np.array(w0, float)]
    for _ in range(n_steps):
        path.append(path[-1] - lr * grad_fn(path[-1]))
    return np.array(path)


@gradient_descent.right_answer
def by_filling_an_array(grad_fn, w0, lr, n_steps):
    """Makes room for the whole path first, then fills it: no list to convert at the end."""
    path = np.empty((n_steps + 1, len(w0)))
    path[0] = w0
    for i in range(n_steps):
        path[i + 1] = path[i] - lr * grad_fn(path[i])
    return path


@gradient_descent.right_answer
def by_copies(grad_fn, w0, lr, n_steps):
    """Moves one point, and keeps a copy after each step."""
    w, path = np.array(w0, float), []
    path.append(w.copy())
    while len(path) <= n_steps:
        w -= lr * grad_fn(w.copy())
        path.append(w.copy())
    return np.stack(path)


@gradient_descent.right_answer
def by_recursion(grad_fn, w0, lr, n_steps):
    start = np.asarray(w0, float)[None]
    if n_steps == 0:
        return start.copy()
    return np.vstack(
        [start, by_recursion(grad_fn, start[0] - lr * grad_fn(start[0]), lr, n_steps - 1)]
    )


@gradient_descent.right_answer
def by_numbers(grad_fn, w0, lr, n_steps):
    """Plain lists of numbers: shows that no array is needed but for the gradient."""
    path = [[float(a) for a in w0]]
    for _ in range(n_steps):
        g = grad_fn(np.array(path[-1]))
        path.append([a - lr * b for a, b in zip(path[-1], g, strict=True)])
    return np.array(path)


@gradient_descent.misconception("Your path goes uphill: each step should go against the gradient.")
def climbs(grad_fn, w0, lr, n_steps):
    return _walk(lambda w: -grad_fn(w), w0, lr, n_steps)


@gradient_descent.misconception("The start is missing: row 0 of the path is w0, before any step.")
def forgets_the_start(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, lr, n_steps)[1:]


@gradient_descent.misconception("Your path is one row too short: n steps have n + 1 places.")
def stops_one_short(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, lr, n_steps - 1)


@gradient_descent.misconception("Your path has one step too many: n steps have n + 1 places.")
def goes_one_further(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, lr, n_steps + 1)


@gradient_descent.misconception(
    "You return the last weights: every place on the way is wanted, a row each."
)
def returns_the_end(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, lr, n_steps)[-1]


@gradient_descent.misconception(
    "All your steps use the gradient of the start: ask for it again at each place."
)
def asks_once(grad_fn, w0, lr, n_steps):
    slope = grad_fn(np.asarray(w0, float))
    return np.array([np.asarray(w0, float) - i * lr * slope for i in range(n_steps + 1)])


@gradient_descent.misconception(
    "All rows of your path show the same place: the list holds one array many times, changed in "
    "place, so store copies."
)
def stores_one_array(grad_fn, w0, lr, n_steps):
    w = np.array(w0, float)
    path = [w]
    for _ in range(n_steps):
        w -= lr * grad_fn(w)
        path.append(w)
    return np.array(path)


@gradient_descent.misconception(
    "You moved one weight, and asked for the next slope from there: all weights move at once, from "
    "the same place."
)
def moves_one_weight_after_the_other(grad_fn, w0, lr, n_steps):
    path = [np.array(w0, float)]
    for _ in range(n_steps):
        w = path[-1].copy()
        for i in range(len(w)):
            w[i] -= lr * grad_fn(w)[i]
        path.append(w)
    return np.array(path)


@gradient_descent.misconception(
    "Your steps change w0 itself, and the caller still needs it: start from a copy."
)
def moves_w0(grad_fn, w0, lr, n_steps):
    path = [np.array(w0, float)]
    for _ in range(n_steps):
        w0 -= lr * grad_fn(w0)
        path.append(np.array(w0, float))
    return np.array(path)


@gradient_descent.misconception(
    "Your path is transposed: it should have a row for each place and a column for each weight."
)
def lays_the_path_on_its_side(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, lr, n_steps).T


@gradient_descent.misconception(
    "Your learning rate shrinks from step to step: here it stays as it is."
)
def shrinks_the_rate(grad_fn, w0, lr, n_steps):
    path = [np.array(w0, float)]
    for i in range(n_steps):
        path.append(path[-1] - lr / (i + 1) * grad_fn(path[-1]))
    return np.array(path)


@gradient_descent.misconception(
    "The path kept the integers of w0, so every step lost its decimals: make the start floats."
)
def walks_in_integers(grad_fn, w0, lr, n_steps):
    path = np.empty((n_steps + 1, len(w0)), dtype=np.asarray(w0).dtype)
    path[0] = w0
    for i in range(n_steps):
        path[i + 1] = path[i] - lr * grad_fn(path[i])
    return path


@gradient_descent.misconception("The learning rate has no effect in yours: it scales each step.")
def walks_without_a_rate(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, 1.0, n_steps)


@gradient_descent.misconception(
    "With no steps there is still one place, the start: does a line after your loop use a name "
    "that only the loop defines?"
)
def needs_a_step(grad_fn, w0, lr, n_steps):
    path = [np.array(w0, float)]
    for _ in range(n_steps):
        new = path[-1] - lr * grad_fn(path[-1])
        path.append(new)
    return np.array(path) if new is not None else None


@gradient_descent.misconception(
    "Your path ends after the first step: is return indented so far that it is inside the loop?"
)
def returns_in_the_loop(grad_fn, w0, lr, n_steps):
    path = [np.array(w0, float)]
    for _ in range(n_steps):
        path.append(path[-1] - lr * grad_fn(path[-1]))
        return np.array(path)
    return None


@gradient_descent.misconception(
    "grad_fn is a function, and lr was multiplied with the function itself: which weights does it "
    "have to be called with to give you slopes?"
)
def multiplies_the_function(grad_fn, w0, lr, n_steps):
    path = [np.array(w0, float)]
    for _ in range(n_steps):
        path.append(path[-1] - lr * grad_fn)
    return np.array(path)


@gradient_descent.misconception(
    "Every step starts from w0 again, so all places after the first are the same: step from the "
    "last place."
)
def steps_from_the_start(grad_fn, w0, lr, n_steps):
    start = np.array(w0, float)
    return np.array([start] + [start - lr * grad_fn(start)] * n_steps)


LIST = "You return a list or a tuple of places: np.array makes the wanted table of them."


@gradient_descent.misconception(LIST)
def returns_a_list_of_arrays(grad_fn, w0, lr, n_steps):
    return list(_walk(grad_fn, w0, lr, n_steps))


@gradient_descent.misconception(LIST)
def returns_a_list_of_lists(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, lr, n_steps).tolist()


@gradient_descent.misconception(
    "You return a list, and its row 0 is w0 itself, so a caller who changes the path changes the "
    "start too: make an array of the list."
)
def keeps_w0_itself(grad_fn, w0, lr, n_steps):
    path = [w0]
    for _ in range(n_steps):
        path.append(path[-1] - lr * grad_fn(path[-1]))
    return path


@gradient_descent.misconception(
    "With no steps your path shares its numbers with w0, so a caller who changes one changes both: "
    "make a copy."
)
def shows_w0_itself(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, lr, n_steps) if n_steps else np.asarray(w0, float)[None]


@gradient_descent.misconception(
    "With no steps your path is not a table: the start should be its only row, (1, d), not (d,)."
)
def returns_the_start_alone(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, lr, n_steps) if n_steps else np.array(w0, float)


EARLY = "Where slopes are small yours takes no more steps: n_steps says how many there are."


@gradient_descent.misconception(EARLY)
def stops_early(grad_fn, w0, lr, n_steps):
    path = [np.array(w0, float)]
    for _ in range(n_steps):
        slope = grad_fn(path[-1])
        if np.max(np.abs(slope)) < 1e-6:
            break
        path.append(path[-1] - lr * slope)
    return np.array(path)


@gradient_descent.misconception(EARLY)
def stays_early(grad_fn, w0, lr, n_steps):
    return _walk(lambda w: grad_fn(w) * (np.max(np.abs(grad_fn(w))) >= 1e-06), w0, lr, n_steps)


@gradient_descent.misconception(
    "All your places run together in one long row: keep one row for each place."
)
def runs_places_together(grad_fn, w0, lr, n_steps):
    return _walk(grad_fn, w0, lr, n_steps).ravel()


@gradient_descent.misconception(
    "Your rows hold the slopes at each place: the places themselves are wanted."
)
def collects_slopes(grad_fn, w0, lr, n_steps):
    return np.array([grad_fn(w) for w in _walk(grad_fn, w0, lr, n_steps)])


@gradient_descent.misconception(
    "A step was left out where the gradient is large: take every step, even a long one."
)
def skips_long_steps(grad_fn, w0, lr, n_steps):
    path = [np.array(w0, float)]
    for _ in range(n_steps):
        grad = grad_fn(path[-1])
        path.append(path[-1] - lr * grad * (np.linalg.norm(grad) < 1000))
    return np.array(path)


max_stable_lr = Exercise(points=2, vary={"H": (1, 2)})  # H stays positive definite


def _curvatures(rng, low, high, size):
    """Return a symmetric matrix (size, size) with curvatures spread evenly from low to high."""
    directions, _ = np.linalg.qr(rng.normal(size=(size, size)))
    values = np.linspace(low, high, size)
    H = directions @ np.diag(values) @ directions.T
    return ((H + H.T) / 2).round(3)


@max_stable_lr.cases
def _(rng):
    yield case("value", _curvatures(rng, 0.5, round(rng.uniform(3, 6), 3), 2))
    yield case("value", _curvatures(rng, 0.5, round(rng.uniform(7, 9), 3), 3))
    diagonal = np.array([4.0, 1.5, 6.0, 2.0, 3.0, 5.0])  # no place holds one of a special rank
    yield case("value", np.diag(diagonal) * round(rng.uniform(1, 2), 3))
    # Curvatures near 4.5, 4.1 and 1.3: of equal ones, each processor finds other directions.
    against = np.array([[3.0, -1.0, -1.0], [-1.0, 3.3, -1.0], [-1.0, -1.0, 3.6]])
    yield case("value", against * round(rng.uniform(100, 200), 1))
    yield case("value", against * round(rng.uniform(1, 2), 3) / 10_000)
    yield case("shape", np.array([[round(rng.uniform(2.1, 2.9), 3)]]))
    yield case("shape", _curvatures(rng, 1.0, 5.0, 4))
    yield case("integer", np.array([[2, 1], [1, 3]]))
    yield case("integer", np.array([[3]]))
    yield case("purity", _curvatures(rng, 1.0, 4.0, 2))


@max_stable_lr.right_answer
def by_eigvals(H):
    """Works for any matrix; eigvalsh, for symmetric ones, is faster and never complex."""
    return 2 / np.max(np.linalg.eigvals(H).real)


@max_stable_lr.right_answer
def by_norm(H):
    """For a symmetric H with positive curvature the matrix norm is its largest eigenvalue."""
    return 2.0 / np.linalg.norm(H, 2)


@max_stable_lr.right_answer
def by_singular_values(H):
    return float(2 / np.linalg.svd(H, compute_uv=False)[0])


@max_stable_lr.right_answer
def by_inverse(H):
    """The smallest eigenvalue of the inverse is 1 divided by the largest of H."""
    return 2 * np.min(np.linalg.eigvalsh(np.linalg.inv(H)))


@max_stable_lr.misconception(
    "The step may reach past the bottom and as far up the other side: your bound stops at the "
    "bottom, at half of that."
)
def one_over_the_largest(H):
    return 1 / np.linalg.eigvalsh(H)[-1]


@max_stable_lr.misconception(
    "You used the smallest curvature: which direction makes a step too long first?"
)
def uses_the_smallest(H):
    return 2 / np.linalg.eigvalsh(H)[0]


@max_stable_lr.misconception(
    "That is the largest curvature itself: the more sharply the bowl curves, the smaller the rate "
    "has to be."
)
def returns_the_curvature(H):
    return np.linalg.eigvalsh(H)[-1]


@max_stable_lr.misconception(
    "Your result, half the curvature, grows with the curvature: the more sharply the bowl curves, "
    "the smaller the rate has to be."
)
def turns_the_fraction(H):
    return np.linalg.eigvalsh(H)[-1] / 2


@max_stable_lr.misconception(
    "The largest entry of H, which lies on its diagonal, is the curvature of one weight alone: a "
    "direction between the weights may curve more."
)
def looks_at_the_diagonal(H):
    return 2 / np.max(np.diag(H))


@max_stable_lr.misconception(
    "You added all curvatures up, which is also what the trace does: the largest alone sets the "
    "limit."
)
def uses_the_trace(H):
    return 2 / np.trace(H)


@max_stable_lr.misconception(
    "The mean curvature is not the limit: one sharply curved direction is enough to leave the bowl."
)
def uses_the_mean(H):
    return 2 / np.mean(np.linalg.eigvalsh(H))


@max_stable_lr.misconception(
    "You multiplied all curvatures, which is also what the determinant does: the largest alone "
    "sets the limit."
)
def uses_the_determinant(H):
    return 2 / np.linalg.det(H)


@max_stable_lr.misconception(
    "The square root of the sum of squares mixes all curvatures: the largest alone sets the limit."
)
def uses_the_frobenius_norm(H):
    return 2 / np.linalg.norm(H)


@max_stable_lr.misconception(
    "You return a limit for each direction: the smallest of them is the one that holds for all."
)
def one_for_each_direction(H):
    return 2 / np.linalg.eigvalsh(H)


@max_stable_lr.misconception(
    "That is the rate that gets down fastest in a bowl: the limit, at which the steps bounce, is "
    "further up."
)
def returns_the_fastest(H):
    values = np.linalg.eigvalsh(H)
    return 2 / (values[0] + values[-1])


@max_stable_lr.misconception(
    "max compares numbers, and got whole arrays: the curvatures are the eigenvalues of H, and one "
    "function of numpy's linalg gives them alone, in a flat array."
)
def takes_the_largest_row(H):
    return 2 / max(H)


@max_stable_lr.misconception(
    "eigh returns a pair, the eigenvalues and the directions, and you took the directions: "
    "eigvalsh returns the eigenvalues alone."
)
def takes_the_directions(H):
    return 2 / np.linalg.eigh(H)[-1]


@max_stable_lr.misconception(
    "These eigenvalues come in no order, and you took the first: take the largest."
)
def takes_the_first_of_eig(H):
    return float(2 / np.linalg.eig(H)[0][0])


@max_stable_lr.misconception(
    "These eigenvalues come in no order, and you took the last: take the largest."
)
def takes_the_last_of_eig(H):
    return float(2 / np.linalg.eig(H)[0][-1])


@max_stable_lr.misconception(
    "Your limit has no digits after the decimal point, as with // or int: a learning rate is "
    "usually a fraction."
)
def drops_the_fraction(H):
    return float(2 // np.linalg.eigvalsh(H)[-1])


@max_stable_lr.misconception(
    "You multiplied by the curvature: the more sharply the bowl curves, the smaller the rate has "
    "to be."
)
def multiplies_by_the_curvature(H):
    return 2 * np.linalg.eigvalsh(H)[-1]


@max_stable_lr.misconception(
    "Index 1 is the second eigenvalue, the largest only if there are two: the last is the largest "
    "however many there are."
)
def takes_the_second(H):
    return 2 / np.linalg.eigvalsh(H)[1]


predicted_vs_actual = Exercise(points=3)


def _pair(f, **bound):
    """Return a loss of landscapes and its gradient, with these numbers bound."""
    both = getattr(landscapes, f), getattr(landscapes, f"{f}_grad")
    return tuple(partial(one, **bound) for one in both)


@predicted_vs_actual.cases
def _(rng):
    product, quartic = _pair("product", target=1.0), _pair("quartic")
    ravine, bowl = _pair("ravine", flat=1.0, steep=8.0), _pair("bowl", curvature=1.0)
    yield case("value", *product, np.array([2.0, 2.0]), 0.1)
    yield case("value", *product, rng.uniform(1, 2, size=2).round(3) * [-1, 1], 0.03)
    yield case("value", *ravine, rng.uniform(1, 2, size=2).round(3), 0.1)
    yield case("value", *ravine, -rng.uniform(1, 2, size=2).round(3), 0.3)  # the loss rises
    yield case("value", *quartic, rng.uniform(1, 2, size=4).round(3) * [1, -1, 1, -1], 0.05)
    yield case("value", *bowl, np.array([0.0, 0.00042, -250.5]), 0.5)
    yield case("shape", *bowl, rng.uniform(1, 2, size=1).round(3), 0.1)
    yield case("shape", *ravine, np.zeros(2), 0.1)
    yield case("integer", *ravine, np.array([3, -1]), 0.1)
    yield case("purity", *product, np.array([2.0, 1.0]), 0.05)


@predicted_vs_actual.right_answer
def by_dot(loss_fn, grad_fn, w, lr):
    """The squared length of the gradient as its product with itself."""
    g = grad_fn(np.asarray(w, float))
    return -lr * float(g @ g), float(loss_fn(w - lr * g)) - float(loss_fn(np.asarray(w, float)))


@predicted_vs_actual.right_answer
def by_norm_squared(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return [-lr * np.linalg.norm(g) ** 2, loss_fn(np.subtract(w, lr * g)) - loss_fn(w)]


@predicted_vs_actual.right_answer
def by_the_step(loss_fn, grad_fn, w, lr):
    """Gives the step a name: the prediction is slope times step."""
    g = np.asarray(grad_fn(w))
    step = -lr * g
    return np.array([np.sum(g * step), loss_fn(w + step) - loss_fn(w)])


@predicted_vs_actual.right_answer
def by_a_loop(loss_fn, grad_fn, w, lr):
    """Adds up the promise of each weight: shows that it is a sum over them."""
    g = grad_fn(w)
    promised = 0.0
    for slope in g:
        promised -= lr * slope * slope
    return promised, loss_fn([a - lr * b for a, b in zip(w, g, strict=True)]) - loss_fn(w)


@predicted_vs_actual.misconception(
    "You promise a rise: a step against the gradient goes down, so what sign has the promised "
    "change?"
)
def promises_a_rise(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return lr * g @ g, loss_fn(w - lr * g) - loss_fn(w)


@predicted_vs_actual.misconception(
    "The length of the gradient comes in squared: once for the slope, once for the length of the "
    "step."
)
def forgets_the_square(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -lr * np.linalg.norm(g), loss_fn(w - lr * g) - loss_fn(w)


@predicted_vs_actual.misconception(
    "The learning rate came in twice: the step has it once, and the slope not at all."
)
def squares_the_learning_rate(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -lr * lr * g @ g, loss_fn(w - lr * g) - loss_fn(w)


@predicted_vs_actual.misconception(
    "Your actual change has the wrong sign: subtract the old loss from the new one."
)
def old_minus_new(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -lr * g @ g, loss_fn(w) - loss_fn(w - lr * g)


@predicted_vs_actual.misconception(
    "You return the new loss: what is wanted is by how much it changed."
)
def returns_the_new_loss(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -lr * g @ g, loss_fn(w - lr * g)


@predicted_vs_actual.misconception(
    "The two changed places: first what was promised, then what happened."
)
def turns_the_pair(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return loss_fn(w - lr * g) - loss_fn(w), -lr * g @ g


@predicted_vs_actual.misconception(
    "You went uphill before you measured: the step is against the gradient."
)
def measures_uphill(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -lr * g @ g, loss_fn(w + lr * g) - loss_fn(w)


@predicted_vs_actual.misconception(
    "Your promise leaves the learning rate out: it says how far the step goes."
)
def promises_without_the_rate(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -g @ g, loss_fn(w - lr * g) - loss_fn(w)


@predicted_vs_actual.misconception(
    "You return one number: both are wanted, the promise and what came of it."
)
def returns_the_difference(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return loss_fn(w - lr * g) - loss_fn(w) + lr * g @ g


@predicted_vs_actual.misconception(
    "Your promise holds one number for each weight: the promised change of the loss is their sum."
)
def promises_for_each_weight(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -lr * g * g, loss_fn(w - lr * g) - loss_fn(w)


@predicted_vs_actual.misconception(
    "The step was written into w, so both losses were taken at the same place: keep the new "
    "weights apart."
)
def steps_in_place_first(loss_fn, grad_fn, w, lr):
    w = np.asarray(w)
    g = grad_fn(w)
    new = w
    if w.dtype.kind == "f":
        new -= lr * g
    return -lr * g @ g, loss_fn(new) - loss_fn(w)


@predicted_vs_actual.misconception(
    "You took the new loss at w minus the whole gradient: how far does a step go with this "
    "learning rate?"
)
def steps_without_the_rate(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -lr * g @ g, loss_fn(w - g) - loss_fn(w)


@predicted_vs_actual.misconception(
    "Your promise equals what happens: it needs the slopes and the rate alone, and no loss."
)
def promises_what_happens(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    actual = loss_fn(w - lr * g) - loss_fn(w)
    return actual, actual


@predicted_vs_actual.misconception(
    "The slopes came in once: each has to be multiplied by how far its weight moves, and that is "
    "lr times the slope again."
)
def adds_slopes_without_squares(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -lr * np.sum(g), loss_fn(w - lr * g) - loss_fn(w)


@predicted_vs_actual.misconception(
    "You added the slopes up before you squared: square each of them, then add."
)
def squares_the_sum(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    return -lr * np.sum(g) ** 2, loss_fn(w - lr * g) - loss_fn(w)


@predicted_vs_actual.misconception(
    "Your promise uses the slopes after the step: a promise is made before, with the slopes at w."
)
def promises_afterwards(loss_fn, grad_fn, w, lr):
    g = grad_fn(w)
    after = grad_fn(w - lr * g)
    return -lr * after @ after, loss_fn(w - lr * g) - loss_fn(w)


bias_shift = Question(
    "A neuron that looks for spam says yes too often, to all kinds of mail alike. Its weights are "
    "good. What do you change?",
    answer="Its bias: lower",
    wrong={
        "All its weights: smaller": (
            "Smaller weights make z depend less on the mail, and then the bias decides more, not "
            "less."
        ),
        "Its activation: another one": (
            "Sigmoid and tanh both rise with z and turn at z = 0, so the same mail is on the same "
            "side as before."
        ),
    },
    why="The bias is added to every sum alike: lower, it shifts all mail towards no.",
)

knows_nothing = NumberQuestion(
    "A network for ten digits has learned nothing yet and gives each digit the probability 0.1. "
    "What is its mean cross-entropy?",
    answer=float(-np.log(0.1)),
    low=0,
    high=10,
    step=0.1,
    close=0.3,
    too_low=(
        "A probability of 0.1 for what turns out to be right costs −ln 0.1; a loss near 0 belongs "
        "to one who is nearly sure, and right."
    ),
    too_high=(
        "Cross-entropy takes the logarithm of the probability, and −ln 0.1 is far smaller than "
        "1/0.1 = 10."
    ),
    why=(
        "−ln 0.1 = ln 10 = 2.303. Someone who knows nothing of k classes pays ln k, and the loss "
        "curves of this lesson begin near there."
    ),
)

one_and_a_half = Question(
    "In the bowl L = ½·w² the slope at w is w. The learning rate is 1.5. What do the steps do?",
    answer="They jump from side to side and still get to the bottom",
    wrong={
        "They jump further and further out": (
            "Jumping over the bottom is not yet leaving: it depends on how far up the other side "
            "a step lands."
        ),
        "They roll down on one side": (
            "From the distance 1 a step is 1.5 long, and that is past the bottom."
        ),
        "They bounce between two places forever": (
            "For that, each step would have to land as far out on the other side, and this one "
            "lands nearer."
        ),
    },
    why="Each step multiplies the distance by 1 − 1.5 = −0.5: the other side, half as far out.",
)

steep_side = Question(
    "A ravine is 30 times as sharply curved across as along. Which direction decides how large "
    "the learning rate may be before the steps leave the ravine?",
    answer="The sharply curved one, across",
    wrong={
        "The flat one, along": (
            "Along, a step is short compared with the way to go, so that direction could bear a "
            "far larger rate."
        ),
        "Their mean": (
            "The directions don't share a limit: it is enough that the steps grow in one of them."
        ),
        "Neither: each weight has a rate that suits it": (
            "Plain gradient descent has one rate for all weights, and that is what makes a ravine "
            "hard."
        ),
    },
    why=(
        "Across, the steps are the first to bounce and leave. Along the floor the same rate is "
        "then painfully slow, and that is the trouble with ravines."
    ),
)

sharpest_direction = NumberQuestion(
    "L = ½·(3·w₁² + 3·w₂²) + 2·w₁·w₂. Along each weight alone the curvature is 3. Turn to any "
    "direction between them: how large is the largest curvature that you find?",
    answer=5,
    low=0,
    high=12,
    step=0.5,
    close=0.5,
    too_low=(
        "3 is found along each weight alone; where both grow together, the term 2·w₁·w₂ bends the "
        "loss up as well."
    ),
    too_high=(
        "The term 2·w₁·w₂ does bend the loss up where both weights grow together, but on the "
        "diagonal a distance of 1 moves each weight by only 0.71."
    ),
    why=(
        "A distance t along the diagonal moves each weight by 0.71·t. Then L = ½·3·t² + t² = "
        "½·5·t²: curvature 5, where both weights grow together."
    ),
)

broken_promise = Question(
    "At (2, 2) the slope of (w₁·w₂ − 1)² promises a fall of 28.8 for a learning rate of 0.1. The "
    "loss there is 9. What happens?",
    answer="It falls, by less than 9",
    wrong={
        "It falls by 28.8": "From 9 that would end at −19.8, and a square is never below 0.",
        "It rises": (
            "A step that overshoots far enough would make it rise; this one ends at w₁ = w₂ = 0.8, "
            "where the loss is 0.13."
        ),
        "It falls to 0 exactly": (
            "Nothing stops a step at the bottom: it goes as far as the rate and the slope say, "
            "here to w₁ = w₂ = 0.8."
        ),
    },
    why=(
        "A loss of squares can't fall below 0, so the promise had to break. It falls by 8.87: "
        "each weight's own curvature, and what the two weights do together, push up."
    ),
)

rates_on_digits = NumberQuestion(
    "A network learns to read digits in 60 steps. With the learning rate 0.5 it reads 95 percent "
    "of new digits, and 2/λmax at its start is 0.78. From about which rate on does it read fewer "
    "than half?",
    answer=1.5,
    low=0.1,
    high=5,
    step=0.1,
    close=0.3,
    too_low=(
        "2/λmax is the exact edge only where the curvature stays as it is, in a bowl: here the "
        "network still learns well at some rates beyond it."
    ),
    too_high=(
        "The curvature of a network changes as it learns, but not by any amount: with a rate of 2 "
        "this one is no better than guessing."
    ),
    why=(
        "The cliff is between 1.3 and 1.6. The formula gives the right size of the edge, not the "
        "edge itself."
    ),
)

FOUR_CURVES = (
    "Four loss curves of one network, over 60 steps: A falls to 1.6, then jumps about between 1.6 "
    "and 4.5. B falls at every step, from 2.3 to 1.9. C leaps up to 7 and stays at 2.3. D falls to "
    "0.2. Which of them has a learning rate that is "
)

curve_too_low = Question(
    f"{FOUR_CURVES}far too small?",
    answer="B",
    wrong={
        "A": "A falls quickly and then jumps about: its steps are too long, not too short.",
        "C": (
            "C is flat in the end as well, but first it leaps up: steps too short could not have "
            "thrown it there."
        ),
        "D": "D falls to 0.2 within 60 steps: small steps would not have come that far.",
    },
    why=(
        "B falls at every step, but only a little. It is easily mistaken for a network that can't "
        "learn more: a rate ten times as large shows that it can."
    ),
)

curve_too_high = Question(
    f"{FOUR_CURVES}too large, but not far too large?",
    answer="A",
    wrong={
        "B": "B creeps: it would gain from a larger rate.",
        "C": "C is thrown out in its first steps and never comes back: its rate is far too large.",
        "D": "D falls steadily and ends lowest: nothing about it asks for another rate.",
    },
    why=(
        "A learns at first. Then its steps are too long for the curvature that it meets, and it "
        "jumps about high above D. Half of its rate is the next thing to try."
    ),
)

two_curvatures = NumberQuestion(
    "A bowl has two curvatures, 0.5 and 8. At which learning rate do the steps stop getting to the "
    "bottom?",
    answer=0.25,
    low=0,
    high=4,
    step=0.05,
    close=0.03,
    too_low=(
        "The steps may jump over the bottom: the limit is where they land as far out on the other "
        "side, at 2/λ and not at 1/λ."
    ),
    too_high=(
        "The flat direction would bear 2/0.5 = 4, but the sharply curved one has left long before."
    ),
    why="The largest curvature decides, and 2/8 = 0.25.",
)

shape_of_w = Question(
    "A layer has 4 inputs and 6 neurons. How many weights and biases does it have?",
    answer="24 weights and 6 biases",
    wrong={
        "24 weights and 4 biases": "A bias belongs to a neuron, not to an input.",
        "10 weights and 1 bias": (
            "Every neuron has a weight for every input, so they multiply, and each has a bias."
        ),
        "24 weights and 24 biases": (
            "The bias is added once to each neuron's sum, not to each of its products."
        ),
    },
    why="A weight for each input of each neuron, and one bias for each neuron.",
)

ten_times_less = Question(
    "A network gave the right class the probability 0.1. A worse one gives it 0.01. What happens "
    "to its cross-entropy?",
    answer="It doubles",
    wrong={
        "It grows tenfold": (
            "That would be 1/p; the logarithm turns a factor of 10 into a sum, 2.3 more."
        ),
        "It grows by 0.09": (
            "That would be a loss of 1 − p, which hardly minds confident mistakes; cross-entropy "
            "takes −ln p."
        ),
        "It stays: wrong is wrong": (
            "That is accuracy; a loss also sees how much was given to the right answer."
        ),
    },
    why="−ln 0.1 is 2.3, and −ln 0.01 is 4.6: each factor of ten costs 2.3 more.",
)
