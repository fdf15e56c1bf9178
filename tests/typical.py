"""The rules that the slower suites try: they differ in what they ask of a binding.

No array, one, two or three; switches that decide which; a decay of its own; a setting that follows
another. Every rule there is goes through the conformance suite.
"""

RULES = ["adam", "adamw", "amsgrad", "gradient_descent", "momentum", "nesterov", "rmsprop"]
