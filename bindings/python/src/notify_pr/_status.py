"""The numbers of include/notify_pr.h."""

from enum import IntEnum


class _Number(IntEnum):
    """A number that only a later library knows is one without a name of its own."""

    @classmethod
    def _missing_(cls, value: object) -> "_Number":
        if not isinstance(value, int):
            raise ValueError(f"{value!r} is no number")
        unknown = int.__new__(cls, value)
        unknown._name_ = f"{cls.__name__.upper()}_{value}"
        unknown._value_ = value
        return unknown


class Status(_Number):
    """How a call ended; also the exit statuses of the notify_pr command.

    The numbers are grouped by whose turn it is to act and never get another meaning.
    """

    OK = 0
    NULL_ARGUMENT = 1
    BAD_TEXT = 2
    BAD_SETTING = 3
    MISUSE = 4
    BAD_FILE = 10
    DISK = 11
    SECRET_FOUND = 12
    STORE_UNREACHABLE = 20
    STORE_REFUSED = 21
    STORE_PARTIAL = 22
    GITHUB_UNREACHABLE = 30
    GITHUB_REFUSED = 31
    GITHUB_BUSY = 32
    NO_PULL_REQUEST = 33
    AMBIGUOUS = 34
    REFUSED_BY_POLICY = 35
    CANCELLED = 40
    QUEUED = 41
    TIMEOUT = 42
    INTERNAL = 50


class Stage(_Number):
    """The steps that a report takes, in their order."""

    PLAN = 1
    FIND = 2
    UPLOAD = 3
    COMPOSE = 4
    PUBLISH = 5
    POST = 6
