"""Tensors in lists, tuples, dicts and objects: what gets out has the axes of the source."""
import functools
import keras
import tensorflow as tf
from keras import layers

CASES = {
    "PlusAssign()": ["f32[2,6,5,3]"],
    "Plus()": ["f32[2,6,5,3]"],
    "Insert()": ["f32[2,6,5,3]"],
    "Extend()": ["f32[2,6,5,3]"],
    "Store()": ["f32[2,6,5,3]"],
    "DictStore()": ["f32[2,6,5,3]"],
    "DictLit()": ["f32[2,6,5,3]"],
    "DictRead()": ["f32[2,6,5,3]"],
    "DictCall()": ["f32[2,6,5,3]"],
    "DictItems()": ["f32[2,6,5,3]"],
    "DictUpdate()": ["f32[2,6,5,3]"],
    "Rev()": ["f32[2,6,5,3]"],
    "Slice()": ["f32[2,6,5,3]"],
    "Last()": ["f32[2,6,5,3]"],
    "TupleOf()": ["f32[2,6,5,3]"],
    "Reversed()": ["f32[2,6,5,3]"],
    "NestedCall()": ["f32[2,6,5,3]"],
    "CallTuple()": ["f32[2,6,5,3]"],
    "VarTuple()": ["f32[2,6,5,3]"],
    "Unpacked()": ["f32[2,6,5,3]"],
    "IndexCall()": ["f32[2,6,5,3]"],
    "Loop()": ["f32[2,6,5,3]"],
    "Comp()": ["f32[2,6,5,3]"],
    "Comp2()": ["f32[2,6,5,3]"],
    "Enumerate()": ["f32[2,6,5,3]"],
    "Zip()": ["f32[2,6,5,3]"],
    "Cond()": ["f32[2,6,5,3]"],
    "CondList()": ["f32[2,6,5,3]"],
    "Star()": ["f32[2,6,5,3]"],
    "OwnClass()": ["f32[2,6,5,3]"],
    "OwnClass2()": ["f32[2,6,5,3]"],
    "Closure()": ["f32[2,6,5,3]"],
    "Lam()": ["f32[2,6,5,3]"],
    "Setattr()": ["f32[2,6,5,3]"],
    "ListAttr()": ["f32[2,6,5,3]"],
    "Max()": ["f32[2,6,5,3]"],
    "Sum()": ["f32[2,6,5,3]"],
    "Map()": ["f32[2,6,5,3]"],
    "NoneFilter()": ["f32[2,6,5,3]"],
    "Pop()": ["f32[2,6,5,3]"],
    "Mixed()": ["f32[2,6,5,3]"],
    "MixedVar()": ["f32[2,6,5,3]"],
    "While()": ["f32[2,6,5,3]"],
    "Walrus()": ["f32[2,6,5,3]"],
    "SetOfTuple()": ["f32[2,6,5,3]"],
    "MulList()": ["f32[2,6,5,3]"],
    "IfelseNone()": ["f32[2,6,5,3]"],
    "Try()": ["f32[2,6,5,3]"],
    "Kw()": ["f32[2,6,5,3]"],
    "DictGet()": ["f32[2,6,5,3]"],
    "DictValues()": ["f32[2,6,5,3]"],
    "DictComp()": ["f32[2,6,5,3]"],
    "Gen()": ["f32[2,6,5,3]"],
    "Starlist()": ["f32[2,6,5,3]"],
    "Reduce()": ["f32[2,6,5,3]"],
}


class Box:
    def __init__(self, a, b):
        self.a = a
        self.b = b

    def both(self):
        return self.a, self.b


class PlusAssign(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x]
        x = self.b(x)
        outs += [x]
        return outs


class Plus(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x]
        x = self.b(x)
        outs = outs + [x]
        return outs


class Insert(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x]
        x = self.b(x)
        outs.insert(0, x)
        return outs


class Extend(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = []
        outs.extend([x, self.b(x)])
        return outs


class Store(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [None, None]
        outs[0] = x
        outs[1] = self.b(x)
        return outs


class DictStore(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        d = {}
        d['a'] = x
        return d


class DictLit(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        d = {'a': x, 'b': self.b(x)}
        return d


class DictRead(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        d = {'a': x, 'b': self.b(x)}
        return d['a'][:, :, :2] * 2


class DictCall(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        d = dict(a=x)
        return d


class DictItems(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        d = {'a': x, 'b': x * 2}
        return [v for k, v in d.items()]


class DictUpdate(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        d = {}
        d.update(a=x)
        return d


class Rev(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return outs[::-1]


class Slice(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x), x]
        return outs[1:]


class Last(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return outs[-1]


class TupleOf(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return tuple(outs)


class Reversed(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return list(reversed(outs))


class NestedCall(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.c = layers.Conv2D(4, 3, padding='same')

    def two(self, x):
        return x, self.c(x)

    def call(self, x):
        x = self.a(x)
        return [self.two(x), x]


class CallTuple(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.c = layers.Conv2D(4, 3, padding='same')

    def two(self, x):
        return x, self.c(x)

    def call(self, x):
        x = self.a(x)
        return self.two(x)


class VarTuple(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.c = layers.Conv2D(4, 3, padding='same')

    def two(self, x):
        return x, self.c(x)

    def call(self, x):
        x = self.a(x)
        y = self.two(x)
        return y


class Unpacked(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.c = layers.Conv2D(4, 3, padding='same')

    def two(self, x):
        return x, self.c(x)

    def call(self, x):
        x = self.a(x)
        a, b = self.two(x)
        return a, b


class IndexCall(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.c = layers.Conv2D(4, 3, padding='same')

    def two(self, x):
        return x, self.c(x)

    def call(self, x):
        x = self.a(x)
        return self.two(x)[0]


class Loop(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = []
        for i in range(2):
            x = self.b(x) if i else x
            outs.append(x)
        return outs


class Comp(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return [o * 2 for o in outs]


class Comp2(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')
        self.c = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        return [f(x) for f in (self.b, self.c)]


class Enumerate(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        r = []
        for i, o in enumerate(outs):
            r.append(o * i)
        return r


class Zip(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return [p for p, q in zip(outs, outs)]


class Cond(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        return (x, self.b(x)) if self.flag else (x, x)


class CondList(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x] if self.flag else [x, x]
        return outs


class Star(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def pair(self, a, b):
        return a, b * 2

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return self.pair(*outs)


class OwnClass(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        box = Box(x, self.b(x))
        return box.a


class OwnClass2(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        box = Box(x, self.b(x))
        return box.both()


class Closure(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        def f(s):
            return x * s
        return f(2.0)


class Lam(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        f = lambda s: x * s
        return f(2.0)


class Setattr(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        self.kept = x
        return self.kept[:, 1]


class ListAttr(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        self.outs = [x]
        self.outs.append(self.b(x))
        return self.outs


class Max(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        return max([x, self.b(x)], key=lambda t: 1)


class Sum(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        return sum([x, x])


class Map(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        return list(map(lambda t: t * 2, [x, x]))


class NoneFilter(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, None, x]
        return [o for o in outs if o is not None]


class Pop(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return outs.pop()


class Mixed(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        m = tf.reduce_mean(x, axis=(1, 2))
        return [x, m, self.b(x)]


class MixedVar(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        m = tf.reduce_mean(x, axis=(1, 2))
        outs = [x, m]
        return outs


class While(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x]
        while len(outs) < 3:
            outs.append(outs[-1] * 2)
        return outs


class Walrus(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        return [(y := x), y * 2]


class SetOfTuple(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        t = (x, self.b(x))
        t = t + (x,)
        return t


class MulList(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x] * 2
        return outs


class IfelseNone(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        y = None
        if self.flag:
            y = x
        return y


class Try(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        try:
            y = self.b(x)
        finally:
            pass
        return y


class Kw(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def pair(self, a, b):
        return a, b * 2

    def call(self, x):
        x = self.a(x)
        return self.pair(b=x, a=self.b(x))


class DictGet(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        d = {'a': x}
        return d.get('a')


class DictValues(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        d = {'a': x, 'b': self.b(x)}
        return list(d.values())


class DictComp(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        return {k: x * 2 for k in ('a', 'b')}


class Gen(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        return sum(t * 2 for t in [x, x])


class Starlist(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')
        self.b = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        outs = [x, self.b(x)]
        return [*outs, x]


class Reduce(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.a = layers.Conv2D(4, 3, padding='same')

    def call(self, x):
        x = self.a(x)
        return functools.reduce(lambda p, q: p + q, [x, x])
