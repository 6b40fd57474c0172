"""What became of a report."""

import json
from dataclasses import dataclass, field, fields
from typing import Any, Dict, Mapping, Optional, Tuple, Type, TypeVar

from ._status import Stage, Status

_T = TypeVar("_T")


@dataclass(frozen=True)
class Progress:
    """How far a submission is. What is to be done is 0 until the plan is made."""

    stage: Stage
    files_done: int
    files: int
    bytes_done: int
    bytes: int


@dataclass(frozen=True)
class PullRequest:
    """A pull request that the commit belongs to, and what became of the comment there."""

    number: int
    url: str
    relation: str
    comment_url: Optional[str] = None
    comment_action: str = "none"
    """``created``, ``updated``, ``unchanged``, ``skipped`` or ``none``."""
    reason: Optional[str] = None
    """Why it was skipped or left as it was."""


@dataclass(frozen=True)
class StoredFile:
    """A file that is in the store."""

    name: str
    key: str
    url: Optional[str] = None
    """``None`` where the public has no way to it."""
    size: Optional[int] = None
    content_type: Optional[str] = None


@dataclass(frozen=True)
class Part:
    """A part of the run that was set aside before and went along."""

    name: str
    verdict: str
    finished: bool
    passed: Optional[int] = None
    failed: Optional[int] = None
    errors: Optional[int] = None
    skipped: Optional[int] = None
    reported_before: bool = False


@dataclass(frozen=True)
class Notice:
    """Something to know, about a file or in general."""

    name: Optional[str]
    reason: str


@dataclass(frozen=True)
class Receipt:
    """What became of a report. The same as ``notify_pr --json`` prints; ``json`` is that text."""

    status: Status
    status_text: str
    context: str
    submission: str
    """The id of the submission."""
    started: str
    """When it began (RFC 3339, UTC)."""
    tool_version: str
    dry_run: bool = False
    error: Optional[str] = None
    error_stage: Optional[str] = None
    repository: Optional[str] = None
    """``owner/name``."""
    commit: Optional[str] = None
    pull_requests: Tuple[PullRequest, ...] = ()
    """Those that got the comment first."""
    page_url: Optional[str] = None
    """The page that lists the files."""
    expires: Optional[str] = None
    """Until when the links open (RFC 3339, UTC)."""
    files: Tuple[StoredFile, ...] = ()
    pages: Tuple[str, ...] = ()
    missing: Tuple[Notice, ...] = ()
    """What was wanted and is not in the store."""
    warnings: Tuple[Notice, ...] = ()
    requests: Mapping[str, int] = field(default_factory=dict, hash=False)
    """How many requests were sent to each host."""
    comment_text: Optional[str] = None
    outbox: Optional[str] = None
    """Where the report was kept, if no comment could be made."""
    spooled: Optional[str] = None
    """Where the report was set aside (``submit = collect``); nothing was sent then."""
    parts: Tuple[Part, ...] = ()
    json: str = ""
    schema: int = 1

    @property
    def pull_number(self) -> Optional[int]:
        """The number of the first pull request."""
        return self.pull_requests[0].number if self.pull_requests else None

    @property
    def comment_url(self) -> Optional[str]:
        """The address of the comment on the first pull request."""
        return self.pull_requests[0].comment_url if self.pull_requests else None

    @classmethod
    def from_json(cls, text: str) -> "Receipt":
        """Reads the JSON of a receipt. Fields that only a later version knows are left out."""
        found: Dict[str, Any] = json.loads(text)
        for name, kind in _LISTS.items():
            found[name] = tuple(_made(kind, entry) for entry in found.get(name, ()))
        found["pages"] = tuple(found.get("pages", ()))
        found["requests"] = found.get("requests", {})
        found["status"] = Status(found["status"])
        found["json"] = text
        return _made(cls, found)


_LISTS: Dict[str, Type[Any]] = {
    "pull_requests": PullRequest,
    "files": StoredFile,
    "missing": Notice,
    "warnings": Notice,
    "parts": Part,
}


def _made(kind: Type[_T], found: Mapping[str, Any]) -> _T:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # a dataclass
    return kind(**{name: value for name, value in found.items() if name in known})
