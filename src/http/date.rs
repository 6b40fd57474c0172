//! What time a server has.

use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::Answer;

impl Answer {
    /// The header `Date`, in the form of RFC 9110 section 5.6.7 that every server sends today.
    pub fn date(&self) -> Option<OffsetDateTime> {
        let format = format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        let text = self.header("date")?;
        PrimitiveDateTime::parse(text, format).ok().map(PrimitiveDateTime::assume_utc)
    }
}
