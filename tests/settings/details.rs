//! The rows of the table in the comment.

use super::load;
use notify_pr::settings::{Origin, Settings};

fn rows(settings: &Settings) -> Vec<(&str, &str)> {
    settings.details().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn details_keep_their_order_and_case() {
    let text = "title = x\n[details]\nNetwork = Advanced; # all of it\nHypervisor: KVM\n\
                token = of no meaning here\nEmpty =\n";
    let settings = load(text).unwrap();
    let expected = [
        ("Network", "Advanced; # all of it"),
        ("Hypervisor", "KVM"),
        ("token", "of no meaning here"),
        ("Empty", ""),
    ];
    assert_eq!(rows(&settings), expected);
    assert_eq!(settings.text("token"), None);
}

#[test]
fn a_row_is_set_and_read_like_a_setting() {
    let mut settings = Settings::new();
    settings.set("details.Host name", " kvm-1 ", Origin::Api).unwrap();
    assert_eq!(settings.detail("Host name"), Some("kvm-1"));
    assert_eq!(settings.shown("details.Host name"), "kvm-1");
    assert_eq!(settings.shown("details.host name"), "");
    for (name, value) in [("details.", "x"), ("details.a\nb", "x"), ("details.a", "x\ny")] {
        let error = settings.set(name, value, Origin::Api).unwrap_err().to_string();
        assert!(error.starts_with(&name.replace('\n', "\\n")), "{error}");
    }
    assert_eq!(rows(&settings).len(), 1);
}

#[test]
fn the_same_rows_come_out_in_whatever_order_they_are_set() {
    let folder = tempfile::tempdir().unwrap();
    let ini = folder.path().join("run.ini");
    std::fs::write(&ini, "[details]\nNetwork = Advanced\nHypervisor = Xen\nZone = a\n").unwrap();
    let steps: [&dyn Fn(&mut Settings); 4] = [
        &|settings| settings.load_ini(&ini).unwrap(),
        &|settings| settings.set_detail("Host", "two", &Origin::CommandLine).unwrap(),
        &|settings| {
            settings.set("details.Hypervisor", "KVM", Origin::Api).unwrap();
            settings.set("details.Zone", "", Origin::Api).unwrap();
        },
        &|settings| settings.set_detail("Hypervisor", "VMware", &Origin::CommandLine).unwrap(),
    ];
    for order in [[0, 1, 2, 3], [2, 1, 0, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let mut settings = Settings::new();
        for step in order {
            steps[step](&mut settings);
        }
        let expected = [("Network", "Advanced"), ("Hypervisor", "KVM"), ("Host", "two")];
        assert_eq!(rows(&settings), expected, "{order:?}");
    }
}

#[test]
fn a_row_that_was_taken_away_can_be_set_again() {
    let mut settings = Settings::new();
    for value in ["a", "", "b"] {
        settings.set("details.Zone", value, Origin::Api).unwrap();
    }
    assert_eq!(rows(&settings), [("Zone", "b")]);
    settings.set_detail("Zone", "", &Origin::CommandLine).unwrap();
    assert_eq!(rows(&settings), [("Zone", "b")]);
}
