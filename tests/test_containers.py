"""Containers by name, tables of vectors and how layers print: the same session on both libraries."""

from agreement import assert_same_session


def test_modules_by_name():
    assert_same_session("""
        d = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.ReLU()})
        d.update([("c", nn.Identity())])
        d, list(d), "a" in d, len(d)
        d.pop("b")
        d["x"]
        d.update(3)
        d.update([1])
        d.update([(1, 2, 3)])
        [name for name, _ in d.named_parameters()]
        d.clear()
        d
    """)


def test_parameters_in_lists_and_by_name():
    assert_same_session("""
        p = nn.ParameterList([T.zeros(2, 3), nn.Parameter(T.ones(2)), 5])
        p, len(p)
        p += [T.ones(1)]
        p.append(T.ones(1, 1))
        [name for name, _ in p.named_parameters()]
        p[1:3], p[-1]
        p[9]
        p(1)
        p.extend(T.zeros(2))
        q = nn.ParameterDict({"z": T.zeros(2), "a": nn.Parameter(T.ones(2, 2))})
        q, list(q)
        q["k"] = T.ones(3, dtype=T.float64)
        q
        q.popitem()[0]
        list(q | nn.ParameterDict({"n": T.ones(1)})), list(reversed(q)), q.get("no", 4)
        q.setdefault("s", T.ones(1))
        q.pop("zz")
        list(q.fromkeys(["a", "b"], 1).items())
        q[3]
        q(1)
    """)


def test_rows_of_modules():
    assert_same_session("""
        s = nn.Sequential(nn.ReLU(), nn.Tanh())
        s.insert(1, nn.Sigmoid())
        s.append(nn.Identity()).extend([nn.ReLU()])
        s.pop(0), s + nn.Sequential(nn.ReLU()), s * 2, s[1:]
        del s[0]
        s
        s.insert(10, nn.ReLU())
        s + 1
        l = nn.ModuleList([nn.ReLU(), nn.Tanh()])
        l += [nn.ReLU()]
        l, l.pop(1), l + [nn.Tanh()], l[0:2]
        l(1)
    """)


def test_tables_of_vectors():
    assert_same_session("""
        e = nn.Embedding(5, 3, padding_idx=1)
        e.weight[1]
        e(T.tensor([7]))
        e(T.tensor([1.5]))
        nn.Embedding(5, 3, padding_idx=5)
        f = nn.Embedding.from_pretrained(T.ones(3, 2))
        f.weight.requires_grad, f(T.tensor([[0, 2]]))
        g = nn.Embedding.from_pretrained(T.ones(3, 2) * 3, freeze=False, max_norm=1.0)
        y = g(T.tensor([0, 2]))
        g.weight
        w = A(4, 3).requires_grad_()
        nn.functional.embedding(T.tensor([[1, 1], [3, 2]]), w, 2, scale_grad_by_freq=True).sum().backward()
        w.grad
        nn.functional.embedding(T.tensor([1]), w[0])
    """)


LAYERS = """
    Unflatten(1, (2, 3)) | Unfold(3) | Fold((4, 4), 2) | Embedding(4, 3, padding_idx=-1, max_norm=1.0)
    CosineSimilarity() | PairwiseDistance() | Bilinear(2, 3, 4) | Upsample(scale_factor=2)
    Upsample((3, 4), mode='area') | UpsamplingNearest2d(scale_factor=2) | UpsamplingBilinear2d((3, 3))
    PixelShuffle(2) | PixelUnshuffle(2) | ChannelShuffle(3)
    Conv1d(2, 3, 3, padding='same', padding_mode='circular') | ConvTranspose1d(2, 4, 3, 2, 1, 1, 2) | MaxPool1d(2)
    AvgPool1d(2) | LPPool1d(2, 3) | LPPool2d(2, 3) | MaxUnpool1d(2) | MaxUnpool2d(2) | AdaptiveAvgPool1d(3)
    AdaptiveMaxPool1d(3) | InstanceNorm2d(3, affine=True) | LayerNorm((3, 4)) | LayerNorm(3, bias=False)
    GroupNorm(2, 4) | RMSNorm(3) | LocalResponseNorm(5) | BatchNorm3d(2) | LazyConv1d(3, 3) | LazyInstanceNorm2d()
    LazyBatchNorm1d() | LazyConvTranspose2d(2, 3) | GroupNorm(2, 3) | Conv1d(3, 4, 3, groups=2) | Bilinear(0, 1, 1)
    Unflatten(1, 3) | Unflatten(1, ('a',)) | LayerNorm('a') | Conv1d(3, 4, 3, padding='other')
"""


def test_layers_print_as_in_torch():
    sources = [source.strip() for line in LAYERS.strip().splitlines() for source in line.split("|")]
    assert_same_session("\n".join(f"nn.{source}" for source in sources))


def test_resizing_layers_compute():
    assert_same_session("""
        x = A(2, 4, 4, 6)
        nn.Upsample(scale_factor=2, mode="bilinear")(x), nn.UpsamplingNearest2d((3, 5))(x)
        nn.PixelShuffle(2)(x), nn.PixelUnshuffle(2)(x), nn.ChannelShuffle(2)(x), nn.Unfold(2)(x).shape
        nn.Unflatten(1, (2, 2))(x).shape, nn.CosineSimilarity()(x, x * x), nn.PairwiseDistance()(x, x * x)
    """)
