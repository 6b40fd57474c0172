//! A store that remembers what is put into it.

use std::io::Read;
use std::ops::Range;
use std::sync::Mutex;

use notify_pr::content::{Body, Checksum};
use notify_pr::error::Error;
use notify_pr::store::{
    Access, Fault, Limits, Listing, Meta, Part, Store, StoreError, Stored, Upload,
};
use time::OffsetDateTime;

/// Something that was put.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) key: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) content_type: String,
}

/// The store. Only whole objects are put into it.
#[derive(Default)]
pub(crate) struct Memory {
    puts: Mutex<Vec<Put>>,
    failing: Option<(&'static str, Fault)>,
}

impl Memory {
    /// A store in which putting a key with this end fails.
    pub(crate) fn failing(end: &'static str, fault: Fault) -> Memory {
        Memory { failing: Some((end, fault)), ..Memory::default() }
    }

    /// What was put, in its order.
    pub(crate) fn puts(&self) -> Vec<Put> {
        self.puts.lock().unwrap().clone()
    }
}

fn unused<T>() -> Stored<T> {
    Err(StoreError::new(Fault::Refused, "the pages need nothing but put and link"))
}

impl Store for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn limits(&self) -> Limits {
        Limits {
            key_bytes: 1_024,
            component_bytes: 255,
            put_bytes: u64::MAX,
            part_bytes: (1, u64::MAX),
            parts: 1,
            parts_from: u64::MAX,
            checksum: Checksum::Sha256,
        }
    }

    fn prepare(&self) -> Stored<()> {
        Ok(())
    }

    fn put(&self, key: &str, body: &Body, meta: &Meta, sent: &dyn Fn(u64) -> bool) -> Stored<()> {
        if let Some((end, fault)) = self.failing.as_ref().filter(|(end, _)| key.ends_with(end)) {
            return Err(StoreError::new(fault.clone(), format!("{end} is refused")));
        }
        let mut bytes = Vec::new();
        body.open(0..body.len()).unwrap().read_to_end(&mut bytes).unwrap();
        sent(body.len());
        let content_type = meta.content_type.clone();
        self.puts.lock().unwrap().push(Put { key: key.to_owned(), bytes, content_type });
        Ok(())
    }

    fn begin(&self, _: &str, _: &Meta) -> Stored<Upload> {
        unused()
    }

    fn put_part(
        &self,
        _: &Upload,
        _: u32,
        _: &Body,
        _: Range<u64>,
        _: &dyn Fn(u64) -> bool,
    ) -> Stored<Part> {
        unused()
    }

    fn finish(&self, _: &Upload, _: &[Part]) -> Stored<()> {
        unused()
    }

    fn abort(&self, _: &Upload) -> Stored<()> {
        unused()
    }

    fn get(&self, _: &str, _: u64) -> Stored<Vec<u8>> {
        unused()
    }

    fn list(&self, _: &str, _: Option<&str>) -> Stored<Listing> {
        unused()
    }

    fn delete(&self, _: &str) -> Stored<()> {
        unused()
    }

    fn ways(&self) -> Vec<Access> {
        vec![Access::Public, Access::Signed]
    }

    fn link(&self, key: &str, access: Access, _: OffsetDateTime) -> Result<String, Error> {
        Ok(match access {
            Access::Public => format!("https://store.example.org/{key}"),
            Access::Signed => format!("https://store.example.org/{key}?signature=ab"),
        })
    }

    fn sweep(&self, _: OffsetDateTime, _: &dyn Fn() -> bool) -> Stored<u64> {
        unused()
    }
}
