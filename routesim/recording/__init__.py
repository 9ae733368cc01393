"""What clients of a server did, as a scenario that does it again: heard step by step, tried, made shorter where that changes
nothing, and written.
"""
