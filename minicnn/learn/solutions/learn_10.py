"""Chapter 10: autograd in sixty lines."""


class Value:
    """A number that remembers what it was computed from.

    Attributes:
        data: the number.
        grad: the gradient with respect to it, after `backward` of something that was computed from it.
        parents: (value, slope) for each value that this one was computed from: slope is the derivative of this one with
            respect to it.
    """

    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        """The sum of two values, which knows both."""
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        """The product of two values, which knows both."""
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def relu(self):
        """The value, or 0 where it is negative; the slope at 0 is 0."""
        return Value(max(self.data, 0.0), [(self, 1.0 if self.data > 0 else 0.0)])

    def order(self):
        """Every value that this one was computed from, and itself, each once: each after all of its parents."""
        found, seen = [], set()

        def visit(value):
            if id(value) not in seen:
                seen.add(id(value))
                for parent, _ in value.parents:
                    visit(parent)
                found.append(value)

        visit(self)
        return found

    def backward(self):
        """Add the gradient of this value to `grad` of each value that it was computed from, and of itself."""
        gradients = {id(self): 1.0}
        for value in reversed(self.order()):
            gradient = gradients.get(id(value), 0.0)
            value.grad += gradient
            for parent, slope in value.parents:
                gradients[id(parent)] = gradients.get(id(parent), 0.0) + gradient * slope
