//! The rules by which a bucket removes objects.
//!
//! Source: the Amazon S3 API Reference, PutBucketLifecycleConfiguration. Putting rules replaces all
//! of them, so ours is written into the text of those that are there, which stays as it is to the
//! byte, also where it says what is not understood here.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, OffsetDateTime, Time};

/// The longest name of a rule.
const LONGEST_NAME: usize = 255;
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The rules of a bucket, as far as they matter here.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    /// What stands before the colon in names, colon included; mostly empty.
    namespace: String,
    /// Where the closing tag of the whole begins; none where there is no such text.
    end: Option<usize>,
}

#[derive(Debug, Default)]
struct Rule {
    id: String,
    enabled: bool,
    prefix: String,
    /// The prefix stands in the rule itself, as it did before there were filters.
    old_style: bool,
    /// It counts only for objects with a tag; ours have none.
    tags: bool,
    /// It counts only for objects of some sizes.
    sizes: bool,
    days: Option<u64>,
    date: Option<OffsetDateTime>,
    /// Where it stands in the text.
    place: Range<usize>,
}

impl Rules {
    /// Reads `<LifecycleConfiguration>`. What follows a fault in the XML is not seen.
    pub(super) fn read(text: &str) -> Rules {
        let mut rules = Rules::default();
        let mut reader = Reader::from_str(text);
        let mut path: Vec<String> = Vec::new();
        let mut value = String::new();
        let mut rule = Rule::default();
        loop {
            let before = position(&reader);
            match reader.read_event() {
                Ok(Event::Start(start)) => {
                    let name = local(start.local_name().as_ref());
                    if path.is_empty() {
                        let whole = local(start.name().as_ref());
                        rules.namespace = whole.trim_end_matches(&name).to_owned();
                    }
                    if path.len() == 1 && name == "Rule" {
                        rule = Rule { place: before..before, ..Rule::default() };
                    }
                    path.push(name);
                    value.clear();
                }
                Ok(Event::Empty(empty)) => {
                    path.push(local(empty.local_name().as_ref()));
                    rule.take(&path, "");
                    path.pop();
                }
                Ok(Event::Text(text)) => value.push_str(&text.decode().unwrap_or_default()),
                Ok(Event::CData(text)) => value.push_str(&text.decode().unwrap_or_default()),
                Ok(Event::GeneralRef(name)) => value.push_str(&super::answer::referred(&name)),
                Ok(Event::End(_)) => {
                    rule.take(&path, &value);
                    value.clear();
                    match path.len() {
                        1 if path[0] == "LifecycleConfiguration" => rules.end = Some(before),
                        2 if path[1] == "Rule" => {
                            rule.place.end = position(&reader);
                            rules.rules.push(std::mem::take(&mut rule));
                        }
                        _ => {}
                    }
                    path.pop();
                }
                Ok(Event::Eof) | Err(_) => return rules,
                Ok(_) => {}
            }
        }
    }

    /// The name of a rule that removes everything in a folder after at most so many days.
    pub(super) fn covering(&self, folder: &str, days: u64) -> Option<String> {
        let sure = |rule: &&Rule| {
            rule.may_touch(folder) && !rule.sizes && rule.days.is_some_and(|own| own <= days)
        };
        self.rules.iter().find(sure).map(|rule| rule.id.clone())
    }

    /// When the first rule may remove what is put into a folder now. Days end at the midnight
    /// after them.
    pub(super) fn early(&self, folder: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let ends = |rule: &Rule| match (rule.days, rule.date) {
            (Some(days), _) => {
                let days = i64::try_from(days).unwrap_or(i64::MAX).min(36_500);
                Some(now.saturating_add(Duration::days(days)))
            }
            (None, Some(date)) => Some(date.max(now)),
            (None, None) => None,
        };
        self.rules.iter().filter(|rule| rule.may_touch(folder)).filter_map(ends).min()
    }
}

impl Rule {
    /// Takes the text of an element of the rule.
    fn take(&mut self, path: &[String], text: &str) {
        let path: Vec<&str> = path.iter().skip(2).map(String::as_str).collect();
        match path[..] {
            ["ID"] => text.clone_into(&mut self.id),
            ["Status"] => self.enabled = text.trim() == "Enabled",
            ["Prefix"] => {
                text.clone_into(&mut self.prefix);
                self.old_style = true;
            }
            ["Filter", "Prefix"] | ["Filter", "And", "Prefix"] => text.clone_into(&mut self.prefix),
            ["Filter", "Tag", ..] | ["Filter", "And", "Tag", ..] => self.tags = true,
            ["Filter", name] | ["Filter", "And", name] if name.starts_with("ObjectSize") => {
                self.sizes = true;
            }
            ["Expiration", "Days"] => self.days = text.trim().parse().ok(),
            ["Expiration", "Date"] => self.date = date(text.trim()),
            _ => {}
        }
    }

    /// Whether it counts for what is in a folder, at least for some of it. A rule for a part of
    /// the folder is none for the folder.
    fn may_touch(&self, folder: &str) -> bool {
        self.enabled && !self.tags && folder.starts_with(&self.prefix)
    }
}

/// A date as rules have it: a day, or a time that is always midnight.
fn date(text: &str) -> Option<OffsetDateTime> {
    let day = time::macros::format_description!("[year]-[month]-[day]");
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .or_else(|| Some(Date::parse(text, day).ok()?.with_time(Time::MIDNIGHT).assume_utc()))
}

/// The rule that this program adds.
#[derive(Debug)]
pub(super) struct Ours {
    id: String,
    folder: String,
    days: u64,
}

impl Ours {
    pub(super) fn new(folder: &str, days: u64) -> Ours {
        let mut id = format!("notify_pr-{}", folder.trim_end_matches('/').replace('/', "-"));
        while id.len() > LONGEST_NAME {
            id.pop();
        }
        Ours { id, folder: folder.to_owned(), days }
    }

    fn xml(&self, namespace: &str, old_style: bool, cleans_up: bool) -> String {
        let element =
            |name: &str, inner: &str| format!("<{namespace}{name}>{inner}</{namespace}{name}>");
        let prefix = element("Prefix", &escape(self.folder.as_str()));
        let mut inner = element("ID", &escape(self.id.as_str()));
        // Rules with and without filters do not go together in one bucket.
        inner.push_str(&if old_style { prefix } else { element("Filter", &prefix) });
        inner.push_str(&element("Status", "Enabled"));
        inner.push_str(&element("Expiration", &element("Days", &self.days.to_string())));
        if cleans_up {
            let days = element("NoncurrentDays", "1");
            inner.push_str(&element("NoncurrentVersionExpiration", &days));
            let days = element("DaysAfterInitiation", "1");
            inner.push_str(&element("AbortIncompleteMultipartUpload", &days));
        }
        element("Rule", &inner)
    }
}

/// The text of the rules with ours in it: in place of an earlier one of the same name, else last.
/// With `cleans_up` it also removes what versions and broken uploads leave behind. `None` where
/// the text is not understood.
pub(super) fn merged(text: &str, rules: &Rules, ours: &Ours, cleans_up: bool) -> Option<String> {
    let old_style = rules.rules.iter().any(|rule| rule.old_style);
    let xml = ours.xml(&rules.namespace, old_style, cleans_up);
    let Some(end) = rules.end else {
        return (text.trim().is_empty() || rules.rules.is_empty() && is_empty(text)).then(|| {
            format!("<LifecycleConfiguration xmlns=\"{NAMESPACE}\">{xml}</LifecycleConfiguration>")
        });
    };
    let place = match rules.rules.iter().find(|rule| rule.id == ours.id) {
        Some(earlier) => earlier.place.clone(),
        None => end..end,
    };
    Some(format!("{}{xml}{}", text.get(..place.start)?, text.get(place.end..)?))
}

/// Whether the text is an element of no content, written as one tag.
fn is_empty(text: &str) -> bool {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Empty(empty)) => {
                return empty.local_name().as_ref() == b"LifecycleConfiguration";
            }
            Ok(Event::Decl(_) | Event::Comment(_) | Event::Text(_)) => {}
            _ => return false,
        }
    }
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn local(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const FOLDER: &str = "notify_pr/7d/";

    fn rules(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LifecycleConfiguration \
             xmlns=\"{NAMESPACE}\">{inner}</LifecycleConfiguration>"
        )
    }

    fn rule(filter: &str, more: &str) -> String {
        format!("<Rule><ID>r</ID>{filter}<Status>Enabled</Status>{more}</Rule>")
    }

    fn days(days: u32) -> String {
        format!("<Expiration><Days>{days}</Days></Expiration>")
    }

    #[test]
    fn a_rule_counts_only_when_it_surely_removes_all_of_the_folder_in_time() {
        let filter = |inner: &str| format!("<Filter>{inner}</Filter>");
        let prefix = |text: &str| format!("<Prefix>{text}</Prefix>");
        let tag = "<Tag><Key>a</Key><Value>b</Value></Tag>";
        let size = "<ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>";
        for (xml, expected) in [
            (rule(&filter(&prefix("notify_pr/7d/")), &days(7)), true),
            (rule(&filter(&prefix("notify_pr/")), &days(5)), true),
            (rule(&prefix("not"), &days(7)), true),
            (rule(&filter(""), &days(7)), true),
            (rule("<Filter/>", &days(7)), true),
            (rule("<Prefix></Prefix>", &days(1)), true),
            (
                rule(&filter(&format!("<And>{}{}</And>", prefix("notify_pr/"), size)), &days(7)),
                false,
            ),
            (rule(&filter(&prefix("notify_pr/7d/")), &days(8)), false),
            (rule(&filter(&prefix("notify_pr/7d/2026")), &days(7)), false),
            (rule(&filter(&prefix("notify_pr/30d/")), &days(7)), false),
            (rule(&filter(tag), &days(7)), false),
            (rule(&filter(&format!("<And>{}{tag}</And>", prefix("notify_pr/"))), &days(7)), false),
            (rule(&filter(""), "<Transition><Days>7</Days></Transition>"), false),
            (
                rule(&filter(""), "<Expiration><Date>2026-12-01T00:00:00.000Z</Date></Expiration>"),
                false,
            ),
            (rule(&filter(""), &days(7)).replace("Enabled", "Disabled"), false),
            (String::new(), false),
        ] {
            let found = Rules::read(&rules(&xml)).covering(FOLDER, 7);
            assert_eq!(found.is_some(), expected, "{xml}");
        }
        assert!(Rules::read("").covering(FOLDER, 7).is_none());
        assert!(Rules::read("<html>").covering(FOLDER, 7).is_none());
    }

    #[test]
    fn the_first_rule_that_may_come_decides_the_date() {
        let now = datetime!(2026-11-23 12:00 UTC);
        let two =
            rule("<Prefix></Prefix>", &days(30)) + &rule("<Prefix>notify_pr/</Prefix>", &days(3));
        let early = Rules::read(&rules(&two)).early(FOLDER, now);
        assert_eq!(early, Some(datetime!(2026-11-26 12:00 UTC)));
        for (text, end) in
            [("2026-11-25T00:00:00.000Z", datetime!(2026-11-25 0:00 UTC)), ("2020-01-01", now)]
        {
            let dated = rule("<Filter/>", &format!("<Expiration><Date>{text}</Date></Expiration>"));
            assert_eq!(Rules::read(&rules(&dated)).early(FOLDER, now), Some(end));
        }
        assert_eq!(Rules::read(&rules(&rule("<Filter/>", ""))).early(FOLDER, now), None);
    }

    #[test]
    fn our_rule_joins_those_that_are_there_which_stay_to_the_byte() {
        let theirs = "\n  <Rule><ID>theirs</ID><!-- kept --><Filter><Prefix>a&amp;b</Prefix></Filter>\
                      <Status>Enabled</Status><Future x='1'/><Expiration>\n<Days>9</Days></Expiration></Rule>\n";
        let text = rules(theirs);
        let ours = Ours::new(FOLDER, 7);
        let merged_text = merged(&text, &Rules::read(&text), &ours, true).unwrap();
        let (before, after) = text.split_at(text.find("</LifecycleConfiguration>").unwrap());
        assert!(merged_text.starts_with(before) && merged_text.ends_with(after), "{merged_text}");
        let read = Rules::read(&merged_text);
        assert_eq!(read.rules.len(), 2);
        assert_eq!(read.covering(FOLDER, 7).as_deref(), Some("notify_pr-notify_pr-7d"));
        assert_eq!(read.rules[0].prefix, "a&b");
        // Again, with another number of days in an earlier rule of ours: it is replaced.
        let changed = merged_text.replace("<Days>7</Days>", "<Days>77</Days>");
        let again = merged(&changed, &Rules::read(&changed), &ours, true).unwrap();
        assert_eq!(again, merged_text);
    }

    #[test]
    fn our_rule_is_written_as_the_others_are() {
        let old = rules(&rule("<Prefix>x</Prefix>", &days(3)));
        let ours = Ours::new(FOLDER, 7);
        let text = merged(&old, &Rules::read(&old), &ours, false).unwrap();
        assert!(text.contains("</ID><Prefix>notify_pr/7d/</Prefix>") && !text.contains("Filter"));
        let prefixed = "<s:LifecycleConfiguration xmlns:s='x'></s:LifecycleConfiguration>";
        let text = merged(prefixed, &Rules::read(prefixed), &ours, false).unwrap();
        assert!(text.contains("'x'><s:Rule><s:ID>"), "{text}");
        for nothing in ["", "<LifecycleConfiguration/>"] {
            let text = merged(nothing, &Rules::read(nothing), &ours, true).unwrap();
            assert!(Rules::read(&text).covering(FOLDER, 7).is_some(), "{text}");
            assert!(text.contains("DaysAfterInitiation") && text.contains(NAMESPACE));
        }
        assert!(merged("<html>", &Rules::read("<html>"), &ours, true).is_none());
        assert!(merged("garbage", &Rules::read("garbage"), &ours, true).is_none());
    }

    #[test]
    fn jobs_with_other_days_have_other_rules() {
        let text = merged("", &Rules::default(), &Ours::new("ci/7d/", 7), false).unwrap();
        let both = merged(&text, &Rules::read(&text), &Ours::new("ci/30d/", 30), false).unwrap();
        let rules = Rules::read(&both);
        assert_eq!(rules.covering("ci/7d/", 7).as_deref(), Some("notify_pr-ci-7d"));
        assert_eq!(rules.covering("ci/30d/", 30).as_deref(), Some("notify_pr-ci-30d"));
        assert_eq!(Ours::new("7d/", 7).id, "notify_pr-7d");
    }
}
