//! Tokens that end while many workers upload.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use notify_pr::events::Event;
use notify_pr::plan::{Plan, Planned, Source};
use notify_pr::upload::upload;
use stand_ins::Swift;

use super::faults::login;

fn planned(n: usize) -> Planned {
    let bytes = format!("log {n}").into_bytes();
    let name = format!("{n:03}.log");
    Planned {
        key: name.clone(),
        name,
        size: bytes.len() as u64,
        source: Source::Memory(bytes.into()),
    }
}

#[test]
fn a_token_that_ends_in_the_middle_is_renewed_once_for_all_workers() {
    for version in ["v3", "v2.0", "auth/v1.0"] {
        let cloud = Arc::new(Swift::start());
        // Long enough for all workers to need the new one meanwhile.
        cloud.state().login_takes = Duration::from_millis(150);
        let endpoint = cloud.endpoint(version);
        let made = login(&endpoint, &[("jobs", "32")]);
        let (stored, forgetful) = (Mutex::new(0), Arc::clone(&cloud));
        made.submission.events.add_reader(move |event: &Event| {
            if matches!(event, Event::Stored { .. }) {
                let mut stored = stored.lock().unwrap();
                *stored += 1;
                if *stored == 100 || *stored == 250 {
                    forgetful.forget_tokens();
                }
            }
        });
        let plan = Plan { objects: (0..400).map(planned).collect(), ..Plan::default() };
        let uploaded = upload(&made.submission, &*made.store, &plan, "run/");
        assert!(uploaded.failure.is_none(), "{version}: {:?}", uploaded.failure);
        assert!(uploaded.missing.is_empty(), "{version}: {:?}", uploaded.missing);
        for n in 0..400 {
            let object = cloud.object(&format!("run/{n:03}.log"));
            assert_eq!(object.as_deref(), Some(format!("log {n}").as_bytes()), "{version}");
        }
        assert_eq!(cloud.given(), 3, "{version}: the first, and one for each that was forgotten");
        // Each worker may find out once for each that the token is no longer good.
        assert!(made.requests() <= 3 + 401 + 2 * 32, "{version}: {}", made.requests());
    }
}
