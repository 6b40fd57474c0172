//! How many tests passed, failed, broke and were skipped.

use std::fmt;

/// No run has more tests of a kind; a larger number is a mistake.
const MOST: u64 = 1_000_000_000;

/// The counts of a run's tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests whose check failed.
    pub failed: u64,
    /// Tests that broke before they could check anything, setups included.
    pub errors: u64,
    /// Tests that were not run on purpose.
    pub skipped: u64,
}

impl Counts {
    /// Reads `passed=12, failed=1, errors=0, skipped=3`. Each may be left out, which means 0, but
    /// not all of them, and none may stand there twice.
    pub fn parse(text: &str) -> Option<Counts> {
        let mut found: [Option<u64>; 4] = [None; 4];
        for item in text.split(',') {
            let (name, number) = item.split_once('=')?;
            let at = Counts::NAMES.iter().position(|known| *known == name.trim())?;
            let number = number.trim();
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number = number.parse().ok().filter(|number| digits && *number <= MOST)?;
            if found[at].replace(number).is_some() {
                return None;
            }
        }
        let [passed, failed, errors, skipped] = found.map(Option::unwrap_or_default);
        Some(Counts { passed, failed, errors, skipped })
    }

    const NAMES: [&'static str; 4] = ["passed", "failed", "errors", "skipped"];

    /// The verdict that follows from the counts: `failure` if a test failed or broke, `success` if
    /// at least one passed, else `unknown`.
    pub fn verdict(&self) -> &'static str {
        match self {
            Counts { failed: 0, errors: 0, passed: 0, .. } => "unknown",
            Counts { failed: 0, errors: 0, .. } => "success",
            _ => "failure",
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Counts) -> Counts {
        Counts {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
            errors: self.errors.saturating_add(other.errors),
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { passed, failed, errors, skipped } = self;
        write!(f, "passed={passed}, failed={failed}, errors={errors}, skipped={skipped}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_in_any_order_and_kept_in_one() {
        let counts = Counts::parse(" skipped=3,passed = 12 ,failed=1").expect("counts");
        assert_eq!(counts, Counts { passed: 12, failed: 1, errors: 0, skipped: 3 });
        assert_eq!(Counts::parse(&counts.to_string()), Some(counts));
    }

    #[test]
    fn what_are_no_counts_is_refused() {
        for text in [
            "",
            "passed",
            "passed=",
            "passed=-1",
            "passed=+1",
            "passed=1;failed=2",
            "ok=1",
            "passed=1, passed=1",
            "passed=1,",
            "passed=1000000001",
            "passed=0x1",
        ] {
            assert_eq!(Counts::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_verdict_follows_from_the_counts() {
        let verdict = |text| Counts::parse(text).expect(text).verdict();
        assert_eq!(verdict("passed=3, skipped=1"), "success");
        assert_eq!(verdict("passed=3, failed=1"), "failure");
        assert_eq!(verdict("passed=3, errors=1"), "failure");
        assert_eq!(verdict("skipped=4"), "unknown");
    }
}
