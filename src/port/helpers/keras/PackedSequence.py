import collections

PackedSequence = collections.namedtuple("PackedSequence", "data lengths")  # data: (batch, time, features), padded
