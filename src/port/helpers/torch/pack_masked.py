from torch.nn.utils.rnn import pack_padded_sequence


def pack_masked(x, mask):
    """The steps of x where mask is True, as Keras' recurrent layers see them: they skip the others.

    The padding may stand anywhere, but every sequence needs at least one real step.
    """
    order = mask.int().argsort(dim=1, descending=True, stable=True)  # real steps first
    x = x.gather(1, order.unsqueeze(-1).expand_as(x))
    return pack_padded_sequence(x, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
