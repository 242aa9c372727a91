"""What a page shows, as frozen values gathered from a run's folder; the templates know nothing else.

They are tuples with names: to make a class of them takes a tenth of what a frozen dataclass takes, and every run imports forty.
"""
