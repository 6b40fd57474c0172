//! What a user has no right to, and who gives it.
//!
//! Sources: Swift, "Access Control Lists (ACLs)" and "Auth System". Who has all rights in an
//! account may do everything; others may write and read where the lists of a container name them,
//! and see none of its settings.

use std::sync::atomic::Ordering::Relaxed;

use super::Swift;
use crate::http::Answer;
use crate::store::keystone::Owner;
use crate::store::{Fault, StoreError};

/// What is done in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Store,
    Read,
    Remove,
    List,
    Make,
    Change,
    Look,
}

impl Swift {
    /// A refusal for want of a right. The user's name stands in the advice, which is not published.
    pub(super) fn not_allowed(&self, doing: Doing, answer: &Answer) -> StoreError {
        let owner = self.tokens.owner();
        let whose = if owner.is_credential { "the application credential" } else { "the user" };
        let container = &self.container;
        let what = match doing {
            Doing::Store => format!("{whose} may not store objects in container {container}"),
            Doing::Read => format!("{whose} may not read objects in container {container}"),
            Doing::Remove => format!("{whose} may not remove objects from container {container}"),
            Doing::List => format!("{whose} may not list container {container}"),
            Doing::Make => {
                format!("container {container} does not exist, and {whose} may not make it")
            }
            Doing::Change => format!("{whose} may not change who reads container {container}"),
            Doing::Look => format!("{whose} may not see the settings of container {container}"),
        };
        let mut advice = self.how_to_allow(doing, &owner);
        if answer.header("x-trans-id").is_none() {
            advice.push_str(
                "; the answer bears no X-Trans-Id as those of Swift do, so it may be something in \
                 between that refuses",
            );
        }
        StoreError::new(Fault::Refused, what).advise(advice)
    }

    fn how_to_allow(&self, doing: Doing, owner: &Owner) -> String {
        let (container, listed) = (&self.container, &owner.listed);
        let all = all_rights(owner);
        match doing {
            Doing::Store | Doing::Remove => format!(
                "{all}, or add {listed} to the container's write ACL (X-Container-Write), as \
                 `swift post --write-acl '{listed}' {container}` does where there is none"
            ),
            Doing::Read | Doing::List => format!(
                "{all}, or add {listed} to the container's read ACL (X-Container-Read), as `swift \
                 post --read-acl '{listed}' {container}` does where there is none; .r:* and \
                 .rlistings in it are for everybody, also without an account"
            ),
            Doing::Make => format!(
                "{all}, or have somebody make the container who may, with {listed} in its write \
                 ACL: `swift post --write-acl '{listed}' {container}`"
            ),
            Doing::Change | Doing::Look => format!("{all}: no ACL gives this right"),
        }
    }

    /// How an operator has links opened, and what was not seen of it.
    pub(super) fn how_to_open(&self) -> String {
        let container = &self.container;
        let advice = format!(
            "let everybody get, but not list, what is in it: `swift post --read-acl '.r:*' \
             {container}`; for links that are signed give it a key: `swift post -m \
             'Temp-URL-Key: …' {container}`"
        );
        if self.hidden.load(Relaxed) { format!("{advice}; {}", self.unseen()) } else { advice }
    }

    /// What is not known of who may read, and who would know it.
    fn unseen(&self) -> String {
        let owner = self.tokens.owner();
        format!(
            "{} may not see the settings of the container, so a key that it has signs nothing: {}",
            owner.who,
            all_rights(&owner)
        )
    }
}

/// How this user comes to all rights in the account.
fn all_rights(owner: &Owner) -> String {
    let who = &owner.who;
    match (owner.is_credential, owner.is_v1) {
        (true, _) => format!("in place of {who} use one that has the role member"),
        (_, true) => {
            format!("give {who} all rights in the account (.admin in TempAuth, full in Ceph)")
        }
        _ => format!("give {who} the role member in the project"),
    }
}
