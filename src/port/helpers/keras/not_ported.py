def not_ported(name):
    """Stands for what is not ported from PyTorch, in a table of choices: to choose it raises."""
    def stand_in(*args, **kwargs):
        raise NotImplementedError(f"{name} is not ported from PyTorch")
    return stand_in
