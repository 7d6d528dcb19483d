"""Steps of optimizers on leaves, which backward has to notice where it needs the old values."""

from ..draft import Draft
from ..table import statement
from .graphs import walked

# A large eps: elements whose gradient is nothing but rounding must not be divided by its size.
OPTIMIZERS = (
    "SGD({x}, lr=0.0625, momentum=0.5, nesterov=True)",
    "SGD({x}, lr=0.0625, weight_decay=0.25, maximize=True)",
    "Adam({x}, lr=0.0625, eps=0.5, amsgrad=True)",
    "AdamW({x}, lr=0.0625, eps=0.5)",
    "RMSprop({x}, lr=0.0625, eps=0.5, momentum=0.5)",
    "Adadelta({x}, lr=0.5, eps=0.5)",
    "Adagrad({x}, lr=0.0625, eps=0.5, weight_decay=0.25)",
    "Adamax({x}, lr=0.0625, eps=0.5)",
    "NAdam({x}, lr=0.0625, eps=0.5)",
    "RAdam({x}, lr=0.0625, eps=0.5)",
    "ASGD({x}, lr=0.0625)",
)


@statement
def optimized(draft: Draft) -> str:
    leaves = draft.tensors("f", lambda t: t.is_leaf and t.grad is not None)
    if not leaves:
        return walked(draft)
    names = list({draft.pick(leaves): None for _ in range(2)})
    optimizer = draft.pick(OPTIMIZERS).format(x=f"[{', '.join(names)}]")
    if draft.chance(3):
        optimizer = optimizer.replace("lr=", "lr=2 * ")
    action = draft.pick(["o.step()", "(o.step(), o.step())", "(o.step(), o.zero_grad())"])
    return f"[{action} for o in [T.optim.{optimizer}]]"
