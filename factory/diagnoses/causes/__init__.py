"""Why builds and tests fail: the words of the tool that gave up, and the recipe's line to write.

One module holds the causes of one kind; `table` joins them. Every row has a real tool's output in `tests/data/causes`.
"""
