use super::*;
use crate::content::Checksum;
use crate::store::{Meta, Upload};

const MOST: Most = Most { sent: 8, prepared: 4 };
const MB: u64 = 1 << 20;

/// So many objects that are not small, nor large enough to be read twice.
fn sized(count: usize) -> Vec<(usize, u64)> {
    (0..count).map(|index| (index, TELLING)).collect()
}

/// The next task for one of two workers, as text.
fn next(tasks: &mut Tasks) -> String {
    next_of(tasks, 2)
}

fn next_of(tasks: &mut Tasks, workers: usize) -> String {
    match tasks.next(workers, MOST) {
        None => "nothing".to_owned(),
        Some(Task::Several(indices)) => format!("several from {}", indices[0]),
        Some(Task::Object(index)) => format!("object {index}"),
        Some(Task::Bundle(indices)) => format!("{} from {}", indices.len(), indices[0]),
        Some(Task::Prepare(indices)) => format!("prepare {indices:?}"),
        Some(Task::Prepared(index, _)) => format!("send {index}"),
        Some(Task::Hash(_, parts)) => format!("hash {parts:?}"),
        Some(Task::Part(_, number)) => format!("part {number}"),
    }
}

#[test]
fn small_objects_are_taken_together_by_number_and_bytes_and_never_so_few_that_workers_idle() {
    let sizes = [(0, TELLING), (1, SMALL), (2, SMALL), (3, 9)];
    let mut tasks = Tasks::new(sizes.into_iter().chain((4..60).map(|n| (n, 9))).collect(), 1);
    let first: Vec<_> = (0..8).map(|_| next(&mut tasks)).collect();
    assert_eq!(first[..4], ["object 0", "several from 1", "several from 3", "several from 11"]);
    assert_eq!(next(&mut tasks), "several from 51");
    // Two are for each worker, then one.
    let last = [next(&mut tasks), next(&mut tasks), next(&mut tasks)];
    assert_eq!(last, ["several from 56", "object 58", "object 59"]);
    // What is brought back goes by itself.
    tasks.bring_back(vec![1, 2]);
    assert_eq!([next(&mut tasks), next(&mut tasks)], ["object 1", "object 2"]);
}

#[test]
fn small_objects_go_alone_while_a_bundle_is_tried_and_last_in_bundles_if_that_works() {
    let mut tasks = Tasks::new(sized(300), 1);
    assert_eq!(next(&mut tasks), "object 0");
    // Nobody gets what is taken a second time.
    let small: Vec<_> = (0..1).chain(10..300).map(|index| (index, 100)).collect();
    tasks.set_apart(&small, 1000);
    assert_eq!(next(&mut tasks), "16 from 10");
    (1..10).for_each(|large| assert_eq!(next(&mut tasks), format!("object {large}")));
    assert_eq!(next(&mut tasks), "object 299");
    tasks.bundling(Bundling::Open);
    tasks.bring_back(vec![12]);
    assert_eq!(next(&mut tasks), "object 12");
    assert_eq!(next(&mut tasks), "68 from 26");
    tasks.bundling(Bundling::Untried);
    assert_eq!(next(&mut tasks), "16 from 94");
    tasks.bundling(Bundling::Closed);
    tasks.bundling(Bundling::Open);
    (110..299).rev().for_each(|small| assert_eq!(next(&mut tasks), format!("object {small}")));
}

#[test]
fn a_bundle_has_no_more_objects_than_the_store_takes_together() {
    let mut tasks = Tasks::new(sized(100), 1);
    tasks.set_apart(&(0..100).map(|index| (index, 10)).collect::<Vec<_>>(), 5);
    assert_eq!(next(&mut tasks), "5 from 0");
    tasks.bundling(Bundling::Open);
    assert_eq!(next(&mut tasks), "5 from 5");
}

#[test]
fn a_bundle_has_no_more_bytes_than_it_may() {
    let mut tasks = Tasks::new(sized(100), 1);
    let small: Vec<_> = (0..100).map(|index| (index, 50_000)).collect();
    tasks.set_apart(&small, 1000);
    assert_eq!(next_of(&mut tasks, 1), "16 from 0");
    tasks.bundling(Bundling::Open);
    assert_eq!(next_of(&mut tasks, 1), "41 from 16");
}

#[test]
fn objects_that_are_read_twice_are_prepared_together_as_long_as_there_are_enough_for_all() {
    let sizes =
        [40 * MB, 30 * MB, 20 * MB, 10 * MB, 5 * MB, MB, MB, KEPT_IN_MEMORY + 1, KEPT_IN_MEMORY];
    let mut tasks = Tasks::new(sizes.into_iter().enumerate().collect(), 4);
    // Together they have no more bytes than are soon forgotten, whatever the first one has.
    let first = [next(&mut tasks), next(&mut tasks), next(&mut tasks)];
    assert_eq!(first, ["object 0", "prepare [1, 2, 3]", "prepare [4, 5, 6]"]);
    assert_eq!([next(&mut tasks), next(&mut tasks)], ["object 7", "object 8"]);
    assert!(tasks.is_empty());

    let mut tasks = Tasks::new((0..20).map(|index| (index, MB)).collect(), 1);
    // Rather than alone, the others are prepared by the next of those who may.
    assert_eq!([next_of(&mut tasks, 8), next_of(&mut tasks, 8)], ["prepare [0, 1, 2]", "nothing"]);
    // What was prepared goes before anything else is.
    tasks.hashed([Task::Prepared(1, None), Task::Prepared(0, None)]);
    assert_eq!(tasks.len(), 19);
    let taken: Vec<_> = (0..3).map(|_| next_of(&mut tasks, 8)).collect();
    assert_eq!(taken, ["send 1", "send 0", "prepare [3, 4, 5]"]);
    // Two for each worker are too few to gain anything together.
    assert_eq!([next_of(&mut tasks, 8), next_of(&mut tasks, 8)], ["object 6", "object 7"]);
    // What is brought back goes by itself.
    let mut tasks = Tasks::new(Vec::new(), 1);
    tasks.bring_back(0..9);
    assert_eq!([next(&mut tasks), next(&mut tasks)], ["object 0", "object 1"]);
}

fn large() -> Arc<Large> {
    let meta = Meta { content_type: String::new(), content_encoding: None, expires: None };
    let upload = Upload { key: "large.log".to_owned(), id: "1".to_owned(), meta };
    let ranges = (0..12).map(|part| part..part + 1).collect();
    Arc::new(Large::new(0, Body::memory([0; 12], Checksum::Sha256), 0, upload, ranges))
}

#[test]
fn parts_are_hashed_together_by_few_and_sent_before_any_other_is_hashed() {
    let large = large();
    let hashed = |tasks: &mut Tasks, parts: Range<usize>| {
        tasks.hashed(parts.map(|part| Task::Part(Arc::clone(&large), part)));
    };
    let mut tasks = Tasks::new(vec![(6, 64 * MB), (5, MB)], 2);
    assert_eq!(tasks.parts(&large, 12, true), 3);
    assert_eq!(tasks.len(), 14);
    assert_eq!([next(&mut tasks), next(&mut tasks)], ["hash 0..4", "hash 4..8"]);
    // Two are at it, and no other large object is begun meanwhile.
    assert_eq!(next(&mut tasks), "nothing");
    assert_eq!(tasks.len(), 6);
    hashed(&mut tasks, 0..4);
    (0..4).for_each(|part| assert_eq!(next(&mut tasks), format!("part {part}")));
    assert_eq!([next(&mut tasks), next(&mut tasks)], ["hash 8..12", "object 6"]);
    assert_eq!([next(&mut tasks), next(&mut tasks)], ["object 5", "nothing"]);
    hashed(&mut tasks, 4..8);
    hashed(&mut tasks, 8..12);
    (4..12).for_each(|part| assert_eq!(next(&mut tasks), format!("part {part}")));

    // Parts that are too few to gain anything together are hashed by whoever sends them, and so is
    // every part where nothing is hashed together.
    let mut tasks = Tasks::new(Vec::new(), 2);
    assert_eq!(tasks.parts(&large, 10, true), 4);
    assert_eq!([next(&mut tasks), next(&mut tasks)], ["part 8", "part 9"]);
    assert_eq!([next(&mut tasks), next(&mut tasks)], ["hash 0..4", "hash 4..8"]);
    let mut tasks = Tasks::new(Vec::new(), 2);
    assert_eq!(tasks.parts(&large, 10, false), 10);
    (0..10).for_each(|part| assert_eq!(next(&mut tasks), format!("part {part}")));
    assert!(tasks.is_empty());
}
