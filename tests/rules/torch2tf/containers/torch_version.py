"""Tensors in lists, tuples, dicts and objects: what gets out has the axes of the source."""
import functools
import torch
from torch import nn

CASES = {
    "PlusAssign()": ["f32[2,4,6,5]"],
    "Plus()": ["f32[2,4,6,5]"],
    "Insert()": ["f32[2,4,6,5]"],
    "Extend()": ["f32[2,4,6,5]"],
    "Store()": ["f32[2,4,6,5]"],
    "DictStore()": ["f32[2,4,6,5]"],
    "DictLit()": ["f32[2,4,6,5]"],
    "DictRead()": ["f32[2,4,6,5]"],
    "DictRead2()": ["f32[2,4,6,5]"],
    "DictCall()": ["f32[2,4,6,5]"],
    "DictItems()": ["f32[2,4,6,5]"],
    "DictUpdate()": ["f32[2,4,6,5]"],
    "Rev()": ["f32[2,4,6,5]"],
    "Slice()": ["f32[2,4,6,5]"],
    "Last()": ["f32[2,4,6,5]"],
    "TupleOf()": ["f32[2,4,6,5]"],
    "Reversed()": ["f32[2,4,6,5]"],
    "NestedCall()": ["f32[2,4,6,5]"],
    "CallTuple()": ["f32[2,4,6,5]"],
    "VarTuple()": ["f32[2,4,6,5]"],
    "Unpacked()": ["f32[2,4,6,5]"],
    "IndexCall()": ["f32[2,4,6,5]"],
    "Loop()": ["f32[2,4,6,5]"],
    "Comp()": ["f32[2,4,6,5]"],
    "Comp2()": ["f32[2,4,6,5]"],
    "Enumerate()": ["f32[2,4,6,5]"],
    "Zip()": ["f32[2,4,6,5]"],
    "Cond()": ["f32[2,4,6,5]"],
    "CondList()": ["f32[2,4,6,5]"],
    "Star()": ["f32[2,4,6,5]"],
    "OwnClass()": ["f32[2,4,6,5]"],
    "OwnClass2()": ["f32[2,4,6,5]"],
    "Closure()": ["f32[2,4,6,5]"],
    "Lam()": ["f32[2,4,6,5]"],
    "Setattr()": ["f32[2,4,6,5]"],
    "ListAttr()": ["f32[2,4,6,5]"],
    "Max()": ["f32[2,4,6,5]"],
    "Sum()": ["f32[2,4,6,5]"],
    "Map()": ["f32[2,4,6,5]"],
    "NoneFilter()": ["f32[2,4,6,5]"],
    "Pop()": ["f32[2,4,6,5]"],
    "Mixed()": ["f32[2,4,6,5]"],
    "MixedVar()": ["f32[2,4,6,5]"],
    "While()": ["f32[2,4,6,5]"],
    "Walrus()": ["f32[2,4,6,5]"],
    "SetOfTuple()": ["f32[2,4,6,5]"],
    "MulList()": ["f32[2,4,6,5]"],
    "IfelseNone()": ["f32[2,4,6,5]"],
    "Try()": ["f32[2,4,6,5]"],
    "Kw()": ["f32[2,4,6,5]"],
    "Dflt()": ["f32[2,4,6,5]"],
    "Deflt2()": ["f32[2,4,6,5]"],
    "DictGet()": ["f32[2,4,6,5]"],
    "DictValues()": ["f32[2,4,6,5]"],
    "DictComp()": ["f32[2,4,6,5]"],
    "Gen()": ["f32[2,4,6,5]"],
    "Starlist()": ["f32[2,4,6,5]"],
    "Reduce()": ["f32[2,4,6,5]"],
}


class Box:
    def __init__(self, a, b):
        self.a = a
        self.b = b

    def both(self):
        return self.a, self.b


class PlusAssign(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x]
        x = self.b(x)
        outs += [x]
        return outs


class Plus(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x]
        x = self.b(x)
        outs = outs + [x]
        return outs


class Insert(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x]
        x = self.b(x)
        outs.insert(0, x)
        return outs


class Extend(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = []
        outs.extend([x, self.b(x)])
        return outs


class Store(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [None, None]
        outs[0] = x
        outs[1] = self.b(x)
        return outs


class DictStore(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        d = {}
        d['a'] = x
        return d


class DictLit(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        d = {'a': x, 'b': self.b(x)}
        return d


class DictRead(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        d = {'a': x, 'b': self.b(x)}
        return d['a'][:, :, :, :2] * 2


class DictRead2(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        d = {}
        d['a'] = x
        y = self.b(d['a'])
        return y


class DictCall(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        d = dict(a=x)
        return d


class DictItems(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        d = {'a': x, 'b': x * 2}
        return [v for k, v in d.items()]


class DictUpdate(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        d = {}
        d.update(a=x)
        return d


class Rev(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return outs[::-1]


class Slice(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x), x]
        return outs[1:]


class Last(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return outs[-1]


class TupleOf(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return tuple(outs)


class Reversed(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return list(reversed(outs))


class NestedCall(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 4, 3, padding=1)

    def two(self, x):
        return x, self.c(x)

    def forward(self, x):
        x = self.a(x)
        return [self.two(x), x]


class CallTuple(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 4, 3, padding=1)

    def two(self, x):
        return x, self.c(x)

    def forward(self, x):
        x = self.a(x)
        return self.two(x)


class VarTuple(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 4, 3, padding=1)

    def two(self, x):
        return x, self.c(x)

    def forward(self, x):
        x = self.a(x)
        y = self.two(x)
        return y


class Unpacked(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 4, 3, padding=1)

    def two(self, x):
        return x, self.c(x)

    def forward(self, x):
        x = self.a(x)
        a, b = self.two(x)
        return a, b


class IndexCall(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 4, 3, padding=1)

    def two(self, x):
        return x, self.c(x)

    def forward(self, x):
        x = self.a(x)
        return self.two(x)[0]


class Loop(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = []
        for i in range(2):
            x = self.b(x) if i else x
            outs.append(x)
        return outs


class Comp(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return [o * 2 for o in outs]


class Comp2(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        return [f(x) for f in (self.b, self.c)]


class Enumerate(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        r = []
        for i, o in enumerate(outs):
            r.append(o * i)
        return r


class Zip(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return [p for p, q in zip(outs, outs)]


class Cond(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        return (x, self.b(x)) if self.flag else (x, x)


class CondList(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x] if self.flag else [x, x]
        return outs


class Star(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def pair(self, a, b):
        return a, b * 2

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return self.pair(*outs)


class OwnClass(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        box = Box(x, self.b(x))
        return box.a


class OwnClass2(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        box = Box(x, self.b(x))
        return box.both()


class Closure(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        def f(s):
            return x * s
        return f(2.0)


class Lam(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        f = lambda s: x * s
        return f(2.0)


class Setattr(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        self.kept = x
        return self.kept[:, :, 1]


class ListAttr(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        self.outs = [x]
        self.outs.append(self.b(x))
        return self.outs


class Max(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        return max([x, self.b(x)], key=lambda t: 1)


class Sum(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        return sum([x, x])


class Map(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        return list(map(lambda t: t * 2, [x, x]))


class NoneFilter(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, None, x]
        return [o for o in outs if o is not None]


class Pop(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return outs.pop()


class Mixed(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        m = x.mean((2, 3))
        return [x, m, self.b(x)]


class MixedVar(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        m = x.mean((2, 3))
        outs = [x, m]
        return outs


class While(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x]
        while len(outs) < 3:
            outs.append(outs[-1] * 2)
        return outs


class Walrus(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        return [(y := x), y * 2]


class SetOfTuple(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        t = (x, self.b(x))
        t = t + (x,)
        return t


class MulList(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x] * 2
        return outs


class IfelseNone(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        y = None
        if self.flag:
            y = x
        return y


class Try(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        try:
            y = self.b(x)
        finally:
            pass
        return y


class Kw(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def pair(self, a, b):
        return a, b * 2

    def forward(self, x):
        x = self.a(x)
        return self.pair(b=x, a=self.b(x))


class Dflt(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 4, 3, padding=1)

    def opt(self, x, also=False):
        if also:
            return x, self.c(x)
        return x

    def forward(self, x):
        x = self.a(x)
        return self.opt(x)


class Deflt2(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.c = nn.Conv2d(4, 4, 3, padding=1)

    def opt(self, x, also=False):
        if also:
            return x, self.c(x)
        return x

    def forward(self, x):
        x = self.a(x)
        return self.opt(x, True)


class DictGet(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        d = {'a': x}
        return d.get('a')


class DictValues(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        d = {'a': x, 'b': self.b(x)}
        return list(d.values())


class DictComp(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        return {k: x * 2 for k in ('a', 'b')}


class Gen(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        return sum(t * 2 for t in [x, x])


class Starlist(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return [*outs, x]


class Reduce(nn.Module):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.a(x)
        return functools.reduce(lambda p, q: p + q, [x, x])
