import keras
from keras import layers


def channels_first(make, axes):
    """`make`, whose layers take channels last, as a function whose layers take and give channels first."""
    def made(*args, **kwargs):
        return keras.Sequential([
            layers.Permute((*range(2, axes + 2), 1)),
            make(*args, **kwargs),
            layers.Permute((axes + 1, *range(1, axes + 1))),
        ])
    return made
