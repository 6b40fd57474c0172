"""Breaks the plugins themselves, where BREAKS says: in Run.begin, for example."""

import os

import notify_pr_plugins.run


def raises(*_, **__):
    raise RuntimeError("a surprise of our own")


*_, where = path = os.environ["BREAKS"].split(".")
setattr(notify_pr_plugins.run.Run if len(path) > 1 else notify_pr_plugins.run, where, raises)
