"""Edits that need more than one expression: returns, loops, calls, copies, conditions, axes.

An operator yields the places where it applies, each with its edit and a sentence. A sentence says
what the code does, in the learner's own words, and never what the edit put in.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from grader.diagnosis.edits import Answer, Edit
from grader.syntax import (
    called,
    expression,
    last_name,
    names_in,
    number,
    rebuilt,
    statements,
    stored,
    with_fields,
)

SLIP = 1.0
"""Rank of slips in the Python: a sentence about one is nearer than that of a misconception."""

Operator = Callable[[Answer], Iterator[Edit]]
OPERATORS: list[tuple[str, float, Operator]] = []


def operator(rank: float) -> Callable[[Operator], Operator]:
    """Register an operator; its name is the mistake's."""

    def register(function: Operator) -> Operator:
        OPERATORS.append((function.__name__, rank, function))
        return function

    return register


@operator(SLIP)
def return_in_loop(a: Answer) -> Iterator[Edit]:
    """Move a return out of its loop, or out of all loops around it."""
    for node in a.of(ast.Return):
        loops = a.loops(node)
        says = f"{a.quote(node)} ends the function in the loop's first round: is all done by then?"
        if loops and a.parent[node] is loops[0]:
            for loop in dict.fromkeys((loops[0], loops[-1])):
                yield Edit(says, [(node, []), (loop, [loop, with_fields(node)])])


@operator(SLIP)
def no_return(a: Answer) -> Iterator[Edit]:
    """Return the printed value, the last line's value, or a variable."""
    for one in a.of(ast.FunctionDef):
        last: Any = one.body[-1]
        if any(node.value for node in a.of(ast.Return) if a.function_of(node) is one):
            continue
        says = f"`{one.name}` computes its result and does not return it, so the caller gets None."
        found: list[Any] = [ast.Name(name, ast.Load()) for name in reversed(stored(one))]
        if isinstance(last, ast.FunctionDef):
            says = f"`{last.name}` is defined inside `{one.name}`, and never returned."
            found = [ast.Name(last.name, ast.Load())]
        elif isinstance(last, ast.Expr):
            found = [last.value, *found]
            if called(last.value) == "print" and isinstance(last.value, ast.Call):
                says = f"`{one.name}` prints its result and does not return it: what is returned?"
                found = [ast.Tuple(last.value.args, ast.Load()), *last.value.args]
        for value in found:
            keep = [] if isinstance(last, ast.Expr) and value in ast.walk(last) else [last]
            yield Edit(says, [(last, [*keep, ast.Return(value)])])


@operator(SLIP)
def returned_exception(a: Answer) -> Iterator[Edit]:
    """Raise an exception that is returned or only made, or bad input that is only noticed."""
    for node in (one for one in a.nodes if isinstance(one, (ast.Return, ast.Expr))):
        if node.value and (called(node.value) or last_name(node.value)).endswith("Error"):
            says = "The exception is made, but not raised: the caller gets it as a result."
            yield Edit(says, [(node, ast.Raise(node.value))], "made")
    for kind in sorted(a.raises):
        refuse = statements(f"raise {kind}")
        for raised in a.of(ast.Raise):
            says = f"Look at {a.quote(raised)}: which exception does the task name?"
            yield Edit(says, [(raised, refuse)], "other")
        for test in a.of(ast.If):
            last = test.body[-1]
            if isinstance(last, (ast.Return, ast.Pass, ast.Expr)):
                says = f"{a.quote(test)} finds the bad input: does {a.quote(last)} refuse it?"
                yield Edit(says, [(last, refuse)], "refuse")
        for claim in a.of(ast.Assert):
            says = "`assert` raises an AssertionError: which exception does the task name?"
            raises = statements(f"if not C: raise {kind}", C=claim.test)
            yield Edit(says, [(claim, raises)], "assert")


@operator(SLIP)
def overwritten_in_loop(a: Answer) -> Iterator[Edit]:
    """Add to a variable that each round of a loop assigns again."""
    for node in a.of(ast.Assign):
        target, loops = node.targets[0], a.loops(node)
        if loops and isinstance(target, ast.Name) and target.id not in names_in(node.value):
            says = f"`{target.id}` is overwritten in every round of the loop: do the others count?"
            added = ast.AugAssign(target, ast.Add(), node.value)
            yield Edit(says, [(node, added)], f"{id(loops[0])}")
        elif loops and isinstance(target, ast.Subscript):
            says = f"{a.quote(node)} replaces what earlier rounds stored there: do they count?"
            yield Edit(says, [(node, ast.AugAssign(target, ast.Add(), node.value))])


@operator(SLIP)
def not_handed_on(a: Answer) -> Iterator[Edit]:
    """Give the next round of a loop this round's result."""
    for loop in (one for one in a.nodes if isinstance(one, (ast.For, ast.While))):
        made = {name for line in loop.body for name in stored(line)}
        read = {name for line in loop.body for name in names_in(line)} - made - a.callables
        head = stored(loop.target) if isinstance(loop, ast.For) else []
        for given in [name for name in a.scope(loop) if name in read]:
            says = f"Every round of the loop starts from the same `{given}`: what is handed on?"
            for new in sorted(made.difference(head)):
                more = [*loop.body, *statements(f"{given} = {new}")]
                yield Edit(says, [(loop, with_fields(loop, body=more))])


@operator(SLIP + 0.5)
def place_in_loop(a: Answer) -> Iterator[Edit]:
    """Count places in place of entries, or entries in place of places; pick by the round."""
    for loop in (one for one in a.nodes if isinstance(one, (ast.For, ast.comprehension))):
        over, target = loop.iter, loop.target
        if not isinstance(target, ast.Name):
            continue
        says = f"`{target.id}` takes the values of {a.quote(over)}: is it a place, or an entry?"
        yield Edit(says, [(over, expression("range(len(A))", A=over))])
        for count in over.args[-1:] if isinstance(over, ast.Call) else ():
            if called(over) == "range" and isinstance(count, ast.Call) and count.args:
                yield Edit(says, [(over, count.args[0])])
        for entry in a.of(ast.Subscript) if isinstance(loop, ast.For) else ():
            if loop in a.loops(entry) and number(entry.slice) is not None:
                says = (
                    f"{a.quote(entry)} is the same in every round of the loop: is it meant to be?"
                )
                new = with_fields(entry, slice=ast.Name(target.id, ast.Load()))
                yield Edit(says, [(entry, new)], f"{id(loop)}")


@operator(2.3)
def start_value(a: Answer) -> Iterator[Edit]:
    """Start a count or a total at another number."""
    updated = {last_name(node.target) for node in a.of(ast.AugAssign)}
    for node in a.of(ast.Assign):
        start = number(node.value)
        if last_name(node.targets[0]) in updated and start in (0, 1):
            says = f"{a.quote(node)} is where it starts: is that right before the first round?"
            yield Edit(says, [(node.value, ast.Constant(int(not start)))])


@operator(2)
def update(a: Answer) -> Iterator[Edit]:
    """Update a variable by the opposite operation."""
    other = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
    for node in a.of(ast.AugAssign):
        if type(node.op) in other:
            says = f"Look at {a.quote(node)}: in which direction should it change?"
            yield Edit(says, [(node, with_fields(node, op=other[type(node.op)]()))])


@operator(2.1)
def argument_order(a: Answer) -> Iterator[Edit]:
    """Swap two arguments that are next to each other."""
    for node in (one for one in a.of(ast.Call) if called(one) != "where"):
        for i in range(len(node.args) - 1):
            args = [*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]]
            says = f"Look at {a.quote(node)}: in which order does it take what it gets?"
            yield Edit(says, [(node, with_fields(node, args=args))], f"{called(node)} {i}")


@operator(2.95)
def other_variable(a: Answer) -> Iterator[Edit]:
    """Read another variable."""
    for node in a.of(ast.Name) if a.missed & {"value", "distribution"} else ():
        if isinstance(node.ctx, ast.Load) and node.id in (names := a.scope(node)):
            says = f"Look at `{node.id}` in {a.quote(a.parent[node])}: is it what is meant there?"
            for other in names if node.id not in a.callables else ():
                if other != node.id and other not in a.callables:
                    new = ast.Name(other, ast.Load())
                    yield Edit(says, [(node, new)], f"{node.id} {other}")


@operator(SLIP)
def loop_direction(a: Answer) -> Iterator[Edit]:
    """Loop in the other direction."""
    for node in (one for one in a.nodes if isinstance(one, (ast.For, ast.comprehension))):
        over = node.iter
        says = f"Look at the loop over {a.quote(over)}: at which end does it have to start?"
        if called(over) == "reversed" and isinstance(over, ast.Call):
            yield Edit(says, [(over, over.args[0])])
            continue
        back = expression("reversed(list(A))", A=over)
        yield Edit(says, [(over, back)])
        for out in a.of(ast.Return) if isinstance(node, ast.For) else ():
            if out.value is not None:  # the results are collected in the order of the rounds
                yield Edit(says, [(over, back), (out.value, expression("A[::-1]", A=out.value))])


@operator(SLIP)
def not_called(a: Answer) -> Iterator[Edit]:
    """Call a function, or use a value without calling it."""
    for node in a.of(ast.Name):
        if node.id in a.callables and not isinstance(a.parent[node], ast.Call):
            says = (
                f"`{node.id}` is a function, and is not called here: at which point is its value?"
            )
            for arg in reversed([one for one in a.scope(node) if one not in a.callables]):
                yield Edit(says, [(node, expression(f"{node.id}({arg})"))], f"{node.id} {arg}")
    for method in a.of(ast.Attribute):
        is_method = callable(getattr(np.ndarray, method.attr, None))
        if is_method and getattr(a.parent[method], "func", None) is not method:
            says = f"{a.quote(method)} names the method without calling it."
            yield Edit(says, [(method, expression("A()", A=method))], "method")


@operator(2)
def not_used(a: Answer) -> Iterator[Edit]:
    """Use a parameter that is never read: a function on a value, a number in a calculation."""
    for name in [one for one in a.params if one not in a.read]:
        says = f"`{name}` is given to you and never used: which part of yours needs it?"
        for value in a.values():
            for op in "+-*/" if name in a.arrays else ():
                yield Edit(says, [(value, expression(f"A {op} {name}", A=value))])
            for inner in [value, *getattr(value, "args", ())] if name in a.callables else ():
                yield Edit(says, [(value, expression(f"{name}(A)", A=inner))])


@operator(SLIP + 0.3)
def argument_tuple(a: Answer) -> Iterator[Edit]:
    """Give a shape as one tuple."""
    for node in a.of(ast.Call):
        if len(node.args) > 1 and not isinstance(node.args[-1], ast.Tuple):
            says = f"{a.quote(node)} gets the sizes one by one: is a shape one thing, or several?"
            shape = ast.Tuple(node.args[-2:], ast.Load())
            yield Edit(says, [(node, with_fields(node, args=[*node.args[:-2], shape]))])


@operator(2.2)
def writes_into_input(a: Answer) -> Iterator[Edit]:
    """Work on a copy of an input."""
    for node in a.of(ast.Assign):
        if isinstance(node.value, ast.Name) and isinstance(node.targets[0], ast.Name):
            says = f"{a.quote(node)} gives the same array a second name, and makes no copy of it."
            yield Edit(says, [(node.value, expression("np.copy(A)", A=node.value))], "alias")
    for update in a.of(ast.AugAssign):
        if isinstance(name := update.target, ast.Name):
            value = ast.BinOp(ast.Name(name.id, ast.Load()), update.op, update.value)
            says = f"{a.quote(update)} changes the array itself: who else has this array?"
            yield Edit(says, [(update, ast.Assign([name], value))], "update")
    places = [one.value for one in a.of(ast.Subscript) if isinstance(one.ctx, ast.Store)]
    written = {last_name(one) for one in [*places, *(one.target for one in a.of(ast.AugAssign))]}
    for given in [one for one in a.arrays if one in written or "purity" in a.missed]:
        says = f"Your code writes into `{given}` itself: who else needs it as it was?"
        for made in (f"np.copy({given})", f"list({given})", f"np.array({given}, dtype=float)"):
            yield Edit(says, [(a.first, [*statements(f"{given} = {made}"), a.first])])


@operator(2.2)
def whole_numbers(a: Answer) -> Iterator[Edit]:
    """Let numbers keep their decimals."""
    for node in a.of(ast.Call):
        types = [word.value for word in node.keywords if word.arg == "dtype"]
        if called(node).endswith("_like") and not types:
            says = f"{a.quote(node)} takes over the type too: can it hold a decimal?"
            words = [*node.keywords, ast.keyword("dtype", expression("float"))]
            yield Edit(says, [(node, with_fields(node, keywords=words))], "like")
        for type_ in [*types, *(node.args[:1] if called(node) == "astype" else [])]:
            if last_name(type_).startswith("int"):
                says = f"{a.quote(node)} cuts off everything behind the point."
                yield Edit(says, [(type_, expression("float"))], "int")


COUNTING = ("range", "append", "len", "shape")


@operator(1.5)
def parentheses(a: Answer) -> Iterator[Edit]:
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
                yield Edit(says, [(call, with_fields(arg, **{inside: shut}))], f"out {what}")


def _other_order(a: Answer, node: ast.BinOp) -> Iterator[Edit]:
    left, right, q = node.left, node.right, a.quote(node)
    says = f"In {q}, which part is computed first, and which should be?"
    if isinstance(left, ast.BinOp):
        new = with_fields(left, right=with_fields(node, left=left.right))
        yield Edit(says, [(node, new)], f"left {type(left.op)} {type(node.op)}")
    if isinstance(right, ast.BinOp):
        new = with_fields(right, left=with_fields(node, right=right.left))
        yield Edit(says, [(node, new)], f"right {type(right.op)} {type(node.op)}")
    first = left.operand if isinstance(left, ast.UnaryOp) else left
    if isinstance(first, ast.Call) and first.args and called(first) not in COUNTING:
        args = [with_fields(node, left=first.args[0]), *first.args[1:]]
        moved: ast.expr = with_fields(first, args=args)
        moved = with_fields(left, operand=moved) if isinstance(left, ast.UnaryOp) else moved
        says = f"In {q}, a parenthesis of `{called(first)}` closes early: what is left outside?"
        yield Edit(says, [(node, moved)], "early")
    while isinstance(left, ast.BinOp):
        left = left.left
    if isinstance(left, ast.UnaryOp):
        minus = with_fields(left, operand=rebuilt(node, {left: left.operand}))
        yield Edit(f"The minus in {q} is for its first part only.", [(node, minus)], "minus")


def _tiny(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is float and 0 < node.value < 1e-3


REDUCERS = {"sum", "mean", "max", "min", "std", "var", "norm", "argmax", "argmin", "any", "all"}
REDUCERS |= {"prod", "amax", "amin", "cumsum", "sort", "flip", "stack", "concatenate"}


@operator(1.7)
def axis(a: Answer) -> Iterator[Edit]:
    """Reduce along another axis, and keep the axis or not."""
    calls = (one for one in a.of(ast.Call) if called(one) in REDUCERS)
    for node in [one for one in calls if isinstance(one.func, ast.Attribute)]:
        words = {word.arg: word for word in node.keywords}
        second = node.args[1] if len(node.args) == 2 and number(node.args[1]) is not None else None
        now = number(words["axis"].value) if "axis" in words else number(second)
        args = node.args[:1] if second else node.args
        rest = [word for word in node.keywords if word.arg not in ("axis", "keepdims")]
        given = [word for word in node.keywords if word.arg == "axis"]
        kept, keep = "keepdims" in words, [ast.keyword("keepdims", expression("True"))]
        q = a.quote(node)
        if kept:
            says = f"{q} keeps an axis of length 1: is it wanted?"
            yield Edit(says, [(node, with_fields(node, keywords=rest + given))], "lose", 2)
        elif now is not None:
            says = f"{q} loses an axis: does its result still line up with the rows it came from?"
            yield Edit(
                says, [(node, with_fields(node, keywords=node.keywords + keep))], "keep", 1.5
            )
        if now is not None:
            says = f"{q} works along one axis: which numbers belong together?"
            yield Edit(says, [(node, with_fields(node, args=args, keywords=rest))], "none")
        for new in [one for one in (0, 1, -1) if one != now]:
            says = f"{q} goes along an axis: what is in a row, and what in a column?"
            if now is None:
                says = f"{q} takes all numbers together: which of them belong together?"
            elif (now, new) == (1, -1):
                says = f"{q} needs an axis 1: does every input have it?"
            for more, rank in [(keep, 1.7)] if kept else [([], 1.7), (keep, 2.2)]:
                along = [*rest, ast.keyword("axis", expression(f"{new}")), *more]
                edit = with_fields(node, args=args, keywords=along)
                yield Edit(says, [(node, edit)], f"{new} {now} {rank}", rank)
