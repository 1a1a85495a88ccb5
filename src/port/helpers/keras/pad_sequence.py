import keras


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """nn.utils.rnn.pad_sequence: tensors of one list, filled up to the longest one, in one batch."""
    lengths = [keras.ops.shape(x)[0] for x in sequences]
    longest = max(lengths) if all(isinstance(n, int) for n in lengths) else keras.ops.max(keras.ops.stack(lengths))
    padded = []
    for x, length in zip(sequences, lengths):
        missing = keras.ops.full([longest - length, *keras.ops.shape(x)[1:]], padding_value, x.dtype)
        padded.append(keras.ops.concatenate([x, missing] if padding_side == "right" else [missing, x], axis=0))
    return keras.ops.stack(padded, axis=0 if batch_first else 1)
