"""Edits that need more than one expression: returns, loops, calls, copies, conditions, axes.

An operator yields the places where it applies, each with its edit and a sentence. A sentence says
what the code does, in the learner's own words, and never what the edit put in.
"""

from __future__ import annotations

import ast
import builtins
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from grader.diagnosis.edits import (
    Answer,
    Change,
    Site,
    called,
    expression,
    last_name,
    names_in,
    number,
    parts_of,
    statements,
    stored,
    with_fields,
)
from grader.diagnosis.rules import STEPS

SLIP = 1.0
"""Rank of slips in the Python: a sentence about one is nearer than that of a misconception."""

Sites = Callable[[Answer], Iterator[Site]]
OPERATORS: list[tuple[float, Sites]] = []


def operator(rank: float) -> Callable[[Sites], Sites]:
    """Register an operator; its name is the mistake's."""

    def register(sites: Sites) -> Sites:
        OPERATORS.append((rank, sites))
        return sites

    return register


# ------------------------------------------------------------------ what is returned, and when


@operator(SLIP)
def return_in_loop(a: Answer) -> Iterator[Site]:
    """Move a return out of its loop, or out of all loops around it."""
    for node in a.of(ast.Return):
        loops = a.loops(node)
        if loops and a.parent[node] is loops[0]:
            says = (
                f"{a.quote(node)} is inside the loop, so the function ends in the loop's first"
                " round: when is the result complete?"
            )
            for loop in dict.fromkeys((loops[0], loops[-1])):
                yield Site(says, [(node, []), (loop, [loop, with_fields(node)])])


@operator(SLIP)
def no_return(a: Answer) -> Iterator[Site]:
    """Return what is printed, what the last line computes, or a variable."""
    for one in a.of(ast.FunctionDef):
        own = [node for node in a.of(ast.Return) if a.function_of(node) is one]
        if any(node.value for node in own):
            continue
        last, who = one.body[-1], f"`{one.name}`"
        says = f"{who} computes its result and does not return it, so the caller gets None."
        if isinstance(last, ast.Expr) and called(last.value) == "print":
            assert isinstance(last.value, ast.Call)
            says = f"{who} prints its result and does not return it, so the caller gets None."
            for arg in [ast.Tuple(last.value.args, ast.Load()), *last.value.args]:
                yield Site(says, [(last, ast.Return(arg))])
        elif isinstance(last, ast.FunctionDef):
            says = f"`{last.name}` is defined inside {who}, and never returned: {who} gives None."
            yield Site(says, [(last, [last, *statements(f"return {last.name}")])])
        else:
            if isinstance(last, ast.Expr):
                yield Site(says, [(last, ast.Return(last.value))])
            for name in reversed(stored(one)):
                yield Site(says, [(last, [last, *statements(f"return {name}")])])


@operator(SLIP)
def early_return(a: Answer) -> Iterator[Site]:
    """Drop the returns before the last one, or return the parts of all."""
    for one in a.of(ast.FunctionDef):
        tops = [node for node in one.body if isinstance(node, ast.Return) and node.value]
        if len(tops) > 1:
            says = (
                f"The function ends at {a.quote(tops[0])}, so the lines below never run: a"
                " function returns once."
            )
            drop: list[Change] = [(node, []) for node in tops[:-1]]
            parts = [part for node in tops for part in parts_of(node.value)]
            yield Site(says, [*drop, (tops[-1], ast.Return(ast.Tuple(parts, ast.Load())))])
            yield Site(says, drop)


@operator(SLIP)
def returned_exception(a: Answer) -> Iterator[Site]:
    """Raise what is returned or only made, and refuse what is only noticed."""
    for node in [*a.of(ast.Return), *a.of(ast.Expr)]:
        if node.value and (called(node.value) or last_name(node.value)).endswith("Error"):
            says = "The exception is made, but not raised: the caller gets it as a result."
            yield Site(says, [(node, ast.Raise(node.value))], "made")
    for kind in sorted(a.raises):
        refuse = statements(f"raise {kind}")
        for raised in a.of(ast.Raise):
            if raised.exc and (called(raised.exc) or last_name(raised.exc)) != kind:
                says = f"Look at {a.quote(raised)}: which exception does the task name?"
                yield Site(says, [(raised, refuse)], "other")
        for test in a.of(ast.If):
            last = test.body[-1]
            shown = isinstance(last, ast.Expr) and called(last.value) == "print"
            if shown or isinstance(last, (ast.Return, ast.Pass)):
                says = (
                    f"{a.quote(test)} finds the bad input, and {a.quote(last)} does not refuse"
                    " it: how does the caller learn that something is wrong?"
                )
                yield Site(says, [(last, refuse)], "refuse")
        for claim in a.of(ast.Assert):
            says = "`assert` raises an AssertionError: which exception does the task name?"
            raised_ = statements(f"if not C: raise {kind}", C=claim.test)
            yield Site(says, [(claim, raised_)], "assert")


# ------------------------------------------------------------------ loops


@operator(SLIP)
def overwritten_in_loop(a: Answer) -> Iterator[Site]:
    """Add to a variable that each round of a loop assigns again."""
    for node in a.of(ast.Assign):
        target, loops = node.targets[0], a.loops(node)
        if loops and isinstance(target, ast.Name) and target.id not in names_in(node.value):
            says = (
                f"`{target.id}` is overwritten in every round of the loop, so only the last round"
                " counts: what should become of the rounds before?"
            )
            added = ast.AugAssign(target, ast.Add(), node.value)
            yield Site(says, [(node, added)], f"{id(loops[0])}")


@operator(SLIP)
def not_handed_on(a: Answer) -> Iterator[Site]:
    """Give the next round of a loop what this one has made."""
    for loop in a.all_loops():
        made = {name for line in loop.body for name in stored(line)}
        read = {name for line in loop.body for name in names_in(line)} - made - a.callables
        head = stored(loop.target) if isinstance(loop, ast.For) else []
        for given in [name for name in a.scope(loop) if name in read]:
            says = (
                f"Every round of the loop starts from the same `{given}`: what one round has made"
                " never reaches the next."
            )
            for new in sorted(made.difference(head)):
                more = [*loop.body, *statements(f"{given} = {new}")]
                yield Site(says, [(loop, with_fields(loop, body=more))])


@operator(SLIP + 0.1)
def loop_through(a: Answer) -> Iterator[Site]:
    """Loop over range(n), over columns, or in the other direction."""
    for node in [*a.of(ast.For), *a.of(ast.comprehension)]:
        over = node.iter
        if isinstance(over, ast.Name):
            says = f"`{over.id}` is a number: what does a loop go through, one for each round?"
            yield Site(says, [(over, expression("range(A)", A=over))])
            says = f"The loop goes through the rows of `{over.id}`: are those the ones meant?"
            yield Site(says, [(over, expression("A.T", A=over))])
        if called(over) == "reversed" and isinstance(over, ast.Call):
            says = "The loop goes from the last to the first: where does it have to start?"
            yield Site(says, [(over, over.args[0])])
            continue
        says = "The loop goes from the first to the last: where does it have to start?"
        back = expression("reversed(list(A))", A=over)
        yield Site(says, [(over, back)])
        for out in a.of(ast.Return) if isinstance(node, ast.For) else ():
            if out.value is not None:  # the results are collected in the order of the rounds
                yield Site(says, [(over, back), (out.value, expression("A[::-1]", A=out.value))])


@operator(2.4)
def range_ends(a: Answer) -> Iterator[Site]:
    """Begin or end a range one earlier or later."""
    for node in a.of(ast.Call):
        if called(node) == "range":
            says = f"{a.quote(node)} is one off: go through its first and last round by hand."
            for arg, op in itertools.product(node.args[:2], "+-"):
                yield Site(says, [(arg, expression(f"A {op} 1", A=arg))])
            if len(node.args) == 1:
                yield Site(says, [(node, expression("range(1, A)", A=node.args[0]))])


@operator(2.6)
def wrong_round(a: Answer) -> Iterator[Site]:
    """Move a statement into a loop or out of it."""
    for loop in a.all_loops():
        block = a.block(loop)
        at = block.index(loop)
        for line in [*block[max(0, at - 3) : at], *block[at + 1 : at + 3]]:
            if isinstance(line, (ast.Assign, ast.AugAssign, ast.Expr)):
                before = line.lineno < loop.lineno
                says = f"{a.quote(line)} is done once, after the loop: does every round need it?"
                if before:
                    says = (
                        f"{a.quote(line)} is done once, before the loop: is it new in each round?"
                    )
                body = (
                    [with_fields(line), *loop.body] if before else [*loop.body, with_fields(line)]
                )
                yield Site(says, [(line, []), (loop, with_fields(loop, body=body))])
        if len(loop.body) > 1 and isinstance(last := loop.body[-1], (ast.Assign, ast.AugAssign)):
            says = f"{a.quote(last)} is done in every round: should it wait for the loop's end?"
            yield Site(says, [(loop, [with_fields(loop, body=loop.body[:-1]), last])])


@operator(2.8)
def wrong_order(a: Answer) -> Iterator[Site]:
    """Move a statement up or down in its block."""
    for parent in [*a.of(ast.FunctionDef), *a.all_loops()]:
        lines = parent.body
        for i, j in itertools.permutations(range(min(len(lines), 7)), 2):
            moves = isinstance(lines[i], (ast.Assign, ast.AugAssign, ast.Expr))
            if moves and i != j - 1 and not (isinstance(lines[j], ast.Return) and j > i):
                order = [line for line in lines if line is not lines[i]]
                order.insert(j, lines[i])
                how = "late: what has changed by then?" if j < i else "early: what comes before?"
                changed = with_fields(parent, body=order)
                rank = 2.8 + abs(i - j) / 10
                yield Site(f"{a.quote(lines[i])} comes too {how}", [(parent, changed)], rank=rank)


# ------------------------------------------------------------------ names, calls, arguments


@operator(SLIP)
def module_missing(a: Answer) -> Iterator[Site]:
    """Take an unknown name from numpy."""
    for node in a.of(ast.Name):
        unknown = not (node.id in a.known or hasattr(builtins, node.id) or node.id in a.scope(node))
        if unknown and isinstance(node.ctx, ast.Load):
            says = f"Python does not know `{node.id}` by itself: which library has it?"
            for home, module in (("np", np), ("np.linalg", np.linalg)):
                if hasattr(module, node.id):
                    yield Site(says, [(node, expression(f"{home}.{node.id}"))], node.id)


@operator(SLIP + 0.2)
def one_number_only(a: Answer) -> Iterator[Site]:
    """Use numpy's function in place of one for a single number."""
    for node in a.of(ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "math" and hasattr(np, node.attr):
            says = (
                f"{a.quote(node)} takes one number, and the input may be an array: what computes it"
                " for all its numbers at once?"
            )
            yield Site(says, [(node, expression(f"np.{node.attr}"))], "math")
    for call in a.of(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id in ("max", "min", "sum"):
            says = f"Python's own `{call.func.id}` does not know the axes of an array."
            yield Site(says, [(call.func, expression(f"np.{call.func.id}"))], call.func.id)


METHODS = {"max", "min", "sum", "mean", "copy", "all", "any", "item", "std", "var", "argmax"}


@operator(SLIP + 0.2)
def not_called(a: Answer) -> Iterator[Site]:
    """Call a function, or use a value without calling it."""
    for node in a.of(ast.Name):
        if node.id in a.callables and not isinstance(a.parent[node], ast.Call):
            says = (
                f"`{node.id}` is a function, and is not called here: at which point is its value?"
            )
            for arg in reversed([one for one in a.scope(node) if one not in a.callables]):
                yield Site(says, [(node, expression(f"A({arg})", A=node))], f"{node.id} {arg}")
    for method in a.of(ast.Attribute):
        around = a.parent[method]
        if method.attr in METHODS and getattr(around, "func", None) is not method:
            says = f"{a.quote(method)} names the method without calling it."
            yield Site(says, [(method, expression("A()", A=method))], "method")
    for call in a.of(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id in a.arrays:
            says = f"`{call.func.id}` is called, and it is no function: what are you given?"
            yield Site(says, [(call, call.func)], call.func.id)


@operator(2)
def not_used(a: Answer) -> Iterator[Site]:
    """Use a parameter that is never read: a function on a value, a number in a calculation."""
    for name in [one for one in a.params if one not in a.read]:
        says = f"`{name}` is given to you and never used: which part of yours needs it?"
        for value in a.values():
            for op in "+-*/" if name in a.arrays else ():
                yield Site(says, [(value, expression(f"A {op} {name}", A=value))])
            if name in a.callables:
                yield Site(says, [(value, expression(f"{name}(A)", A=value))])
                if isinstance(value, ast.Call) and len(value.args) == 1:
                    yield Site(says, [(value, expression(f"{name}(A)", A=value.args[0]))])


@operator(1.9)
def argument_order(a: Answer) -> Iterator[Site]:
    """Exchange two arguments."""
    for node in a.of(ast.Call):
        what = called(node)
        if what not in ("zip", "range", "clip", "isinstance", "maximum", "minimum", "dot"):
            where = what == "where" and len(node.args) == 3
            pairs = [(1, 2)] if where else itertools.combinations(range(len(node.args)), 2)
            for i, j in pairs:
                args = [*node.args]
                args[i], args[j] = args[j], args[i]
                says = f"Look at {a.quote(node)}: in which order does `{what}` take its arguments?"
                if where:
                    says = f"Look at {a.quote(node)}: which value is for where the condition holds?"
                new = with_fields(node, args=args)
                yield Site(says, [(node, new)], f"{what} {i} {j}", SLIP + 0.3 if where else None)


@operator(SLIP + 0.3)
def argument_tuple(a: Answer) -> Iterator[Site]:
    """Give a shape as one tuple, and draw by the names of a Generator."""
    old = {"randn": "standard_normal", "rand": "random", "randint": "integers"}
    for node in a.of(ast.Call):
        what = called(node)
        if len(node.args) > 1 and not isinstance(node.args[-1], ast.Tuple):
            shape = ast.Tuple(node.args[-2:], ast.Load())
            says = f"{a.quote(node)} gets the sizes one by one: is a shape one thing, or several?"
            yield Site(says, [(node, with_fields(node, args=[*node.args[:-2], shape]))], what)
        if isinstance(node.func, ast.Attribute) and what in old:
            says = f"`{what}` belongs to the old `np.random`: what does a Generator call it?"
            func = with_fields(node.func, attr=old[what])
            args = node.args if what == "randint" else [ast.Tuple(node.args, ast.Load())]
            yield Site(says, [(node, with_fields(node, func=func, args=args))], "old")


CHANGES_LIST = ("append", "extend", "insert", "reverse", "sort")


@operator(SLIP)
def in_place_method(a: Answer) -> Iterator[Site]:
    """Don't use the None that a list's method returns, and keep what a function returns."""
    for node in [*a.of(ast.Assign), *a.of(ast.Return)]:
        if (what := called(node.value)) in CHANGES_LIST and isinstance(node.value, ast.Call):
            says = f"`{what}` changes the list itself and returns None."
            new: list[ast.stmt] = [ast.Expr(node.value)]
            if isinstance(node, ast.Return) and isinstance(node.value.func, ast.Attribute):
                new.append(ast.Return(node.value.func.value))
            yield Site(says, [(node, new)])
    for line in a.of(ast.Expr):
        if isinstance(line.value, ast.Call) and called(line.value) not in ("print", *CHANGES_LIST):
            for arg in [one for one in line.value.args if isinstance(one, ast.Name)]:
                says = f"{a.quote(line)} returns something new, and nothing keeps it."
                yield Site(says, [(line, statements(f"{arg.id} = A", A=line.value))])


# ------------------------------------------------------------------ copies and kinds of number


@operator(2.2)
def writes_into_input(a: Answer) -> Iterator[Site]:
    """Work on a copy of an input."""
    for node in a.of(ast.Assign):
        if isinstance(node.value, ast.Name) and isinstance(node.targets[0], ast.Name):
            says = f"{a.quote(node)} gives the same array a second name, and makes no copy of it."
            yield Site(says, [(node.value, expression("np.copy(A)", A=node.value))])
    for update in a.of(ast.AugAssign):
        if isinstance(name := update.target, ast.Name):
            value = ast.BinOp(ast.Name(name.id, ast.Load()), update.op, update.value)
            says = f"{a.quote(update)} changes the array itself: who else has this array?"
            yield Site(says, [(update, ast.Assign([name], value))], "update")
    for call in a.of(ast.Call):
        if called(call) == "asarray":
            says = (
                f"{a.quote(call)} copies only where it has to change the type: whose array is it?"
            )
            yield Site(says, [(call.func, expression("np.array"))], "asarray")
        keep = [word for word in call.keywords if word.arg != "out"]
        if len(keep) < len(call.keywords):
            says = f"{a.quote(call)} writes its result into the array that `out` names."
            yield Site(says, [(call, with_fields(call, keywords=keep))])
    places = [one.value for one in a.of(ast.Subscript) if isinstance(one.ctx, ast.Store)]
    written = {last_name(one) for one in [*places, *(one.target for one in a.of(ast.AugAssign))]}
    for name in [one for one in a.arrays if one in written or "purity" in a.missed]:
        says = f"Your code writes into `{name}` itself: who else needs it as it was?"
        for made in (f"np.copy({name})", f"list({name})", f"np.array({name}, dtype=float)"):
            yield Site(says, [(a.first, [*statements(f"{name} = {made}"), a.first])])


@operator(2.2)
def whole_numbers(a: Answer) -> Iterator[Site]:
    """Let numbers keep their decimals."""
    for node in a.of(ast.Call):
        what = called(node)
        if what.endswith("_like") and not any(word.arg == "dtype" for word in node.keywords):
            says = f"{a.quote(node)} takes over the type too: can it hold a decimal?"
            words = [*node.keywords, ast.keyword("dtype", expression("float"))]
            yield Site(says, [(node, with_fields(node, keywords=words))], "like")
        types = [word.value for word in node.keywords if word.arg == "dtype"]
        for type_ in [*types, *(node.args[:1] if what == "astype" else [])]:
            if last_name(type_).startswith("int"):
                says = f"{a.quote(node)} cuts off everything behind the point."
                yield Site(says, [(type_, expression("float"))], "int")
    for names in [[name] for name in a.arrays] + [a.arrays] if "integer" in a.missed else []:
        casts = statements("; ".join(f"{one} = np.array({one}, dtype=float)" for one in names))
        says = (
            f"{' and '.join(f'`{one}`' for one in names)} may hold whole numbers, and what is"
            " computed from them may stay whole: where do they have to become decimals?"
        )
        yield Site(says, [(a.first, [*casts, a.first])], rank=3.4)


# ------------------------------------------------------------------ conditions


@operator(SLIP + 0.4)
def if_on_array(a: Answer) -> Iterator[Site]:
    """Choose for each number, or ask for all or any of them."""
    for node in [*a.of(ast.If), *a.of(ast.IfExp)]:
        says = (
            f"An `if` decides once, and {a.quote(node.test)} has an answer for every number of the"
            " array: what chooses for each number?"
        )
        if changes := _chosen(a, node):
            yield Site(says, changes)
    for test in a.of(ast.Compare):
        if isinstance(a.parent[test], (ast.If, ast.While, ast.BoolOp, ast.IfExp)):
            says = f"An `if` needs one answer, and {a.quote(test)} has one for every number."
            for word in ("all", "any"):
                yield Site(says, [(test, expression(f"np.{word}(A)", A=test))], word)


def _chosen(a: Answer, node: ast.If | ast.IfExp) -> list[Change]:
    """Return the edit that chooses between two results for each number; empty if there is none."""
    where = "np.where(T, A, B)"
    if isinstance(node, ast.IfExp):
        return [(node, expression(where, T=node.test, A=node.body, B=node.orelse))]
    block = a.block(node)
    after = block[block.index(node) + 1 :]
    match [*node.body, *(node.orelse or after)]:
        case [ast.Return(ast.expr() as one), ast.Return(ast.expr() as other)]:
            chosen = ast.Return(expression(where, T=node.test, A=one, B=other))
            return [(node, chosen), *((line, []) for line in after)]
        case [ast.Assign([target], one), ast.Assign(_, other)] if node.orelse:
            return [(node, ast.Assign([target], expression(where, T=node.test, A=one, B=other)))]
    return []


FLIPS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}


@operator(2.4)
def condition(a: Answer) -> Iterator[Site]:
    """Turn a comparison, move its edge, or exchange `and` and `or`, or the branches."""
    for node in a.of(ast.Compare):
        for new in FLIPS.get(type(node.ops[0]), ()):
            says = f"Look at {a.quote(node)}, also where both sides are equal: when is it true?"
            changed = with_fields(node, ops=[new(), *node.ops[1:]])
            yield Site(says, [(node, changed)], f"{type(node.ops[0])} {new}")
    for both in a.of(ast.BoolOp):
        is_or = isinstance(both.op, ast.Or)
        says = f"In {a.quote(both)}, {'one is enough' if is_or else 'both have to hold'}: is it so?"
        yield Site(says, [(both, with_fields(both, op=ast.And() if is_or else ast.Or()))])
    for test in a.of(ast.If):
        if test.orelse:
            says = f"Look at {a.quote(test)}: which branch is for which answer?"
            yield Site(says, [(test, with_fields(test, body=test.orelse, orelse=test.body))])


# ------------------------------------------------------------------ the order of a calculation

BINDS = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2, ast.Pow: 3}
COUNTING = ("range", "append", "len", "shape")


@operator(1.5)
def parentheses(a: Answer) -> Iterator[Site]:
    """Compute in another order, or close a parenthesis elsewhere."""
    for node in a.of(ast.BinOp):
        if not any(_tiny(one) for one in ast.walk(node)):  # fits anywhere, within the tolerance
            yield from _other_order(a, node)
    for call in a.of(ast.Call):
        what = called(call)
        if call.args and isinstance(arg := call.args[0], ast.BinOp) and what not in COUNTING:
            for inside, outside in (("left", "right"), ("right", "left")):
                shut = with_fields(call, args=[getattr(arg, inside), *call.args[1:]])
                q = a.quote(getattr(arg, outside))
                says = f"{q} is inside the parentheses of `{what}`: does it belong there?"
                yield Site(says, [(call, with_fields(arg, **{inside: shut}))], f"out {what}")
    for minus in a.of(ast.UnaryOp):
        inner = minus.operand if isinstance(minus.op, ast.USub) else None
        if isinstance(inner, ast.BinOp) and not isinstance(inner.op, ast.Mult):
            new = with_fields(inner, left=with_fields(minus, operand=inner.left))
            says = f"The minus in {a.quote(minus)} is for all of it: is it meant to be?"
            yield Site(says, [(minus, new)], "all")


def _other_order(a: Answer, node: ast.BinOp) -> Iterator[Site]:
    left, right, q = node.left, node.right, a.quote(node)
    says = f"Python computes {q} in another order than you mean: what comes first in it?"
    inner = left if isinstance(left, ast.BinOp) else right
    if isinstance(inner, ast.BinOp) and BINDS.get(type(inner.op), 0) < BINDS.get(type(node.op), 0):
        says = f"Look at the parentheses in {q}: what belongs together?"
    if isinstance(left, ast.BinOp):
        new = with_fields(left, right=with_fields(node, left=left.right))
        yield Site(says, [(node, new)], f"left {type(left.op)} {type(node.op)}")
    if isinstance(right, ast.BinOp):
        new = with_fields(right, left=with_fields(node, right=right.left))
        yield Site(says, [(node, new)], f"right {type(right.op)} {type(node.op)}")
    first = left.operand if isinstance(left, ast.UnaryOp) else left
    if isinstance(first, ast.Call) and first.args and called(first) not in COUNTING:
        args = [with_fields(node, left=first.args[0]), *first.args[1:]]
        moved: ast.expr = with_fields(first, args=args)
        if isinstance(left, ast.UnaryOp):
            moved = with_fields(left, operand=moved)
        says = f"In {q}, a parenthesis of `{called(first)}` closes too early: what is left outside?"
        yield Site(says, [(node, moved)], "early")
    if isinstance(left, ast.UnaryOp):
        whole = with_fields(left, operand=with_fields(node, left=left.operand))
        yield Site(f"The minus in {q} is for its first part only.", [(node, whole)], "minus")
    if isinstance(right, ast.Call) and len(right.args) == 1 and called(right) in STEPS:
        late = with_fields(right, args=[with_fields(node, right=right.args[0])])
        says = f"In {q}, where should the parenthesis of `{called(right)}` open?"
        yield Site(says, [(node, late)], "late", 2.5)


def _tiny(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is float and 0 < node.value < 1e-3


# ------------------------------------------------------------------ axes and parts

REDUCERS = {"sum", "mean", "max", "min", "std", "var", "norm", "argmax", "argmin", "any", "all"}
REDUCERS |= {"prod", "amax", "amin", "cumsum", "sort", "flip", "stack", "concatenate"}


@operator(1.7)
def axis(a: Answer) -> Iterator[Site]:
    """Reduce along another axis, and keep the axis or not."""
    for node in a.of(ast.Call):
        if called(node) not in REDUCERS or isinstance(node.func, ast.Name):
            continue
        words = {word.arg: word for word in node.keywords}
        second = node.args[1] if len(node.args) == 2 and number(node.args[1]) is not None else None
        now = number(words["axis"].value) if "axis" in words else number(second)
        args = node.args[:1] if second else node.args
        rest = [word for word in node.keywords if word.arg not in ("axis", "keepdims")]
        kept = [words["keepdims"]] if "keepdims" in words else []
        keep, q = ast.keyword("keepdims", expression("True")), a.quote(node)
        if now is not None:
            says = f"{q} works along one axis: which numbers belong together?"
            yield Site(says, [(node, with_fields(node, args=args, keywords=rest))], "none")
        if now is not None and not kept:
            says = f"{q} loses an axis: does its result still line up with the rows it came from?"
            new = with_fields(node, keywords=[*node.keywords, keep])
            yield Site(says, [(node, new)], "keep", 1.5)
        if kept:
            fewer = [word for word in node.keywords if word is not kept[0]]
            says = f"{q} keeps an axis of length 1: is it wanted?"
            yield Site(says, [(node, with_fields(node, keywords=fewer))], "lose", 2)
        for number_ in [one for one in (0, 1, -1) if one != now]:
            says = f"{q} goes along an axis: what is in a row, and what in a column?"
            if now is None:
                says = f"{q} takes all numbers together: which of them belong together?"
            elif (now, number_) == (1, -1):
                says = f"{q} needs an axis 1: does every input have it?"
            along = [*rest, ast.keyword("axis", expression(f"{number_}"))]
            for more in [kept] if kept else [[], [keep]]:
                new = with_fields(node, args=args, keywords=[*along, *more])
                rank = 1.7 if more == kept else 2.2
                yield Site(says, [(node, new)], f"{number_} {now} {rank}", rank)


@operator(1.8)
def parts_order(a: Answer) -> Iterator[Site]:
    """Return or unpack parts in another order."""
    for node in [*a.of(ast.Return), *a.of(ast.Assign)]:
        target = node.value if isinstance(node, ast.Return) else node.targets[0]
        if isinstance(target, ast.Tuple) and len(target.elts) <= 3:
            says = f"Look at {a.quote(node)}: in which order are the parts wanted?"
            for order in [*itertools.permutations(target.elts)][1:]:
                yield Site(says, [(target, with_fields(target, elts=[*order]))])
