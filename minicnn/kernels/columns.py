"""Sums of columns in float64: statistics of channels whose pixels are rows, and what their gradients need.

A block of columns keeps its sums in registers from the first row to the last.
"""

from minicnn.kernels.compile import part
from minicnn.kernels.vectors import load, load_each, minus, plus, plus_products, store_each, widen, width


@part
def add_moments(x, at, rows, columns, centre, total, square):
    """total[c] += Σ x[r, c] − centre[c], square[c] += Σ (x[r, c] − centre[c])²

    Args:
        x: one-dimensional.
        at, rows, columns: where the first row begins; the others follow it.
        centre, total, square: (columns,), float64.
    """
    if not rows:
        return
    lanes, c = width(x), 0
    while c + 2 * lanes <= columns:
        a = widen(load(x, at))
        m, n = load_each(centre, c, a), load_each(centre, c + lanes, a)
        s, t = load_each(total, c, a), load_each(total, c + lanes, a)
        p, q = load_each(square, c, a), load_each(square, c + lanes, a)
        for r in range(rows):
            place = at + r * columns + c
            a, b = minus(widen(load(x, place)), m), minus(widen(load(x, place + lanes)), n)
            s, t = plus(s, a), plus(t, b)
            p, q = plus_products(p, a, a), plus_products(q, b, b)
        store_each(s, total, c)
        store_each(t, total, c + lanes)
        store_each(p, square, c)
        store_each(q, square, c + lanes)
        c += 2 * lanes
    if c + lanes <= columns:
        a = widen(load(x, at))
        m, s, p = load_each(centre, c, a), load_each(total, c, a), load_each(square, c, a)
        for r in range(rows):
            a = minus(widen(load(x, at + r * columns + c)), m)
            s, p = plus(s, a), plus_products(p, a, a)
        store_each(s, total, c)
        store_each(p, square, c)
        c += lanes
    if c < columns:
        for r in range(rows):
            for k in range(c, columns):
                d = x[at + r * columns + k] - centre[k]
                total[k] += d
                square[k] += d * d


@part
def add_products(g, x, at, rows, columns, centre, total, product):
    """total[c] += Σ g[r, c], product[c] += Σ g[r, c] · (x[r, c] − centre[c]); arguments as for `add_moments`."""
    if not rows:
        return
    lanes, c = width(x), 0
    while c + 2 * lanes <= columns:
        a = widen(load(x, at))
        m, n = load_each(centre, c, a), load_each(centre, c + lanes, a)
        s, t = load_each(total, c, a), load_each(total, c + lanes, a)
        p, q = load_each(product, c, a), load_each(product, c + lanes, a)
        for r in range(rows):
            place = at + r * columns + c
            a, b = widen(load(g, place)), widen(load(g, place + lanes))
            s, t = plus(s, a), plus(t, b)
            p = plus_products(p, a, minus(widen(load(x, place)), m))
            q = plus_products(q, b, minus(widen(load(x, place + lanes)), n))
        store_each(s, total, c)
        store_each(t, total, c + lanes)
        store_each(p, product, c)
        store_each(q, product, c + lanes)
        c += 2 * lanes
    if c + lanes <= columns:
        a = widen(load(x, at))
        m, s, p = load_each(centre, c, a), load_each(total, c, a), load_each(product, c, a)
        for r in range(rows):
            place = at + r * columns + c
            a = widen(load(g, place))
            s, p = plus(s, a), plus_products(p, a, minus(widen(load(x, place)), m))
        store_each(s, total, c)
        store_each(p, product, c)
        c += lanes
    if c < columns:
        for r in range(rows):
            for k in range(c, columns):
                place = at + r * columns + k
                total[k] += g[place]
                product[k] += g[place] * (x[place] - centre[k])
