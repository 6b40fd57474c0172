//! The container: made when the first object finds none, and never changed afterwards.

use std::sync::PoisonError;

use super::call::{Call, Target};
use super::{Swift, Wanted, temp_url};
use crate::store::Stored;

/// How far the making of the container is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Making {
    /// It was not needed so far.
    #[default]
    NotBegun,
    /// It was made by this store, and nobody but its owner may read it yet.
    Bare,
    /// It is there and ready, whoever made it.
    Done,
}

impl Swift {
    /// Makes the container after an object found none, if the settings allow it. Of many threads
    /// that come at once one does it.
    ///
    /// Everybody may read what is in it, by name and only by name, where that is wanted; nobody
    /// but its owner may list it. One that exists is left as it is, whoever made it: a PUT with
    /// rights would change those of a container that somebody else made a moment ago, or that a
    /// proxy of the cluster did not remember. So it is made without any, and they are given when
    /// the answer says that it is new.
    pub(super) fn make_container(&self) -> Stored<()> {
        if !self.create {
            return Err(self.no_container());
        }
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if *making == Making::NotBegun {
            let call = Call::new("PUT", Target::Container);
            let answer = self.exchange(&self.agent, &call)?;
            *making = match answer.status {
                // Somebody was faster. Ceph says 409 where the rights differ.
                202 | 204 | 409 => Making::Done,
                200..=299 => Making::Bare,
                _ => return Err(self.refusal(call.doing(), &answer)),
            };
        }
        self.end_making(&mut making)
    }

    /// Gives the container that was made what it still lacks, where that failed before.
    pub(super) fn make_ready(&self) -> Stored<()> {
        self.end_making(&mut self.making.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn end_making(&self, making: &mut Making) -> Stored<()> {
        if *making == Making::Bare {
            match self.access {
                Wanted::Public => self.let_everybody_read()?,
                Wanted::Auto | Wanted::Signed => self.give_key()?,
            }
            *making = Making::Done;
        }
        Ok(())
    }

    /// Lets everybody get, and nobody list, what is in the container that was made just now.
    fn let_everybody_read(&self) -> Stored<()> {
        let mut call = Call::new("POST", Target::Container);
        call.headers.push(("x-container-read".to_owned(), ".r:*".to_owned()));
        self.call(&self.agent, &call)?;
        self.know(temp_url::Reading { public: true, key: None });
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
            self.know(temp_url::Reading { public: false, key: Some(key) });
        }
        Ok(())
    }

    fn know(&self, reading: temp_url::Reading) {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }
}
