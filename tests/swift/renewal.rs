//! Tokens that end while many workers upload.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use notify_pr::events::Event;
use notify_pr::plan::{Plan, Planned, Source};
use notify_pr::upload::upload;
use stand_ins::{Fault, Swift};

use super::client::{DAY, Made};
use super::faults::{login, try_put};

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

/// A cloud whose identity service is in trouble, and a login with a token that is to be renewed
/// but has not ended. What `check` saw counts if that still was so when it was done.
fn near_the_end_of_a_token(trouble: impl Fn(Fault) -> Fault, check: impl Fn(&Swift, &Made)) {
    for life in [5, 15, 60] {
        let (cloud, life) = (Swift::start(), Duration::from_secs(life));
        cloud.state().life = Some(life);
        let endpoint = cloud.endpoint("v3");
        let (made, began) = (login(&endpoint, &[]), Instant::now());
        made.put("first.log", b"text", DAY);
        cloud.fault(trouble(Fault::on("POST", "/v3/auth/tokens")).forever());
        // It is renewed in the last fifth of its life.
        std::thread::sleep((life * 81 / 100).saturating_sub(began.elapsed()));
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            check(&cloud, &made);
        }));
        if began.elapsed() < life {
            return checked.unwrap();
        }
    }
    panic!("this machine is too slow to tell");
}

fn logins(cloud: &Swift) -> usize {
    cloud.requests().iter().filter(|request| request.target.contains("/auth/tokens")).count()
}

#[test]
fn a_token_that_cannot_be_renewed_yet_is_used_as_long_as_it_is_good() {
    near_the_end_of_a_token(
        |fault| fault.html(503),
        |cloud, made| {
            for n in 0..5 {
                made.put(&format!("{n}.log"), b"text", DAY);
            }
            assert_eq!(logins(cloud), 2, "the next renewal is tried later");
            assert_eq!(cloud.state().objects.len(), 6);
            // One that the store does not accept is not used.
            cloud.forget_tokens();
            assert!(try_put(made, "lost.log", b"text").is_err());
            assert_eq!((logins(cloud), cloud.given()), (3, 1));
            cloud.server.clear_faults();
            made.put("late.log", b"text", DAY);
            assert_eq!(cloud.given(), 2);
        },
    );
}

#[test]
fn nobody_waits_for_the_renewal_of_a_token_that_is_good() {
    near_the_end_of_a_token(
        |fault| fault.stall(),
        |cloud, made| {
            std::thread::scope(|scope| {
                let asking = scope.spawn(|| try_put(made, "asks.log", b"text"));
                while logins(cloud) < 2 && !asking.is_finished() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                made.put("does not wait.log", b"text", DAY);
                assert!(!asking.is_finished(), "who asks is not answered");
                made.submission.agents.store.shut_down();
                let _ = asking.join().unwrap();
            });
        },
    );
}
