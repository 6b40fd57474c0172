//! The free rows of the table in the comment.

use crate::error::{Error, Result};
use crate::status::Status;

use super::{Origin, SHOWN, Settings};

/// What the names of rows begin with where they are set like settings: `details.Hypervisor`.
pub const DETAIL: &str = "details.";

/// The rows and how strong they are. In whatever order they are set, those of weaker origins stand
/// first, and of two values of a row the stronger counts.
#[derive(Clone, Default)]
pub(super) struct Details {
    /// Names and values.
    rows: Vec<(String, String)>,
    /// As many, and for each row: the weakest and the strongest rank that set it.
    ranks: Vec<(u8, u8)>,
    /// Rows that were taken away, and by which rank.
    removed: Vec<(String, u8)>,
}

impl Details {
    fn set(&mut self, name: &str, value: &str, rank: u8) {
        if self.removed.iter().any(|(known, by)| known == name && *by > rank) {
            return;
        }
        self.removed.retain(|(known, _)| known != name);
        let Some(at) = self.rows.iter().position(|(known, _)| known == name) else {
            return self.insert((name.to_owned(), value.to_owned()), (rank, rank));
        };
        let (weakest, strongest) = &mut self.ranks[at];
        if rank >= *strongest {
            *strongest = rank;
            value.clone_into(&mut self.rows[at].1);
        }
        if rank < *weakest {
            let ranks = (rank, *strongest);
            let row = self.rows.remove(at);
            self.ranks.remove(at);
            self.insert(row, ranks);
        }
    }

    fn insert(&mut self, row: (String, String), ranks: (u8, u8)) {
        let at = self.ranks.partition_point(|(weakest, _)| *weakest <= ranks.0);
        self.rows.insert(at, row);
        self.ranks.insert(at, ranks);
    }

    fn remove(&mut self, name: &str, rank: u8) {
        if let Some(at) = self.rows.iter().position(|(known, _)| known == name) {
            if self.ranks[at].1 > rank {
                return;
            }
            self.rows.remove(at);
            self.ranks.remove(at);
        }
        self.removed.push((name.to_owned(), rank));
    }
}

impl Settings {
    /// Sets a row of the table of details. A row that is set already keeps its place, and its value
    /// if that is of a stronger origin. On the command line and in the library an empty value takes
    /// the row away.
    ///
    /// # Errors
    /// `BadSetting` if name or value has more than one line, or the name is empty.
    pub fn set_detail(&mut self, name: &str, value: &str, origin: &Origin) -> Result<()> {
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || format!("{name}{value}").contains(char::is_control) {
            let shown: String = name.chars().take(SHOWN).flat_map(char::escape_debug).collect();
            return Err(Error::new(Status::BadSetting, "a detail is a name and one line of text")
                .at(format!("{DETAIL}{shown}"))
                .advise("give it a name, and leave line breaks and control characters out"));
        }
        match value.is_empty() && matches!(origin, Origin::CommandLine | Origin::Api) {
            true => self.details.remove(name, origin.rank()),
            false => self.details.set(name, value, origin.rank()),
        }
        Ok(())
    }

    /// The rows of the table of details: those of an INI in its order, then those that the command
    /// line and the library added.
    pub fn details(&self) -> &[(String, String)] {
        &self.details.rows
    }

    /// The value of a row of the table of details.
    pub fn detail(&self, name: &str) -> Option<&str> {
        let row = self.details().iter().find(|(known, _)| known == name.trim());
        row.map(|(_, value)| value.as_str())
    }
}
