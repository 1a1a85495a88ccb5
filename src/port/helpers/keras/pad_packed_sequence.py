import keras


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """nn.utils.rnn.pad_packed_sequence: the sequence, as long as the longest or total_length, and the lengths."""
    data, lengths = sequence
    data = data[:, :keras.ops.max(lengths)]
    mask = keras.ops.arange(keras.ops.shape(data)[1], dtype="int32") < lengths[:, None]
    if padding_value != 0:
        data = keras.ops.where(keras.ops.expand_dims(mask, -1), data, padding_value)
    if total_length is not None:
        widths = [[0, 0], [0, total_length - keras.ops.shape(data)[1]], [0, 0]]
        data = keras.ops.pad(data, widths, constant_values=padding_value)
    return data if batch_first else keras.ops.swapaxes(data, 0, 1), keras.ops.cast(lengths, "int64")
