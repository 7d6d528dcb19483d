"""Hooks on what lies in the graph."""

from ..draft import Draft
from ..table import statement


@statement
def hooked(draft: Draft) -> str:
    """A hook that replaces a gradient; on no view whose base was written to, whose place in PyTorch's graph moves."""
    tensors = draft.tensors("f", lambda t: t.requires_grad and not (t._is_view() and t._version))
    if not tensors:
        return f"{draft.tensor()}.requires_grad"
    return f"{draft.pick(tensors)}.register_hook(lambda g: {draft.pick(['2 * g', 'g + 1', '-g', 'None'])})"
