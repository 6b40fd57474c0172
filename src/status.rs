//! The numbers: statuses, which are also the command's exit statuses, and the stages of a submission.

/// How a call ended. The numbers are part of the ABI and are never given another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Status {
    /// Everything that was asked for was done.
    Ok = 0,
    /// An argument that may not be NULL was NULL.
    NullArgument = 1,
    /// A text was not valid UTF-8.
    BadText = 2,
    /// A setting or an argument of the command is unknown, missing or impossible.
    BadSetting = 3,
    /// A call came in the wrong order, such as a second submit.
    Misuse = 4,
    /// A file that the submission cannot do without could not be read.
    BadFile = 10,
    /// The local disk could not be written.
    Disk = 11,
    /// What was to be published held one of our own secrets, so nothing was.
    SecretFound = 12,
    /// The store could not be reached.
    StoreUnreachable = 20,
    /// The store refused: credentials, rights, or a container that does not exist.
    StoreRefused = 21,
    /// Some of what was to be stored was not stored.
    StorePartial = 22,
    /// GitHub could not be reached.
    GithubUnreachable = 30,
    /// GitHub refused: token, rights, a locked pull request or an archived repository.
    GithubRefused = 31,
    /// GitHub asked to wait for longer than the budget of time allows.
    GithubBusy = 32,
    /// No pull request belongs to the commit.
    NoPullRequest = 33,
    /// More than one commit or pull request fits.
    Ambiguous = 34,
    /// A setting such as `on_closed` forbids the comment.
    RefusedByPolicy = 35,
    /// The caller or a signal cancelled the submission.
    Cancelled = 40,
    /// The report was set aside for a later submission.
    Queued = 41,
    /// A budget of time ran out.
    Timeout = 42,
    /// A bug in notify_pr.
    Internal = 50,
}

impl Status {
    /// All statuses in the order of their numbers.
    pub const ALL: [Status; 21] = [
        Status::Ok,
        Status::NullArgument,
        Status::BadText,
        Status::BadSetting,
        Status::Misuse,
        Status::BadFile,
        Status::Disk,
        Status::SecretFound,
        Status::StoreUnreachable,
        Status::StoreRefused,
        Status::StorePartial,
        Status::GithubUnreachable,
        Status::GithubRefused,
        Status::GithubBusy,
        Status::NoPullRequest,
        Status::Ambiguous,
        Status::RefusedByPolicy,
        Status::Cancelled,
        Status::Queued,
        Status::Timeout,
        Status::Internal,
    ];

    /// The number, which is also the exit status of the command.
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// The name as it stands in the C header after `NPR_`, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::NullArgument => "NULL_ARGUMENT",
            Status::BadText => "BAD_TEXT",
            Status::BadSetting => "BAD_SETTING",
            Status::Misuse => "MISUSE",
            Status::BadFile => "BAD_FILE",
            Status::Disk => "DISK",
            Status::SecretFound => "SECRET_FOUND",
            Status::StoreUnreachable => "STORE_UNREACHABLE",
            Status::StoreRefused => "STORE_REFUSED",
            Status::StorePartial => "STORE_PARTIAL",
            Status::GithubUnreachable => "GITHUB_UNREACHABLE",
            Status::GithubRefused => "GITHUB_REFUSED",
            Status::GithubBusy => "GITHUB_BUSY",
            Status::NoPullRequest => "NO_PULL_REQUEST",
            Status::Ambiguous => "AMBIGUOUS",
            Status::RefusedByPolicy => "REFUSED_BY_POLICY",
            Status::Cancelled => "CANCELLED",
            Status::Queued => "QUEUED",
            Status::Timeout => "TIMEOUT",
            Status::Internal => "INTERNAL",
        }
    }

    /// One line that says what the status means, without the particulars of a case.
    pub const fn text(self) -> &'static str {
        match self {
            Status::Ok => "the report was delivered",
            Status::NullArgument => "an argument that may not be NULL was NULL",
            Status::BadText => "a text is not valid UTF-8",
            Status::BadSetting => "a setting or argument is unknown, missing or impossible",
            Status::Misuse => "a call came in the wrong order",
            Status::BadFile => "a file that is needed could not be read",
            Status::Disk => "the local disk could not be written",
            Status::SecretFound => "what was to be published held a secret",
            Status::StoreUnreachable => "the store could not be reached",
            Status::StoreRefused => "the store refused",
            Status::StorePartial => "some files were not stored",
            Status::GithubUnreachable => "GitHub could not be reached",
            Status::GithubRefused => "GitHub refused",
            Status::GithubBusy => "GitHub asked to wait for too long",
            Status::NoPullRequest => "no pull request belongs to the commit",
            Status::Ambiguous => "more than one commit or pull request fits",
            Status::RefusedByPolicy => "a setting forbids the comment",
            Status::Cancelled => "the submission was cancelled",
            Status::Queued => "the report was set aside for a later submission",
            Status::Timeout => "the time ran out",
            Status::Internal => "a bug in notify_pr",
        }
    }
}

/// A step of a report's way, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i32)]
pub enum Stage {
    /// Which files become which objects.
    Plan = 1,
    /// Which pull request the commit belongs to.
    Find = 2,
    /// The files go to the store.
    Upload = 3,
    /// The comment and the pages are written.
    Compose = 4,
    /// The pages go to the store.
    Publish = 5,
    /// The comment goes to the pull request.
    Post = 6,
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Stage; 6] =
        [Stage::Plan, Stage::Find, Stage::Upload, Stage::Compose, Stage::Publish, Stage::Post];

    /// The name as it is printed, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Plan => "plan",
            Stage::Find => "find",
            Stage::Upload => "upload",
            Stage::Compose => "compose",
            Stage::Publish => "publish",
            Stage::Post => "post",
        }
    }
}
