# needs: PackedSequence
import keras


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """nn.utils.rnn.pack_padded_sequence: here the padded sequence with its lengths; the order of a batch is kept."""
    data = input if batch_first else keras.ops.swapaxes(input, 0, 1)
    return PackedSequence(data, keras.ops.cast(lengths, "int32"))
