"""Builder functions inside functions are read as functions of the module: what they close over is passed to them.

    def build_net(width):                                def block(x, n, width):
        def block(x, n):                                     return layers.Dense(n * width)(x)
            return layers.Dense(n * width)(x)    ->
        i = keras.Input((8,))                            def build_net(width):
        return keras.Model(i, block(i, 4))                   i = keras.Input((8,))
                                                             return keras.Model(i, block(i, 4, width=width))

A closure sees what a variable holds when it is called, and so does an argument. What is not certain stays inside:
functions that are values, or decorated, or call themselves; variables that may have no value yet. What only computes
goes with the builders that call it.
"""
