use super::*;

#[test]
fn what_the_file_system_says_decides_what_the_user_reads() {
    let own = Own { prefix: String::new(), days: 7 };
    let store = Directory::new("/srv/logs", "https://logs.example.org", false, own);
    for (kind, fault, status, words) in [
        (io::ErrorKind::StorageFull, Fault::Local, Status::Disk, "the disk of the store is full"),
        (io::ErrorKind::QuotaExceeded, Fault::Local, Status::Disk, "the disk of the store is full"),
        (
            io::ErrorKind::PermissionDenied,
            Fault::Refused,
            Status::StoreRefused,
            "the right to write",
        ),
        (io::ErrorKind::NotFound, Fault::NotFound, Status::StoreRefused, "it did not work"),
    ] {
        let failure = store.failed("it did not work", Path::new("/srv/logs/a"), kind.into());
        assert_eq!((&failure.fault, failure.error.status()), (&fault, status), "{kind}");
        assert!(failure.to_string().contains(words), "{failure}");
    }
}
