"""What the messages of other programs mean: one module for each program, one type of case, one way to the text.

Whatever is read here was printed by a package or a server. `searchable` cuts it, and every pattern takes time in
proportion to the length of its text: repetitions are bounded or possessive, and none overlaps with what follows it.
tests/property/test_patterns.py times them all.
"""
