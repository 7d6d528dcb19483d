"""What programs do to the graph: detach, retain, walk, take a step."""

from collections import Counter

import torch

from ..draft import Draft
from ..table import statement, view


@view
def detached(draft: Draft, x: str) -> str:
    return f"{x}.detach()"


@statement
def toggled(draft: Draft) -> str:
    # PyTorch's views of what becomes a leaf that requires a gradient are neither in the graph nor out of it.
    shown = Counter(t.untyped_storage().data_ptr() for t in draft.names.values() if isinstance(t, torch.Tensor))
    x = draft.tensor(where=lambda t: t.is_leaf and shown[t.untyped_storage().data_ptr()] == 1)
    return f"{x}.requires_grad_({draft.pick(['', 'False'])})"


@statement(weight=2)
def retained(draft: Draft) -> str:
    # A view whose base was written to gets another place in PyTorch's graph as soon as it is asked for it.
    roots = [r for r in draft.roots() if not (draft[r]._is_view() and draft[r]._version)] or [draft.tensor()]
    return f"{roots[0] if draft.chance(2) else draft.pick(roots)}.retain_grad()"


@statement(weight=2)
def walked(draft: Draft) -> str:
    roots = draft.roots()
    root = draft.pick(roots) if roots else draft.tensor()
    return f"{root}.backward(T.from_numpy({draft.array(draft.shape(root))}), retain_graph=True)"


@statement
def walked_to(draft: Draft) -> str:
    """A backward that accumulates in a few tensors alone; PyTorch says with a warning what others hold."""
    roots = draft.roots()
    if not roots:
        return walked(draft)
    root = draft.pick(roots)
    inputs = [draft.pick(draft.tensors("f", lambda t: t.is_leaf and t.requires_grad) or [root]) for _ in range(2)]
    kept = draft.tensors("f", lambda t: t.requires_grad and not t.is_leaf and t.retains_grad)
    inputs += [draft.pick(kept)] if kept else []
    gradient = f"T.from_numpy({draft.array(draft.shape(root))})"
    return f"{root}.backward({gradient}, retain_graph=True, inputs=[{', '.join(inputs)}])"


@statement
def gradient_of(draft: Draft) -> str:
    """autograd.grad with respect to a leaf and to what lies between; PyTorch's results may share memory."""
    roots = draft.roots()
    if not roots:
        return walked(draft)
    root = draft.pick(roots)
    inputs = list({draft.pick(draft.tensors("f", lambda t: t.requires_grad)): None for _ in range(2)})
    names = [draft.new_name() for _ in inputs]
    shape = draft.array(draft.shape(root))
    return (
        f"{''.join(name + ', ' for name in names)}= [None if g is None else g.clone() for g in T.autograd.grad("
        f"{root}, [{', '.join(inputs)}], T.from_numpy({shape}), retain_graph=True, allow_unused=True)]"
    )


@statement
def stepped(draft: Draft) -> str:
    """A step of gradient descent."""
    leaves = draft.tensors("f", lambda t: t.is_leaf and t.grad is not None)
    if not leaves:
        return walked(draft)
    x = draft.pick(leaves)
    return f"with T.no_grad(): {x} -= 0.0625 * {x}.grad"


@statement
def gradient_cleared(draft: Draft) -> str:
    leaves = draft.tensors("f", lambda t: t.is_leaf and t.grad is not None)
    return f"{draft.pick(leaves)}.grad = None" if leaves else walked(draft)
