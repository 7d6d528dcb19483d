"""Products, einsum, diagonals, distances and determinants against torch: values, gradients, dtypes, errors."""

import numpy as np
import pytest
import torch
from agreement import assert_agrees, examples
from hypothesis import given, settings
from hypothesis import strategies as st
from test_operators import tensors

import minicnn

WHOLE = st.integers(-3, 3).map(float)
SIZES = st.sampled_from([0, 1, 2, 3, 7, 8, 9])
FEW = settings(max_examples=max(settings().max_examples // 3, 10))


def drawn(draw, *shape, dtype="float64"):
    """A tensor of whole numbers, in any layout, that requires a gradient."""
    return draw(tensors(shape, WHOLE, dtype=dtype))


@FEW
@given(st.data(), SIZES, SIZES, SIZES, st.sampled_from([2.0, -1, 0, 0.5]), st.sampled_from([1, 3.0]))
def test_products(data, M, K, N, beta, alpha):
    a, b, v, w = (drawn(data.draw, *shape) for shape in ((M, K), (K, N), (K,), (N,)))
    for name, operands in (("mm", (a, b)), ("mv", (a, v)), ("mm", (a, v)), ("outer", (v, w)), ("inner", (a, v))):
        assert_agrees(lambda m, *o, name=name: getattr(m, name)(*o), *operands)
    assert_agrees(lambda m, v: m.dot(v, v * 2), v)
    assert_agrees(lambda m, a, b: m.kron(a, b), a, b)
    start = drawn(data.draw, *data.draw(st.sampled_from([(M, N), (N,), (1, N), (), (N, M)])))
    assert_agrees(lambda m, s, a, b: m.addmm(s, a, b, beta=beta, alpha=alpha), start, a, b)
    assert_agrees(lambda m, s, a, v: m.addmv(s.sum().expand(a.shape[0]), a, v, beta=beta, alpha=alpha), start, a, v)
    assert_agrees(lambda m, s, a, b: m.addr(s, a[:, 0], b[0], beta=beta, alpha=alpha), start, a, b)
    assert_agrees(lambda m, a, b: (a @ b).addmm_(a, b, alpha=alpha), a, b)


PRODUCTS = [("matmul", (3, 2), (2,)), ("mm", (3, 2), (2, 4)), ("bmm", (2, 3, 2), (2, 2, 4)), ("mv", (3, 2), (2,))]


@pytest.mark.parametrize(("name", "first", "second"), [*PRODUCTS, ("dot", (3,), (3,))])
def test_products_into_a_tensor_that_is_there(name, first, second):
    a, b = np.arange(np.prod(first)).reshape(first) + 1.0, np.arange(np.prod(second)).reshape(second) - 2.0
    results = []
    for library in (minicnn, torch):
        x, y = library.from_numpy(a), library.from_numpy(b)
        multiply = getattr(library, name)
        expected = multiply(x, y)
        for out in (library.full_like(expected, 7.0), library.empty(0, dtype=library.float64)):
            assert multiply(x, y, out=out) is out
            results.append(out.numpy())
        with pytest.raises(RuntimeError):
            multiply(x, y, out=library.zeros(expected.shape, dtype=library.float32))
        with pytest.raises(RuntimeError):
            multiply(x, y, out=library.zeros((*expected.shape, 3), dtype=library.int64))
        with pytest.raises(RuntimeError):
            multiply(x.clone().requires_grad_(), y, out=library.zeros_like(expected))
    for result in results[:2]:
        np.testing.assert_array_equal(result, results[2])


@FEW
@given(st.data(), SIZES, SIZES, SIZES, st.integers(0, 3))
def test_stacks(data, B, M, K, N):
    a, b, start = drawn(data.draw, B, M, K), drawn(data.draw, B, K, N), drawn(data.draw, N)
    assert_agrees(lambda m, a, b: m.bmm(a, b), a, b)
    assert_agrees(lambda m, s, a, b: m.baddbmm(s, a, b, beta=2), start, a, b)
    assert_agrees(lambda m, s, a, b: m.addbmm(s, a, b, alpha=2), start, a, b)
    assert_agrees(lambda m, a, b: m.tensordot(a, b, ([0, 2], [0, 1])), a, b)
    assert_agrees(lambda m, a, b: m.tensordot(a, b, 1), a, b)


@st.composite
def equations(draw):
    """An equation over a few letters, and operands that fit it; now and then one of size 1, or one that doesn't fit."""
    sizes = {letter: draw(st.integers(1, 3)) for letter in "abcB"}
    parts, operands = [], []
    for _ in range(draw(st.integers(1, 3))):
        letters = draw(st.lists(st.sampled_from("abcB"), max_size=3))
        dots = draw(st.sampled_from([None, None, None, 0, 1, 2]))
        shape = [1 if draw(st.integers(0, 9)) == 0 else sizes[letter] for letter in letters]
        if dots is not None:
            place = draw(st.integers(0, len(letters)))
            letters.insert(place, "...")
            shape[place:place] = [2, 3][2 - dots :]
        parts.append("".join(letters))
        operands.append(draw(tensors(tuple(shape), WHOLE, dtype="float64")))
    present = sorted({letter for part in parts for letter in part if letter != "."})
    equation = ",".join(parts)
    if draw(st.booleans()):
        output = draw(st.permutations(present))[: draw(st.integers(0, len(present)))]
        equation += "->" + draw(st.sampled_from(["", "..."])) + "".join(output)
    return equation, operands


@settings(max_examples=examples(2) * settings().max_examples // 3)
@given(equations())
def test_einsum(case):
    equation, operands = case
    assert_agrees(lambda m, *operands: m.einsum(equation, *operands), *operands, what=equation)


@pytest.mark.parametrize("equation", ["ij->ijk", "ij->ii", "ij,", "i1", "ij...k...", "i.j", "ij->i..", "->", "ijk"])
def test_einsum_refuses(equation):
    assert_agrees(lambda m, x: m.einsum(equation, x), minicnn.ones(2, 3))


def test_einsum_takes_lists_of_numbers():
    x, y = minicnn.arange(6.0).reshape(2, 3), minicnn.arange(12.0).reshape(3, 4)
    assert_agrees(lambda m, x, y: m.einsum(x, [0, 1], y, [1, 2], [2, 0]), x, y)
    assert_agrees(lambda m, x, y: m.einsum(x, [..., 1], y, [1, 51]), x, y)


@FEW
@given(st.data(), st.lists(SIZES, min_size=1, max_size=3), st.integers(-4, 4))
def test_diagonals(data, shape, offset):
    x = drawn(data.draw, *shape)
    first, second = data.draw(st.integers(-3, 3)), data.draw(st.integers(-3, 3))
    assert_agrees(lambda m, x: m.diagonal(x, offset, first, second), x)
    assert_agrees(lambda m, x: m.diag_embed(x, offset, first, second), x)
    for name in ("diag", "tril", "triu", "diagflat"):
        assert_agrees(lambda m, x, name=name: getattr(m, name)(x, offset), x)
    assert_agrees(lambda m, x: m.trace(x), x)
    assert_agrees(lambda m, x: (x * 1).triu_(offset), x)
    assert_agrees(lambda m: [m.tril_indices(shape[0], 3, offset), m.triu_indices(shape[0], 3, offset)])

    def write(m, x):
        y = x * 2
        y.diagonal(offset).mul_(3)
        return y

    assert_agrees(write, x)


@FEW
@given(st.data(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.sampled_from([0.0, 1.0, 2.0, 3.0]))
def test_distances(data, P, R, M, p):
    """Of empty sets PyTorch crashes in the backward pass of cdist."""
    a, b = drawn(data.draw, P, M), drawn(data.draw, 2, R, M)
    assert_agrees(lambda m, a, b: m.cdist(a, b, p), a, b, rtol=1e-12)
    assert_agrees(lambda m, a: m.nn.functional.normalize(a, p or 1.0), a, rtol=1e-12)
    assert_agrees(lambda m, a: m.nn.functional.pdist(a, p), a, rtol=1e-12)
    assert_agrees(lambda m, a, b: m.cross(a, b), a, b)


@FEW
@given(st.integers(1, 4), st.integers(0, 2**31))
def test_inverses(n, seed):
    numbers = np.random.default_rng(seed).integers(-3, 4, (2, n, n)) + 10.0 * np.eye(n)
    A, B = minicnn.tensor(numbers).requires_grad_(), minicnn.tensor(numbers[:, :, :1]).requires_grad_()
    assert_agrees(lambda m, A: m.linalg.det(A), A, rtol=1e-9 * 13.0**n)
    assert_agrees(lambda m, A: m.inverse(A), A, rtol=1e-9)
    assert_agrees(lambda m, A: tuple(m.slogdet(A)), A, rtol=1e-9)
    assert_agrees(lambda m, A, B: m.linalg.solve(A, B), A, B, rtol=1e-9)


@FEW
@given(st.integers(0, 4), st.integers(1, 4), st.integers(0, 2**31), st.sampled_from([(), (2,), (0,)]))
def test_triangular_factors(n, extra, seed, batch):
    """Of tall matrices, of square and of wide ones."""
    numbers = np.random.default_rng(seed).normal(size=(*batch, n + extra, n)) + 2.0 * np.eye(n + extra, n)
    A = minicnn.tensor(numbers, requires_grad=True)
    S = minicnn.tensor(np.swapaxes(numbers, -1, -2) @ numbers + np.eye(n), requires_grad=True)
    assert_agrees(lambda m, A: tuple(m.linalg.qr(A)), A, rtol=1e-9)
    assert_agrees(lambda m, A: tuple(m.linalg.qr(A[..., :n, :])), A, rtol=1e-6)
    assert_agrees(lambda m, A: tuple(m.linalg.qr(A.mT)), A, rtol=1e-6)
    assert_agrees(lambda m, S: m.linalg.cholesky(S), S, rtol=1e-9)
    assert_agrees(lambda m, S: m.linalg.cholesky(S, upper=True), S, rtol=1e-9)


def test_triangular_factors_that_there_are_not():
    for library in (minicnn, torch):
        with pytest.raises(RuntimeError):
            library.linalg.cholesky(library.tensor([[1.0, 2.0], [2.0, 1.0]]))
        with pytest.raises(RuntimeError):
            library.linalg.cholesky(library.ones(2, 3))
        with pytest.raises(RuntimeError):
            library.linalg.qr(library.ones(2, 3).long())
        with pytest.raises(RuntimeError):
            library.linalg.qr(library.ones(2))
    assert repr(minicnn.linalg.qr(minicnn.eye(1))).startswith("torch.return_types.linalg_qr(\nQ=tensor(")
    with pytest.raises(NotImplementedError, match="mode='reduced'"):
        minicnn.linalg.qr(minicnn.ones(2, 2), mode="complete")


@FEW
@given(st.data(), st.integers(1, 5), st.integers(1, 4), st.sampled_from([0, 1, -1, -2]))
def test_trapezoids(data, n, m, dim):
    y = drawn(data.draw, n, m)
    size = y.shape[dim]
    x = minicnn.tensor(np.cumsum(np.random.default_rng(size).uniform(0.5, 2, size)), requires_grad=True)
    for name in ("trapezoid", "cumulative_trapezoid", "trapz"):
        assert_agrees(lambda m, y, name=name: getattr(m, name)(y, dim=dim), y, rtol=1e-12)
        assert_agrees(lambda m, y, name=name: getattr(m, name)(y, dx=0.25, dim=dim), y, rtol=1e-12)
        assert_agrees(lambda m, y, x, name=name: getattr(m, name)(y, x, dim=dim), y, x, rtol=1e-12)
        assert_agrees(lambda m, y, name=name: getattr(m, name)(y, y * y, dim=dim), y, rtol=1e-12)
        for library in (minicnn, torch):
            with pytest.raises(RuntimeError):
                getattr(library, name)(library.ones(3), library.ones(4))


def test_the_gradient_of_a_determinant_of_0_is_the_cofactors():
    A = minicnn.tensor([[8.0, -1.0], [8.0, -1.0]], requires_grad=True)
    minicnn.det(A).backward()
    np.testing.assert_allclose(A.grad, [[-1, -8], [1, 8]], rtol=1e-5)


def test_a_singular_matrix_has_no_inverse():
    with pytest.raises(minicnn.linalg.LinAlgError, match="Singular"):
        minicnn.inverse(minicnn.zeros(2, 2))


@pytest.mark.parametrize("second", [(4,), (4, 2), (3, 4, 2), (2, 3, 4, 2), (2, 1, 4, 2)])
@pytest.mark.parametrize("first", [(5, 4), (3, 5, 4), (2, 3, 5, 4), (2, 1, 5, 4)])
@pytest.mark.parametrize("layout", ["plain", "turned", "expanded"])
@pytest.mark.parametrize("needs", [True, False])
def test_an_operand_may_change_where_torch_saves_a_copy(first, second, layout, needs):
    """Stacks are multiplied as one matrix; what can't be viewed so is copied, and may be changed before backward."""

    def program(m):
        a = m.ones(*first[::-1] if layout == "turned" else first, dtype=m.float64).requires_grad_()
        b = m.ones(*second, dtype=m.float64).requires_grad_(needs)
        large = a * 2
        if layout == "turned":
            large = large.permute(*range(len(first))[::-1])
        if layout == "expanded":
            large = large[..., :1, :].expand(first)
        factor = b * 3
        product = large @ factor
        (large[..., :1, :] if layout == "expanded" else large).detach().mul_(2)
        product.sum().backward()
        return a.grad

    assert_agrees(program, what=f"{first} @ {second} {layout}")
