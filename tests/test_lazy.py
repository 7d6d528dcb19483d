"""Lazy layers, hooks, state and the other details of modules: the same session on both libraries."""

from agreement import assert_same_session


def test_lazy_layers_become_plain_ones():
    assert_same_session("""
        def build():
            return nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
        model = build()
        model
        model[0].weight
        list(model.state_dict())
        model.state_dict()["0.weight"]
        model[0].weight.shape
        model[0].weight + 1
        sum(p.numel() for p in model.parameters())
        model = model.double()
        optimizer = T.optim.SGD(model.parameters(), lr=0.1)
        y = model(T.zeros(2, 3, 8, 8, dtype=T.float64))
        y.sum().backward()
        optimizer.step()
        model
        [tuple(p.shape) for p in model.parameters()]
        other = build()
        other.load_state_dict(model.state_dict())
        other
        y = other(T.zeros(2, 3, 8, 8))
        other
        bool((other[4].weight.double() == model[4].weight.float().double()).all())
        model.load_state_dict(build().state_dict())
        nn.LazyConv2d(3, 3)(T.zeros(2, 2))
        nn.LazyLinear(3)(T.zeros(2, 7)).shape
        nn.LazyConv1d(3, 2)(T.zeros(2, 7)).shape
        nn.LazyConvTranspose2d(3, 2)(T.zeros(2, 7, 3, 3)).shape
        layers = nn.LazyBatchNorm1d(), nn.LazyInstanceNorm2d(), nn.LazyConvTranspose1d(2, 3)
        layers
        [layer(x).shape for layer, x in zip(layers, [T.rand(4, 3), T.rand(2, 3, 4, 4), T.rand(2, 3, 4)])]
        layers
    """)


def test_hooks():
    assert_same_session("""
        log = []
        model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        for p in model.parameters():
            p.data = A(*p.shape)
        x = A(2, 3).requires_grad_()
        def doubled(module, grad_output):
            log.append(grad_output[0].tolist())
            return (grad_output[0] * 2,)
        h = model[0].register_full_backward_pre_hook(doubled)
        h = model[0].register_full_backward_hook(lambda m, i, o: log.append([i[0].tolist(), o[0].tolist()]))
        h = model[2].register_forward_hook(lambda m, a, k, r: log.append([len(a), sorted(k)]), with_kwargs=True)
        model(x).sum().backward()
        log
        x.grad
        model[0].weight.grad
        class Failing(nn.Module):
            def forward(self, x):
                raise ZeroDivisionError
        failing = Failing()
        h = failing.register_forward_hook(lambda m, a, r: log.append(str(r)), always_call=True)
        failing(x)
        log[-1]
    """)


def test_state_with_hooks_and_extra_state():
    assert_same_session("""
        class Extra(nn.Module):
            def __init__(self):
                super().__init__()
                self.k = 3
                self.w = nn.Parameter(T.zeros(2))
                self.b = nn.Buffer(T.ones(1))
                self.c = nn.Buffer(T.ones(1), persistent=False)
            def get_extra_state(self):
                return {"k": self.k}
            def set_extra_state(self, state):
                self.k = state["k"]
        one, two = Extra(), Extra()
        one.k = 7
        list(one.state_dict())
        [name for name, _ in one.named_buffers()]
        two.load_state_dict(one.state_dict())
        two.k
        both = nn.Sequential(Extra(), nn.Linear(2, 2))
        both.load_state_dict({"0.w": T.zeros(3), "1.q": T.zeros(1)})
        both.load_state_dict({"1.q": T.zeros(1)}, strict=False)
        both.load_state_dict(3)
        layer = nn.Linear(2, 2)
        layer.load_state_dict({"weight": T.ones(2, 2, dtype=T.float64), "bias": T.zeros(2)}, assign=True)
        type(layer.weight).__name__, str(layer.weight.dtype)
        log = []
        layer = nn.Linear(2, 2)
        h = layer.register_state_dict_pre_hook(lambda m, p, k: log.append([p, k]))
        h = layer.register_state_dict_post_hook(lambda m, s, p, meta: log.append([list(s), p, dict(meta)]))
        h = layer.register_load_state_dict_pre_hook(lambda m, s, p, *a: s.update({p + "bias": s.pop(p + "offset")}))
        h = layer.register_load_state_dict_post_hook(lambda m, keys: log.append([keys.missing_keys]))
        model = nn.Sequential(layer)
        state = model.state_dict()
        state["0.offset"] = state.pop("0.bias")
        model.load_state_dict(state)
        str(log)
        nn.Module().get_extra_state()
        nn.Linear(2, 2).to_empty(device="cpu")
        str(nn.Linear(2, 2).half().weight.dtype), str(nn.Linear(2, 2).type(T.float64).weight.dtype)
        model.set_submodule("0", nn.Tanh())
        model
        model.set_submodule("", nn.Tanh())
    """)
