//! The part of JSON Schema that GitHub's description uses.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Description;

impl Description {
    /// Notes everything in which a value does not fit a schema.
    pub(super) fn fits(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let schema = self.resolve(schema);
        if value.is_null() {
            if schema["nullable"] != true && !schema["type"].is_null() {
                faults.push(format!("{at} is null"));
            }
            return;
        }
        for (word, all) in [("oneOf", false), ("anyOf", false), ("allOf", true)] {
            let Some(choices) = schema[word].as_array() else { continue };
            let misfits: Vec<Vec<String>> = choices
                .iter()
                .map(|choice| {
                    let mut misfits = Vec::new();
                    self.fits(choice, value, at, &mut misfits);
                    misfits
                })
                .collect();
            if all {
                faults.extend(misfits.into_iter().flatten());
            } else if misfits.iter().all(|misfits| !misfits.is_empty()) {
                faults.push(format!("{at} fits no choice: {}", misfits.concat().join(", ")));
            }
        }
        match schema["type"].as_str() {
            Some("object") => self.object_fits(schema, value, at, faults),
            Some("array") => self.array_fits(schema, value, at, faults),
            Some("string") if value.is_string() => text_fits(schema, value, at, faults),
            Some("integer") if value.is_i64() || value.is_u64() => {
                number_fits(schema, value, at, faults);
            }
            Some("number") if value.is_number() => number_fits(schema, value, at, faults),
            Some("boolean") if value.is_boolean() => {}
            Some(kind) => faults.push(format!("{at} is no {kind}")),
            None => {}
        }
        if let Some(values) = schema["enum"].as_array()
            && !values.contains(value)
        {
            faults.push(format!("{at} is {value}, which is none of its values"));
        }
    }

    fn object_fits(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let Some(fields) = value.as_object() else {
            faults.push(format!("{at} is no object"));
            return;
        };
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                faults.push(format!("{at}.{name} is missing"));
            }
        }
        let known = schema["properties"].as_object();
        let more = &schema["additionalProperties"];
        for (name, value) in fields {
            let at = format!("{at}.{name}");
            match known.and_then(|known| known.get(name)) {
                Some(schema) => self.fits(schema, value, &at, faults),
                None if more.is_object() => self.fits(more, value, &at, faults),
                // A schema without a list of fields takes any.
                None if more == true || known.is_none() => {}
                None => faults.push(format!("{at} is not known")),
            }
        }
    }

    fn array_fits(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let Some(items) = value.as_array() else {
            faults.push(format!("{at} is no array"));
            return;
        };
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
        if items.len() as u64 > most {
            faults.push(format!("{at} has {} items and may have {most}", items.len()));
        }
        for (index, item) in items.iter().enumerate() {
            self.fits(&schema["items"], item, &format!("{at}[{index}]"), faults);
        }
    }
}

fn text_fits(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let text = value.as_str().unwrap_or_default();
    let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
    if text.chars().count() as u64 > most {
        faults.push(format!("{at} is longer than {most} characters"));
    }
    if schema["format"] == "date-time" && OffsetDateTime::parse(text, &Rfc3339).is_err() {
        faults.push(format!("{at} is {text:?}, which is no date-time"));
    }
}

fn number_fits(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let number = value.as_f64().unwrap_or_default();
    if schema["maximum"].as_f64().is_some_and(|most| number > most)
        || schema["minimum"].as_f64().is_some_and(|least| number < least)
    {
        faults.push(format!("{at} is {value}, which is out of its range"));
    }
}
