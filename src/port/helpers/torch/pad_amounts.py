def pad_amounts(padding):
    """F.pad amounts of a Keras padding: one number, (rows, columns) or ((top, bottom), (left, right))."""
    rows, columns = (padding, padding) if isinstance(padding, int) else padding
    top, bottom = (rows, rows) if isinstance(rows, int) else rows
    left, right = (columns, columns) if isinstance(columns, int) else columns
    return [left, right, top, bottom]
