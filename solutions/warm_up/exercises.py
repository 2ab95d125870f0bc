"""The warm-up: points, cases, right answers, misconceptions and questions."""

from functools import partial, reduce

import numpy as np

from grader import Exercise, NumberQuestion, Question, case

UNUSUAL = 0.0, 0.00042, 250.5
"""Each numeric exercise meets a zero, a number near it and a large one."""


def _table(rng, rows, columns):
    """Return a table of positive numbers with few decimals."""
    return rng.uniform(1, 9, size=(rows, columns)).round(2)


bills = Exercise(points=2)


@bills.cases
def _(rng):
    amounts, prices = rng.integers(1, 6, size=(4, 3)) * 1.0, _table(rng, 3, 2)
    yield case("value", amounts, prices)
    yield case("value", np.diag(UNUSUAL), _table(rng, 3, 3))
    yield case("value", -_table(rng, 2, 5), _table(rng, 5, 4))  # what is given back
    for n, d, k in ((1, 3, 4), (7, 2, 1), (3, 1, 4), (1, 1, 1)):
        yield case("shape", _table(rng, n, d), _table(rng, d, k))
    yield case("integer", rng.integers(1, 6, size=(2, 3)), rng.integers(1, 6, size=(3, 4)))
    yield case("integer", rng.integers(1, 6, size=(2, 3)), prices)
    yield case("purity", amounts[:2], prices)


@bills.right_answer
def by_einsum(amounts, prices):
    """The letters name the axes: d, in both inputs and not in the result, is summed over."""
    return np.einsum("nd,dk->nk", amounts, prices)


@bills.right_answer
def by_lists(amounts, prices):
    return np.array([[np.dot(a, p) for p in prices.T] for a in amounts])


@bills.right_answer
def by_transposes(amounts, prices):
    return (prices.T @ amounts.T).T


@bills.right_answer
def by_three_loops(amounts, prices):
    """Says in plain loops what the matrix product does: many more lines, and much slower."""
    out = np.zeros((len(amounts), prices.shape[1]))
    for i in range(len(amounts)):
        for j in range(prices.shape[1]):
            for item in range(len(prices)):
                out[i, j] += amounts[i, item] * prices[item, j]
    return out


@bills.right_answer
def by_broadcasting(amounts, prices):
    """Makes all products at once, then adds them up: easy to look at, and hungry for memory."""
    return np.sum(amounts[:, :, None] * prices[None], axis=1)


@bills.misconception(
    "The star multiplies number by number: a bill is a sum of products, and another sign makes it."
)
def multiplies_by_number(amounts, prices):
    return amounts * prices


@bills.misconception(
    "The order of the two matters: the rows of the first table become the rows of the result."
)
def swaps_the_two(amounts, prices):
    return prices @ amounts


@bills.misconception(
    "You transposed prices: its rows are the items already, as the columns of amounts are."
)
def turns_prices(amounts, prices):
    return amounts @ prices.T


@bills.misconception("Rows and columns of your result are swapped: each person has a row.")
def returns_the_transpose(amounts, prices):
    return (amounts @ prices).T


@bills.misconception("The shops were added up: each of them makes its own bill for a person.")
def adds_the_shops(amounts, prices):
    return (amounts @ prices).sum(axis=1)


@bills.misconception("The people were added up: each of them needs a row in the result.")
def adds_the_people(amounts, prices):
    return (amounts @ prices).sum(axis=0)


@bills.misconception(
    "All bills became one number: the result has a number for each person and shop."
)
def adds_everything(amounts, prices):
    return float(np.sum(amounts @ prices))


@bills.misconception(
    "Only the first person's bills came out: is there an index 0, or a return inside the loop?"
)
def first_person_only(amounts, prices):
    return amounts[0] @ prices


@bills.misconception("Only the first shop's bills came out: the result has a column for each shop.")
def first_shop_only(amounts, prices):
    return amounts @ prices[:, 0]


@bills.misconception(
    "Only the last item is on your bills: a running total needs += where yours has =."
)
def last_item_only(amounts, prices):
    return np.outer(amounts[:, -1], prices[-1])


@bills.misconception("Your total is never set back to 0, so each bill includes the ones before.")
def never_resets(amounts, prices):
    return np.cumsum(amounts @ prices).reshape(len(amounts), -1)


@bills.misconception("The numbers came out as one row: give them a row for each person.")
def one_long_row(amounts, prices):
    return (amounts @ prices).ravel()


@bills.misconception(
    "Your bills lost their cents: int, or an array of integers, cuts off everything after the "
    "decimal point."
)
def loses_the_cents(amounts, prices):
    return (amounts @ prices).astype(int)


@bills.misconception(
    "You averaged over the items: a bill adds them up, without a division by their number."
)
def averages(amounts, prices):
    return amounts @ prices / amounts.shape[1]


@bills.misconception(
    "Each item has its own price: multiply item by item first, and add up afterwards."
)
def multiplies_the_sums(amounts, prices):
    return np.outer(amounts.sum(axis=1), prices.sum(axis=0))


@bills.misconception("Your rows are in a list or a tuple: np.array makes the wanted table of them.")
def returns_a_list(amounts, prices):
    return [row @ prices for row in amounts]


@bills.misconception("An amount below 0 is given back: it lowers the bill, so keep its sign.")
def forgets_what_is_given_back(amounts, prices):
    return np.maximum(amounts, 0) @ prices


row_shares = Exercise(points=2)


@row_shares.cases
def _(rng):
    a = _table(rng, 4, 3)
    yield case("value", a)
    yield case("value", np.vstack([[0.00042, 0.25, 0.125], [250.5, 1.5, 9.0], _table(rng, 1, 3)]))
    for n, k in ((1, 4), (2, 5), (7, 1), (1, 1)):
        yield case("shape", _table(rng, n, k))
    yield case("integer", rng.integers(1, 9, size=(3, 2)))
    yield case("purity", a[:2])
    share = rng.uniform(0.1, 0.9, size=(3, 1)).round(2)
    yield case("purity", np.hstack([share, 1 - share]))  # they are shares already


@row_shares.right_answer
def by_a_new_axis(a):
    """[:, None] puts the lost axis back: as good as keepdims=True."""
    return a / a.sum(axis=1)[:, None]


@row_shares.right_answer
def by_turning_twice(a):
    """Turns the table, so that rows meet the sums without a second axis."""
    return (a.T / a.sum(axis=1)).T


@row_shares.right_answer
def by_rows(a):
    """One row at a time: slow for large tables, and readable without axes."""
    return np.array([row / sum(row) for row in a])


@row_shares.right_answer
def by_reshape(a):
    return np.divide(a, np.reshape(a @ np.ones(a.shape[1]), (-1, 1)))


@row_shares.misconception(
    "Your columns add up to 1, not your rows: axis 0 adds down, so which axis adds across?"
)
def divides_by_columns(a):
    return a / a.sum(axis=0)


@row_shares.misconception(
    "All your numbers together add up to 1: each row should do so for itself."
)
def divides_by_everything(a):
    return a / a.sum()


@row_shares.misconception(
    "The sums lie in a row, one beside the other, and meet the columns of a: keep the axis over "
    "which you add, and they stay a column."
)
def forgets_keepdims(a):
    return a / a.sum(axis=1)


@row_shares.misconception("Those are the sums of the rows: divide each number of a row by its sum.")
def returns_the_sums(a):
    return a.sum(axis=1)


@row_shares.misconception("Those are the sums, as a column: what is left is to divide a by them.")
def returns_a_column_of_sums(a):
    return a.sum(axis=1, keepdims=True)


@row_shares.misconception(
    "You divided by the largest number of a row: a share is a part of the whole row."
)
def divides_by_the_largest(a):
    return a / a.max(axis=1, keepdims=True)


@row_shares.misconception("You divided by the mean of a row: a share is a part of its sum.")
def divides_by_the_mean(a):
    return a / a.mean(axis=1, keepdims=True)


@row_shares.misconception("Your fraction is upside down: a share is the number over its sum.")
def upside_down(a):
    return a.sum(axis=1, keepdims=True) / a


@row_shares.misconception("You took the sum away: for a share, divide by it.")
def subtracts_the_sum(a):
    return a - a.sum(axis=1, keepdims=True)


@row_shares.misconception("Those are shares in percent: here all of a row together is 1.")
def in_percent(a):
    return 100 * a / a.sum(axis=1, keepdims=True)


@row_shares.misconception(
    "You wrote into a itself, and the caller still needs it: make a new array."
)
def works_in_place(a):
    a /= a.sum(axis=1, keepdims=True)
    return a


@row_shares.misconception("Your shares are rounded: return them as they are.")
def rounds(a):
    return (a / a.sum(axis=1, keepdims=True)).round(2)


@row_shares.misconception(
    "Only the first row came out: is there an index 0, or a return inside the loop?"
)
def first_row_only(a):
    return a[0] / a[0].sum()


@row_shares.misconception(
    "Everything after the decimal point is gone, so your shares became 0: //, int and an array of "
    "integers all cut it off."
)
def divides_whole(a):
    return a // a.sum(axis=1, keepdims=True)


@row_shares.misconception("Your result is transposed: it has to have the shape of a.")
def stays_turned(a):
    return a.T / a.sum(axis=1)


@row_shares.misconception(
    "Your result has the type of a, and an array of whole numbers can't hold a share."
)
def keeps_whole_numbers(a):
    out = np.zeros_like(a)
    out[...] = a / a.sum(axis=1, keepdims=True)
    return out


@row_shares.misconception(
    "Where all rows add up to 1 already you return a itself: make a new array in every case."
)
def returns_a_itself(a):
    sums = a.sum(axis=1, keepdims=True)
    return a if np.allclose(sums, 1) else a / sums


center_columns = Exercise(points=2)


@center_columns.cases
def _(rng):
    a = _table(rng, 5, 3)
    yield case("value", a)
    yield case("value", np.vstack([UNUSUAL, -_table(rng, 2, 3)]))
    yield case("value", np.vstack([np.add(_table(rng, 3, 2), [1000, 0]), [960.0, 60.0]]))
    for n, k in ((4, 1), (2, 4), (1, 3), (7, 2), (1, 1)):
        yield case("shape", _table(rng, n, k))
    yield case("integer", np.array([[1, 4], [2, 9], [5, 6], [9, int(rng.integers(1, 9))]]))
    yield case("purity", a[:3])
    b = _table(rng, 1, 2)
    yield case("purity", np.vstack([b, -b]))  # its means are 0 already


@center_columns.right_answer
def by_sums(a):
    """Writes the mean as a sum divided by the number of rows."""
    return a - np.sum(a, axis=0) / len(a)


@center_columns.right_answer
def by_columns(a):
    """One column at a time, put together again: no broadcasting to think about."""
    return np.stack([column - column.mean() for column in a.T], axis=1)


@center_columns.right_answer
def by_a_copy(a):
    """Changes a copy in place: saves memory when the table is large."""
    out = np.array(a, dtype=float)
    out -= out.mean(axis=0, keepdims=True)
    return out


@center_columns.right_answer
def by_repeating_the_row(a):
    return np.subtract(a, np.tile(np.average(a, axis=0), (len(a), 1)))


@center_columns.misconception(
    "Your rows are centred, not your columns: which axis leaves one mean for each column?"
)
def centers_rows(a):
    return a - a.mean(axis=1, keepdims=True)


@center_columns.misconception("You took one mean for all numbers: each column has its own.")
def one_mean_for_all(a):
    return a - a.mean()


@center_columns.misconception(
    "Those are the means of the rows, laid out against the columns: the mean of a column is wanted."
)
def means_of_rows_as_a_row(a):
    return a - a.mean(axis=1)


@center_columns.misconception("Those are the means: what is left is to take them away from a.")
def returns_the_means(a):
    return a.mean(axis=0)


@center_columns.misconception(
    "The signs are flipped: a number above its column's mean should come out positive."
)
def turns_the_sign(a):
    return a.mean(axis=0) - a


@center_columns.misconception("You took away the sum of a column: its mean is wanted.")
def takes_the_sum(a):
    return a - a.sum(axis=0)


@center_columns.misconception("That is the number in the middle, the median: the mean is wanted.")
def takes_the_median(a):
    return a - np.median(a, axis=0)


@center_columns.misconception("You took away the smallest number of a column: its mean is wanted.")
def takes_the_smallest(a):
    return a - a.min(axis=0)


@center_columns.misconception("You took away the first row: each column's mean is wanted.")
def takes_the_first_row(a):
    return a - a[0]


@center_columns.misconception(
    "You wrote into a itself, and the caller still needs it: make a new array."
)
def works_in_place(a):  # noqa: F811 (each exercise has its own misconception by this name)
    a -= a.mean(axis=0)
    return a


@center_columns.misconception("You divided by the means: centring takes them away.")
def divides(a):
    return a / a.mean(axis=0)


@center_columns.misconception(
    "You also divided by the spread of each column: centring only takes the mean away."
)
def standardises(a):
    return (a - a.mean(axis=0)) / a.std(axis=0)


@center_columns.misconception(
    "You made the means a column, which is one number for each row: they are one for each column."
)
def means_as_a_column(a):
    return a - a.mean(axis=0)[:, None]


@center_columns.misconception("Rows and columns of your result are swapped: it has the shape of a.")
def returns_the_transpose(a):  # noqa: F811
    return (a - a.mean(axis=0)).T


@center_columns.misconception(
    "With integers in a, your result holds integers too, and a distance from a mean is seldom one: "
    "which line sets its type?"
)
def keeps_whole_numbers(a):  # noqa: F811
    out = np.zeros_like(a)
    out[...] = a - a.mean(axis=0)
    return out


@center_columns.misconception(
    "Only the first column came out: is there an index 0, or a return inside the loop?"
)
def first_column_only(a):
    return a[:, 0] - a[:, 0].mean()


@center_columns.misconception(
    "Where the means are 0 you hand back a itself: make a new array in any case."
)
def returns_a_itself(a):  # noqa: F811
    means = a.mean(axis=0)
    return a - means if means.any() else a


pick = Exercise(points=2)


@pick.cases
def _(rng):
    a, labels = _table(rng, 5, 3), np.array([2, 0, 1, 2, 1])
    yield case("value", a, labels)
    yield case("value", np.vstack([UNUSUAL, -_table(rng, 2, 3)])[[1, 2, 0]], np.array([1, 2, 0]))
    yield case("value", -np.diag([*UNUSUAL, 1.5])[[2, 1, 0, 3]], np.array([2, 1, 0, 3]))
    yield case("value", _table(rng, 4, 2), np.array([0, 1, 1, 0]))
    yield case("shape", _table(rng, 2, 4), np.array([3, 1]))
    one = _table(rng, 1, 3)
    yield case("shape", one, one.argmin(axis=1))
    yield case("shape", _table(rng, 7, 1), np.zeros(7, int))
    yield case("shape", _table(rng, 1, 1), np.array([0]))
    yield case("integer", rng.integers(1, 99, size=(3, 2)), np.array([1, 0, 1]))
    yield case("purity", a[:3], labels[:3])


@pick.right_answer
def by_a_loop(a, labels):
    """Pairs each row with its label: the plainest way to read, and slow for many rows."""
    return np.array([row[label] for row, label in zip(a, labels, strict=True)])


@pick.right_answer
def by_take_along(a, labels):
    """Made for this task: it also works along other axes."""
    return np.take_along_axis(a, labels[:, None], axis=1)[:, 0]


@pick.right_answer
def by_a_mask(a, labels):
    """Multiplies by a table of ones and zeros: the way that a loss is written on paper."""
    return np.sum(a * (labels[:, None] == np.arange(a.shape[1])), axis=1)


@pick.right_answer
def by_the_diagonal(a, labels):
    return np.diag(a[:, labels])


@pick.right_answer
def by_flat_places(a, labels):
    return a.ravel()[labels + a.shape[1] * np.arange(len(a))]


@pick.misconception(
    "With labels after the colon, each row gives all of these columns: here row i gives one number."
)
def takes_whole_columns(a, labels):
    return a[:, labels]


@pick.misconception(
    "labels came first and chose whole rows: they are column indices, so the row index has to come "
    "before them."
)
def takes_whole_rows(a, labels):
    return a[labels]


@pick.misconception("The two indices are swapped: the row comes first, then the column.")
def swaps_the_indices(a, labels):
    return a[labels, np.arange(len(labels))]


@pick.misconception("You took the same column for every row: each row has its own label.")
def first_label_for_all(a, labels):
    return a[:, labels[0]]


@pick.misconception("You took the largest number of each row: its label says which one is wanted.")
def takes_the_largest(a, labels):
    return a.max(axis=1)


@pick.misconception("You counted the columns from 1: label 0 is the first column already.")
def counts_from_one(a, labels):
    return a[np.arange(len(labels)), labels - 1]


@pick.misconception("All numbers came from the first row: row i belongs to label i.")
def first_row_for_all(a, labels):
    return a[0, labels]


@pick.misconception("You added the picked numbers up: they are wanted one by one.")
def adds_them_up(a, labels):
    return a[np.arange(len(labels)), labels].sum()


@pick.misconception("You averaged the picked numbers: they are wanted one by one.")
def averages(a, labels):  # noqa: F811
    return a[np.arange(len(labels)), labels].mean()


@pick.misconception("The numbers are right and lie in a column: the result has one axis, (n,).")
def keeps_a_column(a, labels):
    return a[np.arange(len(labels)), labels][:, None]


@pick.misconception("Only one number came out: is there a return inside the loop?")
def first_only(a, labels):
    return a[0, labels[0]]


@pick.misconception(
    "Only the last number came out: collect one for each row, and do not write over the others."
)
def last_only(a, labels):
    return a[-1, labels[-1]]


@pick.misconception("You counted the rows with the number of columns: how many rows does a have?")
def counts_the_columns(a, labels):
    return a[np.arange(a.shape[1]), labels]


@pick.misconception("The others became 0 and are still there: leave one number for each row.")
def keeps_zeros(a, labels):
    return a * (labels[:, None] == np.arange(a.shape[1]))


@pick.misconception(
    "Your numbers are in a list or a tuple: np.array makes the wanted array of them."
)
def returns_a_list(a, labels):  # noqa: F811
    return [row[label] for row, label in zip(a, labels, strict=True)]


apply_twice = Exercise(points=2)


@apply_twice.cases
def _(rng):
    yield case("value", np.cos, at=rng.uniform(0.3, 1.2, size=4).round(2).tolist())
    yield case("value", np.exp, at=rng.uniform(0.2, 0.9, size=3).round(2).tolist())
    yield case("value", np.sqrt, at=[*rng.uniform(2, 9, size=3).round(2).tolist(), 1234.5, 0.0004])
    yield case("value", np.arctan, at=[*rng.uniform(-2, -1, size=2).round(2).tolist(), 0.0, 0.7])
    yield case(
        "shape", np.sin, at=[rng.uniform(-1, 1, size=size).round(2) for size in (3, 1, (2, 3))]
    )
    yield case("shape", np.cumsum, at=[rng.uniform(-1, 1, size=4).round(2)])
    yield case("integer", np.square, at=[2, 3])


@apply_twice.right_answer
def by_lambda(f):
    """A function in one line, where it needs no name."""
    return lambda x: f(f(x))


@apply_twice.right_answer
def by_a_loop_inside(f):
    """A loop inside: it also serves for three times, or a hundred."""

    def result(value):
        for _ in range(2):
            value = f(value)
        return value

    return result


@apply_twice.right_answer
def by_partial(f):
    return partial(reduce, lambda value, one: one(value), (f, f))


class _Twice:
    def __init__(self, f):
        self.f = f

    def __call__(self, x):
        return self.f(self.f(x))


@apply_twice.right_answer
def by_an_object(f):
    return _Twice(f)


@apply_twice.misconception("Your function applies f once: what comes out has to go in again.")
def applies_once(f):
    return lambda number: f(number)


@apply_twice.misconception("You doubled the result: here the result goes into f again.")
def doubles_the_result(f):
    return lambda x: 2 * f(x)


@apply_twice.misconception("You squared the result: here the result goes into f again.")
def squares_the_result(f):
    return lambda x: f(x) ** 2


@apply_twice.misconception("You doubled x before f: here x goes in as it is, and f works twice.")
def doubles_x(f):
    return lambda x: f(2 * x)


@apply_twice.misconception("f ran three times: twice is enough.")
def three_times(f):
    return lambda x: f(f(f(x)))


@apply_twice.misconception(
    "Your inner function computes, and returns nothing: it needs its return."
)
def inner_returns_nothing(f):
    def inner(x):
        f(f(x))

    return inner


@apply_twice.misconception(
    "Python does not know a name in yours: x exists only inside the function that takes it as its "
    "input, and any other name has to be spelled as where it was made."
)
def uses_an_unknown_x(f):
    return f(f(unknown))  # noqa: F821  (x, as learners write it)


@apply_twice.misconception("Your function gives x back unchanged: f has to work on it.")
def gives_x_back(f):
    return lambda x: x


@apply_twice.misconception("You multiplied f(x) by x: here f(x) goes into f again.")
def multiplies_by_x(f):
    return lambda x: x * f(x)


@apply_twice.misconception("Two results came out: only the second one is wanted.")
def returns_both(f):
    return lambda x: (f(x), f(f(x)))


@apply_twice.misconception("You fixed the function inside: use the f that the caller hands over.")
def always_cosine(f):
    return lambda x: np.cos(np.cos(x))


@apply_twice.misconception(
    "What you return cannot be called with a number x: it has to be a function that takes one."
)
def returns_no_function_of_x(f):
    return f(f(1.0))


@apply_twice.misconception("The two results were added up: only the second one is wanted.")
def adds_both(f):
    return lambda x: f(x) + f(f(x))


@apply_twice.misconception(
    "Your function hands the numbers of an array to f one by one: f takes the whole array."
)
def one_by_one(f):
    return lambda x: np.array([f(f(one)) for one in x]) if np.ndim(x) else f(f(x))


@apply_twice.misconception("Your function makes one number of its result: x may be a whole array.")
def one_number_only(f):
    return lambda x: float(f(f(x)))


shape_of_product = Question(
    "amounts has the shape (4, 3), prices (3, 2). What is the shape of amounts @ prices?",
    answer="(4, 2)",
    wrong={
        "(4, 3)": "The 3 items are added up, so no axis of length 3 is left.",
        "(3, 3)": "The two 3s meet and disappear: they are what is added up.",
        "It is an error: the shapes differ": (
            "The shapes may differ, as long as the two lengths that meet in the middle agree."
        ),
    },
    why="The two lengths in the middle have to agree, and vanish; the two outer ones remain.",
)

which_axis = Question(
    "a has 4 rows and 3 columns. What is a.sum(axis=0)?",
    answer="3 numbers, one for each column",
    wrong={
        "4 numbers, one for each row": (
            "Axis 0 is the one that runs down over the 4 rows, and it is the one that disappears."
        ),
        "1 number": "One number is what a.sum() gives, without an axis.",
        "The first row, added up": (
            "axis=0 names a direction, down over the rows, and not row number 0."
        ),
    },
    why="The axis that you name is added up and disappears: (4, 3) becomes (3,).",
)

does_it_fit = Question(
    "a has the shape (4, 3), and m holds four numbers, shape (4,). What does a - m do?",
    answer="It raises an error",
    wrong={
        "It takes m[i] away from row i": (
            "numpy lines shapes up from the right, so the 4 of m meets the 3 columns of a."
        ),
        "It takes m[j] away from column j": "There are only 3 columns, and m has 4 numbers.",
        "It uses the first three numbers of m": (
            "numpy never drops numbers to make two arrays fit each other."
        ),
    },
    why="Lined up from the right, 3 meets 4, and neither of them is 1.",
)

shifted_cloud = Question(
    "A cloud of points is a table (60, 2): x and y of each. All points move 3 to the right. "
    "What does the centred cloud do?",
    answer="It stays where it is",
    wrong={
        "It moves 3 to the right, too": "The mean moves along by 3, and it is taken away.",
        "It moves 3 to the left": "3 is added to each x and to their mean: nothing is left over.",
        "It gets wider": "All points move by the same 3, so their distances do not change.",
    },
    why="Every x grows by 3, and so does the mean of x; their difference remains.",
)

too_many_picked = Question(
    "costs has the shape (4, 2), and shop = [0, 1, 0, 1] names a column for each row. "
    "What is the shape of costs[:, shop]?",
    answer="(4, 4)",
    wrong={
        "(4,)": "The colon takes every row for each of the four columns.",
        "(4, 2)": "shop has four numbers, and each of them brings a column, also a repeated one.",
        "It is an error": "A column may be named more than once: it is copied each time.",
    },
    why="A colon means all rows, so every row gives four numbers. One per row needs more.",
)

two_discounts = NumberQuestion(
    "A discount of 10 % is taken off a price of 100, and another 10 % off what is left. "
    "What is the price now?",
    answer=81,
    low=70,
    high=100,
    step=1,
    close=0.5,
    too_low="The second discount is 10 % of 90, which is less than 10.",
    too_high="One discount brings it down to 90, and the second takes 9 off that.",
    why="Each discount keeps 0.9 of the price: 100 · 0.9 · 0.9.",
)

missing_shape = Question(
    "X has the shape (10, 64), and X @ W has (10, 5). What is the shape of W?",
    answer="(64, 5)",
    wrong={
        "(5, 64)": "The length that meets the 64 of X stands first in W.",
        "(10, 5)": "That is the shape of the result; the 64 of X would meet a 10.",
        "(64, 10)": "The last length of W is the last one of the result, which is 5.",
    },
    why="(10, 64) @ (64, 5): the two 64s meet, and 10 and 5 remain.",
)

without_keepdims = Question(
    "a has the shape (6, 6). What does a / a.sum(axis=1) do?",
    answer="It divides column j by the sum of row j",
    wrong={
        "It divides row i by the sum of row i": (
            "The six sums lie in a row, shape (6,), and are lined up with the columns."
        ),
        "It raises an error": (
            "6 meets 6, so numpy does not complain: with a square table this mistake is silent."
        ),
        "It divides column j by the sum of column j": "axis=1 adds across: these are sums of rows.",
    },
    why="keepdims=True would keep them a column, (6, 1), and each row would meet its own sum.",
)

what_comes_back = Question(
    "make(n) contains: def add(x): return x + n, and then: return add. What is make(3)?",
    answer="A function that adds 3",
    wrong={
        "The number 3": "3 is only remembered as n: nothing is added before x is there.",
        "An error, as x is missing": "x is needed when add is called, and make does not call it.",
        "The function make": "make returns what stands after its return, and that is add.",
    },
    why="make(3) is a function, so make(3)(4) is 7.",
)
