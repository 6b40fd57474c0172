"""Stands before the real notify_pr, and raises where BREAKS says: nothing of that may reach a run."""

import os

WHERE = os.environ["BREAKS"]


class Surprise(Exception):
    def __str__(self):
        raise RuntimeError("it has no text either")


def meet(where):
    if where == WHERE:
        raise Surprise


meet("import")


class Report:
    def __init__(self):
        meet("Report")

    def __getattr__(self, name):
        def method(*_):
            meet(name)
            return "" if name == "get" else self

        return method

    def __enter__(self):
        return self

    def __exit__(self, *_):
        meet("close")
