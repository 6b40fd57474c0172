//! The catalogue that comes with a token: which services there are, where, for whom.

use crate::store::{Fault, StoreError};

/// What Swift is called in a catalogue.
const OBJECT_STORE: &str = "object-store";

/// One address of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) service: String,
    pub(super) region: String,
    /// `public`, `internal` or `admin`.
    pub(super) interface: String,
    pub(super) url: String,
}

/// The address of the object store, and the regions that were passed over.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) url: String,
    pub(super) region: String,
    pub(super) others: Vec<String>,
}

/// Picks the object store of a region, or of the first region that has one.
pub(super) fn choose(
    entries: &[Entry],
    region: Option<&str>,
    interface: &str,
) -> Result<Chosen, StoreError> {
    let stores: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.service == OBJECT_STORE && !entry.url.is_empty())
        .collect();
    if stores.is_empty() {
        let services = listed(entries.iter().map(|entry| entry.service.as_str()));
        return Err(StoreError::new(
            Fault::Refused,
            format!("there is no object store in the catalogue, only: {services}"),
        )
        .advise("ask the cloud's operator for Swift in this project, or use store_api = s3"));
    }
    let here: Vec<&&Entry> =
        stores.iter().filter(|entry| region.is_none_or(|region| entry.region == region)).collect();
    if here.is_empty() {
        let regions = listed(stores.iter().map(|entry| entry.region.as_str()));
        return Err(StoreError::new(
            Fault::Refused,
            format!(
                "there is no object store in region {}; regions: {regions}",
                region.unwrap_or_default()
            ),
        )
        .advise("set store_region to one of them"));
    }
    let fitting: Vec<&&&Entry> = here.iter().filter(|entry| entry.interface == interface).collect();
    let Some(first) = fitting.first() else {
        let interfaces = listed(here.iter().map(|entry| entry.interface.as_str()));
        return Err(StoreError::new(
            Fault::Refused,
            format!("the object store has no {interface} address, only: {interfaces}"),
        )
        .advise("set store_interface to one of them"));
    };
    let mut others: Vec<String> = Vec::new();
    for entry in &fitting {
        if entry.region != first.region && !others.contains(&entry.region) {
            others.push(entry.region.clone());
        }
    }
    Ok(Chosen { url: first.url.clone(), region: first.region.clone(), others })
}

/// Each name once, in the order in which they came.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    if seen.is_empty() { "none".to_owned() } else { seen.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(service: &str, region: &str, interface: &str) -> Entry {
        Entry {
            service: service.to_owned(),
            region: region.to_owned(),
            interface: interface.to_owned(),
            url: format!("https://{region}.example.org/{interface}"),
        }
    }

    fn catalogue() -> Vec<Entry> {
        vec![
            entry("identity", "east", "public"),
            Entry { url: String::new(), ..entry("object-store", "north", "public") },
            entry("object-store", "east", "internal"),
            entry("object-store", "east", "public"),
            entry("object-store", "west", "public"),
        ]
    }

    #[test]
    fn region_and_interface_choose_the_address() {
        let chosen = choose(&catalogue(), Some("west"), "public").unwrap();
        assert_eq!(
            (chosen.url.as_str(), chosen.others.len()),
            ("https://west.example.org/public", 0)
        );
        let inner = choose(&catalogue(), None, "internal").unwrap();
        assert_eq!(inner.url, "https://east.example.org/internal");
    }

    #[test]
    fn without_a_region_the_first_is_taken_and_the_others_are_named() {
        let chosen = choose(&catalogue(), None, "public").unwrap();
        assert_eq!((chosen.region.as_str(), chosen.others), ("east", vec!["west".to_owned()]));
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        let error = choose(&catalogue(), Some("south"), "public").unwrap_err().to_string();
        assert!(error.contains("south") && error.contains("east, west"), "{error}");
        let error = choose(&catalogue(), Some("west"), "admin").unwrap_err().to_string();
        assert!(error.contains("store_interface") && error.contains("public"), "{error}");
        let error = choose(&[entry("image", "east", "public")], None, "public").unwrap_err();
        assert!(error.to_string().contains("only: image"), "{error}");
    }
}
