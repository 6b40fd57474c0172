//! The container: made when the first object finds none, and never changed afterwards.

use std::sync::PoisonError;

use super::call::{Call, Target};
use super::{Swift, Wanted, temp_url};
use crate::store::{Fault, StoreError, Stored};

impl Swift {
    /// Makes the container after an object found none, if the settings allow it. Of many threads
    /// that come at once one does it.
    ///
    /// Everybody may read what is in it, by name and only by name, where that is wanted; nobody
    /// but its owner may list it. One that exists is left as it is, whoever made it: a blind PUT
    /// would change its rights on Swift, and is a conflict on Ceph.
    pub(super) fn make_container(&self) -> Stored<()> {
        if !self.create {
            return Err(self.no_container());
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if *made {
            return Ok(());
        }
        let mut call = Call::new("PUT", Target::Container);
        if self.access == Wanted::Public {
            call.headers.push(("x-container-read".to_owned(), ".r:*".to_owned()));
        }
        let answer = self.exchange(&self.agent, &call)?;
        match answer.status {
            // Somebody was faster. Ceph says 409 where the rights differ.
            202 | 204 | 409 => {}
            200..=299 if self.access == Wanted::Public => {}
            200..=299 => self.give_key()?,
            401 | 403 => {
                return Err(StoreError::new(
                    Fault::Refused,
                    format!(
                        "the container {} does not exist, and the user may not make it",
                        self.container
                    ),
                )
                .at(self.name.clone())
                .advise("have it made by an administrator of the project"));
            }
            _ => return Err(self.refusal(&answer)),
        }
        *made = true;
        Ok(())
    }

    /// Gives a container that was made just now a key for temporary URLs, where the cluster has
    /// them. That is done after it was made, and only by the one who made it: of two keys the
    /// links of the first would die.
    fn give_key(&self) -> Stored<()> {
        if !self.info(&self.agent)?.temp_urls {
            return Ok(());
        }
        let key = temp_url::Key::random()?;
        let mut call = Call::new("POST", Target::Container);
        call.headers.push(("x-container-meta-temp-url-key".to_owned(), key.secret().to_owned()));
        // Without a key there are no links, but the files are stored all the same.
        if self.call(&self.agent, &call).is_ok() {
            let reading = temp_url::Reading { public: false, key: Some(key) };
            *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        }
        Ok(())
    }
}
