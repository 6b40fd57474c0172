//! Where a value came from.

use std::fmt;

/// Where a value came from; the order is the precedence, weakest first.
///
/// The derived order goes on to names and lines; what may overwrite what is decided by
/// [`Origin::rank`] alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The git checkout in the working directory.
    Git,
    /// A variable of the CI server.
    Ci {
        /// The CI server, such as `Jenkins (ghprb)`.
        system: String,
        /// The variable.
        variable: String,
    },
    /// A variable of another program, such as `GITHUB_TOKEN`.
    OtherProgram {
        /// The variable.
        variable: String,
    },
    /// A line of an INI file.
    Ini {
        /// The file as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of ours, such as `NOTIFY_PR_TOKEN`.
    Environment {
        /// The variable.
        variable: String,
    },
    /// An option of the command.
    CommandLine,
    /// A call of the library.
    Api,
}

impl Origin {
    /// The precedence: a value of a lower rank never overwrites one of a higher rank.
    pub fn rank(&self) -> u8 {
        match self {
            Origin::Default => 0,
            Origin::Git => 1,
            Origin::Ci { .. } => 2,
            Origin::OtherProgram { .. } => 3,
            Origin::Ini { .. } => 4,
            Origin::Environment { .. } => 5,
            Origin::CommandLine => 6,
            Origin::Api => 7,
        }
    }

    /// Whether somebody set it for notify_pr, in whatever way.
    pub fn is_ours(&self) -> bool {
        self.rank() >= 4
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Git => f.write_str("git checkout"),
            Origin::Ci { system, variable } => write!(f, "{system}: {variable}"),
            Origin::OtherProgram { variable } | Origin::Environment { variable } => {
                f.write_str(variable)
            }
            Origin::Ini { file, line } => write!(f, "{file}:{line}"),
            Origin::CommandLine => f.write_str("command line"),
            Origin::Api => f.write_str("API"),
        }
    }
}
