//! The container: who makes it, and what is done to one that is there. A good cluster cannot show
//! the moments in between.

use std::time::Duration;

use notify_pr::store::Fault as Outcome;
use stand_ins::{Fault, Response, Swift};

use super::client::DAY;
use super::faults::{login, try_put};

#[test]
fn a_container_that_somebody_else_just_made_is_used() {
    for status in [202, 409] {
        let stand_in = Swift::start();
        let endpoint = stand_in.endpoint("v3");
        let more = [("store_container", "late"), ("store_create", "true")];
        let made = login(&endpoint, &more);
        // Ceph: 409 BucketAlreadyExists.
        let exists = Response::new(status).body("BucketAlreadyExists");
        stand_in.server.fault(Fault::on("PUT", "/v1/AUTH_lab/late").skip(1).respond(exists));
        let early = try_put(&made, "a.log", b"text").unwrap_err();
        assert_eq!(early.fault, Outcome::Busy(Some(Duration::from_secs(1))), "{early}");
        stand_in.state().containers.insert("late".to_owned());
        made.put("a.log", b"text", DAY);
        assert!(stand_in.state().objects.contains_key("late/a.log"));
    }
}

#[test]
fn rights_are_given_only_to_a_container_that_is_new() {
    let stand_in = Swift::start();
    let endpoint = stand_in.endpoint("v3");
    let rights = || {
        let requests = stand_in.server.requests();
        let given = requests.iter().filter(|each| each.header("x-container-read").is_some());
        given.map(|each| format!("{} {}", each.method, each.path())).collect::<Vec<_>>()
    };
    // The proxy did not remember that somebody made it, with rights that are not ours to change.
    let public = [("store_create", "true"), ("store_access", "public")];
    stand_in.server.fault(Fault::on("PUT", "/v1/AUTH_lab/notify-pr/").html(404));
    login(&endpoint, &public).put("a.log", b"text", DAY);
    assert_eq!(stand_in.object("a.log").unwrap(), b"text");
    assert!(rights().is_empty(), "{:?}", rights());
    // A new one is opened, also where that takes a second try.
    let [create, access] = public;
    let made = login(&endpoint, &[create, access, ("store_container", "new")]);
    stand_in.server.fault(Fault::on("POST", "/v1/AUTH_lab/new").html(503));
    made.put("a.log", b"text", DAY);
    assert_eq!(rights(), ["POST /v1/AUTH_lab/new", "POST /v1/AUTH_lab/new"]);
    assert!(stand_in.state().objects.contains_key("new/a.log"));
}
